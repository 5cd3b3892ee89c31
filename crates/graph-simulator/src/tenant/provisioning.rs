//! Provisioning records: the facts of one, drawn from its seed, and the values it puts into the
//! template.

use std::io::Write as _;

use crate::stream::{ApiVersion, Stream};
use crate::tenant::contoso::USERS;
use crate::tenant::directory::Directory;
use crate::tenant::record_form::RecordForm;
use crate::tenant::template::{Template, WriteField};
use crate::tenant::timeline::{Entry, Variant};
use crate::{guid, ticks};

/// A system that accounts are provisioned to.
#[derive(Debug)]
struct System {
    name: &'static str,
    /// Beginning of the id of its job.
    job: &'static str,
    /// Whether its connector writes as Microsoft's older samples do: `Import`, `initiatingType`.
    is_old: bool,
}

const SYSTEMS: [System; 3] = [
    System { name: "Payroll", job: "scim", is_old: false },
    System { name: "Contoso AWS", job: "aws", is_old: true },
    System { name: "Help desk", job: "zendesk", is_old: false },
];

/// Sixteen actions, as often as they occur.
const ACTIONS: [&str; 16] = [
    "update",
    "create",
    "update",
    "other",
    "update",
    "disable",
    "update",
    "create",
    "update",
    "other",
    "update",
    "delete",
    "update",
    "create",
    "update",
    "stagedDelete",
];

/// The facts of one provisioning record.
#[derive(Debug)]
struct Provisioning {
    form: RecordForm,
    time: i64,
    digits: u8,
    id: u128,
    account: u128,
    cycle: u64,
    system: usize,
    user: usize,
    action: &'static str,
    duration: u32,
    is_failure: bool,
    seed: u64,
}

/// The template of provisioning records, which hold no enum worth hiding.
#[derive(Debug)]
pub(crate) struct ProvisioningTemplate {
    template: Template<Provisioning>,
}

const FIELDS: &[(&str, WriteField<Provisioning>)] = &[
    ("id", |out, it, _| guid::write(out, it.id)),
    ("time", |out, it, _| ticks::write(out, it.time, it.digits)),
    ("tenant", |out, _, directory| put(out, &directory.tenant)),
    ("job", |out, it, directory| {
        let tenant = directory.tenant.replace('-', "");
        write!(out, "{}.{tenant}.", it.system().job).unwrap_or_default();
        put(out, &it.of_system(1));
    }),
    ("cycle", |out, it, _| put(out, &guid::of(&[it.seed, it.system as u64, it.cycle]))),
    ("change", |out, it, _| guid::write(out, it.id.rotate_left(64))),
    ("action", |out, it, _| put(out, it.action)),
    ("duration", |out, it, _| write!(out, "{}", it.duration).unwrap_or_default()),
    ("beta_members", |out, it, _| {
        if it.form.version == ApiVersion::Beta {
            let (action, status) = (it.action, it.status());
            write!(out, r#""action":"{action}","statusInfo":{{"status":"{status}"}},"#)
                .unwrap_or_default();
        }
    }),
    ("status", |out, it, _| put(out, it.status())),
    ("error", error),
    ("import", |out, it, _| put(out, if it.system().is_old { "Import" } else { "import" })),
    ("export", |out, it, _| put(out, if it.system().is_old { "Export" } else { "export" })),
    ("initiator_key", |out, it, _| {
        put(out, if it.system().is_old { "initiatingType" } else { "initiatorType" });
    }),
    ("system", |out, it, _| put(out, it.system().name)),
    ("principal", |out, it, _| put(out, &it.of_system(2))),
    ("application", |out, it, _| put(out, &it.of_system(3))),
    ("source_system", |out, it, _| put(out, &it.of_system(4))),
    ("target_system", |out, it, _| put(out, &it.of_system(5))),
    ("user_id", |out, it, directory| put(out, &directory.user_ids[it.user])),
    ("user_name", |out, it, _| put(out, USERS[it.user].name)),
    ("user_local", |out, it, _| put(out, USERS[it.user].local)),
    ("account", |out, it, _| guid::write(out, it.account)),
];

impl ProvisioningTemplate {
    pub(crate) fn new() -> Self {
        Self {
            template: Template::cut(include_str!("../../records/provisioning.json"), FIELDS, false),
        }
    }

    /// Writes the record behind an entry.
    pub(crate) fn write(
        &self,
        out: &mut Vec<u8>,
        entry: &Entry,
        form: RecordForm,
        directory: &Directory,
    ) {
        let mut record = Provisioning::draw(entry, form, directory);
        self.template.write(out, &mut record, directory);
    }
}

impl Provisioning {
    fn draw(entry: &Entry, form: RecordForm, directory: &Directory) -> Self {
        let seed = directory.seed;
        let stream = u64::from(Stream::Provisioning.number());
        let identity = [seed, stream, u64::from(entry.origin), u64::from(entry.number)];
        let mut random = fastrand::Rng::with_seed(guid::mix(&identity));
        let was_changed = entry.variant == Variant::Changed;
        Self {
            form,
            time: entry.time,
            digits: entry.digits,
            id: random.u128(..),
            account: random.u128(..),
            // A job runs every forty minutes.
            cycle: (entry.time / (40 * 60 * ticks::PER_SECOND)).unsigned_abs(),
            system: random.usize(..SYSTEMS.len()),
            user: random.usize(..USERS.len()),
            action: ACTIONS[random.usize(..ACTIONS.len())],
            duration: random.u32(40..4000) + u32::from(was_changed),
            // What failed is tried again, and then its record says so.
            is_failure: random.u8(..16) == 0 && !was_changed && !directory.is_calm,
            seed,
        }
    }

    fn system(&self) -> &'static System {
        &SYSTEMS[self.system]
    }

    fn status(&self) -> &'static str {
        match self.action {
            _ if self.is_failure => "failure",
            "other" => "skipped",
            _ => "success",
        }
    }

    /// An id that all records of the system share.
    fn of_system(&self, part: u64) -> String {
        guid::of(&[self.seed, 0x9805, self.system as u64, part])
    }
}

fn put(out: &mut Vec<u8>, text: &str) {
    out.extend_from_slice(text.as_bytes());
}

fn error(out: &mut Vec<u8>, it: &mut Provisioning, _: &Directory) {
    if it.is_failure {
        put(
            out,
            r#"{"errorCode":"SystemForCrossDomainIdentityManagementServiceIncompatible","reason":"Conflict (409): the account exists","additionalDetails":null,"errorCategory":"nonServiceFailure","recommendedAction":null}"#,
        );
    } else {
        put(out, "null");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fault::Alteration;
    use crate::scenario::Scenario;
    use crate::tenant::records::Records;
    use crate::tenant::timeline::{Selection, Timeline};
    use serde_json::Value;

    fn records(alteration: Alteration) -> Vec<Value> {
        let scenario = "name = 'x'\n[[volume]]\nstream = 'provisioning'\nper_day = 300";
        let scenario = Scenario::from_toml(scenario).unwrap();
        let now = "2026-11-23T01:15:00Z".parse().unwrap();
        let records = Records::new(Timeline::build(&scenario, now), Directory::new(&scenario));
        let found = records.timeline.select(&Selection {
            streams: &[Stream::Provisioning],
            from: i64::MIN,
            to: i64::MAX,
            after: None,
            descending: true,
            now: i64::MAX / 2,
            oldest: i64::MIN,
            limit: usize::MAX,
        });
        let form = RecordForm { version: ApiVersion::V1, masked: true };
        let texts = found.into_iter().map(|of| records.text(of, form, alteration));
        texts.map(|text| serde_json::from_str(&text).unwrap_or_else(|_| panic!("{text}"))).collect()
    }

    #[test]
    fn every_record_is_json_and_all_that_samples_show_occurs() {
        let records = records(Alteration::None);
        assert_eq!(records.len(), 300);
        assert!(records.iter().all(|record| !record.to_string().contains("unknown}}")));
        let occurs = |pointer: &str, text: &str| {
            records.iter().any(|record| record.pointer(pointer).is_some_and(|value| value == text))
        };
        for (pointer, text) in [
            ("/provisioningSteps/0/provisioningStepType", "Import"),
            ("/provisioningSteps/0/provisioningStepType", "import"),
            ("/initiatedBy/initiatingType", "system"),
            ("/initiatedBy/initiatorType", "system"),
            ("/provisioningStatusInfo/status", "failure"),
            ("/provisioningStatusInfo/status", "skipped"),
            ("/provisioningAction", "stagedDelete"),
        ] {
            assert!(occurs(pointer, text), "{pointer} {text}");
        }
    }

    #[test]
    fn the_service_principal_can_arrive_as_a_collection() {
        assert!(
            records(Alteration::TypeFlip)
                .iter()
                .all(|record| record["servicePrincipal"].is_array())
        );
    }
}

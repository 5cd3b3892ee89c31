//! Directory audits: the facts of one, drawn from its seed, and the values it puts into the
//! template.

use std::io::Write as _;

use crate::stream::{ApiVersion, Stream};
use crate::tenant::activity::{ACTIVITIES, Activity, Initiator, SELF_SERVICE};
use crate::tenant::contoso::{APPLICATIONS, CLIENTS, USERS, WORKLOADS};
use crate::tenant::directory::Directory;
use crate::tenant::record_form::RecordForm;
use crate::tenant::stories::AuditPlot;
use crate::tenant::template::{Template, WriteField, put};
use crate::tenant::timeline::{Entry, Variant};
use crate::{guid, ticks};

/// The facts of one directory audit.
#[derive(Debug)]
pub(crate) struct Audit {
    form: RecordForm,
    time: i64,
    digits: u8,
    correlation: u128,
    activity: &'static Activity,
    actor: usize,
    target: usize,
    address: Option<&'static str>,
    client: usize,
    was_changed: bool,
    random: fastrand::Rng,
}

/// The template of directory audits, which hold no enum worth hiding.
#[derive(Debug)]
pub(crate) struct AuditTemplate {
    template: Template<Audit>,
}

const FIELDS: &[(&str, WriteField<Audit>)] = &[
    ("id", id),
    ("category", |out, it, _| put(out, it.activity.category)),
    ("correlation", |out, it, _| guid::write(out, it.correlation)),
    ("result", |out, it, _| put(out, it.activity.result)),
    ("reason", |out, it, _| put(out, if it.was_changed { "Completed later" } else { "" })),
    ("activity", |out, it, _| put(out, it.activity.name)),
    ("time", |out, it, _| ticks::write(out, it.time, it.digits)),
    ("service", |out, it, _| put(out, it.activity.service)),
    ("operation", |out, it, _| put(out, it.activity.operation)),
    ("beta_members", |out, it, _| {
        if it.form.version == ApiVersion::Beta {
            put(out, r#""userAgent":null,"performedBy":null,"#);
        }
    }),
    ("initiator", initiator),
    ("targets", targets),
    ("user_agent", |out, it, _| put(out, CLIENTS[it.client].agent)),
    ("client_address", |out, it, _| match it.address {
        Some(address) => write!(out, "\"{address}\"").unwrap_or_default(),
        None => put(out, "null"),
    }),
    ("app_id", |out, it, _| put(out, APPLICATIONS[it.client].id)),
    ("vector", |out, it, _| {
        write!(out, "{:016x}.{}.{}", it.random.u64(..), it.random.u8(..), it.random.u8(..))
            .unwrap_or_default();
    }),
    ("device", |out, it, directory| {
        put(out, &guid::of(&[directory.seed, 0xDE71, it.actor as u64]));
    }),
];

impl AuditTemplate {
    pub(crate) fn new() -> Self {
        Self { template: Template::cut(include_str!("../../records/audit.json"), FIELDS, false) }
    }

    /// Writes the audit behind an entry.
    pub(crate) fn write(
        &self,
        out: &mut Vec<u8>,
        entry: &Entry,
        plot: Option<&AuditPlot>,
        form: RecordForm,
        directory: &Directory,
    ) {
        let ordinary = if directory.is_calm { SELF_SERVICE } else { &ACTIVITIES };
        let mut audit = Audit::draw(entry, form, directory.seed, ordinary);
        if let Some(plot) = plot {
            (audit.activity, audit.actor, audit.target) = (plot.activity, plot.actor, plot.target);
            audit.address = Some(plot.address);
        }
        self.template.write(out, &mut audit, directory);
    }
}

impl Audit {
    fn draw(entry: &Entry, form: RecordForm, seed: u64, ordinary: &'static [Activity]) -> Self {
        let stream = u64::from(Stream::DirectoryAudits.number());
        let identity = [seed, stream, u64::from(entry.origin), u64::from(entry.number)];
        let mut random = fastrand::Rng::with_seed(guid::mix(&identity));
        Self {
            form,
            time: entry.time,
            digits: entry.digits,
            correlation: random.u128(..),
            activity: &ordinary[random.usize(..ordinary.len()).min(random.usize(..ordinary.len()))],
            actor: random.usize(..USERS.len() / 4),
            target: random.usize(..USERS.len()),
            address: None,
            client: random.usize(..CLIENTS.len()),
            was_changed: entry.variant == Variant::Changed,
            random,
        }
    }
}

/// `Directory_<correlation id>_<five characters>_<number>`
fn id(out: &mut Vec<u8>, it: &mut Audit, _: &Directory) {
    put(out, it.activity.prefix);
    out.push(b'_');
    guid::write(out, it.correlation);
    out.push(b'_');
    out.extend((0..5).map(|_| b"0123456789ABCDEFGHJKMNPQRSTVWXYZ"[it.random.usize(..32)]));
    write!(out, "_{}", it.random.u32(1_000_000..99_999_999)).unwrap_or_default();
}

/// Member that public records of beta have and its metadata has not.
const AGENT_TYPE: &str = r#","agentType":"notAgentic""#;

fn initiator(out: &mut Vec<u8>, it: &mut Audit, directory: &Directory) {
    match it.activity.initiator {
        Initiator::Nobody => put(out, r#"{"app":null,"user":null}"#),
        Initiator::Application => {
            let application = WORKLOADS[it.actor % WORKLOADS.len()];
            write!(
                out,
                r#"{{"user":null,"app":{{"appId":null,"displayName":"{}","servicePrincipalId":"{}","servicePrincipalName":null}}}}"#,
                application.name,
                directory.principal(application.name)
            )
            .unwrap_or_default();
        }
        Initiator::User => {
            let user = USERS[it.actor];
            write!(
                out,
                r#"{{"app":null,"user":{{"id":"{}","displayName":"{}","userPrincipalName":"{}@contoso.example","ipAddress":"{}","userType":"Member","homeTenantId":"{}","homeTenantName":null{}}}}}"#,
                directory.user_ids[it.actor],
                user.name,
                user.local,
                it.address.unwrap_or_default(),
                directory.tenant,
                if it.form.version == ApiVersion::Beta { AGENT_TYPE } else { "" }
            )
            .unwrap_or_default();
        }
    }
}

fn targets(out: &mut Vec<u8>, it: &mut Audit, directory: &Directory) {
    let user = USERS[it.target];
    // Some services write the member with a capital letter.
    let key = if it.activity.prefix == "PIM" { "Type" } else { "type" };
    let kind = it.activity.target_type;
    if it.activity.target.is_empty() {
        write!(
            out,
            r#"{{"id":"{}","displayName":"{}","{key}":"{kind}","userPrincipalName":"{}@contoso.example","groupType":null,"#,
            directory.user_ids[it.target], user.name, user.local
        )
        .unwrap_or_default();
    } else {
        put(out, r#"{"id":""#);
        guid::write(out, it.random.u128(..));
        let name = it.activity.target;
        write!(out, r#"","displayName":"{name}","{key}":"{kind}","userPrincipalName":null,"#)
            .unwrap_or_default();
    }
    put(out, r#""modifiedProperties":["#);
    for (index, (name, old, new)) in it.activity.properties.iter().enumerate() {
        let comma = if index > 0 { "," } else { "" };
        write!(out, r#"{comma}{{"displayName":"{name}","oldValue":"#).unwrap_or_default();
        match *old {
            "" => put(out, "null"),
            old => write!(out, "\"{old}\"").unwrap_or_default(),
        }
        write!(out, r#","newValue":"{new}"}}"#).unwrap_or_default();
    }
    put(
        out,
        r#"]},{"id":null,"displayName":null,"type":"Other","userPrincipalName":null,"groupType":"unknownFutureValue","modifiedProperties":[]}"#,
    );
}

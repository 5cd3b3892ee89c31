//! Values that all records of a tenant share: object ids, devices and policy results.
//! They are worked out once.

use crate::guid;
use crate::scenario::{Licence, Scenario};
use crate::stream::ApiVersion;
use crate::tenant::contoso::{CLIENTS, POLICIES, USERS, principal_id, user_id};
use crate::tenant::record_form::RecordForm;

/// Results a policy can have; those after the sentinel of their enum are the last four.
const RESULTS: [&str; 8] = [
    "success",
    "failure",
    "notApplied",
    "notEnabled",
    "reportOnlySuccess",
    "reportOnlyFailure",
    "reportOnlyNotApplied",
    "reportOnlyInterrupted",
];
const FIRST_FUTURE_RESULT: usize = 4;
pub(crate) const FAILURE: usize = 1;
pub(crate) const REPORT_ONLY_FAILURE: usize = 5;

/// Sixteen results, as often as they occur.
pub(crate) const USUAL_RESULTS: [usize; 16] = [0, 2, 2, 6, 2, 0, 2, 6, 4, 2, 3, 2, 0, 7, 2, 5];

/// Sixteen results of a calm tenant, where nothing stands out.
pub(crate) const CALM_RESULTS: [usize; 16] = [0, 2, 2, 6, 2, 0, 2, 6, 4, 2, 3, 2, 0, 2, 2, 2];

/// The shared parts of a tenant's records.
#[derive(Debug)]
pub(crate) struct Directory {
    pub(crate) seed: u64,
    pub(crate) tenant: String,
    pub(crate) user_ids: Vec<String>,
    pub(crate) shows_risk: bool,
    pub(crate) shows_policies: bool,
    pub(crate) is_calm: bool,
    devices: Vec<String>,
    policies: Vec<String>,
}

impl Directory {
    pub(crate) fn new(scenario: &Scenario) -> Self {
        let seed = scenario.seed;
        let devices = [ApiVersion::V1, ApiVersion::Beta]
            .into_iter()
            .flat_map(|version| (0..USERS.len()).map(move |user| (version, user)))
            .flat_map(|(version, user)| {
                (0..CLIENTS.len()).map(move |client| device(seed, version, user, client))
            })
            .collect();
        let policies = [ApiVersion::V1, ApiVersion::Beta]
            .into_iter()
            .flat_map(|version| [false, true].map(|masked| RecordForm { version, masked }))
            .flat_map(|form| (0..POLICIES.len()).map(move |number| (form, number)))
            .flat_map(|(form, number)| {
                (0..RESULTS.len()).map(move |result| policy(seed, form, number, result))
            })
            .collect();
        Self {
            seed,
            tenant: scenario.tenant.id.clone(),
            user_ids: (0..USERS.len()).map(|user| user_id(seed, user)).collect(),
            shows_risk: scenario.tenant.licence == Licence::P2,
            shows_policies: scenario.tenant.may_read_policies(),
            is_calm: scenario.calm,
            devices,
            policies,
        }
    }

    pub(crate) fn device(&self, version: ApiVersion, user: usize, client: usize) -> &str {
        let version = usize::from(version == ApiVersion::Beta);
        &self.devices[(version * USERS.len() + user) * CLIENTS.len() + client]
    }

    pub(crate) fn policy(&self, form: RecordForm, number: usize, result: usize) -> &str {
        let form = 2 * usize::from(form.version == ApiVersion::Beta) + usize::from(form.masked);
        &self.policies[(form * POLICIES.len() + number % POLICIES.len()) * RESULTS.len() + result]
    }

    pub(crate) fn principal(&self, application: &str) -> String {
        principal_id(self.seed, application)
    }
}

fn device(seed: u64, version: ApiVersion, user: usize, number: usize) -> String {
    let client = &CLIENTS[number];
    let id = guid::of(&[seed, 0xDE71_CE00, user as u64, number as u64]);
    let (id, name) = match number {
        2 => (String::new(), "PII Removed".to_owned()),
        _ if client.trust.is_empty() => (String::new(), String::new()),
        _ => (
            id.clone(),
            format!("{}-{}", if number == 1 { "MAC" } else { "LAPTOP" }, &id[..7].to_uppercase()),
        ),
    };
    let browser = match version {
        ApiVersion::V1 => String::new(),
        ApiVersion::Beta => {
            format!(
                r#""browserId":"{}","#,
                guid::of(&[seed, 0x000B_5053, user as u64, number as u64])
            )
        }
    };
    let managed = client.managed;
    let trust = client.trust;
    format!(
        r#"{{"deviceId":"{id}","displayName":"{name}","operatingSystem":"{}","browser":"{}",{browser}"isCompliant":{managed},"isManaged":{managed},"trustType":"{trust}"}}"#,
        client.system, client.browser
    )
}

fn policy(seed: u64, form: RecordForm, number: usize, result: usize) -> String {
    let id = guid::of(&[seed, 0x9011_C700, number as u64]);
    let name = POLICIES[number];
    let hidden = form.masked && result >= FIRST_FUTURE_RESULT;
    let shown = if hidden { "unknownFutureValue" } else { RESULTS[result] };
    let grant =
        [r#""Mfa""#, r#""Block""#, r#""RequireCompliantDevice","RequireDomainJoinedDevice""#]
            [number % 3];
    let session =
        if number % 4 == 3 { r#""SignInFrequency","PersistentBrowserSessionMode""# } else { "" };
    let head = format!(
        r#"{{"id":"{id}","displayName":"{name}","enforcedGrantControls":[{grant}],"enforcedSessionControls":[{session}],"#
    );
    match form.version {
        ApiVersion::V1 => format!(r#"{head}"result":"{shown}"}}"#),
        ApiVersion::Beta => format!("{head}{}", beta_policy_members(form, number, shown)),
    }
}

fn beta_policy_members(form: RecordForm, number: usize, result: &str) -> String {
    let included = rules(&[
        ("application", if number.is_multiple_of(2) { "allApps" } else { "appId" }),
        ("users", if number.is_multiple_of(3) { "allUsers" } else { "groupId" }),
        ("clientType", "allDevices"),
        ("location", future(form, "nationStateIPAddress")),
    ]);
    let excluded = if number % 3 == 1 {
        rules(&[("users", "groupId"), ("devicePlatform", "unknownFutureValue")])
    } else {
        String::new()
    };
    let satisfied = [
        "application,users",
        "application,users,clientType",
        "application,users,devicePlatform,location",
    ][number % 3];
    let missed = [
        format!("location,{}", future(form, "insiderRisk")),
        "none".to_owned(),
        "devicePlatform".to_owned(),
    ];
    let strength = if number == 5 {
        r#"{"displayName":"Phishing-resistant MFA","authenticationStrengthId":"00000000-0000-0000-0000-000000000004","authenticationStrengthResult":"skippedForProofUp"}"#
    } else {
        r#"{"displayName":"","authenticationStrengthId":"","authenticationStrengthResult":"notSet"}"#
    };
    format!(
        r#""sessionControlsNotSatisfied":[],"result":"{result}","conditionsSatisfied":"{satisfied}","conditionsNotSatisfied":"{}","includeRulesSatisfied":[{included}],"excludeRulesSatisfied":[{excluded}],"authenticationStrength":{strength}}}"#,
        missed[number % 3]
    )
}

/// A member after the sentinel of its enum, which a caller has to ask for.
fn future(form: RecordForm, member: &str) -> &str {
    if form.masked { "unknownFutureValue" } else { member }
}

fn rules(rules: &[(&str, &str)]) -> String {
    let mut objects = Vec::new();
    for (condition, rule) in rules {
        objects.push(format!(
            r#"{{"conditionalAccessCondition":"{condition}","ruleSatisfied":"{rule}"}}"#
        ));
    }
    objects.join(",")
}

//! Five of the incidents that are planted at the made-up company, found in the raw records of the
//! archive.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read as _;

use chrono::{DateTime, Utc};
use flate2::read::GzDecoder;
use serde_json::Value;

const SPRAY_ADDRESS: &str = "203.0.113.66";
const FAR_AWAY_ADDRESS: &str = "203.0.113.151";
const PROMPT_ADDRESS: &str = "203.0.113.90";
const INTRUDER_ADDRESS: &str = "203.0.113.77";
const WRONG_PASSWORD: u64 = 50126;

/// One line for each incident that is in the archive.
pub(crate) fn of(objects: &BTreeMap<String, Vec<u8>>) -> String {
    let records = records(objects);
    let found = [
        password_spray(&records),
        impossible_travel(&records),
        mfa_fatigue(&records),
        role_grant(&records),
        risky_consent(&records),
    ];
    let lines: Vec<_> = found.into_iter().flatten().map(|line| format!("  {line}")).collect();
    if lines.is_empty() {
        "  nothing: the incidents are not in the archive".to_owned()
    } else {
        lines.join("\n")
    }
}

/// Every record of the archive, oldest first.
fn records(objects: &BTreeMap<String, Vec<u8>>) -> Vec<Value> {
    let mut records = Vec::new();
    for (_, body) in objects.iter().filter(|(key, _)| key.starts_with("raw/")) {
        let mut text = String::new();
        // A damaged object has been reported by the function that came upon it.
        if GzDecoder::new(&body[..]).read_to_string(&mut text).is_ok() {
            records
                .extend(text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok()));
        }
    }
    records.sort_by_key(time);
    records
}

fn password_spray(records: &[Value]) -> Option<String> {
    let tries: Vec<_> =
        records.iter().filter(|record| record["ipAddress"] == SPRAY_ADDRESS).collect();
    let failed = tries.iter().filter(|record| record["status"]["errorCode"] == WRONG_PASSWORD);
    let users: BTreeSet<_> = failed.map(|record| user(record)).collect();
    let success = tries.iter().find(|record| record["status"]["errorCode"] == 0)?;
    let minutes = (time(tries.last()?) - time(tries.first()?)).num_minutes() + 1;
    let count = users.len();
    let victim = user(success);
    let when = when(success);
    Some(format!(
        "password spray     {when}  {SPRAY_ADDRESS} tries {count} users in {minutes} minutes and \
         gets in as {victim}"
    ))
}

fn impossible_travel(records: &[Value]) -> Option<String> {
    let far = records.iter().find(|record| record["ipAddress"] == FAR_AWAY_ADDRESS)?;
    let near = records
        .iter()
        .filter(|record| time(record) < time(far))
        .rfind(|record| user(record) == user(far) && record["ipAddress"] != FAR_AWAY_ADDRESS)?;
    let minutes = (time(far) - time(near)).num_minutes();
    let victim = user(far);
    let when = when(far);
    Some(format!(
        "impossible travel  {when}  {victim} signs in from {}, {minutes} minutes after {}",
        city(far),
        city(near)
    ))
}

fn mfa_fatigue(records: &[Value]) -> Option<String> {
    let prompts: Vec<_> =
        records.iter().filter(|record| record["ipAddress"] == PROMPT_ADDRESS).collect();
    let accepted = prompts.iter().find(|record| record["status"]["errorCode"] == 0)?;
    let refused = prompts.iter().filter(|record| record["status"]["errorCode"] != 0).count();
    let victim = user(accepted);
    let city = city(accepted);
    let when = when(accepted);
    Some(format!(
        "MFA fatigue        {when}  {victim} refuses {refused} prompts from {city} and accepts the \
         next"
    ))
}

fn role_grant(records: &[Value]) -> Option<String> {
    let grant = audit(records, "Add member to role")?;
    let target = grant["targetResources"][0]["userPrincipalName"].as_str().unwrap_or("somebody");
    let actor = actor(grant);
    let when = when(grant);
    Some(format!("role grant         {when}  {actor} makes {target} a Global Administrator"))
}

fn risky_consent(records: &[Value]) -> Option<String> {
    let consent = audit(records, "Consent to application")?;
    let application =
        consent["targetResources"][0]["displayName"].as_str().unwrap_or("an application");
    let actor = actor(consent);
    let when = when(consent);
    Some(format!(
        "risky consent      {when}  {actor} lets \"{application}\" read, change and send mail"
    ))
}

fn audit<'records>(records: &'records [Value], activity: &str) -> Option<&'records Value> {
    records
        .iter()
        .filter(|record| record["activityDisplayName"] == activity)
        .find(|record| record["initiatedBy"]["user"]["ipAddress"] == INTRUDER_ADDRESS)
}

fn actor(record: &Value) -> &str {
    record["initiatedBy"]["user"]["userPrincipalName"].as_str().unwrap_or("somebody")
}

fn user(record: &Value) -> &str {
    record["userPrincipalName"].as_str().unwrap_or("somebody")
}

fn city(record: &Value) -> &str {
    record["location"]["city"].as_str().unwrap_or("somewhere")
}

fn time(record: &Value) -> DateTime<Utc> {
    let text = record["createdDateTime"].as_str().or(record["activityDateTime"].as_str());
    text.and_then(|text| text.parse().ok()).unwrap_or_default()
}

fn when(record: &Value) -> String {
    time(record).format("%b %d %H:%M").to_string()
}

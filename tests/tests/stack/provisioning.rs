//! The function of the provisioning logs, which an operator has to ask for.

use serde_json::json;

use crate::days::day;
use crate::events::event;
use crate::installation::{AUDIT_LOGS, HISTORY_DAYS, Installation, OFFICE, PROVISIONING_LOGS};

const PROVISIONED: &str = r#"
[[volume]]
stream = "provisioning"
from_day = -4
per_day = 70
"#;

#[tokio::test]
async fn provisioning_logs_are_archived_beside_the_others_and_touch_nothing_of_theirs() {
    let installation = Installation::of(&format!("{OFFICE}{PROVISIONED}")).await;
    let audits = installation.deploy(AUDIT_LOGS).await;
    installation.run(&audits, &event("scheduled")).await;
    let before = installation.objects().await;

    let function = installation.deploy(PROVISIONING_LOGS).await;
    let report = installation.run(&function, &event("scheduled")).await;
    assert_eq!((&report["log"], &report["remainingWindows"]), (&json!("provisioning"), &json!(0)));
    let visible = installation.visible(|stream| stream == "provisioning").len();
    assert_eq!((&report["new"], &report["unexpectedFields"]), (&json!(visible), &json!(0)));
    installation.audit().await.assert_sound();

    let after = installation.objects().await;
    for (key, body) in &before {
        assert_eq!(after.get(key), Some(body), "{key}");
    }
    let made: Vec<_> = after.keys().filter(|key| !before.contains_key(*key)).collect();
    let mut expected = Vec::new();
    for days_ago in (1..=HISTORY_DAYS).rev() {
        let day = day(days_ago);
        expected.push(format!("ledger/provisioning/day={day}.ndjson"));
        expected.push(format!("raw/provisioning/day={day}/0000-2400.r1.ndjson.gz"));
        expected.push(format!("tables/provisioning/day={day}/0000-2400.r1.parquet"));
    }
    expected.sort();
    assert_eq!(made, expected.iter().collect::<Vec<_>>());

    let again = installation.run(&function, &event("scheduled")).await;
    assert_eq!((&again["windows"], &again["requests"]), (&json!([]), &json!(0)));
    let checks = installation.run(&function, &event("check")).await;
    assert_eq!(checks["ok"], true, "{checks}");
}

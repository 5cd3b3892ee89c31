//! An archive that somebody else wrote to.

use entratrail_tests::audit::Audit;
use serde_json::json;

use crate::days::day;
use crate::events::event;
use crate::installation::{AUDIT_LOGS, HISTORY_DAYS, Installation, OFFICE, SIGN_IN_LOGS};

#[tokio::test]
async fn a_foreign_object_is_named_in_the_report_and_left_alone() {
    let installation = Installation::of(OFFICE).await;
    let yesterday = day(1);
    let foreign = [
        format!("ledger/sign-ins/event_type=interactiveUser/day={yesterday}.ndjson.bak"),
        format!("raw/sign-ins/event_type=managedIdentity/day={yesterday}/notes.txt"),
        "raw/sign-ins/readme.md".to_owned(),
    ];
    for key in &foreign {
        installation.put_object(key, b"written by somebody else").await;
    }
    installation.put_object("elsewhere/report.pdf", b"not in a folder of ours").await;
    let function = installation.deploy(SIGN_IN_LOGS).await;
    let report = installation.run(&function, &event("scheduled")).await;
    let mut named: Vec<_> =
        report["foreign"].as_array().unwrap().iter().map(|key| key.as_str().unwrap()).collect();
    named.sort_unstable();
    assert_eq!(named, foreign);

    let mut objects = installation.objects().await;
    for key in &foreign {
        assert_eq!(objects.remove(key).as_deref(), Some(&b"written by somebody else"[..]), "{key}");
    }
    Audit::of(&objects).against(&installation.tenant.served()).assert_sound();
}

#[tokio::test]
async fn a_damaged_ledger_fails_its_day_alone_until_it_is_repaired() {
    let installation = Installation::of(OFFICE).await;
    let function = installation.deploy(AUDIT_LOGS).await;
    let damaged = format!("ledger/directory-audits/day={}.ndjson", day(2));
    let torn = br#"{"window_start":"2026-11-21T00:00:00Z","window_"#;
    installation.put_object(&damaged, torn).await;

    let error = installation.fail(&function, &event("scheduled")).await;
    assert_eq!(error.error_type, "Archive", "{}", error.error_message);
    assert!(error.error_message.contains(&damaged), "{}", error.error_message);
    assert!(error.error_message.contains("restore"), "{}", error.error_message);
    let mut objects = installation.objects().await;
    assert_eq!(objects.remove(&damaged).as_deref(), Some(&torn[..]));
    assert!(!objects.keys().any(|key| key.contains(&day(2).to_string())), "{:?}", objects.keys());
    for days_ago in [1, 3] {
        let key = format!("raw/directory-audits/day={}/0000-2400.r1.ndjson.gz", day(days_ago));
        assert!(objects.contains_key(&key), "{key}");
    }

    let s3 = aws_sdk_s3::Client::new(installation.stack.config());
    s3.delete_object().bucket(&installation.bucket).key(&damaged).send().await.unwrap();
    let report = installation.run(&function, &event("scheduled")).await;
    assert_eq!(report["windows"].as_array().unwrap().len(), 1);
    assert_eq!(report["windows"][0]["state"], json!("before"));
    let audit = installation.audit().await;
    audit.assert_sound();
    assert_eq!(
        audit.complete_rows("directory-audits").count(),
        usize::try_from(HISTORY_DAYS).unwrap()
    );
}

#[tokio::test]
async fn a_raw_object_that_was_exchanged_is_reported_and_left_as_it_is() {
    let installation = Installation::of(OFFICE).await;
    let function = installation.deploy(AUDIT_LOGS).await;
    installation.run(&function, &event("scheduled")).await;
    let key =
        |days_ago| format!("raw/directory-audits/day={}/0000-2400.r1.ndjson.gz", day(days_ago));
    let other_day = installation.objects().await.remove(&key(1)).unwrap();
    installation.put_object(&key(2), &other_day).await;

    let error = installation.fail(&function, &event("span")).await;
    assert_eq!(error.error_type, "Archive", "{}", error.error_message);
    assert!(error.error_message.contains(&key(2)), "{}", error.error_message);
    assert!(installation.objects().await[&key(2)] == other_day);
}

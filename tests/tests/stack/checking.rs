//! `check.json`: what an operator is told before anything is read.

use serde_json::Value;

use crate::events::event;
use crate::installation::{AUDIT_LOGS, Installation, OFFICE, SIGN_IN_LOGS};

const EVENT_TYPES: [&str; 4] =
    ["interactiveUser", "nonInteractiveUser", "servicePrincipal", "managedIdentity"];

/// One answer that a check is expected to give: what was tried, the stable word where it does not
/// work, and a part of what is said.
type Expected = (&'static str, Option<&'static str>, &'static str);

/// Runs a check of `installation` and compares its answers; nothing may be stored by it.
async fn check(installation: &Installation, name: &str, bucket: &str, expected: &[Expected]) {
    let function = installation.deploy_with(name, &[("ARCHIVE_BUCKET", bucket)]).await;
    let checks = installation.run(&function, &event("check")).await;
    let answers = checks["checks"].as_array().unwrap();
    let tried: Vec<_> = answers.iter().map(|answer| answer["name"].as_str().unwrap()).collect();
    assert_eq!(tried, expected.iter().map(|(name, ..)| *name).collect::<Vec<_>>());
    for (answer, (tried, word, part)) in answers.iter().zip(expected) {
        assert_eq!(
            (answer["ok"].as_bool(), answer["error_type"].as_str()),
            (Some(word.is_none()), *word),
            "{answer}"
        );
        let said = answer["answer"].as_str().unwrap();
        assert!(said.contains(part), "{tried}: {said}");
    }
    assert_eq!(checks["ok"], Value::Bool(expected.iter().all(|(_, word, _)| word.is_none())));
    let stored = installation.objects().await.into_keys();
    assert!(stored.into_iter().all(|key| key.starts_with("checks/")));
    assert_eq!(installation.unfinished_uploads().await, 0);
}

/// The answers where the token is granted and each sign-in stream says the same.
fn per_event_type(word: Option<&'static str>, part: &'static str) -> Vec<Expected> {
    let streams = EVENT_TYPES.map(|event_type| (event_type, word, part));
    [("credential", None, "granted")]
        .into_iter()
        .chain(streams)
        .chain([("bucket", None, "written")])
        .collect()
}

/// The answers where no token is granted.
fn refused(part: &'static str) -> [Expected; 2] {
    [("credential", Some("Credentials"), part), ("bucket", None, "written")]
}

#[tokio::test]
async fn a_check_of_a_working_installation_says_that_everything_works() {
    let installation = Installation::of(OFFICE).await;
    let works = per_event_type(None, "works");
    check(&installation, SIGN_IN_LOGS, &installation.bucket, &works).await;
    let works = [
        ("credential", None, "works"),
        ("directory-audits", None, "works"),
        ("bucket", None, "works"),
    ];
    check(&installation, AUDIT_LOGS, &installation.bucket, &works).await;
}

#[tokio::test]
async fn a_check_says_what_is_wrong_with_the_credential() {
    let installation = Installation::of(OFFICE).await;
    installation.store_parameter("client-secret", "not~the.secret").await;
    check(&installation, AUDIT_LOGS, &installation.bucket, &refused("AADSTS7000215")).await;

    for (tenant, part) in
        [("secret_state = 'expired'", "expired"), ("tenant_state = 'missing'", "no tenant")]
    {
        let installation = Installation::of(&format!("{OFFICE}\n[tenant]\n{tenant}")).await;
        check(&installation, AUDIT_LOGS, &installation.bucket, &refused(part)).await;
    }
}

#[tokio::test]
async fn a_check_says_which_permission_or_licence_is_missing() {
    let installation =
        Installation::of(&format!("{OFFICE}\n[tenant]\npermissions = ['Directory.Read.All']"))
            .await;
    let denied = per_event_type(Some("Permission"), "AuditLog.Read.All");
    check(&installation, SIGN_IN_LOGS, &installation.bucket, &denied).await;

    let installation = Installation::of(&format!("{OFFICE}\n[tenant]\nlicence = 'Free'")).await;
    let unlicensed = per_event_type(Some("Licence"), "P1 or P2");
    check(&installation, SIGN_IN_LOGS, &installation.bucket, &unlicensed).await;
    let works = [
        ("credential", None, "works"),
        ("directory-audits", None, "works"),
        ("bucket", None, "works"),
    ];
    check(&installation, AUDIT_LOGS, &installation.bucket, &works).await;
}

#[tokio::test]
async fn a_check_says_that_the_bucket_does_not_exist() {
    let installation = Installation::of(OFFICE).await;
    let mut answers = per_event_type(None, "works");
    *answers.last_mut().unwrap() = ("bucket", Some("Archive"), "check ARCHIVE_BUCKET");
    check(&installation, SIGN_IN_LOGS, "no-such-bucket-anywhere", &answers).await;
}

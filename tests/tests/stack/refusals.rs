//! Entra or Graph refuses: the stable word of the error, and an archive in which nothing is
//! half-written.

use graph_simulator::{Faults, Served};
use serde_json::Value;

use crate::events::event;
use crate::installation::{AUDIT_LOGS, Installation, OFFICE, SIGN_IN_LOGS};

/// Expects a scheduled run of both functions to fail with `word`, to say `part`, and to leave no
/// object.
async fn check(installation: &Installation, word: &str, part: &str) {
    for name in [SIGN_IN_LOGS, AUDIT_LOGS] {
        let function = installation.deploy(name).await;
        let error = installation.fail(&function, &event("scheduled")).await;
        assert_eq!(error.error_type, word, "{}", error.error_message);
        assert!(error.error_message.contains(part), "{}", error.error_message);
    }
    assert_nothing_is_half_written(installation).await;
}

async fn assert_nothing_is_half_written(installation: &Installation) {
    installation.audit().await.assert_sound();
    assert_eq!(installation.audit().await.record_count(), installation.tenant.served().len());
    assert_eq!(installation.unfinished_uploads().await, 0);
}

#[tokio::test]
async fn a_wrong_secret_is_the_duty_of_whoever_keeps_credentials() {
    let installation = Installation::of(OFFICE).await;
    installation.store_parameter("client-secret", "not~the.secret").await;
    check(&installation, "Credentials", "AADSTS7000215").await;
}

#[tokio::test]
async fn an_expired_secret_and_an_unknown_tenant_are_told_apart() {
    for (tenant, part) in
        [("secret_state = 'expired'", "has expired"), ("tenant_state = 'missing'", "no tenant")]
    {
        let installation = Installation::of(&format!("{OFFICE}\n[tenant]\n{tenant}")).await;
        check(&installation, "Credentials", part).await;
    }
}

#[tokio::test]
async fn a_missing_permission_is_named_and_the_next_run_after_consent_reads_everything() {
    let scenario = format!("{OFFICE}\n[[faults.script]]\nkind = 'permission_403'\ntimes = 100");
    let installation = Installation::of(&scenario).await;
    check(&installation, "Permission", "AuditLog.Read.All").await;

    installation.tenant.set_faults(Faults::default());
    for name in [SIGN_IN_LOGS, AUDIT_LOGS] {
        let function = installation.deploy(name).await;
        installation.run(&function, &event("scheduled")).await;
    }
    let audit = installation.audit().await;
    audit.assert_sound();
    assert_eq!(audit.record_count(), installation.visible(|_| true).len());
}

#[tokio::test]
async fn without_a_premium_licence_audits_are_archived_and_sign_ins_fail() {
    let installation = Installation::of(&format!("{OFFICE}\n[tenant]\nlicence = 'Free'")).await;
    let sign_in_logs = installation.deploy(SIGN_IN_LOGS).await;
    let error = installation.fail(&sign_in_logs, &event("scheduled")).await;
    assert_eq!(error.error_type, "Licence", "{}", error.error_message);

    let audit_logs = installation.deploy(AUDIT_LOGS).await;
    let report = installation.run(&audit_logs, &event("scheduled")).await;
    let is_audit = |record: &Served| record.stream == "directoryAudits";
    assert_eq!(
        report["new"],
        installation.tenant.served().iter().filter(|record| is_audit(record)).count()
    );
    assert_nothing_is_half_written(&installation).await;
}

#[tokio::test]
async fn a_missing_bucket_is_named_before_graph_is_asked() {
    let installation = Installation::of(OFFICE).await;
    let bucket = ("ARCHIVE_BUCKET", "no-such-bucket-anywhere");
    let function = installation.deploy_with(AUDIT_LOGS, &[bucket]).await;
    let error = installation.fail(&function, &event("scheduled")).await;
    assert_eq!(error.error_type, "Archive", "{}", error.error_message);
    assert!(error.error_message.contains("check ARCHIVE_BUCKET"), "{}", error.error_message);
    assert_eq!(installation.page_requests(), 0);
}

#[tokio::test]
async fn a_scheduled_run_that_fails_is_repeated_by_lambda_and_repairs_itself() {
    let installation =
        Installation::of(&format!("{OFFICE}\n[[faults.script]]\nkind = 'permission_403'")).await;
    let function = installation.deploy(SIGN_IN_LOGS).await;
    function.invoke_async(&event("scheduled")).await;
    let log = function.log_after(2).await;
    installation.assert_keeps_secrets(&log);
    let metrics = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let succeeded: Vec<_> = metrics.filter_map(|line| line["Succeeded"].as_u64()).collect();
    assert_eq!(succeeded, [0, 1], "{log}");

    let audit = installation.audit().await;
    audit.assert_sound();
    let is_sign_in = |stream: &str| stream != "directoryAudits";
    assert_eq!(audit.record_count(), installation.visible(is_sign_in).len());
}

#[tokio::test]
async fn the_log_shows_what_to_do_as_a_field_of_its_own() {
    let scenario = format!("{OFFICE}\n[[faults.script]]\nkind = 'permission_403'\ntimes = 100");
    let installation = Installation::of(&scenario).await;
    let json = ("AWS_LAMBDA_LOG_FORMAT", "JSON");
    let function = installation.deploy_with(AUDIT_LOGS, &[json]).await;
    installation.fail(&function, &event("scheduled")).await;
    let log = function.log_after(1).await;
    let lines = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let failures: Vec<_> = lines.filter(|line| line["level"] == "ERROR").collect();
    let [failure, ..] = failures.as_slice() else { panic!("no line of an error in {log}") };
    let [message, remedy] = ["message", "remedy"].map(|name| failure["fields"][name].as_str());
    let [message, remedy] = [message, remedy].map(|text| text.unwrap_or_else(|| panic!("{log}")));
    assert!(message.contains(remedy) && remedy.starts_with("grant the app registration"), "{log}");
}

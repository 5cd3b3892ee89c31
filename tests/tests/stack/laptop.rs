//! The command on the archive of the functions, and the functions on the command's: it is one
//! archive.

use std::process::Output;

use entratrail_tests::stack::{bare_command, binary};
use serde_json::Value;

use crate::events::event;
use crate::installation::{AUDIT_LOGS, Installation, OFFICE, SIGN_IN_LOGS};

/// `entratrail` with the credential of the tenant and of the AWS account, on the archive of
/// `installation`.
fn entratrail(installation: &Installation, command: &str, arguments: &[&str]) -> Output {
    let tenant = &installation.tenant.scenario().tenant;
    let mut entratrail = bare_command(binary("entratrail"));
    entratrail
        .args([command, "--archive", &format!("s3://{}", installation.bucket), "--json"])
        .args(arguments);
    entratrail.envs(installation.settings()).env("AWS_ENDPOINT_URL", installation.stack.endpoint());
    entratrail
        .env("AWS_ACCESS_KEY_ID", installation.stack.account())
        .env("AWS_SECRET_ACCESS_KEY", "test")
        .env("AWS_REGION", "eu-central-1")
        .env("ENTRATRAIL_TENANT_ID", &tenant.id)
        .env("ENTRATRAIL_CLIENT_ID", &tenant.client_id)
        .env("ENTRATRAIL_CLIENT_SECRET", &tenant.client_secret);
    entratrail.output().expect("the command can be started")
}

fn json(output: &Output) -> Value {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("it prints JSON")
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_functions_archived_is_verified_and_not_read_again_by_the_command() {
    let installation = Installation::of(OFFICE).await;
    for name in [SIGN_IN_LOGS, AUDIT_LOGS] {
        let function = installation.deploy(name).await;
        installation.run(&function, &event("scheduled")).await;
    }
    let verified = json(&entratrail(&installation, "verify", &[]));
    assert_eq!(verified["streams"].as_array().unwrap().len(), 5);
    let before = installation.page_requests();
    let report = json(&entratrail(&installation, "collect", &["--days", "3"]));
    assert_eq!(report["runs"][0]["report"]["windows"].as_array().unwrap().len(), 0);
    assert_eq!(installation.page_requests(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_command_archived_in_a_bucket_is_an_archive_of_the_functions() {
    let installation = Installation::of(OFFICE).await;
    json(&entratrail(&installation, "collect", &["--days", "3"]));
    installation.audit().await.assert_sound();
    let function = installation.deploy(SIGN_IN_LOGS).await;
    let report = installation.run(&function, &event("scheduled")).await;
    assert_eq!(report["windows"].as_array().unwrap().len(), 0);
    json(&entratrail(&installation, "verify", &[]));
}

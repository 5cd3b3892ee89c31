//! A stack that archives the provisioning logs as well: switched on, and off again.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::operator::{OFFICE, Operator};

const PROVISIONED: &str = r#"
[[volume]]
stream = "provisioning"
from_day = -4
per_day = 50
"#;

/// Raw objects, ledgers, tables and proofs, without the trace of checks.
async fn archived(operator: &Operator) -> BTreeMap<String, Vec<u8>> {
    let bucket = operator.output("entratrail", "ArchiveBucket").await;
    let mut objects = operator.stack.objects(&bucket).await;
    objects.retain(|key, _| !key.starts_with("checks/") && !key.starts_with("findings/"));
    objects
}

async fn functions(operator: &Operator) -> Value {
    let words = ["lambda", "list-functions", "--query", "sort(Functions[].FunctionName)"];
    operator.aws(&words).await
}

#[tokio::test]
async fn provisioning_logs_are_switched_on_and_off_and_nothing_of_the_others_changes() {
    let operator = Operator::with_tenant(&format!("{OFFICE}{PROVISIONED}")).await;
    let mut options = operator.first_options();
    options.extend(["--set", "Evidence=parameter"].map(str::to_owned));
    let first = operator.deploy(&options).await.done();
    assert!(!first.contains("provisioning") && first.contains("both logs are read"), "{first}");
    let before = archived(&operator).await;
    assert!(!before.keys().any(|key| key.contains("provisioning")));
    let usual = json!(["entratrail-audit-logs", "entratrail-findings", "entratrail-sign-in-logs"]);
    assert_eq!(functions(&operator).await, usual);

    let package = operator.package().display().to_string();
    let switch = |to: &str| {
        ["--yes", "--package", &package, "--set", &format!("Provisioning={to}")].map(str::to_owned)
    };
    let on = operator.deploy(&switch("daily")).await.done();
    let listed = &on[on.find("What changes:").expect("changes are listed")..];
    assert!(listed.contains("new: 1 function"), "{on}");
    assert!(!listed.contains("(SignInLogs") && !listed.contains("(AuditLogs"), "{on}");
    assert!(on.contains("/provisioning+") && on.contains("all three logs"), "{on}");
    let run = operator.deploy(&["--run"]).await.done();
    assert!(run.contains("provisioning-logs: reading"), "{run}");
    let status = operator.deploy(&["--status"]).await.done();
    assert!(status.contains("/provisioning, published"), "{status}");
    let with = archived(&operator).await;
    for folder in ["raw", "ledger", "tables", "proof"] {
        assert!(with.keys().any(|key| key.starts_with(&format!("{folder}/provisioning/"))));
    }
    let others: BTreeMap<_, _> =
        with.iter().filter(|(key, _)| !key.contains("/provisioning/")).collect();
    assert_eq!(others, before.iter().collect());

    let off = operator.deploy(&switch("off")).await.done();
    assert!(off.contains("both logs are read"), "{off}");
    assert_eq!(functions(&operator).await, usual);
    assert_eq!(archived(&operator).await, with);
}

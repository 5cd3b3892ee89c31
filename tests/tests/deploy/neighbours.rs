//! Two stacks in one account and region.

use serde_json::json;

use crate::operator::Operator;

#[tokio::test]
async fn two_stacks_stand_side_by_side_and_one_goes_without_the_other() {
    let operator = Operator::new().await;
    for stack in ["entratrail", "Second-tenant"] {
        let mut options = operator.first_options();
        options.extend(["--stack", stack].map(str::to_owned));
        let deployed = operator.deploy(&options).await.done();
        assert!(deployed.contains("180 records were new"), "{stack}: {deployed}");
        assert!(deployed.contains("120 records were new"), "{stack}: {deployed}");
    }
    for name in ["ArchiveBucket", "KeyArn", "FailureTopicArn", "QueryDatabase", "QueryWorkgroup"] {
        let first = operator.output("entratrail", name).await;
        let second = operator.output("Second-tenant", name).await;
        assert_ne!(first, second, "both have this {name}");
    }
    assert_eq!(operator.output("Second-tenant", "QueryDatabase").await, "second_tenant");

    let key = operator.output("entratrail", "KeyArn").await;
    operator.deploy(&["--uninstall", "--yes"]).await.done();
    let functions = ["lambda", "list-functions", "--query", "sort(Functions[].FunctionName)"];
    let functions = operator.aws(&functions).await;
    assert_eq!(
        functions,
        json!(
            ["audit-logs", "findings", "sign-in-logs"].map(|name| format!("Second-tenant-{name}"))
        )
    );
    let checked = operator.deploy(&["--check", "--stack", "Second-tenant"]).await.done();
    for line in ["ok      bucket: works", "has confirmed that it wants mails"] {
        assert!(checked.contains(line), "{checked}");
    }
    let state = ["kms", "describe-key", "--key-id", &key, "--query", "KeyMetadata.KeyState"];
    assert_eq!(operator.aws(&state).await, "Enabled");
    let run = operator.deploy(&["--run", "--stack", "Second-tenant"]).await.done();
    assert!(run.contains("nothing is left to read"), "{run}");
}

//! `--self-test` in an account that plays its part, and in one where everything it tries is broken.

use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};

use crate::operator::{Operator, checkout};

#[tokio::test]
async fn a_self_test_tries_the_account_and_says_plainly_what_passed() {
    let operator = Operator::new().await;
    operator.deploy(&operator.first_options()).await.done();
    let passed = operator.deploy(&["--self-test"]).await.done();
    for line in [
        "  ok      functions: all 3 work",
        "  ok      object of two parts: was written and reads back the same",
        "  ok      failure mail: SNS has delivered a mail to ops@example.com; it names",
        "  ok      saved questions: 74 questions answered",
        "  ok      views: 14 views read",
        "5 of 5 passed",
    ] {
        assert!(passed.contains(line), "{line} is not in {passed}");
    }
    let mail = operator.mails(1).await.remove(0);
    assert!(mail.contains("could not read all directory audit logs"), "{mail}");
    assert!(mail.contains("Event"), "{mail}");
    let bucket = operator.output("entratrail", "ArchiveBucket").await;
    let object = ["--bucket", &bucket, "--key", "checks/self-test"];
    let shown = ["--query", "[ContentLength, Metadata]"];
    let object = operator.aws(&[&["s3api", "head-object"][..], &object, &shown].concat()).await;
    assert_eq!(object, json!([5 * 1024 * 1024 + 1024, {"written-by": "entratrail-self-test"}]));

    the_example_of_the_document_waits_for_its_answer(&operator).await;
    break_everything(&operator, &bucket).await;
    let failed = operator.deploy(&["--self-test"]).await;
    assert_eq!(failed.status, 1, "{}", failed.output);
    for line in [
        "  FAILED  functions: the lines marked FAILED say what",
        "  FAILED  object of two parts: what was read back is not what was written",
        "  FAILED  failure mail: EventBridge or SNS could not deliver the mail",
        "  FAILED  saved questions: 1 question of 74 failed; What is missing in the archive?: \
         TABLE_",
        "  FAILED  views: 1 view of 14 failed; coverage: TABLE_NOT_FOUND",
        "0 of 5 passed",
    ] {
        assert!(failed.output.contains(line), "{line} is not in {}", failed.output);
    }
    the_undelivered_mail_is_an_alarm(&operator).await;
}

/// Athena answers some time after it was asked.
async fn the_example_of_the_document_waits_for_its_answer(operator: &Operator) {
    let document = std::fs::read_to_string(checkout().join("docs/ask.md")).unwrap();
    let section = document.split("## With the AWS command line\n").nth(1).unwrap();
    let section = section.split("\n## ").next().unwrap();
    let example: Vec<_> = section.lines().filter_map(|line| line.strip_prefix("    ")).collect();
    let mut bash = operator.command(Path::new("/bin/bash"));
    let ended = bash.args(["-euc", &example.join("\n")]).output().await.unwrap();
    let said = String::from_utf8_lossy(&ended.stdout) + String::from_utf8_lossy(&ended.stderr);
    assert!(ended.status.success(), "{said}");
    let rows = said.matches("interactiveUser").count();
    assert!(rows == 3 && said.contains("directory-audits") && said.contains("before"), "{said}");
}

/// A function that reaches nothing, an object that is another, a topic that takes no mails of
/// rules, a view that the engine does not know for one.
async fn break_everything(operator: &Operator, bucket: &str) {
    let forged = operator.write("forged", "forged");
    let forged = ["--bucket", bucket, "--key", "checks/self-test", "--body", &forged];
    operator.aws(&[&["s3api", "put-object"][..], &forged].concat()).await;

    let topic = operator.output("entratrail", "FailureTopicArn").await;
    let only_alarms = json!({"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Action": "sns:Publish", "Resource": topic,
        "Principal": {"Service": "cloudwatch.amazonaws.com"}}]});
    let only_alarms = only_alarms.to_string();
    let policy = ["--attribute-name", "Policy", "--attribute-value", &only_alarms];
    let topic = ["sns", "set-topic-attributes", "--topic-arn", &topic];
    operator.aws(&[&topic[..], &policy].concat()).await;

    let database = operator.output("entratrail", "QueryDatabase").await;
    let view = ["glue", "get-table", "--database-name", &database, "--name", "coverage"];
    let mut view = operator.aws(&[&view[..], &["--query", "Table"]].concat()).await;
    let known = ["Name", "Owner", "StorageDescriptor", "PartitionKeys", "TableType", "Parameters"];
    let texts = ["ViewOriginalText", "ViewExpandedText"];
    let members = view.as_object_mut().unwrap();
    members.retain(|member, _| known.contains(&&**member) || texts.contains(&&**member));
    members.insert("Description".to_owned(), Value::from("The state of each window"));
    let view = view.to_string();
    let update = ["glue", "update-table", "--database-name", &database, "--table-input", &view];
    operator.aws(&update).await;

    let secret = operator.write("wrong", "simulated~but.wrong");
    let parameter =
        ["--type", "SecureString", "--name", "/entratrail/client-secret", "--overwrite", "--value"];
    let value = format!("file://{secret}");
    operator.aws(&[&["ssm", "put-parameter"][..], &parameter, &[&value]].concat()).await;
}

/// The one thing that still tells somebody when no mail of a rule arrives.
async fn the_undelivered_mail_is_an_alarm(operator: &Operator) {
    let alarming = ["cloudwatch", "describe-alarms", "--state-value", "ALARM", "--query"];
    let names = "MetricAlarms[?MetricName=='FailedInvocations'].AlarmName";
    let alarming = [&alarming[..], &[names]].concat();
    let raised = tokio::time::timeout(Duration::from_mins(3), async {
        while operator.aws(&alarming).await.as_array().is_none_or(Vec::is_empty) {
            tokio::time::sleep(Duration::from_secs(5)).await;
        }
    });
    assert!(raised.await.is_ok(), "no alarm tells that a mail could not be delivered");
    let mails = operator.mails(2).await;
    assert!(mails[1].contains("MailUndelivered"), "{mails:?}");
}

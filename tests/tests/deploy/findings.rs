//! What a person is told of findings: the compiled function, asking an Athena that answers, in a
//! deployed stack.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use entratrail_tests::stack::Function;
use graph_simulator::{Scenario, Simulator};
use serde_json::{Value, json};

use crate::operator::{OFFICE, Operator};

const SPRAY: &str = "[[story]]\nkind = \"password_spray\"\nday = -1\n";
const BRUTE_FORCE: &str = "[[story]]\nkind = \"brute_force\"\nday = -1\n";

const OF_SPRAY: &str = "Which addresses try the passwords of many users?";
const OF_BRUTE_FORCE: &str = "Whose password was guessed?";

/// Longer than the engine takes to start.
const PATIENCE: Duration = Duration::from_mins(3);

/// The office in calm days, with the stories that a test adds.
fn calm_office(stories: &str) -> String {
    format!("calm = true\n{OFFICE}{stories}")
}

fn schedule() -> Value {
    serde_json::from_str(include_str!("../../../events/scheduled.json")).unwrap()
}

fn function(operator: &Operator) -> Function<'_> {
    operator.stack.function("entratrail-findings")
}

/// Runs the function and expects it to succeed.
async fn run(operator: &Operator, event: &Value) -> Value {
    let answer = function(operator).invoke(event).await;
    assert_eq!(answer.error, None, "{}", answer.log_tail);
    answer.payload
}

async fn memory(operator: &Operator, bucket: &str) -> Value {
    let objects = operator.stack.objects(bucket).await;
    serde_json::from_slice(&objects["findings/told.json"]).unwrap()
}

async fn remember(operator: &Operator, bucket: &str, memory: &Value) {
    let s3 = aws_sdk_s3::Client::new(operator.stack.config());
    let object = s3.put_object().bucket(bucket).key("findings/told.json");
    object.body(memory.to_string().into_bytes().into()).send().await.unwrap();
}

/// The memory as a run leaves it that died between its answers and its mail.
fn claimed(memory: &Value, at: DateTime<Utc>) -> Value {
    let findings = memory["findings"].as_object().unwrap();
    let identities = |found: &Value| found.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    let findings: BTreeMap<_, _> =
        findings.iter().map(|(question, found)| (question, identities(found))).collect();
    json!({"format": 1, "answered": {}, "findings": {},
        "claims": {"dead": {"at": at, "is_weekly": true, "findings": findings}}})
}

#[tokio::test]
async fn what_is_new_is_mailed_once_and_what_could_not_be_told_comes_next_time() {
    let operator = Operator::with_tenant(&calm_office(SPRAY)).await;
    let mut options = operator.first_options();
    options.extend(["--set", "Evidence=parameter"].map(str::to_owned));
    operator.deploy(&options).await.done();
    let bucket = operator.output("entratrail", "ArchiveBucket").await;

    // Somebody looks first: nothing is mailed.
    let shown = run(&operator, &json!({"dryRun": true})).await;
    assert!(shown["findings"].to_string().contains("tried the passwords of"), "{shown}");
    assert_eq!((&shown["mailed"], operator.stack.mails().len()), (&json!(false), 0));

    let told = run(&operator, &schedule()).await;
    assert_eq!(
        (&told["mailed"], &told["weekly"], &told["findings"]),
        (&json!(true), &json!(true), &Value::Null)
    );
    let mail = operator.mails(1).await.remove(0);
    for words in [
        "To: ops@example.com",
        "Subject: EntraTrail entratrail: ",
        "of high and ",
        &format!("Stack entratrail, account {}, eu-central-1", operator.stack.account()),
        "HIGH: somebody may be inside. Look today.",
        OF_SPRAY,
        "tried the passwords of",
        "https://eu-central-1.console.aws.amazon.com/athena/home?region=eu-central-1#/query-editor/history/",
        "The archive, last 90 days: all is well, nothing is missing.",
        "- directory-audits: 3 days",
        "- interactiveUser: 3 days",
        "The history of the ledger is signed up to these checkpoints.",
        "/sign-ins\n",
        "/directory-audits\n",
        "\n— entratrail/",
        "Findings=off",
    ] {
        assert!(mail.contains(words), "{words} is not in {mail}");
    }

    // The same again, and a run that was started twice.
    let event = schedule();
    let (again, twice) = tokio::join!(run(&operator, &event), run(&operator, &event));
    for none in [again, twice] {
        assert_eq!((&none["new"], &none["mailed"]), (&json!(0), &json!(false)), "{none}");
    }
    assert_eq!(operator.mails(1).await.len(), 1);

    // While another run is about to tell, this one does not; once that is dead, it does.
    let before = memory(&operator, &bucket).await;
    remember(&operator, &bucket, &claimed(&before, Utc::now())).await;
    assert_eq!(run(&operator, &schedule()).await["mailed"], false);
    remember(&operator, &bucket, &claimed(&before, Utc::now() - TimeDelta::minutes(20))).await;
    assert_eq!(run(&operator, &schedule()).await["mailed"], true);
    assert!(operator.mails(2).await.remove(1).contains(OF_SPRAY));

    // It answers as long as it is held.
    let _tenant = only_the_new_story_is_told(&operator).await;
    a_question_that_athena_refuses_is_a_failure_that_is_told(&operator).await;
}

/// A record that Graph shows later; the tenant that shows it, whose address the stack has from now
/// on.
async fn only_the_new_story_is_told(operator: &Operator) -> Simulator {
    let scenario = Scenario::from_toml(&calm_office(&format!("{SPRAY}{BRUTE_FORCE}"))).unwrap();
    let tenant = Simulator::start(scenario).await.unwrap();
    let package = operator.package().display().to_string();
    let urls = [format!("GraphUrl={}", tenant.url()), format!("LoginUrl={}", tenant.url())];
    let options = ["--yes", "--package", &package, "--set", &urls[0], "--set", &urls[1]];
    operator.deploy(&options).await.done();
    let today = Utc::now().date_naive();
    let span = [today - TimeDelta::days(1), today].map(|day| day.to_string());
    operator.deploy(&["--run", &span[0], &span[1]]).await.done();
    let told = run(operator, &schedule()).await;
    assert_eq!((&told["mailed"], &told["weekly"]), (&json!(true), &json!(false)), "{told}");
    let mail = operator.mails(3).await.remove(2);
    assert!(mail.contains(OF_BRUTE_FORCE) && !mail.contains(OF_SPRAY), "{mail}");
    assert!(
        mail.contains("wrong passwords within an hour") && !mail.contains("The archive, last"),
        "{mail}"
    );
    tenant
}

/// A view that is gone.
async fn a_question_that_athena_refuses_is_a_failure_that_is_told(operator: &Operator) {
    let database = operator.output("entratrail", "QueryDatabase").await;
    operator
        .aws(&["glue", "delete-table", "--database-name", &database, "--name", "settings"])
        .await;
    let check = operator.deploy(&["--check"]).await.done();
    assert!(check.contains("findings:") && check.contains("ok      memory: works"), "{check}");
    operator.start("entratrail-findings", &schedule().to_string()).await;
    let mail = operator.mails(4).await.remove(3);
    for words in [
        "could not tell all findings",
        "Archive",
        "TABLE_NOT_FOUND",
        "deploy again",
        "after 2 attempts",
    ] {
        assert!(mail.contains(words), "{words} is not in {mail}");
    }
    let status = operator.deploy(&["--status"]).await.done();
    assert!(
        status.contains("findings, runs of the last 7 days:")
            && status.contains("findings new, mailed"),
        "{status}"
    );
}

#[tokio::test]
async fn a_run_that_is_killed_while_it_asks_is_repeated_and_tells_once() {
    let operator = Operator::with_tenant(&calm_office(SPRAY)).await;
    operator.deploy(&operator.first_options()).await.done();
    let asked = [
        "athena",
        "list-query-executions",
        "--work-group",
        "entratrail",
        "--query",
        "length(QueryExecutionIds)",
    ];
    let before = operator.aws(&asked).await;
    operator.start("entratrail-findings", &schedule().to_string()).await;
    let begun = tokio::time::timeout(PATIENCE, async {
        while operator.aws(&asked).await == before {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    });
    assert!(begun.await.is_ok(), "the function asks nothing");
    function(&operator).kill();
    assert!(operator.mails(1).await.remove(0).contains(OF_SPRAY));
    assert_eq!(run(&operator, &schedule()).await["mailed"], false);
    assert_eq!(operator.stack.mails().len(), 1);
}

#[tokio::test]
async fn a_mail_that_is_refused_comes_with_the_next_run_and_a_stack_without_findings_has_no_part_of_them()
 {
    let operator = Operator::strict().await;
    operator.deploy(&operator.first_options()).await.done();
    let role = "Roles[?contains(RoleName, 'FindingsRole')].RoleName | [0]";
    let role = operator.aws(&["iam", "list-roles", "--query", role]).await;
    let role = role.as_str().unwrap().to_owned();
    let silence = json!({"Version": "2012-10-17",
        "Statement": [{"Effect": "Deny", "Action": "sns:Publish", "Resource": "*"}]});
    let policy = ["--role-name", &role, "--policy-name", "silence"];
    let silence = silence.to_string();
    operator
        .aws(&[&["iam", "put-role-policy"][..], &policy, &["--policy-document", &silence]].concat())
        .await;
    operator.start("entratrail-findings", &schedule().to_string()).await;
    let mail = operator.mails(1).await.remove(0);
    assert!(
        mail.contains("could not tell all findings") && mail.contains("could not be mailed"),
        "{mail}"
    );

    operator.aws(&[&["iam", "delete-role-policy"][..], &policy].concat()).await;
    operator.start("entratrail-findings", &schedule().to_string()).await;
    let mail = operator.mails(2).await.remove(1);
    assert!(
        mail.contains("Subject: EntraTrail entratrail: ")
            && mail.contains("The archive, last 90 days"),
        "{mail}"
    );

    let package = operator.package().display().to_string();
    operator.deploy(&["--yes", "--package", &package, "--set", "Findings=off"]).await.done();
    let left = "StackResources[?starts_with(LogicalResourceId, 'Findings')].LogicalResourceId";
    let words = [
        "cloudformation",
        "describe-stack-resources",
        "--stack-name",
        "entratrail",
        "--query",
        left,
    ];
    assert_eq!(operator.aws(&words).await, json!([]));
    assert!(
        operator.deploy(&["--status"]).await.done().contains("findings: not told (Findings=off)")
    );
}

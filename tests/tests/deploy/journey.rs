//! From nothing to the first days of logs, and back to nothing but the archive.

use serde_json::{Value, json};

use crate::operator::Operator;

/// The functions, rules and other things of which the account must hold nothing after
/// `--uninstall`.
async fn leftovers(operator: &Operator) -> Value {
    let count = async |words: &[&str]| operator.aws(words).await;
    json!({
        "functions": count(&["lambda", "list-functions", "--query", "length(Functions)"]).await,
        "rules": count(&["events", "list-rules", "--query", "length(Rules)"]).await,
        "topics": count(&["sns", "list-topics", "--query", "length(Topics)"]).await,
        "alarms": count(&["cloudwatch", "describe-alarms", "--query", "length(MetricAlarms)"]).await,
        "parameters": count(&["ssm", "describe-parameters", "--query", "length(Parameters)"]).await,
        "roles": count(&["iam", "list-roles", "--query", "length(Roles[?starts_with(RoleName, \
                                                          'entratrail')])"]).await,
    })
}

async fn check_by_api(operator: &Operator) {
    let tenant = &operator.tenant.scenario().tenant;
    for (name, value) in [
        ("tenant-id", &tenant.id),
        ("client-id", &tenant.client_id),
        ("client-secret", &tenant.client_secret),
    ] {
        let name = format!("/entratrail/{name}");
        let stored =
            operator.aws(&["ssm", "get-parameter", "--with-decryption", "--name", &name]).await;
        assert_eq!(
            (&stored["Parameter"]["Type"], &stored["Parameter"]["Value"]),
            (&json!("SecureString"), &json!(value))
        );
    }
    let described =
        operator.aws(&["ssm", "describe-parameters", "--query", "Parameters[].KeyId"]).await;
    let aliases = operator
        .aws(&["kms", "list-aliases", "--query", "Aliases[?AliasName=='alias/entratrail'] | [0]"])
        .await;
    let key = aliases["TargetKeyId"].as_str().expect("the key has its alias");
    let keys = described.as_array().unwrap();
    assert!(
        keys.len() == 3 && keys.iter().all(|id| id.as_str().unwrap().ends_with(key)),
        "{keys:?} {key}"
    );
    let rotation = operator.aws(&["kms", "get-key-rotation-status", "--key-id", key]).await;
    assert_eq!(rotation["KeyRotationEnabled"], true);

    let schedules = "sort(Rules[?ScheduleExpression].ScheduleExpression)";
    let schedules = operator.aws(&["events", "list-rules", "--query", schedules]).await;
    assert_eq!(schedules, json!(["cron(35 1 * * ? *)", "cron(35 4 * * ? *)", "cron(5 1 * * ? *)"]));
    let subscription =
        operator.aws(&["sns", "list-subscriptions", "--query", "Subscriptions[0]"]).await;
    assert_eq!(
        (&subscription["Protocol"], &subscription["Endpoint"]),
        (&json!("email"), &json!("ops@example.com"))
    );
    let alarms =
        "sort(MetricAlarms[?length(AlarmActions) == `1` && length(OKActions) == `1`].MetricName)";
    let alarms = operator.aws(&["cloudwatch", "describe-alarms", "--query", alarms]).await;
    let unverified = ["OldestUnverifiedHours"; 2];
    assert_eq!(alarms, json!([&unverified[..], &["Succeeded"; 3]].concat()));
    let alarms = "length(MetricAlarms[?length(AlarmActions) == `1`])";
    assert_eq!(operator.aws(&["cloudwatch", "describe-alarms", "--query", alarms]).await, 16);

    let limit =
        "WorkGroup.Configuration.[BytesScannedCutoffPerQuery, EnforceWorkGroupConfiguration]";
    let workgroup = operator
        .aws(&["athena", "get-work-group", "--work-group", "entratrail", "--query", limit])
        .await;
    assert_eq!(workgroup, json!(["10000000000", true])); // the emulator keeps the number as it stands in the template
    let database =
        operator.aws(&["glue", "get-databases", "--query", "DatabaseList[].Name | [0]"]).await;
    let tables = ["glue", "get-tables", "--database-name", database.as_str().unwrap(), "--query"];
    let projected = "sort(TableList[?Parameters.\"projection.enabled\" == 'true'].Name)";
    let projected = operator.aws(&[&tables[..], &[projected]].concat()).await;
    assert_eq!(
        projected,
        json!([
            "directory_audits",
            "directory_audits_raw",
            "provisioning",
            "provisioning_raw",
            "sign_ins",
            "sign_ins_raw"
        ])
    );

    let bucket = bucket(operator).await;
    let blocked = operator.aws(&["s3api", "get-public-access-block", "--bucket", &bucket]).await;
    assert!(
        blocked["PublicAccessBlockConfiguration"]
            .as_object()
            .unwrap()
            .values()
            .all(|value| value == true)
    );
    let versioning = operator.aws(&["s3api", "get-bucket-versioning", "--bucket", &bucket]).await;
    assert_eq!(versioning["Status"], "Enabled");
    let policy = operator.aws(&["s3api", "get-bucket-policy", "--bucket", &bucket]).await;
    assert!(policy["Policy"].as_str().unwrap().contains("aws:SecureTransport"));
}

async fn bucket(operator: &Operator) -> String {
    let outputs = "Stacks[0].Outputs[?OutputKey=='ArchiveBucket'].OutputValue | [0]";
    let name = operator
        .aws(&[
            "cloudformation",
            "describe-stacks",
            "--stack-name",
            "entratrail",
            "--query",
            outputs,
        ])
        .await;
    name.as_str().expect("the stack names its bucket").to_owned()
}

async fn objects(operator: &Operator, bucket: &str) -> Value {
    operator
        .aws(&["s3api", "list-objects-v2", "--bucket", bucket, "--query", "sort(Contents[].Key)"])
        .await
}

#[tokio::test]
async fn from_nothing_to_logs_and_back_to_the_archive() {
    let operator = Operator::new().await;
    let first = operator.deploy(&operator.first_options()).await.done();
    for line in [
        "Stored /entratrail/client-secret, encrypted",
        "ok      interactiveUser: works",
        "ok      bucket: works",
        "180 records were new; nothing is left to read",
        "120 records were new; nothing is left to read",
        "Open the link in the mail from AWS to ops@example.com",
    ] {
        assert!(first.contains(line), "{line} is not in {first}");
    }
    let secret = &operator.tenant.scenario().tenant.client_secret;
    assert!(!first.contains(secret));
    let template = operator
        .aws(&["cloudformation", "get-template", "--stack-name", "entratrail"])
        .await
        .to_string();
    let stack = operator
        .aws(&["cloudformation", "describe-stacks", "--stack-name", "entratrail"])
        .await
        .to_string();
    assert!(!template.contains(secret) && !stack.contains(secret));
    check_by_api(&operator).await;
    let bucket = bucket(&operator).await;
    let archived = objects(&operator, &bucket).await;
    // Raw, table and ledger for each log and day, one object of each check, and the memory of the
    // findings.
    assert_eq!(archived.as_array().unwrap().len(), 21, "{archived}");

    // Again, with the options that only a first deployment needs left out.
    let package = operator.package().display().to_string();
    let again = operator.deploy(&["--yes", "--package", &package]).await.done();
    assert!(again.contains("nothing to change") && !again.contains("Stored"), "{again}");
    assert_eq!(objects(&operator, &bucket).await, archived);

    let updated = operator
        .deploy(&[
            "--yes",
            "--package",
            &package,
            "--set",
            "MemorySize=512",
            "--set",
            "CreateDashboard=false",
        ])
        .await
        .done();
    assert!(!updated.contains("nothing to change"), "{updated}");
    let memory =
        operator.aws(&["lambda", "list-functions", "--query", "Functions[].MemorySize"]).await;
    assert_eq!(memory, json!([512, 512, 512]));
    assert_eq!(objects(&operator, &bucket).await, archived);

    let status = operator.deploy(&["--status"]).await.done();
    for line in [
        "UPDATE_COMPLETE",
        "180 new",
        "interactiveUser      3 before",
        "directory-audits     3 before",
        "entratrail-SignInLogsMissing",
    ] {
        assert!(status.contains(line), "{line} is not in {status}");
    }
    let gone = operator.deploy(&["--uninstall", "--yes"]).await.done();
    assert!(gone.contains(&format!("Kept the archive s3://{bucket} and its key")), "{gone}");
    let nothing =
        json!({"functions": 0, "rules": 0, "topics": 0, "alarms": 0, "parameters": 0, "roles": 0});
    assert_eq!(leftovers(&operator).await, nothing);
    assert_eq!(objects(&operator, &bucket).await, archived);
}

#[tokio::test]
async fn every_function_works_under_its_own_role_over_tls() {
    let operator = Operator::strict().await;
    let deployed = operator.deploy(&operator.first_options()).await.done();
    assert!(
        deployed.contains("180 records were new") && deployed.contains("120 records were new"),
        "{deployed}"
    );

    // Without its role's policy for the archive the same function is let into nothing.
    let role = operator
        .aws(&[
            "iam",
            "list-roles",
            "--query",
            "Roles[?contains(RoleName, 'AuditLogsRole')].RoleName | [0]",
        ])
        .await;
    let role = role.as_str().unwrap().to_owned();
    operator
        .aws(&["iam", "delete-role-policy", "--role-name", &role, "--policy-name", "archive"])
        .await;
    let check = operator.deploy(&["--check"]).await;
    assert_eq!(check.status, 1, "{}", check.output);
    let audit = check.output.split("audit-logs:").nth(1).unwrap();
    assert!(
        audit.contains("FAILED  bucket: ")
            && !check.output.split("audit-logs:").next().unwrap().contains("FAILED"),
        "{}",
        check.output
    );
}

#[tokio::test]
async fn a_certificate_is_made_shown_and_waited_for_and_all_of_it_goes() {
    let operator = Operator::new().await;
    let mut options = operator.first_options();
    let secret = options.iter().position(|option| option == "--secret-file").unwrap();
    options.splice(secret..=secret + 1, ["--credential", "certificate"].map(str::to_owned));
    let certificate = operator.file("entratrail-certificate.pem");
    let upload = async {
        let mut pem = String::new();
        while !pem.contains("-----END CERTIFICATE-----") {
            tokio::time::sleep(std::time::Duration::from_millis(200)).await;
            pem = std::fs::read_to_string(&certificate).unwrap_or_default();
        }
        operator.tenant.register_certificate(&pem).unwrap();
    };
    let (ended, ()) = tokio::join!(operator.deploy(&options), upload);
    let output = ended.done();
    assert!(
        output.contains("Upload it in Entra now")
            && output.contains("the certificate expires in 72"),
        "{output}"
    );
    assert!(!output.contains("PRIVATE KEY"), "{output}");
    let stored = [
        "ssm",
        "get-parameter",
        "--with-decryption",
        "--name",
        "/entratrail/client-certificate",
        "--query",
        "Parameter.Value",
    ];
    let stored = operator.aws(&stored).await;
    assert!(stored.as_str().unwrap().contains("PRIVATE KEY"));
    the_archive_goes_only_when_told_twice(&operator).await;
}

async fn the_archive_goes_only_when_told_twice(operator: &Operator) {
    let bucket = bucket(operator).await;
    let refused = operator
        .deploy(&["--uninstall", "--yes", "--delete-archive", "some-bucket"])
        .await
        .refusal();
    assert!(refused.contains("names \"some-bucket\", and the archive is"), "{refused}");
    assert!(!objects(operator, &bucket).await.as_array().unwrap().is_empty());

    let gone = operator.deploy(&["--uninstall", "--yes", "--delete-archive", &bucket]).await.done();
    assert!(gone.contains("Deleted the archive"), "{gone}");
    let buckets = operator.aws(&["s3api", "list-buckets", "--query", "Buckets[].Name"]).await;
    assert!(!buckets.to_string().contains(&bucket), "{buckets}");
}

#[tokio::test]
async fn an_account_that_gives_out_no_tokens_is_told_how_to() {
    let operator = Operator::new().await;
    let mut options = operator.first_options();
    let secret = options.iter().position(|option| option == "--secret-file").unwrap();
    options.splice(secret..=secret + 1, ["--credential", "federated"].map(str::to_owned));
    let ended = operator.deploy(&options).await;
    assert_eq!(ended.status, 1, "{}", ended.output);
    assert!(
        ended.output.contains("gives out no tokens yet: repeat with --enable-federation"),
        "{}",
        ended.output
    );
}

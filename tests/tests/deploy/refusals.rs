//! What is wrong is said in one sentence, before anything was created.

use std::fs;

use crate::operator::{Operator, checkout};

/// With these options in place of what a first deployment needs, the script says so.
async fn refused(operator: &Operator, name: &str, value: &str) -> String {
    let mut options = operator.first_options();
    match options.iter().position(|option| option == name) {
        Some(place) if name != "--set" => value.clone_into(&mut options[place + 1]),
        _ => options.extend([name.to_owned(), value.to_owned()]),
    }
    let ended = operator.deploy(&options).await;
    assert!(!ended.output.contains(&operator.tenant.scenario().tenant.client_secret));
    ended.refusal()
}

/// A bucket whose default encryption is a key that the functions may not use.
async fn bucket_with_a_key(operator: &Operator) -> String {
    let bucket = operator.stack.create_bucket("with-a-key").await;
    let key = operator.aws(&["kms", "create-key", "--query", "KeyMetadata.Arn"]).await;
    let rule = serde_json::json!({"Rules": [{"ApplyServerSideEncryptionByDefault":
        {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key}}]});
    let setting =
        ["--bucket", &bucket, "--server-side-encryption-configuration", &rule.to_string()];
    operator.aws(&[&["s3api", "put-bucket-encryption"][..], &setting].concat()).await;
    bucket
}

/// A bucket whose policy refuses a write that names no encryption.
async fn bucket_that_demands_the_header(operator: &Operator) -> String {
    let bucket = operator.stack.create_bucket("demanding").await;
    let policy = serde_json::json!({"Version": "2012-10-17", "Statement": [{
        "Effect": "Deny", "Principal": "*", "Action": "s3:PutObject",
        "Resource": format!("arn:aws:s3:::{bucket}/*"),
        "Condition": {"Null": {"s3:x-amz-server-side-encryption": "true"}}}]});
    let policy = policy.to_string();
    operator.aws(&["s3api", "put-bucket-policy", "--bucket", &bucket, "--policy", &policy]).await;
    bucket
}

/// A bucket of the same account in another region.
async fn bucket_in_ireland(operator: &Operator) -> String {
    let bucket = format!("in-ireland-{}", operator.stack.account());
    let place =
        ["--bucket", &bucket, "--create-bucket-configuration", "LocationConstraint=eu-west-1"];
    operator
        .aws(&[&["s3api", "create-bucket"][..], &place, &["--region", "eu-west-1"]].concat())
        .await;
    bucket
}

#[tokio::test]
async fn wrong_options_are_named_before_anything_is_created() {
    let operator = Operator::new().await;
    let secret_id = operator.write("secret-id", "0b1a7c2e-1111-4222-8333-444455556666\n");
    let spaces = operator.write("spaces", "two words");
    let without_sums = operator.file("unsigned").display().to_string();
    for function in ["sign-in-logs", "audit-logs", "provisioning-logs", "findings"] {
        fs::create_dir_all(operator.file("unsigned").join(function)).unwrap();
        fs::copy(
            operator.package().join(function).join("bootstrap"),
            operator.file("unsigned").join(function).join("bootstrap"),
        )
        .unwrap();
    }
    let other_key = bucket_with_a_key(&operator).await;
    let elsewhere = bucket_in_ireland(&operator).await;
    let demanding = bucket_that_demands_the_header(&operator).await;
    let somebody_else = Operator::new().await;
    let place = [
        "--bucket",
        "taken-by-another",
        "--create-bucket-configuration",
        "LocationConstraint=eu-central-1",
    ];
    somebody_else.aws(&[&["s3api", "create-bucket"][..], &place].concat()).await;
    for (name, value, words) in [
        ("--email", "ops at example.com", "is not an email address"),
        ("--tenant-id", "contoso", "is not a tenant"),
        ("--tenant-id", "0b1a7c2e-1111-4222-8333-444455556666", "Entra knows no tenant \"0b1a7c2e"),
        ("--client-id", "My application", "is not a client id"),
        ("--credential", "password", "can be secret, certificate or federated"),
        ("--secret-file", "/no/such/file", "cannot be read"),
        ("--secret-file", &secret_id, "that is the secret's id"),
        ("--secret-file", &spaces, "holds spaces or line breaks"),
        ("--secret-expires", "31.5.2027", "must be a day such as 2027-05-31"),
        ("--region", "mars", "is not an AWS region"),
        ("--stack", "my_stack", "cannot be the name of a stack"),
        (
            "--set",
            "Memory=512",
            "\"Memory\" is no parameter of template.yaml; there are: AlarmEmail Credential",
        ),
        ("--set", "MemorySize", "needs NAME=VALUE"),
        ("--set", "ExistingBucket=no-such-bucket", "there is no bucket \"no-such-bucket\""),
        ("--set", "ExistingBucket=taken-by-another", "belongs to somebody else"),
        ("--package", "/no/such/folder", "holds no program sign-in-logs"),
        ("--package", &without_sums, "has no SHA256SUMS"),
        ("--stack", "aws-logs", "begin with aws or ssm"),
        ("--set", "HistoryDays=90", "must be between 1 and 30"),
        ("--set", &format!("ExistingBucket={other_key}"), "encrypts with the key"),
        ("--set", &format!("ExistingBucket={elsewhere}"), "lies in eu-west-1"),
        ("--set", &format!("ExistingBucket={demanding}"), "add --set NameEncryption=true"),
        ("--set", "CreateKey=false", "BucketEncryption=key needs a key"),
        ("--secret", "simulated~secret", "a secret is never an argument"),
        ("--colour", "red", "\"--colour\" is not an option"),
        ("--delete-archive", "some-bucket", "belongs to --uninstall"),
        ("--run", "--status", "are two actions"),
    ] {
        let sentence = refused(&operator, name, value).await;
        assert!(sentence.contains(words), "{name} {value}: {sentence}");
    }
    let stacks =
        operator.aws(&["cloudformation", "list-stacks", "--query", "length(StackSummaries)"]).await;
    assert_eq!(stacks, 0);
}

#[tokio::test]
async fn what_is_missing_is_asked_for_or_named() {
    let operator = Operator::new().await;
    for (left_out, words) in [
        ("--email", "--email is missing"),
        ("--tenant-id", "--tenant-id is missing"),
        ("--client-id", "--client-id is missing"),
        ("--secret-file", "the client secret is missing"),
    ] {
        let mut options = operator.first_options();
        let place = options.iter().position(|option| option == left_out).unwrap();
        options.drain(place..=place + 1);
        let sentence = operator.deploy(&options).await.refusal();
        assert!(sentence.contains(words), "{sentence}");
    }
    for action in ["--status", "--check", "--run", "--update-secret", "--uninstall"] {
        let sentence = operator.deploy(&[action, "--yes"]).await.refusal();
        assert!(sentence.contains("there is no stack \"entratrail\""), "{action}: {sentence}");
    }
    let environment =
        operator.write("settings", "# ours\nEMAIL=ops@example.com\nCLIENT_SECRET=simulated\n");
    let sentence = operator.deploy(&["--env-file", &environment]).await.refusal();
    assert!(
        sentence.contains("CLIENT_SECRET looks like a secret") && !sentence.contains("simulated"),
        "{sentence}"
    );
}

#[tokio::test]
async fn a_missing_tool_is_named_with_where_to_get_it() {
    let operator = Operator::new().await;
    let folder = operator.file("tools");
    fs::create_dir_all(&folder).unwrap();
    let has = |tool: &str| std::os::unix::fs::symlink("/bin/true", folder.join(tool)).unwrap();
    for tool in ["bash", "dirname", "sed", "grep", "paste"] {
        std::os::unix::fs::symlink(format!("/usr/bin/{tool}"), folder.join(tool)).unwrap();
    }
    for (tool, words) in [
        ("aws", "install the AWS CLI"),
        ("python3", "install Python"),
        ("sam", "pip install aws-sam-cli"),
        ("curl", "install curl"),
        ("cargo", "install Rust"),
    ] {
        let mut script = operator.command(&checkout().join("deploy.sh"));
        let ended = script.env("PATH", &folder).output().await.unwrap();
        let said = String::from_utf8_lossy(&ended.stderr).into_owned();
        assert_eq!(ended.status.code(), Some(2), "{said}");
        assert!(
            said.contains(&format!("deploy.sh: {tool} is missing")) && said.contains(words),
            "{said}"
        );
        has(tool);
    }
}

/// A template with one thing more, whose name somebody else has taken.
pub(crate) fn template_that_fails() -> String {
    const TAKEN: &str = "Resources:\n  Taken:\n    Type: AWS::SSM::Parameter\n    \
        Properties: { Name: /taken, Type: String, Value: x }\n";
    let template = fs::read_to_string(checkout().join("template.yaml")).unwrap();
    template.replacen("Resources:\n", TAKEN, 1)
}

#[tokio::test]
async fn a_deployment_that_fails_is_rolled_back_and_the_next_one_works() {
    let operator = Operator::new().await;
    let copy = operator.checkout_with(&template_that_fails());
    operator
        .aws(&["ssm", "put-parameter", "--name", "/taken", "--type", "String", "--value", "ours"])
        .await;
    let ended = operator.run_script(&copy, &operator.first_options(), "").await;
    assert_eq!(ended.status, 1, "{}", ended.output);
    let sentence = ended.output.lines().last().unwrap();
    assert!(
        sentence.starts_with("deploy.sh: the deployment was rolled back, because of Taken: "),
        "{sentence}"
    );
    let buckets = operator.aws(&["s3api", "list-buckets", "--query", "Buckets[].Name"]).await;
    assert!(!buckets.to_string().contains("entratrail-archive"), "{buckets}");

    operator.deploy(&operator.first_options()).await.done();
    a_new_secret_is_piped_in_and_tried(&operator).await;
}

async fn a_new_secret_is_piped_in_and_tried(operator: &Operator) {
    let wrong = operator.deploy_with_input(&["--update-secret"], "simulated~but.wrong").await;
    assert_eq!(wrong.status, 1, "{}", wrong.output);
    assert!(
        wrong.output.contains("Entra refused the client secret")
            && !wrong.output.contains("simulated~"),
        "{}",
        wrong.output
    );
    let secret = operator.tenant.scenario().tenant.client_secret.clone();
    let right = operator.deploy_with_input(&["--update-secret"], &secret).await.done();
    assert!(
        right.contains("Stored /entratrail/client-secret, encrypted")
            && !right.contains("FAILED")
            && !right.contains(&secret),
        "{right}"
    );
}

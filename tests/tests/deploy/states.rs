//! Accounts and stacks that are not as a first deployment expects them.

use serde_json::json;

use crate::operator::Operator;

#[tokio::test]
async fn a_deployment_that_was_cut_off_a_lost_subscription_and_a_kept_key_are_put_right() {
    let operator = Operator::new().await;
    // A first deployment that ended after its change set was made.
    let template = r#"{"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}}"#;
    let change_set = [
        "cloudformation",
        "create-change-set",
        "--stack-name",
        "entratrail",
        "--change-set-name",
        "cut-off",
        "--change-set-type",
        "CREATE",
        "--template-body",
        template,
    ];
    operator.aws(&change_set).await;
    let state = ["cloudformation", "describe-stacks", "--stack-name", "entratrail", "--query"];
    let state = operator.aws(&[&state[..], &["Stacks[0].StackStatus"]].concat()).await;
    assert_eq!(state, "REVIEW_IN_PROGRESS");
    let first = operator.deploy(&operator.first_options()).await.done();
    assert!(first.contains("What changes:") && first.contains("new: 3 functions"), "{first}");

    // SNS has dropped the subscription, and CloudFormation does not know.
    let topic = operator.output("entratrail", "FailureTopicArn").await;
    let subscriptions = ["sns", "list-subscriptions-by-topic", "--topic-arn", &topic, "--query"];
    let arns =
        operator.aws(&[&subscriptions[..], &["Subscriptions[].SubscriptionArn"]].concat()).await;
    for arn in arns.as_array().unwrap() {
        operator.aws(&["sns", "unsubscribe", "--subscription-arn", arn.as_str().unwrap()]).await;
    }
    let check = operator.deploy(&["--check"]).await;
    assert_eq!(check.status, 1, "{}", check.output);
    assert!(
        check.output.contains("ops@example.com is not subscribed any more"),
        "{}",
        check.output
    );
    let status = operator.deploy(&["--status"]).await.done();
    assert!(status.contains("ops@example.com is not subscribed any more"), "{status}");
    let refused = operator.deploy(&["--test-mail"]).await.refusal();
    assert!(refused.contains("no mail would arrive"), "{refused}");
    let package = operator.package().display().to_string();
    let again = operator.deploy(&["--yes", "--package", &package]).await.done();
    assert!(again.contains("Subscribed ops@example.com again"), "{again}");
    let endpoints =
        operator.aws(&[&subscriptions[..], &["Subscriptions[].Endpoint"]].concat()).await;
    assert_eq!(endpoints, json!(["ops@example.com"]));

    // The key of what is stored is neither turned off nor exchanged.
    let key = operator.output("entratrail", "KeyArn").await;
    let turned_off = ["--set", "CreateKey=false", "--set", "BucketEncryption=s3"];
    let options = ["--yes", "--package", &package];
    let refused = operator.deploy(&[&options[..], &turned_off].concat()).await.refusal();
    assert!(refused.contains(&key) && refused.contains("nothing could read them"), "{refused}");
    let given = format!("ExistingKeyArn={key}");
    let handed_over = ["--set", "CreateKey=false", "--set", &given];
    operator.deploy(&[&options[..], &handed_over].concat()).await.done();
    assert_eq!(operator.output("entratrail", "KeyArn").await, key);

    // Handed over, it is nobody's to delete.
    let bucket = operator.output("entratrail", "ArchiveBucket").await;
    let gone = operator.deploy(&["--uninstall", "--yes", "--delete-archive", &bucket]).await.done();
    assert!(
        gone.contains("Deleted the archive") && gone.contains("was not made by this stack"),
        "{gone}"
    );
    let state = ["kms", "describe-key", "--key-id", &key, "--query", "KeyMetadata.KeyState"];
    assert_eq!(operator.aws(&state).await, "Enabled");
}

#[tokio::test]
async fn parameters_follow_the_key_that_a_stack_is_given_later() {
    let operator = Operator::new().await;
    let mut options = operator.first_options();
    options.extend(["--set", "CreateKey=false", "--set", "BucketEncryption=s3"].map(str::to_owned));
    operator.deploy(&options).await.done();
    let package = operator.package().display().to_string();
    let with_key = ["--yes", "--package", &package, "--set", "CreateKey=true"];
    let updated = operator.deploy(&with_key).await.done();
    assert_eq!(
        updated.matches("again, encrypted with the stack's present key").count(),
        3,
        "{updated}"
    );
    let key = operator.output("entratrail", "KeyArn").await;
    let keys = operator.aws(&["ssm", "describe-parameters", "--query", "Parameters[].KeyId"]).await;
    assert_eq!(keys, json!([&key, &key, &key]));
    let again = operator.deploy(&["--yes", "--package", &package]).await.done();
    assert!(!again.contains("Stored"), "{again}");
}

#[tokio::test]
async fn a_subscription_that_is_lost_is_made_again_and_one_that_is_not_confirmed_is_named() {
    let operator = Operator::new().await;
    let mut options = operator.first_options();
    let email = options.iter().position(|option| option == "--email").unwrap() + 1;
    "lost@example.com".clone_into(&mut options[email]);
    let deployed = operator.deploy(&options).await.done();
    assert!(deployed.contains("Subscribed lost@example.com again"), "{deployed}");

    let package = operator.package().display().to_string();
    let other = ["--yes", "--package", &package, "--email", "unread@example.com"];
    let updated = operator.deploy(&other).await.done();
    assert!(updated.contains("unread@example.com has not opened the link"), "{updated}");
    let check = operator.deploy(&["--check"]).await;
    assert_eq!(check.status, 1, "{}", check.output);
    assert!(
        check.output.contains("unread@example.com has not opened the link"),
        "{}",
        check.output
    );
    let status = operator.deploy(&["--status"]).await.done();
    assert!(status.contains("unread@example.com has not opened the link"), "{status}");
    let refused = operator.deploy(&["--test-mail"]).await.refusal();
    assert!(refused.contains("no mail would arrive"), "{refused}");
}

//! A stack of version 0.1.0 is brought up to date in place: `upgrade/template-0.1.0.yaml.gz` is the
//! template that it was deployed from, kept because a shallow clone has no history to take it from.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tokio::process::Command;

use crate::files::template_of;
use crate::operator::{Operator, checkout};
use crate::refusals::template_that_fails;
use crate::resident;

const FIRST: &[u8] = include_bytes!("upgrade/template-0.1.0.yaml.gz");

/// Names that two resources cannot have at the same time, by type.
pub(crate) const NAMES: [(&str, &str); 7] = [
    ("AWS::Athena::WorkGroup", "Name"),
    ("AWS::CloudWatch::Alarm", "AlarmName"),
    ("AWS::CloudWatch::Dashboard", "DashboardName"),
    ("AWS::KMS::Alias", "AliasName"),
    ("AWS::S3::Bucket", "BucketName"),
    ("AWS::Serverless::Function", "FunctionName"),
    ("AWS::SNS::Topic", "TopicName"),
];

/// Resources that hold data, identities or consent: an update that made another would lose it.
const STAY: [&str; 6] = ["Archive", "Key", "FailureTopic", "SignInLogs", "AuditLogs", "Workgroup"];

fn first_template(folder: &Path) -> PathBuf {
    let mut text = String::new();
    flate2::read::GzDecoder::new(FIRST).read_to_string(&mut text).unwrap();
    let path = folder.join("template.yaml");
    fs::write(&path, text).unwrap();
    path
}

/// Deploys 0.1.0 as its script did: the template through SAM, then the parameters.
async fn deploy_first_version(operator: &Operator) {
    let folder = operator.file("first");
    fs::create_dir_all(folder.join("target/lambda")).unwrap();
    let template = first_template(&folder);
    for function in ["sign-in-logs", "audit-logs"] {
        let place = folder.join("target/lambda").join(function);
        fs::create_dir_all(&place).unwrap();
        fs::copy(operator.package().join(function).join("bootstrap"), place.join("bootstrap"))
            .unwrap();
    }
    let mut settings = vec!["AlarmEmail=ops@example.com".to_owned()];
    let options = operator.first_options();
    let chosen = options.windows(2).filter(|pair| pair[0] == "--set").map(|pair| pair[1].clone());
    settings.extend(chosen);
    let mut sam: Command = operator.command(&resident::folder().join("sam"));
    sam.args(["deploy", "--stack-name", "entratrail", "--region", "eu-central-1", "--resolve-s3"])
        .args(["--capabilities", "CAPABILITY_IAM", "--no-confirm-changeset", "--no-progressbar"])
        .args(["--tags", "Application=EntraTrail", "--template-file"])
        .arg(template)
        .arg("--parameter-overrides")
        .args(settings);
    let deployed = sam.output().await.unwrap();
    assert!(deployed.status.success(), "{}", String::from_utf8_lossy(&deployed.stderr));
    let tenant = &operator.tenant.scenario().tenant;
    let key = operator.output("entratrail", "KeyArn").await;
    for (name, value) in [
        ("tenant-id", &tenant.id),
        ("client-id", &tenant.client_id),
        ("client-secret", &tenant.client_secret),
    ] {
        let name = format!("/entratrail/{name}");
        let parameter =
            ["--type", "SecureString", "--key-id", &key, "--name", &name, "--value", value];
        operator.aws(&[&["ssm", "put-parameter"][..], &parameter].concat()).await;
    }
}

/// The physical names of what must stay, the subscriptions, the parameters and the archive.
async fn holdings(operator: &Operator) -> Value {
    let resources = "StackResources[].[LogicalResourceId, PhysicalResourceId]";
    let words = ["cloudformation", "describe-stack-resources", "--stack-name", "entratrail"];
    let resources = operator.aws(&[&words[..], &["--query", resources]].concat()).await;
    let names: BTreeMap<&str, &str> = resources
        .as_array()
        .unwrap()
        .iter()
        .map(|pair| (pair[0].as_str().unwrap(), pair[1].as_str().unwrap_or_default()))
        .filter(|(name, _)| STAY.contains(name))
        .collect();
    let topic = operator.output("entratrail", "FailureTopicArn").await;
    let subscriptions = ["sns", "list-subscriptions-by-topic", "--topic-arn", &topic];
    let subscriptions = operator
        .aws(&[&subscriptions[..], &["--query", "Subscriptions[].Endpoint"]].concat())
        .await;
    let parameters = "sort_by(Parameters, &Name)[].[Name, KeyId]";
    let parameters = operator.aws(&["ssm", "describe-parameters", "--query", parameters]).await;
    let bucket = operator.output("entratrail", "ArchiveBucket").await;
    let of_the_archive =
        "sort(Contents[?!starts_with(Key, 'checks/') && !starts_with(Key, 'findings/')].Key)";
    let archived = ["s3api", "list-objects-v2", "--bucket", &bucket, "--query", of_the_archive];
    json!({"names": names, "subscriptions": subscriptions, "parameters": parameters,
        "archived": operator.aws(&archived).await})
}

#[tokio::test]
async fn a_stack_of_the_first_version_is_brought_up_to_date_in_place_and_survives_a_bad_update() {
    let operator = Operator::new().await;
    deploy_first_version(&operator).await;
    let read = operator.deploy(&["--run"]).await.done();
    assert!(
        read.contains("180 records were new") && read.contains("120 records were new"),
        "{read}"
    );
    let before = holdings(&operator).await;
    assert_eq!(before["names"].as_object().unwrap().len(), STAY.len(), "{before}");
    assert_eq!(before["archived"].as_array().unwrap().len(), 18, "{before}");

    let package = operator.package().display().to_string();
    let updated =
        operator.deploy(&["--yes", "--package", &package, "--set", "MemorySize=512"]).await.done();
    let listed = updated.find("What changes:").expect("changes are listed");
    assert!(updated[listed..].contains("changed in place: 2 functions"), "{updated}");
    assert!(!updated.contains("Stored"), "{updated}");
    assert_eq!(holdings(&operator).await, before);

    // An update that fails half-way leaves a stack that still collects.
    operator
        .aws(&["ssm", "put-parameter", "--name", "/taken", "--type", "String", "--value", "ours"])
        .await;
    let copy = operator.checkout_with(&template_that_fails());
    let options = ["--yes", "--package", &package, "--set", "MemorySize=1024"];
    let failed = operator.run_script(&copy, &options, "").await;
    assert_eq!(failed.status, 1, "{}", failed.output);
    assert!(failed.output.contains("was rolled back, because of Taken: "), "{}", failed.output);
    let span = chrono::Utc::now().date_naive();
    let yesterday = span.pred_opt().unwrap().to_string();
    let run = operator.deploy(&["--run", &yesterday, &span.to_string()]).await.done();
    assert_eq!(run.matches("0 records were new; nothing is left to read").count(), 2, "{run}");
    let mut after = holdings(&operator).await;
    // `/taken` is this test's own.
    let parameters = after["parameters"].as_array_mut().unwrap();
    parameters.retain(|parameter| parameter[0] != "/taken");
    assert_eq!(after, before);
}

pub(crate) fn an_update_loses_nothing(new: &Value) {
    let folder = tempfile::TempDir::new().unwrap();
    let old = template_of(&first_template(folder.path()));
    let resources = |template: &Value| template["Resources"].as_object().unwrap().clone();
    for (logical, resource) in resources(new) {
        let kept = old["Resources"].get(&logical);
        if let Some(kept) = kept {
            assert_eq!(kept["Type"], resource["Type"], "{logical} has become something else");
        }
        let Some((_, member)) = NAMES.iter().find(|(kind, _)| resource["Type"] == *kind) else {
            continue;
        };
        let name = &resource["Properties"][*member];
        if name.is_null() || kept.is_some() {
            continue;
        }
        // CloudFormation makes the new one before it removes the old one.
        for (other, old) in resources(&old) {
            let same = old["Type"] == resource["Type"] && old["Properties"][*member] == *name;
            assert!(!same, "{logical} has the name of {other}, which is there already");
        }
    }
    for logical in STAY {
        let (old, new) = (&old["Resources"][logical], &new["Resources"][logical]);
        assert!(new.is_object(), "{logical} would be removed");
        let kind = old["Type"].as_str().unwrap();
        if let Some((_, member)) = NAMES.iter().find(|(named, _)| *named == kind) {
            assert_eq!(
                old["Properties"][*member], new["Properties"][*member],
                "{logical} would be replaced"
            );
        }
    }
    for parameter in old["Parameters"].as_object().unwrap().keys() {
        assert!(
            new["Parameters"].get(parameter).is_some(),
            "the setting {parameter} would be refused"
        );
    }
    assert!(checkout().join("deploy").is_dir());
}

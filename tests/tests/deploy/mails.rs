//! What a person reads when something went wrong.

use std::fs;

use serde_json::Value;

use crate::operator::{Operator, checkout, tool};

/// Every kind of failure that a function can name, with a sentence that it really says, and those
/// that only Lambda can tell of.
const FAILURES: &str = include_str!("failures.json");
const FAILURES_OF_FINDINGS: &str = include_str!("failures-findings.json");

/// A function in the least Python.
const HANGS_OR_CRASHES: &str = r#"#!/usr/bin/env python3
import json, os, time, urllib.request
api = "http://" + os.environ["AWS_LAMBDA_RUNTIME_API"] + "/2018-06-01/runtime/invocation/next"
with urllib.request.urlopen(api) as call:
    event = json.load(call)
time.sleep(60 if "hang" in event else 0)
raise SystemExit(1)
"#;

#[tokio::test]
async fn a_failure_a_timeout_and_a_crash_end_as_one_mail_each() {
    let operator = Operator::new().await;
    operator.deploy(&operator.first_options()).await.done();
    let secret = operator.write("wrong", "simulated~but.wrong");
    let parameter = [
        "ssm",
        "put-parameter",
        "--overwrite",
        "--type",
        "SecureString",
        "--name",
        "/entratrail/client-secret",
    ];
    operator.aws(&[&parameter[..], &["--value", &format!("file://{secret}")]].concat()).await;
    let yesterday = (chrono::Utc::now() - chrono::TimeDelta::days(1)).date_naive();
    let span = format!(r#"{{"from": "{yesterday}", "to": "{}"}}"#, yesterday.succ_opt().unwrap());
    operator.start("entratrail-audit-logs", &span).await;
    let mail = operator.mails(1).await.remove(0);
    for words in [
        "To: ops@example.com",
        "could not read all directory audit logs",
        "stack entratrail",
        operator.stack.account(),
        "Credentials",
        "Entra refused the client secret",
        "AADSTS7000215",
        "after 2 attempts",
        "--run",
    ] {
        assert!(mail.contains(words), "{words} is not in {mail}");
    }
    assert!(!mail.contains("simulated~but.wrong") && !mail.contains('{'), "{mail}");

    // What cannot speak for itself: a program that hangs when asked to, and crashes otherwise.
    operator.pack("sign-in-logs", HANGS_OR_CRASHES);
    let deployed = operator.deploy(&operator.first_options()).await;
    assert!(
        deployed.status == 1 && deployed.output.contains("not everything works"),
        "{}",
        deployed.output
    );
    let patience = ["--timeout", "2", "--function-name", "entratrail-sign-in-logs"];
    operator.aws(&[&["lambda", "update-function-configuration"][..], &patience].concat()).await;
    operator.start("entratrail-sign-in-logs", r#"{"hang": true}"#).await;
    let timeout = operator.mails(2).await.remove(1);
    operator.start("entratrail-sign-in-logs", "{}").await;
    let crash = operator.mails(3).await.remove(2);
    for (mail, cause) in [(&timeout, "timed out after 2"), (&crash, "Runtime.ExitError")] {
        assert!(
            mail.contains("could not read all sign-in logs") && mail.contains("the run broke off"),
            "{mail}"
        );
        assert!(
            mail.contains(cause) && mail.contains("What is missing") && !mail.contains('{'),
            "{mail}"
        );
    }
}

#[tokio::test]
async fn the_schedule_starts_the_functions() {
    let operator = Operator::new().await;
    let mut options = operator.first_options();
    options.extend(["--set", "SignInSchedule=rate(1 minute)"].map(str::to_owned));
    operator.deploy(&options).await.done();
    let group = operator
        .aws(&[
            "lambda",
            "get-function",
            "--function-name",
            "entratrail-sign-in-logs",
            "--query",
            "Configuration.LoggingConfig.LogGroup",
        ])
        .await;
    let reports = async || {
        let words = [
            "logs",
            "filter-log-events",
            "--log-group-name",
            group.as_str().unwrap(),
            "--filter-pattern",
            "\"remainingWindows\"",
        ];
        operator.aws(&words).await["events"].as_array().map_or(0, Vec::len)
    };
    let at_first = reports().await;
    let started = tokio::time::timeout(std::time::Duration::from_mins(3), async {
        while reports().await == at_first {
            tokio::time::sleep(std::time::Duration::from_secs(10)).await; // each look starts a command line
        }
    });
    assert!(started.await.is_ok(), "the rule did not start the function within three minutes");
}

/// The mail that the template makes of every kind of failure, kept as files that people can read.
#[test]
fn the_text_of_every_mail_is_on_record() {
    let python = tool("python");
    let output = std::process::Command::new(python)
        .arg(checkout().join("tests/tests/deploy/render-mails.py"))
        .arg(checkout().join("template.yaml"))
        .env("AWS_DEFAULT_REGION", "eu-central-1")
        .output()
        .expect("Python starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let mails: Value = serde_json::from_slice(&output.stdout).expect("the script prints JSON");
    let count = |failures| {
        let failures: Value = serde_json::from_str(failures).expect("the file is JSON");
        failures.as_object().unwrap().len()
    };
    assert_eq!(mails.as_object().unwrap().len(), 3 * count(FAILURES) + count(FAILURES_OF_FINDINGS));
    let folder = checkout().join("tests/tests/deploy/mails");
    let mut stale = Vec::new();
    for (name, text) in mails.as_object().unwrap() {
        let text = text.as_str().unwrap();
        let file = folder.join(format!("{name}.txt"));
        if fs::read_to_string(&file).unwrap_or_default() != text {
            fs::write(&file, text).expect("the folder is writable");
            stale.push(name);
        }
    }
    assert!(
        stale.is_empty(),
        "these mails have changed and were written anew; read them, then keep them: {stale:?}"
    );
}

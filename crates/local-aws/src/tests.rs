//! Facts that every whole-stack test takes for granted, shown with a stand-in for the functions.

use std::fs::{self, Permissions};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt as _;
use std::time::Duration;

use aws_sdk_lambda::error::ProvideErrorMetadata as _;
use aws_sdk_lambda::primitives::Blob;
use aws_sdk_lambda::types::InvocationType;
use serde_json::json;

use super::emulator::{Emulator, Mode};
use super::{Function, FunctionError, Stack};

/// A Lambda function in the least Python that speaks the Runtime API.
const STAND_IN: &str = r#"
import json, os, pathlib, time, urllib.request
api = "http://" + os.environ["AWS_LAMBDA_RUNTIME_API"] + "/2018-06-01/runtime/invocation/"
while True:
    with urllib.request.urlopen(api + "next") as call:
        identity, event = call.headers["Lambda-Runtime-Aws-Request-Id"], json.load(call)
    print("event", event, flush=True)
    if "prints" in event:
        print("x" * event["prints"], flush=True)
    if "hang" in event:
        pathlib.Path(event["hang"]).touch()
        time.sleep(60)
    failed = "error" in event
    answer = {"errorType": event["error"], "errorMessage": "as asked"} if failed else dict(os.environ)
    if "answers" in event:
        answer = "x" * event["answers"]
    path = api + identity + ("/error" if failed else "/response")
    urllib.request.urlopen(path, json.dumps(answer).encode()).close()
"#;

/// More than anything here takes.
const PATIENCE: Duration = Duration::from_mins(5);

async fn deploy_stand_in(stack: &Stack) -> Function<'_> {
    let program = stack.emulator.folder.join(format!("stand-in-{}", stack.account));
    let interpreter = fs::canonicalize(Emulator::python()).expect("Python is installed");
    fs::write(&program, format!("#!{}\n{STAND_IN}", interpreter.display()))
        .expect("the folder is writable");
    fs::set_permissions(&program, Permissions::from_mode(0o755)).expect("the file is ours");
    stack.deploy_function("stand-in", &program, &[("ARCHIVE_BUCKET", "some-bucket")], 30, 128).await
}

#[tokio::test]
async fn a_function_sees_its_own_environment_and_nothing_of_the_test() {
    let stack = Stack::start().await;
    let answer = deploy_stand_in(&stack).await.invoke(&json!({})).await;
    assert_eq!((answer.status, answer.error), (200, None));
    assert_eq!(answer.payload["ARCHIVE_BUCKET"], "some-bucket");
    assert_eq!(answer.payload["AWS_ENDPOINT_URL"], stack.endpoint());
    assert_eq!(answer.payload["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"], "128");
    assert!(answer.payload.get("CARGO_MANIFEST_DIR").is_none());
}

#[tokio::test]
async fn an_event_whose_run_fails_is_run_three_times_and_every_run_is_in_the_log() {
    let stack = Stack::start().await;
    let function = deploy_stand_in(&stack).await;
    let answer = function.invoke(&json!({"error": "Incomplete"})).await;
    let error = FunctionError { error_type: "Incomplete".into(), error_message: "as asked".into() };
    assert_eq!((answer.status, answer.error), (200, Some(error)));
    assert_eq!(answer.log_tail, "event {'error': 'Incomplete'}");

    function.invoke_async(&json!({"error": "Incomplete"})).await;
    let log = function.log_after(4).await;
    assert_eq!(log.matches("event {'error': 'Incomplete'}").count(), 4, "{log}");
}

/// <https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html> and
/// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/cloudwatch_limits_cwl.html>
#[tokio::test]
async fn answers_events_and_lines_of_a_log_are_bounded() {
    const LARGEST_ANSWER: usize = 6_291_556;
    const LARGEST_EVENT: usize = 256 * 1024;
    const LARGEST_LINE: usize = 1024 * 1024;
    let stack = Stack::start().await;
    let function = deploy_stand_in(&stack).await;
    let quotes = 2;
    let answer = function.invoke(&json!({"answers": LARGEST_ANSWER - quotes})).await;
    assert_eq!(answer.error, None);
    let answer = function.invoke(&json!({"answers": LARGEST_ANSWER})).await;
    assert_eq!(answer.error.expect("it is too large").error_type, "Function.ResponseSizeTooLarge");

    let large = json!({"padding": "x".repeat(LARGEST_EVENT)});
    let event =
        stack.lambda.invoke().function_name("stand-in").payload(Blob::new(large.to_string()));
    let refused = event.invocation_type(InvocationType::Event).send().await;
    let refused = refused.expect_err("the event is too large").into_service_error();
    assert_eq!(refused.code(), Some("RequestEntityTooLargeException"));

    let slow_to_read = 64 * LARGEST_LINE; // the answer arrives first, and the log has the line all the same
    function.invoke(&json!({"prints": slow_to_read})).await;
    let log = function.log_after(3).await;
    let longest = log.lines().map(|line| line.matches('x').count()).max();
    assert_eq!(longest, Some(LARGEST_LINE));
}

#[tokio::test]
async fn a_killed_function_ends_without_an_answer_and_the_next_event_finds_a_new_one() {
    let stack = Stack::start().await;
    let function = deploy_stand_in(&stack).await;
    let hanging = stack.emulator.folder.join("hanging");
    let event = json!({"hang": hanging});
    let kill = async {
        while !hanging.exists() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        function.kill();
    };
    let invoke_and_kill = async { tokio::join!(function.invoke(&event), kill) };
    let (answer, ()) =
        tokio::time::timeout(PATIENCE, invoke_and_kill).await.expect("the event arrives");
    assert_eq!(answer.error.expect("it was killed").error_type, "Runtime.ExitError");
    assert_eq!(function.invoke(&json!({})).await.error, None);
}

#[tokio::test]
async fn stacks_use_the_same_names_without_meeting() {
    let one = Stack::start().await;
    let other = Stack::start().await;
    for (stack, value) in [(&one, "one"), (&other, "other")] {
        stack.create_bucket("archive").await;
        stack.put_secure_parameter("/entratrail/client-secret", value).await;
    }
    for (stack, value) in [(&one, "one"), (&other, "other")] {
        let ssm = aws_sdk_ssm::Client::new(stack.config());
        let request = ssm.get_parameter().name("/entratrail/client-secret").with_decryption(true);
        let answer = request.send().await.expect("the parameter is there");
        assert_eq!(answer.parameter.and_then(|parameter| parameter.value).as_deref(), Some(value));
    }
}

#[tokio::test]
async fn the_emulator_ends_with_its_owner_and_leaves_nothing() {
    let emulator = Emulator::start(Mode::Open);
    let address = emulator.endpoint.trim_start_matches("http://").to_owned();
    let folder = emulator.folder.clone();
    drop(emulator);
    let ending = async {
        while TcpStream::connect(&address).is_ok() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    assert!(tokio::time::timeout(PATIENCE, ending).await.is_ok());
    assert!(!folder.exists());
}

#[tokio::test]
async fn the_emulator_refuses_what_aws_refuses() {
    let stack = Stack::start().await;
    let script = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/refusals.py");
    let mut python = std::process::Command::new(Emulator::python());
    let ended =
        python.arg(script).args([stack.endpoint(), stack.account()]).output().expect("it starts");
    assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
}

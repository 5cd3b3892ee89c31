//! One Lambda function of a stack: deploy, invoke, read its log, kill it.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use aws_sdk_lambda::operation::invoke::builders::InvokeFluentBuilder;
use aws_sdk_lambda::primitives::Blob;
use aws_sdk_lambda::types::{Environment, FunctionCode, InvocationType, LogType, Runtime};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD as BASE64;
use serde_json::{Value, json};

use crate::Stack;
use crate::emulator::Emulator;

const ROLE: &str = "arn:aws:iam::000000000000:role/function"; // the emulator asks for one and checks nothing
/// Far longer than a run takes on a busy machine.
const LOG_PATIENCE: Duration = Duration::from_mins(5);

/// Answer to a synchronous invocation.
#[derive(Debug)]
pub struct Invocation {
    /// The HTTP status of the Invoke call: 200 also where the function failed.
    pub status: i32,
    /// Why the function failed, if it did.
    pub error: Option<FunctionError>,
    /// Result of the function, or the error as Lambda serves it.
    pub payload: Value,
    /// The last 4 KB of what this invocation printed.
    pub log_tail: String,
}

/// The two words of a failed invocation that alarms and mails are built on.
#[derive(Debug, PartialEq, Eq)]
pub struct FunctionError {
    /// The stable word, such as `Incomplete`; `Sandbox.Timedout` and `Runtime.ExitError` come from
    /// Lambda.
    pub error_type: String,
    /// The sentence for people.
    pub error_message: String,
}

/// A handle on a deployed function; it costs nothing to make and is not checked until used.
#[derive(Debug)]
pub struct Function<'stack> {
    stack: &'stack Stack,
    name: String,
}

impl<'stack> Function<'stack> {
    pub(super) fn new(stack: &'stack Stack, name: &str) -> Self {
        Self { stack, name: name.to_owned() }
    }

    /// Runs the function and waits for its answer; a call that the emulator itself refuses is a
    /// panic.
    pub async fn invoke(&self, event: &Value) -> Invocation {
        let answer = self.invocation(event).log_type(LogType::Tail).send().await;
        let answer = answer.expect("the emulator takes the invocation");
        let payload = answer.payload.map(Blob::into_inner).unwrap_or_default();
        let payload = serde_json::from_slice(&payload).expect("an answer of a function is JSON");
        let error = answer.function_error.map(|_| FunctionError::from_payload(&payload));
        let log_tail =
            BASE64.decode(answer.log_result.unwrap_or_default()).expect("the log tail is base64");
        Invocation { status: answer.status_code, error, payload, log_tail: text(&log_tail) }
    }

    /// Hands the event over as a schedule does: a run that fails is repeated twice, after 1 and 2
    /// seconds.
    pub async fn invoke_async(&self, event: &Value) {
        let answer = self.invocation(event).invocation_type(InvocationType::Event).send().await;
        assert_eq!(answer.expect("the emulator takes the event").status_code, 202);
    }

    /// Lines that the finished invocations printed, failed and repeated ones included: the first
    /// 10,000 of them.
    pub async fn log(&self) -> String {
        self.lines("").await.join("\n")
    }

    /// Waits until that many invocations have ended, however they ended, and returns the log.
    pub async fn log_after(&self, invocations: usize) -> String {
        let waiting = tokio::time::timeout(LOG_PATIENCE, async {
            while self.lines("\"REPORT RequestId\"").await.len() < invocations {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        });
        assert!(
            waiting.await.is_ok(),
            "{} has not ended {invocations} times:\n{}",
            self.name,
            self.log().await
        );
        self.log().await
    }

    /// Ends every process of this function at once, as a crash of its machine would.
    pub fn kill(&self) {
        let account = ("AWS_ACCESS_KEY_ID", self.stack.account.as_str());
        let killed = self
            .stack
            .emulator
            .kill_functions(&[account, ("AWS_LAMBDA_FUNCTION_NAME", &self.name)]);
        assert!(killed > 0, "{} cannot be killed, because no process of it runs", self.name);
    }

    pub(super) async fn deploy(
        &self,
        binary: &Path,
        environment: &[(&str, &str)],
        timeout_seconds: i32,
        memory_mb: i32,
    ) {
        let lambda = &self.stack.lambda;
        drop(lambda.delete_function().function_name(&self.name).send().await); // there need not be one
        let variables =
            environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let request = lambda
            .create_function()
            .function_name(&self.name)
            .runtime(Runtime::Providedal2023)
            .role(ROLE)
            .handler("bootstrap")
            .code(FunctionCode::builder().zip_file(Blob::new(package(binary))).build())
            .environment(Environment::builder().set_variables(Some(variables.collect())).build())
            .timeout(timeout_seconds)
            .memory_size(memory_mb);
        request.send().await.expect("the emulator creates the function");
    }

    async fn lines(&self, pattern: &str) -> Vec<String> {
        let request =
            json!({"logGroupName": format!("/aws/lambda/{}", self.name), "filterPattern": pattern});
        let answer = self.stack.call("logs", "Logs_20140328.FilterLogEvents", &request).await;
        let answer = answer.unwrap_or_default(); // there is no log group before the first invocation has ended
        let events = answer["events"].as_array().into_iter().flatten();
        events.filter_map(|event| event["message"].as_str().map(str::to_owned)).collect()
    }

    fn invocation(&self, event: &Value) -> InvokeFluentBuilder {
        self.stack.lambda.invoke().function_name(&self.name).payload(Blob::new(event.to_string()))
    }
}

impl FunctionError {
    fn from_payload(payload: &Value) -> Self {
        Self {
            error_type: payload["errorType"].as_str().unwrap_or_default().to_owned(),
            error_message: payload["errorMessage"].as_str().unwrap_or_default().to_owned(),
        }
    }
}

/// A compiled program of this workspace, which must have been built: Cargo does not build it for
/// another crate's tests.
pub fn binary(name: &str) -> PathBuf {
    let tests = std::env::current_exe().expect("a running test has a path");
    let folder = tests.parent().expect("a program lies in a folder");
    let profile = if folder.ends_with("deps") { folder.parent() } else { Some(folder) }; // tests lie in deps, the demo does not
    let binary = profile.expect("tests run in target/<profile>/deps").join(name);
    assert!(
        binary.exists(),
        "{} is missing; run cargo build --workspace (cargo test --workspace does)",
        binary.display()
    );
    binary
}

/// The zip that Lambda wants, with a `bootstrap` that becomes the binary: the emulator runs
/// functions on this machine, and sixty megabytes a deployment would take longer than most tests.
fn package(binary: &Path) -> Vec<u8> {
    const ZIP: &str = "import sys, zipfile; bootstrap = zipfile.ZipInfo('bootstrap'); \
                       bootstrap.external_attr = 0o755 << 16; zipfile.ZipFile(sys.stdout.buffer, \
                       'w').writestr(bootstrap, '#!/bin/sh\\nexec \"' + sys.argv[1] + '\"\\n')";
    let python = Command::new(Emulator::python()).args(["-c", ZIP]).arg(binary).output();
    let python = python.expect("the emulator's Python starts");
    assert!(
        python.status.success(),
        "{} cannot be packed: {}",
        binary.display(),
        text(&python.stderr)
    );
    python.stdout
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

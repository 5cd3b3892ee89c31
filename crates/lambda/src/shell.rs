//! Start-up of a function and the answers to its invocations, the same for all of them.

use chrono::{DateTime, TimeDelta, Utc};
use entratrail::error::{Error, ErrorKind};
use lambda_runtime::{Context, Diagnostic, LambdaEvent};
use serde_json::Value;
use std::fmt;
use std::time::UNIX_EPOCH;
use tracing_subscriber::filter::LevelFilter;

/// Serves invocations until Lambda ends the process.
///
/// `set_up` reads the settings, and sends nothing yet; where they cannot be used, every invocation
/// fails with the reason. `answer` answers one invocation. `log` stands beside that reason in the
/// function's log, where the function is for one.
pub async fn serve<Setup>(
    log: Option<&str>,
    set_up: impl AsyncFnOnce() -> Result<Setup, Error>,
    answer: impl AsyncFn(&Setup, LambdaEvent<Value>) -> Result<Value, Error>,
) -> Result<(), lambda_runtime::Error> {
    start_log();
    let setup = set_up().await;
    if let Err(error) = &setup {
        tracing::error!(log, remedy = error.remedy(), "{error}");
    }
    // In a box: what answers an invocation is too large a future for the stack.
    let service =
        lambda_runtime::service_fn(|event| Box::pin(invoke(setup.as_ref(), &answer, event)));
    lambda_runtime::run(service).await
}

/// Value of an environment variable of the function.
pub fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// Time at which Lambda ends the invocation.
pub fn deadline(context: &Context) -> DateTime<Utc> {
    let since_1970 = context.deadline().duration_since(UNIX_EPOCH).unwrap_or_default();
    DateTime::UNIX_EPOCH + TimeDelta::from_std(since_1970).unwrap_or_default()
}

/// Writes the lines of the log to standard output, in the format and from the level that Lambda's
/// advanced logging controls set: `AWS_LAMBDA_LOG_FORMAT` and `AWS_LAMBDA_LOG_LEVEL`.
fn start_log() {
    let level = std::env::var("AWS_LAMBDA_LOG_LEVEL").ok().and_then(|level| level.parse().ok());
    let format = std::env::var("AWS_LAMBDA_LOG_FORMAT").unwrap_or_default();
    let lines = tracing_subscriber::fmt()
        .with_max_level(level.unwrap_or(LevelFilter::INFO))
        .with_target(false)
        .without_time();
    if format.eq_ignore_ascii_case("json") {
        lines.json().init();
    } else {
        lines.init();
    }
}

async fn invoke<Setup>(
    setup: Result<&Setup, &Error>,
    answer: &impl AsyncFn(&Setup, LambdaEvent<Value>) -> Result<Value, Error>,
    event: LambdaEvent<Value>,
) -> Result<Value, Failure> {
    match setup {
        Ok(setup) => answer(setup, event).await.map_err(Failure),
        Err(error) => Err(Failure(error.clone())),
    }
}

/// Failure of an invocation, as the runtime logs and reports it.
struct Failure(Error);

impl fmt::Debug for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl From<Failure> for Diagnostic {
    /// The message becomes a line in quotation marks of a mail, in which EventBridge escapes
    /// nothing. Only the forms of an event keep theirs: they are read by whoever sent one by hand,
    /// and are copied from there.
    /// <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-transform-target-input.html>
    fn from(Failure(error): Failure) -> Self {
        let error_type = error.error_type().to_owned();
        let message = error.to_string();
        let error_message = match error.kind() {
            ErrorKind::Event => message,
            _ => message.replace('"', "'").replace(char::is_control, " "),
        };
        Self { error_type, error_message }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_for_a_mail_is_one_line_without_quotation_marks() {
        let error = Error::configuration("HISTORY_DAYS holds \"90\"\nallowed is 1 to 30");
        let diagnostic = Diagnostic::from(Failure(error));
        assert_eq!(diagnostic.error_type, "Configuration");
        assert_eq!(diagnostic.error_message, "HISTORY_DAYS holds '90' allowed is 1 to 30");
    }

    #[test]
    fn the_runtime_logs_a_failure_as_the_error_that_it_is() {
        let error = Error::event("no form");
        assert_eq!(format!("{:?}", Failure(error.clone())), format!("{error:?}"));
    }
}

//! Lambda ends a function after its timeout: the work goes on in the next invocation.

use std::time::Duration;

use entratrail_tests::stack::Function;
use serde_json::{Value, json};

use crate::days::{day, midnight};
use crate::events::event;
use crate::installation::{AUDIT_LOGS, Installation, SIGN_IN_LOGS};

/// Nine days of two pages each, which are read one window after the other.
const BACKLOG: &str = r#"
name = "a backlog"
[limits]
requests_per_10s = 0
largest_page = 50
[[volume]]
stream = "directoryAudits"
from_day = -9
per_day = 70
"#;
const DAYS: usize = 9;
const PATIENCE: Duration = Duration::from_mins(5);

/// The backlog behind a Graph where those page requests get no answer before the function has to
/// stop, however fast or slow the machine is.
fn backlog_that_hangs_at(requests: &[u64]) -> String {
    let hang = |nth| format!("[[faults.script]]\nkind = 'slow'\nnth = {nth}\nseconds = 600\n");
    BACKLOG.to_owned() + &requests.iter().map(hang).collect::<String>()
}

/// A function that stops starting work after ten of its twenty seconds.
async fn deploy_short_lived(installation: &Installation) -> Function<'_> {
    let mut settings = installation.settings();
    for (name, value) in
        [("HISTORY_DAYS", "9"), ("CONCURRENCY", "1"), ("STOP_BEFORE_DEADLINE_SECONDS", "10")]
    {
        settings.insert(name, value.to_owned());
    }
    installation.deploy_as(AUDIT_LOGS, &settings, 20).await
}

async fn windows_on_record(installation: &Installation) -> usize {
    installation.audit().await.complete_rows("directory-audits").count()
}

#[tokio::test]
async fn a_function_whose_time_runs_out_continues_itself_until_everything_is_archived() {
    let installation = Installation::of(&backlog_that_hangs_at(&[5, 10])).await;
    let function = deploy_short_lived(&installation).await;
    let first = installation.run(&function, &event("scheduled")).await;
    let read = first["windows"].as_array().unwrap().len();
    assert!(0 < read && read < DAYS, "{first}");
    assert_eq!(first["remainingWindows"], DAYS - read);

    let reading = async {
        while windows_on_record(&installation).await < DAYS {
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    };
    assert!(tokio::time::timeout(PATIENCE, reading).await.is_ok(), "{}", function.log().await);
    let audit = installation.audit().await;
    audit.assert_sound();
    assert_eq!(audit.record_count(), installation.tenant.visible().len());
    assert_eq!(installation.unfinished_uploads().await, 0);

    let log = function.log_after(3).await;
    assert!(!log.contains("timed out"), "{log}");
    let metrics = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let read: u64 = metrics.filter_map(|line| line["WindowsRead"].as_u64()).sum();
    assert_eq!(read, DAYS as u64, "no window was read twice");
}

#[tokio::test]
async fn a_span_is_continued_too_and_each_of_its_windows_is_read_once() {
    let installation = Installation::of(&backlog_that_hangs_at(&[5])).await;
    let function = deploy_short_lived(&installation).await;
    let span = json!({"from": day(6).to_string(), "to": midnight(day(0))});
    installation.run(&function, &span).await;
    let log = function.log_after(2).await;
    assert_eq!(windows_on_record(&installation).await, 6, "{log}");
    installation.audit().await.assert_sound();
}

/// Of two streams, one fails at once and the other never gets done: another hundred invocations
/// would not help.
const HOPELESS: &str = r#"
name = "a Graph that fails for one stream and answers too late for the other"
[limits]
requests_per_10s = 0
[[volume]]
stream = "interactiveUser"
from_day = -3
per_day = 20
[[volume]]
stream = "servicePrincipal"
from_day = -3
per_day = 20
[[faults.script]]
kind = "invalid_filter"
stream = "interactiveUser"
times = 1000
[[faults.script]]
kind = "slow"
stream = "servicePrincipal"
seconds = 600
times = 1000
"#;

#[tokio::test]
async fn an_invocation_that_could_read_nothing_fails_and_does_not_continue_itself() {
    let installation = Installation::of(HOPELESS).await;
    let mut settings = installation.settings();
    settings.insert("SIGN_IN_EVENT_TYPES", "interactiveUser,servicePrincipal".to_owned());
    // Five seconds to read in, and half a minute to say so.
    settings.insert("STOP_BEFORE_DEADLINE_SECONDS", "30".to_owned());
    let function = installation.deploy_as(SIGN_IN_LOGS, &settings, 35).await;
    let answer = installation.invoke(&function, &event("scheduled")).await;
    let error =
        answer.error.unwrap_or_else(|| panic!("it goes on with nothing done: {}", answer.payload));
    assert!(
        ["Graph", "Incomplete"].contains(&error.error_type.as_str()),
        "{}",
        error.error_message
    );
    assert_eq!(installation.audit().await.record_count(), 0);
}

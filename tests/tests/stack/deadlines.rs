//! Lambda ends a function after its timeout: the work goes on in the next invocation.

use std::time::Duration;

use serde_json::Value;

use crate::events::event;
use crate::installation::{AUDIT_LOGS, Installation, day, midnight};

/// Nine days of two slow pages each: nine seconds of waiting for Graph, one window after the other.
const BACKLOG: &str = r#"
name = "a backlog behind a slow Graph"
[limits]
requests_per_10s = 0
page_latency_ms = 500
[[volume]]
stream = "directoryAudits"
from_day = -9
per_day = 1100
"#;
const DAYS: usize = 9;
const PATIENCE: Duration = Duration::from_mins(1);

async fn windows_on_record(installation: &Installation) -> usize {
    installation.audit().await.complete_rows("directory-audits").count()
}

#[tokio::test]
async fn a_function_whose_time_runs_out_continues_itself_until_everything_is_archived() {
    let installation = Installation::of(BACKLOG).await;
    let mut settings = installation.settings();
    for (name, value) in [("HISTORY_DAYS", "9"), ("CONCURRENCY", "1"), ("STOP_BEFORE_DEADLINE_SECONDS", "4")] {
        settings.insert(name, value.to_owned());
    }
    let function = installation.deploy_as(AUDIT_LOGS, &settings, 8).await;
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
    let installation = Installation::of(BACKLOG).await;
    let mut settings = installation.settings();
    for (name, value) in [("HISTORY_DAYS", "9"), ("CONCURRENCY", "1"), ("STOP_BEFORE_DEADLINE_SECONDS", "4")] {
        settings.insert(name, value.to_owned());
    }
    let function = installation.deploy_as(AUDIT_LOGS, &settings, 8).await;
    let span = serde_json::json!({"from": day(6).to_string(), "to": midnight(day(0))});
    installation.run(&function, &span).await;
    let log = function.log_after(2).await;
    assert_eq!(windows_on_record(&installation).await, 6, "{log}");
    installation.audit().await.assert_sound();
}

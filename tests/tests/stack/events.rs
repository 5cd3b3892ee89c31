//! The files of `events/`, and events that no file there shows.

use std::fs;
use std::path::Path;

use chrono::{DateTime, NaiveDate, TimeDelta};
use serde_json::{Value, json};

use crate::days::day;
use crate::installation::{Installation, OFFICE, SIGN_IN_LOGS};

/// A file of `events/`, its dates moved so that `to` lies in yesterday.
pub(crate) fn event(name: &str) -> Value {
    let file =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../events").join(name).with_extension("json");
    let mut event = read(&file);
    if let Some(to) = event["to"].as_str() {
        let to: NaiveDate = to[..10].parse().unwrap();
        let shift = day(1) - to;
        for member in ["from", "to"] {
            event[member] = json!(moved(event[member].as_str().unwrap(), shift));
        }
    }
    event
}

fn moved(instant: &str, shift: TimeDelta) -> String {
    match instant.parse::<NaiveDate>() {
        Ok(date) => (date + shift).to_string(),
        Err(_) => (instant.parse::<DateTime<chrono::Utc>>().unwrap() + shift).to_rfc3339(),
    }
}

fn read(file: &Path) -> Value {
    let text =
        fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

#[tokio::test]
async fn an_event_of_no_known_form_is_answered_with_all_forms() {
    let installation = Installation::of(OFFICE).await;
    let function = installation.deploy(SIGN_IN_LOGS).await;
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/stack/bad-events");
    let files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(files.len() >= 10);
    for file in files {
        let error = installation.fail(&function, &read(&file)).await;
        assert_eq!(error.error_type, "Event", "{}", file.display());
        for form in ["EventBridge scheduled event", "\"from\"", "\"to\"", "\"dryRun\"", "\"check\""]
        {
            assert!(
                error.error_message.contains(form),
                "{}: {}",
                file.display(),
                error.error_message
            );
        }
    }
    assert!(installation.objects().await.is_empty());
    assert!(installation.tenant.requests().is_empty());
}

#[tokio::test]
async fn a_span_that_cannot_be_read_is_named_and_nothing_is_read() {
    let installation = Installation::of(OFFICE).await;
    let function = installation.deploy(SIGN_IN_LOGS).await;
    let (yesterday, today) = (day(1).to_string(), day(0).to_string());
    for (from, to, named) in [
        (today.clone(), yesterday.clone(), "empty"),
        (yesterday.clone(), yesterday.clone(), "empty"),
        (format!("{yesterday}T00:01:00Z"), today.clone(), "5-minute boundary"),
        (yesterday.clone(), "2026-02-30".to_owned(), "\"to\" of the event holds 10 characters"),
        ("yesterday".to_owned(), today, "\"from\" of the event holds 9 characters"),
        (day(-2).to_string(), day(-3).to_string(), "future"),
        (day(90).to_string(), day(60).to_string(), "HISTORY_DAYS"),
    ] {
        let error = installation.fail(&function, &json!({"from": from, "to": to})).await;
        assert_eq!(error.error_type, "Event", "{from} to {to}");
        assert!(error.error_message.contains(named), "{from} to {to}: {}", error.error_message);
    }
    assert!(installation.objects().await.is_empty());
    assert_eq!(installation.page_requests(), 0);
}

#[tokio::test]
async fn the_plan_of_the_shortest_windows_fits_into_an_answer_and_leaves_one_line() {
    let installation = Installation::of(OFFICE).await;
    let changes = [("WINDOW_MINUTES", "5"), ("HISTORY_DAYS", "30")];
    let function = installation.deploy_with(SIGN_IN_LOGS, &changes).await;
    let answer = installation.invoke(&function, &json!({"dryRun": true})).await;
    assert_eq!(answer.error, None);
    let plan = answer.payload;
    assert!(plan.to_string().len() < 256 * 1024, "{}", plan.to_string().len());
    assert_eq!(plan["windows"].as_array().unwrap().len(), 100);
    let counts = plan["windowCounts"].as_object().unwrap();
    assert_eq!(counts.len(), 4, "{counts:?}");
    let windows: u64 = counts.values().map(|count| count["missing"].as_u64().unwrap()).sum();
    assert_eq!(plan["remainingWindows"], windows);
    assert!(windows > 30_000, "{windows}");
    let log = function.log_after(1).await;
    assert!(!log.contains("windowCounts"), "{log}");
    assert_eq!(log.lines().filter(|line| line.contains("planned")).count(), 1, "{log}");
}

#[tokio::test]
async fn a_span_that_is_read_by_hand_is_no_daily_run() {
    let installation = Installation::of(OFFICE).await;
    let function = installation.deploy(SIGN_IN_LOGS).await;
    installation
        .run(&function, &json!({"from": day(1).to_string(), "to": day(0).to_string()}))
        .await;
    let log = function.log_after(1).await;
    assert!(log.contains("WindowsRead") && !log.contains("Succeeded"), "{log}");
    installation.run(&function, &event("scheduled")).await;
    assert!(function.log_after(2).await.contains("\"Succeeded\":1"));
}

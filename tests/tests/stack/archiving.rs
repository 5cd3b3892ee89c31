//! The daily run: what is in the bucket, in the report and in the log after it.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read as _;

use flate2::read::MultiGzDecoder;
use serde_json::{Value, json};

use crate::days::day;
use crate::events::event;
use crate::installation::{AUDIT_LOGS, HISTORY_DAYS, Installation, OFFICE, SIGN_IN_LOGS};

const REPORT_MEMBERS: [&str; 10] = [
    "log",
    "windows",
    "served",
    "new",
    "changed",
    "requests",
    "throttled",
    "retries",
    "remainingWindows",
    "durationMs",
];
const WINDOW_MEMBERS: [&str; 10] =
    ["stream", "start", "end", "read", "served", "new", "changed", "state", "key", "error"];

#[tokio::test]
async fn both_functions_archive_every_record_byte_for_byte_and_once() {
    let installation = Installation::of(OFFICE).await;
    for name in [SIGN_IN_LOGS, AUDIT_LOGS] {
        let function = installation.deploy(name).await;
        installation.run(&function, &event("scheduled")).await;
    }
    installation.audit().await.assert_sound();

    let mut lines = raw_lines(&installation.objects().await);
    lines.sort_unstable();
    for served in [installation.tenant.served(), installation.visible(|_| true)] {
        let mut served: Vec<_> = served.iter().map(|record| record.json.to_string()).collect();
        served.sort_unstable();
        assert!(lines == served, "{} lines for {} records", lines.len(), served.len());
    }
}

#[tokio::test]
async fn an_object_is_named_after_log_stream_day_window_and_read() {
    let installation = Installation::of(OFFICE).await;
    for name in [SIGN_IN_LOGS, AUDIT_LOGS] {
        let function = installation.deploy(name).await;
        installation.run(&function, &event("scheduled")).await;
    }
    let mut expected = BTreeSet::new();
    for days_ago in 1..=HISTORY_DAYS {
        let day = day(days_ago);
        for event_type in
            ["interactiveUser", "nonInteractiveUser", "servicePrincipal", "managedIdentity"]
        {
            let folder = format!("sign-ins/event_type={event_type}");
            expected.insert(format!("raw/{folder}/day={day}/0000-2400.r1.ndjson.gz"));
            expected.insert(format!("ledger/{folder}/day={day}.ndjson"));
        }
        expected.insert(format!("raw/directory-audits/day={day}/0000-2400.r1.ndjson.gz"));
        expected.insert(format!("ledger/directory-audits/day={day}.ndjson"));
    }
    let keys = installation.objects().await.into_keys();
    let keys: BTreeSet<_> = keys.filter(|key| !key.starts_with("tables/")).collect();
    assert_eq!(keys, expected);
}

#[tokio::test]
async fn the_report_agrees_with_the_bucket() {
    let installation = Installation::of(OFFICE).await;
    let function = installation.deploy(SIGN_IN_LOGS).await;
    let report = installation.run(&function, &event("scheduled")).await;
    for member in REPORT_MEMBERS {
        assert!(!report[member].is_null(), "{member} is missing in {report}");
    }
    let audit = installation.audit().await;
    let windows = report["windows"].as_array().unwrap();
    for window in windows {
        let members = window.as_object().unwrap();
        assert!(WINDOW_MEMBERS.iter().all(|member| members.contains_key(*member)), "{window}");
        let of_window = |row: &&Value| row["window_start"] == window["start"];
        let row = audit.complete_rows(window["stream"].as_str().unwrap()).find(of_window).unwrap();
        for member in ["read", "served", "new", "changed", "key"] {
            assert_eq!(window[member], row[member], "{member}");
        }
        assert_eq!((&window["state"], &window["error"]), (&json!("before"), &Value::Null));
    }
    let complete_rows: usize =
        audit.rows.keys().map(|stream| audit.complete_rows(stream).count()).sum();
    assert_eq!(windows.len(), complete_rows);
    assert_eq!(report["log"], "sign-ins");
    assert_eq!(report["new"], audit.record_count());
    assert_eq!(report["served"], installation.tenant.served().len());
    assert_eq!(report["requests"], installation.page_requests());
    assert_eq!(report["remainingWindows"], 0);
}

#[tokio::test]
async fn the_log_holds_the_report_and_one_line_of_metrics() {
    let installation = Installation::of(OFFICE).await;
    let function = installation.deploy(AUDIT_LOGS).await;
    let report = installation.run(&function, &event("scheduled")).await;
    let log = function.log_after(1).await;

    let metrics: Vec<Value> =
        log.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let metrics: Vec<_> = metrics.iter().filter(|line| line.get("_aws").is_some()).collect();
    assert_eq!(metrics.len(), 1, "{log}");
    assert_eq!(metrics[0]["FunctionName"], AUDIT_LOGS);
    assert_eq!(
        (&metrics[0]["Succeeded"], &metrics[0]["WindowsRead"]),
        (&json!(1), &json!(HISTORY_DAYS))
    );
    assert_eq!(metrics[0]["RecordsNew"], report["new"]);

    let names_report =
        |line: &&str| line.contains("durationMs") && line.contains("remainingWindows");
    assert_eq!(
        log.lines().filter(names_report).count(),
        1,
        "no line of the log is the report:\n{log}"
    );
}

#[tokio::test]
async fn a_second_run_has_nothing_left_to_read() {
    let installation = Installation::of(OFFICE).await;
    let function = installation.deploy(SIGN_IN_LOGS).await;
    installation.run(&function, &event("scheduled")).await;
    let (objects, requests) = (installation.objects().await, installation.page_requests());

    let report = installation.run(&function, &event("scheduled")).await;
    assert_eq!((&report["windows"], &report["remainingWindows"]), (&json!([]), &json!(0)));
    assert_eq!(report["requests"], 0);
    assert_eq!(installation.page_requests(), requests);
    assert!(installation.objects().await == objects);
}

/// The lines of all raw objects.
fn raw_lines(objects: &BTreeMap<String, Vec<u8>>) -> Vec<String> {
    let raw = objects.iter().filter(|(key, _)| key.starts_with("raw/"));
    let mut lines = Vec::new();
    for (key, body) in raw {
        let mut text = String::new();
        MultiGzDecoder::new(&body[..])
            .read_to_string(&mut text)
            .unwrap_or_else(|error| panic!("{key}: {error}"));
        lines.extend(text.lines().map(str::to_owned));
    }
    lines
}

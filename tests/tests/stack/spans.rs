//! Runs for a span, and runs that only plan.

use serde_json::{Value, json};

use crate::days::day;
use crate::events::event;
use crate::installation::{AUDIT_LOGS, HISTORY_DAYS, Installation, OFFICE, SIGN_IN_LOGS};

/// The bounds of the windows of a report, in the order of time.
fn spans(report: &Value) -> Vec<(String, String)> {
    let text = |window: &Value, member: &str| window[member].as_str().unwrap().to_owned();
    let windows = report["windows"].as_array().unwrap().iter();
    let mut spans: Vec<_> =
        windows.map(|window| (text(window, "start"), text(window, "end"))).collect();
    spans.sort_unstable(); // windows are reported in the order in which their reads end
    spans
}

fn at(days_ago: i64, time: &str) -> String {
    format!("{}T{time}:00Z", day(days_ago))
}

#[tokio::test]
async fn a_span_is_read_and_nothing_beside_it() {
    let installation = Installation::of(OFFICE).await;
    let function = installation.deploy(AUDIT_LOGS).await;
    let report = installation.run(&function, &event("span")).await;
    let expected = [(at(2, "00:00"), at(1, "00:00")), (at(1, "00:00"), at(1, "12:00"))];
    assert_eq!(spans(&report), expected);
    assert_eq!(report["remainingWindows"], 0);

    let audit = installation.audit().await;
    audit.assert_sound();
    assert!(audit.record_count() > 0);
    assert_eq!(report["new"], audit.record_count());

    let rest = installation.run(&function, &event("scheduled")).await;
    let expected = [(at(3, "00:00"), at(2, "00:00")), (at(1, "12:00"), at(0, "00:00"))];
    assert_eq!(spans(&rest), expected, "a scheduled run fills exactly what the span left");
    installation.audit().await.assert_sound();
}

#[tokio::test]
async fn two_reads_in_quick_succession_prove_nothing() {
    let installation = Installation::of(OFFICE).await;
    let function = installation.deploy(SIGN_IN_LOGS).await;
    let first = installation.run(&function, &event("span")).await;
    let second = installation.run(&function, &event("span")).await;
    assert_eq!(spans(&first), spans(&second));
    assert_eq!(second["new"], 0);
    for window in second["windows"].as_array().unwrap() {
        assert_eq!(window["state"], "before", "{window}");
        assert!(window["reason"].is_string(), "{window}");
        assert_eq!((&window["read"], &window["key"]), (&json!(2), &Value::Null));
    }
    installation.audit().await.assert_sound();
}

#[tokio::test]
async fn a_dry_run_lists_the_plan_and_asks_neither_entra_nor_graph() {
    let installation = Installation::of(OFFICE).await;
    let function = installation.deploy(SIGN_IN_LOGS).await;
    let days = 4 * usize::try_from(HISTORY_DAYS).unwrap();
    for (name, windows) in [("dry-run", days), ("dry-run-span", 4)] {
        let plan = installation.run(&function, &event(name)).await;
        assert_eq!(spans(&plan).len(), windows, "{name}");
        assert_eq!(plan["remainingWindows"], windows, "{name}");
        for window in plan["windows"].as_array().unwrap() {
            assert_eq!((&window["read"], &window["state"]), (&json!(1), &json!("missing")));
        }
    }
    assert!(installation.tenant.requests().is_empty());
    assert!(installation.objects().await.is_empty());
}

#[tokio::test]
async fn a_dry_run_of_a_finished_archive_plans_nothing() {
    let installation = Installation::of(OFFICE).await;
    let function = installation.deploy(AUDIT_LOGS).await;
    installation.run(&function, &event("scheduled")).await;
    let objects = installation.objects().await;
    let plan = installation.run(&function, &event("dry-run")).await;
    assert_eq!((&plan["windows"], &plan["remainingWindows"]), (&json!([]), &json!(0)));
    let again = installation.run(&function, &event("dry-run-span")).await;
    assert_eq!(spans(&again), [(at(2, "00:00"), at(1, "00:00"))]);
    assert_eq!(
        (&again["windows"][0]["read"], &again["windows"][0]["state"]),
        (&json!(2), &json!("before"))
    );
    assert!(installation.objects().await == objects);
}

//! The lines that a run leaves in the function's log: its report, and its numbers in the line
//! format from which CloudWatch makes metrics.

use chrono::{DateTime, Utc};
use entratrail::report::{Report, Vitals};
use serde_json::{Value, json};
use std::io::Write as _;

/// Prints a line: a report, which has no other place where a run failed, or the metrics, which
/// Lambda hands to CloudWatch without a permission of the function.
pub fn print(line: &Value) {
    // A closed standard output is no reason to fail a run that has stored everything.
    let _ = writeln!(std::io::stdout().lock(), "{line}");
}

/// The metrics of a run as one line in embedded metric format.
/// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html>
pub fn line(report: &Report, vitals: Vitals, function_name: &str, now: DateTime<Utc>) -> Value {
    let failed = report.failed_windows();
    let late: u64 = report
        .windows
        .iter()
        .filter(|w| w.read > 1)
        .map(|window| window.new - window.changed)
        .sum();
    let waiting = report.evidence.as_ref().and_then(|evidence| evidence.waiting);
    let numbers = [
        ("WindowsRead", "Count", Some(json!(report.read_windows()))),
        ("WindowsFailed", "Count", Some(json!(failed))),
        ("WindowsExpired", "Count", Some(json!(report.expired_windows()))),
        ("RecordsNew", "Count", Some(json!(report.new))),
        ("RecordsLate", "Count", Some(json!(late))),
        ("RecordsChanged", "Count", Some(json!(report.changed))),
        ("Throttled", "Count", Some(json!(report.throttled))),
        ("OldestUnverifiedHours", "None", vitals.oldest_unverified_hours.map(Value::from)),
        ("CredentialDaysLeft", "None", vitals.credential_days_left.map(Value::from)),
        ("EvidenceWaiting", "Count", waiting.map(Value::from)),
        ("Succeeded", "Count", vitals.succeeded.map(|succeeded| json!(u8::from(succeeded)))),
    ];
    embedded(&numbers, &[("FunctionName", function_name), ("Log", report.log)], now)
}

/// Numbers with their names and units as one line in embedded metric format; those without a value
/// are left out.
pub fn embedded(
    numbers: &[(&str, &str, Option<Value>)],
    dimensions: &[(&str, &str)],
    now: DateTime<Utc>,
) -> Value {
    let known =
        || numbers.iter().filter_map(|(name, unit, value)| Some((*name, *unit, value.as_ref()?)));
    let definitions: Vec<_> =
        known().map(|(name, unit, _)| json!({"Name": name, "Unit": unit})).collect();
    let names: Vec<_> = dimensions.iter().map(|(name, _)| *name).collect();
    let mut line = json!({
        "_aws": {
            "Timestamp": now.timestamp_millis(),
            "CloudWatchMetrics": [{
                "Namespace": "EntraTrail",
                "Dimensions": [names],
                "Metrics": definitions,
            }],
        },
    });
    for (name, value) in dimensions {
        line[*name] = json!(value);
    }
    for (name, _, value) in known() {
        line[name] = value.clone();
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;
    use entratrail::ledger::State;
    use entratrail::log::{Log, Stream};
    use entratrail::report::WindowReport;

    #[test]
    fn the_line_defines_every_metric_that_it_carries() {
        let now = "2026-11-23T01:15:00Z".parse().unwrap();
        let mut report = Report::new(Log::DirectoryAudits);
        let unread = WindowReport::unread(Stream::DirectoryAudits, now, now, 2, State::Open);
        report.add(WindowReport { served: 9, new: 5, changed: 2, ..unread.clone() });
        report.add(WindowReport { error: Some("no".to_owned()), ..unread });
        let vitals = Vitals {
            oldest_unverified_hours: Some(26),
            credential_days_left: None,
            succeeded: Some(false),
        };
        let line = line(&report, vitals, "audit", now);
        let definition = &line["_aws"]["CloudWatchMetrics"][0];
        let names: Vec<_> = definition["Metrics"]
            .as_array()
            .unwrap()
            .iter()
            .map(|m| m["Name"].as_str().unwrap())
            .collect();
        assert_eq!(
            names,
            [
                "WindowsRead",
                "WindowsFailed",
                "WindowsExpired",
                "RecordsNew",
                "RecordsLate",
                "RecordsChanged",
                "Throttled",
                "OldestUnverifiedHours",
                "Succeeded"
            ]
        );
        assert!(names.iter().all(|name| line[*name].is_number()));
        assert!(
            definition["Dimensions"][0]
                .as_array()
                .unwrap()
                .iter()
                .all(|name| line[name.as_str().unwrap()].is_string())
        );
        assert_eq!(
            (&line["RecordsLate"], &line["RecordsChanged"], &line["Succeeded"]),
            (&json!(3), &json!(2), &json!(0))
        );
        assert_eq!(line["_aws"]["Timestamp"], json!(1_795_396_500_000_u64));
    }
}

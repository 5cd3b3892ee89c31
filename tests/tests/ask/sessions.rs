//! A session's story: what happened in it, over sign-ins and changes to the directory.

use chrono::{Days, NaiveTime, Utc};
use entratrail::log::{EventType, Stream};
use entratrail_tests::stack::binary;
use serde_json::{Value, json};
use std::process::Command;

use crate::made::Made;
use crate::questions::{answers_of_duckdb, rows_of_the_command};

const MOVED: &str = "moved' OR '1'='1";

fn add_sign_in(made: &mut Made, at: (u32, u32), session: &str, own: &Value) {
    let mut record = json!({
        "userPrincipalName": "ann@contoso.example", "userId": "ANN", "sessionId": session,
        "appDisplayName": "Office 365", "resourceDisplayName": "Microsoft Graph",
        "uniqueTokenIdentifier": "token-1", "status": {"errorCode": 0}
    });
    record.as_object_mut().unwrap().extend(own.as_object().unwrap().clone());
    add(made, Stream::SignIns(EventType::NonInteractiveUser), at, record);
}

fn add_audit(made: &mut Made, at: (u32, u32), activity: &str, links: &Value) {
    let record = json!({
        "activityDisplayName": activity, "category": "UserManagement", "result": "success",
        "initiatedBy": {
            "user": {"id": "ANN", "userPrincipalName": "ann@contoso.example"},
            "linkableIdentifiers": links
        },
        "targetResources": [
            {"id": "ben", "type": "User", "userPrincipalName": "ben@contoso.example"}
        ]
    });
    add(made, Stream::DirectoryAudits, at, record);
}

fn add(made: &mut Made, stream: Stream, (hour, minute): (u32, u32), record: Value) {
    let day = Utc::now().date_naive() - Days::new(2);
    let time = NaiveTime::from_hms_opt(hour, minute, 0).unwrap();
    made.add(stream, day.and_time(time).and_utc(), record);
}

/// One session in Berlin and an hour later elsewhere, where somebody is given a way in with it; and
/// what is like it, in other sessions.
fn archive() -> Made {
    let mut made = Made::empty();
    let [berlin, elsewhere] = [
        ("198.51.100.7", 64500, "DE", "Windows10", "Laptop"),
        ("203.0.113.9", 64999, "IS", "Linux", ""),
    ]
    .map(|(address, network, country, system, device)| {
        json!({
            "ipAddress": address, "autonomousSystemNumber": network,
            "location": {"countryOrRegion": country},
            "deviceDetail": {"operatingSystem": system, "deviceId": device}
        })
    });
    add_sign_in(&mut made, (8, 0), MOVED, &berlin);
    add_sign_in(&mut made, (8, 10), MOVED, &elsewhere);
    add_sign_in(&mut made, (8, 20), "another", &berlin);
    let of_the_session = json!({
        "sessionId": MOVED, "deviceId": "LAPTOP",
        "tokenDetails": {"uniqueTokenIdentifier": "token-2"}
    });
    add_audit(&mut made, (8, 15), "Reset password", &of_the_session);
    add_audit(&mut made, (8, 16), "Update user", &json!({"sessionId": "a third"}));
    add_audit(&mut made, (8, 17), "Update user", &Value::Null);
    made
}

#[test]
fn a_session_is_told_over_both_logs_and_the_report_tells_those_that_moved() {
    let mut made = archive();
    let folder = made.write();
    let question = "What was changed in which session?";
    let of_duckdb = &answers_of_duckdb(&folder, &[])[question];
    assert_eq!(of_duckdb, &rows_of_the_command(&folder, question, &[]));
    let members = |row: &Value| {
        ["session_id", "changes", "one_change", "sign_ins", "tokens", "devices", "addresses"]
            .map(|name| row[name].clone())
    };
    let found: Vec<_> = of_duckdb.iter().map(members).collect();
    let expected = [
        [json!("a third"), json!(1), json!("Update user"), json!(0), json!(0), json!(0), json!(0)],
        [json!(MOVED), json!(1), json!("Reset password"), json!(2), json!(2), json!(1), json!(2)],
    ];
    assert_eq!(found, expected);

    let mut report = Command::new(binary("entratrail"));
    report.args(["report", "--format", "json", "--archive"]).arg(&folder);
    let report = report.output().unwrap();
    let report: Value = serde_json::from_slice(&report.stdout).unwrap();
    let [session] = report["sessions"].as_array().unwrap().as_slice() else {
        panic!("{}", report["sessions"])
    };
    assert_eq!(session["session"], MOVED);
    assert_eq!(session["findings"], json!(["Which sessions are used in two places at once?"]));
    let events: Vec<_> = session["events"].as_array().unwrap().iter().collect();
    let told: Vec<_> = events
        .iter()
        .map(|event| ["what", "target", "country"].map(|name| event[name].as_str().unwrap_or("")))
        .collect();
    let expected = [
        ["Office 365", "Microsoft Graph", "DE"],
        ["Office 365", "Microsoft Graph", "IS"],
        ["Reset password", "ben@contoso.example", ""],
    ];
    assert_eq!(told, expected);
    assert_eq!(session["found"], 3);
}

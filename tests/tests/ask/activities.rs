//! Activities of directory audits that each question selects, of those that Microsoft lists.
//!
//! `activities.txt` has the names of Microsoft's list, without those of B2C, of exports of personal
//! data and of what only reads; `selected.txt` what each question makes of them. A difference is
//! written there and fails once, so that somebody reads it.

use std::fmt::Write as _;

use chrono::{Days, NaiveTime, TimeDelta, Utc};
use entratrail::log::Stream;
use serde_json::{Value, json};

use crate::catalogue::checkout;
use crate::made::Made;
use crate::questions::whole_answers_of_duckdb;

/// Audits of each activity, so that questions that count see enough.
const OF_EACH: usize = 12;

/// Properties that questions look at, each with a change that matters to one.
fn properties() -> Value {
    let property = |name: &str, old: &str, new: &str| json!({"displayName": name, "oldValue": old, "newValue": new});
    json!([
        property("Role.DisplayName", "", "\"Global Administrator\""),
        property("KeyDescription", "[]", "[\"[KeyIdentifier=1,KeyType=Password]\"]"),
        property("ConsentAction.Permissions", "", "Scope: Mail.ReadWrite"),
        property("ConditionalAccessPolicy", "{\"state\":\"enabled\"}", "{\"state\":\"disabled\"}"),
        property("AppAddress", "[\"https://a.example\"]", "[\"https://b.example\"]"),
        property("MembershipRule", "[\"a\"]", "[\"b\"]"),
        property("UserType", "[\"Guest\"]", "[\"Member\"]"),
        property("SourceAnchor", "[]", "[\"AAAA\"]"),
    ])
}

fn audit(activity: &str, author: &str, number: usize) -> Value {
    let target = format!("{author}-target{number}");
    json!({
        "activityDisplayName": activity, "category": "Any", "result": "success",
        "loggedByService": "Core Directory",
        "initiatedBy": {"user": {"id": author, "userPrincipalName": format!("{author}@contoso.example")}},
        "targetResources": [{
            "id": target, "type": "User", "userPrincipalName": format!("{target}#EXT#@contoso.example"),
            "modifiedProperties": properties()
        }]
    })
}

/// The first day of each activity's audits lies alone, so that none makes a sequence with another.
fn made(activities: &[&str]) -> Made {
    let mut made = Made::empty();
    let first = Utc::now().date_naive() - Days::new(3);
    for (index, activity) in activities.iter().enumerate() {
        for number in 0..OF_EACH {
            let minutes = i64::try_from(number).expect("a small number");
            let time = first.and_time(NaiveTime::MIN).and_utc() + TimeDelta::minutes(minutes);
            made.add(
                Stream::DirectoryAudits,
                time,
                audit(activity, &format!("author{index}"), number),
            );
        }
    }
    let sign_in = Stream::all()[0];
    made.add(sign_in, first.and_time(NaiveTime::MIN).and_utc(), json!({}));
    made
}

#[test]
fn the_activities_that_each_question_selects_were_reviewed() {
    let list = checkout().join("tests/tests/ask/activities.txt");
    let list = std::fs::read_to_string(list).expect("the list is there");
    let activities: Vec<&str> = list.lines().collect();
    let mut made = made(&activities);
    let folder = made.write();
    let mut selected = String::new();
    for (question, rows) in whole_answers_of_duckdb(&folder) {
        let rows: Vec<String> = rows.iter().map(Value::to_string).collect();
        let is_selected = |author: &str| {
            let mark = format!("\"{author}@contoso.example\"");
            rows.iter().any(|row| row.contains(&mark))
        };
        let names = activities
            .iter()
            .enumerate()
            .filter(|(index, _)| is_selected(&format!("author{index}")));
        let names = names.map(|(_, name)| format!("    {name}\n")).collect::<Vec<_>>().concat();
        let is_narrow = names.lines().count() < activities.len();
        if !names.is_empty() && is_narrow {
            let _ = write!(selected, "{question}\n{names}");
        }
    }
    let kept = checkout().join("tests/tests/ask/selected.txt");
    let before = std::fs::read_to_string(&kept).unwrap_or_default();
    std::fs::write(&kept, &selected).expect("the checkout is ours");
    assert!(before == selected, "read the difference in {}", kept.display());
}

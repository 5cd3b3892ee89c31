//! Each question finds its story, leaves its look-alikes alone, and few others find it.
//!
//! A story is `tests/stories/QUESTION.toml`: records that the question finds, look-alikes that it
//! does not, and what some rows say. In a record `{d}` is the domain of the story, `{net}` its
//! network of addresses, `{n}` counts repetitions, `{2 days ago}` is that date; whatever a record
//! does not say is that of an ordinary one.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Days, NaiveTime, TimeDelta, Utc};
use entratrail::log::{EventType, Stream};
use entratrail_questions::{Question, Severity, questions};
use serde_json::{Value, json};
use toml::Table;

use crate::catalogue::checkout;
use crate::made::{Made, merged};
use crate::questions::{answers_of_duckdb, rows_of_the_command};

/// Questions beside its own that may find a story.
const MOST_OTHERS: usize = 2;

/// The settings of every story.
pub(crate) const SETTINGS: [(&str, &str); 3] = [
    ("BreakGlassAccounts", "emergency@break-glass.example"),
    ("TrustedNetworks", "192.0.2."),
    ("ImportantApplications", "00000000-feed-4000-8000-000000000001"),
];

/// Records of a story, or of its look-alikes.
struct Cast {
    domain: String,
    network: String,
}

impl Cast {
    fn of(story: &str, number: usize) -> Self {
        Self { domain: format!("{story}.example"), network: format!("10.{number}.0") }
    }

    fn fill(&self, text: &str, repetition: usize) -> String {
        let today = Utc::now().date_naive();
        let date = |ago: u64| (format!("{{{ago} days ago}}"), (today - Days::new(ago)).to_string());
        let text = (0..31)
            .map(date)
            .fold(text.to_owned(), |text, (mark, date)| text.replace(&mark, &date));
        text.replace("{d}", &self.domain)
            .replace("{net}", &self.network)
            .replace("{n}", &repetition.to_string())
    }

    /// Whether a row tells of it: its domain or its network stands in there, and not as a part of
    /// another one's.
    fn is_in(&self, row: &Value) -> bool {
        let text = row.to_string();
        [self.domain.clone(), format!("{}.", self.network)].iter().any(|mark| {
            text.match_indices(mark.as_str()).any(|(place, _)| {
                let before = text[..place].chars().next_back();
                before
                    .is_none_or(|letter| !letter.is_ascii_alphanumeric() && !"-.".contains(letter))
            })
        })
    }

    fn add(&self, made: &mut Made, records: &[toml::Value]) {
        for record in records {
            let record = record.as_table().expect("a record is a table");
            for repetition in 0..number(record, "times").unwrap_or(1) {
                self.add_one(made, record, repetition);
            }
        }
    }

    fn add_one(&self, made: &mut Made, record: &Table, repetition: i64) {
        let time = time_of(record, repetition);
        let repetition = usize::try_from(repetition).expect("a story counts up");
        let fill = |text: &str| -> Value {
            let text = self.fill(text, repetition);
            serde_json::from_str(&text).unwrap_or_else(|error| panic!("{text}: {error}"))
        };
        let text = |key| record.get(key).and_then(toml::Value::as_str);
        match (text("sign_in"), text("audit")) {
            (Some(own), None) => {
                let stream = text("stream").unwrap_or("interactiveUser");
                let is_meant = |event_type: &EventType| event_type.name() == stream;
                let event_type = EventType::ALL.into_iter().find(is_meant).expect("a stream");
                let whole = merged(&fill(&ordinary_sign_in()), &fill(own));
                made.add(Stream::SignIns(event_type), time, whole);
            }
            (None, Some(own)) => {
                made.add(
                    Stream::DirectoryAudits,
                    time,
                    merged(&fill(&ordinary_audit()), &fill(own)),
                );
            }
            _ => panic!("{record}: neither a sign-in nor an audit"),
        }
    }
}

fn number(record: &Table, key: &str) -> Option<i64> {
    record.get(key).and_then(toml::Value::as_integer)
}

fn time_of(record: &Table, repetition: i64) -> DateTime<Utc> {
    let day = number(record, "day").expect("a record says how many days ago it was");
    let at = record.get("at").and_then(toml::Value::as_str).unwrap_or("09:00:00");
    let at = NaiveTime::parse_from_str(at, "%H:%M:%S").expect("a time of the day");
    let date = Utc::now().date_naive() - Days::new(u64::try_from(day).expect("days ago"));
    let every = number(record, "every").unwrap_or(60);
    date.and_time(at).and_utc() + TimeDelta::seconds(every * repetition)
}

/// A sign-in in which nothing happens.
fn ordinary_sign_in() -> String {
    json!({
        "userPrincipalName": "ann@{d}", "userId": "ann_{d}", "userType": "member",
        "appDisplayName": "Office 365 {d}", "appId": "00000000-aaaa-4000-8000-000000000001",
        "resourceDisplayName": "Office 365", "resourceId": "00000000-bbbb-4000-8000-000000000001",
        "ipAddress": "{net}.10", "autonomousSystemNumber": 64500,
        "location": {
            "city": "Berlin", "countryOrRegion": "DE",
            "geoCoordinates": {"latitude": 52.5, "longitude": 13.4}
        },
        "status": {"errorCode": 0}, "clientAppUsed": "Browser",
        "userAgent": "Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/126.0",
        "deviceDetail": {"deviceId": "laptop_{d}", "operatingSystem": "Windows10", "isManaged": true},
        "authenticationRequirement": "multiFactorAuthentication", "conditionalAccessStatus": "success",
        "riskState": "none", "riskLevelAggregated": "none", "riskLevelDuringSignIn": "none",
        "homeTenantId": "00000000-cccc-4000-8000-000000000001",
        "resourceTenantId": "00000000-cccc-4000-8000-000000000001", "crossTenantAccessType": "none"
    })
    .to_string()
}

/// A change to a user by an administrator, short of its activity.
fn ordinary_audit() -> String {
    json!({
        "category": "UserManagement", "result": "success", "loggedByService": "Core Directory",
        "initiatedBy": {"user": {
            "id": "admin_{d}", "userPrincipalName": "admin@{d}", "ipAddress": "{net}.9"
        }},
        "targetResources": [{
            "id": "ann_{d}", "type": "User", "userPrincipalName": "ann@{d}", "displayName": null,
            "modifiedProperties": []
        }]
    })
    .to_string()
}

/// A question's story.
pub(crate) struct Story {
    question: Question,
    found: Cast,
    alike: Cast,
    /// Members of rows that tell it.
    rows: Vec<Value>,
}

impl Story {
    /// Members that no row of `answer` has.
    fn untold<'story>(&'story self, answer: &[Value]) -> Option<&'story Value> {
        let tells = |row: &Value, members: &Value| merged(row, members) == *row;
        self.rows.iter().find(|members| !answer.iter().any(|row| tells(row, members)))
    }
}

/// Text that a row has to hold, in JSON.
fn filled(cast: &Cast, members: &toml::Value) -> Value {
    let text = cast.fill(members.as_str().expect("a row is JSON text"), 0);
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// All stories in one archive: people, addresses and names of one are nobody else's.
pub(crate) fn told() -> (Made, Vec<Story>) {
    let mut made = Made::empty();
    // No technique: trouble in the ledger, where no record tells a story.
    let looking = questions().into_iter().filter(|question| {
        question.severity != Severity::Overview && !question.techniques.is_empty()
    });
    let stories = looking.enumerate().map(|(number, question)| {
        let path = checkout().join(format!("tests/stories/{}.toml", question.id));
        let text = std::fs::read_to_string(&path);
        let text = text.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let told: Table =
            text.parse().unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let records =
            |key: &str| told.get(key).and_then(toml::Value::as_array).cloned().unwrap_or_default();
        let found = Cast::of(&question.id, number + 1);
        let alike = Cast::of(&format!("{}-alike", question.id), number + 101);
        assert!(!records("found").is_empty() && !records("alike").is_empty(), "{}", question.id);
        found.add(&mut made, &records("found"));
        alike.add(&mut made, &records("alike"));
        let rows = records("rows").iter().map(|members| filled(&found, members)).collect();
        Story { question, found, alike, rows }
    });
    let stories = stories.collect();
    (made, stories)
}

#[test]
fn every_question_finds_its_story_and_few_others_do() {
    let (mut made, stories) = told();
    let folder = made.write();
    let answers = answers_of_duckdb(&folder, &SETTINGS);
    let looking: BTreeMap<_, _> = questions()
        .into_iter()
        .filter(|question| question.severity != Severity::Overview)
        .map(|question| (question.name, question.id))
        .collect();
    let mut wrong = Vec::new();
    for story in &stories {
        let finds = |cast: &Cast, name: &String| answers[name].iter().any(|row| cast.is_in(row));
        let id = &story.question.id;
        let found: BTreeSet<_> = looking
            .iter()
            .filter(|(name, _)| finds(&story.found, name))
            .map(|(_, id)| id)
            .collect();
        if !found.contains(id) {
            wrong.push(format!("{id} does not find its story; {found:?} do"));
        } else if found.len() > MOST_OTHERS + 1 {
            wrong.push(format!("{id}: its story is found by {found:?}"));
        }
        if let Some(row) = story.untold(&answers[&story.question.name]) {
            wrong.push(format!("{id} has no row with {row}"));
        }
        if finds(&story.alike, &story.question.name) {
            let row = answers[&story.question.name].iter().find(|row| story.alike.is_in(row));
            wrong.push(format!("{id} finds its look-alikes: {row:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn datafusion_tells_the_stories_as_duckdb_does() {
    let (mut made, _) = told();
    let folder = made.write();
    let of_duckdb = answers_of_duckdb(&folder, &SETTINGS);
    for (name, rows) in &of_duckdb {
        assert_eq!(&rows_of_the_command(&folder, name, &SETTINGS), rows, "{name}");
    }
}

#[test]
fn no_story_is_about_a_question_that_is_gone() {
    let ids: BTreeSet<_> = questions().into_iter().map(|question| question.id).collect();
    for entry in std::fs::read_dir(checkout().join("tests/stories")).expect("there are stories") {
        let path = entry.expect("a folder can be read").path();
        let name = path.file_stem().expect("a story has a name").to_string_lossy().into_owned();
        assert!(ids.contains(&name), "{name}");
    }
}

//! A month of five hundred people in which nothing happens but work: no question finds anything
//! grave in it, and few find anything at all.
//!
//! Every record has the shape of one that the simulator serves; who does what, when and from where
//! is made here. Days are counted back from today, and so is the week, so that the same month is
//! asked about on any date.

mod changes;
mod people;
mod shapes;

use chrono::{DateTime, Days, NaiveTime, TimeDelta, Utc};
use entratrail::log::{EventType, Stream};
use entratrail_questions::{Severity, questions};
use serde_json::{Value, json};

use crate::archive::Collected;
use crate::made::{Made, merge};
use crate::questions::{Answers, answers_alone, rows_of_the_command};
use people::{Person, Sight};
use shapes::Shapes;

/// Days of the month, counted back from today.
const DAYS: u64 = 30;

/// Rows of medium severity that such a month may have: what an administrator did and somebody asks
/// about.
const MOST_MEDIUM_ROWS: usize = 10;

/// Variable of the environment that asks for the month in full: about 250,000 records.
const IN_FULL: &str = "ENTRATRAIL_CALM_IN_FULL";

/// Records of a working day.
#[derive(Debug, Clone, Copy)]
struct Volume {
    /// Sign-ins of a person with a prompt, and without one.
    interactive: u64,
    background: u64,
    /// Sign-ins of each application and managed identity.
    of_workloads: u64,
    /// Changes that no story of the month makes.
    changes: u64,
}

impl Volume {
    /// As many as the people of such a tenant make, or a seventh of it, where every question finds
    /// the same.
    fn wanted() -> Self {
        if std::env::var_os(IN_FULL).is_some() {
            Self { interactive: 3, background: 16, of_workloads: 160, changes: 120 }
        } else {
            Self { interactive: 1, background: 2, of_workloads: 8, changes: 15 }
        }
    }
}

/// The month while it is written, a day at a time.
#[derive(Debug)]
struct Month {
    made: Made,
    shapes: Shapes,
    random: fastrand::Rng,
    volume: Volume,
    records: u64,
}

impl Month {
    /// The whole month, with the number of its records.
    fn of(shapes: Shapes, volume: Volume) -> Self {
        let random = fastrand::Rng::with_seed(19);
        let mut month = Self { made: Made::empty(), shapes, random, volume, records: 0 };
        let people = people::all();
        for ago in (1..=DAYS).rev() {
            for person in &people {
                month.live(person, ago);
            }
            month.run_workloads(ago);
            month.change_the_directory(&people, ago);
            month.made.write();
        }
        month
    }

    /// The sign-ins of a person on a day.
    fn live(&mut self, person: &Person, ago: u64) {
        if !person.is_employed(ago) {
            return self.knock(person, ago);
        }
        let is_weekend = is_weekend(ago);
        if person.first_day == ago {
            self.start_work(person);
        }
        if person.reset_on == Some(ago) {
            self.forget_password(person);
        }
        let interactive =
            if is_weekend { u64::from(self.one_in(10)) } else { self.volume.interactive };
        for _ in 0..interactive {
            let at = self.moment(ago, person.hours_with_laptop(ago));
            let on_phone = is_weekend || self.one_in(5);
            let sight = person.seen(&mut self.random, ago, at, on_phone);
            self.sign_in(person, &sight, at);
        }
        let background =
            if is_weekend { self.volume.background.div_ceil(4) } else { self.volume.background };
        for _ in 0..background {
            let on_phone = is_weekend || self.one_in(2);
            let hours =
                if on_phone { person.hours_with_phone(ago) } else { person.hours_with_laptop(ago) };
            let at = self.moment(ago, hours);
            let sight = person.seen(&mut self.random, ago, at, on_phone);
            let record = self.shapes.sign_in(&mut self.random, person, &sight, ago);
            let own = json!({
                "isInteractive": false, "signInIdentifier": "",
                "incomingTokenType": "primaryRefreshToken", "signInEventTypes": ["nonInteractiveUser"]
            });
            self.add(EventType::NonInteractiveUser, at, record, &own);
        }
    }

    /// A sign-in with a prompt: sometimes a word is mistyped, or the phone lies elsewhere.
    fn sign_in(&mut self, person: &Person, sight: &Sight, at: DateTime<Utc>) {
        let record = self.shapes.sign_in(&mut self.random, person, sight, days_ago(at));
        let mistake = match self.random.u32(..100) {
            0..3 => Some(shapes::WRONG_PASSWORD),
            3 => Some(shapes::PROMPT_NOT_ANSWERED),
            4..8 => Some(shapes::KEEP_ME_SIGNED_IN),
            _ => None,
        };
        if let Some(status) = mistake {
            self.add(
                EventType::InteractiveUser,
                at - TimeDelta::seconds(40),
                record.clone(),
                &status.json(),
            );
        }
        self.add(EventType::InteractiveUser, at, record, &json!({}));
    }

    /// The devices of somebody who has left try for as long as nobody turns them off.
    fn knock(&mut self, person: &Person, ago: u64) {
        if person.last_day <= ago || ago + 12 < person.last_day {
            return;
        }
        for _ in 0..3 {
            let at = self.moment(ago, 7..20);
            let sight = person.seen(&mut self.random, ago, at, true);
            let record = self.shapes.sign_in(&mut self.random, person, &sight, ago);
            self.add(EventType::NonInteractiveUser, at, record, &shapes::ACCOUNT_DISABLED.json());
        }
    }

    /// The first morning in the office: the password of the first day, then a second factor of
    /// one's own.
    fn start_work(&mut self, person: &Person) {
        let at = self.moment(person.first_day, 8..9);
        let sight = person.in_the_office();
        let record = self.shapes.sign_in(&mut self.random, person, &sight, person.first_day);
        self.add(EventType::InteractiveUser, at, record.clone(), &shapes::PASSWORD_EXPIRED.json());
        let alone = shapes::single_factor();
        self.add(EventType::InteractiveUser, at + TimeDelta::minutes(2), record, &alone);
    }

    /// Somebody forgets the password, tries, calls the help desk, and gets a new one.
    fn forget_password(&mut self, person: &Person) {
        let Some(ago) = person.reset_on else { return };
        let at = time_of(ago, 8 * 3600);
        let sight = person.at_home();
        let record = self.shapes.sign_in(&mut self.random, person, &sight, ago);
        for number in 0..9 {
            let tried_at = at + TimeDelta::seconds(75 * number);
            self.add(
                EventType::InteractiveUser,
                tried_at,
                record.clone(),
                &shapes::WRONG_PASSWORD.json(),
            );
        }
        let reset_at = at + TimeDelta::minutes(25);
        self.reset_password(person, reset_at);
        let back_at = reset_at + TimeDelta::minutes(3);
        self.add(
            EventType::InteractiveUser,
            back_at,
            record.clone(),
            &shapes::PASSWORD_EXPIRED.json(),
        );
        self.add(EventType::InteractiveUser, back_at + TimeDelta::minutes(1), record, &json!({}));
        let phone = person.seen(&mut self.random, ago, back_at, true);
        let old_token = self.shapes.sign_in(&mut self.random, person, &phone, ago);
        for number in 1..5 {
            let at = reset_at + TimeDelta::minutes(2 * number);
            self.add(
                EventType::NonInteractiveUser,
                at,
                old_token.clone(),
                &shapes::GRANT_REVOKED.json(),
            );
        }
    }

    /// Applications with an address each, one that runs somewhere else every time, and managed
    /// identities.
    fn run_workloads(&mut self, ago: u64) {
        for event_type in [EventType::ServicePrincipal, EventType::ManagedIdentity] {
            for _ in 0..4 * self.volume.of_workloads {
                let at = self.moment(ago, 0..24);
                let record = self.shapes.workload(&mut self.random, event_type);
                self.add(event_type, at, record, &json!({}));
            }
        }
        for _ in 0..6 {
            let at = self.moment(ago, 6..19);
            let record = self.shapes.workload(&mut self.random, EventType::ServicePrincipal);
            let [third, last] = [self.random.u8(..), self.random.u8(1..)];
            let own = json!({
                "appDisplayName": "build-runner", "servicePrincipalName": "build-runner",
                "appId": "00000000-0000-4000-8001-000000000001",
                "servicePrincipalId": "00000000-0000-4000-8002-000000000001",
                "ipAddress": format!("198.18.{third}.{last}"), "autonomousSystemNumber": 8075
            });
            self.add(EventType::ServicePrincipal, at, record, &own);
        }
    }

    fn add(&mut self, event_type: EventType, at: DateTime<Utc>, mut record: Value, own: &Value) {
        merge(&mut record, own);
        let request = shapes::guid(&mut self.random);
        record["originalRequestId"] = request.clone().into();
        record["id"] = request.into();
        self.made.add(Stream::SignIns(event_type), at, record);
        self.records += 1;
    }

    fn one_in(&mut self, chances: u32) -> bool {
        self.random.u32(..chances) == 0
    }

    /// A moment of a day between two full hours, UTC.
    fn moment(&mut self, ago: u64, hours: std::ops::Range<i64>) -> DateTime<Utc> {
        time_of(ago, self.random.i64(3600 * hours.start..3600 * hours.end))
    }
}

fn is_weekend(ago: u64) -> bool {
    ago % 7 < 2
}

fn time_of(ago: u64, second: i64) -> DateTime<Utc> {
    let day = Utc::now().date_naive() - Days::new(ago);
    day.and_time(NaiveTime::MIN).and_utc() + TimeDelta::seconds(second)
}

fn days_ago(at: DateTime<Utc>) -> u64 {
    (Utc::now().date_naive() - at.date_naive()).num_days().unsigned_abs()
}

/// Rows of the questions of a severity, with the names of those that have any.
fn found(answers: &Answers, severity: Severity) -> Vec<(String, Vec<Value>)> {
    let asked = questions().into_iter().filter(|question| question.severity == severity);
    let rows = asked.map(|question| (question.name.clone(), answers[&question.name].clone()));
    rows.filter(|(_, rows)| !rows.is_empty()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_calm_month_of_five_hundred_people_is_quiet() {
    let begun = std::time::Instant::now();
    let shapes = Shapes::of(&Collected::calm().await);
    let mut month = Month::of(shapes, Volume::wanted());
    let folder = month.made.write();
    println!("{} records after {:.0?}", month.records, begun.elapsed());
    let answers = answers_alone(&folder);
    println!("asked after {:.0?}", begun.elapsed());
    for severity in Severity::ALL {
        for (name, rows) in found(&answers, severity) {
            println!("{}: {name} {}", severity.name(), rows.len());
        }
    }
    let medium = found(&answers, Severity::Medium);
    assert_eq!(found(&answers, Severity::High), []);
    let rows: usize = medium.iter().map(|(_, rows)| rows.len()).sum();
    assert!(rows <= MOST_MEDIUM_ROWS, "{rows} rows: {medium:#?}");
    // What the month has is seen where nobody has to be woken for it.
    for question in ["Who signed in with a device for the first time?", "Who activated a role?"] {
        assert!(!answers[question].is_empty(), "{question}");
    }
    for question in
        ["Which addresses try the passwords of many users?", "What is missing in the archive?"]
    {
        assert_eq!(rows_of_the_command(&folder, question, &[]), answers[question], "{question}");
    }
}

//! The view `coverage` and `entratrail verify` against the rules of proof, over ledgers that were
//! made up.
//!
//! The rules have one home, `entratrail::ledger::Proof`. The view says them in SQL, `verify` shows
//! them day by day: neither may call a minute by another word.

use crate::stage::{last_expected_day, plain_command};
use chrono::{DateTime, Days, NaiveDate, SubsecRound as _, TimeDelta, Utc};
use entratrail::ledger::{
    Completed, Counts, Ledger, Origin, Proof, ReadResult, ReadRow, State, StoredObject,
    StreamHistory, day_state, stretches,
};
use entratrail::log::{EventType, Stream};
use entratrail::object::{ledger_key, raw_key};
use entratrail::plan::RawObject;
use entratrail::window::{Window, WindowLength, midnight};
use fastrand::Rng;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;

/// Days that each stream is made up for; the oldest ones have left the history.
const DAYS: u64 = 40;
/// Archives that are made up.
const ARCHIVES: u64 = 6;

/// Days since the one whose first window is unstable: enough for eight reads.
const RESTLESS_AGE: u64 = 12;

type Ledgers = BTreeMap<(Stream, NaiveDate), Ledger>;

#[test]
fn coverage_and_verify_call_every_minute_what_the_rules_of_proof_call_it() {
    let mut states = BTreeMap::new();
    for seed in 0..ARCHIVES {
        let folder = tempfile::tempdir().unwrap();
        // Nothing is stored in every second one, so that `verify` looks for no object.
        let stores = seed % 2 == 0;
        let ledgers = make_up(&mut Rng::with_seed(seed), stores);
        write(folder.path(), &ledgers);
        let (expected, shown) = beside_the_rules(&ledgers, || by_coverage(folder.path()));
        for day in expected.values() {
            *states.entry(day["state"].to_string()).or_insert(0) += 1;
        }
        assert_eq!(shown, expected, "coverage, seed {seed}");
        if !stores {
            let last = last_expected_day(Utc::now());
            let (expected, shown) = beside_the_rules(&ledgers, || by_verify(folder.path()));
            let due = expected.into_iter().filter(|((_, day), _)| *day <= last);
            let states: BTreeMap<_, _> =
                due.map(|(place, day)| (place, day["state"].clone())).collect();
            let differs = |(place, state): &(&_, &_)| shown.get(place) != Some(state);
            let different: Vec<_> = states.iter().filter(differs).collect();
            assert!(
                different.is_empty(),
                "seed {seed}: verify shows other states than {different:?}"
            );
        }
    }
    assert_eq!(states.len(), 6, "not every state was made up: {states:?}");
}

/// Ledgers of two streams with windows and reads of every kind.
fn make_up(dice: &mut Rng, stores: bool) -> Ledgers {
    let now = Utc::now();
    let mut ledgers = Ledgers::new();
    for stream in [Stream::SignIns(EventType::InteractiveUser), Stream::DirectoryAudits] {
        // A stream may begin late, so that what ended before is nobody's debt.
        let begins = now - TimeDelta::days([60, 20, 8][dice.usize(..3)]);
        for age in 1..=DAYS {
            let day = now.date_naive() - Days::new(age);
            let length = [1440, 720, 360][dice.usize(..3)];
            let windows = Window::whole_day(day).tiles(WindowLength::new(length).unwrap());
            let mut ledger = Ledger::default();
            for window in windows {
                // One window is unstable in every archive whose stream began before it, whatever
                // the dice say.
                let is_restless = age == RESTLESS_AGE && window.start() == midnight(day);
                if !is_restless && dice.u8(0..10) == 0 {
                    continue;
                }
                let rows = if is_restless {
                    restless_reads(window)
                } else {
                    reads(dice, stream, window, begins.max(window.end()), stores)
                };
                for row in rows {
                    ledger.append(row).unwrap();
                }
            }
            if ledger.rows().next().is_some() {
                ledgers.insert((stream, day), ledger);
            }
        }
    }
    ledgers
}

/// Eight reads, 21 hours apart, each of which misses a record.
fn restless_reads(window: Window) -> Vec<ReadRow> {
    let read = |read: u32| {
        let started_at = window.end() + TimeDelta::hours(21 * i64::from(read));
        let counts = Counts { served: 9, missing: 1, ..Counts::default() };
        ReadRow {
            window,
            read,
            started_at,
            finished_at: started_at + TimeDelta::seconds(1),
            result: ReadResult::Complete(Completed { counts, object: None, remark: None }),
            requests: 1,
            retries: 0,
            origin: Some(Origin::new(None)),
        }
    };
    (1..=8).map(read).collect()
}

/// Reads of one window, in the order of their starts.
fn reads(
    dice: &mut Rng,
    stream: Stream,
    window: Window,
    begins: DateTime<Utc>,
    stores: bool,
) -> Vec<ReadRow> {
    let mut started_at = (begins + TimeDelta::hours(dice.i64(0..40))).trunc_subsecs(3);
    let (mut rows, mut read) = (Vec::new(), 1);
    let finds = [0, 2, 8][dice.usize(..3)];
    for _ in 0..dice.usize(0..12) {
        if started_at > Utc::now() {
            break;
        }
        let is_failed = dice.u8(0..8) == 0;
        let is_early = rows.len() < finds;
        let new = if stores && is_early && dice.bool() { dice.u64(1..4) } else { 0 };
        let missing = if is_early && dice.u8(0..3) > 0 { dice.u64(1..3) } else { 0 };
        let object = (new > 0).then(|| StoredObject {
            key: raw_key(stream, RawObject { window, read }),
            sha256: "0".repeat(64),
            bytes: 1,
            records_root: Some("0".repeat(64)),
            table: None,
        });
        let counts = Counts { served: 9, new, missing, ..Counts::default() };
        let result = if is_failed {
            ReadResult::Failed { error: "Graph did not serve it".to_owned() }
        } else {
            ReadResult::Complete(Completed { counts, object, remark: None })
        };
        let kept_since = dice.bool().then(|| window.start() + TimeDelta::hours(dice.i64(-30..30)));
        let origin = (dice.u8(0..5) > 0).then(|| Origin { kept_since, ..Origin::new(None) });
        let finished_at = started_at + TimeDelta::seconds(1);
        rows.push(ReadRow {
            window,
            read,
            started_at,
            finished_at,
            result,
            requests: 1,
            retries: 0,
            origin,
        });
        read += u32::from(!is_failed);
        started_at += TimeDelta::minutes(dice.i64(60..2900));
    }
    rows
}

fn write(folder: &Path, ledgers: &Ledgers) {
    for ((stream, day), ledger) in ledgers {
        let path = folder.join(ledger_key(*stream, *day));
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, ledger.to_text()).unwrap();
    }
}

type Table = BTreeMap<(String, NaiveDate), BTreeMap<&'static str, Value>>;

/// Returns what the rules say and what the command answers. Asks again where the rules say something
/// else afterwards: midnight came, or a window left the history.
fn beside_the_rules<T>(ledgers: &Ledgers, command: impl Fn() -> T) -> (Table, T) {
    loop {
        let expected = by_the_rules(ledgers);
        let answer = command();
        if by_the_rules(ledgers) == expected {
            return (expected, answer);
        }
    }
}

/// Minutes in each state, from the first day on record of each stream to yesterday.
fn by_the_rules(ledgers: &Ledgers) -> Table {
    let mut days = Table::new();
    let now = Utc::now();
    let streams: std::collections::BTreeSet<_> =
        ledgers.keys().map(|(stream, _)| *stream).collect();
    for stream in streams {
        let of_stream = || ledgers.iter().filter(|((of, _), _)| *of == stream);
        let history = StreamHistory::of(of_stream().map(|(_, ledger)| ledger));
        let proof = Proof::of_reader(history, now);
        let first = of_stream().map(|((_, day), _)| *day).min().unwrap();
        for day in first.iter_days().take_while(|day| *day < now.date_naive()) {
            let ledger = ledgers.get(&(stream, day)).cloned().unwrap_or_default();
            let minutes = |state: State| {
                let of_state =
                    stretches(day, &ledger, &proof).into_iter().filter(|part| part.state == state);
                Value::from(of_state.map(|part| (part.end - part.start).num_minutes()).sum::<i64>())
            };
            let columns = BTreeMap::from([
                ("state", Value::from(day_state(day, &ledger, &proof).word())),
                ("verified_minutes", minutes(State::Verified)),
                ("before_minutes", minutes(State::Before)),
                ("open_minutes", minutes(State::Open)),
                ("unstable_minutes", minutes(State::Unstable)),
                ("missing_minutes", minutes(State::Missing)),
                ("expired_minutes", minutes(State::Expired)),
            ]);
            days.insert((stream.name().to_owned(), day), columns);
        }
    }
    days
}

fn by_coverage(folder: &Path) -> Table {
    let columns = [
        "state",
        "verified_minutes",
        "before_minutes",
        "open_minutes",
        "unstable_minutes",
        "missing_minutes",
        "expired_minutes",
    ];
    let question = format!("SELECT stream, day, {} FROM coverage", columns.join(", "));
    let archive = folder.to_str().unwrap();
    let answer = said(&["query", "--archive", archive, "--format", "json", &question]);
    let rows: Vec<Value> = answer.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let place = |row: &Value| {
        let day = row["day"].as_str().unwrap().parse().unwrap();
        (row["stream"].as_str().unwrap().to_owned(), day)
    };
    rows.iter()
        .map(|row| (place(row), columns.map(|column| (column, row[column].clone())).into()))
        .collect()
}

fn by_verify(folder: &Path) -> BTreeMap<(String, NaiveDate), Value> {
    let first = (Utc::now().date_naive() - Days::new(DAYS)).to_string();
    let document =
        said(&["verify", "--archive", folder.to_str().unwrap(), "--from", &first, "--json"]);
    let document: Value = serde_json::from_str(&document).unwrap();
    let mut days = BTreeMap::new();
    for stream in document["streams"].as_array().unwrap() {
        for (day, state) in stream["days"].as_object().unwrap() {
            days.insert(
                (stream["stream"].as_str().unwrap().to_owned(), day.parse().unwrap()),
                state.clone(),
            );
        }
    }
    days
}

/// Runs the command and returns what it prints; that it finds something wrong is no error here.
fn said(arguments: &[&str]) -> String {
    let output = plain_command(arguments).output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.code() < Some(2), "{errors}");
    String::from_utf8(output.stdout).unwrap()
}

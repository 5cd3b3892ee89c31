//! Makes an archive of any size in a folder, to measure `entratrail verify`, `rebuild` and
//! `report`:
//!
//! ```text
//! cargo run --release -p entratrail-cli --example make-archive -- FOLDER [OBJECTS] [RECORDS-PER-OBJECT] [MINUTES]
//! ```
//!
//! Records are beta sign-ins as the simulator serves them; each object is a window of so many
//! minutes (5), read and verified.

use chrono::{DateTime, Days, SecondsFormat, TimeDelta, Utc};
use entratrail::ledger::{Completed, Counts, Ledger, Origin, ReadResult, ReadRow, StoredObject};
use entratrail::log::{EventType, Stream};
use entratrail::object::{ledger_key, raw_key};
use entratrail::plan::RawObject;
use entratrail::raw::RawEncoder;
use entratrail::window::{Window, WindowLength};
use graph_simulator::{ApiVersion, Scenario, Simulator};
use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};

const USAGE: &str = "make-archive FOLDER [OBJECTS (10000)] [RECORDS-PER-OBJECT (100)] [MINUTES (5)], \
                     where FOLDER does not exist yet";

const STREAM: Stream = Stream::SignIns(EventType::InteractiveUser);

const TENANT: &str = r#"
name = "samples"
[[volume]]
stream = "interactiveUser"
from_day = -1
to_day = -1
per_day = 1000
"#;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let folder = arguments.next().filter(|folder| !folder.starts_with('-')).ok_or(USAGE)?;
    let folder = PathBuf::from(folder);
    let objects: usize = arguments.next().map_or(Ok(10_000), |number| number.parse())?;
    let records: usize = arguments.next().map_or(Ok(100), |number| number.parse())?;
    let minutes: u16 = arguments.next().map_or(Ok(5), |number| number.parse())?;
    if folder.exists() {
        return Err(format!("{} exists already", folder.display()).into());
    }
    let samples = samples().await?;
    let windows = windows(objects, WindowLength::new(minutes).ok_or("windows have other lengths")?);
    let mut made = 0;
    for day in windows.chunk_by(|one, other| one.day() == other.day()) {
        let mut ledger = Ledger::default();
        for &window in day {
            let row = make_object(&folder, window, records, &samples, &mut made)?;
            ledger.append(row.clone())?;
            ledger.append(verification(&row))?;
        }
        write(&folder, &ledger_key(STREAM, day[0].day()), &ledger.to_text())?;
    }
    Ok(())
}

/// Sign-ins as Graph's beta serves them.
async fn samples() -> Result<Vec<String>, Box<dyn Error>> {
    let simulator = Simulator::start(Scenario::from_toml(TENANT)?).await?;
    Ok(simulator
        .visible_in(ApiVersion::Beta)
        .into_iter()
        .map(|served| served.json.to_string())
        .collect())
}

/// So many windows of that length, the last of them the day before yesterday.
fn windows(count: usize, length: WindowLength) -> Vec<Window> {
    let last = Utc::now().date_naive() - Days::new(2);
    let first = last - Days::new(count.div_ceil(1440 / usize::from(length.minutes())) as u64 - 1);
    let days = first.iter_days().take_while(|&day| day <= last);
    days.flat_map(|day| Window::whole_day(day).tiles(length)).take(count).collect()
}

fn make_object(
    folder: &Path,
    window: Window,
    records: usize,
    samples: &[String],
    made: &mut usize,
) -> Result<ReadRow, Box<dyn Error>> {
    let mut encoder = RawEncoder::default();
    for index in 0..records {
        let milliseconds = (window.end() - window.start()).num_milliseconds();
        let part = i64::try_from(index)? * milliseconds / i64::try_from(records)?;
        let time = window.start() + TimeDelta::milliseconds(part);
        encoder.push(record(&samples[*made % samples.len()], *made, time)?.as_bytes())?;
        *made += 1;
    }
    let (bytes, digest) = encoder.finish()?;
    let key = raw_key(STREAM, RawObject { window, read: 1 });
    write(folder, &key, &bytes)?;
    let read_at = window.end() + TimeDelta::hours(1);
    let counts = Counts { served: records as u64, new: records as u64, ..Counts::default() };
    let object = StoredObject {
        key,
        sha256: digest.sha256,
        bytes: digest.bytes,
        records_root: Some(digest.records_root),
        table: None,
    };
    let completed = Completed { counts, object: Some(object), remark: None };
    Ok(ReadRow {
        window,
        read: 1,
        started_at: read_at,
        finished_at: read_at,
        result: ReadResult::Complete(completed),
        requests: 1,
        retries: 0,
        origin: Some(Origin::new(Some("make-archive"))),
    })
}

/// The sample with another id and time.
fn record(sample: &str, number: usize, time: DateTime<Utc>) -> Result<String, Box<dyn Error>> {
    let time = time.to_rfc3339_opts(SecondsFormat::Millis, true);
    let record = replace(sample, "\"id\":\"", &format!("00000000-0000-4000-8000-{number:012}"))?;
    replace(&record, "\"createdDateTime\":\"", &time)
}

fn replace(record: &str, name: &str, value: &str) -> Result<String, Box<dyn Error>> {
    let (before, rest) = record.split_once(name).ok_or("a sample lacks a member")?;
    let (_, after) = rest.split_once('"').ok_or("a sample is no JSON")?;
    Ok(format!("{before}{name}{value}\"{after}"))
}

/// The read that verifies what `row` stored.
fn verification(row: &ReadRow) -> ReadRow {
    let read_at = row.window.end() + TimeDelta::hours(25);
    let counts = Counts { new: 0, ..row.counts() };
    let completed = Completed { counts, ..Completed::default() };
    let result = ReadResult::Complete(completed);
    ReadRow { read: 2, started_at: read_at, finished_at: read_at, result, ..row.clone() }
}

fn write(folder: &Path, key: &str, content: &[u8]) -> std::io::Result<()> {
    let path = folder.join(key);
    fs::create_dir_all(path.parent().unwrap_or(folder))?;
    fs::write(path, content)
}

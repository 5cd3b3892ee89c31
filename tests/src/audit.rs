//! Reads an archive from its documented format alone and says what is wrong with it.

use crate::states::Bounds;
use crate::tables::{row_count, table_key};
use aws_lc_rs::digest::{SHA256, digest};
use chrono::{DateTime, Datelike as _, NaiveDate, TimeDelta, Utc};
use flate2::read::MultiGzDecoder;
use graph_simulator::Served;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::io::Read as _;

/// Size up to which a record is stored; a larger one is named in the row, and the window stays
/// open.
const LARGEST_RECORD_BYTES: usize = 32 * 1024 * 1024;

/// A record version in a place-independent form: keys sorted, no white space.
pub type Canonical = String;

/// Everything that an archive holds, by stream.
#[derive(Debug, Default)]
pub struct Audit {
    /// The versions of each stream, with the key of the object that holds them.
    pub versions: BTreeMap<String, BTreeMap<Canonical, String>>,
    /// The ledger rows of each stream, in order.
    pub rows: BTreeMap<String, Vec<Value>>,
    /// Sentences about everything that is not as it should be.
    pub problems: Vec<String>,
}

impl Audit {
    /// Audits all objects of a bucket.
    pub fn of(objects: &BTreeMap<String, Vec<u8>>) -> Self {
        let mut audit = Self::default();
        for (key, body) in objects.iter().filter(|(key, _)| key.starts_with("ledger/")) {
            audit.add_ledger(key, body);
        }
        let mut seen = BTreeSet::new();
        for (key, body) in objects.iter().filter(|(key, _)| key.starts_with("raw/")) {
            audit.add_raw(key, body);
            seen.insert(key.clone());
        }
        audit.check_rows(&seen);
        audit.check_tables(objects);
        audit
    }

    /// Adds everything that Graph served to a complete read and the archive lacks, and everything
    /// that the archive holds and nobody served. What was served to a read that then failed is not
    /// expected: Graph may have changed the record before the next one.
    #[must_use]
    pub fn against(mut self, served: &[Served]) -> Self {
        let mut known: BTreeMap<&str, BTreeSet<Canonical>> = BTreeMap::new();
        let reads = self.reads();
        for record in served {
            let stream = stream_folder(record.stream);
            let canonical = canonical(&record.json);
            let is_too_large = record.json.len() > LARGEST_RECORD_BYTES;
            if !is_too_large
                && !self.holds(stream, &canonical)
                && was_read(reads.get(stream), record)
            {
                self.problems.push(format!("lost: {} of {stream}, {}", record.id, record.time));
            }
            known.entry(stream).or_default().insert(canonical);
        }
        for (stream, versions) in &self.versions {
            let known = known.get(stream.as_str());
            let strangers = versions
                .iter()
                .filter(|(version, _)| !known.is_some_and(|known| known.contains(*version)));
            self.problems.extend(
                strangers.map(|(_, key)| format!("{key} holds a record that nobody served")),
            );
        }
        self
    }

    /// Adds everything that the archive lacks although every chain that was followed to its end
    /// held it, and a window to which it belongs was read completely.
    #[must_use]
    pub fn against_throughout(mut self, throughout: &[Served]) -> Self {
        let reads = self.reads();
        for record in throughout {
            let stream = stream_folder(record.stream);
            let at = owned_at(record);
            let was_read = reads.get(stream).is_some_and(|reads| {
                reads
                    .iter()
                    .any(|((start, end), _): &(Bounds, Bounds)| (*start..*end).contains(&at))
            });
            if was_read && !self.holds(stream, &canonical(&record.json)) {
                let id = &record.id;
                let time = record.time;
                self.problems
                    .push(format!("lost although always served: {id} of {stream}, {time}"));
            }
        }
        self
    }

    /// Whether that version of a record is in the archive.
    pub fn holds(&self, stream: &str, version: &str) -> bool {
        self.versions.get(stream).is_some_and(|versions| versions.contains_key(version))
    }

    /// Window and time of each complete read, by stream.
    fn reads(&self) -> BTreeMap<String, Vec<(Bounds, Bounds)>> {
        let mut reads = BTreeMap::new();
        for stream in self.rows.keys() {
            let rows = self.complete_rows(stream).map(|row| (bounds(row), times(row)));
            reads.insert(stream.clone(), rows.collect());
        }
        reads
    }

    /// Panics with every problem found.
    ///
    /// # Panics
    /// Where there is one.
    pub fn assert_sound(&self) {
        let shown: Vec<_> = self.problems.iter().take(20).cloned().collect();
        assert!(
            self.problems.is_empty(),
            "{} problems, such as:\n{}",
            self.problems.len(),
            shown.join("\n")
        );
    }

    /// Records in the archive, all streams together.
    pub fn record_count(&self) -> usize {
        self.versions.values().map(BTreeMap::len).sum()
    }

    /// The rows of complete reads.
    pub fn complete_rows(&self, stream: &str) -> impl Iterator<Item = &Value> {
        self.rows.get(stream).into_iter().flatten().filter(|row| row["status"] == "complete")
    }

    fn add_ledger(&mut self, key: &str, body: &[u8]) {
        let Some((stream, _)) = place(key, "ledger/", ".ndjson") else {
            return self.problem(key, "is no ledger name");
        };
        for line in String::from_utf8_lossy(body).lines() {
            match serde_json::from_str(line) {
                Ok(row) => self.rows.entry(stream.clone()).or_default().push(row),
                Err(error) => self.problem(key, &format!("holds a line that is no JSON: {error}")),
            }
        }
    }

    fn add_raw(&mut self, key: &str, body: &[u8]) {
        let Some((stream, window)) = place(key, "raw/", ".ndjson.gz") else {
            return self.problem(key, "is no raw object's name");
        };
        let mut bytes = Vec::new();
        if MultiGzDecoder::new(body).read_to_end(&mut bytes).is_err() || !bytes.ends_with(b"\n") {
            return self.problem(key, "is damaged");
        }
        // Graph may serve bytes that are no UTF-8; the truth has them replaced too.
        let text = String::from_utf8_lossy(&bytes);
        let mut untimed = 0;
        let rows = self.rows.get(&stream).into_iter().flatten();
        let mut named = rows.filter(|row| row["key"] == key && row["status"] == "complete");
        match (named.next(), named.next()) {
            (Some(row), None) => {
                let sha256 = hexadecimal(digest(&SHA256, body).as_ref());
                let agrees = row["sha256"] == sha256
                    && row["bytes"] == body.len()
                    && row["new"] == text.lines().count();
                let names_window = window.is_some_and(|window| window == bounds(row));
                let allowed = row["untimed"].as_u64().unwrap_or_default();
                if !agrees || !names_window {
                    self.problem(key, "is not what its ledger row says");
                }
                untimed = allowed;
            }
            (None, _) => self.problem(key, "has no ledger row"),
            (Some(_), Some(_)) => self.problem(key, "has two ledger rows"),
        }
        for line in text.lines() {
            match (window, time_of(line, &stream)) {
                (Some((start, end)), Some(time)) if (start..end).contains(&time) => {}
                (Some(_), None) if untimed > 0 => untimed -= 1,
                (Some(_), None) => {
                    self.problem(key, "holds more records without a time than its row says");
                }
                _ => self.problem(key, "holds a record outside its window"),
            }
            let versions = self.versions.entry(stream.clone()).or_default();
            // What says no time is kept with every window for which it is served.
            if let Some(other) = versions.insert(canonical(line), key.to_owned()) {
                let place = place(&other, "raw/", ".ndjson.gz").and_then(|(_, place)| place);
                if time_of(line, &stream).is_some() || place == window {
                    self.problem(key, &format!("holds a version that {other} holds too"));
                }
            }
        }
    }

    fn check_rows(&mut self, objects: &BTreeSet<String>) {
        for (stream, rows) in std::mem::take(&mut self.rows) {
            let complete: Vec<_> = rows.iter().filter(|row| row["status"] == "complete").collect();
            let windows: Vec<_> = complete.iter().map(|row| bounds(row)).collect();
            for (index, row) in complete.iter().enumerate() {
                let key = row["key"].as_str();
                if key.is_some() != (row["new"].as_u64() > Some(0))
                    || key.is_some_and(|key| !objects.contains(key))
                {
                    self.problems
                        .push(format!("{stream}: a row and its object do not agree: {row}"));
                }
                let (start, end) = windows[index];
                for (other, &(other_start, other_end)) in complete[..index].iter().zip(&windows) {
                    let same = (start, end) == (other_start, other_end);
                    if !same && start < other_end && other_start < end {
                        self.problems.push(format!("{stream}: windows overlap: {row} and {other}"));
                    }
                    if same && row["read"] == other["read"] {
                        self.problems.push(format!(
                            "{stream}: two reads have the same number: {row} and {other}"
                        ));
                    }
                }
            }
            self.rows.insert(stream, rows);
        }
    }

    /// Every complete read that stored something has a table object with as many rows and with the
    /// hash that its newest row says, and no other read has one.
    fn check_tables(&mut self, objects: &BTreeMap<String, Vec<u8>>) {
        let mut unexplained: BTreeSet<_> =
            objects.keys().filter(|key| key.starts_with("tables/")).collect();
        let rows: Vec<_> =
            self.rows.keys().flat_map(|stream| self.complete_rows(stream)).cloned().collect();
        let newest = self.newest_tables();
        for row in rows.iter().filter(|row| row["key"].is_string()) {
            let key = table_key(row["key"].as_str().unwrap_or_default());
            unexplained.remove(&key);
            let Some(body) = objects.get(&key) else {
                self.problem(&key, "is not there");
                continue;
            };
            match row_count(body) {
                Err(error) => self.problem(&key, &format!("is damaged: {error}")),
                Ok(rows) if row["new"] != rows => {
                    self.problem(&key, &format!("has {rows} rows for {}", row["new"]));
                }
                Ok(_) => {}
            }
            let sha256 = hexadecimal(digest(&SHA256, body).as_ref());
            if newest.get(&key).is_some_and(|newest| *newest != sha256) {
                self.problem(&key, "is not the one on record");
            }
        }
        for key in unexplained {
            self.problem(key, "belongs to no complete read");
        }
    }

    /// Hash of each table object, as its newest row says it.
    fn newest_tables(&self) -> BTreeMap<String, String> {
        let on_record = self.rows.values().flatten().filter(|row| row["status"] != "failed");
        let said = on_record.filter_map(|row| {
            let sha256 = row["table_sha256"].as_str()?;
            Some((table_key(row["key"].as_str()?), sha256.to_owned()))
        });
        said.collect()
    }

    fn problem(&mut self, key: &str, what: &str) {
        self.problems.push(format!("{key} {what}"));
    }
}

/// Whether a complete read of the window that the record belongs to was served the record.
fn was_read(reads: Option<&Vec<(Bounds, Bounds)>>, record: &Served) -> bool {
    let at = owned_at(record);
    reads.into_iter().flatten().any(|((start, end), (started, finished))| {
        (*start..*end).contains(&at)
            && record.served_at.iter().any(|at| (*started..=*finished).contains(at))
    })
}

/// The JSON with sorted keys and no white space. Two records have the same canonical form where a
/// reader of JSON cannot tell them apart.
pub fn canonical(json: &str) -> Canonical {
    serde_json::from_str::<Value>(json)
        .map_or_else(|_| json.to_owned(), |value| in_one_form(value).to_string())
}

/// The value with one form for each number: `47`, `47.0` and `4.7e1` are the same.
fn in_one_form(value: Value) -> Value {
    match value {
        Value::Number(number) => match number.as_f64() {
            Some(whole) if whole.fract() == 0.0 && whole.abs() < 9e15 => {
                format!("{whole:.0}").parse()
            }
            _ => Ok(Value::Number(number)),
        }
        .unwrap_or_default(),
        Value::Array(items) => items.into_iter().map(in_one_form).collect(),
        Value::Object(members) => {
            members.into_iter().map(|(name, member)| (name, in_one_form(member))).collect()
        }
        other => other,
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

/// The time that a record says, where it can be read.
fn time_of(json: &str, stream: &str) -> Option<DateTime<Utc>> {
    let is_sign_in = !["directory-audits", "provisioning"].contains(&stream_folder(stream));
    let field = if is_sign_in { "createdDateTime" } else { "activityDateTime" };
    let record: Value = serde_json::from_str(json).ok()?;
    let time: DateTime<Utc> = record[field].as_str()?.parse().ok()?;
    Some(time).filter(|time| (2000..3000).contains(&time.year()))
}

/// The time that decides which window owns a record: the one that it says, or else the one by which
/// it is found.
pub fn owned_at(record: &Served) -> DateTime<Utc> {
    time_of(&record.json, record.stream).unwrap_or(record.time)
}

/// Name that the archive gives a stream of the tenant.
pub fn stream_folder(stream: &str) -> &str {
    if stream == "directoryAudits" { "directory-audits" } else { stream }
}

/// The window of a row.
pub(crate) fn bounds(row: &Value) -> Bounds {
    (instant(row, "window_start"), instant(row, "window_end"))
}

/// When the read of a row started and ended.
fn times(row: &Value) -> Bounds {
    (instant(row, "started_at"), instant(row, "finished_at"))
}

pub(crate) fn instant(row: &Value, name: &str) -> DateTime<Utc> {
    row[name].as_str().and_then(|text| text.parse().ok()).unwrap_or_default()
}

/// The stream that a key names, and the window where it names one.
fn place(key: &str, folder: &str, ending: &str) -> Option<(String, Option<Bounds>)> {
    let rest = key.strip_prefix(folder)?.strip_suffix(ending)?;
    let (stream, rest) = match rest.strip_prefix("sign-ins/event_type=") {
        Some(rest) => rest.split_once('/')?,
        None => rest
            .split_once('/')
            .filter(|(log, _)| ["directory-audits", "provisioning"].contains(log))?,
    };
    let (day, name) = match rest.split_once('/') {
        Some((day, name)) => (day, Some(name)),
        None => (rest, None),
    };
    let day: NaiveDate = day.strip_prefix("day=")?.parse().ok()?;
    let Some(name) = name else { return Some((stream.to_owned(), None)) };
    let (window, read) = name.split_once(".r")?;
    read.parse::<u32>().ok()?;
    let (start, end) = window.split_once('-')?;
    let midnight = day.and_time(chrono::NaiveTime::MIN).and_utc();
    let bounds = (midnight + time_of_day(start)?, midnight + time_of_day(end)?);
    Some((stream.to_owned(), Some(bounds)))
}

/// The time of day that four digits name.
fn time_of_day(text: &str) -> Option<TimeDelta> {
    let (hours, minutes) = text.split_at_checked(2)?;
    Some(TimeDelta::minutes(hours.parse::<i64>().ok()? * 60 + minutes.parse::<i64>().ok()?))
}

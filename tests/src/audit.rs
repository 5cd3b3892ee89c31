//! Reads an archive from its documented format alone and says what is wrong with it.

use aws_lc_rs::digest::{SHA256, digest};
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use flate2::read::MultiGzDecoder;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::io::Read as _;

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
        audit
    }

    /// The same, with everything in `expected` (stream, time, JSON) that a read window covers and the archive lacks,
    /// and everything that the archive holds and nobody served.
    #[must_use]
    pub fn against<'a>(mut self, expected: impl Iterator<Item = (&'a str, DateTime<Utc>, &'a str)>) -> Self {
        let mut served: BTreeMap<&str, BTreeSet<Canonical>> = BTreeMap::new();
        for (stream, time, json) in expected {
            let stream = if stream == "directoryAudits" { "directory-audits" } else { stream };
            let canonical = canonical(json);
            let is_stored =
                self.versions.get(stream).is_some_and(|versions| versions.contains_key(&canonical));
            if !is_stored && self.is_read(stream, time) {
                self.problems.push(format!("lost: a {stream} record of {time}"));
            }
            served.entry(stream).or_default().insert(canonical);
        }
        for (stream, versions) in &self.versions {
            let known = served.get(stream.as_str());
            let strangers =
                versions.iter().filter(|(version, _)| !known.is_some_and(|known| known.contains(*version)));
            self.problems
                .extend(strangers.map(|(_, key)| format!("{key} holds a record that nobody served")));
        }
        self
    }

    /// Panics with every problem found.
    ///
    /// # Panics
    /// Where there is one.
    pub fn assert_sound(&self) {
        let shown: Vec<_> = self.problems.iter().take(20).cloned().collect();
        assert!(self.problems.is_empty(), "{} problems, such as:\n{}", self.problems.len(), shown.join("\n"));
    }

    /// Records in the archive, all streams together.
    pub fn record_count(&self) -> usize {
        self.versions.values().map(BTreeMap::len).sum()
    }

    /// Whether a complete read covers that time.
    pub fn is_read(&self, stream: &str, time: DateTime<Utc>) -> bool {
        self.complete_rows(stream).any(|row| {
            let (start, end) = bounds(row);
            start <= time && time < end
        })
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
        let mut text = String::new();
        if MultiGzDecoder::new(body).read_to_string(&mut text).is_err() || !text.ends_with('\n') {
            return self.problem(key, "is damaged");
        }
        let time_field = if stream == "directory-audits" { "activityDateTime" } else { "createdDateTime" };
        let rows = self.rows.get(&stream).into_iter().flatten();
        let mut named = rows.filter(|row| row["key"] == key && row["status"] == "complete");
        match (named.next(), named.next()) {
            (Some(row), None) => {
                let sha256: String =
                    digest(&SHA256, body).as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
                let agrees = row["sha256"] == sha256
                    && row["bytes"] == body.len()
                    && row["new"] == text.lines().count();
                let names_window = window.is_some_and(|window| window == bounds(row));
                if !agrees || !names_window {
                    self.problem(key, "is not what its ledger row says");
                }
            }
            (None, _) => self.problem(key, "has no ledger row"),
            (Some(_), Some(_)) => self.problem(key, "has two ledger rows"),
        }
        for line in text.lines() {
            let time = serde_json::from_str::<Value>(line)
                .ok()
                .and_then(|record| record[time_field].as_str()?.parse().ok());
            if !window
                .zip(time)
                .is_some_and(|((start, end), time): (_, DateTime<Utc>)| start <= time && time < end)
            {
                self.problem(key, "holds a record outside its window");
            }
            if let Some(other) =
                self.versions.entry(stream.clone()).or_default().insert(canonical(line), key.to_owned())
            {
                self.problem(key, &format!("holds a version that {other} holds too"));
            }
        }
    }

    fn check_rows(&mut self, objects: &BTreeSet<String>) {
        for (stream, rows) in std::mem::take(&mut self.rows) {
            let complete: Vec<_> = rows.iter().filter(|row| row["status"] == "complete").collect();
            for (index, row) in complete.iter().enumerate() {
                let key = row["key"].as_str();
                if key.is_some() != (row["new"].as_u64() > Some(0))
                    || key.is_some_and(|key| !objects.contains(key))
                {
                    self.problems.push(format!("{stream}: a row and its object do not agree: {row}"));
                }
                for other in &complete[..index] {
                    let ((start, end), (other_start, other_end)) = (bounds(row), bounds(other));
                    let same = (start, end) == (other_start, other_end);
                    if !same && start < other_end && other_start < end {
                        self.problems.push(format!("{stream}: windows overlap: {row} and {other}"));
                    }
                    if same && row["read"] == other["read"] {
                        self.problems
                            .push(format!("{stream}: two reads have the same number: {row} and {other}"));
                    }
                }
            }
            self.rows.insert(stream, rows);
        }
    }

    fn problem(&mut self, key: &str, what: &str) {
        self.problems.push(format!("{key} {what}"));
    }
}

/// The JSON with sorted keys and no white space.
pub fn canonical(json: &str) -> Canonical {
    // Maps of serde_json are sorted by key. Numbers are kept in the form in which they came.
    serde_json::from_str::<Value>(json).map_or_else(|_| json.to_owned(), |value| value.to_string())
}

type Bounds = (DateTime<Utc>, DateTime<Utc>);

fn bounds(row: &Value) -> Bounds {
    let instant = |name: &str| row[name].as_str().and_then(|text| text.parse().ok()).unwrap_or_default();
    (instant("window_start"), instant("window_end"))
}

/// The stream that a key names, and the window where it names one.
fn place(key: &str, folder: &str, ending: &str) -> Option<(String, Option<Bounds>)> {
    let rest = key.strip_prefix(folder)?.strip_suffix(ending)?;
    let (stream, rest) = match rest.strip_prefix("sign-ins/event_type=") {
        Some(rest) => rest.split_once('/')?,
        None => ("directory-audits", rest.strip_prefix("directory-audits/")?),
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
    let instant = |text: &str| {
        let (hours, minutes) = text.split_at_checked(2)?;
        Some(midnight + TimeDelta::minutes(hours.parse::<i64>().ok()? * 60 + minutes.parse::<i64>().ok()?))
    };
    Some((stream.to_owned(), Some((instant(start)?, instant(end)?))))
}

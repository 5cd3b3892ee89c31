//! The reads of one stream and day, and what they prove: checkpoint and proof in one.

use crate::window::Window;
use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// A read proves something only when it started this long after the end of its window, because records may
/// arrive hours late.
const PROOF_AFTER: TimeDelta = TimeDelta::hours(24);

/// An open window is read again when its last read is this old: every daily run, whatever minute it starts at.
const READ_AGAIN_AFTER: TimeDelta = TimeDelta::hours(20);

/// Complete reads after which a window that never agreed with itself is called unstable.
const MOST_READS: usize = 7;

/// What the ledger says of a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// Never read completely.
    Missing,
    /// Read, not yet verified.
    Open,
    /// A second or later read, a day after the window's end, served exactly what was stored before it.
    Verified,
    /// Seven reads never agreed.
    Unstable,
    /// Older than what Graph keeps: not read, because an empty answer would look like proof.
    Expired,
}

/// How a read ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// Every page was read and everything new is stored.
    Complete,
    /// The read did not get that far.
    Failed,
}

/// One read of one window: a line of the ledger.
///
/// A failed row that names a key announces an object: it is written just before the object is created and
/// becomes complete just after. A run that dies in between leaves it, and a later run finds out whether the
/// object exists.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ReadRow {
    /// The window that was read, as `window_start` and `window_end`.
    #[serde(flatten)]
    pub window: Window,
    /// 1 for the first complete read of a window, then 2, 3, …; a failed read keeps the number it tried for.
    pub read: u32,
    /// When the read started.
    pub started_at: DateTime<Utc>,
    /// When it ended.
    pub finished_at: DateTime<Utc>,
    /// How it ended.
    pub status: Status,
    /// Distinct record versions that Graph served for the window.
    pub served: u64,
    /// Versions stored by this read; the object has as many lines.
    pub new: u64,
    /// Those of the new versions whose record was stored before with other content.
    pub changed: u64,
    /// Stored records, in their newest version, that were not served this time.
    pub missing: u64,
    /// The object, where anything was new.
    pub key: Option<String>,
    /// SHA-256 of the object, in hexadecimal.
    pub sha256: Option<String>,
    /// Size of the object in bytes.
    pub bytes: Option<u64>,
    /// Page requests sent, retries included.
    pub requests: u64,
    /// Those of them that repeated an earlier one.
    pub retries: u64,
    /// Why the read failed.
    pub error: Option<String>,
    /// Members that a later version may have added; kept when the ledger is written again.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

impl ReadRow {
    /// Whether the row announces an object that may or may not exist.
    pub fn announces_object(&self) -> bool {
        self.status == Status::Failed && self.key.is_some()
    }

    /// Whether the window is on record through this row, so that it must not be cut in another way.
    fn is_on_record(&self) -> bool {
        self.status == Status::Complete || self.announces_object()
    }

    /// Whether both rows tell of the same read.
    fn is_same_read(&self, other: &Self) -> bool {
        self.window == other.window && self.read == other.read && self.started_at == other.started_at
    }

    /// Whether this read by itself shows that the archive holds what Graph serves.
    fn agrees(&self) -> bool {
        self.read >= 2
            && self.new == 0
            && self.missing == 0
            && self.started_at >= self.window.end() + PROOF_AFTER
    }
}

/// Why a ledger file cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Damage {
    /// Its number, from 1; 0 where the file is empty.
    pub line: usize,
    /// What is wrong with it, without any of its content.
    pub what: String,
}

/// All reads of one stream and day, in the order in which they were recorded.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Ledger {
    rows: Vec<ReadRow>,
}

impl Ledger {
    /// Reads the file form: one JSON object per line.
    pub fn parse(text: &[u8]) -> Result<Self, Damage> {
        let text =
            std::str::from_utf8(text).map_err(|_| Damage { line: 1, what: "it is not text".to_owned() })?;
        if text.is_empty() {
            return Err(Damage { line: 0, what: "the file is empty".to_owned() });
        }
        let row = |(index, line): (usize, &str)| {
            serde_json::from_str::<ReadRow>(line).map_err(|error| Damage {
                line: index + 1,
                what: format!("it is not a read ({:?} at column {})", error.classify(), error.column()),
            })
        };
        Ok(Self { rows: text.lines().enumerate().map(row).collect::<Result<_, _>>()? })
    }

    /// The file form.
    pub fn to_text(&self) -> serde_json::Result<Vec<u8>> {
        let mut text = Vec::new();
        for row in &self.rows {
            serde_json::to_writer(&mut text, row)?;
            text.push(b'\n');
        }
        Ok(text)
    }

    /// Every row, oldest first.
    pub fn rows(&self) -> &[ReadRow] {
        &self.rows
    }

    /// The windows that may not be cut in another way, in order of time, each once.
    pub fn windows_on_record(&self) -> Vec<Window> {
        let mut windows: Vec<_> =
            self.rows.iter().filter(|row| row.is_on_record()).map(|row| row.window).collect();
        windows.sort_unstable();
        windows.dedup();
        windows
    }

    /// The complete reads of `window`, oldest first.
    pub fn complete_reads(&self, window: Window) -> impl DoubleEndedIterator<Item = &ReadRow> {
        self.rows.iter().filter(move |row| row.status == Status::Complete && row.window == window)
    }

    /// The complete reads that stored an object, by window and number, each once.
    pub fn reads_with_object(&self) -> Vec<&ReadRow> {
        let has_object = |row: &&ReadRow| row.status == Status::Complete && row.key.is_some();
        let mut reads: Vec<_> = self.rows.iter().filter(has_object).collect();
        reads.sort_by_key(|row| (row.window, row.read));
        reads.dedup_by_key(|row| (row.window, row.read));
        reads
    }

    /// What the reads of `window` prove. The newest complete read decides, so that a record found after
    /// verification opens the window again.
    pub fn state(&self, window: Window) -> State {
        match self.complete_reads(window).next_back() {
            None => State::Missing,
            Some(newest) if newest.agrees() => State::Verified,
            Some(_) if self.complete_reads(window).count() >= MOST_READS => State::Unstable,
            Some(_) => State::Open,
        }
    }

    /// Whether `window` is to be read again at `now`.
    pub fn is_due(&self, window: Window, now: DateTime<Utc>) -> bool {
        let newest = self.complete_reads(window).next_back();
        match self.state(window) {
            State::Missing => true,
            State::Open => newest.is_some_and(|read| now - read.started_at >= READ_AGAIN_AFTER),
            State::Verified | State::Unstable | State::Expired => false,
        }
    }

    /// The rows that a read of `window` builds on. A read may be recorded only while they are still the same.
    pub fn basis(&self, window: Window) -> Vec<ReadRow> {
        let counts = |row: &&ReadRow| row.is_on_record() && row.window.overlaps(window);
        self.rows.iter().filter(counts).cloned().collect()
    }

    /// Whether nothing has come to `basis` since, apart from what the read of `row` wrote itself.
    pub fn still_has(&self, basis: &[ReadRow], row: &ReadRow) -> bool {
        let of_others = self.basis(row.window).into_iter().filter(|known| !known.is_same_read(row));
        of_others.eq(basis.iter().cloned())
    }

    /// Adds `row`, or puts it in the place of the row by which the same read announced its object. Returns
    /// false, changing nothing, where that read is on record already.
    pub fn record(&mut self, row: ReadRow) -> bool {
        let is_done = |known: &ReadRow| {
            let has_same_object = known.key.is_some() && known.key == row.key;
            known.status == Status::Complete && (known.is_same_read(&row) || has_same_object)
        };
        if self.rows.iter().any(is_done) || self.rows.contains(&row) {
            return false;
        }
        match self.rows.iter_mut().find(|known| known.announces_object() && known.is_same_read(&row)) {
            Some(announced) => *announced = row,
            None => self.rows.push(row),
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::NaiveDate;

    fn window() -> Window {
        Window::whole_day(NaiveDate::from_ymd_opt(2026, 11, 20).unwrap())
    }

    fn row(read: u32, hours_after_end: i64, new: u64, missing: u64) -> ReadRow {
        let started_at = window().end() + TimeDelta::hours(hours_after_end);
        ReadRow {
            window: window(),
            read,
            started_at,
            finished_at: started_at,
            status: Status::Complete,
            served: 10,
            new,
            changed: 0,
            missing,
            key: (new > 0).then(|| format!("raw/r{read}")),
            sha256: None,
            bytes: None,
            requests: 1,
            retries: 0,
            error: None,
            other: Map::new(),
        }
    }

    fn check(reads: &[(i64, u64, u64)], state: State) {
        let rows = (1..).zip(reads).map(|(read, &(hours, new, missing))| row(read, hours, new, missing));
        let ledger = Ledger { rows: rows.collect() };
        assert_eq!(ledger.state(window()), state, "{reads:?}");
    }

    #[test]
    fn a_window_is_verified_only_by_a_later_read_that_serves_exactly_what_is_stored() {
        check(&[], State::Missing);
        check(&[(1, 10, 0)], State::Open);
        check(&[(30, 0, 0)], State::Open); // a first read proves nothing, even of an empty day
        check(&[(1, 10, 0), (23, 0, 0)], State::Open); // too early: records may still arrive
        check(&[(1, 10, 0), (24, 0, 0)], State::Verified);
        check(&[(1, 10, 0), (25, 2, 0)], State::Open); // late records
        check(&[(1, 10, 0), (25, 0, 1)], State::Open); // a stored record was not served
        check(&[(1, 10, 0), (25, 2, 0), (49, 0, 0)], State::Verified);
        check(&[(1, 10, 0), (25, 0, 0), (49, 1, 0)], State::Open); // found after verification
    }

    #[test]
    fn seven_reads_that_never_agree_are_unstable() {
        let reads: Vec<_> = (0..7).map(|day| (1 + 24 * day, 1, 0)).collect();
        check(&reads[..6], State::Open);
        check(&reads, State::Unstable);
    }

    #[test]
    fn an_open_window_is_due_again_after_twenty_hours_and_a_verified_one_never() {
        let mut ledger = Ledger { rows: vec![row(1, 1, 10, 0)] };
        let after_end = |hours| window().end() + TimeDelta::hours(hours);
        assert!(!ledger.is_due(window(), after_end(20)));
        assert!(ledger.is_due(window(), after_end(21)));
        ledger.record(row(2, 25, 0, 0));
        assert!(!ledger.is_due(window(), after_end(500)));
    }

    #[test]
    fn the_file_form_is_read_back_with_members_of_later_versions() {
        let mut text = Ledger { rows: vec![row(1, 1, 10, 0)] }.to_text().unwrap();
        text.truncate(text.len() - 2);
        text.extend_from_slice(b",\"colour\":\"red\"}\n");
        let ledger = Ledger::parse(&text).unwrap();
        assert_eq!(ledger.rows[0].window, window());
        assert_eq!(ledger.to_text().unwrap(), text);
    }

    #[test]
    fn a_damaged_line_is_named_by_its_number_and_not_quoted() {
        let mut text = Ledger { rows: vec![row(1, 1, 10, 0)] }.to_text().unwrap();
        text.extend_from_slice(b"{\"secret\n");
        let damage = Ledger::parse(&text).unwrap_err();
        assert_eq!(damage.line, 2);
        assert!(!damage.what.contains("secret"));
        assert_eq!(Ledger::parse(b"").unwrap_err().line, 0);
    }

    #[test]
    fn an_announced_object_becomes_a_complete_read_once() {
        let announced = ReadRow { status: Status::Failed, ..row(1, 1, 10, 0) };
        let mut ledger = Ledger::default();
        assert!(ledger.record(announced.clone()));
        assert_eq!(ledger.state(window()), State::Missing);
        assert_eq!(ledger.windows_on_record(), vec![window()]);
        assert!(ledger.record(row(1, 1, 10, 0)));
        assert_eq!(ledger.rows.len(), 1);
        assert!(!ledger.record(row(1, 1, 10, 0)));
        assert!(!ledger.record(announced));
    }
}

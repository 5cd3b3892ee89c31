//! The reads of one stream and day: checkpoint and proof in one.
//!
//! Rows on record are only appended, and each is carried byte for byte by every later version of
//! the file. Only an announcement, which is no row on record, is ever taken out again.

mod day;
mod proof;
mod row;

pub use day::{Stretch, day_state, stretches};
pub use proof::{Doubt, Proof, State, StreamHistory, needs_kept_since};
pub use row::{
    Announcement, Completed, Counts, MAX_READ, Origin, ReadResult, ReadRow, StoredObject,
};

pub use crate::table::StoredTable;
use crate::window::Window;
use std::collections::HashSet;

/// Reason for which a ledger file cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Damage {
    /// Number of the line, from 1; 0 where the file is empty.
    pub line: usize,
    /// Cause, without any of the line's content.
    pub what: String,
}

/// All reads of one stream and day, in the order in which they were recorded.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Ledger {
    entries: Vec<Entry>,
}

/// A row, with its line as it stands in the file.
#[derive(Debug, Clone, PartialEq)]
struct Entry {
    line: String,
    row: ReadRow,
}

/// Result of appending a row.
#[derive(Debug, Clone, PartialEq)]
pub enum Appended {
    /// The row as it is on record now: its number may be another if that was taken meanwhile.
    Row(ReadRow),
    /// The read is on record already, as this row; nothing was changed.
    Known(ReadRow),
}

impl Ledger {
    /// Reads the file form: one JSON object per line.
    pub fn parse(text: &[u8]) -> Result<Self, Damage> {
        let text = std::str::from_utf8(text).map_err(|error| {
            let line = memchr::memchr_iter(b'\n', &text[..error.valid_up_to()]).count() + 1;
            Damage { line, what: "it is not text".to_owned() }
        })?;
        if text.is_empty() {
            return Err(Damage { line: 0, what: "the file is empty".to_owned() });
        }
        let lines = text.strip_suffix('\n').unwrap_or(text).split('\n').enumerate();
        Ok(Self {
            entries: lines
                .map(|(index, line)| match ReadRow::parse(line) {
                    Ok(row) => Ok(Entry { line: line.to_owned(), row }),
                    Err(what) => Err(Damage { line: index + 1, what }),
                })
                .collect::<Result<_, _>>()?,
        })
    }

    /// The file form.
    pub fn to_text(&self) -> Vec<u8> {
        let mut text = Vec::new();
        for entry in &self.entries {
            text.extend_from_slice(entry.line.as_bytes());
            text.push(b'\n');
        }
        text
    }

    /// Rows, oldest first, announcements included.
    pub fn rows(&self) -> impl DoubleEndedIterator<Item = &ReadRow> {
        self.entries.iter().map(|entry| &entry.row)
    }

    /// Lines of the rows on record, oldest first: those that every later version of the file
    /// carries.
    pub fn lines_on_record(&self) -> impl DoubleEndedIterator<Item = &str> {
        let on_record = self.entries.iter().filter(|entry| entry.row.announced().is_none());
        on_record.map(|entry| entry.line.as_str())
    }

    /// Windows that may not be cut in another way, in order of time, each once.
    pub fn windows_on_record(&self) -> Vec<Window> {
        let mut windows: Vec<_> =
            self.rows().filter(|row| row.claims_its_window()).map(|row| row.window).collect();
        windows.sort_unstable();
        windows.dedup();
        windows
    }

    /// Complete reads of `window`, oldest first.
    pub fn complete_reads(&self, window: Window) -> impl DoubleEndedIterator<Item = &ReadRow> {
        self.rows().filter(move |row| row.is_complete() && row.window == window)
    }

    /// Number of the next complete read of `window`.
    pub fn next_read(&self, window: Window) -> u32 {
        self.complete_reads(window).map(|row| row.read).max().unwrap_or(0) + 1
    }

    /// Complete reads that stored an object, by window and number.
    pub fn reads_with_object(&self) -> Vec<&ReadRow> {
        let mut reads: Vec<_> = self.rows().filter(|row| row.object().is_some()).collect();
        reads.sort_by_key(|row| (row.window, row.read));
        reads
    }

    /// Keys of the raw objects that are on record.
    pub fn recorded_keys(&self) -> HashSet<&str> {
        self.rows().filter_map(ReadRow::object).map(|object| object.key.as_str()).collect()
    }

    /// Complete read that stored the raw object `key`.
    pub fn read_that_stored(&self, key: &str) -> Option<&ReadRow> {
        self.rows().find(|row| row.object().is_some_and(|object| object.key == key))
    }

    /// Announcement of the object with the key and the hash of `object`. Two runs may announce the
    /// same bytes, and nobody can tell whose became the object, so everybody takes the same one: the
    /// one whose read missed most, as the least that is proved, and of equal ones the first, as
    /// later ones come after it.
    pub fn announcement_of(&self, object: &StoredObject) -> Option<Announcement> {
        let announcements = self.rows().filter_map(|row| Announcement::of(object, row));
        announcements.rev().max_by_key(Announcement::missing)
    }

    /// Table object that belongs to the raw object `key`: as it was made first, or last made again.
    pub fn table_of(&self, key: &str) -> Option<&StoredTable> {
        let on_record = self.rows().filter(|row| row.announced().is_none());
        let objects =
            on_record.filter_map(ReadRow::named_object).filter(|object| object.key == key);
        objects.filter_map(|object| object.table.as_ref()).next_back()
    }

    /// Rows that a read of `window` builds on. A read may be recorded only while they are still the
    /// same.
    pub fn basis(&self, window: Window) -> Vec<ReadRow> {
        self.rows()
            .filter(|row| row.claims_its_window() && row.window.overlaps(window))
            .cloned()
            .collect()
    }

    /// Whether nothing has come to `basis` since, apart from what the read of `row` wrote itself.
    pub fn still_has(&self, basis: &[ReadRow], row: &ReadRow) -> bool {
        let of_others = self.basis(row.window).into_iter().filter(|known| !known.is_same_read(row));
        of_others.eq(basis.iter().cloned())
    }

    /// Appends `row`. An outcome takes out the announcement of the same read, and a complete one
    /// every announcement of its window, because a read that is complete has settled what became of
    /// those.
    pub fn append(&mut self, mut row: ReadRow) -> serde_json::Result<Appended> {
        if let Some(known) = self.rows().find(|known| is_recorded_as(&row, known)) {
            return Ok(Appended::Known(known.clone()));
        }
        if row.is_complete() && self.has_number(row.window, row.read) {
            row.read = self.next_read(row.window);
        }
        self.entries.retain(|entry| {
            let is_settled = row.is_complete() && entry.row.window == row.window
                || row.announced().is_none() && entry.row.is_same_read(&row);
            entry.row.announced().is_none() || !is_settled
        });
        self.entries.push(Entry { line: row.to_line()?, row: row.clone() });
        Ok(Appended::Row(row))
    }

    fn has_number(&self, window: Window, read: u32) -> bool {
        self.complete_reads(window).any(|known| known.read == read)
    }
}

/// Whether `known` already says what `row` would: the same read with a final outcome, or the same
/// object.
fn is_recorded_as(row: &ReadRow, known: &ReadRow) -> bool {
    match &row.result {
        ReadResult::Rebuilt(_) => known.result == row.result && known.started_at == row.started_at,
        ReadResult::Failed { .. } => known.is_same_read(row) && known.announced().is_none(),
        ReadResult::Complete(_) | ReadResult::Announced(..) => {
            let key = row.object().or(row.announced()).map(|object| &object.key);
            let is_same_object = key.is_some() && known.object().map(|object| &object.key) == key;
            known.is_complete() && (known.is_same_read(row) || is_same_object)
                || row.announced().is_some() && known == row
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::{DateTime, NaiveDate, TimeDelta, Utc};

    fn window() -> Window {
        Window::whole_day(NaiveDate::from_ymd_opt(2026, 11, 20).unwrap())
    }

    fn object(key: &str) -> StoredObject {
        let hash = "ab".repeat(32);
        let table = Some(StoredTable { sha256: hash.clone(), rows: 3 });
        StoredObject {
            key: key.to_owned(),
            sha256: hash.clone(),
            bytes: 7,
            records_root: Some(hash),
            table,
        }
    }

    fn row(read: u32, hours_after_end: i64, result: ReadResult) -> ReadRow {
        let started_at: DateTime<Utc> = window().end() + TimeDelta::hours(hours_after_end);
        ReadRow {
            window: window(),
            read,
            started_at,
            finished_at: started_at + TimeDelta::seconds(4),
            result,
            requests: 2,
            retries: 1,
            origin: Some(Origin::new(Some("9f8e7d6c-5b4a-4392-8170-6f5e4d3c2b1a"))),
        }
    }

    fn completed(new: u64, key: Option<&str>) -> Completed {
        let counts = Counts { served: 3, new, ..Counts::default() };
        Completed { counts, object: key.map(object), remark: None }
    }

    fn complete(read: u32, hours: i64, key: Option<&str>) -> ReadRow {
        let new = u64::from(key.is_some());
        row(read, hours, ReadResult::Complete(completed(new, key)))
    }

    fn announced(read: u32, hours: i64, key: &str) -> ReadRow {
        row(read, hours, ReadResult::Announced(completed(1, None), object(key)))
    }

    fn failed(read: u32, hours: i64, error: &str) -> ReadRow {
        row(read, hours, ReadResult::Failed { error: error.to_owned() })
    }

    fn ledger(rows: &[ReadRow]) -> Ledger {
        let mut ledger = Ledger::default();
        for row in rows {
            assert!(matches!(ledger.append(row.clone()).unwrap(), Appended::Row(_)));
        }
        ledger
    }

    #[test]
    fn every_kind_of_row_is_read_back_as_it_was_written() {
        let result = ReadResult::Rebuilt(object("raw/r1"));
        let rebuilt = ReadRow { requests: 0, retries: 0, ..row(1, 60, result) };
        let rows =
            [failed(1, 1, "no"), complete(1, 2, Some("raw/r1")), complete(2, 30, None), rebuilt];
        let text = ledger(&rows).to_text();
        let read_back = Ledger::parse(&text).unwrap();
        assert_eq!(read_back.rows().cloned().collect::<Vec<_>>(), rows);
        let last = std::str::from_utf8(&text).unwrap().lines().last().unwrap().to_owned();
        for null in ["served", "new", "changed", "missing", "requests", "retries", "untimed"] {
            assert!(last.contains(&format!("\"{null}\":null")), "{null} of {last}");
        }
    }

    #[test]
    fn rows_on_record_are_carried_byte_for_byte() {
        let text = concat!(
            r#"{"window_start":"2026-11-20T00:00:00Z", "window_end":"2026-11-21T00:00:00+00:00","read":1,"#,
            r#""started_at":"2026-11-21T01:00:00.5Z","finished_at":"2026-11-21T01:00:09Z","status":"complete","#,
            r#""served":1,"new":0,"changed":0,"missing":0,"key":null,"sha256":null,"bytes":null,"requests":1,"#,
            "\"retries\":0,\"error\":null,\"colour\":\"r\\u00e9d\"}\n"
        );
        let mut ledger = Ledger::parse(text.as_bytes()).unwrap();
        assert!(ledger.rows().all(|row| row.origin.is_none()));
        ledger.append(complete(2, 30, None)).unwrap();
        assert!(ledger.to_text().starts_with(text.as_bytes()));
    }

    #[test]
    fn a_damaged_line_is_named_by_its_number_and_not_quoted() {
        let mut text = ledger(&[complete(1, 1, None)]).to_text();
        text.extend_from_slice(b"{\"secret\n");
        let damage = Ledger::parse(&text).unwrap_err();
        assert_eq!(damage.line, 2);
        assert!(!damage.what.contains("secret"));
        assert_eq!(Ledger::parse(b"").unwrap_err().line, 0);
        assert_eq!(Ledger::parse(b"\xff").unwrap_err().line, 1);
        assert_eq!(Ledger::parse(b"\n").unwrap_err().line, 1);
    }

    #[test]
    fn a_row_that_contradicts_itself_is_damage() {
        let line = complete(1, 1, Some("raw/r1")).to_line().unwrap();
        for (part, other) in [
            ("\"read\":1", "\"read\":0"),
            ("\"read\":1", "\"read\":4294967295"),
            ("\"served\":3", "\"served\":null"),
            ("\"bytes\":7", "\"bytes\":null"),
            ("\"format\":2", "\"format\":1"),
            ("\"table_rows\":3", "\"table_rows\":null"),
            ("\"status\":\"complete\"", "\"status\":\"done\""),
            ("\"new\":1", "\"new\":1,\"new\":2"),
            ("2026-11-20T00:00:00Z", "2026-11-20T00:01:00Z"),
        ] {
            assert!(line.contains(part), "{part}");
            assert!(Ledger::parse(line.replacen(part, other, 1).as_bytes()).is_err(), "{other}");
        }
    }

    #[test]
    fn an_announcement_ends_with_the_outcome_of_its_read() {
        let mut ledger = ledger(&[failed(1, 0, "no"), announced(1, 1, "raw/r1")]);
        assert_eq!(ledger.windows_on_record(), [window()]);
        assert_eq!(ledger.complete_reads(window()).count(), 0);
        ledger.append(complete(1, 1, Some("raw/r1"))).unwrap();
        let rows: Vec<_> = ledger.rows().cloned().collect();
        assert_eq!(rows, [failed(1, 0, "no"), complete(1, 1, Some("raw/r1"))]);
        for again in [complete(1, 1, Some("raw/r1")), announced(1, 1, "raw/r1")] {
            assert!(matches!(ledger.append(again).unwrap(), Appended::Known(_)));
        }
    }

    #[test]
    fn an_abandoned_announcement_is_settled_by_the_next_complete_read_only() {
        let mut ledger = ledger(&[announced(1, 1, "raw/r1")]);
        ledger.append(failed(1, 5, "Graph was down")).unwrap();
        assert_eq!(ledger.rows().filter(|row| row.announced().is_some()).count(), 1);
        ledger.append(complete(1, 9, None)).unwrap();
        assert_eq!(ledger.rows().filter(|row| row.announced().is_some()).count(), 0);
        assert_eq!(ledger.rows().count(), 2);
    }

    #[test]
    fn a_number_that_was_taken_meanwhile_becomes_the_next_one() {
        let mut ledger = ledger(&[complete(1, 9, None)]);
        let Appended::Row(late) = ledger.append(complete(1, 1, Some("raw/r1"))).unwrap() else {
            panic!("the row is not on record yet");
        };
        assert_eq!((late.read, late.object().unwrap().key.as_str()), (2, "raw/r1"));
        let again = ledger.append(complete(1, 1, Some("raw/r1"))).unwrap();
        assert_eq!(again, Appended::Known(late));
    }

    #[test]
    fn of_two_announcements_the_one_that_missed_most_counts_and_then_the_first() {
        let announced_at = |hours, missing| {
            let mut row = announced(1, hours, "raw/r1");
            if let ReadResult::Announced(completed, _) = &mut row.result {
                completed.counts.missing = missing;
            }
            row
        };
        let found = |rows: &[ReadRow], object| {
            ledger(rows).announcement_of(&object).map(|announcement| announcement.started_at())
        };
        let rows = [announced_at(1, 0), announced_at(2, 0), announced_at(3, 2), announced_at(4, 2)];
        assert_eq!(found(&rows[..2], object("raw/r1")), Some(rows[0].started_at));
        assert_eq!(found(&rows, object("raw/r1")), Some(rows[2].started_at));
        assert_eq!(found(&rows, object("raw/r2")), None);
        let other = StoredObject { sha256: "cd".repeat(32), ..object("raw/r1") };
        assert_eq!(found(&rows, other), None);
    }

    #[test]
    fn the_newest_table_of_an_object_counts() {
        let mut ledger = ledger(&[complete(1, 1, Some("raw/r1"))]);
        assert_eq!(ledger.table_of("raw/r1").unwrap().rows, 3);
        let mut rebuilt = object("raw/r1");
        rebuilt.table = Some(StoredTable { sha256: "cd".repeat(32), rows: 3 });
        ledger.append(row(1, 90, ReadResult::Rebuilt(rebuilt))).unwrap();
        assert!(ledger.table_of("raw/r1").unwrap().sha256.starts_with("cd"));
        assert_eq!(ledger.table_of("raw/r2"), None);
    }

    #[test]
    fn a_row_has_at_most_sixty_thousand_bytes() {
        for text in ["a", "é", "\u{1}", "\"\\"] {
            let line = failed(1, 1, &text.repeat(90_000)).to_line().unwrap();
            assert!(line.len() <= 60_000 && line.len() > 1_000, "{}", line.len());
            assert!(ReadRow::parse(&line).unwrap().error().unwrap().ends_with('…'));
        }
    }
}

//! Archives that are made of given records, without a tenant.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use entratrail::ledger::{Completed, Counts, Ledger, Origin, ReadResult, ReadRow, StoredObject};
use entratrail::log::Stream;
use entratrail::object::{ledger_key, raw_key, table_key};
use entratrail::plan::RawObject;
use entratrail::record::RecordReader;
use entratrail::table::TableEncoder;
use entratrail::window::Window;
use entratrail_tests::stack::wait_past_midnight;
use serde_json::Value;
use tempfile::TempDir;

/// A record with its time.
type Timed = (DateTime<Utc>, String);

/// An archive of tables and ledgers in a folder that disappears with it.
#[derive(Debug)]
pub(crate) struct Made {
    folder: TempDir,
    records: BTreeMap<(Stream, NaiveDate), Vec<Timed>>,
}

impl Made {
    /// Makes an archive without records. Its days are counted back from today, and so are those of the questions.
    pub(crate) fn empty() -> Self {
        wait_past_midnight();
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        Self { folder, records: BTreeMap::new() }
    }

    /// Adds a record, which gets an id and its time.
    pub(crate) fn add(&mut self, stream: Stream, time: DateTime<Utc>, mut record: Value) {
        let of_day = self.records.entry((stream, time.date_naive())).or_default();
        let id = format!("{}-{}-{}", stream.name(), time.date_naive(), of_day.len());
        let fields = record.as_object_mut().expect("a record is an object");
        fields.entry("id").or_insert_with(|| id.into());
        let time_field = stream.log().time_field();
        fields.insert(
            time_field.to_owned(),
            time.to_rfc3339_opts(chrono::SecondsFormat::Millis, true).into(),
        );
        of_day.push((time, record.to_string()));
    }

    /// Writes what was added, with ledgers of days that were read until they are verified; the
    /// folder of the archive.
    pub(crate) fn write(&mut self) -> PathBuf {
        for ((stream, day), mut records) in std::mem::take(&mut self.records) {
            records.sort_by_key(|(time, _)| *time);
            self.write_day(stream, day, &records);
        }
        self.folder.path().to_path_buf()
    }

    fn write_day(&self, stream: Stream, day: NaiveDate, records: &[Timed]) {
        let window = Window::whole_day(day);
        let read_at = window.end() + TimeDelta::hours(1);
        let mut encoder = TableEncoder::new(stream.log(), read_at).expect("the schema is known");
        let mut reader = RecordReader::new(stream.log().time_field());
        for (_, json) in records {
            encoder.push(&reader.read(json.as_bytes()), json.as_bytes());
        }
        let (bytes, made) = encoder.finish().expect("records can be encoded");
        let object = RawObject { window, read: 1 };
        write(self.folder.path(), &table_key(stream, object), &bytes);
        let counts =
            Counts { served: records.len() as u64, new: records.len() as u64, ..Counts::default() };
        let stored = StoredObject {
            key: raw_key(stream, object),
            sha256: made.sha256.clone(),
            bytes: 1,
            records_root: None,
            table: Some(made.stored()),
        };
        let mut ledger = Ledger::default();
        let row = ReadRow {
            window,
            read: 1,
            started_at: read_at,
            finished_at: read_at,
            result: ReadResult::Complete(Completed { counts, object: Some(stored), remark: None }),
            requests: 1,
            retries: 0,
            origin: Some(Origin::new(Some("made"))),
        };
        ledger.append(row.clone()).expect("the first row is alone");
        let read_again_at = window.end() + TimeDelta::hours(25);
        if read_again_at < Utc::now() {
            let unchanged = Counts { served: counts.served, ..Counts::default() };
            let result = Completed { counts: unchanged, object: None, remark: None };
            let again = ReadRow {
                read: 2,
                started_at: read_again_at,
                finished_at: read_again_at,
                result: ReadResult::Complete(result),
                ..row
            };
            ledger.append(again).expect("the second row follows the first");
        }
        write(self.folder.path(), &ledger_key(stream, day), &ledger.to_text());
    }
}

fn write(folder: &Path, key: &str, content: &[u8]) {
    let path = folder.join(key);
    std::fs::create_dir_all(path.parent().expect("a key has a folder"))
        .expect("the folder is ours");
    std::fs::write(path, content).expect("the folder is ours");
}

/// `record` with the members of `other`, which count where both have one.
pub(crate) fn merged(record: &Value, other: &Value) -> Value {
    let mut record = record.clone();
    merge(&mut record, other);
    record
}

/// Gives `record` the members of `other`, which count where both have one.
pub(crate) fn merge(record: &mut Value, other: &Value) {
    match (record, other) {
        (Value::Object(record), Value::Object(other)) => {
            for (key, value) in other {
                merge(record.entry(key.as_str()).or_insert(Value::Null), value);
            }
        }
        (record, other) => record.clone_from(other),
    }
}

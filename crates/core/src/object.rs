//! Names of the objects in the archive.

use crate::ledger::MAX_READ;
use crate::log::{Log, Stream};
use crate::plan::RawObject;
use crate::window::Window;
use chrono::NaiveDate;

/// A small object as a whole.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct StoredFile {
    /// Its bytes.
    pub body: Vec<u8>,
    /// Tag that differs from that of any later version: `ETag` in a bucket.
    pub version: Option<String>,
}

/// State of an object's name in which a write takes place; in any other it changes nothing. S3
/// calls that a conditional write:
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html>
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Precondition {
    /// Any: the object takes the place of one of that name.
    None,
    /// No object has the name (`If-None-Match: *`).
    Absent,
    /// The object of that name has this version still (`If-Match`).
    Version(String),
}

/// Outcome of a write under a [`Precondition`].
#[must_use]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Written {
    /// The object is there.
    Yes,
    /// The name was in another state, in which it was left.
    ConditionFailed,
}

impl Precondition {
    /// Nobody has written the object since a read found it with `version`, or found none.
    pub fn unchanged(version: Option<String>) -> Self {
        version.map_or(Self::Absent, Self::Version)
    }
}

/// The folder of a stream's raw objects.
pub fn raw_folder(stream: Stream) -> String {
    format!("raw/{}/", stream.folder())
}

/// The folder of a stream's ledger files.
pub fn ledger_folder(stream: Stream) -> String {
    format!("ledger/{}/", stream.folder())
}

/// The key of the raw object of one read.
pub fn raw_key(stream: Stream, object: RawObject) -> String {
    let day = object.window.day();
    let name = object.window.name();
    format!("{}day={day}/{name}.r{}.ndjson.gz", raw_folder(stream), object.read)
}

/// The key of the table object of one read.
pub fn table_key(stream: Stream, object: RawObject) -> String {
    let day = object.window.day();
    let name = object.window.name();
    format!("tables/{}/day={day}/{name}.r{}.parquet", stream.table_folder(), object.read)
}

/// The key of the ledger file of one day.
pub fn ledger_key(stream: Stream, day: NaiveDate) -> String {
    format!("{}day={day}.ndjson", ledger_folder(stream))
}

/// The key of the object that a check of `log` creates once. It lies in no folder that anything
/// lists.
pub fn check_key(log: Log) -> String {
    format!("checks/{}/two-parts", log.name())
}

/// The raw object of `stream` with that key; `None` where the name is not one that EntraTrail
/// gives.
pub fn parse_raw_key(stream: Stream, key: &str) -> Option<RawObject> {
    let (day, name) =
        key.strip_prefix(&raw_folder(stream))?.strip_prefix("day=")?.split_once('/')?;
    let (window, read) = name.strip_suffix(".ndjson.gz")?.split_once(".r")?;
    let object =
        RawObject { window: Window::named(day.parse().ok()?, window)?, read: read.parse().ok()? };
    ((1..=MAX_READ).contains(&object.read) && raw_key(stream, object) == key).then_some(object)
}

/// The table object of `stream` with that key; `None` where the name is not one that EntraTrail
/// gives.
pub fn parse_table_key(stream: Stream, key: &str) -> Option<RawObject> {
    let folder = format!("tables/{}/day=", stream.table_folder());
    let (day, name) = key.strip_prefix(&folder)?.split_once('/')?;
    let (window, read) = name.strip_suffix(".parquet")?.split_once(".r")?;
    let object =
        RawObject { window: Window::named(day.parse().ok()?, window)?, read: read.parse().ok()? };
    ((1..=MAX_READ).contains(&object.read) && table_key(stream, object) == key).then_some(object)
}

/// The day of the ledger file of `stream` with that key; `None` where the name is not one that
/// EntraTrail gives.
pub fn parse_ledger_key(stream: Stream, key: &str) -> Option<NaiveDate> {
    let day =
        key.strip_prefix(&ledger_folder(stream))?.strip_prefix("day=")?.strip_suffix(".ndjson")?;
    let day = day.parse().ok()?;
    (ledger_key(stream, day) == key).then_some(day)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::EventType;

    #[test]
    fn keys_are_as_documented_and_read_back() {
        let sign_ins = Stream::SignIns(EventType::InteractiveUser);
        let key = "raw/sign-ins/event_type=interactiveUser/day=2026-11-22/0000-2400.r1.ndjson.gz";
        assert_eq!(
            parse_raw_key(sign_ins, key).map(|object| raw_key(sign_ins, object)).as_deref(),
            Some(key)
        );
        let key = "raw/directory-audits/day=2026-11-22/0600-1200.r2.ndjson.gz";
        let object = parse_raw_key(Stream::DirectoryAudits, key).unwrap();
        assert_eq!((object.read, object.window.name().as_str()), (2, "0600-1200"));
        assert_eq!(
            table_key(sign_ins, object),
            "tables/sign_ins/event_type=interactiveUser/day=2026-11-22/0600-1200.r2.parquet"
        );
        let key = "ledger/directory-audits/day=2026-11-22.ndjson";
        assert_eq!(
            parse_ledger_key(Stream::DirectoryAudits, key).map(|day| day.to_string()).as_deref(),
            Some("2026-11-22")
        );
    }

    #[test]
    fn foreign_names_are_not_taken_for_ours() {
        for name in [
            "day=2026-11-22/notes.txt",
            "day=2026-11-22/0000-2400.r1.ndjson",
            "day=2026-11-22/0000-2400.r0.ndjson.gz",
            "day=2026-11-22/0000-2400.r01.ndjson.gz",
            "day=2026-11-22/0000-2400.r1000001.ndjson.gz",
            "day=2026-11-22/0000-2400.r4294967295.ndjson.gz",
            "day=2026-11-22/0000-2400.ndjson.gz",
            "day=2026-11-31/0000-2400.r1.ndjson.gz",
            "day=2026-11-22/0001-2401.r1.ndjson.gz",
            "0000-2400.r1.ndjson.gz",
            "day=2026-11-22/x/0000-2400.r1.ndjson.gz",
            "day=+2026-11-22/0000-2400.r1.ndjson.gz",
        ] {
            assert_eq!(
                parse_raw_key(Stream::DirectoryAudits, &format!("raw/directory-audits/{name}")),
                None,
                "{name}"
            );
        }
        assert_eq!(
            parse_ledger_key(
                Stream::DirectoryAudits,
                "ledger/directory-audits/day=2026-11-22.ndjson.bak"
            ),
            None
        );
    }
}

//! One read of one window: its meaning as a type, and its form as a line of the ledger.

use crate::table::StoredTable;
use crate::window::Window;
use chrono::{DateTime, Datelike as _, Utc};
use serde::{Deserialize, Serialize};
use std::ops::RangeInclusive;

/// Version of the row's form that this program writes.
const FORMAT: u32 = 2;

/// Size of a row in bytes that none exceeds, so that whoever reads ledgers can bound a line. Only
/// `error` can grow, and it is cut.
const MAX_ROW_BYTES: usize = 60_000;

/// Largest read number that is taken for one. A window is read a few dozen times in its life; a
/// larger number is damage, or somebody's attempt to overflow the next one.
pub const MAX_READ: u32 = 1_000_000;

/// Years in which a read can lie. The rules of proof add hours to its times, which overflows at the
/// end of the calendar.
const YEARS: RangeInclusive<i32> = 2000..=2999;

/// One read of one window.
#[derive(Debug, Clone, PartialEq)]
pub struct ReadRow {
    /// Window that was read, as `window_start` and `window_end`.
    pub window: Window,
    /// 1 for the first complete read of a window, then 2, 3, …; a failed read keeps the number it
    /// tried for.
    pub read: u32,
    /// Start of the read.
    pub started_at: DateTime<Utc>,
    /// End of the read.
    pub finished_at: DateTime<Utc>,
    /// Outcome of the read.
    pub result: ReadResult,
    /// Page requests sent, retries included.
    pub requests: u64,
    /// Requests that repeated an earlier one.
    pub retries: u64,
    /// Who read; `None` in rows from before format 2, which say what was stored and prove nothing.
    pub origin: Option<Origin>,
}

/// Outcome of a read.
#[derive(Debug, Clone, PartialEq)]
pub enum ReadResult {
    /// Every page was read and everything new is stored.
    Complete(Completed),
    /// All was read and the object is about to be created: written just before, removed with the
    /// outcome. It is no row on record.
    Announced(Completed, StoredObject),
    /// The read did not get that far.
    Failed {
        /// Cause, in the operator's words.
        error: String,
    },
    /// The table object of an earlier read was made again, with other bytes.
    Rebuilt(StoredObject),
}

/// Facts of a read that reached the end of its window.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Completed {
    /// Numbers of the read.
    pub counts: Counts,
    /// Object that it stored, where anything was new.
    pub object: Option<StoredObject>,
    /// Remark: records that were too large to store, or that only the object vouches for the row.
    pub remark: Option<String>,
}

/// Numbers of a complete read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Distinct record versions that Graph served for the window.
    pub served: u64,
    /// Versions that this read stored; the object has as many lines.
    pub new: u64,
    /// New versions of records that were stored before with other content.
    pub changed: u64,
    /// Stored records no version of which, among those their newest read brought, was served.
    pub missing: u64,
    /// Versions served that say no readable time; they are kept with the window.
    pub untimed: u64,
    /// Records served that another window owns; they are left to it.
    pub outside: u64,
}

/// Raw object of a read, with its table object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredObject {
    /// Key of the raw object.
    pub key: String,
    /// SHA-256 of the raw object, in hexadecimal.
    pub sha256: String,
    /// Size of the raw object in bytes.
    pub bytes: u64,
    /// RFC 6962 root over the lines of the raw object, in hexadecimal; `None` in rows from before.
    pub records_root: Option<String>,
    /// Table object made of the raw one; `None` in rows from before, and until it is made.
    pub table: Option<StoredTable>,
}

/// Row that announces an object, by which the read can be put on record once that exists.
#[derive(Debug, Clone, PartialEq)]
pub struct Announcement {
    row: ReadRow,
    completed: Completed,
}

/// Program that read, and what it knew of Graph's retention.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// Version of the row's form, from 2.
    pub format: u32,
    /// Name and version of the program.
    pub collector: String,
    /// Client id of the application that asked Graph.
    pub application: Option<String>,
    /// Time of the oldest record, at most 31 days old, that Graph served to this log in this
    /// invocation.
    pub kept_since: Option<DateTime<Utc>>,
}

impl Origin {
    /// Origin of the rows of this program, asking as `application`, where it asks.
    pub fn new(application: Option<&str>) -> Self {
        Self {
            format: FORMAT,
            collector: concat!("entratrail ", env!("CARGO_PKG_VERSION")).to_owned(),
            application: application.map(str::to_owned),
            kept_since: None,
        }
    }
}

impl Announcement {
    /// Announcement of `object`, where `row` is one: it has the key and the hash.
    pub(super) fn of(object: &StoredObject, row: &ReadRow) -> Option<Self> {
        let ReadResult::Announced(completed, announced) = &row.result else { return None };
        let is_of_object = announced.key == object.key && announced.sha256 == object.sha256;
        is_of_object.then(|| Self { row: row.clone(), completed: completed.clone() })
    }

    /// Start of the read.
    pub fn started_at(&self) -> DateTime<Utc> {
        self.row.started_at
    }

    /// Number of stored records that the read was not served.
    pub(super) fn missing(&self) -> u64 {
        self.completed.counts.missing
    }

    /// The row on record of the read, which stored `object`, with its table. An announcement holds
    /// no `remark` of its read.
    pub fn confirm(self, object: StoredObject, remark: Option<String>) -> ReadRow {
        let object = Some(object);
        let result = ReadResult::Complete(Completed { object, remark, ..self.completed });
        ReadRow { result, ..self.row }
    }
}

impl ReadRow {
    /// Facts of a complete read.
    pub fn completed(&self) -> Option<&Completed> {
        match &self.result {
            ReadResult::Complete(completed) => Some(completed),
            ReadResult::Announced(..) | ReadResult::Failed { .. } | ReadResult::Rebuilt(_) => None,
        }
    }

    /// Whether every page was read and everything new is stored.
    pub fn is_complete(&self) -> bool {
        self.completed().is_some()
    }

    /// Object that the read stored, where it is complete and brought anything new.
    pub fn object(&self) -> Option<&StoredObject> {
        self.completed()?.object.as_ref()
    }

    /// Object that the row announces, which may or may not exist.
    pub fn announced(&self) -> Option<&StoredObject> {
        match &self.result {
            ReadResult::Announced(_, object) => Some(object),
            ReadResult::Complete(_) | ReadResult::Failed { .. } | ReadResult::Rebuilt(_) => None,
        }
    }

    /// Object that the row names, whether the read stored it, announces it or its table was made
    /// again.
    pub fn named_object(&self) -> Option<&StoredObject> {
        match &self.result {
            ReadResult::Complete(completed) => completed.object.as_ref(),
            ReadResult::Announced(_, object) | ReadResult::Rebuilt(object) => Some(object),
            ReadResult::Failed { .. } => None,
        }
    }

    /// Whether the window may not be cut in another way because of this row.
    pub(super) fn claims_its_window(&self) -> bool {
        self.is_complete() || self.announced().is_some()
    }

    /// Numbers of the read: zeros where it is not complete.
    pub fn counts(&self) -> Counts {
        self.completed().map(|completed| completed.counts).unwrap_or_default()
    }

    /// Cause of a failed read, or remark of a complete one.
    pub fn error(&self) -> Option<&str> {
        match &self.result {
            ReadResult::Complete(completed) => completed.remark.as_deref(),
            ReadResult::Announced(..) => Some(ANNOUNCED),
            ReadResult::Failed { error } => Some(error),
            ReadResult::Rebuilt(_) => None,
        }
    }

    /// Word of the member `status`.
    pub fn status(&self) -> &'static str {
        Status::of(&self.result).word()
    }

    /// Whether both rows tell of the same read.
    pub(super) fn is_same_read(&self, other: &Self) -> bool {
        self.window == other.window && self.started_at == other.started_at
    }

    /// Line of the ledger, without its line feed: at most 60,000 bytes.
    pub fn to_line(&self) -> serde_json::Result<String> {
        let mut line = Line::from(self);
        let mut text = serde_json::to_string(&line)?;
        while text.len() > MAX_ROW_BYTES {
            let Some(error) = line.error.take() else { break };
            // Escapes take up to six bytes a character, so the share that fits is cut off, and once
            // more where the escapes stand at its start.
            let escaped = serde_json::to_string(&error)?.len();
            let room = MAX_ROW_BYTES.saturating_sub(text.len() - escaped + ELLIPSIS.len());
            let share = error.len() * room / escaped.max(1);
            let end = error
                .floor_char_boundary(share.min(error.len().saturating_sub(ELLIPSIS.len() + 1)));
            line.error = (end > 0).then(|| error[..end].to_owned() + ELLIPSIS);
            text = serde_json::to_string(&line)?;
        }
        Ok(text)
    }

    /// Row that `line` holds; the error says what is wrong, without any of its content.
    pub fn parse(line: &str) -> Result<Self, String> {
        let line: Line = serde_json::from_str(line).map_err(|error| {
            format!(
                "it is not a ledger entry ({:?} at column {})",
                error.classify(),
                error.column()
            )
        })?;
        Self::try_from(line)
    }
}

const ELLIPSIS: &str = "…";

/// Text of an announcement. It stays only where the run ended at that moment.
const ANNOUNCED: &str =
    "the run ended before this read was on record; the next run looks for the object";

#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Status {
    Complete,
    Failed,
    Rebuilt,
}

impl Status {
    fn of(result: &ReadResult) -> Self {
        match result {
            ReadResult::Complete(_) => Self::Complete,
            ReadResult::Announced(..) | ReadResult::Failed { .. } => Self::Failed,
            ReadResult::Rebuilt(_) => Self::Rebuilt,
        }
    }

    fn word(self) -> &'static str {
        match self {
            Self::Complete => "complete",
            Self::Failed => "failed",
            Self::Rebuilt => "rebuilt",
        }
    }
}

/// Members of a row as they are written, in their order.
#[derive(Serialize, Deserialize)]
struct Line {
    window_start: DateTime<Utc>,
    window_end: DateTime<Utc>,
    read: u32,
    started_at: DateTime<Utc>,
    finished_at: DateTime<Utc>,
    status: Status,
    served: Option<u64>,
    new: Option<u64>,
    changed: Option<u64>,
    missing: Option<u64>,
    key: Option<String>,
    sha256: Option<String>,
    bytes: Option<u64>,
    requests: Option<u64>,
    retries: Option<u64>,
    error: Option<String>,
    format: Option<u32>,
    collector: Option<String>,
    application: Option<String>,
    kept_since: Option<DateTime<Utc>>,
    records_root: Option<String>,
    table_sha256: Option<String>,
    table_rows: Option<u64>,
    untimed: Option<u64>,
    outside: Option<u64>,
}

impl From<&ReadRow> for Line {
    fn from(row: &ReadRow) -> Self {
        let is_rebuilt = matches!(row.result, ReadResult::Rebuilt(_));
        let counts = match &row.result {
            ReadResult::Announced(completed, _) | ReadResult::Complete(completed) => {
                completed.counts
            }
            ReadResult::Failed { .. } | ReadResult::Rebuilt(_) => Counts::default(),
        };
        let object = row.named_object();
        let table = object.and_then(|object| object.table.as_ref());
        let origin = row.origin.as_ref();
        let number = |number: u64| (!is_rebuilt).then_some(number);
        Self {
            window_start: row.window.start(),
            window_end: row.window.end(),
            read: row.read,
            started_at: row.started_at,
            finished_at: row.finished_at,
            status: Status::of(&row.result),
            served: number(counts.served),
            new: number(counts.new),
            changed: number(counts.changed),
            missing: number(counts.missing),
            key: object.map(|object| object.key.clone()),
            sha256: object.map(|object| object.sha256.clone()),
            bytes: object.map(|object| object.bytes),
            requests: number(row.requests),
            retries: number(row.retries),
            error: row.error().map(str::to_owned),
            format: origin.map(|origin| origin.format),
            collector: origin.map(|origin| origin.collector.clone()),
            application: origin.and_then(|origin| origin.application.clone()),
            kept_since: origin.and_then(|origin| origin.kept_since),
            records_root: object.and_then(|object| object.records_root.clone()),
            table_sha256: table.map(|table| table.sha256.clone()),
            table_rows: table.map(|table| table.rows),
            untimed: number(counts.untimed),
            outside: number(counts.outside),
        }
    }
}

impl TryFrom<Line> for ReadRow {
    type Error = String;

    fn try_from(line: Line) -> Result<Self, String> {
        let window = Window::between(line.window_start, line.window_end)
            .ok_or("it names no aligned window inside one UTC day")?;
        if !(1..=MAX_READ).contains(&line.read) {
            return Err(format!("its read number is not between 1 and {MAX_READ}"));
        }
        let times = [line.window_start, line.window_end, line.started_at, line.finished_at];
        if !times.iter().chain(&line.kept_since).all(|time| YEARS.contains(&time.year())) {
            return Err("it has a time that is not in the years 2000 to 2999".to_owned());
        }
        let origin = line.origin()?;
        let result = line.result()?;
        Ok(Self {
            window,
            read: line.read,
            started_at: line.started_at,
            finished_at: line.finished_at,
            result,
            requests: line.requests.unwrap_or(0),
            retries: line.retries.unwrap_or(0),
            origin,
        })
    }
}

impl Line {
    fn origin(&self) -> Result<Option<Origin>, String> {
        let Some(format) = self.format else { return Ok(None) };
        if format < FORMAT {
            return Err("its format is none that was ever written".to_owned());
        }
        let collector = self.collector.clone().ok_or("it has a format and no collector")?;
        let application = self.application.clone();
        Ok(Some(Origin { format, collector, application, kept_since: self.kept_since }))
    }

    fn result(&self) -> Result<ReadResult, String> {
        let object = self.object()?;
        match (self.status, object) {
            (Status::Complete, object) => {
                Ok(ReadResult::Complete(Completed { object, ..self.completed()? }))
            }
            (Status::Failed, Some(object)) => Ok(ReadResult::Announced(self.completed()?, object)),
            (Status::Failed, None) => {
                Ok(ReadResult::Failed { error: self.error.clone().unwrap_or_default() })
            }
            (Status::Rebuilt, Some(object)) => Ok(ReadResult::Rebuilt(object)),
            (Status::Rebuilt, None) => Err("it says rebuilt and names no object".to_owned()),
        }
    }

    fn completed(&self) -> Result<Completed, String> {
        let counts = Counts {
            served: required(self.served, "served")?,
            new: required(self.new, "new")?,
            changed: required(self.changed, "changed")?,
            missing: required(self.missing, "missing")?,
            untimed: self.untimed.unwrap_or(0),
            outside: self.outside.unwrap_or(0),
        };
        let remark = self.error.clone().filter(|_| matches!(self.status, Status::Complete));
        Ok(Completed { counts, object: None, remark })
    }

    fn object(&self) -> Result<Option<StoredObject>, String> {
        let Some(key) = self.key.clone() else { return Ok(None) };
        let Some((sha256, bytes)) = self.sha256.clone().zip(self.bytes) else {
            return Err("it names an object without its hash and size".to_owned());
        };
        let table = match (self.table_sha256.clone(), self.table_rows) {
            (Some(sha256), Some(rows)) => Some(StoredTable { sha256, rows }),
            (None, None) => None,
            _ => return Err("it has only one of table_sha256 and table_rows".to_owned()),
        };
        let records_root = self.records_root.clone();
        Ok(Some(StoredObject { key, sha256, bytes, records_root, table }))
    }
}

fn required(number: Option<u64>, name: &str) -> Result<u64, String> {
    number.ok_or_else(|| format!("it has no number in {name}"))
}

//! The report of a run: its return value, and one line of its log.

mod bounded;

pub use bounded::BoundedReport;

use crate::ledger::State;
use crate::log::{Log, Stream};
use chrono::{DateTime, Utc};
use serde::Serialize;

/// Report of a run. The names are those of the JSON that the function returns.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// The log, e.g. `sign-ins`.
    pub log: &'static str,
    /// Each window that was read, or would be in a dry run.
    pub windows: Vec<WindowReport>,
    /// Distinct record versions that Graph served.
    pub served: u64,
    /// Versions stored by this run.
    pub new: u64,
    /// New versions whose record was stored before with other content.
    pub changed: u64,
    /// Fields of the new ones that their table does not know, or not with that type: the column
    /// `other` has them.
    pub unexpected_fields: u64,
    /// Page requests, retries included.
    pub requests: u64,
    /// Answers that asked to wait.
    pub throttled: u64,
    /// Requests that repeated an earlier one.
    pub retries: u64,
    /// Windows that are due and were not read.
    pub remaining_windows: u64,
    /// Objects in the archive's folders that EntraTrail did not write; they are left alone.
    pub foreign: Vec<String>,
    /// Sentences, each of which names an object of the archive that is gone or is not the one on
    /// record.
    pub damaged: Vec<String>,
    /// Table objects that were gone or differed, and were made again.
    pub remade_tables: Vec<String>,
    /// Milliseconds from start to end.
    pub duration_ms: u64,
    /// State of the signed log; absent where nobody signs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub evidence: Option<Sealed>,
}

/// State of the signed log after a run, as sealing left it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Sealed {
    /// Latest checkpoint, a signed note.
    pub checkpoint: Option<String>,
    /// Rows on record that are not in the log yet; `None` where that could not be counted.
    pub waiting: Option<u64>,
    /// Reason for which rows wait, where nothing is wrong with the archive.
    pub delayed: Option<String>,
    /// Sentences about what is not as the log has it: somebody must look.
    pub alarms: Vec<String>,
    /// Reason for which the latest checkpoint has no time stamp, where one was to be had.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unstamped: Option<String>,
}

/// Numbers that a run reports as metrics beyond its report.
#[derive(Debug, Clone, Copy)]
pub struct Vitals {
    /// Hours since the end of the oldest window that is not verified, or since the read that opened
    /// it again; `None` where the run did not look.
    pub oldest_unverified_hours: Option<i64>,
    /// Days until the credential expires; `None` where that is not known.
    pub credential_days_left: Option<i64>,
    /// Whether nothing went wrong; `None` where somebody read a span by hand, which keeps no
    /// promise of a daily run.
    pub succeeded: Option<bool>,
}

/// Report of one window.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct WindowReport {
    /// Its stream, e.g. `interactiveUser`.
    pub stream: &'static str,
    /// Its first instant.
    pub start: DateTime<Utc>,
    /// The first instant after it.
    pub end: DateTime<Utc>,
    /// The number of the read.
    pub read: u32,
    /// Distinct record versions that Graph served.
    pub served: u64,
    /// Versions stored by this read.
    pub new: u64,
    /// New versions whose record was stored before with other content.
    pub changed: u64,
    /// Fields of the new ones that their table does not know, or not with that type.
    pub unexpected_fields: u64,
    /// Versions served that say no readable time.
    pub untimed: u64,
    /// Records served that another window owns.
    pub outside: u64,
    /// State of the window now.
    pub state: State,
    /// Reason for which a window that was read is not verified.
    pub reason: Option<String>,
    /// The object, where anything was new.
    pub key: Option<String>,
    /// Why the window could not be read.
    pub error: Option<String>,
}

impl WindowReport {
    /// A window of which nothing is known but its bounds and state.
    pub fn unread(
        stream: Stream,
        start: DateTime<Utc>,
        end: DateTime<Utc>,
        read: u32,
        state: State,
    ) -> Self {
        Self {
            stream: stream.name(),
            start,
            end,
            read,
            served: 0,
            new: 0,
            changed: 0,
            unexpected_fields: 0,
            untimed: 0,
            outside: 0,
            state,
            reason: None,
            key: None,
            error: None,
        }
    }

    /// Whether the window was to be read and could not be.
    pub fn has_failed(&self) -> bool {
        self.error.is_some()
    }
}

impl Report {
    /// A report of a run that has done nothing yet.
    pub fn new(log: Log) -> Self {
        Self {
            log: log.name(),
            windows: Vec::new(),
            served: 0,
            new: 0,
            changed: 0,
            unexpected_fields: 0,
            requests: 0,
            throttled: 0,
            retries: 0,
            remaining_windows: 0,
            foreign: Vec::new(),
            damaged: Vec::new(),
            remade_tables: Vec::new(),
            duration_ms: 0,
            evidence: None,
        }
    }

    /// Adds what happened to one window.
    pub fn add(&mut self, window: WindowReport) {
        self.served += window.served;
        self.new += window.new;
        self.changed += window.changed;
        self.unexpected_fields += window.unexpected_fields;
        self.windows.push(window);
    }

    /// Windows that were read.
    pub fn read_windows(&self) -> usize {
        self.windows
            .iter()
            .filter(|window| !window.has_failed() && window.state != State::Expired)
            .count()
    }

    /// Windows that left the history without being verified.
    pub fn expired_windows(&self) -> usize {
        self.windows
            .iter()
            .filter(|window| window.state == State::Expired && window.read > 0)
            .count()
    }

    /// Windows that were to be read and could not be.
    pub fn failed_windows(&self) -> usize {
        self.windows.iter().filter(|window| window.has_failed()).count()
    }
}

//! Records that are not as a reader expects them.

use chrono::{DateTime, Utc};
use serde::Deserialize;

use crate::error::Error;
use crate::stream::Stream;

/// Largest size of an odd record.
const LARGEST: u32 = 256 * 1024 * 1024;

/// One `[[odd]]` table: records of one odd kind among the others.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Odd {
    /// Oddity that they have.
    pub kind: OddKind,
    /// The stream that they belong to.
    pub stream: Stream,
    /// The day on which they are on file, counted from the day of the scenario's `now`.
    #[serde(default = "yesterday")]
    pub day: i32,
    /// When the first one is on file; absent: a time of the day that suits its kind.
    pub at: Option<DateTime<Utc>>,
    /// Number of records, a second apart.
    #[serde(default = "one")]
    pub count: u32,
    /// Bytes of a `large` record, or number of the members that are added; absent: as the kind
    /// says.
    pub size: Option<u32>,
}

/// Oddities of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OddKind {
    /// The time is missing.
    NoTime,
    /// The time is `null`.
    NullTime,
    /// The time is written `11/26/2026 5:00:00 AM`.
    LocalTime,
    /// The time has no zone.
    NoZone,
    /// The time is `0001-01-01T00:00:00Z`.
    YearOne,
    /// The record is `null`.
    NullRecord,
    /// The time lies six hours before the one by which the record is found; it is found by both.
    HoursOutside,
    /// The time lies 0.3 seconds after the one by which the record is found; it is found by both.
    JustOutside,
    /// A string holds a byte that is no UTF-8.
    InvalidUtf8,
    /// There are `size` (5,000) further members.
    ManyMembers,
    /// One member comes `size` (2,000) times.
    RepeatedMember,
    /// The record has `size` (33,000,000) bytes.
    Large,
}

impl OddKind {
    /// Bytes or members where the scenario names no size.
    pub(crate) fn usual_size(self) -> u32 {
        match self {
            Self::ManyMembers => 5000,
            Self::RepeatedMember => 2000,
            Self::Large => 33_000_000,
            _ => 0,
        }
    }
}

impl Odd {
    pub(super) fn check(&self) -> Result<(), Error> {
        if self.size > Some(LARGEST) || self.count > 100_000 {
            let reason =
                "an odd record has at most 256 MiB, and there are at most 100000 of a table";
            return Err(Error::Impossible(reason.to_owned()));
        }
        Ok(())
    }
}

fn yesterday() -> i32 {
    -1
}

fn one() -> u32 {
    1
}

//! The result of a verification, for machines and for the calendar.

use super::coverage::{Gap, gaps};
use super::day::CheckedDay;
use super::evidence::EvidenceCheck;
use super::ledgers::StreamLedgers;
use crate::date_range::DateRange;
use crate::terminal::numbers::{count, thousands};
use chrono::{DateTime, NaiveDate, Utc};
use entratrail::ledger::{State, Stretch};
use entratrail::object::raw_folder;
use serde::{Serialize, Serializer};
use std::collections::BTreeMap;

/// Result of a verification.
#[derive(Debug, Serialize)]
pub(crate) struct Verification {
    pub(super) archive: String,
    pub(super) from: DateTime<Utc>,
    pub(super) to: DateTime<Utc>,
    pub(super) streams: Vec<CheckedStream>,
    /// Files that EntraTrail did not write.
    pub(super) foreign: Vec<String>,
    /// Standing of each signed log.
    pub(super) evidence: Vec<EvidenceCheck>,
}

/// Result of one stream.
#[derive(Debug, Serialize)]
pub(super) struct CheckedStream {
    pub(super) stream: &'static str,
    /// Folder of its objects.
    pub(super) folder: String,
    pub(super) objects: u64,
    pub(super) records: u64,
    pub(super) bytes: u64,
    /// State of each day of the span.
    pub(super) days: BTreeMap<NaiveDate, DayState>,
    pub(super) uncovered: Vec<Gap>,
    pub(super) problems: Vec<String>,
}

/// State of a day: the gravest of any of its minutes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum DayState {
    /// As the ledger shows it.
    Shown(State),
    /// The archive contradicts itself.
    Wrong,
}

impl DayState {
    fn word(self) -> &'static str {
        match self {
            Self::Shown(state) => state.word(),
            Self::Wrong => "wrong",
        }
    }
}

impl Serialize for DayState {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.word())
    }
}

impl CheckedStream {
    /// Joins what the ledgers of `stream` show with what the check of its days found.
    pub(super) fn of(stream: &StreamLedgers, checked: &[CheckedDay], range: DateRange) -> Self {
        let checked: Vec<_> = checked.iter().filter(|day| day.stream == stream.stream).collect();
        let days: Vec<_> = range.days().map(|day| (day, stream.stretches(day))).collect();
        let uncovered = gaps(days.iter().flat_map(|(_, stretches)| stretches).copied(), range);
        let mut states: BTreeMap<_, _> = days
            .iter()
            .filter_map(|(day, stretches)| {
                Some((*day, DayState::Shown(gravest(stretches, range)?)))
            })
            .collect();
        for day in checked.iter().filter(|day| !day.problems.is_empty()) {
            states.insert(day.day, DayState::Wrong);
        }
        Self {
            stream: stream.stream.name(),
            folder: raw_folder(stream.stream),
            objects: checked.iter().map(|day| day.objects).sum(),
            records: checked.iter().map(|day| day.records).sum(),
            bytes: checked.iter().map(|day| day.bytes).sum(),
            days: states,
            uncovered,
            problems: checked.iter().flat_map(|day| day.problems.iter().cloned()).collect(),
        }
    }
}

/// Gravest state of any minute that lies in `range`.
fn gravest(stretches: &[Stretch], range: DateRange) -> Option<State> {
    let inside =
        stretches.iter().filter(|stretch| stretch.start < range.to && range.from < stretch.end);
    inside.map(|stretch| stretch.state).max()
}

impl Verification {
    /// Whether nothing is wrong and nothing missing.
    pub(crate) fn is_sound(&self) -> bool {
        self.streams.iter().all(|stream| stream.uncovered.is_empty() && stream.problems.is_empty())
            && self.evidence.iter().all(EvidenceCheck::is_sound)
    }

    /// Tells what is wrong, one sentence a line, or that nothing is.
    pub(super) fn conclusion(&self) -> String {
        let mut lines: Vec<_> = self.streams.iter().flat_map(CheckedStream::complaints).collect();
        lines.extend(self.evidence.iter().flat_map(|log| log.problems.iter().cloned()));
        let what = format!(
            "{} in {}, {} bytes",
            count(self.streams.iter().map(|stream| stream.records).sum(), "record"),
            count(self.streams.iter().map(|stream| stream.objects).sum(), "object"),
            thousands(self.streams.iter().map(|stream| stream.bytes).sum())
        );
        lines.push(match lines.len() {
            0 => format!("Nothing is wrong with {}: {what}, all as the ledger says.", self.archive),
            found => format!("{} wrong with {}: {what}.", are(found), self.archive),
        });
        lines.join("\n")
    }
}

impl CheckedStream {
    fn complaints(&self) -> Vec<String> {
        let mut complaints = self.problems.clone();
        for gap in &self.uncovered {
            let advice = match gap.state {
                State::Expired => "Graph no longer keeps it",
                _ => "entratrail collect reads it",
            };
            complaints.push(format!(
                "{}: no read covers {} to {}; {advice}",
                self.stream,
                gap.start.format("%Y-%m-%d %H:%M"),
                gap.end.format("%Y-%m-%d %H:%M")
            ));
        }
        complaints
    }
}

fn are(found: usize) -> String {
    if found == 1 {
        "1 thing is".to_owned()
    } else {
        format!("{} things are", thousands(found as u64))
    }
}

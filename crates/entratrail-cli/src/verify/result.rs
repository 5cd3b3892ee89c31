//! What a verification found, for machines and for the calendar.

use super::coverage::{Gap, GapState, gaps};
use super::day::CheckedDay;
use crate::numbers::{count, thousands};
use chrono::{DateTime, NaiveDate, Utc};
use entratrail::ledger::State;
use entratrail::log::Stream;
use entratrail::object::raw_folder;
use entratrail::window::midnight;
use serde::Serialize;
use std::collections::BTreeMap;

type Span = (DateTime<Utc>, DateTime<Utc>);

/// Everything that was found.
#[derive(Debug, Serialize)]
pub(crate) struct Verification {
    pub(super) archive: String,
    pub(super) from: DateTime<Utc>,
    pub(super) to: DateTime<Utc>,
    pub(super) streams: Vec<CheckedStream>,
    /// Files that EntraTrail did not write.
    pub(super) foreign: Vec<String>,
}

/// What was found of one stream.
#[derive(Debug, Serialize)]
pub(super) struct CheckedStream {
    pub(super) stream: &'static str,
    /// Where its objects are.
    pub(super) folder: String,
    pub(super) objects: u64,
    pub(super) records: u64,
    pub(super) bytes: u64,
    /// How each day of the span stands.
    pub(super) days: BTreeMap<NaiveDate, DayState>,
    pub(super) uncovered: Vec<Gap>,
    pub(super) problems: Vec<String>,
}

/// How a day stands: the gravest of what is known of its minutes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum DayState {
    /// Every minute is verified.
    Verified,
    /// Read, and not all of it verified yet.
    Open,
    /// A window never agreed with itself.
    Unstable,
    /// Minutes are missing that can still be read.
    Missing,
    /// Minutes are missing that Graph no longer has.
    Expired,
    /// The archive contradicts itself.
    Wrong,
}

impl CheckedStream {
    /// What `days` say of `stream`.
    pub(super) fn of(stream: Stream, days: &[CheckedDay], span: Span, now: DateTime<Utc>) -> Self {
        let days: Vec<_> = days.iter().filter(|day| day.stream == stream).collect();
        let mut windows: Vec<_> =
            days.iter().flat_map(|day| &day.windows).map(|(window, _)| *window).collect();
        windows.sort_by_key(|window| window.start());
        let uncovered = gaps(windows.into_iter(), span, now);
        Self {
            stream: stream.name(),
            folder: raw_folder(stream),
            objects: days.iter().map(|day| day.objects).sum(),
            records: days.iter().map(|day| day.records).sum(),
            bytes: days.iter().map(|day| day.bytes).sum(),
            days: states(&days, &uncovered, span),
            uncovered,
            problems: days.iter().flat_map(|day| day.problems.iter().cloned()).collect(),
        }
    }
}

/// The state of every day of the span.
fn states(checked: &[&CheckedDay], uncovered: &[Gap], span: Span) -> BTreeMap<NaiveDate, DayState> {
    let days = span.0.date_naive().iter_days().take_while(|&day| midnight(day) < span.1);
    let mut states: BTreeMap<_, _> = days.map(|day| (day, DayState::Verified)).collect();
    let mut worsen = |day: NaiveDate, state: DayState| {
        let known = states.entry(day).or_insert(state);
        *known = (*known).max(state);
    };
    for gap in uncovered {
        let days = gap.start.date_naive().iter_days().take_while(|&day| midnight(day) < gap.end);
        days.for_each(|day| worsen(day, gap.state.into()));
    }
    for day in checked {
        day.windows.iter().for_each(|(_, state)| worsen(day.day, (*state).into()));
        if !day.problems.is_empty() {
            worsen(day.day, DayState::Wrong);
        }
    }
    states
}

impl From<State> for DayState {
    fn from(state: State) -> Self {
        match state {
            State::Verified => Self::Verified,
            State::Open => Self::Open,
            State::Unstable => Self::Unstable,
            State::Missing => Self::Missing,
            State::Expired => Self::Expired,
        }
    }
}

impl From<GapState> for DayState {
    fn from(state: GapState) -> Self {
        match state {
            GapState::Missing => Self::Missing,
            GapState::Expired => Self::Expired,
        }
    }
}

impl Verification {
    /// Whether nothing is wrong and nothing missing.
    pub(crate) fn is_sound(&self) -> bool {
        self.streams.iter().all(|stream| stream.uncovered.is_empty() && stream.problems.is_empty())
    }

    /// What is wrong, one sentence a line, or that nothing is.
    pub(super) fn conclusion(&self) -> String {
        let mut lines: Vec<_> = self.streams.iter().flat_map(CheckedStream::complaints).collect();
        let sum = |of: fn(&CheckedStream) -> u64| self.streams.iter().map(of).sum::<u64>();
        let what = format!(
            "{} in {}, {} bytes",
            count(sum(|stream| stream.records), "record"),
            count(sum(|stream| stream.objects), "object"),
            thousands(sum(|stream| stream.bytes))
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
        let gap = |gap: &Gap| {
            let advice = match gap.state {
                GapState::Missing => "entratrail collect reads it",
                GapState::Expired => "Graph no longer keeps it",
            };
            let at = |instant: DateTime<Utc>| instant.format("%Y-%m-%d %H:%M");
            format!("{}: no read covers {} to {}; {advice}", self.stream, at(gap.start), at(gap.end))
        };
        self.problems.iter().cloned().chain(self.uncovered.iter().map(gap)).collect()
    }
}

fn are(found: usize) -> String {
    if found == 1 { "1 thing is".to_owned() } else { format!("{} things are", thousands(found as u64)) }
}

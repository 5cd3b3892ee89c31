//! How each day of each stream stands, as the ledgers say.

use crate::session::Ledgers;
use chrono::NaiveDate;
use entratrail::ledger::{Ledger, State};
use entratrail::log::Stream;
use serde::Serialize;
use std::collections::BTreeMap;

/// How a day stands: the gravest of what is known of its minutes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum DayState {
    Verified,
    Open,
    Unstable,
    /// Minutes of it were never read.
    Missing,
}

/// The days of one stream.
#[derive(Debug, Serialize)]
pub(super) struct StreamDays {
    pub(super) stream: &'static str,
    pub(super) days: BTreeMap<NaiveDate, DayState>,
}

/// The ledgers of an archive, by stream.
#[derive(Debug)]
pub(super) struct Calendar<'ledgers>(BTreeMap<Stream, BTreeMap<NaiveDate, &'ledgers Ledger>>);

impl<'ledgers> Calendar<'ledgers> {
    pub(super) fn of(ledgers: &'ledgers Ledgers) -> Self {
        let mut streams: BTreeMap<_, BTreeMap<_, _>> = BTreeMap::new();
        for (stream, day, ledger) in ledgers.iter() {
            streams.entry(stream).or_default().insert(day, ledger);
        }
        Self(streams)
    }

    /// How the days from the first up to the second stand, in every stream that was ever read, as far as it was read by
    /// then.
    pub(super) fn days(&self, (from, to): (NaiveDate, NaiveDate)) -> Vec<StreamDays> {
        let of_stream = |(stream, ledgers): (&Stream, &BTreeMap<NaiveDate, &Ledger>)| {
            let (first, last) = (*ledgers.keys().next()?, *ledgers.keys().next_back()?);
            let days = from.max(first).iter_days().take_while(|&day| day < to && day <= last);
            let state = |day| ledgers.get(&day).map_or(DayState::Missing, |ledger| state_of(ledger));
            Some(StreamDays { stream: stream.name(), days: days.map(|day| (day, state(day))).collect() })
        };
        self.0.iter().filter_map(of_stream).collect()
    }
}

/// How the day of that ledger stands.
fn state_of(ledger: &Ledger) -> DayState {
    let windows = ledger.windows_on_record();
    let states = windows.iter().map(|&window| (window, DayState::from(ledger.state(window))));
    let read: Vec<_> = states.filter(|(_, state)| *state != DayState::Missing).collect();
    let minutes: u32 = read.iter().map(|(window, _)| u32::from(window.length().minutes())).sum();
    let gravest = read.into_iter().map(|(_, state)| state).max();
    gravest.filter(|_| minutes >= 1440).unwrap_or(DayState::Missing)
}

impl From<State> for DayState {
    fn from(state: State) -> Self {
        match state {
            State::Verified => Self::Verified,
            State::Open => Self::Open,
            State::Unstable => Self::Unstable,
            State::Missing | State::Expired => Self::Missing,
        }
    }
}

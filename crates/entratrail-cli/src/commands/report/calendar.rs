//! State of each day of each stream, as the ledgers show it.

use crate::date_range::DateRange;
use crate::sql::Ledgers;
use chrono::{DateTime, NaiveDate, Utc};
use entratrail::ledger::{Ledger, Proof, State, StreamHistory, day_state};
use entratrail::log::Stream;
use serde::Serialize;
use std::collections::BTreeMap;

/// The days of one stream.
#[derive(Debug, Serialize)]
pub(super) struct StreamDays {
    pub(super) stream: &'static str,
    pub(super) days: BTreeMap<NaiveDate, State>,
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

    /// States at `now` of the days of `range`, in every stream that was ever read.
    ///
    /// A stream's days start with the first on record; every day since then is expected.
    pub(super) fn days(&self, range: DateRange, now: DateTime<Utc>) -> Vec<StreamDays> {
        let none = Ledger::default();
        let mut streams = Vec::new();
        for (stream, ledgers) in &self.0 {
            let Some((&first, _)) = ledgers.first_key_value() else { continue };
            let proof = Proof::of_reader(StreamHistory::of(ledgers.values().copied()), now);
            let mut days = BTreeMap::new();
            for day in range.days().filter(|day| *day >= first) {
                let ledger = ledgers.get(&day).copied().unwrap_or(&none);
                days.insert(day, day_state(day, ledger, &proof));
            }
            streams.push(StreamDays { stream: stream.name(), days });
        }
        streams
    }
}

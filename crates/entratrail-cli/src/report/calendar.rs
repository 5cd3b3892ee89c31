//! State of each day of each stream, as the ledgers show it.

use crate::session::Ledgers;
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

    /// States at `now` of the days from the first up to the second, in every stream that was ever
    /// read. A stream's days start with the first on record; every day since then is expected.
    pub(super) fn days(
        &self,
        (from, to): (NaiveDate, NaiveDate),
        now: DateTime<Utc>,
    ) -> Vec<StreamDays> {
        let none = Ledger::default();
        let mut streams = Vec::new();
        for (stream, ledgers) in &self.0 {
            let Some((&first, _)) = ledgers.first_key_value() else { continue };
            let proof = Proof::of_reader(StreamHistory::of(ledgers.values().copied()), now);
            let days = from.max(first).iter_days().take_while(|&day| day < to);
            let state = |day| day_state(day, ledgers.get(&day).copied().unwrap_or(&none), &proof);
            let days = days.map(|day| (day, state(day))).collect();
            streams.push(StreamDays { stream: stream.name(), days });
        }
        streams
    }
}

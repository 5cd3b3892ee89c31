//! The ledgers and listings of a stream, before any object is opened.

use chrono::{DateTime, NaiveDate, Utc};
use entratrail::archive::Archive;
use entratrail::error::Error;
use entratrail::ledger::{Ledger, Proof, StreamHistory, Stretch, stretches};
use entratrail::log::Stream;
use entratrail::plan::RawObject;
use futures_util::StreamExt as _;
use std::collections::{BTreeMap, BTreeSet};
use std::pin::pin;

/// Ledger and objects of a day.
#[derive(Debug, Clone)]
pub(super) struct FoundDay {
    pub(super) ledger: Result<Ledger, Error>,
    pub(super) objects: Vec<RawObject>,
    /// Raw objects whose table objects are there.
    pub(super) tables: BTreeSet<RawObject>,
}

/// Every day of a stream.
#[derive(Debug)]
pub(super) struct StreamLedgers {
    pub(super) stream: Stream,
    pub(super) days: BTreeMap<NaiveDate, FoundDay>,
    /// Files that EntraTrail did not write.
    pub(super) foreign: Vec<String>,
    proof: Proof,
}

impl StreamLedgers {
    /// Looks up all of `stream`.
    pub(super) async fn of(
        archive: &Archive,
        stream: Stream,
        now: DateTime<Utc>,
    ) -> Result<Self, Error> {
        let mut listing = archive.list(stream, NaiveDate::default()).await?;
        let mut tables: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
        for (object, _) in archive.tables(stream).await?.objects {
            tables.entry(object.window.day()).or_default().insert(object);
        }
        let days = listing.objects.keys().chain(&listing.ledgers).chain(tables.keys());
        let days: BTreeSet<_> = days.copied().collect();
        let mut ledgers = pin!(archive.ledgers(stream, days.into_iter().collect()));
        let mut found = BTreeMap::new();
        while let Some((day, ledger)) = ledgers.next().await {
            let objects = listing.objects.remove(&day).unwrap_or_default();
            let tables = tables.remove(&day).unwrap_or_default();
            found.insert(day, FoundDay { ledger, objects, tables });
        }
        let ledgers = found.values().filter_map(|day| day.ledger.as_ref().ok());
        let proof = Proof::of_reader(StreamHistory::of(ledgers), now);
        Ok(Self { stream, days: found, foreign: listing.foreign, proof })
    }

    /// Every minute of `day`, in the order of time.
    pub(super) fn stretches(&self, day: NaiveDate) -> Vec<Stretch> {
        match self.days.get(&day).map(|found| &found.ledger) {
            Some(Ok(ledger)) => stretches(day, ledger, &self.proof),
            Some(Err(_)) | None => stretches(day, &Ledger::default(), &self.proof),
        }
    }

    /// End of the last window that was read completely.
    pub(super) fn read_to(&self) -> Option<DateTime<Utc>> {
        let ledgers = self.days.values().filter_map(|day| day.ledger.as_ref().ok());
        let complete = ledgers.flat_map(Ledger::rows).filter(|row| row.is_complete());
        complete.map(|row| row.window.end()).max()
    }
}

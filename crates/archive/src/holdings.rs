//! Listing a stream's folders, and the objects that are not ours.

use crate::Archive;
use crate::store::Depth;
use chrono::NaiveDate;
use entratrail_core::error::Error;
use entratrail_core::log::{Log, Stream};
use entratrail_core::object::{ledger_folder, parse_ledger_key, parse_raw_key, raw_folder};
use entratrail_core::plan::RawObject;
use std::collections::{BTreeMap, BTreeSet};

/// Content of a stream's folders: raw objects from a given day on, and every ledger file.
#[derive(Debug, Default)]
pub struct Listing {
    /// The raw objects of each day.
    pub objects: BTreeMap<NaiveDate, Vec<RawObject>>,
    /// The days that have a ledger file.
    pub ledgers: BTreeSet<NaiveDate>,
    /// Keys that EntraTrail does not give.
    pub foreign: Vec<String>,
}

impl Listing {
    /// Days with a ledger since `earliest`, and the very first one, which says when the stream
    /// began.
    pub fn ledgers_since(&self, earliest: NaiveDate) -> impl Iterator<Item = NaiveDate> {
        let first = self.ledgers.first().copied().filter(|day| *day < earliest);
        first.into_iter().chain(self.ledgers.range(earliest..).copied())
    }
}

impl Archive {
    /// Lists the raw objects of `stream` from `first` on, and all its ledger files: one request for
    /// about a thousand objects.
    pub async fn list(&self, stream: Stream, first: NaiveDate) -> Result<Listing, Error> {
        let mut listing = Listing::default();
        let folder = raw_folder(stream);
        let after = Some(format!("{folder}day={first}"));
        for key in self.store.keys(&folder, after, Depth::Tree).await? {
            match parse_raw_key(stream, &key) {
                Some(object) => {
                    listing.objects.entry(object.window.day()).or_default().push(object);
                }
                None => listing.foreign.push(key),
            }
        }
        for key in self.store.keys(&ledger_folder(stream), None, Depth::Tree).await? {
            match parse_ledger_key(stream, &key) {
                Some(day) => drop(listing.ledgers.insert(day)),
                None => listing.foreign.push(key),
            }
        }
        Ok(listing)
    }

    /// Objects that lie beside the folders of the streams of `log`.
    pub async fn foreign_objects(&self, log: Log) -> Result<Vec<String>, Error> {
        let mut foreign = Vec::new();
        if log == Log::SignIns {
            for folder in ["raw", "ledger"] {
                let prefix = format!("{folder}/{}/", log.name());
                foreign.extend(self.store.keys(&prefix, None, Depth::Folder).await?);
            }
        }
        Ok(foreign)
    }

    /// The raw objects of one day.
    pub(super) async fn list_raw(
        &self,
        stream: Stream,
        day: NaiveDate,
    ) -> Result<Vec<RawObject>, Error> {
        let keys = self
            .store
            .keys(&format!("{}day={day}/", raw_folder(stream)), None, Depth::Tree)
            .await?;
        Ok(keys.iter().filter_map(|key| parse_raw_key(stream, key)).collect())
    }
}

//! What the archive holds: listing a stream's folders, and the objects that are not ours.

use super::Archive;
use crate::error::Error;
use crate::log::{Log, Stream};
use crate::object::{ledger_folder, parse_ledger_key, parse_raw_key, raw_folder};
use crate::plan::RawObject;
use chrono::NaiveDate;
use std::collections::{BTreeMap, BTreeSet};

/// What a stream's folders hold from a given day on.
#[derive(Debug, Default)]
pub struct Listing {
    /// The raw objects of each day.
    pub objects: BTreeMap<NaiveDate, Vec<RawObject>>,
    /// The days that have a ledger file.
    pub ledgers: BTreeSet<NaiveDate>,
    /// Keys that EntraTrail does not give.
    pub foreign: Vec<String>,
}

impl Archive {
    /// Lists the folders of `stream` from `first` on: one request for about a thousand objects.
    pub async fn list(&self, stream: Stream, first: NaiveDate) -> Result<Listing, Error> {
        let mut listing = Listing::default();
        for key in self.keys_since(&raw_folder(stream), first).await? {
            match parse_raw_key(stream, &key) {
                Some(object) => listing.objects.entry(object.window.day()).or_default().push(object),
                None => listing.foreign.push(key),
            }
        }
        for key in self.keys_since(&ledger_folder(stream), first).await? {
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
                foreign.extend(self.store.keys(&prefix, None, true).await?);
            }
        }
        Ok(foreign)
    }

    /// The raw objects of one day.
    pub(super) async fn list_raw(&self, stream: Stream, day: NaiveDate) -> Result<Vec<RawObject>, Error> {
        let keys = self.store.keys(&format!("{}day={day}/", raw_folder(stream)), None, false).await?;
        Ok(keys.iter().filter_map(|key| parse_raw_key(stream, key)).collect())
    }

    async fn keys_since(&self, folder: &str, first: NaiveDate) -> Result<Vec<String>, Error> {
        self.store.keys(folder, Some(format!("{folder}day={first}")), false).await
    }
}

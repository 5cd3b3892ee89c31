//! What the archive holds: listing a stream's folders, and the objects that are not ours.

use super::Archive;
use super::failure::Action;
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
        for key in self.keys(&raw_folder(stream), Some(first), None).await? {
            match parse_raw_key(stream, &key) {
                Some(object) => listing.objects.entry(object.window.day()).or_default().push(object),
                None => listing.foreign.push(key),
            }
        }
        for key in self.keys(&ledger_folder(stream), Some(first), None).await? {
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
                foreign.extend(self.keys(&format!("{folder}/{}/", log.name()), None, Some("/")).await?);
            }
        }
        Ok(foreign)
    }

    /// The raw objects of one day.
    pub(super) async fn list_raw(&self, stream: Stream, day: NaiveDate) -> Result<Vec<RawObject>, Error> {
        let keys = self.keys(&format!("{}day={day}/", raw_folder(stream)), None, None).await?;
        Ok(keys.iter().filter_map(|key| parse_raw_key(stream, key)).collect())
    }

    async fn keys(
        &self,
        prefix: &str,
        first: Option<NaiveDate>,
        delimiter: Option<&str>,
    ) -> Result<Vec<String>, Error> {
        let request = self.s3.list_objects_v2().bucket(&self.bucket).prefix(prefix);
        let request = request.set_start_after(first.map(|day| format!("{prefix}day={day}")));
        let mut pages = request.set_delimiter(delimiter.map(str::to_owned)).into_paginator().send();
        let mut keys = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| self.failed(Action::List, prefix, &error))?;
            keys.extend(page.contents.unwrap_or_default().into_iter().filter_map(|object| object.key));
        }
        Ok(keys)
    }
}

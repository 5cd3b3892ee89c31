//! Objects of a span of days held against what the ledger has on record, without reading most of
//! them.

use super::store::{Checksum, Listed};
use crate::Archive;
use chrono::{DateTime, Days, NaiveDate, Utc};
use entratrail_core::error::Error;
use entratrail_core::ledger::Ledger;
use entratrail_core::log::Stream;
use entratrail_core::object::{
    ledger_folder, parse_ledger_key, parse_raw_key, raw_folder, table_key,
};
use entratrail_core::plan::{RecordedObject, objects_on_record};
use std::collections::{BTreeMap, HashMap};

/// Objects of one stream and some days in a row, as a listing shows them.
#[derive(Debug)]
pub struct Inventory {
    stream: Stream,
    /// Bytes of each raw and table object, and when it was written.
    objects: HashMap<String, (u64, DateTime<Utc>)>,
    /// Time at which each day's ledger was written last.
    ledgers: BTreeMap<NaiveDate, DateTime<Utc>>,
    /// Keys of each day's raw objects.
    raw: BTreeMap<NaiveDate, Vec<String>>,
}

/// An object that the ledger has on record.
#[derive(Debug, Clone)]
pub struct Expected {
    /// Key of the object.
    pub key: String,
    /// SHA-256 in hexadecimal.
    pub sha256: String,
    /// Key of the raw object that a table object is made of; `None` for a raw object.
    pub made_of: Option<String>,
    /// The listing shows it in its size and no younger than its ledger, so that nothing asks for a
    /// closer look.
    pub is_as_listed: bool,
}

/// Result of holding an object against its record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Held {
    /// The bytes on record.
    Same,
    /// Other bytes.
    Differs,
    /// No object.
    Gone,
}

impl Archive {
    /// Lists the raw objects, table objects and ledgers of `stream` from `first` to `last`: three
    /// requests for about a thousand objects.
    pub async fn inventory(
        &self,
        stream: Stream,
        first: NaiveDate,
        last: NaiveDate,
    ) -> Result<Inventory, Error> {
        let end = last + Days::new(1);
        let mut inventory = Inventory {
            stream,
            objects: HashMap::new(),
            ledgers: BTreeMap::new(),
            raw: BTreeMap::new(),
        };
        let tables = format!("tables/{}/", stream.table_folder());
        for folder in [ledger_folder(stream), raw_folder(stream), tables] {
            let after = format!("{folder}day={first}");
            for listed in self.store.list(&folder, after, format!("{folder}day={end}")).await? {
                inventory.add(listed);
            }
        }
        Ok(inventory)
    }

    /// Holds an object against its hash on record. The store's own checksum is asked for; where it
    /// has none, an object that is no younger than the ledger is taken for the one that was put on
    /// record, and any other is read.
    pub async fn hold(&self, expected: &Expected) -> Result<Held, Error> {
        let sha256 = match self.store.checksum(&expected.key).await? {
            Checksum::Gone => return Ok(Held::Gone),
            Checksum::Sha256(sha256) => sha256,
            Checksum::Unknown if expected.is_as_listed => return Ok(Held::Same),
            Checksum::Unknown => self.sha256_of(&expected.key).await?,
        };
        Ok(if sha256 == expected.sha256 { Held::Same } else { Held::Differs })
    }
}

impl Inventory {
    fn add(&mut self, listed: Listed) {
        if let Some(day) = parse_ledger_key(self.stream, &listed.key) {
            self.ledgers.insert(day, listed.modified);
            return;
        }
        if let Some(object) = parse_raw_key(self.stream, &listed.key) {
            self.raw.entry(object.window.day()).or_default().push(listed.key.clone());
        }
        self.objects.insert(listed.key, (listed.bytes, listed.modified));
    }

    /// The days that have a ledger.
    pub fn days(&self) -> impl Iterator<Item = NaiveDate> {
        self.ledgers.keys().copied()
    }

    /// The days that have raw objects and no ledger.
    pub fn days_without_ledger(&self) -> impl Iterator<Item = NaiveDate> {
        self.raw.keys().copied().filter(|day| !self.ledgers.contains_key(day))
    }

    /// Whether `day` has a raw object that `ledger` does not have on record.
    pub fn has_unrecorded(&self, day: NaiveDate, ledger: &Ledger) -> bool {
        let recorded = ledger.recorded_keys();
        self.raw.get(&day).into_iter().flatten().any(|key| !recorded.contains(key.as_str()))
    }

    /// The objects that `ledger`, of `day`, has on record. A table object whose row is from before
    /// format 2, which does not say its hash, is left out.
    pub fn expected(&self, day: NaiveDate, ledger: &Ledger) -> Vec<Expected> {
        let written_at = self.ledgers.get(&day).copied();
        let mut expected = Vec::new();
        for RecordedObject { object, stored, table } in objects_on_record(self.stream, ledger) {
            expected.push(self.expect(&stored.key, &stored.sha256, Some(stored.bytes), written_at));
            if let Some(table) = table {
                let of_table =
                    self.expect(&table_key(self.stream, object), &table.sha256, None, written_at);
                expected.push(Expected { made_of: Some(stored.key.clone()), ..of_table });
            }
        }
        expected
    }

    fn expect(
        &self,
        key: &str,
        sha256: &str,
        bytes: Option<u64>,
        written_at: Option<DateTime<Utc>>,
    ) -> Expected {
        let listed = self.objects.get(key);
        // An object is written before the row that names it. S3 writes times down in whole seconds.
        let is_late = listed
            .is_none_or(|(_, modified)| written_at.is_none_or(|written| *modified >= written));
        let has_other_size =
            listed.is_some_and(|(size, _)| bytes.is_some_and(|bytes| bytes != *size));
        Expected {
            key: key.to_owned(),
            sha256: sha256.to_owned(),
            made_of: None,
            is_as_listed: !is_late && !has_other_size,
        }
    }
}

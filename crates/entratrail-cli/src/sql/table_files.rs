//! The table objects of one log: which there are, and those that a query wants, checked.

use super::latest::LatestVersions;
use super::ledgers::Ledgers;
use super::parquet_file::ParquetFile;
use super::scratch::Scratch;
use super::table_provider::Rows;
use crate::date_range::DateRange;
use chrono::NaiveDate;
use datafusion::arrow::datatypes::SchemaRef;
use entratrail::archive::Archive;
use entratrail::error::Error;
use entratrail::ledger::StoredTable;
use entratrail::log::{EventType, Log, Stream};
use futures_util::future::try_join_all;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::OnceCell;

/// Days that are fetched and checked at once.
const AT_ONCE: usize = 8;

/// The table objects of one log.
#[derive(Debug)]
pub(super) struct TableFiles {
    archive: Archive,
    schema: SchemaRef,
    /// Folder for copies of objects of a bucket.
    scratch: Scratch,
    days: Vec<Day>,
    foreign: Vec<String>,
    /// The table objects of the ledgers, by their keys.
    on_record: BTreeMap<String, Option<StoredTable>>,
    /// The keys of what cannot be read, and what is wrong with it.
    damaged: Mutex<BTreeMap<String, String>>,
}

/// The table objects of one stream and day. A version of a record is only ever superseded by one of
/// the same day.
#[derive(Debug)]
pub(super) struct Day {
    pub(super) stream: Stream,
    pub(super) date: NaiveDate,
    keys: Vec<String>,
    files: OnceCell<Arc<Vec<ParquetFile>>>,
    newest: OnceCell<Arc<Vec<ParquetFile>>>,
}

impl TableFiles {
    /// Lists what `archive` holds of `log` and `days`.
    pub(super) async fn of(
        archive: &Archive,
        log: Log,
        schema: SchemaRef,
        days: DateRange,
        ledgers: &Ledgers,
    ) -> Result<Self, Error> {
        let on_record = ledgers.tables(log, days);
        let mut found = Vec::<Day>::new();
        let mut foreign = Vec::new();
        let mut damaged = BTreeMap::new();
        for stream in log.streams(&EventType::ALL) {
            let listing = archive.tables(stream).await?;
            foreign.extend(listing.foreign);
            let mut keys: BTreeMap<NaiveDate, Vec<String>> = BTreeMap::new();
            let of_days = listing
                .objects
                .into_iter()
                .filter(|(object, _)| days.contains_day(object.window.day()));
            for (object, key) in of_days {
                let day = object.window.day();
                if on_record.contains_key(&key) || !ledgers.is_readable(stream, day) {
                    keys.entry(day).or_default().push(key);
                } else {
                    damaged.insert(key, "belongs to no complete read of the ledger".to_owned());
                }
            }
            found.extend(keys.into_iter().map(|(day, keys)| Day::new(stream, day, keys)));
        }
        let listed: BTreeSet<_> = found.iter().flat_map(|day| &day.keys).collect();
        for key in on_record.keys().filter(|key| !listed.contains(key)) {
            damaged.insert(key.clone(), "is gone, and belongs to a read on record".to_owned());
        }
        let scratch = Scratch::make()?;
        Ok(Self {
            archive: archive.clone(),
            schema,
            scratch,
            days: found,
            foreign,
            on_record,
            damaged: Mutex::new(damaged),
        })
    }

    pub(super) fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    pub(super) fn days(&self) -> &[Day] {
        &self.days
    }

    pub(super) fn is_empty(&self) -> bool {
        self.days.is_empty()
    }

    /// The first and the last day.
    pub(super) fn span(&self) -> Option<(NaiveDate, NaiveDate)> {
        let first = self.days.iter().map(|day| day.date).min()?;
        let last = self.days.iter().map(|day| day.date).max()?;
        Some((first, last))
    }

    /// Sentences about everything wrong that was seen so far.
    pub(super) fn problems(&self) -> Vec<String> {
        let foreign = self.foreign.iter().map(|key| {
            format!("{} is not EntraTrail's, and was left out", self.archive.address(key))
        });
        let damaged = self.damaged();
        let damaged = damaged.iter().map(|(key, damage)| {
            let address = self.archive.address(key);
            format!("{address} {damage}, and was left out; entratrail rebuild makes it again")
        });
        foreign.chain(damaged).collect()
    }

    /// The files of `days`, without those that are damaged. For the newest rows, each file knows
    /// which of its own are superseded.
    pub(super) async fn files<'day>(
        &self,
        days: &[&'day Day],
        rows: Rows,
    ) -> Result<Vec<(&'day Day, ParquetFile)>, Error> {
        let mut found = Vec::new();
        for some in days.chunks(AT_ONCE) {
            let files = try_join_all(some.iter().map(|day| self.files_of(day, rows))).await?;
            let damaged = self.damaged();
            for (&day, files) in some.iter().zip(&files) {
                let sound = files.iter().filter(|file| !damaged.contains_key(&file.key));
                found.extend(sound.map(|file| (day, file.clone())));
            }
        }
        Ok(found)
    }

    async fn files_of(&self, day: &Day, rows: Rows) -> Result<Arc<Vec<ParquetFile>>, Error> {
        match rows {
            Rows::All => self.all(day).await,
            Rows::Newest => self.newest(day).await,
        }
    }

    async fn all(&self, day: &Day) -> Result<Arc<Vec<ParquetFile>>, Error> {
        day.files.get_or_try_init(|| self.load(day)).await.cloned()
    }

    /// Opens the files of a day, without those that are damaged.
    async fn load(&self, day: &Day) -> Result<Arc<Vec<ParquetFile>>, Error> {
        let mut files = Vec::new();
        for key in &day.keys {
            let path = self.archive.file_of(key, self.scratch.path()).await?;
            let of = key.clone();
            let schema = Arc::clone(&self.schema);
            let expected = self.on_record.get(key).cloned().flatten();
            let opened = aside(move || {
                let file = ParquetFile::open(of, &path, &schema)?;
                file.check(expected.as_ref())?;
                Ok(file)
            });
            match opened.await? {
                Ok(file) => files.push(file),
                Err(damage) => self.leave_out(key, damage),
            }
        }
        Ok(Arc::new(files))
    }

    async fn newest(&self, day: &Day) -> Result<Arc<Vec<ParquetFile>>, Error> {
        day.newest.get_or_try_init(|| self.find_newest(day)).await.cloned()
    }

    /// The files of a day with their rows that are not superseded.
    async fn find_newest(&self, day: &Day) -> Result<Arc<Vec<ParquetFile>>, Error> {
        let files = self.all(day).await?;
        let (files, damaged) = aside(move || LatestVersions::of(&files)).await?;
        for (key, damage) in damaged {
            self.leave_out(&key, damage);
        }
        Ok(Arc::new(files))
    }

    /// Reads everything that was opened so far, and leaves out what turns out to be damaged; says
    /// whether any did.
    pub(super) async fn examine(&self) -> Result<bool, Error> {
        let before = self.damaged().len();
        for files in self.days.iter().filter_map(|day| day.files.get().cloned()) {
            let examined = aside(move || {
                files
                    .iter()
                    .filter_map(|file| {
                        file.examine().err().map(|damage| (file.key.clone(), damage))
                    })
                    .collect::<Vec<_>>()
            });
            examined.await?.into_iter().for_each(|(key, damage)| self.leave_out(&key, damage));
        }
        Ok(self.damaged().len() > before)
    }

    fn leave_out(&self, key: &str, damage: String) {
        self.damaged().insert(key.to_owned(), damage);
    }

    fn damaged(&self) -> MutexGuard<'_, BTreeMap<String, String>> {
        self.damaged.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Day {
    fn new(stream: Stream, date: NaiveDate, keys: Vec<String>) -> Self {
        Self { stream, date, keys, files: OnceCell::new(), newest: OnceCell::new() }
    }
}

/// Runs what takes a processor or waits for a disk beside everything else. Where it panicked, its
/// words are no source: they may quote a record.
async fn aside<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Error> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|_| Error::archive("the tables could not be read: the command is ending"))
}

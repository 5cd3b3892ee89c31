//! The archive: what it holds, and writing to it so that nothing there is ever lost.
//!
//! `store` knows whether it is a bucket or a folder; nothing else does.

mod bucket;
mod evidence;
mod folder;
mod holdings;
mod inventory;
mod store;
mod table;
mod table_listing;
mod writer;

pub use bucket::{Bucket, Operator};
pub use folder::Access;
pub use holdings::Listing;
pub use inventory::{Expected, Held, Inventory};
pub use table::TableObjectWriter;
pub use table_listing::TableListing;
pub use writer::{PreparedObject, RawObjectWriter};

use chrono::{DateTime, NaiveDate, Utc};
use entratrail_core::error::Error;
use entratrail_core::ledger::{Appended, Ledger, ReadRow, StoredObject};
use entratrail_core::log::Stream;
use entratrail_core::object::{Precondition, Written, ledger_key, raw_key};
use entratrail_core::plan::{Holdings, RawObject};
use entratrail_core::raw::{Line, ObjectDigest, RawDecoder};
use folder::Folder;
use futures_util::StreamExt as _;
use std::path::Path;
use store::Store;

/// Attempts to write a ledger that others are writing too. Each lost attempt is another writer's
/// success.
const MOST_CONFLICTS: u32 = 50;

/// Ledger files that are fetched at once.
pub const FETCHED_AT_ONCE: usize = 16;

/// The archive of a tenant.
#[derive(Debug, Clone)]
pub struct Archive {
    store: Store,
}

/// Outcome of recording a read.
#[derive(Debug)]
pub enum Recorded {
    /// The row is on record.
    Done {
        /// The ledger as it is now.
        ledger: Ledger,
        /// The row as it is on record.
        row: Box<ReadRow>,
    },
    /// Another run has recorded a read of the same minutes since this one began.
    Superseded,
}

/// Raw object that was read back.
#[derive(Debug)]
pub struct ObjectRead {
    /// Hash and size of what is there.
    pub digest: ObjectDigest,
    /// Time at which the archive took it.
    pub stored_at: DateTime<Utc>,
}

impl Archive {
    /// The archive in `bucket`.
    pub fn in_bucket(bucket: Bucket) -> Self {
        Self { store: Store::Bucket(bucket) }
    }

    /// The archive in a folder of this machine. One that holds something else is refused.
    pub fn in_folder(root: &Path, access: Access) -> Result<Self, Error> {
        Folder::open(root, access).map(|folder| Self { store: Store::Folder(folder) })
    }

    /// Address at which a person finds the object with that key.
    pub fn address(&self, key: &str) -> String {
        self.store.address(key)
    }

    /// The ledger of a day and the version of its file; empty where there is no file yet.
    pub async fn ledger(
        &self,
        stream: Stream,
        day: NaiveDate,
    ) -> Result<(Ledger, Option<String>), Error> {
        let key = ledger_key(stream, day);
        let Some(file) = self.store.get(&key).await? else { return Ok((Ledger::default(), None)) };
        let ledger = Ledger::parse(&file.body).map_err(|damage| {
            Error::archive(format!(
                "line {} of {} is damaged: {}; nothing of that day was read or changed",
                damage.line,
                self.address(&key),
                damage.what
            ))
            .with_remedy(format!(
                "restore the file from {}, or move it away to have the day read again",
                self.store.earlier_copy()
            ))
        })?;
        Ok((ledger, file.version))
    }

    /// The ledgers of `days`, in their order, several fetched at once.
    pub fn ledgers(
        &self,
        stream: Stream,
        days: Vec<NaiveDate>,
    ) -> impl futures_util::Stream<Item = (NaiveDate, Result<Ledger, Error>)> {
        futures_util::stream::iter(days)
            .map(move |day| async move {
                (day, self.ledger(stream, day).await.map(|(ledger, _)| ledger))
            })
            .buffered(FETCHED_AT_ONCE)
    }

    /// Appends `row` to its day's ledger. `basis` holds the rows that the read built on: if others
    /// have come since, nothing is written, because what this read takes for new may be stored by
    /// now.
    pub async fn record(
        &self,
        stream: Stream,
        row: &ReadRow,
        basis: Option<&[ReadRow]>,
    ) -> Result<Recorded, Error> {
        for _ in 0..MOST_CONFLICTS {
            let (mut ledger, version) = self.ledger(stream, row.window.day()).await?;
            if basis.is_some_and(|basis| !ledger.still_has(basis, row)) {
                return Ok(Recorded::Superseded);
            }
            let appended = ledger.append(row.clone()).map_err(not_encoded)?;
            let (row, written) = match appended {
                Appended::Known(row) => (row, Written::Yes),
                Appended::Row(row) => {
                    let day = row.window.day();
                    (row, self.put_ledger(stream, day, &ledger, version).await?)
                }
            };
            if written == Written::Yes {
                return Ok(Recorded::Done { ledger, row: Box::new(row) });
            }
        }
        Err(self.too_many_conflicts(stream, row.window.day()))
    }

    /// Appends `rows`, all of `day`, to its ledger in one write.
    pub async fn append(
        &self,
        stream: Stream,
        day: NaiveDate,
        rows: &[ReadRow],
    ) -> Result<(), Error> {
        for _ in 0..MOST_CONFLICTS {
            let (mut ledger, version) = self.ledger(stream, day).await?;
            for row in rows {
                ledger.append(row.clone()).map_err(not_encoded)?;
            }
            let written = self.put_ledger(stream, day, &ledger, version).await?;
            if written == Written::Yes {
                return Ok(());
            }
        }
        Err(self.too_many_conflicts(stream, day))
    }

    fn too_many_conflicts(&self, stream: Stream, day: NaiveDate) -> Error {
        Error::archive(format!(
            "{} could not be written: others wrote to it {MOST_CONFLICTS} times",
            self.address(&ledger_key(stream, day))
        ))
    }

    /// Writes the ledger, unless somebody has written it since `version`.
    async fn put_ledger(
        &self,
        stream: Stream,
        day: NaiveDate,
        ledger: &Ledger,
        version: Option<String>,
    ) -> Result<Written, Error> {
        let unchanged = Precondition::unchanged(version);
        self.store.put(&ledger_key(stream, day), ledger.to_text(), unchanged).await
    }

    /// Reads a raw object and hands each line to `visit`.
    pub async fn read_object(
        &self,
        stream: Stream,
        object: RawObject,
        mut visit: impl FnMut(Line<'_>),
    ) -> Result<ObjectRead, Error> {
        let key = raw_key(stream, object);
        let mut content = self.store.get_stream(&key).await?;
        let mut decoder = RawDecoder::new(stream.log().time_field());
        while let Some(chunk) = content.next().await? {
            decoder.push(&chunk, &mut visit).map_err(|error| self.damaged(&key, error))?;
        }
        let digest = decoder.finish(visit).map_err(|error| self.damaged(&key, error))?;
        Ok(ObjectRead { digest, stored_at: content.stored_at() })
    }

    /// Refuses an object whose bytes are not those of `recorded`.
    pub fn check_on_record(
        &self,
        digest: &ObjectDigest,
        recorded: &StoredObject,
    ) -> Result<(), Error> {
        if recorded.sha256 == digest.sha256 {
            return Ok(());
        }
        Err(self.not_as_recorded(&recorded.key, Held::Differs))
    }

    /// The error of an object on record that is gone or holds other bytes.
    pub fn not_as_recorded(&self, key: &str, held: Held) -> Error {
        let address = self.address(key);
        match held {
            Held::Gone => Error::archive(format!(
                "{address} is gone, and the ledger has it on record"
            ))
            .with_remedy(
                "bring back its earlier version (docs/operate.md, Restoring), or restore it from a \
                 backup",
            ),
            Held::Same | Held::Differs => Error::archive(format!(
                "{address} is not the object that the ledger has on record: its SHA-256 differs; \
                 it was left as it is"
            ))
            .with_remedy("restore it from a backup or an earlier version"),
        }
    }

    fn damaged(&self, key: &str, error: std::io::Error) -> Error {
        Error::archive(format!("{} is damaged: {error}; it was left as it is", self.address(key)))
            .with_source(error)
    }

    /// Looks up the ledger and the raw objects of one stream and day.
    pub async fn holdings(&self, stream: Stream, day: NaiveDate) -> Result<Holdings, Error> {
        let objects = self.list_raw(stream, day).await?;
        Ok(Holdings { stream, day, ledger: self.ledger(stream, day).await?.0, objects })
    }

    /// Shows that objects can be written, as a run writes them.
    pub async fn check_write(&self, stream: Stream) -> Result<(), Error> {
        self.store.check_write(stream).await
    }
}

fn not_encoded(error: serde_json::Error) -> Error {
    Error::archive(format!("a ledger entry could not be encoded: {error}")).with_source(error)
}

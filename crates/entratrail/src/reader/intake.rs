//! The meeting point of the records of all chains of a window.

use crate::archive::{Archive, RawObjectWriter, TableObjectWriter};
use crate::error::Error;
use crate::graph::page::Oversized;
use crate::graph::query::Span;
use crate::log::Stream;
use crate::object::raw_key;
use crate::plan::RawObject;
use crate::record::{Record, Version};
use crate::stored::{Served, StoredVersions};
use crate::table::Encoded;
use chrono::{DateTime, Utc};
use std::collections::{BTreeSet, HashSet};
use tokio::sync::{Mutex, Semaphore, SemaphorePermit};

/// Takes the pages of a read, from several chains at once.
#[derive(Debug)]
pub(super) struct Intake<'run> {
    archive: &'run Archive,
    tables: &'run Semaphore,
    stream: Stream,
    object: RawObject,
    started_at: DateTime<Utc>,
    taken: Mutex<Taken<'run>>,
}

/// Results of a read so far.
#[derive(Debug)]
pub(super) struct Taken<'run> {
    /// The versions that are known by now.
    pub(super) versions: StoredVersions,
    /// The new ones as they were served.
    pub(super) raw: RawObjectWriter<'run>,
    /// Versions served that neither the window owns nor the next one, to which a filter with both
    /// bounds leads.
    pub(super) outside: HashSet<Version>,
    /// Records that are too large to be stored.
    pub(super) oversized: BTreeSet<Oversized>,
    /// The new ones as columns.
    pub(super) table: TableObject<'run>,
}

/// Time at which a read's table object is made.
#[derive(Debug, Default)]
pub(super) enum TableObject<'run> {
    /// While its records arrive, so that nothing has to be read back, and its time passes while
    /// Graph is waited for.
    Alongside { writer: TableObjectWriter<'run>, _turn: SemaphorePermit<'run> },
    /// Of the raw object afterwards, because the turn was not free.
    #[default]
    Afterwards,
}

impl<'run> Intake<'run> {
    /// For a read of `object` that started at `started_at`, where `versions` are stored already.
    pub(super) fn new(
        archive: &'run Archive,
        tables: &'run Semaphore,
        (stream, object): (Stream, RawObject),
        started_at: DateTime<Utc>,
        versions: StoredVersions,
    ) -> Self {
        let raw = archive.raw_writer(raw_key(stream, object));
        let taken = Mutex::new(Taken {
            versions,
            raw,
            outside: HashSet::new(),
            oversized: BTreeSet::new(),
            table: TableObject::Afterwards,
        });
        Self { archive, tables, stream, object, started_at, taken }
    }

    pub(super) fn into_taken(self) -> Taken<'run> {
        self.taken.into_inner()
    }

    /// Takes the records of a page that the `window` owns, counts those that it does not, and one
    /// that is too large to be stored. Returns how many versions were served for the first time in
    /// this read.
    pub(super) async fn take(
        &self,
        records: &[(Record, &[u8])],
        window: Span,
        oversized: Option<&Oversized>,
    ) -> Result<u64, Error> {
        let taken = &mut *self.taken.lock().await;
        taken.oversized.extend(oversized.cloned());
        let before = taken.versions.served();
        for (record, json) in records {
            if record.time.is_some_and(|time| !window.contains(time)) {
                if record.time != Some(window.end) {
                    taken.outside.insert(record.version);
                }
                continue;
            }
            if taken.versions.serve(*record) == Served::Known {
                continue;
            }
            if taken.versions.new_versions() == 1 {
                taken.table = self.table()?;
            }
            let line = taken.raw.push(json)?;
            if let TableObject::Alongside { writer, .. } = &mut taken.table {
                writer.push(record, &line);
            }
        }
        taken.raw.put_full_part().await?;
        if let TableObject::Alongside { writer, .. } = &mut taken.table {
            writer.put_full_part().await?;
        }
        Ok(taken.versions.served() - before)
    }

    /// Gives up the table and the turn to make one: it is made of the raw object afterwards.
    pub(super) async fn leave_table(&self) {
        std::mem::take(&mut self.taken.lock().await.table).abort().await;
    }

    fn table(&self) -> Result<TableObject<'run>, Error> {
        let Ok(turn) = self.tables.try_acquire() else { return Ok(TableObject::Afterwards) };
        let writer = self.archive.table_writer(self.stream, self.object, self.started_at)?;
        Ok(TableObject::Alongside { writer, _turn: turn })
    }
}

impl Taken<'_> {
    /// Gives everything up.
    pub(super) async fn abort(self) {
        self.raw.abort().await;
        self.table.abort().await;
    }
}

impl TableObject<'_> {
    /// Makes the object appear, where it was made.
    pub(super) async fn put(self) -> Result<Option<Encoded>, Error> {
        match self {
            Self::Alongside { writer, _turn } => writer.put().await.map(Some),
            Self::Afterwards => Ok(None),
        }
    }

    /// Gives the object up.
    pub(super) async fn abort(self) {
        if let Self::Alongside { writer, _turn } = self {
            writer.abort().await;
        }
    }
}

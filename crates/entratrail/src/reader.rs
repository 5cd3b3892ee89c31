//! One read of one window: from Graph into the archive and on record.

mod chain;
mod fetch;
mod intake;
mod survey;

use crate::archive::{Archive, Recorded, Upload};
use crate::clock::Clock;
use crate::error::Error;
use crate::graph::query::Collection;
use crate::graph::{GraphClient, Tally};
use crate::ledger::{Ledger, ReadRow, Status};
use crate::log::Stream;
use crate::object::raw_key;
use crate::plan::{Holdings, Planned, RawObject};
use crate::progress::Progress;
use crate::stored::StoredVersions;
use crate::table::Encoded;
use crate::window::WindowLength;
use chrono::{DateTime, SubsecRound as _, Utc};
use fetch::Fetched;
use intake::{Intake, Taken};
use serde_json::Map;
use std::future::Future;
use std::pin::pin;
use tokio::sync::Semaphore;

/// The text of a row whose object is about to be created. Where it stays, the run died at that moment.
const ANNOUNCED: &str = "the run ended before this read was on record; the next run looks for the object";

/// Reads windows of one stream.
#[derive(Debug)]
pub struct Reader<'run> {
    /// Where records come from.
    pub graph: &'run GraphClient,
    /// Where they go.
    pub archive: &'run Archive,
    /// The time.
    pub clock: Clock,
    /// What is asked.
    pub collection: Collection,
    /// `TARGET_RECORDS`.
    pub target_records: u64,
    /// One permit: the turn to read a window in several chains. What such a window holds until it is stored is
    /// most of the memory of a run, and one is enough to use up Graph's limit.
    pub large: &'run Semaphore,
    /// One permit: the turn to make a table object, which takes more memory than the rest of a small window. It is taken
    /// with the first new record, where it is free, or when the raw object is there. Who has it never waits for
    /// [`Reader::large`].
    pub tables: &'run Semaphore,
    /// Who is told how far it is.
    pub progress: &'run Progress,
}

/// How a read ended.
#[derive(Debug)]
pub enum Outcome {
    /// The window was read, everything new is stored, and the ledger, as it is now, says so.
    Read {
        /// The row.
        row: Box<ReadRow>,
        /// The ledger with it.
        ledger: Ledger,
        /// Fields that its table does not know, or not with that type.
        unexpected_fields: u64,
    },
    /// The window holds too much: read windows of that length in its place, each with about so many records.
    Split(WindowLength, u64),
    /// Another run has read the same minutes meanwhile, so that nothing may be concluded or stored.
    Superseded,
    /// Time ran out; everything begun was given up.
    Stopped,
    /// The window could not be read; the ledger says so where it could be written.
    Failed(Error),
}

impl Reader<'_> {
    /// Reads `planned`, of which `estimate` records are expected where that is known. Gives up when `stop` is
    /// over.
    pub async fn read(
        &self,
        planned: &Planned,
        holdings: &Holdings,
        estimate: Option<u64>,
        tally: &Tally,
        stop: impl Future<Output = ()>,
    ) -> Outcome {
        let mut turn = None;
        if estimate.is_some_and(chain::needs_several) {
            turn = self.large.acquire().await.ok();
        }
        let started_at = self.clock.now().trunc_subsecs(3);
        let known = match self.stored_versions(planned, holdings).await {
            Ok(known) => known,
            Err(error) => return self.fail(planned, started_at, tally, error).await,
        };
        let object = RawObject { window: planned.window, read: planned.read };
        let intake = Intake::new(self.archive, self.tables, (planned.stream, object), started_at, known);
        let mut stop = pin!(stop);
        let fetched = tokio::select! {
            fetched = self.fetch(planned, estimate, &intake, &mut turn, tally) => fetched,
            () = &mut stop => Fetched::Stopped,
        };
        let taken = intake.into_taken();
        match fetched {
            Fetched::Everything => {
                let row = self.row(planned, started_at, tally, Some(&taken.versions));
                let basis = holdings.ledger.basis(planned.window);
                match self.store(planned, row, &basis, taken).await {
                    Ok(outcome) => outcome,
                    Err(error) => Outcome::Failed(error),
                }
            }
            Fetched::TooMuch(length, estimate) => {
                taken.give_up().await;
                Outcome::Split(length, estimate)
            }
            Fetched::Stopped => {
                taken.give_up().await;
                Outcome::Stopped
            }
            Fetched::Failed(error) => {
                taken.give_up().await;
                self.fail(planned, started_at, tally, error).await
            }
        }
    }

    /// What the archive holds of the window, checked against the ledger.
    async fn stored_versions(&self, planned: &Planned, holdings: &Holdings) -> Result<StoredVersions, Error> {
        let mut versions = StoredVersions::default();
        for object in holdings.objects_of(planned.window) {
            let add = |record, _: &[u8]| versions.add_stored(record, object.read);
            let stored = self.archive.read_object(planned.stream, object, add).await?;
            let key = raw_key(planned.stream, object);
            let row =
                holdings.ledger.complete_reads(planned.window).find(|row| row.key.as_ref() == Some(&key));
            if let Some(row) = row {
                self.archive.check_on_record(&key, &stored.digest, row)?;
            }
        }
        Ok(versions)
    }

    /// Order matters: the row that announces the object, the object, its table object, the row that completes it. A run
    /// that dies in between leaves enough for the next one to go on, and a run that works on the same minutes sees the
    /// announcement and leaves the window alone.
    async fn store(
        &self,
        planned: &Planned,
        mut row: ReadRow,
        basis: &[ReadRow],
        taken: Taken<'_>,
    ) -> Result<Outcome, Error> {
        if row.new == 0 {
            taken.give_up().await;
            return Ok(outcome_of(self.archive.record(planned.stream, &row, Some(basis)).await?, row, 0));
        }
        let Taken { upload, table, .. } = taken;
        match self.create(planned, &mut row, basis, upload).await {
            Ok(true) => {}
            not_created => {
                table.give_up().await;
                return not_created.map(|_| Outcome::Superseded);
            }
        }
        row.finished_at = self.clock.now().trunc_subsecs(3);
        let table = match table.put().await? {
            None => self.write_table(planned.stream, &row).await?,
            Some(made) => made,
        };
        let recorded = self.archive.record(planned.stream, &row, None).await?;
        Ok(outcome_of(recorded, row, table.unexpected_fields))
    }

    /// Announces the raw object in the ledger and creates it; false where another run was first. `row` tells of it
    /// afterwards.
    async fn create(
        &self,
        planned: &Planned,
        row: &mut ReadRow,
        basis: &[ReadRow],
        upload: Upload<'_>,
    ) -> Result<bool, Error> {
        let prepared = upload.prepare().await?;
        row.key = Some(raw_key(planned.stream, RawObject { window: planned.window, read: planned.read }));
        row.sha256 = Some(prepared.digest.sha256.clone());
        row.bytes = Some(prepared.digest.bytes);
        let announced = ReadRow { status: Status::Failed, error: Some(ANNOUNCED.to_owned()), ..row.clone() };
        match self.archive.record(planned.stream, &announced, Some(basis)).await {
            Ok(Recorded::Done(_)) => {}
            Ok(Recorded::Superseded) => {
                prepared.give_up().await;
                return Ok(false);
            }
            Err(error) => {
                prepared.give_up().await;
                return Err(error);
            }
        }
        if prepared.create().await? {
            return Ok(true);
        }
        let error = Some("another run stored this read first".to_owned());
        let lost = ReadRow { key: None, sha256: None, bytes: None, error, ..announced };
        self.archive.record(planned.stream, &lost, None).await?;
        Ok(false)
    }

    /// Makes the table object of a read from its raw object, also when the run is to stop: that takes seconds, and without
    /// it the read is not on record.
    async fn write_table(&self, stream: Stream, row: &ReadRow) -> Result<Encoded, Error> {
        let _turn = self.tables.acquire().await;
        self.archive.write_table(stream, row).await
    }

    async fn fail(
        &self,
        planned: &Planned,
        started_at: DateTime<Utc>,
        tally: &Tally,
        error: Error,
    ) -> Outcome {
        let mut row = self.row(planned, started_at, tally, None);
        row.status = Status::Failed;
        row.error = Some(error.to_string());
        match self.archive.record(planned.stream, &row, None).await {
            Ok(_) => Outcome::Failed(error),
            Err(unrecorded) => {
                Outcome::Failed(error.and(&format!("nor could the ledger be written: {unrecorded}")))
            }
        }
    }

    fn row(
        &self,
        planned: &Planned,
        started_at: DateTime<Utc>,
        tally: &Tally,
        versions: Option<&StoredVersions>,
    ) -> ReadRow {
        ReadRow {
            window: planned.window,
            read: planned.read,
            started_at,
            finished_at: self.clock.now().trunc_subsecs(3),
            status: Status::Complete,
            served: versions.map_or(0, StoredVersions::served),
            new: versions.map_or(0, StoredVersions::new_versions),
            changed: versions.map_or(0, StoredVersions::changed),
            missing: versions.map_or(0, StoredVersions::missing),
            key: None,
            sha256: None,
            bytes: None,
            requests: tally.requests(),
            retries: tally.retries(),
            error: None,
            other: Map::new(),
        }
    }
}

fn outcome_of(recorded: Recorded, row: ReadRow, unexpected_fields: u64) -> Outcome {
    match recorded {
        Recorded::Done(ledger) => Outcome::Read { row: Box::new(row), ledger, unexpected_fields },
        Recorded::Superseded => Outcome::Superseded,
    }
}

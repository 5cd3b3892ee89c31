//! One read of one window: from Graph into the archive and on record.

mod fetch;
mod intake;
mod kept_since;
mod policy;

pub use kept_since::KeptSince;
pub use policy::Split;

use crate::archive::{Archive, RawObjectWriter, Recorded};
use crate::clock::Clock;
use crate::error::Error;
use crate::graph::query::Collection;
use crate::graph::{GraphClient, Tally};
use crate::ledger::{
    Announcement, Completed, Counts, Ledger, Origin, ReadResult, ReadRow, StoredObject,
    needs_kept_since,
};
use crate::object::{Written, raw_key};
use crate::plan::{Holdings, Planned, RawObject};
use crate::progress::Progress;
use crate::stored::StoredVersions;
use crate::table::Encoded;
use chrono::{DateTime, SubsecRound as _, Utc};
use intake::{Intake, TableObject, Taken};
use policy::{Ending, Reading};
use std::future::Future;
use std::pin::pin;
use std::sync::atomic::AtomicI64;
use tokio::sync::Semaphore;

/// Full pages that the windows of a run which are read as several chains hold at once: those of one
/// busy day.
pub const ROOM_PAGES: u32 = 100;

/// Reads windows of one stream.
#[derive(Debug)]
pub struct Reader<'run> {
    /// Client of Graph.
    pub graph: &'run GraphClient,
    /// Archive that takes the records.
    pub archive: &'run Archive,
    /// The time.
    pub clock: Clock,
    /// Collection that is asked for.
    pub collection: Collection,
    /// `TARGET_RECORDS`.
    pub target_records: u64,
    /// Who reads, as the rows say it.
    pub origin: &'run Origin,
    /// Oldest record that Graph served in this run.
    pub kept_since: &'run KeptSince,
    /// [`ROOM_PAGES`] permits: room for as many full pages in windows that are read as several
    /// chains. What such windows hold until they are stored is most of the memory of a run.
    pub room: &'run Semaphore,
    /// Start of the window that asked for room last, in seconds since 1970.
    pub room_of: &'run AtomicI64,
    /// One permit: the turn to make a table object, which takes more memory than the rest of a
    /// small window. It is taken with the first new record, where it is free, or when the raw
    /// object is there. Who has it never waits for [`Self::room`].
    pub tables: &'run Semaphore,
    /// Who is told how far it is.
    pub progress: &'run Progress,
}

/// Outcome of a read.
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
    /// The window holds too much: shorter ones are to be read in its place.
    Split(Split),
    /// Another run has read the same minutes meanwhile, so that nothing may be concluded or stored.
    Superseded,
    /// Time ran out; everything begun was given up.
    Stopped,
    /// The window could not be read; the ledger says so where it could be written.
    Failed(Error),
}

/// A read under way: what its row says before its outcome is known.
struct Attempt<'read> {
    planned: &'read Planned,
    started_at: DateTime<Utc>,
    tally: &'read Tally,
}

impl Reader<'_> {
    /// Reads `planned`, of which `estimate` records are expected where that is known. Gives up when
    /// `stop` completes.
    pub async fn read(
        &self,
        planned: &Planned,
        holdings: &Holdings,
        estimate: Option<u64>,
        tally: &Tally,
        stop: impl Future<Output = ()>,
    ) -> Outcome {
        let Planned { window, is_on_record, .. } = *planned;
        let reading = Reading::new(
            window,
            self.target_records,
            !is_on_record,
            estimate,
            self.graph.is_busy(),
        );
        let mut room = match reading.pages() {
            Some(pages) => self.take_room(window.start(), pages, None).await,
            None => None,
        };
        let started_at = self.clock.now().trunc_subsecs(3);
        let attempt = Attempt { planned, started_at, tally };
        let known = match self.stored_versions(planned, holdings).await {
            Ok(known) => known,
            Err(error) => return self.fail(&attempt, error).await,
        };
        let object = RawObject { window: planned.window, read: planned.read };
        let intake =
            Intake::new(self.archive, self.tables, (planned.stream, object), started_at, known);
        let mut stop = pin!(stop);
        let fetched = tokio::select! {
            fetched = self.fetch(planned, reading, &intake, &mut room, tally) => Some(fetched),
            () = &mut stop => None,
        };
        let taken = intake.into_taken();
        match fetched {
            Some(Ok(())) => {
                let completed = completed(&taken);
                tokio::select! {
                    () = self.find_evidence(&attempt, holdings, completed.counts) => {}
                    () = &mut stop => {}
                }
                let basis = holdings.ledger.basis(planned.window);
                // In a box, because it holds the writers of both objects.
                match Box::pin(self.store(&attempt, completed, &basis, taken)).await {
                    Ok(outcome) => outcome,
                    Err(error) => Outcome::Failed(error),
                }
            }
            Some(Err(Ending::Split(split))) => {
                taken.abort().await;
                Outcome::Split(split)
            }
            Some(Err(Ending::Failed(error))) => {
                taken.abort().await;
                self.fail(&attempt, error).await
            }
            None => {
                taken.abort().await;
                Outcome::Stopped
            }
        }
    }

    /// Reads the stored versions of the window, checked against the ledger.
    async fn stored_versions(
        &self,
        planned: &Planned,
        holdings: &Holdings,
    ) -> Result<StoredVersions, Error> {
        let mut versions = StoredVersions::default();
        for object in holdings.objects_of(planned.window) {
            let key = raw_key(planned.stream, object);
            let stored = self
                .archive
                .read_object(planned.stream, object, |mut line| {
                    versions.add_stored(line.record(), object.read);
                })
                .await?;
            let recorded = holdings
                .ledger
                .complete_reads(planned.window)
                .find_map(|row| row.object().filter(|object| object.key == key));
            if let Some(recorded) = recorded {
                self.archive.check_on_record(&stored.digest, recorded)?;
            }
        }
        Ok(versions)
    }

    /// Asks Graph for one record as old as the window's start, where only that could make of this
    /// read a proof. Without an answer the window stays open, which is no reason to fail.
    async fn find_evidence(&self, attempt: &Attempt<'_>, holdings: &Holdings, counts: Counts) {
        let window = attempt.planned.window;
        let is_known = self.kept_since.get().is_some_and(|since| since <= window.start());
        let is_quiet = counts.new == 0 && counts.missing == 0;
        if !is_quiet || is_known || !needs_kept_since(&holdings.ledger, window, attempt.started_at)
        {
            return;
        }
        if let Err(error) =
            self.probe_kept_since(window.start(), attempt.planned, attempt.tally).await
        {
            let error = error.into_error();
            let remedy = error.remedy();
            let window = window.start();
            tracing::warn!(%window, remedy, "no evidence of what Graph keeps: {error}");
        }
    }

    /// Order matters: the row that announces the object, the object, its table object, the row that
    /// completes it. A run that dies in between leaves enough for the next one to go on, and a run
    /// that works on the same minutes sees the announcement and leaves the window alone.
    async fn store(
        &self,
        attempt: &Attempt<'_>,
        completed: Completed,
        basis: &[ReadRow],
        taken: Taken<'_>,
    ) -> Result<Outcome, Error> {
        let stream = attempt.planned.stream;
        if completed.counts.new == 0 {
            taken.abort().await;
            let row = self.row(attempt, ReadResult::Complete(completed));
            return Ok(outcome_of(self.archive.record(stream, &row, Some(basis)).await?, 0));
        }
        let Taken { raw, table, .. } = taken;
        let created = self.create(attempt, &completed, basis, raw).await;
        let (object, announcement) = match created {
            Ok(Some(created)) => created,
            not_created => {
                table.abort().await;
                return not_created.map(|_| Outcome::Superseded);
            }
        };
        let first_seen = announcement.started_at();
        let encoded = self.finish_table(attempt, &object, first_seen, table).await?;
        let object = StoredObject { table: Some(encoded.stored()), ..object };
        let row = announcement.confirm(object, completed.remark);
        let recorded = self.archive.record_stored(stream, &row, self.origin, self.clock).await?;
        Ok(outcome_of(recorded, encoded.unexpected_fields))
    }

    /// Announces the raw object in the ledger and creates it. Returns it with the announcement that
    /// is to be confirmed, which is that of another run where both announced the same bytes and the
    /// other came no further yet. `None` where another run was first.
    async fn create(
        &self,
        attempt: &Attempt<'_>,
        completed: &Completed,
        basis: &[ReadRow],
        raw: RawObjectWriter<'_>,
    ) -> Result<Option<(StoredObject, Announcement)>, Error> {
        let Planned { stream, window, read, .. } = *attempt.planned;
        let prepared = raw.prepare().await?;
        let object = StoredObject {
            key: raw_key(stream, RawObject { window, read }),
            sha256: prepared.digest.sha256.clone(),
            bytes: prepared.digest.bytes,
            records_root: Some(prepared.digest.records_root.clone()),
            table: None,
        };
        let announced = self.row(attempt, ReadResult::Announced(completed.clone(), object.clone()));
        let announcement = match self.archive.record(stream, &announced, Some(basis)).await {
            Ok(Recorded::Done { ledger, .. }) => Ok(ledger.announcement_of(&object)),
            Ok(Recorded::Superseded) => Ok(None),
            Err(error) => Err(error),
        };
        let Ok(Some(announcement)) = announcement else {
            prepared.abort().await;
            return announcement.map(|_| None);
        };
        // Where another run was first, the announcement stays until the window is complete. Both
        // runs may have started in the same millisecond, and a failed row would then take out the
        // announcement of the one whose object it is.
        Ok((prepared.create().await? == Written::Yes).then_some((object, announcement)))
    }

    /// Makes the table object of `object`, also when the run is to stop: that takes seconds, and
    /// without it the read is not on record. What was made alongside says when this read started,
    /// so it cannot stand for another.
    async fn finish_table(
        &self,
        attempt: &Attempt<'_>,
        object: &StoredObject,
        first_seen: DateTime<Utc>,
        table: TableObject<'_>,
    ) -> Result<Encoded, Error> {
        if first_seen != attempt.started_at {
            table.abort().await;
        } else if let Some(made) = table.put().await? {
            return Ok(made);
        }
        let _turn = self.tables.acquire().await;
        self.archive.write_table(attempt.planned.stream, object, first_seen).await
    }

    async fn fail(&self, attempt: &Attempt<'_>, error: Error) -> Outcome {
        let row = self.row(attempt, ReadResult::Failed { error: error.to_string() });
        match self.archive.record(attempt.planned.stream, &row, None).await {
            Ok(_) => Outcome::Failed(error),
            Err(unrecorded) => {
                Outcome::Failed(error.and(format!("nor could the ledger be written: {unrecorded}")))
            }
        }
    }

    fn row(&self, attempt: &Attempt<'_>, result: ReadResult) -> ReadRow {
        let origin = Origin { kept_since: self.kept_since.get(), ..self.origin.clone() };
        ReadRow {
            window: attempt.planned.window,
            read: attempt.planned.read,
            started_at: attempt.started_at,
            finished_at: self.clock.now().trunc_subsecs(3),
            result,
            requests: attempt.tally.requests(),
            retries: attempt.tally.retries(),
            origin: Some(origin),
        }
    }
}

/// Facts of a read that has fetched every page. A record that was too large to store counts as
/// missing, so that no read that met one proves anything.
fn completed(taken: &Taken<'_>) -> Completed {
    let versions = &taken.versions;
    let counts = Counts {
        served: versions.served(),
        new: versions.new_versions(),
        changed: versions.changed(),
        missing: versions.missing() + taken.oversized.len() as u64,
        untimed: versions.untimed(),
        outside: taken.outside.len() as u64,
    };
    let remark = taken.oversized.first().map(|first| {
        let id = first.id.as_deref().unwrap_or("unknown");
        format!(
            "{} records were too large to store, the first with id {id} and {} bytes; every other \
             record was stored",
            taken.oversized.len(),
            first.bytes
        )
    });
    Completed { counts, object: None, remark }
}

fn outcome_of(recorded: Recorded, unexpected_fields: u64) -> Outcome {
    match recorded {
        Recorded::Done { ledger, row } => Outcome::Read { row, ledger, unexpected_fields },
        Recorded::Superseded => Outcome::Superseded,
    }
}

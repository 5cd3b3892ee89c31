//! Making the table object of a read: while its records arrive, or from its raw object, as often as
//! wanted.

use super::writer::ObjectWriter;
use crate::{Archive, Recorded};
use chrono::{DateTime, SubsecRound as _, Utc};
use entratrail_core::clock::Clock;
use entratrail_core::error::Error;
use entratrail_core::ledger::{Origin, ReadResult, ReadRow, StoredObject, StoredTable};
use entratrail_core::log::Stream;
use entratrail_core::object::{Precondition, parse_raw_key, table_key};
use entratrail_core::plan::RawObject;
use entratrail_core::raw::RawDecoder;
use entratrail_core::record::Record;
use entratrail_core::table::{Encoded, TableEncoder};
use parquet::errors::ParquetError;
use std::future::Future;

/// Writes a table object. It appears in the archive when it is put, whole, or not at all.
#[derive(Debug)]
pub struct TableObjectWriter<'archive> {
    writer: ObjectWriter<'archive>,
    encoder: Box<TableEncoder>,
}

impl Archive {
    /// Starts the table object of a read that started at `first_seen`; nothing is sent before a
    /// part is full.
    pub fn table_writer(
        &self,
        stream: Stream,
        object: RawObject,
        first_seen: DateTime<Utc>,
    ) -> Result<TableObjectWriter<'_>, Error> {
        let writer = self.writer(table_key(stream, object));
        match TableEncoder::new(stream.log(), first_seen) {
            Ok(encoder) => Ok(TableObjectWriter { writer, encoder: Box::new(encoder) }),
            Err(error) => Err(not_encoded(&writer, error)),
        }
    }

    /// Makes the table object of a raw object, in the place of any that is there. `first_seen` is
    /// the start of the read that stored it. The raw object is read back for that and must be the
    /// one on record. The same raw object always makes the same bytes, those that
    /// [`TableObjectWriter`] makes of the same records.
    pub async fn write_table(
        &self,
        stream: Stream,
        recorded: &StoredObject,
        first_seen: DateTime<Utc>,
    ) -> Result<Encoded, Error> {
        let object = self.named_by(stream, recorded)?;
        let mut table = self.table_writer(stream, object, first_seen)?;
        let filled = self.fill(stream, recorded, &mut table).await;
        table.put_if(filled).await
    }

    /// Puts the read of `row` on record, whose table object is made. Where another run has put it on
    /// record with a different table, the table is made again, so that the ledger names the bytes
    /// that are there. Where that fails, the next run finds the table and makes it.
    pub async fn record_stored(
        &self,
        stream: Stream,
        row: &ReadRow,
        origin: &Origin,
        clock: Clock,
    ) -> Result<Recorded, Error> {
        let recorded = self.record(stream, row, None).await?;
        if let Recorded::Done { ledger, row: on_record } = &recorded
            && let Some(object) = on_record.object()
        {
            let made = row.object().and_then(|object| object.table.as_ref());
            let known = ledger.table_of(&object.key);
            if known != made {
                let never = std::future::pending();
                // In a box: it is a large future, and hardly ever wanted.
                let rebuilt =
                    self.rebuild_table(stream, on_record, known, origin.clone(), clock, never);
                if let Err(error) = Box::pin(rebuilt).await {
                    let key = object.key.as_str();
                    tracing::warn!(key, remedy = error.remedy(), "its table was not made: {error}");
                }
            }
        }
        Ok(recorded)
    }

    /// Makes the table object of the read of `row` again, and puts it on record where its bytes are
    /// not those of `known`. Gives up with `None` when `stop` completes first.
    pub async fn rebuild_table(
        &self,
        stream: Stream,
        row: &ReadRow,
        known: Option<&StoredTable>,
        origin: Origin,
        clock: Clock,
        stop: impl Future<Output = ()>,
    ) -> Result<Option<Encoded>, Error> {
        let Some(recorded) = row.object() else { return Ok(None) };
        let started_at = clock.now().trunc_subsecs(3);
        let object = self.named_by(stream, recorded)?;
        let mut table = self.table_writer(stream, object, row.started_at)?;
        let filled = tokio::select! {
            biased;
            () = stop => None,
            filled = self.fill(stream, recorded, &mut table) => Some(filled),
        };
        let Some(filled) = filled else {
            table.abort().await;
            return Ok(None);
        };
        let encoded = table.put_if(filled).await?;
        let made = encoded.stored();
        if known != Some(&made) {
            let object = StoredObject { table: Some(made), ..recorded.clone() };
            let rebuilt = ReadRow {
                started_at,
                finished_at: clock.now().trunc_subsecs(3),
                result: ReadResult::Rebuilt(object),
                requests: 0,
                retries: 0,
                origin: Some(origin),
                ..row.clone()
            };
            self.record(stream, &rebuilt, None).await?;
        }
        Ok(Some(encoded))
    }

    /// Raw object that `recorded` names; an error where that is none of `stream`.
    fn named_by(&self, stream: Stream, recorded: &StoredObject) -> Result<RawObject, Error> {
        parse_raw_key(stream, &recorded.key).ok_or_else(|| {
            Error::archive(format!(
                "a ledger entry names {}, which is no raw object of {}",
                self.address(&recorded.key),
                stream.name()
            ))
        })
    }

    async fn fill(
        &self,
        stream: Stream,
        recorded: &StoredObject,
        table: &mut TableObjectWriter<'_>,
    ) -> Result<(), Error> {
        let key = &recorded.key;
        let mut content = self.store.get_stream(key).await?;
        let mut decoder = RawDecoder::new(stream.log().time_field());
        while let Some(chunk) = content.next().await? {
            decoder
                .push(&chunk, |mut line| table.push(&line.record(), line.json()))
                .map_err(|error| self.damaged(key, error))?;
            table.put_full_part().await?;
        }
        let digest = decoder
            .finish(|mut line| table.push(&line.record(), line.json()))
            .map_err(|error| self.damaged(key, error))?;
        self.check_on_record(&digest, recorded)
    }
}

impl TableObjectWriter<'_> {
    /// Adds a record, with its line of the raw object. Records come in the order of the raw object.
    pub fn push(&mut self, record: &Record, line: &[u8]) {
        self.encoder.push(record, line);
    }

    /// Sends what is enough for a part.
    pub async fn put_full_part(&mut self) -> Result<(), Error> {
        match self.encoder.take_part() {
            Some(part) => self.writer.put_part(part).await,
            None => Ok(()),
        }
    }

    /// Makes the object appear, in the place of any that is there.
    pub async fn put(self) -> Result<Encoded, Error> {
        let Self { writer, encoder } = self;
        match encoder.finish() {
            Ok((rest, encoded)) => {
                writer.end(rest).await?.complete(Precondition::None).await.map(drop)?;
                Ok(encoded)
            }
            Err(error) => {
                let error = not_encoded(&writer, error);
                writer.abort().await;
                Err(error)
            }
        }
    }

    /// Makes the object appear where it was filled; gives it up otherwise.
    async fn put_if(self, filled: Result<(), Error>) -> Result<Encoded, Error> {
        match filled {
            Ok(()) => self.put().await,
            Err(error) => {
                self.abort().await;
                Err(error)
            }
        }
    }

    /// Gives the object up.
    pub async fn abort(self) {
        self.writer.abort().await;
    }
}

fn not_encoded(writer: &ObjectWriter<'_>, error: ParquetError) -> Error {
    Error::archive(format!("{} could not be encoded: {error}", writer.key())).with_source(error)
}

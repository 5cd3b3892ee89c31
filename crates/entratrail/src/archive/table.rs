//! Making the table object of a read from its raw object, as often as wanted.

use super::Archive;
use super::upload::Sending;
use crate::error::Error;
use crate::ledger::ReadRow;
use crate::log::Stream;
use crate::object::{raw_key, table_key};
use crate::plan::RawObject;
use crate::raw::RawDecoder;
use crate::table::{Encoded, TableEncoder};
use parquet::errors::ParquetError;
use std::future::Future;

impl Archive {
    /// Makes the table object of the read that `row` tells of, in the place of any that is there. The raw object is read
    /// back for that and must be the one on record. The same raw object always makes the same bytes. Gives up, with
    /// `None`, when `stop` is over.
    pub async fn write_table(
        &self,
        stream: Stream,
        row: &ReadRow,
        stop: impl Future<Output = ()>,
    ) -> Result<Option<Encoded>, Error> {
        let object = RawObject { window: row.window, read: row.read };
        let mut sending = self.sending(table_key(stream, object));
        let sent = tokio::select! {
            biased;
            () = stop => Ok(None),
            sent = self.send_table(stream, object, row, &mut sending) => sent.map(Some),
        };
        match sent {
            Ok(Some((rest, encoded))) => {
                sending.end(rest).await?.put().await?;
                Ok(Some(encoded))
            }
            Ok(None) => {
                sending.give_up().await;
                Ok(None)
            }
            Err(error) => {
                sending.give_up().await;
                Err(error)
            }
        }
    }

    /// Sends all but the last bytes, and returns those.
    async fn send_table(
        &self,
        stream: Stream,
        object: RawObject,
        row: &ReadRow,
        sending: &mut Sending<'_>,
    ) -> Result<(Vec<u8>, Encoded), Error> {
        let key = raw_key(stream, object);
        let not_encoded =
            |error: ParquetError| Error::Archive(format!("the table of {key} could not be encoded: {error}"));
        let damaged = |error: std::io::Error| self.damaged(&key, &error);
        let mut content = self.store.open(&key).await?;
        let mut decoder = RawDecoder::new(stream.log().time_field());
        let mut encoder = TableEncoder::new(stream.log(), row.started_at).map_err(not_encoded)?;
        while let Some(chunk) = content.next().await? {
            decoder.push(&chunk, |record, line| encoder.push(&record, line)).map_err(damaged)?;
            if let Some(part) = encoder.take_part() {
                sending.send(part).await?;
            }
        }
        let digest = decoder.finish(|record, line| encoder.push(&record, line)).map_err(damaged)?;
        self.check_on_record(&key, &digest, row)?;
        encoder.finish().map_err(not_encoded)
    }
}

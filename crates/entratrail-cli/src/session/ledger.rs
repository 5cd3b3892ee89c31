//! The ledgers of an archive, and the table `reads` with their rows.

use super::Days;
use chrono::{DateTime, NaiveDate, Utc};
use datafusion::arrow::array::{
    ArrayRef, Date32Array, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray,
};
use datafusion::arrow::datatypes::Date32Type;
use datafusion::datasource::MemTable;
use datafusion::error::Result;
use entratrail::archive::Archive;
use entratrail::error::Error;
use entratrail::ledger::{Ledger, ReadRow, Status};
use entratrail::log::{EventType, Log, Stream};
use std::sync::Arc;

/// The ledgers of the days that are looked at.
#[derive(Debug, Default)]
pub(crate) struct Ledgers {
    ledgers: Vec<(Stream, NaiveDate, Ledger)>,
    /// What is wrong with those that cannot be read.
    pub(super) problems: Vec<String>,
}

/// A row of the table.
type Read<'ledgers> = (Stream, NaiveDate, &'ledgers ReadRow);

impl Ledgers {
    pub(super) async fn of(archive: &Archive, days: Days) -> Result<Self, Error> {
        let mut ledgers = Self::default();
        for stream in
            [Log::SignIns, Log::DirectoryAudits].into_iter().flat_map(|log| log.streams(&EventType::ALL))
        {
            let listing = archive.list(stream, days.from.unwrap_or_default()).await?;
            for day in listing.ledgers.into_iter().filter(|&day| days.contains(day)) {
                match archive.ledger(stream, day).await {
                    Ok((ledger, _)) => ledgers.ledgers.push((stream, day, ledger)),
                    Err(error) => ledgers.problems.push(error.to_string()),
                }
            }
        }
        Ok(ledgers)
    }

    /// Each ledger with its stream and day.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (Stream, NaiveDate, &Ledger)> {
        self.ledgers.iter().map(|(stream, day, ledger)| (*stream, *day, ledger))
    }

    /// The table `reads`: a row for each read, with the columns that the view of Athena has.
    pub(super) fn table(&self) -> Result<Arc<MemTable>> {
        let reads = self
            .iter()
            .flat_map(|(stream, day, ledger)| ledger.rows().iter().map(move |row| (stream, day, row)));
        let reads: Vec<Read<'_>> = reads.collect();
        let row = |of: fn(&ReadRow) -> Option<i64>| -> ArrayRef {
            Arc::new(reads.iter().map(|read| of(read.2)).collect::<Int64Array>())
        };
        let count = |of: fn(&ReadRow) -> u64| -> ArrayRef {
            Arc::new(reads.iter().map(|read| i64::try_from(of(read.2)).ok()).collect::<Int64Array>())
        };
        let time = |of: fn(&ReadRow) -> DateTime<Utc>| -> ArrayRef {
            let times = reads.iter().map(|read| of(read.2).timestamp_micros());
            Arc::new(TimestampMicrosecondArray::from_iter_values(times).with_timezone("UTC"))
        };
        let text = |of: fn(&ReadRow) -> Option<&str>| -> ArrayRef {
            Arc::new(reads.iter().map(|read| of(read.2)).collect::<StringArray>())
        };
        let streams: ArrayRef =
            Arc::new(StringArray::from_iter_values(reads.iter().map(|read| read.0.name())));
        let days = reads.iter().map(|read| Date32Type::from_naive_date(read.1));
        let days: ArrayRef = Arc::new(Date32Array::from_iter_values(days));
        let columns = [
            ("stream", streams),
            ("day", days),
            ("window_start", time(|row| row.window.start())),
            ("window_end", time(|row| row.window.end())),
            ("read", row(|row| Some(row.read.into()))),
            ("started_at", time(|row| row.started_at)),
            ("finished_at", time(|row| row.finished_at)),
            ("status", text(|row| Some(name(row.status)))),
            ("served", count(|row| row.served)),
            ("new", count(|row| row.new)),
            ("changed", count(|row| row.changed)),
            ("missing", count(|row| row.missing)),
            ("key", text(|row| row.key.as_deref())),
            ("sha256", text(|row| row.sha256.as_deref())),
            ("bytes", row(|row| row.bytes.and_then(|bytes| bytes.try_into().ok()))),
            ("requests", count(|row| row.requests)),
            ("retries", count(|row| row.retries)),
            ("error", text(|row| row.error.as_deref())),
        ];
        let rows =
            RecordBatch::try_from_iter_with_nullable(columns.map(|(name, column)| (name, column, true)))?;
        Ok(Arc::new(MemTable::try_new(rows.schema(), vec![vec![rows]])?))
    }
}

fn name(status: Status) -> &'static str {
    match status {
        Status::Complete => "complete",
        Status::Failed => "failed",
    }
}

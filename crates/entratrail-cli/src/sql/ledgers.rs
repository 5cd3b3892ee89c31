//! The ledgers of an archive, and the table `reads` with their rows.

use crate::date_range::DateRange;
use chrono::{DateTime, Days, NaiveDate, Utc};
use datafusion::arrow::array::{
    ArrayRef, Date32Array, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray,
};
use datafusion::arrow::datatypes::Date32Type;
use datafusion::datasource::MemTable;
use datafusion::error::Result;
use entratrail::archive::Archive;
use entratrail::error::Error;
use entratrail::ledger::{Ledger, Origin, ReadRow, StoredTable};
use entratrail::log::{Log, Stream};
use entratrail::object::table_key;
use entratrail::plan::objects_on_record;
use entratrail::window::midnight;
use futures_util::StreamExt as _;
use std::collections::{BTreeMap, BTreeSet};
use std::pin::pin;
use std::sync::Arc;

/// Days before the first one that is looked at whose ledgers are read too: whether a window is from
/// before the archive began depends on them.
const EARLIER_DAYS: u64 = 62;

/// The ledgers of the days that are looked at, and of earlier ones that decide on their state.
#[derive(Debug, Default)]
pub(crate) struct Ledgers {
    found: Vec<(Stream, NaiveDate, Ledger)>,
    unreadable: BTreeSet<(Stream, NaiveDate)>,
    /// Sentences about those that cannot be read.
    pub(super) problems: Vec<String>,
}

/// Rows of ledgers, each with its stream and day.
struct DatedRows<'ledgers>(Vec<(Stream, NaiveDate, &'ledgers ReadRow)>);

impl DatedRows<'_> {
    /// A column of numbers.
    fn number(&self, of: fn(&ReadRow) -> Option<i64>) -> ArrayRef {
        Arc::new(self.0.iter().map(|row| of(row.2)).collect::<Int64Array>())
    }

    /// A column of counts.
    fn count(&self, of: fn(&ReadRow) -> u64) -> ArrayRef {
        let counts = self.0.iter().map(|row| i64::try_from(of(row.2)).ok());
        Arc::new(counts.collect::<Int64Array>())
    }

    /// A column of times that every row has.
    fn time(&self, of: fn(&ReadRow) -> DateTime<Utc>) -> ArrayRef {
        let times = self.0.iter().map(|row| of(row.2).timestamp_micros());
        Arc::new(TimestampMicrosecondArray::from_iter_values(times).with_timezone("UTC"))
    }

    /// A column of times that some rows have.
    fn instant(&self, of: fn(&ReadRow) -> Option<DateTime<Utc>>) -> ArrayRef {
        let times = self.0.iter().map(|row| of(row.2).map(|time| time.timestamp_micros()));
        Arc::new(times.collect::<TimestampMicrosecondArray>().with_timezone("UTC"))
    }

    /// A column of texts.
    fn text(&self, of: fn(&ReadRow) -> Option<&str>) -> ArrayRef {
        Arc::new(self.0.iter().map(|row| of(row.2)).collect::<StringArray>())
    }
}

impl Ledgers {
    pub(super) async fn of(archive: &Archive, days: DateRange) -> Result<Self, Error> {
        let mut ledgers = Self::default();
        let earliest =
            days.from.checked_sub_days(Days::new(EARLIER_DAYS)).unwrap_or(days.from).date_naive();
        for stream in Stream::all() {
            let listing = archive.list(stream, days.first_day()).await?;
            let wanted = listing.ledgers_since(earliest).filter(|day| midnight(*day) < days.to);
            let mut fetched = pin!(archive.ledgers(stream, wanted.collect()));
            while let Some((day, found)) = fetched.next().await {
                match found {
                    Ok(ledger) => ledgers.found.push((stream, day, ledger)),
                    Err(error) => {
                        ledgers.unreadable.insert((stream, day));
                        ledgers.problems.push(error.to_string());
                    }
                }
            }
        }
        Ok(ledgers)
    }

    /// Table objects of `log` and of the days that are looked at, by their keys, as the ledgers
    /// have them on record.
    pub(super) fn tables(
        &self,
        log: Log,
        days: DateRange,
    ) -> BTreeMap<String, Option<StoredTable>> {
        let wanted =
            self.iter().filter(|(stream, day, _)| stream.log() == log && days.contains_day(*day));
        let tables = wanted.flat_map(|(stream, _, ledger)| {
            objects_on_record(stream, ledger)
                .map(move |recorded| (table_key(stream, recorded.object), recorded.table.cloned()))
        });
        tables.collect()
    }

    /// Whether the ledger of that day could be read, or there is none.
    pub(super) fn is_readable(&self, stream: Stream, day: NaiveDate) -> bool {
        !self.unreadable.contains(&(stream, day))
    }

    /// Each ledger with its stream and day.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (Stream, NaiveDate, &Ledger)> {
        self.found.iter().map(|(stream, day, ledger)| (*stream, *day, ledger))
    }

    /// The table `reads`: a row for each read, with the columns that the view of Athena has.
    pub(super) fn table(&self) -> Result<Arc<MemTable>> {
        let reads = self
            .iter()
            .flat_map(|(stream, day, ledger)| ledger.rows().map(move |row| (stream, day, row)));
        let reads = DatedRows(reads.collect());
        let streams: ArrayRef =
            Arc::new(StringArray::from_iter_values(reads.0.iter().map(|read| read.0.name())));
        let days = reads.0.iter().map(|read| Date32Type::from_naive_date(read.1));
        let days: ArrayRef = Arc::new(Date32Array::from_iter_values(days));
        let columns = [
            ("stream", streams),
            ("day", days),
            ("window_start", reads.time(|row| row.window.start())),
            ("window_end", reads.time(|row| row.window.end())),
            ("read", reads.number(|row| Some(row.read.into()))),
            ("started_at", reads.time(|row| row.started_at)),
            ("finished_at", reads.time(|row| row.finished_at)),
            ("status", reads.text(|row| Some(row.status()))),
            ("served", reads.count(|row| row.counts().served)),
            ("new", reads.count(|row| row.counts().new)),
            ("changed", reads.count(|row| row.counts().changed)),
            ("missing", reads.count(|row| row.counts().missing)),
            ("key", reads.text(|row| row.named_object().map(|object| object.key.as_str()))),
            ("sha256", reads.text(|row| row.named_object().map(|object| object.sha256.as_str()))),
            (
                "bytes",
                reads.number(|row| {
                    row.named_object().and_then(|object| object.bytes.try_into().ok())
                }),
            ),
            ("requests", reads.count(|row| row.requests)),
            ("retries", reads.count(|row| row.retries)),
            ("error", reads.text(ReadRow::error)),
            ("format", reads.number(|row| origin(row).map(|origin| origin.format.into()))),
            ("collector", reads.text(|row| origin(row).map(|origin| origin.collector.as_str()))),
            ("application", reads.text(|row| origin(row)?.application.as_deref())),
            ("kept_since", reads.instant(|row| origin(row)?.kept_since)),
            ("records_root", reads.text(|row| row.named_object()?.records_root.as_deref())),
            ("table_sha256", reads.text(|row| table(row).map(|table| table.sha256.as_str()))),
            (
                "table_rows",
                reads.number(|row| table(row).and_then(|table| table.rows.try_into().ok())),
            ),
            ("untimed", reads.count(|row| row.counts().untimed)),
            ("outside", reads.count(|row| row.counts().outside)),
        ];
        let rows = RecordBatch::try_from_iter_with_nullable(
            columns.map(|(name, column)| (name, column, true)),
        )?;
        Ok(Arc::new(MemTable::try_new(rows.schema(), vec![vec![rows]])?))
    }
}

fn origin(row: &ReadRow) -> Option<&Origin> {
    row.origin.as_ref()
}

fn table(row: &ReadRow) -> Option<&StoredTable> {
    row.named_object()?.table.as_ref()
}

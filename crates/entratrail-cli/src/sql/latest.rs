//! The rows that are the newest version of their record. One pass over two columns spares every
//! question a sort.

use super::parquet_file::ParquetFile;
use datafusion::arrow::array::{Array as _, AsArray as _, BooleanArray};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, TimeUnit, TimestampMillisecondType};
use datafusion::arrow::record_batch::RecordBatch;
use datafusion::parquet::arrow::ProjectionMask;
use datafusion::parquet::arrow::arrow_reader::RowSelection;
use datafusion::parquet::errors::ParquetError;
use std::cmp::Reverse;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use xxhash_rust::xxh3::xxh3_128;

/// Columns that are looked at. Directory audits have no risk.
const COLUMNS: [&str; 4] = ["id", "first_seen", "content_hash", "risk_state"];

/// A row of one of the files.
type RowAddress = (usize, usize);

/// Of two versions the newest is the one with the greater rank: first seen later; of two in one
/// read the one with a risk, then the one with the smaller hash. The view of Athena says the same.
type Rank = (i64, bool, Reverse<u128>);

/// The newest version of each record so far, and where it is.
#[derive(Debug, Default)]
pub(super) struct LatestVersions {
    versions: HashMap<u128, (Rank, RowAddress)>,
    superseded: Vec<RowAddress>,
}

impl LatestVersions {
    /// `files` with the rows that are not superseded, and what is wrong with those that cannot be
    /// read.
    pub(super) fn of(files: &[ParquetFile]) -> (Vec<ParquetFile>, Vec<(String, String)>) {
        let mut newest = Self::default();
        let mut sound = Vec::new();
        let mut damaged = Vec::new();
        for (number, file) in files.iter().enumerate() {
            match newest.look_at(number, file) {
                Ok(()) => sound.push((number, file.clone())),
                Err(error) => damaged.push((file.key.clone(), format!("is damaged ({error})"))),
            }
        }
        (
            sound
                .into_iter()
                .map(|(number, file)| {
                    let rows = newest.rows_of(number, file.rows());
                    file.with_newest(rows)
                })
                .collect(),
            damaged,
        )
    }

    /// Looks at the rows of the file with that number.
    fn look_at(&mut self, number: usize, file: &ParquetFile) -> Result<(), ParquetError> {
        let reader = file.read();
        let mask = ProjectionMask::columns(reader.parquet_schema(), COLUMNS);
        // All of them before any counts: a file that breaks off supersedes nothing.
        let batches = reader.with_projection(mask).build()?.collect::<Result<Vec<_>, _>>()?;
        let mut row = 0;
        for batch in batches {
            self.look_at_rows(&batch, (number, row));
            row += batch.num_rows();
        }
        Ok(())
    }

    fn look_at_rows(&mut self, batch: &RecordBatch, (number, first): RowAddress) -> Option<()> {
        let text =
            |name| batch.column_by_name(name).and_then(|column| column.as_string_opt::<i32>());
        let ids = text("id")?;
        let hashes = text("content_hash")?;
        let risks = text("risk_state");
        let milliseconds = DataType::Timestamp(TimeUnit::Millisecond, None);
        let seen = cast(batch.column_by_name("first_seen")?, &milliseconds).ok()?;
        let seen = seen.as_primitive_opt::<TimestampMillisecondType>()?;
        for row in (0..batch.num_rows()).filter(|&row| ids.is_valid(row)) {
            let has_risk = risks.is_some_and(|risks| {
                risks.is_null(row) || !["none", ""].contains(&risks.value(row))
            });
            let hash = u128::from_str_radix(hashes.value(row), 16).unwrap_or(0);
            let version = ((seen.value(row), has_risk, Reverse(hash)), (number, first + row));
            match self.versions.entry(xxh3_128(ids.value(row).as_bytes())) {
                Entry::Vacant(new) => drop(new.insert(version)),
                Entry::Occupied(mut known) if version.0 > known.get().0 => {
                    self.superseded.push(known.insert(version).1);
                }
                Entry::Occupied(_) => self.superseded.push(version.1),
            }
        }
        Some(())
    }

    /// The rows of the file with that number and so many rows that are the newest of their record;
    /// `None`: all.
    fn rows_of(&self, number: usize, rows: usize) -> Option<RowSelection> {
        let mut is_newest = vec![true; rows];
        self.superseded
            .iter()
            .filter(|row| row.0 == number)
            .for_each(|row| is_newest[row.1] = false);
        is_newest
            .contains(&false)
            .then(|| RowSelection::from_filters(&[BooleanArray::from(is_newest)]))
    }
}

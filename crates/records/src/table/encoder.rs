//! The bytes of a table object: Parquet, made piece by piece from the lines of a raw object.

use super::column::{StructColumn, floored};
use super::field::{Field, Kind};
use super::fields;
use super::schema::arrow_schema;
use super::stray::Strays;
use crate::json::Cursor;
use crate::log::Log;
use crate::raw::{Digest, PART_BYTES};
use crate::record::Record;
use crate::table::StoredTable;
use arrow_array::builder::StringBuilder;
use arrow_array::{ArrayRef, RecordBatch, TimestampMillisecondArray};
use arrow_schema::SchemaRef;
use chrono::{DateTime, Utc};
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_writer::ArrowWriterOptions;
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::errors::{ParquetError, Result};
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::schema::types::ColumnPath;
use std::sync::Arc;

/// Who wrote the file, in the form that readers parse. The number changes with the layout of the
/// bytes, not with each release, so that the same records make the same bytes.
const CREATED_BY: &str = "entratrail version 2";

/// JSON that is gathered in columns before it is encoded.
const GATHERED_BYTES: usize = 256 * 1024;

/// Encoded bytes of a row group, some 5,000 sign-ins. Until it is written, all of it is in memory,
/// and eight bytes more for each value that is in a dictionary. Groups three times as large make a
/// file 7 % smaller and take some 10 MB more.
const ROW_GROUP_BYTES: usize = 1024 * 1024;

/// A column's dictionary, which is in memory with its row group, once for each of some hundred
/// columns. What does not fit is written without one.
const DICTIONARY_BYTES: usize = 128 * 1024;

/// A column's page, which is in memory before it is compressed.
const PAGE_BYTES: usize = 128 * 1024;

/// Encodes records into the table object of a read.
#[derive(Debug)]
pub struct TableEncoder {
    schema: SchemaRef,
    first_seen: DateTime<Utc>,
    records: StructColumn,
    content_hashes: StringBuilder,
    others: StringBuilder,
    gathered_bytes: usize,
    failure: Option<ParquetError>,
    digest: Digest,
    encoded: Encoded,
    writer: ArrowWriter<Vec<u8>>,
}

/// Content of a table object.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Encoded {
    /// SHA-256 of the table object, in hexadecimal.
    pub sha256: String,
    /// Record versions, each a row.
    pub rows: u64,
    /// Fields that the table does not know, or not with that type, or not twice.
    pub unexpected_fields: u64,
}

impl Encoded {
    /// Form of the table object in the ledger.
    pub fn stored(&self) -> StoredTable {
        StoredTable { sha256: self.sha256.clone(), rows: self.rows }
    }
}

impl TableEncoder {
    /// An encoder for the records of a read that started at `first_seen`.
    pub fn new(log: Log, first_seen: DateTime<Utc>) -> Result<Self> {
        let options = ArrowWriterOptions::new()
            .with_properties(properties(log))
            .with_skip_arrow_metadata(true);
        let schema = arrow_schema(log);
        let writer = ArrowWriter::try_new_with_options(Vec::new(), Arc::clone(&schema), options)?;
        Ok(Self {
            schema,
            first_seen,
            records: StructColumn::of(fields(log)),
            content_hashes: StringBuilder::new(),
            others: StringBuilder::new(),
            gathered_bytes: 0,
            failure: None,
            digest: Digest::default(),
            encoded: Encoded::default(),
            writer,
        })
    }

    /// Adds a row. What goes wrong is told at the end.
    pub fn push(&mut self, record: &Record, json: &[u8]) {
        let mut strays = Strays::default();
        self.records.take_record(&mut Cursor::new(json), &mut strays);
        self.content_hashes.append_value(record.version.to_string());
        self.others.append_option(strays.to_json());
        self.encoded.rows += 1;
        self.encoded.unexpected_fields += strays.count();
        self.gathered_bytes += json.len();
        if self.gathered_bytes >= GATHERED_BYTES && self.failure.is_none() {
            self.failure = self.encode().err();
        }
    }

    /// The bytes so far, as soon as they are enough for a part of an upload.
    pub fn take_part(&mut self) -> Option<Vec<u8>> {
        let written = self.writer.inner_mut();
        if written.len() < PART_BYTES {
            return None;
        }
        let part = std::mem::take(written);
        self.digest.update(&part);
        Some(part)
    }

    /// The remaining bytes, and what the whole object holds.
    pub fn finish(mut self) -> Result<(Vec<u8>, Encoded)> {
        if let Some(failure) = self.failure.take() {
            return Err(failure);
        }
        self.encode()?;
        let rest = self.writer.into_inner()?;
        self.digest.update(&rest);
        Ok((rest, Encoded { sha256: self.digest.sha256(), ..self.encoded }))
    }

    /// Encodes the rows that are gathered.
    fn encode(&mut self) -> Result<()> {
        let rows = self.records.len();
        let first_seen = TimestampMillisecondArray::from_value(floored(self.first_seen), rows);
        let (mut columns, _) = self.records.finish();
        columns.push(Arc::new(first_seen.with_timezone("UTC")));
        columns.push(Arc::new(self.content_hashes.finish()));
        columns.push(Arc::new(self.others.finish()) as ArrayRef);
        self.writer.write(&RecordBatch::try_new(Arc::clone(&self.schema), columns)?)?;
        self.gathered_bytes = 0;
        if self.writer.in_progress_size() >= ROW_GROUP_BYTES { self.writer.flush() } else { Ok(()) }
    }
}

/// Settings of the file. Whatever changes its bytes needs another [`CREATED_BY`].
fn properties(log: Log) -> WriterProperties {
    let time_field = fields(log).iter().find(|field| field.graph_name == log.time_field());
    let time = ColumnPath::from(time_field.map(Field::name).unwrap_or_default());
    let properties = WriterProperties::builder()
        .set_created_by(CREATED_BY.to_owned())
        .set_compression(Compression::ZSTD(ZstdLevel::default()))
        .set_dictionary_page_size_limit(DICTIONARY_BYTES)
        .set_data_page_size_limit(PAGE_BYTES)
        .set_statistics_enabled(EnabledStatistics::None)
        .set_offset_index_disabled(true)
        // Records come in the order of their time, so that each differs little from the one before.
        .set_column_dictionary_enabled(time.clone(), false)
        .set_column_encoding(time, Encoding::DELTA_BINARY_PACKED);
    // The smallest and the largest value let a reader skip a row group. Nobody asks for that inside
    // of lists and objects, where most values are.
    let simple =
        fields(log).iter().filter(|field| !matches!(field.kind, Kind::Struct(_) | Kind::List(_)));
    simple
        .fold(properties, |properties, field| {
            properties.set_column_statistics_enabled(
                ColumnPath::from(field.name()),
                EnabledStatistics::Chunk,
            )
        })
        .build()
}

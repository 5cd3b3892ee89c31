//! One table object as a file: opened, checked, and read by the engine without looking for its
//! footer again.

use super::shared_file::SharedFile;
use bytes::Bytes;
use datafusion::arrow::datatypes::{DataType, Schema, TimeUnit};
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::ParquetFileReaderFactory;
use datafusion::error::{DataFusionError, Result};
use datafusion::parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder, RowSelection,
};
use datafusion::parquet::arrow::async_reader::AsyncFileReader;
use datafusion::parquet::errors::ParquetError;
use datafusion::parquet::file::metadata::{PageIndexPolicy, ParquetMetaData, RowGroupMetaData};
use datafusion::parquet::file::reader::{ChunkReader as _, Length as _};
use datafusion::physical_plan::metrics::ExecutionPlanMetricsSet;
use entratrail::ledger::StoredTable;
use entratrail::raw::sha256_of;
use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, ready};
use std::fs::File;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

/// Columns without which a file is no table object, beside the first two of its table: the id and
/// the time.
const REQUIRED: [&str; 2] = ["first_seen", "content_hash"];

/// A table object that can be read, as far as its footer tells.
#[derive(Debug, Clone)]
pub(super) struct ParquetFile {
    pub(super) key: String,
    /// The rows that are not superseded, where some are.
    pub(super) newest: Option<RowSelection>,
    file: SharedFile,
    metadata: ArrowReaderMetadata,
}

impl ParquetFile {
    /// Opens the object at `path` and compares its columns with those of the table. What is wrong
    /// with it is said as the end of a sentence.
    pub(super) fn open(key: String, path: &Path, table: &Schema) -> Result<Self, String> {
        let file = File::open(path).and_then(SharedFile::new);
        let file = file.map_err(|error| format!("cannot be opened ({error})"))?;
        let options = ArrowReaderOptions::new().with_page_index_policy(PageIndexPolicy::Optional);
        let metadata = ArrowReaderMetadata::load(&file, options)
            .map_err(|error| format!("is damaged or no Parquet at all ({error})"))?;
        let rows = metadata.metadata().file_metadata().num_rows();
        let in_groups: i64 =
            metadata.metadata().row_groups().iter().map(RowGroupMetaData::num_rows).sum();
        // Each row has a hash of its own, which takes 16 bytes at least.
        if rows != in_groups || u64::try_from(rows).is_ok_and(|rows| rows > file.len()) || rows < 0
        {
            return Err("is damaged (its footer counts more rows than it can hold)".to_owned());
        }
        if let Some(column) = stranger(metadata.schema(), table) {
            return Err(format!("is no table object of EntraTrail's (column {column})"));
        }
        Ok(Self { key, newest: None, file, metadata })
    }

    /// Compares the object with what the ledger has on record, where that is known.
    pub(super) fn check(&self, on_record: Option<&StoredTable>) -> Result<(), String> {
        let Some(on_record) = on_record else { return Ok(()) };
        let sha256 = sha256_of(self.file.from(0));
        let sha256 = sha256.map_err(|error| format!("cannot be read ({error})"))?;
        if sha256 == on_record.sha256 && u64::try_from(self.rows()) == Ok(on_record.rows) {
            return Ok(());
        }
        Err("is not the table that the ledger has on record".to_owned())
    }

    /// Opens it, knowing which of its rows are not superseded.
    pub(super) fn with_newest(self, rows: Option<RowSelection>) -> Self {
        Self { newest: rows, ..self }
    }

    /// A reader of some of its columns.
    pub(super) fn read(&self) -> ParquetRecordBatchReaderBuilder<SharedFile> {
        let file = self.file.clone();
        ParquetRecordBatchReaderBuilder::new_with_metadata(file, self.metadata.clone())
    }

    /// Reads every value; says what is wrong where one cannot be read.
    pub(super) fn examine(&self) -> Result<(), String> {
        self.read()
            .build()
            .map_err(|error| format!("is damaged ({error})"))?
            .try_for_each(|batch| batch.map(drop).map_err(|error| format!("is damaged ({error})")))
    }

    /// Its size in bytes.
    pub(super) fn size(&self) -> u64 {
        self.file.len()
    }

    /// The number of its rows.
    pub(super) fn rows(&self) -> usize {
        usize::try_from(self.metadata.metadata().file_metadata().num_rows()).unwrap_or(0)
    }
}

/// The first column that shows that a file belongs to another table. Columns that only one of both
/// has may be those of another version.
fn stranger(file: &Schema, table: &Schema) -> Option<String> {
    let first = table.fields().iter().take(2).map(|field| field.name().as_str());
    for name in first.chain(REQUIRED) {
        if file.field_with_name(name).is_err() {
            return Some(name.to_owned());
        }
    }
    let other = file.fields().iter().find(|field| {
        let known = table.field_with_name(field.name());
        known.is_ok_and(|known| !fits(field.data_type(), known.data_type()))
    });
    other.map(|field| field.name().clone())
}

/// Whether values of `file` can be read as `table`: the same types, apart from members that one of
/// both lacks.
fn fits(file: &DataType, table: &DataType) -> bool {
    match (file, table) {
        (DataType::Struct(file), DataType::Struct(table)) => file.iter().all(|member| {
            let known = table.iter().find(|known| known.name() == member.name());
            known.is_none_or(|known| fits(member.data_type(), known.data_type()))
        }),
        (DataType::List(file), DataType::List(table)) => fits(file.data_type(), table.data_type()),
        // Tables from before version 0.2.0 hold microseconds.
        (DataType::Timestamp(TimeUnit::Microsecond, zone), DataType::Timestamp(_, known)) => {
            zone == known
        }
        _ => file == table,
    }
}

/// Makes readers of the files that were opened already.
#[derive(Debug)]
pub(super) struct OpenFiles;

impl ParquetFileReaderFactory for OpenFiles {
    fn create_reader(
        &self,
        _partition: usize,
        file: PartitionedFile,
        _metadata_size_hint: Option<usize>,
        _metrics: &ExecutionPlanMetricsSet,
    ) -> Result<Box<dyn AsyncFileReader + Send>> {
        let opened = file.extension::<ParquetFile>().cloned();
        Ok(Box::new(Reader(opened.ok_or_else(|| {
            DataFusionError::Internal("a file was not opened before".to_owned())
        })?)))
    }
}

struct Reader(ParquetFile);

impl AsyncFileReader for Reader {
    fn get_bytes(&mut self, range: Range<u64>) -> BoxFuture<'_, Result<Bytes, ParquetError>> {
        let length = usize::try_from(range.end - range.start).map_err(ParquetError::from);
        ready(length.and_then(|length| self.0.file.get_bytes(range.start, length))).boxed()
    }

    fn get_metadata<'a>(
        &'a mut self,
        _options: Option<&'a ArrowReaderOptions>,
    ) -> BoxFuture<'a, Result<Arc<ParquetMetaData>, ParquetError>> {
        ready(Ok(Arc::clone(self.0.metadata.metadata()))).boxed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use datafusion::arrow::array::{RecordBatch, StringArray};
    use datafusion::arrow::datatypes::Field;
    use datafusion::parquet::arrow::ArrowWriter;
    use datafusion::parquet::file::metadata::{ParquetMetaDataReader, ParquetMetaDataWriter};
    use std::io::Write as _;

    /// A table of two rows whose footer says that it has `rows`.
    fn table(schema: &Arc<Schema>, rows: i64) -> tempfile::NamedTempFile {
        let column = || Arc::new(StringArray::from(vec!["a", "b"])) as _;
        let columns = schema.fields().iter().map(|_| column()).collect();
        let batch = RecordBatch::try_new(Arc::clone(schema), columns).unwrap();
        let mut bytes = Vec::new();
        let mut writer = ArrowWriter::try_new(&mut bytes, Arc::clone(schema), None).unwrap();
        writer.write(&batch).unwrap();
        writer.close().unwrap();
        let metadata =
            ParquetMetaDataReader::new().parse_and_finish(&Bytes::from(bytes.clone())).unwrap();
        let groups = metadata.row_groups().iter().cloned();
        let groups = groups.map(|group| group.into_builder().set_num_rows(rows).build().unwrap());
        let claimed = ParquetMetaData::new(metadata.file_metadata().clone(), groups.collect());
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(&bytes).unwrap();
        ParquetMetaDataWriter::new(&mut file, &claimed).finish().unwrap();
        file
    }

    #[test]
    fn a_footer_that_counts_more_rows_than_there_can_be_is_refused() {
        let names = ["id", "created_date_time", "first_seen", "content_hash"];
        let fields: Vec<_> =
            names.iter().map(|name| Field::new(*name, DataType::Utf8, true)).collect();
        let schema = Arc::new(Schema::new(fields));
        let open = |rows| ParquetFile::open("key".to_owned(), table(&schema, rows).path(), &schema);
        assert_eq!(open(2).unwrap().rows(), 2);
        for rows in [1 << 40, 100_000] {
            let error = open(rows).unwrap_err();
            assert!(error.contains("counts more rows than it can hold"), "{rows}: {error}");
        }
    }
}

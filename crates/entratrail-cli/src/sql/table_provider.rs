//! A table over the files of a log.

use super::parquet_file::{OpenFiles, ParquetFile};
use super::table_files::{Day, TableFiles};
use datafusion::arrow::array::{
    Array as _, ArrayRef, AsArray as _, BooleanArray, Date32Array, StringArray,
};
use datafusion::arrow::datatypes::{DataType, Date32Type, Field, FieldRef, Schema, SchemaRef};
use datafusion::arrow::record_batch::RecordBatch;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::stats::Precision;
use datafusion::common::{DFSchema, ScalarValue, Statistics};
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::object_store::ObjectStoreUrl;
use datafusion::datasource::physical_plan::parquet::ParquetRowSelection;
use datafusion::datasource::physical_plan::{FileGroup, FileScanConfigBuilder, ParquetSource};
use datafusion::datasource::source::DataSourceExec;
use datafusion::datasource::table_schema::TableSchema;
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown, TableType};
use datafusion::physical_plan::ExecutionPlan;
use entratrail::log::{EventType, Log};
use std::sync::Arc;

/// Versions of a record that a table has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rows {
    All,
    Newest,
}

/// A table, or its view of the newest versions.
#[derive(Debug)]
pub(super) struct LogTable {
    rows: Rows,
    files: Arc<TableFiles>,
    schema: TableSchema,
    partition: SchemaRef,
}

impl LogTable {
    pub(super) fn new(log: Log, rows: Rows, files: Arc<TableFiles>) -> Self {
        let mut columns: Vec<FieldRef> = vec![Arc::new(Field::new("day", DataType::Date32, false))];
        if log == Log::SignIns {
            columns.insert(0, Arc::new(Field::new("event_type", DataType::Utf8, false)));
        }
        let partition = Arc::new(Schema::new(columns.clone()));
        let schema = TableSchema::builder(Arc::clone(files.schema()))
            .with_table_partition_cols(columns)
            .build();
        Self { rows, files, schema, partition }
    }

    /// The days that `filters` leave.
    fn wanted(&self, state: &dyn Session, filters: &[Expr]) -> Result<Vec<&Day>> {
        let days = self.files.days();
        let event_types = days.iter().map(|day| day.stream.event_type().map(EventType::name));
        let event_types: ArrayRef = Arc::new(StringArray::from_iter_values(event_types.flatten()));
        let dates: ArrayRef =
            Arc::new(days.iter().map(|day| Some(date_of(day))).collect::<Date32Array>());
        let columns = if event_types.is_empty() { vec![dates] } else { vec![event_types, dates] };
        if days.is_empty() {
            return Ok(Vec::new());
        }
        let batch = RecordBatch::try_new(Arc::clone(&self.partition), columns)?;
        let schema = DFSchema::try_from(Arc::clone(&self.partition))?;
        let mut wanted: Vec<_> = days.iter().collect();
        let mut is_wanted = vec![true; days.len()];
        for filter in filters.iter().filter(|filter| self.is_about_partitions(filter)) {
            let filter = state.create_physical_expr(filter.clone(), &schema)?;
            let holds = filter.evaluate(&batch)?.into_array(days.len())?;
            let holds: &BooleanArray = holds.as_boolean();
            is_wanted
                .iter_mut()
                .zip(holds)
                .for_each(|(wanted, holds)| *wanted &= holds == Some(true));
        }
        let mut is_wanted = is_wanted.into_iter();
        wanted.retain(|_| is_wanted.next() == Some(true));
        Ok(wanted)
    }

    fn is_about_partitions(&self, filter: &Expr) -> bool {
        filter
            .column_refs()
            .iter()
            .all(|column| self.partition.field_with_name(&column.name).is_ok())
    }

    fn file(&self, day: &Day, file: &ParquetFile) -> PartitionedFile {
        let mut values = vec![ScalarValue::Date32(Some(date_of(day)))];
        if let Some(event_type) = day.stream.event_type() {
            values.insert(0, ScalarValue::from(event_type.name()));
        }
        let found =
            PartitionedFile::new(file.key.clone(), file.size()).with_partition_values(values);
        let found = found.with_extension(file.clone());
        match &file.newest {
            Some(rows) if self.rows == Rows::Newest => {
                found.with_extension(ParquetRowSelection::new(rows.clone()))
            }
            _ => found,
        }
    }
}

#[async_trait::async_trait]
impl TableProvider for LogTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(self.schema.table_schema())
    }

    fn table_type(&self) -> TableType {
        if self.rows == Rows::All { TableType::Base } else { TableType::View }
    }

    fn supports_filters_pushdown(
        &self,
        filters: &[&Expr],
    ) -> Result<Vec<TableProviderFilterPushDown>> {
        let mut support = Vec::new();
        for filter in filters {
            support.push(if self.is_about_partitions(filter) {
                TableProviderFilterPushDown::Exact
            } else {
                TableProviderFilterPushDown::Inexact
            });
        }
        Ok(support)
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let wanted = self.wanted(state, filters)?;
        let files = self.files.files(&wanted, self.rows).await;
        let files = files.map_err(|error| DataFusionError::External(Box::new(error)))?;
        // With a number of rows the planner keeps the smaller side of a join in memory.
        let rows: usize = files.iter().map(|(_, file)| file.rows()).sum();
        let statistics = Statistics::new_unknown(self.schema.table_schema())
            .with_num_rows(Precision::Inexact(rows));
        let files = files.iter().map(|(day, file)| self.file(day, file));
        let groups =
            FileGroup::new(files.collect()).split_files(state.config().target_partitions());
        // A list takes much longer to decode than what a filter looks at, so it is decoded only for
        // the rows that pass the filter.
        let has_list = self.schema.table_schema().fields().iter().enumerate().any(|(at, field)| {
            matches!(field.data_type(), DataType::List(_))
                && projection.is_none_or(|columns| columns.contains(&at))
        });
        let source = ParquetSource::new(self.schema.clone())
            .with_pushdown_filters(has_list)
            .with_parquet_file_reader_factory(Arc::new(OpenFiles));
        let scan = FileScanConfigBuilder::new(ObjectStoreUrl::local_filesystem(), Arc::new(source))
            .with_file_groups(groups)
            .with_statistics(statistics)
            .with_projection_indices(projection.cloned())?
            .with_limit(limit)
            .build();
        Ok(DataSourceExec::from_data_source(scan))
    }
}

fn date_of(day: &Day) -> i32 {
    Date32Type::from_naive_date(day.date)
}

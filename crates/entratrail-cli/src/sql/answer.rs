//! The answer to a query, as values that every format is made of.

use chrono::DateTime;
use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::arrow::error::ArrowError;
use datafusion::arrow::json::WriterBuilder;
use datafusion::arrow::json::writer::LineDelimited;
use datafusion::error::DataFusionError;
use serde::Serialize;
use serde_json::{Map, Value};
use std::io::Write;

/// A row: the value of each column by its name.
pub(crate) type Row = Map<String, Value>;

/// A column of an answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Column {
    pub(crate) name: String,
    #[serde(skip)]
    pub(crate) is_number: bool,
}

/// A whole answer.
#[derive(Debug, Default)]
pub(crate) struct Answer {
    pub(crate) columns: Vec<Column>,
    pub(crate) rows: Vec<Row>,
}

/// Receiver of the rows of an answer.
pub(crate) trait TakeRows {
    /// Takes the next rows. It is called at least once, so that it knows the columns.
    fn take(&mut self, columns: &[Column], batch: &RecordBatch) -> Result<(), DataFusionError>;
}

impl TakeRows for Answer {
    fn take(&mut self, columns: &[Column], batch: &RecordBatch) -> Result<(), DataFusionError> {
        self.columns = columns.to_vec();
        self.rows.extend(rows(batch)?);
        Ok(())
    }
}

/// The columns of answers with that schema.
pub(super) fn columns(schema: &SchemaRef) -> Vec<Column> {
    let fields = schema.fields().iter();
    fields
        .map(|field| Column {
            name: field.name().clone(),
            is_number: field.data_type().is_numeric(),
        })
        .collect()
}

/// The rows of a batch, nulls included.
pub(crate) fn rows(batch: &RecordBatch) -> Result<Vec<Row>, ArrowError> {
    let mut lines = Vec::new();
    write_lines(batch, &mut lines)?;
    lines
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty())
        .map(|line| {
            serde_json::from_slice(line).map_err(|error| ArrowError::JsonError(error.to_string()))
        })
        .collect()
}

/// Writes the rows of a batch as JSON, a line each.
pub(crate) fn write_lines(batch: &RecordBatch, lines: impl Write) -> Result<(), ArrowError> {
    let mut writer =
        WriterBuilder::new().with_explicit_nulls(true).build::<_, LineDelimited>(lines);
    writer.write(batch)?;
    writer.finish()
}

/// A value as people read it: times to the second, whole numbers without a fraction, nothing where
/// there is none, anything nested as JSON.
pub(crate) fn text(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => DateTime::parse_from_rfc3339(text).map_or_else(
            |_| text.clone(),
            |instant| instant.to_utc().format("%Y-%m-%d %H:%M:%S").to_string(),
        ),
        Some(value) => {
            let number = value.to_string();
            number.strip_suffix(".0").map_or(number.clone(), str::to_owned)
        }
    }
}

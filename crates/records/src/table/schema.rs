//! The schemas that are made from the declaration: types of Arrow and so of Parquet, and those of
//! the Glue catalogue.

use super::field::{Field, Kind};
use super::{ADDED, Added, fields};
use crate::log::Log;
use arrow_schema::{DataType, Field as ArrowField, Fields, Schema, SchemaRef, TimeUnit};
use std::sync::Arc;

/// The schema of the files of a table. Partition columns are in the names of the objects, not in
/// the files.
pub fn arrow_schema(log: Log) -> SchemaRef {
    let added = ADDED.iter().map(|Added { name, kind, .. }| arrow_field((*name).to_owned(), kind));
    let columns: Vec<_> =
        arrow_fields(fields(log)).iter().cloned().chain(added.map(Arc::new)).collect();
    Arc::new(Schema::new(columns))
}

/// Name and type of each column of a table in the Glue catalogue, in the order of the files.
pub fn glue_columns(log: Log) -> Vec<(String, String)> {
    let of_graph = fields(log).iter().map(|field| (field.name(), field.glue_type()));
    let added = ADDED.iter().map(|Added { name, kind, .. }| ((*name).to_owned(), glue_type(kind)));
    of_graph.chain(added).collect()
}

/// Meaning of each of these columns, in a phrase.
pub fn column_descriptions(log: Log) -> Vec<&'static str> {
    let of_graph = fields(log).iter().map(|field| field.about);
    of_graph.chain(ADDED.iter().map(|added| added.about)).collect()
}

/// The type in the Glue catalogue.
pub(super) fn glue_type(kind: &Kind) -> String {
    match kind {
        Kind::Text | Kind::Json | Kind::TextOrJson => "string".to_owned(),
        Kind::Int32 => "int".to_owned(),
        Kind::Int64 => "bigint".to_owned(),
        Kind::Double => "double".to_owned(),
        Kind::Boolean => "boolean".to_owned(),
        Kind::Timestamp => "timestamp".to_owned(),
        Kind::List(element) => format!("array<{}>", glue_type(element)),
        Kind::Struct(members) => {
            format!(
                "struct<{}>",
                members
                    .iter()
                    .map(|member| format!("{}:{}", member.name(), member.glue_type()))
                    .collect::<Vec<_>>()
                    .join(",")
            )
        }
    }
}

pub(super) fn data_type(kind: &Kind) -> DataType {
    match kind {
        Kind::Text | Kind::Json | Kind::TextOrJson => DataType::Utf8,
        Kind::Int32 => DataType::Int32,
        Kind::Int64 => DataType::Int64,
        Kind::Double => DataType::Float64,
        Kind::Boolean => DataType::Boolean,
        Kind::Timestamp => DataType::Timestamp(TimeUnit::Millisecond, Some("UTC".into())),
        Kind::List(element) => DataType::List(list_element(element)),
        Kind::Struct(members) => DataType::Struct(arrow_fields(members)),
    }
}

pub(super) fn arrow_fields(members: &[Field]) -> Fields {
    members.iter().map(|member| arrow_field(member.name(), &member.kind)).collect()
}

/// The elements of a list, under the name that the Parquet format gives them.
pub(super) fn list_element(element: &Kind) -> Arc<ArrowField> {
    Arc::new(arrow_field("element".to_owned(), element))
}

/// Whatever Graph declares, any value may be absent.
fn arrow_field(name: String, kind: &Kind) -> ArrowField {
    ArrowField::new(name, data_type(kind), true)
}

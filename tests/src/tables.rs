//! Table objects, read back from their documented format alone and held against the raw records.

use bytes::Bytes;
use chrono::{DateTime, SubsecRound as _, Utc};
use flate2::read::MultiGzDecoder;
use parquet::file::reader::{FileReader as _, SerializedFileReader};
use serde_json::{Map, Value, json};
use std::io::Read as _;

/// The columns that no record has.
const ADDED: [&str; 3] = ["first_seen", "content_hash", "other"];

/// The key of the table object that is made from the raw object with that key.
pub fn table_key(raw_key: &str) -> String {
    let key = raw_key.replace(".ndjson.gz", ".parquet");
    key.replace("raw/sign-ins/", "tables/sign_ins/")
        .replace("raw/directory-audits/", "tables/directory_audits/")
        .replace("raw/provisioning/", "tables/provisioning/")
}

/// Number of rows that the footer promises.
pub fn row_count(body: &[u8]) -> Result<u64, String> {
    let rows = open(body)?.metadata().file_metadata().num_rows();
    u64::try_from(rows).map_err(|error| error.to_string())
}

/// Every row, with the names of the columns.
pub fn rows(body: &[u8]) -> Result<Vec<Value>, String> {
    let file = open(body)?;
    let rows = file.get_row_iter(None).map_err(|error| error.to_string())?;
    rows.map(|row| row.map(|row| row.to_json_value()).map_err(|error| error.to_string())).collect()
}

/// Every record of a raw object.
pub fn records(body: &[u8]) -> Result<Vec<Value>, String> {
    let mut text = String::new();
    MultiGzDecoder::new(body).read_to_string(&mut text).map_err(|error| error.to_string())?;
    text.lines().map(|line| serde_json::from_str(line).map_err(|error| error.to_string())).collect()
}

/// A record as its row ought to be, where nothing about it is unexpected: names in snake case,
/// nothing that is null.
pub fn expected(record: &Value) -> Value {
    let Value::Object(members) = record else { return record.clone() };
    let renamed = members.iter().filter(|(_, value)| !value.is_null()).map(|(key, value)| {
        let value = match value {
            Value::Array(elements) => elements.iter().map(expected).collect(),
            Value::String(text) if key.ends_with("DateTime") => json!(instant(text)),
            value if ["handlerResult", "details"].contains(&key.as_str()) => value.clone(),
            value => expected(value),
        };
        (snake_case(key), value)
    });
    Value::Object(renamed.collect())
}

/// Fields that a row holds of its record: all but those that EntraTrail adds and those that are
/// null.
pub fn held(row: &Value) -> Value {
    let Value::Object(columns) = row else { return row.clone() };
    let columns = columns
        .iter()
        .filter(|(key, value)| !value.is_null() && !ADDED.contains(&key.as_str()))
        .map(|(key, value)| {
            let value = match value {
                Value::Array(elements) => elements.iter().map(held).collect(),
                Value::String(text) if key.ends_with("date_time") => json!(instant(text)),
                Value::String(text) if ["handler_result", "details"].contains(&key.as_str()) => {
                    text.parse().unwrap_or_default()
                }
                value => held(value),
            };
            (key.clone(), value)
        });
    Value::Object(columns.collect::<Map<_, _>>())
}

/// A reader of the file.
pub fn open(body: &[u8]) -> Result<SerializedFileReader<Bytes>, String> {
    SerializedFileReader::new(Bytes::copy_from_slice(body)).map_err(|error| error.to_string())
}

fn instant(text: &str) -> Option<DateTime<Utc>> {
    let time = DateTime::parse_from_rfc3339(text)
        .or_else(|_| DateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S%.f %:z"));
    Some(time.ok()?.to_utc().trunc_subsecs(3))
}

fn snake_case(key: &str) -> String {
    let mut name = String::new();
    for letter in key.chars() {
        if letter.is_uppercase() && !name.is_empty() {
            name.push('_');
        }
        name.extend(letter.to_lowercase());
    }
    name
}

//! Typed tables: what the records of a log look like as columns, and the Parquet objects that hold
//! them.
//!
//! A table object is made from a raw object and nothing else, so that it can be made again at any
//! time. What a table cannot take as declared is null there and stands in the column `other`;
//! nothing is lost, because the raw object has it all.

mod column;
mod directory_audits;
mod document;
mod encoder;
mod field;
mod provisioning;
mod schema;
mod sign_ins;
mod stray;
#[cfg(test)]
mod tests;

pub use document::document;
pub use encoder::{Encoded, TableEncoder};
pub use field::{Field, Kind, ServedBy};
pub use schema::{arrow_schema, column_descriptions, glue_columns};

use crate::log::Log;

/// Table object of a read, as its row in the ledger names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredTable {
    /// SHA-256 of the table object, in hexadecimal.
    pub sha256: String,
    /// Rows of the table object.
    pub rows: u64,
}

/// A column that no record has: EntraTrail adds it.
#[derive(Debug)]
pub struct Added {
    /// Its name.
    pub name: &'static str,
    /// Kind of its values.
    pub kind: Kind,
    /// Meaning, in a phrase.
    pub about: &'static str,
}

/// The columns that EntraTrail adds, which come last.
pub const ADDED: [Added; 3] = [
    Added {
        name: "first_seen",
        kind: Kind::Timestamp,
        about: "Start of the read that stored this version",
    },
    Added {
        name: "content_hash",
        kind: Kind::Text,
        about: "Hash of the content: what tells versions of a record apart",
    },
    Added {
        name: "other",
        kind: Kind::Text,
        about: "JSON object with the fields that are unknown here or came with another type, by \
                their path in the record; null where there are none",
    },
];

/// The fields of a record, in the order of the columns.
pub fn fields(log: Log) -> &'static [Field] {
    match log {
        Log::SignIns => sign_ins::SIGN_IN,
        Log::DirectoryAudits => directory_audits::DIRECTORY_AUDIT,
        Log::Provisioning => provisioning::PROVISIONING,
    }
}

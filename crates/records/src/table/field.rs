//! The declaration of a field of a record, from which all else about tables is made.

use crate::table::schema;

/// A field of a record, or a member of a nested one.
#[derive(Debug)]
pub struct Field {
    /// Graph's name, e.g. `createdDateTime`.
    pub graph_name: &'static str,
    /// Kind of its values.
    pub kind: Kind,
    /// Version of Graph that serves it.
    pub served: ServedBy,
    /// Meaning, in a phrase.
    pub about: &'static str,
}

/// Kind of the values of a field. Enumerations are text, because Graph's members change without
/// notice.
#[derive(Debug)]
pub enum Kind {
    /// Text.
    Text,
    /// A whole number of 32 bits.
    Int32,
    /// A whole number of 64 bits.
    Int64,
    /// A floating point number.
    Double,
    /// True or false.
    Boolean,
    /// An instant, in UTC and cut to milliseconds, which is what Athena keeps of a timestamp.
    Timestamp,
    /// Anything: kept as JSON text.
    Json,
    /// Text in some records and anything else in others: the text itself, or JSON text.
    TextOrJson,
    /// An object with these members.
    Struct(&'static [Field]),
    /// A list of these.
    List(&'static Kind),
}

/// Version of Graph that serves a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ServedBy {
    /// `v1.0` alone.
    V1,
    /// `beta` alone.
    Beta,
    /// Both.
    Both,
}

/// A field of both versions.
pub(super) const fn both(graph_name: &'static str, kind: Kind, about: &'static str) -> Field {
    Field { graph_name, kind, served: ServedBy::Both, about }
}

/// A field of `beta` alone.
pub(super) const fn beta(graph_name: &'static str, kind: Kind, about: &'static str) -> Field {
    Field { graph_name, kind, served: ServedBy::Beta, about }
}

/// A field of `v1.0` alone.
pub(super) const fn v1(graph_name: &'static str, kind: Kind, about: &'static str) -> Field {
    Field { graph_name, kind, served: ServedBy::V1, about }
}

impl Field {
    /// The name in a table: `createdDateTime` is `created_date_time`, `riskEventTypes_v2` is
    /// `risk_event_types_v2`.
    pub fn name(&self) -> String {
        let mut name = String::with_capacity(self.graph_name.len() + 4);
        for letter in self.graph_name.chars() {
            if letter.is_ascii_uppercase() {
                name.push('_');
            }
            name.push(letter.to_ascii_lowercase());
        }
        name
    }

    /// The type in the Glue catalogue.
    pub fn glue_type(&self) -> String {
        schema::glue_type(&self.kind)
    }
}

impl ServedBy {
    /// The versions as people name them.
    pub fn name(self) -> &'static str {
        match self {
            Self::V1 => "v1.0",
            Self::Beta => "beta",
            Self::Both => "v1.0, beta",
        }
    }
}

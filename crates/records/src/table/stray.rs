//! The members of a record that its table has no place for.

use std::collections::HashMap;
use std::fmt;

/// Place in a record.
#[derive(Debug, Clone, Copy)]
pub(super) enum Path<'path> {
    /// The record itself.
    Record,
    /// A member, under its key as it stands in the JSON text.
    Member(&'path Path<'path>, &'path [u8]),
    /// An element of a list, counted from 0.
    Element(&'path Path<'path>, usize),
}

/// The parts of one record that its table has no place for, as they were served.
#[derive(Debug, Default)]
pub(super) struct Strays<'json> {
    kept: Vec<(String, &'json [u8])>,
    /// The names in use, each with the number that its last copy has.
    names: HashMap<String, u32>,
}

impl<'json> Strays<'json> {
    /// Keeps what stands at `path`. What has that path already keeps it; this becomes its `#2`,
    /// `#3`, …
    pub(super) fn keep(&mut self, path: Path<'_>, json: &'json [u8]) {
        let path = path.to_string();
        let mut name = path.clone();
        if let Some(&last) = self.names.get(&path) {
            let mut number = last;
            while self.names.contains_key(&name) {
                number += 1;
                name = format!("{path}#{number}");
            }
            self.names.insert(path, number);
        }
        self.names.insert(name.clone(), 1);
        self.kept.push((name, json));
    }

    pub(super) fn count(&self) -> u64 {
        self.kept.len() as u64
    }

    /// All of them as one JSON object; `None` where there are none.
    pub(super) fn to_json(&self) -> Option<String> {
        let members: Vec<_> = self
            .kept
            .iter()
            .map(|(path, json)| format!("\"{path}\":{}", String::from_utf8_lossy(json)))
            .collect();
        (!members.is_empty()).then(|| format!("{{{}}}", members.join(",")))
    }
}

/// Written as `status.errorCode` or `targetResources[0].type`. Keys are escaped as they were
/// served, so that the path can stand in a JSON text.
impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Record => Ok(()),
            Self::Member(Self::Record, key) => f.write_str(&String::from_utf8_lossy(key)),
            Self::Member(parent, key) => write!(f, "{parent}.{}", String::from_utf8_lossy(key)),
            Self::Element(parent, index) => write!(f, "{parent}[{index}]"),
        }
    }
}

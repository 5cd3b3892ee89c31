//! What a record holds and its table has no place for.

use std::fmt;

/// Where in a record something is.
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
pub(super) struct Strays<'json>(Vec<(String, &'json [u8])>);

impl<'json> Strays<'json> {
    /// Keeps what stands at `path`. What has that path already keeps it; this becomes its `#2`, `#3`, …
    pub(super) fn keep(&mut self, path: Path<'_>, json: &'json [u8]) {
        let (path, mut name) = (path.to_string(), path.to_string());
        let mut count = 1;
        while self.0.iter().any(|(taken, _)| *taken == name) {
            count += 1;
            name = format!("{path}#{count}");
        }
        self.0.push((name, json));
    }

    pub(super) fn count(&self) -> u64 {
        self.0.len() as u64
    }

    /// All of them as one JSON object; `None` where there are none.
    pub(super) fn to_json(&self) -> Option<String> {
        let members: Vec<_> = self
            .0
            .iter()
            .map(|(path, json)| format!("\"{path}\":{}", String::from_utf8_lossy(json)))
            .collect();
        (!members.is_empty()).then(|| format!("{{{}}}", members.join(",")))
    }
}

/// Written as `status.errorCode` or `targetResources[0].type`. Keys are escaped as they were served, so that the path
/// can stand in a JSON text.
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

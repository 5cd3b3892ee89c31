//! Records of a tenant by id and content, and those that a perfect daily reader would have.

use chrono::{DateTime, NaiveDate, Utc};
use graph_simulator::{ApiVersion, OnFile, Simulator, Stream};
use serde_json::Value;
use std::collections::HashMap;
use xxhash_rust::xxh3::xxh3_128;

/// Key that tells kept lines apart; the order of members and white space do not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Content {
    id: u128,
    digest: u128,
}

impl Content {
    /// `None` for what is no record.
    pub(crate) fn of(line: &[u8]) -> Option<Self> {
        let record: Value = serde_json::from_slice(line).ok()?;
        let id = record.get("id")?.as_str()?;
        // serde_json keeps members in the order of their names.
        Some(Self { id: xxh3_128(id.as_bytes()), digest: xxh3_128(record.to_string().as_bytes()) })
    }
}

/// Every record version seen in the tenant.
#[derive(Debug, Default)]
pub(crate) struct Truth {
    /// By each text that a page may show for it.
    by_content: HashMap<Content, usize>,
    by_id: HashMap<u128, Vec<usize>>,
    versions: Vec<Version>,
}

#[derive(Debug, Clone, Copy)]
struct Version {
    day: NaiveDate,
    is_expected: bool,
}

impl Truth {
    /// Looks at the interactive sign-ins of v1.0, and says which versions are on file now and
    /// belong to a day that is over.
    pub(crate) fn look(&mut self, simulator: &Simulator, now: DateTime<Utc>) -> Vec<usize> {
        let mut on_file = Vec::new();
        simulator.each_on_file(Stream::InteractiveUser, ApiVersion::V1, |version| {
            if version.time.date_naive() < now.date_naive() {
                on_file.push(self.learn(version));
            }
        });
        on_file.sort_unstable();
        on_file.dedup();
        on_file
    }

    /// The number of a version, which is new where its content is.
    pub(crate) fn learn(&mut self, on_file: &OnFile) -> usize {
        let contents: Vec<_> =
            on_file.texts.iter().filter_map(|text| Content::of(text.as_bytes())).collect();
        let known = contents.first().and_then(|content| self.version(*content));
        let version = known.unwrap_or_else(|| {
            self.versions.push(Version { day: on_file.time.date_naive(), is_expected: false });
            self.versions.len() - 1
        });
        for content in contents {
            if self.by_content.insert(content, version).is_none() && known.is_none() {
                let of_id = self.by_id.entry(content.id).or_default();
                if of_id.last() != Some(&version) {
                    of_id.push(version);
                }
            }
        }
        version
    }

    /// From now on a reader that lacks this version has lost it.
    pub(crate) fn expect(&mut self, version: usize) {
        self.versions[version].is_expected = true;
    }

    /// Number of versions.
    pub(crate) fn versions(&self) -> usize {
        self.versions.len()
    }

    /// The version that has this content.
    pub(crate) fn version(&self, content: Content) -> Option<usize> {
        self.by_content.get(&content).copied()
    }

    /// Every version of the record that this content is one of.
    pub(crate) fn versions_of(&self, content: Content) -> &[usize] {
        self.by_id.get(&content.id).map_or(&[], Vec::as_slice)
    }

    /// The day of a version that is expected of every reader.
    pub(crate) fn expected_day(&self, version: usize) -> Option<NaiveDate> {
        let version = self.versions[version];
        version.is_expected.then_some(version.day)
    }
}

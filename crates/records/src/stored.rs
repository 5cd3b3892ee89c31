//! The record versions of one window: what is stored, and what a read serves of it and beyond it.

use crate::record::{Record, Version};
use std::collections::HashMap;
use std::collections::hash_map::Entry;

/// Relation of a served record to the archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Served {
    /// This version is stored, or was served before in this read.
    Known,
    /// A version that is not stored yet.
    New,
}

/// The versions that the archive holds of a window, extended by what a read serves. Takes about 50
/// bytes a version, whatever the size of the records.
#[derive(Debug, Default)]
pub struct StoredVersions {
    versions: HashMap<Version, Mark>,
    newest: HashMap<u128, Newest>,
    served: u64,
    new: u64,
    changed: u64,
    untimed: u64,
}

/// Read that stored a version (0: the read under way), and whether it was served this time.
#[derive(Debug, Clone, Copy)]
struct Mark {
    read: u32,
    is_served: bool,
}

/// Read that brought the newest versions of a record, and whether any of these was served this
/// time.
#[derive(Debug, Clone, Copy)]
struct Newest {
    read: u32,
    is_served: bool,
}

impl StoredVersions {
    /// Adds what the object of `read` holds. Objects are added in the order of their reads.
    pub fn add_stored(&mut self, record: Record, read: u32) {
        let Entry::Vacant(entry) = self.versions.entry(record.version) else { return };
        entry.insert(Mark { read, is_served: false });
        self.newest.insert(record.id, Newest { read, is_served: false });
    }

    /// Notes that Graph served `record`.
    pub fn serve(&mut self, record: Record) -> Served {
        match self.versions.entry(record.version) {
            Entry::Vacant(entry) => {
                entry.insert(Mark { read: 0, is_served: true });
                self.new += 1;
                if let Some(newest) = self.newest.get_mut(&record.id) {
                    newest.is_served = true;
                    self.changed += 1;
                }
                self.count_served(record);
                Served::New
            }
            Entry::Occupied(mut entry) => {
                let mark = entry.get_mut();
                if !std::mem::replace(&mut mark.is_served, true) {
                    let brought_by = mark.read;
                    if let Some(newest) = self.newest.get_mut(&record.id) {
                        newest.is_served |= newest.read == brought_by;
                    }
                    self.count_served(record);
                }
                Served::Known
            }
        }
    }

    fn count_served(&mut self, record: Record) {
        self.served += 1;
        self.untimed += u64::from(record.time.is_none());
    }

    /// Distinct versions served.
    pub fn served(&self) -> u64 {
        self.served
    }

    /// Versions served that were not stored.
    pub fn new_versions(&self) -> u64 {
        self.new
    }

    /// New versions whose record was stored with other content.
    pub fn changed(&self) -> u64 {
        self.changed
    }

    /// Distinct versions served that say no readable time.
    pub fn untimed(&self) -> u64 {
        self.untimed
    }

    /// Stored records no version of which, among those that their newest read brought, was served.
    /// A version that a newer one replaced is not expected back.
    pub fn missing(&self) -> u64 {
        self.newest.values().filter(|newest| !newest.is_served).count() as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(id: u128, content: u128) -> Record {
        Record { version: Version(id << 64 | content), id, time: None }
    }

    #[test]
    fn a_version_is_new_once_whatever_graph_repeats() {
        let mut stored = StoredVersions::default();
        assert_eq!(stored.serve(record(1, 1)), Served::New);
        assert_eq!(stored.serve(record(1, 1)), Served::Known);
        assert_eq!((stored.served(), stored.new_versions(), stored.changed()), (1, 1, 0));
    }

    #[test]
    fn a_changed_record_is_a_new_version_and_the_replaced_one_is_not_missed() {
        let mut stored = StoredVersions::default();
        stored.add_stored(record(1, 1), 1);
        stored.add_stored(record(2, 1), 1);
        assert_eq!(stored.serve(record(1, 2)), Served::New);
        assert_eq!(stored.serve(record(2, 1)), Served::Known);
        assert_eq!(
            (stored.served(), stored.new_versions(), stored.changed(), stored.missing()),
            (2, 1, 1, 0)
        );

        let mut later = StoredVersions::default();
        later.add_stored(record(1, 1), 1);
        later.add_stored(record(2, 1), 1);
        later.add_stored(record(1, 2), 2);
        later.serve(record(1, 2));
        later.serve(record(2, 1));
        assert_eq!((later.new_versions(), later.missing()), (0, 0));
    }

    #[test]
    fn a_record_that_changed_while_it_was_read_is_missed_only_when_neither_version_is_served() {
        for served in [1, 2] {
            let mut stored = StoredVersions::default();
            stored.add_stored(record(1, 1), 1);
            stored.add_stored(record(1, 2), 1);
            assert_eq!(stored.missing(), 1);
            stored.serve(record(1, served));
            assert_eq!(stored.missing(), 0);
        }
    }

    #[test]
    fn a_newest_version_that_is_not_served_again_is_missing() {
        let mut stored = StoredVersions::default();
        stored.add_stored(record(1, 1), 1);
        stored.add_stored(record(1, 2), 2);
        stored.serve(record(1, 1));
        assert_eq!(stored.missing(), 1);
        stored.serve(record(1, 2));
        assert_eq!(stored.missing(), 0);
    }
}

//! The record versions of one window: what is stored, and what a read serves of it and beyond it.

use crate::record::{Record, Version};
use std::collections::HashMap;
use std::collections::hash_map::Entry;

/// What a served record is to the archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Served {
    /// This version is stored, or was served before in this read.
    Known,
    /// A version that is not stored yet.
    New,
}

/// The versions that the archive holds of a window, extended by what a read serves. Takes about 50 bytes a
/// version, whatever the size of the records.
#[derive(Debug, Default)]
pub struct StoredVersions {
    versions: HashMap<Version, Mark>,
    newest: HashMap<u128, Newest>,
    served: u64,
    new: u64,
    changed: u64,
}

/// Which read stored a version (0: the read under way), and whether it was served this time.
#[derive(Debug, Clone, Copy)]
struct Mark {
    read: u32,
    is_served: bool,
}

/// The read that stored the newest versions of a record, and how many of these were not served yet.
#[derive(Debug, Clone, Copy)]
struct Newest {
    read: u32,
    unserved: u32,
}

impl StoredVersions {
    /// Adds what the object of `read` holds. Objects are added in the order of their reads.
    pub fn add_stored(&mut self, record: Record, read: u32) {
        let Entry::Vacant(entry) = self.versions.entry(record.version) else { return };
        entry.insert(Mark { read, is_served: false });
        let newest = self.newest.entry(record.id).or_insert(Newest { read, unserved: 0 });
        if newest.read == read {
            newest.unserved += 1;
        } else {
            *newest = Newest { read, unserved: 1 };
        }
    }

    /// Notes that Graph served `record`.
    pub fn serve(&mut self, record: Record) -> Served {
        match self.versions.entry(record.version) {
            Entry::Vacant(entry) => {
                entry.insert(Mark { read: 0, is_served: true });
                self.served += 1;
                self.new += 1;
                self.changed += u64::from(self.newest.contains_key(&record.id));
                Served::New
            }
            Entry::Occupied(mut entry) => {
                let mark = entry.get_mut();
                if !mark.is_served {
                    mark.is_served = true;
                    self.served += 1;
                    if let Some(newest) =
                        self.newest.get_mut(&record.id).filter(|newest| newest.read == mark.read)
                    {
                        newest.unserved -= 1;
                    }
                }
                Served::Known
            }
        }
    }

    /// Distinct versions served.
    pub fn served(&self) -> u64 {
        self.served
    }

    /// Versions served that were not stored.
    pub fn new_versions(&self) -> u64 {
        self.new
    }

    /// Those of the new versions whose record was stored with other content.
    pub fn changed(&self) -> u64 {
        self.changed
    }

    /// Stored versions that were not served, of each record only those that its newest read brought: a
    /// version that a newer one replaced is not expected back.
    pub fn missing(&self) -> u64 {
        self.newest.values().map(|newest| u64::from(newest.unserved)).sum()
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
            (2, 1, 1, 1)
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

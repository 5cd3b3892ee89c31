//! `head`, the decided order: the only object of a log that is replaced before its checkpoint is.

use super::Broken;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Last batch of entries that was decided, and how far the log knows each ledger file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Head {
    /// Size of the log before the batch.
    pub from: u64,
    /// Size of the log with the batch.
    pub size: u64,
    /// Entries of the batch.
    pub entries: Vec<String>,
    /// Ledger files whose rows are in the log.
    pub cursors: BTreeMap<String, FileCursor>,
}

/// Part of a ledger file that is in the log.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct FileCursor {
    /// Rows on record that the log has.
    pub rows: u64,
    /// Size of the file when it had these rows and no other line; 0 where it had others.
    pub bytes: u64,
}

impl Head {
    /// Reads the file form.
    pub fn parse(body: &[u8]) -> Result<Self, Broken> {
        let head: Self =
            serde_json::from_slice(body).map_err(|_| Broken::new("head is damaged"))?;
        let is_sound = head.size.checked_sub(head.from) == Some(head.entries.len() as u64);
        if is_sound { Ok(head) } else { Err(Broken::new("head contradicts itself")) }
    }

    /// File form.
    pub fn to_bytes(&self) -> serde_json::Result<Vec<u8>> {
        serde_json::to_vec(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_counts_its_entries() {
        let head = Head { from: 3, size: 4, entries: vec!["a\nb".to_owned()], ..Head::default() };
        assert_eq!(Head::parse(&head.to_bytes().unwrap()), Ok(head.clone()));
        for wrong in [Head { size: 5, ..head.clone() }, Head { size: 2, ..head }] {
            assert!(Head::parse(&wrong.to_bytes().unwrap()).is_err());
        }
    }
}

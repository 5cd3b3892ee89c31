//! Inclusion proofs of RFC 6962, and their text form, <https://c2sp.org/tlog-proof>.

use super::Broken;
use crate::merkle::{Hash, node_hash, root_of};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::fmt::Write as _;

const FIRST_LINE: &str = "c2sp.org/tlog-proof@v1";

/// Path from a leaf to the root, with what follows it in the text form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inclusion {
    /// Number of the leaf, from 0.
    pub index: u64,
    /// Siblings on the way to the root, the leaf's first.
    pub path: Vec<Hash>,
}

impl Inclusion {
    /// Path of the leaf `index` among `leaves`.
    pub fn of(leaves: &[Hash], index: usize) -> Self {
        let mut path = Vec::new();
        let mut rest = leaves;
        let mut place = index;
        while rest.len() > 1 {
            let (left, right) = rest.split_at(rest.len().next_power_of_two() / 2);
            if place < left.len() {
                path.push(root_of(right));
                rest = left;
            } else {
                path.push(root_of(left));
                place -= left.len();
                rest = right;
            }
        }
        path.reverse();
        Self { index: index as u64, path }
    }

    /// Root of the tree of `size` leaves to which the path leads from `leaf`; `None` where it has
    /// another length.
    pub fn root(&self, leaf: Hash, size: u64) -> Option<Hash> {
        let mut node = self.index;
        let mut last = size.checked_sub(1)?;
        let mut hash = leaf;
        if node > last {
            return None;
        }
        for sibling in &self.path {
            if last == 0 {
                return None;
            }
            if node & 1 == 1 || node == last {
                hash = node_hash(sibling, &hash);
                while node & 1 == 0 && node != 0 {
                    node >>= 1;
                    last >>= 1;
                }
            } else {
                hash = node_hash(&hash, sibling);
            }
            node >>= 1;
            last >>= 1;
        }
        (last == 0).then_some(hash)
    }

    /// Text form; `checkpoint` is empty where no log but an object holds the leaf.
    pub fn to_text(&self, checkpoint: &str) -> String {
        let mut text = format!("{FIRST_LINE}\nindex {}\n", self.index);
        for hash in &self.path {
            let _ = writeln!(text, "{}", STANDARD.encode(hash)); // writing to a string cannot fail
        }
        if checkpoint.is_empty() { text } else { format!("{text}\n{checkpoint}") }
    }

    /// Reads the text form: the path and the checkpoint.
    pub fn parse(text: &str) -> Result<(Self, &str), Broken> {
        let (path, checkpoint) =
            text.split_once("\n\n").unwrap_or((text.trim_end_matches('\n'), ""));
        let parsed = Self::parse_path(path).ok_or_else(|| Broken::new("it is no tlog-proof"))?;
        Ok((parsed, checkpoint))
    }

    fn parse_path(text: &str) -> Option<Self> {
        let mut lines = text.split('\n').filter(|line| !line.starts_with("extra "));
        lines.next().filter(|line| *line == FIRST_LINE)?;
        let index = lines.next()?.strip_prefix("index ")?.parse().ok()?;
        let path = lines.map(|line| STANDARD.decode(line).ok()?.try_into().ok());
        Some(Self { index, path: path.collect::<Option<_>>()? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::merkle::leaf_hash;

    #[test]
    fn every_leaf_of_every_tree_is_shown_and_no_other() {
        let leaves: Vec<_> = (0..70u8).map(|number| leaf_hash(&[number])).collect();
        for size in 1..=leaves.len() {
            let root = root_of(&leaves[..size]);
            for index in 0..size {
                let inclusion = Inclusion::of(&leaves[..size], index);
                assert_eq!(
                    inclusion.root(leaves[index], size as u64),
                    Some(root),
                    "{index} of {size}"
                );
                let other =
                    Inclusion { index: (index as u64 + 1) % size as u64, ..inclusion.clone() };
                assert!(size == 1 || other.root(leaves[index], size as u64) != Some(root));
                assert_ne!(inclusion.root(leaf_hash(b"other"), size as u64), Some(root));
            }
            let inclusion = Inclusion::of(&leaves[..size], size / 2);
            assert_eq!(Inclusion::parse(&inclusion.to_text("")).unwrap(), (inclusion.clone(), ""));
            let text = inclusion.to_text("a\n\n— b\n");
            assert_eq!(Inclusion::parse(&text).unwrap(), (inclusion, "a\n\n— b\n"));
        }
    }

    #[test]
    fn what_is_no_proof_is_refused() {
        for text in
            ["", "c2sp.org/tlog-proof@v1\nindex -1\n", "c2sp.org/tlog-proof@v1\nindex 1\nAAAA\n"]
        {
            assert!(Inclusion::parse(text).is_err(), "{text}");
        }
        let single = Inclusion { index: 0, path: vec![[1; 32]] };
        assert_eq!((single.root([0; 32], 1), single.root([0; 32], 0)), (None, None));
    }
}

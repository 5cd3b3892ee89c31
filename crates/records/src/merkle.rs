//! The tree hash of RFC 6962, over leaves that come one by one.

use aws_lc_rs::digest::{Context, SHA256};

/// A hash of a leaf, a node or a whole tree.
pub type Hash = [u8; 32];

/// The root over the leaves so far, in memory that grows with the logarithm of their number.
#[derive(Debug, Clone, Default)]
pub struct MerkleTree {
    /// The roots of the complete subtrees that the leaves split into, the largest first.
    subtrees: Vec<Hash>,
    leaves: u64,
}

impl MerkleTree {
    /// Appends a leaf with that content.
    pub fn push(&mut self, content: &[u8]) {
        let mut hash = leaf_hash(content);
        // Each bit that is set is a complete subtree; two of one size become one.
        for _ in 0..self.leaves.trailing_ones() {
            let Some(left) = self.subtrees.pop() else { break };
            hash = node_hash(&left, &hash);
        }
        self.subtrees.push(hash);
        self.leaves += 1;
    }

    /// The number of leaves.
    pub fn leaves(&self) -> u64 {
        self.leaves
    }

    /// The root over all leaves; that of an empty tree is the hash of nothing.
    pub fn root(&self) -> Hash {
        let mut subtrees = self.subtrees.iter().rev().copied();
        let Some(smallest) = subtrees.next() else { return sha256(&[]) };
        subtrees.fold(smallest, |right, left| node_hash(&left, &right))
    }
}

/// The root over leaves whose hashes are known.
pub fn root_of(leaves: &[Hash]) -> Hash {
    match leaves {
        [] => sha256(&[]),
        [leaf] => *leaf,
        _ => {
            let (left, right) = leaves.split_at(leaves.len().next_power_of_two() / 2);
            node_hash(&root_of(left), &root_of(right))
        }
    }
}

/// Hash of a leaf with that content.
pub fn leaf_hash(content: &[u8]) -> Hash {
    sha256(&[&[0], content])
}

/// Hash of a node above two others.
pub fn node_hash(left: &Hash, right: &Hash) -> Hash {
    sha256(&[&[1], left, right])
}

fn sha256(parts: &[&[u8]]) -> Hash {
    let mut context = Context::new(&SHA256);
    for part in parts {
        context.update(part);
    }
    let mut hash = Hash::default();
    hash.copy_from_slice(context.finish().as_ref());
    hash
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::raw::hexadecimal;
    use proptest::prelude::*;

    fn root(leaves: &[Vec<u8>]) -> Hash {
        let mut tree = MerkleTree::default();
        for leaf in leaves {
            tree.push(leaf);
        }
        tree.root()
    }

    /// The definition, RFC 6962 part 2.1.
    fn defined(leaves: &[Vec<u8>]) -> Hash {
        match leaves {
            [] => sha256(&[]),
            [leaf] => leaf_hash(leaf),
            _ => {
                let (left, right) = leaves.split_at(leaves.len().next_power_of_two() / 2);
                node_hash(&defined(left), &defined(right))
            }
        }
    }

    #[test]
    fn the_roots_are_those_of_certificate_transparency() {
        // The test tree of the Certificate Transparency project, merkletree_test.go.
        let leaves: [&[u8]; 8] = [
            b"",
            b"\x00",
            b"\x10",
            b"\x20\x21",
            b"\x30\x31",
            b"\x40\x41\x42\x43",
            b"\x50\x51\x52\x53\x54\x55\x56\x57",
            b"\x60\x61\x62\x63\x64\x65\x66\x67\x68\x69\x6a\x6b\x6c\x6d\x6e\x6f",
        ];
        let roots = [
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
            "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
            "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
            "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
            "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
            "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
            "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
            "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
        ];
        let mut tree = MerkleTree::default();
        assert_eq!(hexadecimal(&tree.root()), roots[0]);
        for (leaf, expected) in leaves.iter().zip(&roots[1..]) {
            tree.push(leaf);
            assert_eq!(hexadecimal(&tree.root()), *expected);
        }
        assert_eq!(tree.leaves(), 8);
    }

    proptest! {
        #[test]
        fn the_root_is_the_one_of_the_definition(
            leaves in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..4), 0..70),
        ) {
            prop_assert_eq!(root(&leaves), defined(&leaves));
        }
    }
}

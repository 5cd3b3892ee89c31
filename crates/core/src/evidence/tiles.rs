//! Tiles of the log, <https://c2sp.org/tlog-tiles>: where they lie, what they hold, and how a log
//! grows.

use super::Broken;
use super::checkpoint::TreeHead;
use super::entry::LONGEST_ENTRY;
use crate::merkle::{Hash, leaf_hash, node_hash};

/// Hashes in a full tile.
pub const TILE_WIDTH: u64 = 256;

/// Kind of a tile.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Level {
    /// Bundle of entries.
    Entries,
    /// Hashes of subtrees of 256 to the power of that number.
    Hashes(u32),
}

/// Name of a tile.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Tile {
    /// Kind of the tile.
    pub level: Level,
    /// Number of the tile in its level.
    pub index: u64,
    /// Hashes or entries in it, up to 256.
    pub width: u64,
}

/// Object of the log, below its prefix, with its content.
pub type TileFile = (String, Vec<u8>);

impl Tile {
    /// Path below the log's prefix.
    pub fn path(&self) -> String {
        let level = match self.level {
            Level::Entries => "entries".to_owned(),
            Level::Hashes(level) => level.to_string(),
        };
        let mut number = format!("{:03}", self.index % 1000);
        let mut rest = self.index / 1000;
        while rest > 0 {
            number = format!("x{:03}/{number}", rest % 1000);
            rest /= 1000;
        }
        let part =
            if self.width == TILE_WIDTH { String::new() } else { format!(".p/{}", self.width) };
        format!("tile/{level}/{number}{part}")
    }

    /// Bundles that hold the entries of a log of that size, in order.
    pub fn bundles(size: u64) -> impl DoubleEndedIterator<Item = Self> {
        (0..size.div_ceil(TILE_WIDTH)).map(move |index| {
            let width = TILE_WIDTH.min(size - index * TILE_WIDTH);
            Self { level: Level::Entries, index, width }
        })
    }
}

/// Right edge of a log: all that is needed to append to it and to know its root.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Edge {
    size: u64,
    /// Hashes of the partial tile of each level, the leaves first.
    rows: Vec<Vec<Hash>>,
    /// Levels whose partial tile has grown.
    grown: Vec<bool>,
    /// Entries of the partial bundle.
    bundle: Vec<String>,
}

impl Edge {
    /// Partial tiles of a log of that size: its bundle first where it has one, then each level's.
    pub fn tiles(size: u64) -> Vec<Tile> {
        let mut tiles = Vec::new();
        let mut count = size;
        for level in 0.. {
            if count == 0 {
                break;
            }
            let index = count / TILE_WIDTH;
            let width = count % TILE_WIDTH;
            if width > 0 && level == 0 {
                tiles.push(Tile { level: Level::Entries, index, width });
            }
            if width > 0 {
                tiles.push(Tile { level: Level::Hashes(level), index, width });
            }
            count = index;
        }
        tiles
    }

    /// Reads the edge of `tree` from the contents of its [`tiles`](Self::tiles), which must lead to
    /// its root.
    pub fn read(tree: TreeHead, contents: &[Option<Vec<u8>>]) -> Result<Self, Broken> {
        let mut edge = Self { size: tree.size, ..Self::default() };
        for (tile, content) in Self::tiles(tree.size).iter().zip(contents) {
            let path = tile.path();
            let content =
                content.as_ref().ok_or_else(|| Broken::new(format!("the tile {path} is gone")))?;
            match tile.level {
                Level::Entries => edge.bundle = entries_of(content, *tile)?,
                Level::Hashes(level) => {
                    edge.rows.resize(level as usize, Vec::new());
                    edge.rows.push(hashes_of(content, *tile)?);
                }
            }
        }
        let leaves: Vec<_> = edge.bundle.iter().map(|entry| leaf_hash(entry.as_bytes())).collect();
        if edge.root() != tree.root {
            return Err(Broken::new("the tiles do not lead to the root that the checkpoint signs"));
        }
        if leaves != edge.rows.first().cloned().unwrap_or_default() {
            return Err(Broken::new("the last bundle does not hold the entries that the log has"));
        }
        edge.grown = vec![false; edge.rows.len()];
        Ok(edge)
    }

    /// Number of entries.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Size and root.
    pub fn tree(&self) -> TreeHead {
        TreeHead { size: self.size, root: self.root() }
    }

    fn root(&self) -> Hash {
        let mut root = None;
        for row in &self.rows {
            root = fold(row, root);
        }
        root.unwrap_or_else(|| crate::merkle::MerkleTree::default().root())
    }

    /// Appends an entry; what that completes comes to `files`.
    pub fn push(&mut self, entry: &str, files: &mut Vec<TileFile>) {
        self.bundle.push(entry.to_owned());
        if self.bundle.len() as u64 == TILE_WIDTH {
            let bundle = std::mem::take(&mut self.bundle);
            let tile =
                Tile { level: Level::Entries, index: self.size / TILE_WIDTH, width: TILE_WIDTH };
            files.push((tile.path(), bundle_of(&bundle)));
        }
        let mut hash = leaf_hash(entry.as_bytes());
        let mut index = self.size / TILE_WIDTH;
        self.size += 1;
        for level in 0.. {
            if self.rows.len() == level {
                self.rows.push(Vec::new());
                self.grown.push(false);
            }
            self.grown[level] = true;
            self.rows[level].push(hash);
            if self.rows[level].len() as u64 != TILE_WIDTH {
                break;
            }
            let row = std::mem::take(&mut self.rows[level]);
            let tile = Tile { level: level_of(level), index, width: TILE_WIDTH };
            files.push((tile.path(), row.concat()));
            let Some(above) = fold(&row, None) else { break };
            hash = above;
            index /= TILE_WIDTH;
        }
    }

    /// Partial tiles that have grown since the edge was read.
    pub fn partial(&self) -> Vec<TileFile> {
        let mut files = Vec::new();
        for tile in Self::tiles(self.size) {
            match tile.level {
                Level::Entries => files.push((tile.path(), bundle_of(&self.bundle))),
                Level::Hashes(level) => {
                    let level = level as usize;
                    if self.grown.get(level) == Some(&true) {
                        let row = self.rows.get(level).map(|row| row.concat());
                        files.push((tile.path(), row.unwrap_or_default()));
                    }
                }
            }
        }
        files
    }
}

fn level_of(level: usize) -> Level {
    Level::Hashes(u32::try_from(level).unwrap_or(u32::MAX))
}

/// Root over `row`, and over `right`, which lies to the right of it.
fn fold(row: &[Hash], right: Option<Hash>) -> Option<Hash> {
    let mut root = right;
    let mut rest = row;
    while !rest.is_empty() {
        let (others, subtree) = rest.split_at(rest.len() - (1 << rest.len().trailing_zeros()));
        let left = crate::merkle::root_of(subtree);
        root = Some(root.map_or(left, |right| node_hash(&left, &right)));
        rest = others;
    }
    root
}

/// Content of a bundle.
pub fn bundle_of(entries: &[String]) -> Vec<u8> {
    let mut content = Vec::new();
    for entry in entries {
        // Longer ones are refused before they are decided.
        let length = u16::try_from(entry.len()).unwrap_or(u16::MAX);
        content.extend_from_slice(&length.to_be_bytes());
        content.extend_from_slice(entry.as_bytes());
    }
    content
}

/// Entries of the bundle `tile`.
pub fn entries_of(content: &[u8], tile: Tile) -> Result<Vec<String>, Broken> {
    let mut entries = Vec::new();
    let mut rest = content;
    while let Some((length, more)) = rest.split_first_chunk() {
        let length = usize::from(u16::from_be_bytes(*length)).min(LONGEST_ENTRY);
        let Some((entry, more)) = more.split_at_checked(length) else { break };
        let Ok(entry) = std::str::from_utf8(entry) else { break };
        entries.push(entry.to_owned());
        rest = more;
    }
    if rest.is_empty() && entries.len() as u64 == tile.width {
        return Ok(entries);
    }
    Err(Broken::new(format!("the bundle {} is damaged", tile.path())))
}

fn hashes_of(content: &[u8], tile: Tile) -> Result<Vec<Hash>, Broken> {
    let (hashes, rest) = content.as_chunks();
    if rest.is_empty() && hashes.len() as u64 == tile.width {
        return Ok(hashes.to_vec());
    }
    Err(Broken::new(format!("the tile {} is damaged", tile.path())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::merkle::root_of;
    use std::collections::BTreeMap;

    fn entry(number: u64) -> String {
        format!("entry {number}")
    }

    #[test]
    fn paths_are_those_of_the_specification() {
        let check = |level, index, width, path: &str| {
            assert_eq!(Tile { level, index, width }.path(), path);
        };
        check(Level::Hashes(0), 1_234_067, 256, "tile/0/x001/x234/067");
        check(Level::Hashes(2), 0, 1, "tile/2/000.p/1");
        check(Level::Entries, 273, 112, "tile/entries/273.p/112");
        let edge =
            Edge::tiles(70_000).iter().map(|tile| (tile.index, tile.width)).collect::<Vec<_>>();
        assert_eq!(edge, [(273, 112), (273, 112), (1, 17), (0, 1)]);
        assert_eq!(Edge::tiles(256).iter().map(Tile::path).collect::<Vec<_>>(), ["tile/1/000.p/1"]);
    }

    #[test]
    fn a_log_that_grows_in_steps_has_the_root_of_the_definition() {
        let mut files: BTreeMap<String, Vec<u8>> = BTreeMap::new();
        let mut leaves = Vec::new();
        let mut edge = Edge::default();
        for step in [1, 1, 3, 250, 1, 1, 700, 64_600, 5, 256] {
            let mut new = Vec::new();
            for _ in 0..step {
                let entry = entry(leaves.len() as u64);
                leaves.push(leaf_hash(entry.as_bytes()));
                edge.push(&entry, &mut new);
            }
            new.extend(edge.partial());
            for (path, content) in new {
                assert_eq!(files.insert(path.clone(), content), None, "{path}");
            }
            assert_eq!(edge.tree(), TreeHead { size: leaves.len() as u64, root: root_of(&leaves) });
            let tiles = Edge::tiles(edge.size());
            let contents: Vec<_> =
                tiles.iter().map(|tile| files.get(&tile.path()).cloned()).collect();
            edge = Edge::read(edge.tree(), &contents).unwrap();
        }
        let mut entries = Vec::new();
        for bundle in Tile::bundles(edge.size()) {
            entries.extend(entries_of(&files[&bundle.path()], bundle).unwrap());
        }
        assert!(entries.iter().enumerate().all(|(number, text)| *text == entry(number as u64)));
        assert_eq!(entries.len(), leaves.len());
    }

    #[test]
    fn an_edge_that_was_changed_is_refused() {
        let mut edge = Edge::default();
        let mut full = Vec::new();
        (0..300).for_each(|number| edge.push(&entry(number), &mut full));
        let contents: Vec<_> =
            edge.partial().into_iter().map(|(_, content)| Some(content)).collect();
        assert!(Edge::read(edge.tree(), &contents).is_ok());
        let check = |place: usize, change: &dyn Fn(&mut Vec<u8>), part: &str| {
            let mut contents = contents.clone();
            contents[place].as_mut().map(change).unwrap();
            let broken = Edge::read(edge.tree(), &contents).unwrap_err();
            assert!(broken.0.contains(part), "{broken}");
        };
        check(0, &|bundle| bundle[5] ^= 1, "the last bundle does not hold");
        check(0, &|bundle| bundle.truncate(400), "the bundle tile/entries/001.p/44 is damaged");
        check(1, &|tile| tile[5] ^= 1, "do not lead to the root");
        check(1, &|tile| tile.truncate(1400), "the tile tile/0/001.p/44 is damaged");
        let mut contents = contents.clone();
        contents[2] = None;
        assert!(
            Edge::read(edge.tree(), &contents).unwrap_err().0.contains("tile/1/000.p/1 is gone")
        );
    }
}

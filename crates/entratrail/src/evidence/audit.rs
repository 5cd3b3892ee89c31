//! Check of a log from the outside: from the signature down to each row of the ledger.

use super::checkpoint::{Checkpoint, TreeHead};
use super::entry::LogEntry;
use super::note::{SignedNote, VerifierKey};
use super::proof::Inclusion;
use super::tiles::{Edge, TILE_WIDTH, Tile, TileFile, entries_of};
use super::{Broken, proof_key};
use crate::archive::{Archive, FETCHED_AT_ONCE};
use crate::error::Error;
use crate::ledger::{Ledger, ReadRow};
use crate::log::Log;
use crate::merkle::{Hash, leaf_hash};
use futures_util::{StreamExt as _, TryStreamExt as _};
use std::collections::{BTreeMap, BTreeSet};
use std::pin::pin;

/// Log whose signature leads to every entry.
#[derive(Debug)]
pub struct SignedLog {
    pub(super) log: Log,
    /// Latest checkpoint, a signed note.
    pub note: String,
    /// What it signs.
    pub tree: TreeHead,
    /// Entries, in order.
    pub entries: Vec<String>,
    leaves: Vec<Hash>,
    /// Keys that were given, and those to which the log itself has changed.
    trusted: Vec<VerifierKey>,
}

/// Change of the key that signs a log.
#[derive(Debug)]
pub struct KeyChange {
    /// Key that signs from then on.
    pub key: VerifierKey,
    /// Number of the entry that says so, from 0.
    pub index: usize,
    /// Size of the log at the first checkpoint with that entry, which old and new key have signed.
    size: u64,
    /// Key of the object that holds the checkpoint.
    place: String,
    note: String,
}

/// What a check against the ledger found.
#[derive(Debug, Default)]
pub struct LedgerCheck {
    /// Sentences about what is not as the log has it.
    pub problems: Vec<String>,
    /// Rows on record that are not in the log yet.
    pub pending: u64,
}

/// Reason for which there is no signed log to look at.
#[derive(Debug)]
pub enum Unsound {
    /// A link of the chain does not hold.
    Broken(Broken),
    /// The archive could not be read.
    Unread(Error),
}

impl From<Broken> for Unsound {
    fn from(broken: Broken) -> Self {
        Self::Broken(broken)
    }
}

impl From<Error> for Unsound {
    fn from(error: Error) -> Self {
        Self::Unread(error)
    }
}

/// Latest checkpoint of the log about `log`, unchecked; `None` where the archive is without
/// evidence.
pub async fn published(archive: &Archive, log: Log) -> Result<Option<String>, Error> {
    let file = archive.file(&proof_key(log, "checkpoint")).await?;
    Ok(file.map(|file| String::from_utf8_lossy(&file.body).into_owned()))
}

impl SignedLog {
    /// Reads the log about `log`, which must be signed by one of `keys`; `None` where the archive
    /// is without evidence.
    pub async fn read(
        archive: &Archive,
        log: Log,
        keys: &[VerifierKey],
    ) -> Result<Option<Self>, Unsound> {
        let key = proof_key(log, "checkpoint");
        let kept = archive.kept_checkpoints(log).await?;
        let Some(file) = archive.file(&key).await? else {
            return match kept.last() {
                None => Ok(None),
                Some(_) => {
                    Err(Broken(format!("{key} is gone, and earlier checkpoints are there")).into())
                }
            };
        };
        let note = SignedNote::parse(&file.body).map_err(|broken| broken.at(&key))?;
        let tree = Checkpoint::of(&note).map_err(|broken| broken.at(&key))?.tree;
        if sizes_of(&kept).last().is_some_and(|&longest| longest > tree.size) {
            let what =
                format!("{key} was rolled back to {} entries: a longer one was kept", tree.size);
            return Err(Broken(what).into());
        }
        let entries = read_entries(archive, log, tree.size).await?;
        let leaves = entries.iter().map(|entry| leaf_hash(entry.as_bytes())).collect();
        let text = String::from_utf8_lossy(&file.body).into_owned();
        let mut signed = Self { log, note: text, tree, entries, leaves, trusted: keys.to_vec() };
        if note.signers(keys).is_err() {
            signed.follow_key_changes(archive).await?;
        }
        signed.check_note(&note).map_err(|broken| broken.at(&key))?;
        signed.check_tiles(archive).await?;
        Ok(Some(signed))
    }

    /// Takes up the keys to which the log has changed, where old and new key have signed that.
    async fn follow_key_changes(&mut self, archive: &Archive) -> Result<(), Unsound> {
        for change in self.key_changes(archive).await? {
            let place = &change.place;
            let note =
                SignedNote::parse(change.note.as_bytes()).map_err(|broken| broken.at(place))?;
            // A change from a key that nobody has given: a later one may be from one that somebody
            // has.
            if note.signers(&self.trusted).is_err() {
                continue;
            }
            self.check_note(&note).map_err(|broken| broken.at(place))?;
            note.signers(std::slice::from_ref(&change.key)).map_err(|broken| broken.at(place))?;
            self.trusted.push(change.key);
        }
        Ok(())
    }

    /// Changes of the key, in order, as far as the checkpoint that introduced each was kept;
    /// unchecked.
    pub async fn key_changes(&self, archive: &Archive) -> Result<Vec<KeyChange>, Error> {
        let kept = archive.kept_checkpoints(self.log).await?;
        let sizes = sizes_of(&kept);
        let mut changes = Vec::new();
        for (index, entry) in self.entries.iter().enumerate() {
            let Ok(LogEntry::NewKey(key)) = LogEntry::parse(entry) else { continue };
            let Some(&size) = sizes.range(index as u64 + 1..=self.tree.size).next() else {
                continue;
            };
            let place = proof_key(self.log, &format!("checkpoints/{size}"));
            let Some(file) = archive.file(&place).await? else { continue };
            let note = String::from_utf8_lossy(&file.body).into_owned();
            changes.push(KeyChange { key, index, size, place, note });
        }
        Ok(changes)
    }

    /// Checks that a note is of this log, signed by a key that is trusted, and of a state of it.
    pub fn check_note(&self, note: &SignedNote) -> Result<(), Broken> {
        let signers = note.signers(&self.trusted)?;
        let checkpoint = Checkpoint::of(note)?;
        if !signers.iter().any(|key| key.name() == checkpoint.origin)
            || !checkpoint.origin.ends_with(&format!("/{}", self.log.name()))
        {
            return Err(Broken::new("it is a checkpoint of another log"));
        }
        self.check_tree(checkpoint.tree)
    }

    /// Checks that a note is of a state of this log, whichever of its keys has signed it: others
    /// have cosigned notes from before its key was changed.
    pub fn check_state(&self, note: &SignedNote) -> Result<(), Broken> {
        note.signers_if_any(&self.trusted)?;
        let checkpoint = Checkpoint::of(note)?;
        if self.note.lines().next() != Some(checkpoint.origin.as_str()) {
            return Err(Broken::new("it is a checkpoint of another log"));
        }
        self.check_tree(checkpoint.tree)
    }

    fn check_tree(&self, tree: TreeHead) -> Result<(), Broken> {
        if tree.size > self.tree.size {
            return Err(Broken(format!(
                "it is of {} entries, and the archive has only {}: the log was rolled back",
                tree.size, self.tree.size
            )));
        }
        if self.root_at(tree.size) == tree.root {
            return Ok(());
        }
        Err(Broken(if tree == self.tree {
            "the entries do not lead to the root that it signs".to_owned()
        } else {
            format!("the log does not extend these {} entries: it was forked", tree.size)
        }))
    }

    fn root_at(&self, size: u64) -> Hash {
        crate::merkle::root_of(
            &self.leaves[..usize::try_from(size).unwrap_or(0).min(self.leaves.len())],
        )
    }

    /// Checks that each tile of the present size holds the hashes of the entries.
    async fn check_tiles(&self, archive: &Archive) -> Result<(), Unsound> {
        let mut edge = Edge::default();
        let mut files = Vec::new();
        for entry in &self.entries {
            edge.push(entry, &mut files);
        }
        files.extend(edge.partial());
        let compared = futures_util::stream::iter(files).map(async |(path, content): TileFile| {
            let key = proof_key(self.log, &path);
            let there = archive.file(&key).await?;
            let problem = match there {
                Some(file) if file.body == content => return Ok(()),
                Some(_) => "does not hold what the entries give",
                None => "is gone",
            };
            Err(Unsound::from(Broken(format!("the tile {key} {problem}"))))
        });
        compared.buffered(FETCHED_AT_ONCE).try_collect().await
    }

    /// Holds the ledger against the log.
    pub async fn check_ledgers(&self, archive: &Archive) -> Result<LedgerCheck, Error> {
        let mut logged: BTreeMap<String, Vec<&str>> = BTreeMap::new();
        let mut check = LedgerCheck::default();
        for entry in &self.entries {
            match entry.split_once('\n') {
                Some((file, line)) => logged.entry(file.to_owned()).or_default().push(line),
                None if LogEntry::parse(entry).is_ok() => {}
                None => {
                    check
                        .problems
                        .push("an entry of the log is neither a row nor a key".to_owned());
                }
            }
        }
        let files = archive.ledger_files(self.log).await?;
        let there: BTreeSet<_> = files.iter().map(|(file, _)| file.clone()).collect();
        for (file, lines) in logged.iter().filter(|(file, _)| !there.contains(*file)) {
            check
                .problems
                .push(format!("{file} is gone, and the log has {} rows of it", lines.len()));
        }
        let reads = futures_util::stream::iter(there).map(async |file: String| {
            let body = archive.file(&file).await?.map(|file| file.body).unwrap_or_default();
            Ok::<_, Error>((file, body))
        });
        let mut reads = pin!(reads.buffered(FETCHED_AT_ONCE));
        while let Some(read) = reads.next().await {
            let (file, body) = read?;
            let known = logged.get(&file).map(Vec::as_slice).unwrap_or_default();
            // A damaged file is named by whoever reads the ledger.
            let Ok(ledger) = Ledger::parse(&body) else {
                check
                    .problems
                    .push(format!("{file} is damaged, and the log has {} rows of it", known.len()));
                continue;
            };
            let lines: Vec<_> = ledger.lines_on_record().collect();
            match difference(known, &lines) {
                Some(what) => check.problems.push(format!("{file}: {what}")),
                None => check.pending += (lines.len() - known.len()) as u64,
            }
        }
        Ok(check)
    }

    /// Proof that the entry `index` is in the log.
    pub fn proof(&self, index: usize) -> String {
        self.proof_at(index, self.tree.size, &self.note)
    }

    /// Proof that the entry `index` was in the log when `note` was its checkpoint, of `size`
    /// entries.
    pub fn proof_at(&self, index: usize, size: u64, note: &str) -> String {
        let size = usize::try_from(size).unwrap_or(usize::MAX).min(self.leaves.len());
        Inclusion::of(&self.leaves[..size], index).to_text(note)
    }

    /// Proof that the entry of a change of keys is in the log, as of the checkpoint that introduced
    /// it.
    pub fn proof_of_change(&self, change: &KeyChange) -> String {
        self.proof_at(change.index, change.size, &change.note)
    }
}

/// Sizes in the names of checkpoints that were kept.
fn sizes_of(kept: &[String]) -> BTreeSet<u64> {
    kept.iter().filter_map(|key| key.rsplit('/').next()?.parse().ok()).collect()
}

/// Where the lines of a file are not those that the log has, which they may go on from.
fn difference(logged: &[&str], lines: &[&str]) -> Option<String> {
    let place = (0..logged.len()).find(|&place| lines.get(place) != Some(&logged[place]))?;
    let row = logged[place];
    let name = ReadRow::parse(row)
        .map_or("a row".to_owned(), |row| format!("read {} of {}", row.read, row.window.name()));
    let is_there = lines.contains(&row);
    let what = match () {
        () if is_there && lines.len() >= logged.len() => "stands in another place than",
        () if lines.get(place).is_none() || logged.get(place + 1) == lines.get(place) => {
            "was removed, and is in"
        }
        () => "was changed: it differs from what is in",
    };
    Some(format!("{name} {what} the log (entry {} of the file)", place + 1))
}

async fn read_entries(archive: &Archive, log: Log, size: u64) -> Result<Vec<String>, Unsound> {
    let bundles = futures_util::stream::iter(Tile::bundles(size)).map(async |tile: Tile| {
        let key = proof_key(log, &tile.path());
        let file = archive.file(&key).await?;
        let file = file.ok_or_else(|| Broken(format!("the bundle {key} is gone")))?;
        Ok::<_, Unsound>(entries_of(&file.body, tile)?)
    });
    let mut entries = Vec::with_capacity(usize::try_from(size.min(TILE_WIDTH)).unwrap_or(0));
    let mut bundles = pin!(bundles.buffered(FETCHED_AT_ONCE));
    while let Some(bundle) = bundles.next().await {
        entries.extend(bundle?);
    }
    Ok(entries)
}

//! Search for rows that are not in the log yet: in every ledger file that has changed since the
//! last seal.

use super::super::Broken;
use super::super::entry::{LONGEST_ENTRY, LogEntry};
use super::super::head::{FileCursor, Head};
use super::super::tiles::{TILE_WIDTH, Tile};
use crate::ledger::Ledger;
use crate::object::StoredFile;
use std::collections::{BTreeMap, VecDeque};

/// Entries of one batch.
const MOST_ENTRIES: usize = 4096;

/// Bytes of the entries of one batch, roughly: head is held in memory several times.
const MOST_BYTES: usize = 4 << 20;

/// Ledger files that are read in one request.
const FILES_AT_ONCE: usize = 64;

/// What was found.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Pending {
    /// Entries of the next batch.
    pub entries: Vec<String>,
    /// Cursors with that batch.
    pub cursors: BTreeMap<String, FileCursor>,
    /// Files that are not what the log has.
    pub alarms: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Survey {
    pending: Pending,
    /// Files that are to be read.
    left: VecDeque<String>,
    /// Files that were asked for.
    asked: Vec<String>,
    /// Files that were read, whose rows in the log are to be compared.
    read: BTreeMap<String, Compared>,
    /// Bundles that were not read yet; the last comes first, because most files that change are
    /// new.
    bundles: u64,
    size: u64,
}

/// Ledger file whose first rows are held against the log, from the last of them on.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Compared {
    lines: Vec<String>,
    /// Rows that the log has and that were not compared yet.
    rows: u64,
    cursor: FileCursor,
    differs: bool,
}

pub(super) enum Wanted {
    Files(Vec<String>),
    Bundle(Tile),
    Nothing,
}

impl Survey {
    pub(super) fn new(head: &Head, ledgers: Vec<(String, u64)>) -> Self {
        let mut pending = Pending { cursors: head.cursors.clone(), ..Pending::default() };
        for file in head.cursors.keys().filter(|file| !ledgers.iter().any(|(key, _)| key == *file))
        {
            pending.alarms.push(format!("{file} is gone, and the log has rows of it"));
        }
        let changed = ledgers.into_iter().filter(|(file, bytes)| {
            head.cursors.get(file).is_none_or(|cursor| cursor.bytes == 0 || cursor.bytes != *bytes)
        });
        Self {
            pending,
            left: changed.map(|(file, _)| file).collect(),
            asked: Vec::new(),
            read: BTreeMap::new(),
            bundles: Tile::bundles(head.size).count() as u64,
            size: head.size,
        }
    }

    /// What to read next.
    pub(super) fn wanted(&mut self) -> Wanted {
        if self.read.values().any(|file| file.rows > 0)
            && let Some(index) = self.bundles.checked_sub(1)
            && let Some(tile) = Tile::bundles(self.size).next_back()
        {
            let width = if tile.index == index { tile.width } else { TILE_WIDTH };
            self.bundles = index;
            return Wanted::Bundle(Tile { index, width, ..tile });
        }
        self.settle();
        if self.left.is_empty() || self.is_full() {
            return Wanted::Nothing;
        }
        let count = self.left.len().min(FILES_AT_ONCE);
        self.asked = self.left.drain(..count).collect();
        Wanted::Files(self.asked.clone())
    }

    fn is_full(&self) -> bool {
        let bytes: usize = self.pending.entries.iter().map(String::len).sum();
        self.pending.entries.len() >= MOST_ENTRIES || bytes >= MOST_BYTES
    }

    /// Takes the files that were asked for.
    pub(super) fn take_files(&mut self, files: Vec<Option<StoredFile>>) {
        for (file, stored) in std::mem::take(&mut self.asked).into_iter().zip(files) {
            let cursor = self.pending.cursors.get(&file).copied().unwrap_or_default();
            let body = stored.map(|stored| stored.body).unwrap_or_default();
            let ledger = match Ledger::parse(&body) {
                Ok(ledger) => ledger,
                Err(damage) => {
                    let what =
                        format!("line {} of {file} is damaged: {}", damage.line, damage.what);
                    self.pending.alarms.push(what);
                    continue;
                }
            };
            let lines: Vec<_> = ledger.lines_on_record().map(str::to_owned).collect();
            let is_whole = ledger.rows().count() == lines.len();
            let bytes = if is_whole { body.len() as u64 } else { 0 };
            let differs = cursor.rows > lines.len() as u64;
            let rows = if differs { 0 } else { cursor.rows };
            let compared =
                Compared { lines, rows, cursor: FileCursor { bytes, ..cursor }, differs };
            self.read.insert(file, compared);
        }
        self.bundles = Tile::bundles(self.size).count() as u64;
    }

    /// Compares the entries of a bundle with the files that were read.
    pub(super) fn take_bundle(&mut self, tile: Tile, entries: &[String]) -> Result<(), Broken> {
        for entry in entries.iter().rev() {
            let LogEntry::Row { file, line } = LogEntry::parse(entry)? else { continue };
            let Some(compared) = self.read.get_mut(&file).filter(|compared| compared.rows > 0)
            else {
                continue;
            };
            compared.rows -= 1;
            let place = usize::try_from(compared.rows).unwrap_or(usize::MAX);
            compared.differs |= compared.lines.get(place) != Some(&line);
        }
        if tile.index == 0 {
            for compared in self.read.values_mut().filter(|compared| compared.rows > 0) {
                compared.differs = true;
                compared.rows = 0;
            }
        }
        Ok(())
    }

    /// Takes over what is new in the files that agree with the log.
    fn settle(&mut self) {
        for (file, compared) in std::mem::take(&mut self.read) {
            if compared.differs || compared.rows > 0 {
                let what = format!(
                    "{file} is not what the log has of it, so nothing more of it was entered"
                );
                self.pending.alarms.push(what);
                continue;
            }
            let known = usize::try_from(compared.cursor.rows).unwrap_or(usize::MAX);
            let new: Vec<_> = compared
                .lines
                .iter()
                .skip(known)
                .map(|line| LogEntry::of_row(&file, line))
                .collect();
            if new.iter().any(|entry| entry.len() > LONGEST_ENTRY) {
                self.pending.alarms.push(format!("{file} has a row that is too long for the log"));
                continue;
            }
            let room = MOST_ENTRIES.saturating_sub(self.pending.entries.len()).min(new.len());
            let is_all = room == new.len();
            let rows = compared.cursor.rows + room as u64;
            let bytes = if is_all { compared.cursor.bytes } else { 0 };
            if room > 0 {
                self.pending.cursors.insert(file, FileCursor { rows, bytes });
            }
            self.pending.entries.extend(new.into_iter().take(room));
        }
    }

    pub(super) fn pending(self) -> Pending {
        self.pending
    }
}

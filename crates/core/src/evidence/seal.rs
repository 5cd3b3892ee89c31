//! Protocol of writing the log: a state and an answer in, the next request out.
//!
//! A tile's name says its place and not its content, so no order of plain writes is safe with two
//! runs. `head` decides: it is replaced only by who has seen the latest one (that write is the
//! commit), and only after the checkpoint of the batch before is out. All tiles are a function of
//! decided heads, so whoever comes finishes what another run has decided, with the same bytes.

mod survey;
#[cfg(test)]
mod tests;

use super::checkpoint::{Checkpoint, TreeHead};
use super::entry::LogEntry;
use super::head::Head;
use super::note::{SignedNote, VerifierKey};
use super::tiles::{Edge, TILE_WIDTH, Tile, TileFile, entries_of};
use super::{Broken, proof_key};
use crate::ledger::Ledger;
use crate::log::Log;
use crate::object::{Precondition, StoredFile, Written};
use std::collections::{BTreeMap, VecDeque};
pub use survey::Pending;
use survey::{Survey, Wanted};

/// Times that a seal looks at `head` anew. Each time another writer has got ahead, or a batch of
/// its own is out.
const MOST_ROUNDS: u32 = 1000;

/// One thing that is asked of the archive, the signer or its memory.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum SealRequest {
    /// Read what the signer remembers to have signed last.
    Recall,
    /// Have the signer remember that it is about to sign this, unless it remembers more.
    Remember(TreeHead),
    /// Read objects, in this order.
    Read(Vec<String>),
    /// Write an object.
    Put(String, Vec<u8>, Precondition),
    /// List the ledger files of the log.
    ListLedgers,
    /// Sign a checkpoint.
    Sign {
        /// Its text.
        text: String,
        /// Whether the key from before signs as well, because this checkpoint introduces the new
        /// one.
        with_both: bool,
    },
}

/// What came of a request.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum SealAnswer {
    /// To `Recall`.
    Remembered(Option<TreeHead>),
    /// To `Read`: the objects that are there.
    Files(Vec<Option<StoredFile>>),
    /// To `Put`.
    Written(Written),
    /// To `ListLedgers`: keys with their sizes, in order.
    Ledgers(Vec<(String, u64)>),
    /// To `Sign`: the signed note.
    Note(String),
    /// To `Remember`.
    Done,
}

/// What a seal does next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// It asks for something.
    Ask(SealRequest),
    /// It is done: every row is in the log, but those of files that alarm.
    End(SealOutcome),
}

/// How a seal ended.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SealOutcome {
    /// Latest checkpoint; `None` before the first row.
    pub checkpoint: Option<String>,
    /// Sentences about ledger files that are not what the log has: nothing of theirs was entered.
    pub alarms: Vec<String>,
}

/// One seal of one log.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Seal {
    log: Log,
    /// Key that signs; behind it, while keys change, the one from before.
    keys: Vec<VerifierKey>,
    rounds: u32,
    state: SealState,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum SealState {
    Recalling,
    ReadingHead { memory: Option<TreeHead> },
    ReadingCheckpoint { memory: Option<TreeHead>, head: Head, version: Option<String> },
    ReadingEdge(Decided),
    CheckingEntries(Decided, Edge),
    Creating { found: Decided, edge: Edge, files: VecDeque<TileFile> },
    Comparing { found: Decided, edge: Edge, files: VecDeque<TileFile> },
    RecallingAgain { found: Decided, edge: Edge },
    Replaying { found: Decided, edge: Edge, memory: TreeHead },
    Remembering { found: Decided, tree: TreeHead },
    Signing { found: Decided, tree: TreeHead },
    Keeping { found: Decided, tree: TreeHead, note: String },
    ComparingKept { found: Decided, note: String },
    Publishing,
    Listing(Decided),
    ReadingLedgers(Decided, Survey),
    ReadingBundle(Decided, Survey, Tile),
    Committing,
    Over,
}

/// What S0 found: the decided order and the published state.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Decided {
    head: Head,
    head_version: Option<String>,
    /// Size and root that the checkpoint signs; of nothing where there is none yet.
    published: TreeHead,
    note: Option<String>,
    note_version: Option<String>,
    /// Whether the new key is not in the log yet.
    needs_rotation: bool,
}

type Step = Result<(SealState, Next), Broken>;

impl Seal {
    /// A seal of the log about `log`. `keys` are the one that signs and, while keys change, the one
    /// before.
    pub fn new(log: Log, keys: Vec<VerifierKey>) -> Self {
        Self { log, keys, rounds: 0, state: SealState::Recalling }
    }

    /// First request.
    pub fn begin(&self) -> SealRequest {
        SealRequest::Recall
    }

    /// Takes the answer to the last request. An error is an alarm: something is not what honest
    /// writers write.
    pub fn advance(&mut self, answer: SealAnswer) -> Result<Next, Broken> {
        let state = std::mem::replace(&mut self.state, SealState::Over);
        let (state, next) = self.step(state, answer)?;
        self.state = state;
        Ok(next)
    }

    fn step(&mut self, state: SealState, answer: SealAnswer) -> Step {
        match (state, answer) {
            (SealState::Recalling, SealAnswer::Remembered(memory)) => {
                Ok(ask(SealState::ReadingHead { memory }, self.read(["head"])))
            }
            (SealState::ReadingHead { memory }, SealAnswer::Files(files)) => {
                self.take_head(memory, files)
            }
            (SealState::ReadingCheckpoint { memory, head, version }, SealAnswer::Files(files)) => {
                self.take_checkpoint(memory, head, version, files)
            }
            (SealState::ReadingEdge(found), SealAnswer::Files(files)) => check_edge(found, files),
            (SealState::CheckingEntries(found, edge), SealAnswer::Files(files)) => {
                self.check_entries(&found, files)?;
                Ok(self.grow(found, edge))
            }
            (SealState::Creating { found, edge, mut files }, SealAnswer::Written(written)) => {
                if written == Written::Yes {
                    files.pop_front();
                    return Ok(self.create_next(found, edge, files));
                }
                let path = files.front().map(|(path, _)| path.clone()).unwrap_or_default();
                Ok(ask(SealState::Comparing { found, edge, files }, self.read([path.as_str()])))
            }
            (SealState::Comparing { found, edge, mut files }, SealAnswer::Files(there)) => {
                let (path, content) = files.pop_front().unwrap_or_default();
                if there.into_iter().flatten().any(|file| file.body == content) {
                    return Ok(self.create_next(found, edge, files));
                }
                Err(self.broken(&path, "holds something else than the decided order says"))
            }
            (SealState::RecallingAgain { found, edge }, SealAnswer::Remembered(memory)) => {
                self.compare_memory(found, edge, memory)
            }
            (SealState::Replaying { found, edge, memory }, SealAnswer::Files(files)) => {
                self.replay(found, &edge, memory, files)
            }
            (SealState::Remembering { found, tree }, SealAnswer::Done) => {
                Ok(self.sign(found, tree))
            }
            (SealState::Signing { found, tree }, SealAnswer::Note(note)) => {
                let path = proof_key(self.log, &format!("checkpoints/{}", tree.size));
                let body = note.clone().into_bytes();
                let request = SealRequest::Put(path, body, Precondition::Absent);
                Ok(ask(SealState::Keeping { found, tree, note }, request))
            }
            (SealState::Keeping { found, tree, note }, SealAnswer::Written(written)) => {
                if written == Written::Yes {
                    return Ok(self.publish(found, note));
                }
                let path = format!("checkpoints/{}", tree.size);
                Ok(ask(SealState::ComparingKept { found, note }, self.read([path.as_str()])))
            }
            (SealState::ComparingKept { found, note }, SealAnswer::Files(files)) => {
                self.compare_kept(found, note, files)
            }
            (SealState::Listing(found), SealAnswer::Ledgers(ledgers)) => {
                let survey = Survey::new(&found.head, ledgers);
                self.look(found, survey)
            }
            (SealState::ReadingLedgers(found, mut survey), SealAnswer::Files(files)) => {
                survey.take_files(files);
                self.look(found, survey)
            }
            (SealState::ReadingBundle(found, mut survey, tile), SealAnswer::Files(files)) => {
                let content = files.into_iter().flatten().next();
                let content = content.ok_or_else(|| self.broken(&tile.path(), "is gone"))?;
                survey.take_bundle(tile, &entries_of(&content.body, tile)?)?;
                self.look(found, survey)
            }
            // Whatever the answer: the next look at head says who has won.
            (SealState::Publishing | SealState::Committing, SealAnswer::Written(_)) => {
                self.start_over()
            }
            _ => Err(Broken::new("the seal of the log got an answer to another question")),
        }
    }

    fn start_over(&mut self) -> Step {
        self.rounds += 1;
        if self.rounds > MOST_ROUNDS {
            return Err(Broken::new("other runs keep writing the same log"));
        }
        Ok(ask(SealState::Recalling, SealRequest::Recall))
    }

    /// Takes the head, which is read after the memory and before the checkpoint: so it is at least
    /// as new as what was signed by then, and its batch begins where some checkpoint ended.
    fn take_head(&self, memory: Option<TreeHead>, files: Vec<Option<StoredFile>>) -> Step {
        let (head, version) = match files.into_iter().flatten().next() {
            Some(file) => (Head::parse(&file.body)?, file.version),
            None => (Head::default(), None),
        };
        if memory.is_some_and(|memory| memory.size > head.size) {
            return Err(self.broken("head", "was rolled back: the signer has signed a longer log"));
        }
        Ok(ask(SealState::ReadingCheckpoint { memory, head, version }, self.read(["checkpoint"])))
    }

    fn take_checkpoint(
        &mut self,
        memory: Option<TreeHead>,
        head: Head,
        version: Option<String>,
        files: Vec<Option<StoredFile>>,
    ) -> Step {
        let file = files.into_iter().flatten().next();
        let (published, note, needs_rotation) = match &file {
            None => (TreeHead { size: 0, root: Edge::default().tree().root }, None, false),
            Some(file) => {
                let (tree, is_by_new_key) = self.check_note(&file.body)?;
                (tree, Some(String::from_utf8_lossy(&file.body).into_owned()), !is_by_new_key)
            }
        };
        if memory
            .is_some_and(|memory| memory.size == published.size && memory.root != published.root)
        {
            return Err(self.broken("checkpoint", "is not the one that the signer has signed"));
        }
        if published.size > head.size {
            // Others have published meanwhile. Head is read again, and must be at least as new
            // then.
            let state = SealState::ReadingHead { memory: Some(published) };
            return Ok(ask(state, self.read(["head"])));
        }
        let note_version = file.and_then(|file| file.version);
        let found =
            Decided { head, head_version: version, published, note, note_version, needs_rotation };
        if found.published.size == found.head.size {
            return Ok(ask(SealState::Listing(found), SealRequest::ListLedgers));
        }
        if found.published.size != found.head.from {
            return Err(
                self.broken("checkpoint", "was rolled back: the batch in head begins elsewhere")
            );
        }
        let tiles: Vec<_> = Edge::tiles(found.published.size).iter().map(Tile::path).collect();
        let request = self.read(tiles.iter().map(String::as_str));
        Ok(ask(SealState::ReadingEdge(found), request))
    }

    /// Name of the key in use, which is that of the log.
    fn origin(&self) -> &str {
        self.keys.first().map_or("", VerifierKey::name)
    }

    /// Size and root that a note signs, and whether the key in use has signed it.
    fn check_note(&self, body: &[u8]) -> Result<(TreeHead, bool), Broken> {
        let not_ours =
            |broken: Broken| self.broken("checkpoint", &format!("is not this key's: {broken}"));
        let note = SignedNote::parse(body).map_err(not_ours)?;
        let signers = note.signers(&self.keys).map_err(not_ours)?;
        let checkpoint = Checkpoint::of(&note).map_err(not_ours)?;
        if checkpoint.origin != self.origin() {
            return Err(self.broken("checkpoint", "is of another log"));
        }
        Ok((checkpoint.tree, signers.iter().any(|key| Some(*key) == self.keys.first())))
    }

    /// Checks that the batch is what the ledger says, in its order: whoever can write the bucket
    /// can write head.
    fn check_entries(&self, found: &Decided, files: Vec<Option<StoredFile>>) -> Result<(), Broken> {
        let rows = rows_of(&found.head.entries)?;
        for ((file, lines), stored) in rows.iter().zip(files) {
            let body = stored.map(|stored| stored.body).unwrap_or_default();
            let ledger = Ledger::parse(&body).unwrap_or_default();
            let mut on_record = ledger.lines_on_record();
            if !lines.iter().all(|line| on_record.any(|known| known == line.as_str())) {
                return Err(Broken(format!(
                    "{file} does not hold a row that waits to be signed: nothing was signed"
                )));
            }
        }
        let names_another_key =
            found.head.entries.iter().any(|entry| match LogEntry::parse(entry) {
                Ok(LogEntry::NewKey(key)) => Some(&key) != self.keys.first(),
                Ok(LogEntry::Row { .. }) => false,
                Err(_) => true,
            });
        if names_another_key {
            return Err(self.broken("head", "names a key that is not this signer's"));
        }
        Ok(())
    }

    fn grow(&self, found: Decided, mut edge: Edge) -> (SealState, Next) {
        let mut files = Vec::new();
        for entry in &found.head.entries {
            edge.push(entry, &mut files);
        }
        files.extend(edge.partial());
        self.create_next(found, edge, files.into())
    }

    fn create_next(
        &self,
        found: Decided,
        edge: Edge,
        files: VecDeque<TileFile>,
    ) -> (SealState, Next) {
        match files.front().cloned() {
            None => ask(SealState::RecallingAgain { found, edge }, SealRequest::Recall),
            Some((path, content)) => {
                let request =
                    SealRequest::Put(proof_key(self.log, &path), content, Precondition::Absent);
                ask(SealState::Creating { found, edge, files }, request)
            }
        }
    }

    /// Compares with what was signed last, which lies where whoever can write the bucket cannot.
    fn compare_memory(&mut self, found: Decided, edge: Edge, memory: Option<TreeHead>) -> Step {
        let tree = edge.tree();
        let published = found.published;
        match memory {
            Some(memory) if memory.size > tree.size => self.start_over(),
            Some(memory) if memory.size == tree.size && memory.root == tree.root => {
                Ok(self.sign(found, tree))
            }
            Some(memory) if memory == published => Ok(remember(found, tree)),
            Some(memory) if memory.size >= published.size => Err(Broken::new(
                "the log does not extend what the signer has signed: it was forked; nothing was \
                 signed",
            )),
            // It signed more than it remembers: that must extend what it remembers all the same.
            Some(memory) if memory.size > 0 => {
                let tiles: Vec<_> = Edge::tiles(memory.size).iter().map(Tile::path).collect();
                let bundles: Vec<_> =
                    new_bundles(memory.size, published.size).map(|tile| tile.path()).collect();
                let request = self.read(tiles.iter().chain(&bundles).map(String::as_str));
                Ok(ask(SealState::Replaying { found, edge, memory }, request))
            }
            Some(_) | None => Ok(remember(found, tree)),
        }
    }

    fn replay(
        &self,
        found: Decided,
        edge: &Edge,
        memory: TreeHead,
        files: Vec<Option<StoredFile>>,
    ) -> Step {
        let mut contents: Vec<_> =
            files.into_iter().map(|file| file.map(|file| file.body)).collect();
        let bundles = contents.split_off(Edge::tiles(memory.size).len());
        let mut replayed = Edge::read(memory, &contents)?;
        for (tile, content) in new_bundles(memory.size, found.published.size).zip(bundles) {
            let content = content.ok_or_else(|| self.broken(&tile.path(), "is gone"))?;
            let entries = entries_of(&content, tile)?;
            let known = usize::try_from(replayed.size() - tile.index * TILE_WIDTH).unwrap_or(0);
            for entry in entries.iter().skip(known) {
                replayed.push(entry, &mut Vec::new());
            }
        }
        if replayed.tree() != found.published {
            return Err(Broken::new(
                "the log does not extend what the signer has signed; nothing was signed",
            ));
        }
        Ok(remember(found, edge.tree()))
    }

    fn sign(&self, found: Decided, tree: TreeHead) -> (SealState, Next) {
        let text = Checkpoint { origin: self.origin().to_owned(), tree }.to_text();
        let mut entries = found.head.entries.iter();
        let with_both =
            entries.any(|entry| matches!(LogEntry::parse(entry), Ok(LogEntry::NewKey(_))));
        ask(SealState::Signing { found, tree }, SealRequest::Sign { text, with_both })
    }

    fn compare_kept(&self, found: Decided, note: String, files: Vec<Option<StoredFile>>) -> Step {
        let there = files.into_iter().flatten().next().map(|file| file.body).unwrap_or_default();
        let is_same =
            |ours: SignedNote| SignedNote::parse(&there).is_ok_and(|kept| kept.text == ours.text);
        if SignedNote::parse(note.as_bytes()).is_ok_and(is_same) {
            return Ok(self.publish(found, note));
        }
        Err(Broken::new("a checkpoint of the same size was kept that says something else"))
    }

    fn publish(&self, found: Decided, note: String) -> (SealState, Next) {
        let key = proof_key(self.log, "checkpoint");
        let unchanged = Precondition::unchanged(found.note_version);
        ask(SealState::Publishing, SealRequest::Put(key, note.into_bytes(), unchanged))
    }

    /// Looks for rows that are not in the log yet, until there are enough for a batch.
    fn look(&mut self, found: Decided, mut survey: Survey) -> Step {
        match survey.wanted() {
            Wanted::Files(keys) => {
                Ok(ask(SealState::ReadingLedgers(found, survey), SealRequest::Read(keys)))
            }
            Wanted::Bundle(tile) => {
                let request = self.read([tile.path().as_str()]);
                Ok(ask(SealState::ReadingBundle(found, survey, tile), request))
            }
            Wanted::Nothing => self.commit(found, survey),
        }
    }

    fn commit(&mut self, found: Decided, survey: Survey) -> Step {
        let Pending { mut entries, cursors, alarms } = survey.pending();
        if found.needs_rotation
            && let Some(key) = self.keys.first()
        {
            entries.insert(0, LogEntry::of_key(key));
        }
        if entries.is_empty() {
            let outcome = SealOutcome { checkpoint: found.note, alarms };
            return Ok((SealState::Over, Next::End(outcome)));
        }
        let from = found.head.size;
        let head = Head { from, size: from + entries.len() as u64, entries, cursors };
        let body = head.to_bytes().map_err(|_| Broken::new("head could not be encoded"))?;
        let key = proof_key(self.log, "head");
        let unchanged = Precondition::unchanged(found.head_version);
        Ok(ask(SealState::Committing, SealRequest::Put(key, body, unchanged)))
    }

    fn read<'path>(&self, paths: impl IntoIterator<Item = &'path str>) -> SealRequest {
        SealRequest::Read(paths.into_iter().map(|path| proof_key(self.log, path)).collect())
    }

    fn broken(&self, path: &str, what: &str) -> Broken {
        Broken(format!("{} {what}; nothing was signed", proof_key(self.log, path)))
    }
}

fn check_edge(found: Decided, files: Vec<Option<StoredFile>>) -> Step {
    let contents: Vec<_> = files.into_iter().map(|file| file.map(|file| file.body)).collect();
    let edge = Edge::read(found.published, &contents)?;
    let mut ledgers: Vec<_> = rows_of(&found.head.entries)?.into_keys().collect();
    ledgers.sort_unstable();
    Ok(ask(SealState::CheckingEntries(found, edge), SealRequest::Read(ledgers)))
}

fn ask(state: SealState, request: SealRequest) -> (SealState, Next) {
    (state, Next::Ask(request))
}

fn remember(found: Decided, tree: TreeHead) -> (SealState, Next) {
    ask(SealState::Remembering { found, tree }, SealRequest::Remember(tree))
}

/// Bundles of a log of `to` entries that hold any after the first `from`.
fn new_bundles(from: u64, to: u64) -> impl Iterator<Item = Tile> {
    Tile::bundles(to).filter(move |tile| tile.index * TILE_WIDTH + tile.width > from)
}

/// Lines of each ledger file, in order.
fn rows_of(entries: &[String]) -> Result<BTreeMap<String, Vec<String>>, Broken> {
    let mut rows: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for entry in entries {
        if let LogEntry::Row { file, line } = LogEntry::parse(entry)? {
            rows.entry(file).or_default().push(line);
        }
    }
    Ok(rows)
}

//! Every interleaving of two writers and one failure, on a store that keeps what S3 promises.

use super::*;
use crate::evidence::note::VerifierKey;
use crate::ledger::{Origin, ReadResult, ReadRow};
use crate::merkle::{Hash, leaf_hash, root_of};
use crate::window::Window;
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use chrono::NaiveDate;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::hash::{DefaultHasher, Hasher as _};

const LOG: Log = Log::DirectoryAudits;
const NAME: &str = "entratrail/00112233445566778899aabbccddeeff/directory-audits";

#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
struct World {
    objects: BTreeMap<String, Vec<u8>>,
    memory: Option<TreeHead>,
    /// Everything that was ever signed.
    signed: BTreeMap<u64, Hash>,
    appended: usize,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Model {
    world: World,
    writers: Vec<(Seal, SealRequest)>,
    /// Write of a killed run that arrives some time later.
    late: Option<SealRequest>,
    failures: u32,
}

struct Bench {
    pair: Ed25519KeyPair,
    /// Signing is slow, and always gives the same.
    notes: HashMap<String, String>,
    rows: Vec<(String, String)>,
}

impl Bench {
    fn new(rows: usize) -> Self {
        let day = NaiveDate::from_ymd_opt(2026, 11, 20).unwrap();
        let row = |number: usize| {
            let day = day + chrono::Days::new(number as u64 % 2);
            let window = Window::whole_day(day);
            let result = ReadResult::Failed { error: format!("failure {number}") };
            let started_at = window.end();
            let origin = Some(Origin::new(None));
            let row = ReadRow {
                window,
                read: 1,
                started_at,
                finished_at: started_at,
                result,
                requests: 1,
                retries: 0,
                origin,
            };
            (format!("ledger/directory-audits/day={day}.ndjson"), row.to_line().unwrap())
        };
        let pair = Ed25519KeyPair::from_seed_unchecked(&[7; 32]).unwrap();
        Self { pair, notes: HashMap::new(), rows: (0..rows).map(row).collect() }
    }

    fn key(&self) -> VerifierKey {
        VerifierKey::new(NAME, self.pair.public_key().as_ref())
    }

    fn writer(&self) -> (Seal, SealRequest) {
        let seal = Seal::new(LOG, vec![self.key()]);
        let request = seal.begin();
        (seal, request)
    }

    fn append(&self, world: &mut World) {
        let (file, line) = &self.rows[world.appended];
        world.appended += 1;
        let body = world.objects.entry(file.clone()).or_default();
        body.extend_from_slice(format!("{line}\n").as_bytes());
    }

    fn perform(&mut self, world: &mut World, request: SealRequest) -> SealAnswer {
        match request {
            SealRequest::Recall => SealAnswer::Remembered(world.memory),
            SealRequest::Remember(tree) => {
                if world.memory.is_none_or(|known| known.size <= tree.size) {
                    world.memory = Some(tree);
                }
                SealAnswer::Done
            }
            SealRequest::Read(keys) => {
                let file = |key: &String| {
                    let body = world.objects.get(key)?.clone();
                    Some(StoredFile { version: Some(crate::raw::sha256(&body)), body })
                };
                SealAnswer::Files(keys.iter().map(file).collect())
            }
            SealRequest::Put(key, body, when) => {
                let latest = world.objects.get(&key).map(|body| crate::raw::sha256(body));
                if when != Precondition::None && when != Precondition::unchanged(latest) {
                    return SealAnswer::Written(Written::ConditionFailed);
                }
                world.objects.insert(key, body);
                SealAnswer::Written(Written::Yes)
            }
            SealRequest::ListLedgers => {
                let ledgers = world.objects.range("ledger/".to_owned().."ledger0".to_owned());
                SealAnswer::Ledgers(
                    ledgers.map(|(key, body)| (key.clone(), body.len() as u64)).collect(),
                )
            }
            SealRequest::Sign { text, .. } => {
                let checkpoint =
                    SignedNote::parse(format!("{text}\n— a AAAAAAAA\n").as_bytes()).unwrap();
                let tree = Checkpoint::of(&checkpoint).unwrap().tree;
                let known = *world.signed.entry(tree.size).or_insert(tree.root);
                assert_eq!(
                    known, tree.root,
                    "two checkpoints of size {} contradict each other",
                    tree.size
                );
                let key = self.key();
                let pair = &self.pair;
                let sign = || {
                    format!("{text}\n{}", key.signature_line(pair.sign(text.as_bytes()).as_ref()))
                };
                SealAnswer::Note(self.notes.entry(text.clone()).or_insert_with(sign).clone())
            }
        }
    }

    /// Has one more writer come, with nobody else there, and judges what it leaves.
    fn recover(&mut self, world: &mut World) -> Result<SealOutcome, Broken> {
        let (mut seal, mut request) = self.writer();
        loop {
            let answer = self.perform(world, request);
            match seal.advance(answer)? {
                Next::Ask(next) => request = next,
                Next::End(outcome) => return Ok(outcome),
            }
        }
    }

    fn judge(&mut self, world: &mut World) {
        let outcome = self.recover(world).unwrap();
        assert_eq!(outcome.alarms, [""; 0]);
        let size = world.appended as u64;
        let mut entries = Vec::new();
        for tile in Tile::bundles(size) {
            let content = &world.objects[&proof_key(LOG, &tile.path())];
            entries.extend(entries_of(content, tile).unwrap());
        }
        let rows = rows_of(&entries).unwrap();
        let mut expected: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (file, line) in &self.rows[..world.appended] {
            expected.entry(file.clone()).or_default().push(line.clone());
        }
        assert_eq!(rows, expected, "each row is in the log once, in the order of its file");
        let leaves: Vec<_> = entries.iter().map(|entry| leaf_hash(entry.as_bytes())).collect();
        for (size, root) in &world.signed {
            assert_eq!(root_of(&leaves[..usize::try_from(*size).unwrap()]), *root, "one history");
        }
        assert_eq!(outcome.checkpoint.is_some(), size > 0);
    }

    /// Every state that follows.
    fn successors(&mut self, model: &Model) -> Vec<Model> {
        let mut next = Vec::new();
        if model.world.appended < self.rows.len() {
            let mut more = model.clone();
            self.append(&mut more.world);
            next.push(more);
        }
        if let Some(late) = model.late.clone() {
            let mut arrived = Model { late: None, ..model.clone() };
            self.perform(&mut arrived.world, late);
            next.push(arrived);
        }
        for place in 0..model.writers.len() {
            let mut gone = model.clone();
            let (mut seal, request) = gone.writers.remove(place);
            let mut done = gone.clone();
            let answer = self.perform(&mut done.world, request.clone());
            if model.failures > 0 {
                gone.failures -= 1;
                if matches!(request, SealRequest::Put(..)) {
                    // Killed after the write; killed while it is on its way; and a first answer
                    // that got lost, so that the client sent the request again.
                    next.push(Model { failures: gone.failures, ..done.clone() });
                    next.push(Model { late: Some(request), ..gone.clone() });
                    let repeated = Model { failures: gone.failures, ..done.clone() };
                    let answer = SealAnswer::Written(Written::ConditionFailed);
                    next.push(continued(repeated, seal.clone(), answer));
                }
                next.push(gone);
            }
            match seal.advance(answer).unwrap() {
                Next::Ask(request) => done.writers.push((seal, request)),
                Next::End(_) => {}
            }
            done.writers.sort_by_key(fingerprint);
            next.push(done);
        }
        next
    }
}

fn continued(mut model: Model, mut seal: Seal, answer: SealAnswer) -> Model {
    if let Next::Ask(request) = seal.advance(answer).unwrap() {
        model.writers.push((seal, request));
    }
    model.writers.sort_by_key(fingerprint);
    model
}

fn fingerprint(state: &impl std::hash::Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    state.hash(&mut hasher);
    hasher.finish()
}

/// Number of states of two writers, so many rows and so many failures. Each was left by one more
/// writer as it should be.
fn explore(rows: usize, failures: u32) -> usize {
    let mut bench = Bench::new(rows);
    let writers = vec![bench.writer(), bench.writer()];
    let start = Model { world: World::default(), writers, late: None, failures };
    let mut seen = HashSet::from([fingerprint(&start)]);
    let mut judged = HashSet::new();
    let mut open = vec![start];
    while let Some(model) = open.pop() {
        if judged.insert(fingerprint(&(&model.world, &model.late))) {
            let mut world = model.world.clone();
            bench.judge(&mut world);
            if let Some(late) = model.late.clone() {
                bench.perform(&mut world, late);
                bench.judge(&mut world);
            }
        }
        for next in bench.successors(&model) {
            if seen.insert(fingerprint(&next)) {
                open.push(next);
            }
        }
    }
    seen.len()
}

#[test]
fn two_writers_and_one_failure_leave_one_history_whatever_happens_when() {
    let states = explore(2, 1);
    assert!(states > 10_000, "{states} states are too few to be all");
}

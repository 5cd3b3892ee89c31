//! One stream and day: what the ledger says, and whether the objects are that.

use super::ledgers::FoundDay;
use super::rows;
use crate::terminal::numbers::{count, thousands};
use chrono::NaiveDate;
use entratrail::archive::{Archive, ObjectRead};
use entratrail::ledger::{Ledger, ReadRow, StoredObject};
use entratrail::log::Stream;
use entratrail::object::{parse_raw_key, raw_key, table_key};
use entratrail::plan::{Holdings, RawObject, RecordedObject, objects_on_record};
use entratrail::raw::ObjectDigest;
use entratrail::window::Window;
use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

/// Advice about a table object.
const REBUILD: &str = "entratrail rebuild makes it again";

/// Findings about one stream and day.
#[derive(Debug)]
pub(super) struct CheckedDay {
    pub(super) stream: Stream,
    pub(super) day: NaiveDate,
    pub(super) objects: u64,
    pub(super) records: u64,
    pub(super) bytes: u64,
    /// A sentence for each thing that is wrong.
    pub(super) problems: Vec<String>,
}

/// Walk over the object of a row.
struct Walk<'ledger> {
    row: &'ledger ReadRow,
    recorded: &'ledger StoredObject,
    /// Number of the object among those of the day.
    number: u32,
    object: RawObject,
    digest: ObjectDigest,
    counts: WalkCounts,
}

#[derive(Default)]
struct WalkCounts {
    lines: u64,
    outside: u64,
    untimed: u64,
    doubled: u64,
    changed: u64,
}

/// Ids of a day's records. Only a version whose id comes again can be there twice, so that the
/// others need not be worked out.
#[derive(Default)]
struct Ids {
    /// Number of the object under way.
    object: u32,
    /// Number of the first object that holds each.
    first_in: HashMap<u64, u32>,
    /// Ids that come again.
    again: HashSet<u64>,
    /// Numbers of the objects that hold one of those.
    again_in: BTreeSet<u32>,
}

impl CheckedDay {
    /// Checks the objects of `stream` on `day` against `ledger`.
    pub(super) async fn check(
        archive: &Archive,
        stream: Stream,
        day: NaiveDate,
        found: FoundDay,
    ) -> Self {
        let problems = Vec::new();
        let mut checked = Self { stream, day, objects: 0, records: 0, bytes: 0, problems };
        let FoundDay { ledger, objects, tables } = found;
        match ledger {
            Ok(ledger) => {
                checked.check_tables(archive, &ledger, tables).await;
                checked.check_all(archive, Holdings { stream, day, ledger, objects }).await;
            }
            Err(error) => checked.problems.push(error.to_string()),
        }
        checked
    }

    /// Checks that each read that stored something has its table object, and no other one is there.
    async fn check_tables(
        &mut self,
        archive: &Archive,
        ledger: &Ledger,
        mut tables: BTreeSet<RawObject>,
    ) {
        for RecordedObject { object, table: stored, .. } in objects_on_record(self.stream, ledger) {
            let key = table_key(self.stream, object);
            let address = archive.address(&key);
            if !tables.remove(&object) {
                self.problems
                    .push(format!("{address} is gone, and belongs to a read on record; {REBUILD}"));
                continue;
            }
            // Rows from before format 2 do not say what their table is.
            let Some(stored) = stored else { continue };
            match archive.sha256_of(&key).await {
                Ok(sha256) if sha256 == stored.sha256 => {}
                Ok(_) => self.problems.push(format!(
                    "{address} is not the table that the ledger has on record: its SHA-256 \
                     differs; {REBUILD}"
                )),
                Err(error) => self.problems.push(error.to_string()),
            }
        }
        for object in tables {
            let address = archive.address(&table_key(self.stream, object));
            self.problems.push(format!("{address} belongs to no complete read of the ledger"));
        }
    }

    async fn check_all(&mut self, archive: &Archive, holdings: Holdings) {
        let ledger = &holdings.ledger;
        self.problems
            .extend(rows::problems(self.stream, self.day, ledger, |key| archive.address(key)));
        for object in holdings.objects_without_row() {
            let address = archive.address(&raw_key(self.stream, object));
            self.problems.push(format!(
                "{address} is named by no complete row of the ledger; the next collection puts it \
                 on record"
            ));
        }
        let mut walks = Vec::new();
        let mut ids = Ids::default();
        for reads in named_objects(ledger).into_values() {
            let mut known = HashSet::new();
            for row in reads {
                ids.object += 1;
                walks.extend(self.walk(archive, &holdings, row, &mut ids, &mut known).await);
            }
        }
        self.count_doubled(archive, &mut walks, &ids).await;
        for walk in walks {
            let address = archive.address(&walk.recorded.key);
            let found = walk.problems().into_iter().map(|what| format!("{address} {what}"));
            self.problems.extend(found);
        }
    }

    /// Walks over the object of `row`, where it is there and can be read. `ids` are those of the
    /// day so far, `known` those of the window.
    async fn walk<'ledger>(
        &mut self,
        archive: &Archive,
        holdings: &Holdings,
        row: &'ledger ReadRow,
        ids: &mut Ids,
        known: &mut HashSet<u128>,
    ) -> Option<Walk<'ledger>> {
        let recorded = row.object()?;
        let object = parse_raw_key(self.stream, &recorded.key)?;
        if !holdings.objects.contains(&object) {
            let address = archive.address(&recorded.key);
            self.problems.push(format!("{address} is gone, and the ledger has it on record"));
            return None;
        }
        let mut counts = WalkCounts::default();
        let mut here = HashSet::new();
        let read = archive.read_object(self.stream, object, |mut line| {
            counts.lines += 1;
            let id = line.id();
            let time = line.time();
            let window = row.window.start()..row.window.end();
            counts.outside += u64::from(time.is_some_and(|time| !window.contains(&time)));
            counts.untimed += u64::from(time.is_none());
            counts.changed += u64::from(known.contains(&id));
            ids.meet(id);
            here.insert(id);
        });
        let read = read.await;
        known.extend(here);
        match read {
            Err(error) => {
                self.problems.push(error.to_string());
                None
            }
            Ok(ObjectRead { digest, .. }) => {
                self.objects += 1;
                self.records += counts.lines;
                self.bytes += digest.bytes;
                Some(Walk { row, recorded, number: ids.object, object, digest, counts })
            }
        }
    }

    /// Counts the versions in each object that an earlier one of the day holds too, by reading again
    /// the objects with an id that comes again.
    async fn count_doubled(&mut self, archive: &Archive, walks: &mut [Walk<'_>], ids: &Ids) {
        let mut versions = HashSet::new();
        for walk in walks.iter_mut().filter(|walk| ids.again_in.contains(&walk.number)) {
            let read = archive.read_object(self.stream, walk.object, |mut line| {
                if ids.again.contains(&short(line.id())) {
                    let is_new = versions.insert(line.record().version);
                    walk.counts.doubled += u64::from(!is_new);
                }
            });
            match read.await {
                Ok(read) if read.digest == walk.digest => {}
                Ok(_) => {
                    let address = archive.address(&walk.recorded.key);
                    self.problems.push(format!("{address} changed while it was checked"));
                }
                Err(error) => self.problems.push(error.to_string()),
            }
        }
    }
}

/// Half of an id. Two ids that share it cost a needless look, and a day of a million records half
/// the memory.
fn short(id: u128) -> u64 {
    u64::try_from(id >> 64).unwrap_or_default()
}

impl Ids {
    /// Takes in the id of a record of the object under way.
    fn meet(&mut self, id: u128) {
        let id = short(id);
        match self.first_in.entry(id) {
            Entry::Vacant(new) => drop(new.insert(self.object)),
            Entry::Occupied(first) => {
                self.again.insert(id);
                self.again_in.extend([*first.get(), self.object]);
            }
        }
    }
}

impl Walk<'_> {
    fn problems(&self) -> Vec<String> {
        let Self { row, recorded, digest: found, counts: walked, .. } = self;
        let mut problems = Vec::new();
        if recorded.sha256 != found.sha256 {
            problems.push(
                "is not the object that the ledger has on record: its SHA-256 differs".to_owned(),
            );
        }
        if recorded.records_root.as_ref().is_some_and(|root| *root != found.records_root) {
            problems.push("does not hold the lines that records_root is of".to_owned());
        }
        if recorded.bytes != found.bytes {
            let [here, on_record] = [found.bytes, recorded.bytes].map(thousands);
            problems.push(format!("has {here} bytes, and the ledger has {on_record} on record"));
        }
        let counts = row.counts();
        for (what, found, on_record) in [
            ("record", walked.lines, counts.new),
            ("changed record", walked.changed, counts.changed),
        ] {
            // The identity of versions was another one before format 2, and so was what counts as
            // changed.
            if found != on_record && (row.origin.is_some() || what == "record") {
                let found = count(found, what);
                problems.push(format!(
                    "holds {found}, and the ledger has {} on record",
                    thousands(on_record)
                ));
            }
        }
        if walked.untimed > counts.untimed && row.origin.is_some() {
            let untimed = count(walked.untimed, "record");
            problems.push(format!(
                "holds {untimed} without a readable time, and the ledger has {} on record",
                thousands(counts.untimed)
            ));
        }
        if walked.outside > 0 {
            problems.push(format!("holds {} outside its window", count(walked.outside, "record")));
        }
        if walked.doubled > 0 && row.origin.is_some() {
            problems.push(format!(
                "holds {} that the day already holds",
                count(walked.doubled, "record version")
            ));
        }
        problems
    }
}

/// The rows that name an object, of each window in the order of their reads, each object once.
fn named_objects(ledger: &Ledger) -> BTreeMap<Window, Vec<&ReadRow>> {
    let mut named: BTreeMap<Window, Vec<&ReadRow>> = BTreeMap::new();
    for row in ledger.reads_with_object() {
        named.entry(row.window).or_default().push(row);
    }
    named
}

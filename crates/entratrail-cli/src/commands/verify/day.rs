//! One stream and day: what the ledger says, and whether the objects are that.

use super::ledgers::FoundDay;
use super::rows;
use crate::terminal::numbers::{count, thousands};
use chrono::NaiveDate;
use entratrail::archive::Archive;
use entratrail::ledger::{Ledger, ReadRow, StoredObject};
use entratrail::log::Stream;
use entratrail::object::{parse_raw_key, raw_key, table_key};
use entratrail::plan::{Holdings, RawObject, RecordedObject, objects_on_record};
use entratrail::raw::ObjectDigest;
use entratrail::record::{Record, Version};
use entratrail::window::Window;
use std::collections::{BTreeMap, BTreeSet, HashSet};

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

/// Counts of one walk over an object.
#[derive(Default)]
struct Walk {
    lines: u64,
    outside: u64,
    untimed: u64,
    doubled: u64,
    changed: u64,
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
        let mut versions = HashSet::new();
        for reads in named_objects(ledger).into_values() {
            let mut known = HashSet::new();
            for row in reads {
                self.check_object(archive, &holdings, row, &mut versions, &mut known).await;
            }
        }
    }

    /// Checks the object of `row`. `versions` are those of the day so far, `known` the records of
    /// the window so far.
    async fn check_object(
        &mut self,
        archive: &Archive,
        holdings: &Holdings,
        row: &ReadRow,
        versions: &mut HashSet<Version>,
        known: &mut HashSet<u128>,
    ) {
        let Some(recorded) = row.object() else { return };
        let address = archive.address(&recorded.key);
        let Some(object) = parse_raw_key(self.stream, &recorded.key) else { return };
        if !holdings.objects.contains(&object) {
            return self
                .problems
                .push(format!("{address} is gone, and the ledger has it on record"));
        }
        let mut walk = Walk::default();
        let mut ids = HashSet::new();
        let read = archive.read_object(self.stream, object, |record: Record, _: &[u8]| {
            walk.lines += 1;
            let window = row.window.start()..row.window.end();
            walk.outside += u64::from(record.time.is_some_and(|time| !window.contains(&time)));
            walk.untimed += u64::from(record.time.is_none());
            walk.doubled += u64::from(!versions.insert(record.version));
            walk.changed += u64::from(known.contains(&record.id));
            ids.insert(record.id);
        });
        match read.await {
            Err(error) => self.problems.push(error.to_string()),
            Ok(stored) => {
                self.objects += 1;
                self.records += walk.lines;
                self.bytes += stored.digest.bytes;
                let found = walk.problems(row, recorded, &stored.digest);
                self.problems.extend(found.into_iter().map(|what| format!("{address} {what}")));
            }
        }
        known.extend(ids);
    }
}

impl Walk {
    fn problems(
        &self,
        row: &ReadRow,
        recorded: &StoredObject,
        found: &ObjectDigest,
    ) -> Vec<String> {
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
        for (what, found, on_record) in
            [("record", self.lines, counts.new), ("changed record", self.changed, counts.changed)]
        {
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
        if self.untimed > counts.untimed && row.origin.is_some() {
            let untimed = count(self.untimed, "record");
            problems.push(format!(
                "holds {untimed} without a readable time, and the ledger has {} on record",
                thousands(counts.untimed)
            ));
        }
        if self.outside > 0 {
            problems.push(format!("holds {} outside its window", count(self.outside, "record")));
        }
        if self.doubled > 0 && row.origin.is_some() {
            problems.push(format!(
                "holds {} that were stored before that day",
                count(self.doubled, "record version")
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

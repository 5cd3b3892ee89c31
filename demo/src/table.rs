//! The objects that arrived: one line for each object of the bucket.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use chrono::Utc;
use entratrail::ledger::{Ledger, Proof, StreamHistory};

/// One object, as the ledger tells it.
struct Line {
    stream: String,
    day: String,
    records: u64,
    state: String,
    bytes: u64,
    object: String,
}

/// The table of all objects that the ledgers in `objects` name.
pub(crate) fn of(objects: &BTreeMap<String, Vec<u8>>) -> String {
    let mut table = format!(
        "  {:<20}{:<12}{:>8}  {:<10}{:>6}  {}\n",
        "stream", "day", "records", "state", "KB", "object"
    );
    let mut records = 0;
    let mut bytes = 0;
    for line in lines(objects) {
        let Line { stream, day, state, object, .. } = &line;
        let kilobytes = line.bytes.div_ceil(1024);
        let count = thousands(line.records);
        writeln!(table, "  {stream:<20}{day:<12}{count:>8}  {state:<10}{kilobytes:>6}  {object}")
            .unwrap_or_default();
        records += line.records;
        bytes += line.bytes;
    }
    let count = thousands(records);
    let kilobytes = thousands(bytes.div_ceil(1024));
    writeln!(table, "  {:<32}{count:>8}  {:<10}{kilobytes:>6}", "together", "").unwrap_or_default();
    table
}

/// Number of complete reads on record.
pub(crate) fn complete_reads(objects: &BTreeMap<String, Vec<u8>>) -> usize {
    let rows =
        ledgers(objects).map(|(_, ledger)| ledger.rows().filter(|row| row.is_complete()).count());
    rows.sum()
}

/// A number with commas.
pub(crate) fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let groups: Vec<_> = digits.as_bytes().rchunks(3).rev().map(String::from_utf8_lossy).collect();
    groups.join(",")
}

fn lines(objects: &BTreeMap<String, Vec<u8>>) -> Vec<Line> {
    let mut lines = Vec::new();
    for (key, ledger) in ledgers(objects) {
        let proof = Proof::of_reader(history(objects, key), Utc::now());
        for row in ledger.rows().filter(|row| row.is_complete()) {
            let Some(object) = row.object() else { continue };
            lines.push(Line {
                stream: stream(key).to_owned(),
                day: row.window.day().to_string(),
                records: row.counts().new,
                state: proof.state(&ledger, row.window).word().to_owned(),
                bytes: object.bytes,
                object: object.key.clone(),
            });
        }
    }
    lines
}

/// The ledgers that can be read, by key.
fn ledgers(objects: &BTreeMap<String, Vec<u8>>) -> impl Iterator<Item = (&str, Ledger)> {
    let files = objects.iter().filter(|(key, _)| key.starts_with("ledger/"));
    files.filter_map(|(key, body)| Some((key.as_str(), Ledger::parse(body).ok()?)))
}

/// Sums up the ledgers of the stream of `key`.
fn history(objects: &BTreeMap<String, Vec<u8>>, key: &str) -> StreamHistory {
    let mut history = StreamHistory::default();
    for (_, ledger) in ledgers(objects).filter(|(other, _)| stream(other) == stream(key)) {
        history.add(&ledger);
    }
    history
}

/// The stream that a ledger belongs to: the event type, or the log.
fn stream(key: &str) -> &str {
    let folder = key.rsplit('/').nth(1).unwrap_or_default();
    folder.strip_prefix("event_type=").unwrap_or(folder)
}

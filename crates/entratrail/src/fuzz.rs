//! What is asked of everything that reads foreign bytes: no panic, errors of bounded length, forms
//! that stay as they are.
//!
//! Compiled for tests, and under cargo-fuzz, whose targets can call the same functions as the short
//! run below.

#![expect(clippy::missing_panics_doc, reason = "a panic is how a target tells of a fault")]

use crate::config::Config;
use crate::entra::credential::{Application, Credential};
use crate::entra::credential_source::CredentialSource;
use crate::entra::token_error::{TokenError, TokenErrorBody};
use crate::evidence::Broken;
use crate::evidence::checkpoint::Checkpoint;
use crate::evidence::entry::LogEntry;
use crate::evidence::head::Head;
use crate::evidence::note::{SignedNote, VerifierKey};
use crate::evidence::proof::Inclusion;
use crate::evidence::tiles::{Tile, bundle_of, entries_of};
use crate::evidence::time_stamp::StampQuery;
use crate::graph::page::Page;
use crate::ledger::{
    Ledger, Proof, ReadRow, StreamHistory, day_state, needs_kept_since, stretches,
};
use crate::log::Log;
use crate::raw::{Line, ObjectDigest, RawDecoder};
use crate::request::Request;
use chrono::{DateTime, TimeDelta, Utc};
use std::sync::Arc;
use tokio::sync::Mutex;

/// Bytes that no error exceeds, whatever was read.
const LONGEST_ERROR: usize = 2_000;

/// 2026-12-01, a few days after the reads of the corpus.
const NOW: DateTime<Utc> = DateTime::from_timestamp(1_796_083_200, 0).unwrap();

fn check_length(error: &impl ToString) {
    let error = error.to_string();
    assert!(error.len() <= LONGEST_ERROR, "an error of {} bytes", error.len());
}

/// Reads a ledger and asks it everything.
pub fn ledger(bytes: &[u8]) {
    let ledger = match Ledger::parse(bytes) {
        Ok(ledger) => ledger,
        Err(damage) => return check_length(&damage.what),
    };
    let body = bytes.strip_suffix(b"\n").unwrap_or(bytes);
    assert_eq!(ledger.to_text().strip_suffix(b"\n"), Some(body), "rows are carried byte for byte");
    let proof = Proof::of_reader(StreamHistory::of([&ledger]), NOW);
    for window in ledger.windows_on_record() {
        let _ = proof.is_due(&ledger, window, Some(TimeDelta::days(5)), NOW);
        let _ = (proof.owed_since(&ledger, window), proof.doubt(&ledger, window));
        let _ = (ledger.next_read(window), needs_kept_since(&ledger, window, NOW));
        let minutes: i64 = stretches(window.day(), &ledger, &proof)
            .iter()
            .map(|part| (part.end - part.start).num_minutes())
            .sum();
        assert_eq!(minutes, 1440, "a day is told of minute by minute");
        let _ = day_state(window.day(), &ledger, &proof);
    }
    let _ = ledger.reads_with_object();
    for row in ledger.rows() {
        let _ = row.named_object().and_then(|object| ledger.table_of(&object.key));
        let _ = ledger.still_has(&ledger.basis(row.window), row);
        assert!(ledger.clone().append(row.clone()).is_ok());
        let Ok(line) = row.to_line() else { panic!("a row that was read cannot be written") };
        let again = ReadRow::parse(&line).map(|row| row.to_line().ok());
        assert_eq!(again, Ok(Some(line)), "a row that is written again stays the same");
    }
}

/// Reads a raw object in one piece and in small ones.
pub fn raw_lines(bytes: &[u8]) {
    let whole = decoded(bytes, bytes.len().max(1));
    assert_eq!(whole, decoded(bytes, 7), "pieces change nothing");
    if let Some((lines, digest)) = whole {
        assert_eq!((lines.len() as u64, bytes.len() as u64), (digest.lines, digest.bytes));
    }
}

/// Lines and digest of a raw object that is read in pieces of `size`.
fn decoded(bytes: &[u8], size: usize) -> Option<(Vec<Vec<u8>>, ObjectDigest)> {
    let mut lines = Vec::new();
    let mut decoder = RawDecoder::new(Log::SignIns.time_field());
    for chunk in bytes.chunks(size) {
        decoder.push(chunk, |line| lines.push(checked(line))).ok()?;
    }
    let digest = decoder.finish(|line| lines.push(checked(line))).ok()?;
    Some((lines, digest))
}

/// Holds what a line tells at once against its record, and returns its bytes.
fn checked(mut line: Line<'_>) -> Vec<u8> {
    let record = line.record();
    assert_eq!((line.id(), line.time()), (record.id, record.time), "one record has one name");
    line.json().to_vec()
}

/// Reads a page of Graph's and its records.
pub fn page(bytes: &[u8]) {
    let Ok(buffer) = Arc::new(Mutex::new(bytes.to_vec())).try_lock_owned() else { return };
    match Page::parse(buffer) {
        Ok(page) => {
            for log in Log::ALL {
                let records = page.records(log);
                assert_eq!(records.len(), page.record_count());
                assert!(
                    records.iter().all(|(_, json)| memchr::memmem::find(bytes, json).is_some()),
                    "a record is what was served"
                );
            }
        }
        Err(at) => assert!(at <= bytes.len() + 1, "byte {at} of {}", bytes.len()),
    }
}

/// Reads a refusal of the token endpoint; the first two bytes are the status.
pub fn token_answer(bytes: &[u8]) {
    let Some((status, body)) = bytes.split_first_chunk() else { return };
    let application = Application {
        tenant_id: "contoso.example".to_owned(),
        client_id: "app-1".to_owned(),
        credential: Credential::Secret("s".into()),
        source: CredentialSource::Parameters,
    };
    match TokenErrorBody::read(body).explain(u16::from_be_bytes(*status), &application) {
        TokenError::Fatal(error) | TokenError::NotPropagated(error) => {
            assert!(!error.to_string().contains(char::is_control), "a control character is quoted");
            check_length(&error);
        }
        TokenError::Retry | TokenError::Pending | TokenError::SlowDown => {}
    }
}

/// Reads an event, and the one that follows it.
pub fn event(bytes: &[u8]) {
    let Ok(event) = serde_json::from_slice(bytes) else { return };
    match Request::parse(&event) {
        Ok(Request::Collect(collect)) => {
            if let Some(next) = collect.next_event(NOW) {
                let Ok(Request::Collect(next)) = Request::parse(&next) else {
                    panic!("an event that follows another is none")
                };
                assert_eq!((next.span, next.hop), (collect.span, collect.hop + 1));
            }
        }
        Ok(Request::Check) => {}
        Err(error) => check_length(&error),
    }
}

/// Reads settings from lines `NAME=VALUE`.
pub fn settings(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let variables: Vec<_> = text.lines().filter_map(|line| line.split_once('=')).collect();
    let config = Config::read(|name| {
        variables.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
    });
    match config {
        Ok(config) => {
            let _ = config.secret_days_left(NOW);
        }
        Err(error) => check_length(&error),
    }
}

/// Reads bytes as each part of a signed log: keys, notes, proofs, the head, entries, bundles, and
/// the answer of a time-stamp service.
pub fn evidence(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    if let Ok(keys) = VerifierKey::parse_all(&text).inspect_err(check_link) {
        for key in keys {
            assert_eq!(VerifierKey::parse(&key.to_string()), Ok(key), "a key is read as written");
        }
    }
    if let Ok(note) = SignedNote::parse(bytes).inspect_err(check_link) {
        match Checkpoint::of(&note) {
            Ok(checkpoint) => assert!(text.starts_with(&checkpoint.to_text())),
            Err(error) => check_link(&error),
        }
    }
    if let Ok((path, _)) = Inclusion::parse(&text).inspect_err(check_link) {
        let _ = (path.root([7; 32], 9), path.root([7; 32], u64::MAX));
        assert_eq!(Inclusion::parse(&path.to_text("")).map(|(path, _)| path), Ok(path));
    }
    if let Ok(head) = Head::parse(bytes).inspect_err(check_link) {
        assert_eq!(head.to_bytes().map(|body| Head::parse(&body)).ok(), Some(Ok(head)));
    }
    if let Err(error) = LogEntry::parse(&text) {
        check_link(&error);
    }
    for tile in Tile::bundles(2).chain(Tile::bundles(300)) {
        if let Ok(entries) = entries_of(bytes, tile).inspect_err(check_link) {
            assert_eq!(bundle_of(&entries), bytes, "a bundle is read byte for byte");
        }
    }
    let _ = StampQuery::of(b"a checkpoint\n", [1; 8]).check(bytes).inspect_err(check_link);
}

fn check_link(error: &Broken) {
    assert!(!error.0.contains(char::is_control), "a control character is quoted");
    check_length(error);
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    /// Plays the corpus of a target, then mutations of it: bytes changed, removed, repeated, and
    /// inputs spliced.
    fn play(name: &str, target: fn(&[u8])) {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus").join(name);
        let mut paths: Vec<_> =
            std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        paths.sort();
        let corpus: Vec<_> = paths.iter().map(|path| std::fs::read(path).unwrap()).collect();
        assert!(!corpus.is_empty());
        for input in &corpus {
            target(input);
        }
        let mut random = fastrand::Rng::with_seed(16);
        for _ in 0..2_000 {
            let mut input = corpus[random.usize(..corpus.len())].clone();
            for _ in 0..random.usize(1..4) {
                mutate(&mut input, &corpus, &mut random);
            }
            target(&input);
        }
    }

    fn mutate(input: &mut Vec<u8>, corpus: &[Vec<u8>], random: &mut fastrand::Rng) {
        let at = random.usize(..=input.len());
        let end = random.usize(at..=input.len().min(at + 40));
        match random.u8(..5) {
            0 => input[at..end].iter_mut().take(1).for_each(|byte| *byte = random.u8(..)),
            1 => input[at..end].iter_mut().take(1).for_each(|byte| *byte = random.u8(b' '..=b'~')),
            2 => drop(input.drain(at..end)),
            3 => input.extend_from_within(at..end),
            _ => {
                let other = &corpus[random.usize(..corpus.len())];
                input.truncate(at);
                input.extend_from_slice(&other[at.min(other.len())..]);
            }
        }
    }

    #[test]
    fn foreign_ledgers_are_read_or_refused() {
        play("ledger", ledger);
    }

    #[test]
    fn foreign_raw_objects_are_read_or_refused() {
        play("raw_lines", raw_lines);
    }

    #[test]
    fn foreign_pages_are_read_or_refused() {
        play("page", page);
    }

    #[test]
    fn foreign_token_answers_are_read_or_refused() {
        play("token_answer", token_answer);
    }

    #[test]
    fn foreign_events_are_read_or_refused() {
        play("event", event);
    }

    #[test]
    fn foreign_settings_are_read_or_refused() {
        play("settings", settings);
    }

    #[test]
    fn foreign_evidence_is_read_or_refused() {
        play("evidence", evidence);
    }
}

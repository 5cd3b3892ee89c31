//! `entratrail check`: does a folder of `prove` hold? Needs no archive.

use crate::arguments::CheckArguments;
use crate::output::say;
use crate::prove::{ENTRY, ENTRY_PROOF, RECORD, RECORD_PROOF};
use crate::status::Status;
use crate::verify::Keys;
use entratrail::error::Error;
use entratrail::evidence::Broken;
use entratrail::evidence::checkpoint::Checkpoint;
use entratrail::evidence::entry::LogEntry;
use entratrail::evidence::note::{SignedNote, VerifierKey};
use entratrail::evidence::proof::Inclusion;
use entratrail::ledger::ReadRow;
use entratrail::merkle::leaf_hash;
use entratrail::raw::hexadecimal;
use std::path::Path;

/// Checks the folder that `arguments` name.
pub(crate) fn check(arguments: &CheckArguments) -> Result<Status, Error> {
    let keys = Keys::read(&arguments.key)?;
    match check_folder(&arguments.folder, &keys.0) {
        Ok(sentence) => {
            say(&format!("Yes: {sentence}"));
            Ok(Status::AllDone)
        }
        Err(broken) => {
            say(&format!("No: {broken}"));
            Ok(Status::SomethingLeft)
        }
    }
}

/// Follows the chain from the record to the signature; the sentence says what that shows.
fn check_folder(folder: &Path, keys: &[VerifierKey]) -> Result<String, Broken> {
    let record = read(folder, RECORD)?;
    let entry = read(folder, ENTRY)?;
    let named = |name: &'static str| move |broken: Broken| Broken(format!("{name}: {broken}"));
    let record_proof = text(folder, RECORD_PROOF)?;
    let (record_path, _) = Inclusion::parse(&record_proof).map_err(named(RECORD_PROOF))?;
    let entry_proof = text(folder, ENTRY_PROOF)?;
    let (entry_path, note) = Inclusion::parse(&entry_proof).map_err(named(ENTRY_PROOF))?;
    let note = SignedNote::parse(note.as_bytes()).map_err(named("the checkpoint"))?;
    let signers = note.signers(keys).map_err(named("the checkpoint"))?;
    let checkpoint = Checkpoint::of(&note).map_err(named("the checkpoint"))?;
    if !signers.iter().any(|key| key.name() == checkpoint.origin) {
        return Err(Broken("the checkpoint is of another log than the key".to_owned()));
    }
    if entry_path.root(leaf_hash(&entry), checkpoint.tree.size) != Some(checkpoint.tree.root) {
        return Err(Broken(format!(
            "{ENTRY_PROOF} does not lead from {ENTRY} to the root in the checkpoint"
        )));
    }
    let row = row_of(&entry)?;
    let object = row.object().ok_or_else(|| Broken(format!("{ENTRY} is no read that stored an object")))?;
    let root = record_path.root(leaf_hash(&record), row.counts().new);
    if root.map(|root| hexadecimal(&root)) != object.records_root {
        let what = format!("{RECORD_PROOF} does not lead from {RECORD} to records_root in {ENTRY}");
        return Err(Broken(what));
    }
    Ok(format!(
        "the record is line {} of {}, stored by the read that started at {}, which is entry {} of \
         the {} that {} has signed",
        record_path.index + 1,
        object.key,
        row.started_at.to_rfc3339_opts(chrono::SecondsFormat::Secs, true),
        entry_path.index + 1,
        checkpoint.tree.size,
        checkpoint.origin
    ))
}

fn row_of(entry: &[u8]) -> Result<ReadRow, Broken> {
    let damaged = || Broken(format!("{ENTRY} is no row of a ledger"));
    match LogEntry::parse(std::str::from_utf8(entry).map_err(|_| damaged())?)? {
        LogEntry::Row { line, .. } => ReadRow::parse(&line).map_err(|_| damaged()),
        LogEntry::NewKey(_) => Err(damaged()),
    }
}

fn read(folder: &Path, name: &str) -> Result<Vec<u8>, Broken> {
    std::fs::read(folder.join(name)).map_err(|error| Broken(format!("{name} could not be read ({error})")))
}

fn text(folder: &Path, name: &str) -> Result<String, Broken> {
    String::from_utf8(read(folder, name)?).map_err(|_| Broken(format!("{name} is no text")))
}

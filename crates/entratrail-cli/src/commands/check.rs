//! `entratrail check`: does a folder of `prove` hold? Needs no archive.

pub(crate) mod arguments;

use crate::commands::proof_folder::{ENTRY, RECORD, RECORD_PROOF, key_change, proof_of};
use crate::commands::verifier_keys::VerifierKeys;
use crate::commands::witness::{Sighting, Witnesses};
use crate::status::Status;
use crate::terminal::output::print_line;
use arguments::CheckArguments;
use entratrail::error::Error;
use entratrail::evidence::Broken;
use entratrail::evidence::checkpoint::Checkpoint;
use entratrail::evidence::entry::LogEntry;
use entratrail::evidence::note::{SignedNote, VerifierKey};
use entratrail::evidence::proof::Inclusion;
use entratrail::ledger::ReadRow;
use entratrail::merkle::leaf_hash;
use entratrail::named_file;
use entratrail::raw::hexadecimal;
use std::path::Path;

/// Bytes of the longest file of a proof: a record, which is larger than all others, has at most
/// half as many.
const LONGEST_PART: u64 = 64 * 1024 * 1024;

/// Checks the folder that `arguments` name.
pub(crate) fn check(arguments: &CheckArguments) -> Result<Status, Error> {
    let keys = VerifierKeys::read(&arguments.key)?;
    let witnesses = Witnesses::read(arguments.witnesses.as_deref(), Some(&keys))?;
    match check_folder(&arguments.folder, &keys.0, &witnesses) {
        Ok((sentence, seen)) => {
            print_line(&format!("Yes: {sentence}"));
            for sighting in seen {
                print_line(&format!("  {sighting}"));
            }
            Ok(Status::AllDone)
        }
        Err(broken) => {
            print_line(&format!("No: {broken}"));
            Ok(Status::SomethingLeft)
        }
    }
}

/// Entry that is in a log, and the checkpoint to which its proof leads.
struct ProvedEntry {
    entry: Vec<u8>,
    index: u64,
    note: SignedNote,
    checkpoint: Checkpoint,
}

/// Follows the chain from the record to the signature; the sentence says what that shows, and
/// beside it stands what witnesses say of the checkpoint.
fn check_folder(
    folder: &Path,
    given: &[VerifierKey],
    witnesses: &Witnesses,
) -> Result<(String, Vec<Sighting>), Broken> {
    let keys = with_new_keys(folder, given)?;
    let record = read(folder, RECORD)?;
    let record_proof = text(folder, RECORD_PROOF)?;
    let (record_path, _) = Inclusion::parse(&record_proof).map_err(named(RECORD_PROOF))?;
    let ProvedEntry { entry, index, note, checkpoint } = proved_entry(folder, ENTRY)?;
    let signers = note.signers(&keys).map_err(named("the checkpoint"))?;
    if !signers.iter().any(|key| key.name() == checkpoint.origin) {
        return Err(Broken("the checkpoint is of another log than the key".to_owned()));
    }
    let row = row_of(&entry)?;
    let object =
        row.object().ok_or_else(|| Broken(format!("{ENTRY} is no read that stored an object")))?;
    let root = record_path.root(leaf_hash(&record), row.counts().new);
    if root.map(|root| hexadecimal(&root)) != object.records_root {
        let what = format!("{RECORD_PROOF} does not lead from {RECORD} to records_root in {ENTRY}");
        return Err(Broken(what));
    }
    let seen = witnesses.sightings(&note);
    if let Some(wrong) = seen.iter().find(|sighting| sighting.is_wrong()) {
        return Err(Broken(format!("the checkpoint: {wrong}")));
    }
    let sentence = format!(
        "the record is line {} of {}, stored by the read that started at {}, which is entry {} of \
         the {} that {} has signed",
        record_path.index + 1,
        object.key,
        row.started_at.to_rfc3339_opts(chrono::SecondsFormat::Secs, true),
        index + 1,
        checkpoint.tree.size,
        checkpoint.origin
    );
    Ok((sentence, seen))
}

/// Keys that may have signed: those that are given, and each to which a log of one of them has
/// changed.
fn with_new_keys(folder: &Path, given: &[VerifierKey]) -> Result<Vec<VerifierKey>, Broken> {
    let mut keys = given.to_vec();
    for name in (1..).map(key_change).take_while(|name| folder.join(name).exists()) {
        let proved = proved_entry(folder, &name)?;
        let is_trusted = proved.note.signers(&keys).is_ok();
        let LogEntry::NewKey(new) = LogEntry::parse(&String::from_utf8_lossy(&proved.entry))?
        else {
            return Err(Broken(format!("{name} is no change of the key")));
        };
        if is_trusted && proved.note.signers(std::slice::from_ref(&new)).is_ok() {
            keys.push(new);
        }
    }
    Ok(keys)
}

/// Checks that the entry of that name is in the log of its checkpoint, whoever signed that.
fn proved_entry(folder: &Path, name: &str) -> Result<ProvedEntry, Broken> {
    let entry = read(folder, name)?;
    let proof_name = proof_of(name);
    let proof = text(folder, &proof_name)?;
    let (path, note) = Inclusion::parse(&proof).map_err(named(&proof_name))?;
    let note = SignedNote::parse(note.as_bytes()).map_err(named(&proof_name))?;
    let checkpoint = Checkpoint::of(&note).map_err(named(&proof_name))?;
    if path.root(leaf_hash(&entry), checkpoint.tree.size) != Some(checkpoint.tree.root) {
        return Err(Broken(format!(
            "{proof_name} does not lead from {name} to the root in its checkpoint"
        )));
    }
    Ok(ProvedEntry { entry, index: path.index, note, checkpoint })
}

fn named(place: &str) -> impl Fn(Broken) -> Broken {
    move |broken| Broken(format!("{place}: {broken}"))
}

fn row_of(entry: &[u8]) -> Result<ReadRow, Broken> {
    let damaged = Broken(format!("{ENTRY} is no row of a ledger"));
    let Ok(entry) = std::str::from_utf8(entry) else { return Err(damaged) };
    match LogEntry::parse(entry)? {
        LogEntry::Row { line, .. } => ReadRow::parse(&line).map_err(|_| damaged),
        LogEntry::NewKey(_) => Err(damaged),
    }
}

fn read(folder: &Path, name: &str) -> Result<Vec<u8>, Broken> {
    named_file::read(&folder.join(name), LONGEST_PART)
        .map_err(|error| Broken(format!("{name} could not be read ({error})")))
}

fn text(folder: &Path, name: &str) -> Result<String, Broken> {
    String::from_utf8(read(folder, name)?).map_err(|_| Broken(format!("{name} is no text")))
}

//! `entratrail prove`: a folder that shows to anybody that one record is in the signed log.

pub(crate) mod arguments;

use crate::commands::proof_folder::{ENTRY, RECORD, RECORD_PROOF, key_change, proof_of};
use crate::commands::verifier_keys::VerifierKeys;
use crate::status::Status;
use crate::terminal::output::print_line;
use arguments::ProveArguments;
use chrono::NaiveDate;
use entratrail::archive::{Access, Archive};
use entratrail::error::Error;
use entratrail::evidence::audit::{SignedLog, Unsound};
use entratrail::evidence::cosigned::cosigned;
use entratrail::evidence::entry::LogEntry;
use entratrail::evidence::proof::Inclusion;
use entratrail::ledger::ReadRow;
use entratrail::log::Stream;
use entratrail::merkle::{Hash, leaf_hash};
use entratrail::object::{ledger_key, parse_raw_key};
use entratrail::record::record_id;
use futures_util::StreamExt as _;
use std::path::Path;
use std::pin::pin;

/// Version of a record, with all that leads to its row.
struct FoundVersion {
    stream: Stream,
    row: ReadRow,
    line: Vec<u8>,
    leaves: Vec<Hash>,
    index: usize,
}

/// Writes the proof of the record that `arguments` name.
pub(crate) async fn prove(arguments: &ProveArguments) -> Result<Status, Error> {
    let keys = VerifierKeys::read(&arguments.key)?;
    let archive = arguments.archive.open(Access::Read).await?;
    let (found, versions) = newest(&archive, &arguments.id).await?;
    let Some(found) = found else {
        return Err(Error::archive(format!("no record with that id is in {}", arguments.archive)));
    };
    let signed = match SignedLog::read(&archive, found.stream.log(), &keys.0).await {
        Ok(Some(signed)) => signed,
        Ok(None) => {
            return Err(Error::archive(format!("{} is without a signed log", arguments.archive)));
        }
        Err(Unsound::Broken(broken)) => return Err(Error::archive(broken.to_string())),
        Err(Unsound::Unread(error)) => return Err(error),
    };
    let file = ledger_key(found.stream, found.row.window.day());
    let index = signed.entries.iter().position(|entry| match LogEntry::parse(entry) {
        Ok(LogEntry::Row { file: of, line }) => {
            of == file && ReadRow::parse(&line).is_ok_and(|row| row == found.row)
        }
        _ => false,
    });
    let Some(index) = index else {
        return Err(Error::archive("the row of that record is not in the signed log yet")
            .with_remedy("try again after the next run, which signs it"));
    };
    let (entry_proof, checkpoint) = match first_cosigned(&archive, &signed, index).await? {
        Some((size, note)) => (signed.proof_at(index, size, &note), note),
        None => (signed.proof(index), signed.note.clone()),
    };
    let record_proof = Inclusion::of(&found.leaves, found.index).to_text("");
    let mut files = vec![
        (RECORD.to_owned(), found.line),
        (RECORD_PROOF.to_owned(), record_proof.into_bytes()),
        (ENTRY.to_owned(), signed.entries[index].clone().into_bytes()),
        (proof_of(ENTRY), entry_proof.into_bytes()),
        ("checkpoint".to_owned(), checkpoint.into_bytes()),
        ("README.txt".to_owned(), EXPLANATION.as_bytes().to_owned()),
    ];
    for (number, change) in signed.key_changes(&archive).await?.iter().enumerate() {
        let name = key_change(number + 1);
        files.push((proof_of(&name), signed.proof_of_change(change).into_bytes()));
        files.push((name, signed.entries[change.index].clone().into_bytes()));
    }
    write(&arguments.out, &files)?;
    let others =
        if versions > 1 { format!(" (the newest of {versions} versions)") } else { String::new() };
    print_line(&format!(
        "{} shows that this record{others} is in the signed log.",
        arguments.out.display()
    ));
    Ok(Status::AllDone)
}

/// Version of the record that was stored last, and how many there are.
async fn newest(archive: &Archive, id: &str) -> Result<(Option<FoundVersion>, u32), Error> {
    let wanted = record_id(id);
    let mut newest: Option<FoundVersion> = None;
    let mut versions = 0;
    for stream in Stream::all() {
        let days = archive.list(stream, NaiveDate::default()).await?.ledgers.into_iter().collect();
        let mut ledgers = pin!(archive.ledgers(stream, days));
        while let Some((_, ledger)) = ledgers.next().await {
            for row in ledger?.reads_with_object() {
                let Some(object) =
                    row.object().and_then(|object| parse_raw_key(stream, &object.key))
                else {
                    continue;
                };
                let mut leaves = Vec::new();
                let mut hit = None;
                archive
                    .read_object(stream, object, |mut line| {
                        if line.id() == wanted {
                            hit = Some((leaves.len(), line.json().to_owned()));
                            versions += 1;
                        }
                        leaves.push(leaf_hash(line.json()));
                    })
                    .await?;
                let is_newer =
                    newest.as_ref().is_none_or(|known| known.row.started_at <= row.started_at);
                if let Some((index, line)) = hit.filter(|_| is_newer) {
                    newest = Some(FoundVersion { stream, row: row.clone(), line, leaves, index });
                }
            }
        }
    }
    Ok((newest, versions))
}

/// Size and note of the first checkpoint with the entry `index` that witnesses have signed, where
/// a key that is given, or one after it, has signed it too.
async fn first_cosigned(
    archive: &Archive,
    signed: &SignedLog,
    index: usize,
) -> Result<Option<(u64, String)>, Error> {
    let covers = cosigned(archive, signed).await?.into_iter();
    let mut covers = covers.filter(|kept| kept.size > index as u64);
    Ok(covers.find_map(|kept| {
        let note = kept.note.ok().filter(|note| signed.check_note(note).is_ok())?;
        Some((kept.size, note.to_text()))
    }))
}

fn write(folder: &Path, files: &[(String, Vec<u8>)]) -> Result<(), Error> {
    write_all(folder, files).map_err(|error| {
        Error::disk(format!("{} could not be written ({error})", folder.display()))
            .with_remedy("name a new folder")
            .with_source(error)
    })
}

fn write_all(folder: &Path, files: &[(String, Vec<u8>)]) -> std::io::Result<()> {
    std::fs::create_dir(folder)?;
    files.iter().try_for_each(|(name, content)| std::fs::write(folder.join(name), content))
}

const EXPLANATION: &str = "\
This folder shows that one record of a Microsoft Entra ID log was in an archive when its owner signed for it.

  record.json         the record, byte for byte as Microsoft Graph served it
  record.tlog-proof   hashes that lead from it to records_root, which the ledger has of the object it lies in
  entry               the entry of the log: the name of a ledger file, and the row of the read that stored the record
  entry.tlog-proof    hashes that lead from the entry to the root in the checkpoint, and the checkpoint
  checkpoint          what the owner signed: the name of the log, its number of entries and their root; further signatures are
                      those of witnesses, who say that they saw it, and when (C2SP tlog-cosignature)
  key-001 and so on   where the owner has changed the key: the entry of each new key, with a proof that leads to a
                      checkpoint which the key before has signed as well

To check it: entratrail check FOLDER --key FILE, or python3 check.py --proof FOLDER --key FILE, or by hand with any
program that reads RFC 6962 trees and the formats of C2SP (tlog-proof, tlog-checkpoint, signed-note). FILE holds the
owner's verifier key, which must come from somebody you trust, and not with this folder.

What it shows: whoever held the key has committed to this record, and cannot take that back. The times in the row are
the word of the program that read. Microsoft signs nothing, so nothing shows that Microsoft served the record but the
word of whoever ran that program. A checkpoint that others have kept, or a time stamp, shows how old the commitment is.
";

//! The seal of a run: does what the protocol asks for, on the archive and with the signer.

use super::checkpoint::{Checkpoint, TreeHead};
use super::head::Head;
use super::note::SignedNote;
use super::proof_key;
use super::seal::{Next, Seal, SealAnswer, SealOutcome, SealRequest};
use super::signer::Signer;
use crate::archive::{Archive, FETCHED_AT_ONCE};
use crate::error::Error;
use crate::ledger::Ledger;
use crate::log::Log;
use crate::object::StoredFile;
use crate::report::Sealed;
use futures_util::{StreamExt as _, TryStreamExt as _};

/// Enters every row on record into the signed log about `log`.
pub async fn seal(archive: &Archive, log: Log, signer: Result<&Signer, &Error>) -> Sealed {
    let sealed = match signer {
        Ok(signer) => run(archive, log, signer).await,
        Err(error) => Err(SealFailure::Delayed(error.clone())),
    };
    let sealed = match sealed {
        Ok(SealOutcome { checkpoint, alarms }) => {
            Sealed { checkpoint, alarms, ..Sealed::default() }
        }
        Err(SealFailure::Alarm(alarm)) => Sealed { alarms: vec![alarm], ..Sealed::default() },
        Err(SealFailure::Delayed(error)) => {
            Sealed { delayed: Some(error.to_string()), ..Sealed::default() }
        }
    };
    let is_whole = sealed.alarms.is_empty() && sealed.delayed.is_none();
    let waiting = if is_whole { Some(0) } else { waiting(archive, log).await.ok() };
    Sealed { waiting, ..sealed }
}

enum SealFailure {
    /// Something is there that no honest writer wrote.
    Alarm(String),
    /// Something did not answer; the next run goes on.
    Delayed(Error),
}

impl From<Error> for SealFailure {
    fn from(error: Error) -> Self {
        Self::Delayed(error)
    }
}

async fn run(archive: &Archive, log: Log, signer: &Signer) -> Result<SealOutcome, SealFailure> {
    let mut seal = Seal::new(log, signer.verifier_keys(log));
    let mut request = seal.begin();
    loop {
        let answer = answer(archive, log, signer, request).await?;
        match seal.advance(answer).map_err(|broken| SealFailure::Alarm(broken.0))? {
            Next::Ask(next) => request = next,
            Next::End(outcome) => return Ok(outcome),
        }
    }
}

async fn answer(
    archive: &Archive,
    log: Log,
    signer: &Signer,
    request: SealRequest,
) -> Result<SealAnswer, Error> {
    Ok(match request {
        SealRequest::Recall => SealAnswer::Remembered(signer.recall(log).await?),
        SealRequest::Remember(tree) => {
            signer.remember(log, tree).await?;
            SealAnswer::Done
        }
        SealRequest::Read(keys) => SealAnswer::Files(read(archive, &keys).await?),
        SealRequest::Put(key, body, when) => {
            SealAnswer::Written(archive.put_file(&key, body, when).await?)
        }
        SealRequest::ListLedgers => SealAnswer::Ledgers(archive.ledger_files(log).await?),
        SealRequest::Sign { text, with_both } => {
            SealAnswer::Note(signer.sign(log, &text, with_both).await?)
        }
    })
}

async fn read(archive: &Archive, keys: &[String]) -> Result<Vec<Option<StoredFile>>, Error> {
    let reads = futures_util::stream::iter(keys).map(|key| archive.file(key));
    reads.buffered(FETCHED_AT_ONCE).try_collect().await
}

/// Rows on record that are not in the signed log about `log`, as head and checkpoint say; 0 where
/// there is no log.
pub async fn waiting(archive: &Archive, log: Log) -> Result<u64, Error> {
    let head = archive.file(&proof_key(log, "head")).await?;
    let head = head.and_then(|file| Head::parse(&file.body).ok()).unwrap_or_default();
    let note = archive.file(&proof_key(log, "checkpoint")).await?;
    let published = note.and_then(|file| tree_of(&file.body)).map_or(0, |tree| tree.size);
    let mut rows = head.size.saturating_sub(published);
    for (key, bytes) in archive.ledger_files(log).await? {
        let cursor = head.cursors.get(&key).copied().unwrap_or_default();
        if cursor.bytes > 0 && cursor.bytes == bytes {
            continue;
        }
        let body = archive.file(&key).await?.map(|file| file.body).unwrap_or_default();
        let on_record =
            Ledger::parse(&body).map_or(0, |ledger| ledger.lines_on_record().count() as u64);
        rows += on_record.saturating_sub(cursor.rows);
    }
    Ok(rows)
}

/// Size and root that a note claims, whoever signed it.
pub(super) fn tree_of(body: &[u8]) -> Option<TreeHead> {
    let note = SignedNote::parse(body).ok()?;
    Checkpoint::of(&note).ok().map(|checkpoint| checkpoint.tree)
}

//! Checkpoints with the signatures of witnesses, kept beside those that were published.

use super::audit::{SignedLog, Unsound, published};
use super::checkpoint::Checkpoint;
use super::note::SignedNote;
use super::{Broken, proof_key};
use crate::archive::{Archive, FETCHED_AT_ONCE};
use crate::error::Error;
use crate::log::Log;
use crate::object::{Precondition, Written};
use futures_util::{StreamExt as _, TryStreamExt as _};

/// Attempts to add to a note that others add to as well. Each lost attempt is another's success.
const MOST_CONFLICTS: u32 = 50;

/// Checkpoint that was kept with the signatures of witnesses.
#[derive(Debug)]
pub struct CosignedCheckpoint {
    /// Key of the object that holds it.
    pub place: String,
    /// Number of entries.
    pub size: u64,
    /// Checkpoint itself with all signatures, or the reason why it is none of this log.
    pub note: Result<SignedNote, Broken>,
}

/// Key of the object with what witnesses have signed of the log at that size.
fn place_of(log: Log, size: u64) -> String {
    proof_key(log, &format!("checkpoints/{size}.cosigned"))
}

/// Adds the signatures below `note`, a checkpoint of the log, to those that are kept of it.
pub async fn keep(archive: &Archive, signed: &SignedLog, note: &SignedNote) -> Result<(), Unsound> {
    signed.check_note(note)?;
    let place = place_of(signed.log, Checkpoint::of(note)?.tree.size);
    for _ in 0..MOST_CONFLICTS {
        let there = archive.file(&place).await?;
        let merged = match &there {
            Some(file) => {
                let known = SignedNote::parse(&file.body).map_err(|broken| broken.at(&place))?;
                known.with_signatures_of(note).map_err(|broken| broken.at(&place))?
            }
            None => note.clone(),
        };
        let text = merged.to_text().into_bytes();
        let is_known = there.as_ref().is_some_and(|file| file.body == text);
        if is_known {
            return Ok(());
        }
        let unchanged = Precondition::unchanged(there.and_then(|file| file.version));
        if archive.put_file(&place, text, unchanged).await? == Written::Yes {
            return Ok(());
        }
    }
    Err(Error::archive(format!("others keep writing {place}; nothing was added to it")).into())
}

/// Checkpoints of the log that witnesses have signed, the smallest first.
pub async fn cosigned(
    archive: &Archive,
    signed: &SignedLog,
) -> Result<Vec<CosignedCheckpoint>, Error> {
    let keys = archive.kept_checkpoints(signed.log).await?.into_iter();
    let named = keys.filter_map(|place| size_of(&place).map(|size| (place, size)));
    let read = futures_util::stream::iter(named).map(async |(place, size)| {
        let file = archive.file(&place).await?;
        let note = file.map(|file| sound(signed, size, &file.body));
        Ok::<_, Error>(note.map(|note| CosignedCheckpoint { place, size, note }))
    });
    let read: Vec<_> = read.buffered(FETCHED_AT_ONCE).try_collect().await?;
    let mut kept: Vec<_> = read.into_iter().flatten().collect();
    kept.sort_unstable_by_key(|kept| kept.size);
    Ok(kept)
}

/// Size in the name of such an object.
fn size_of(place: &str) -> Option<u64> {
    place.rsplit('/').next()?.strip_suffix(".cosigned")?.parse().ok()
}

fn sound(signed: &SignedLog, size: u64, body: &[u8]) -> Result<SignedNote, Broken> {
    let note = SignedNote::parse(body)?;
    signed.check_state(&note)?;
    let said = Checkpoint::of(&note)?.tree.size;
    if said == size {
        return Ok(note);
    }
    Err(Broken(format!("it is of {said} entries, and its name says {size}")))
}

/// Latest checkpoint of the log about `log`, unchecked, with the signatures of witnesses where
/// there are any; `None` where the archive is without evidence.
pub async fn latest(archive: &Archive, log: Log) -> Result<Option<String>, Error> {
    let Some(text) = published(archive, log).await? else { return Ok(None) };
    let Ok(note) = SignedNote::parse(text.as_bytes()) else { return Ok(Some(text)) };
    let Ok(Checkpoint { tree, .. }) = Checkpoint::of(&note) else { return Ok(Some(text)) };
    let file = archive.file(&place_of(log, tree.size)).await?;
    let kept = file.and_then(|file| SignedNote::parse(&file.body).ok());
    let kept = kept.and_then(|kept| note.with_signatures_of(&kept).ok());
    Ok(Some(kept.map_or(text, |kept| kept.to_text())))
}

//! The signed log of the ledger: is it signed, is it the one from before, and is the ledger what it
//! says?

use crate::commands::verifier_keys::{VerifierKeys, read_text};
use crate::commands::witness::{Sighting, Witnesses, latest_of_each};
use crate::terminal::numbers::{count, entries};
use entratrail::archive::Archive;
use entratrail::error::Error;
use entratrail::evidence::audit::{SignedLog, Unsound, published};
use entratrail::evidence::cosigned::cosigned;
use entratrail::evidence::note::SignedNote;
use entratrail::evidence::origin::log_of;
use entratrail::log::Log;
use serde::Serialize;
use std::fmt;
use std::path::Path;

/// Checkpoint that a person has kept.
#[derive(Debug)]
pub(crate) struct EarlierCheckpoint {
    name: String,
    note: SignedNote,
}

/// Result of the check of one log.
#[derive(Debug, Serialize)]
pub(crate) struct EvidenceCheck {
    log: &'static str,
    standing: Standing,
    /// Entries that are signed.
    entries: u64,
    /// Rows on record that are not in the log yet.
    pending: u64,
    /// Sightings of witnesses, as far as they hold against the log.
    witnesses: Vec<Sighting>,
    pub(super) problems: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Standing {
    /// There is no log, and nobody asked for one.
    Without,
    /// There is no log, and a key was given to check it with.
    Lacking,
    /// There is a log, and no key was given.
    Unchecked,
    Signed,
    Broken,
}

impl EarlierCheckpoint {
    pub(super) fn read(path: &Path) -> Result<Self, Error> {
        let name = path.display().to_string();
        match SignedNote::parse(read_text(path)?.as_bytes()) {
            Ok(note) => Ok(Self { name, note }),
            Err(broken) => Err(Error::configuration(format!("{name}: {broken}"))),
        }
    }

    /// Log that it is about.
    fn log(&self) -> Option<Log> {
        log_of(self.note.text.lines().next()?)
    }
}

/// Checks the log of each of Entra's logs.
pub(super) async fn check(
    archive: &Archive,
    keys: Option<&VerifierKeys>,
    since: &[EarlierCheckpoint],
    witnesses: &Witnesses,
    is_collected: impl Fn(Log) -> bool,
) -> Result<Vec<EvidenceCheck>, Error> {
    let mut checks = Vec::new();
    for log in Log::ALL {
        let earlier: Vec<_> = since.iter().filter(|earlier| earlier.log() == Some(log)).collect();
        let is_unused = log.is_optional() && !is_collected(log) && earlier.is_empty();
        if is_unused && published(archive, log).await?.is_none() {
            continue;
        }
        let check = if let Some(keys) = keys {
            check_log(archive, log, keys, &earlier, witnesses).await?
        } else {
            let is_there = published(archive, log).await?.is_some();
            EvidenceCheck::of(log, if is_there { Standing::Unchecked } else { Standing::Without })
        };
        checks.push(check);
    }
    if let Some(stranger) = since.iter().find(|earlier| earlier.log().is_none()) {
        let broken = format!("{} is a checkpoint of another log", stranger.name);
        return Err(Error::configuration(broken));
    }
    Ok(checks)
}

async fn check_log(
    archive: &Archive,
    log: Log,
    keys: &VerifierKeys,
    earlier: &[&EarlierCheckpoint],
    witnesses: &Witnesses,
) -> Result<EvidenceCheck, Error> {
    let signed = match SignedLog::read(archive, log, &keys.0).await {
        Ok(Some(signed)) => signed,
        Ok(None) if earlier.is_empty() => return Ok(EvidenceCheck::of(log, Standing::Lacking)),
        Ok(None) => {
            let problem =
                format!("{}: the log is gone, and a checkpoint of it was kept", log.name());
            return Ok(EvidenceCheck::of(log, Standing::Broken).with(problem));
        }
        Err(Unsound::Broken(broken)) => {
            return Ok(EvidenceCheck::of(log, Standing::Broken).with(broken.to_string()));
        }
        Err(Unsound::Unread(error)) => return Err(error),
    };
    let ledgers = signed.check_ledgers(archive).await?;
    let mut check = EvidenceCheck {
        entries: signed.tree.size,
        pending: ledgers.pending,
        problems: ledgers.problems,
        ..EvidenceCheck::of(log, Standing::Signed)
    };
    for checkpoint in earlier {
        match signed.check_note(&checkpoint.note) {
            Ok(()) => check.take_sightings(&checkpoint.name, &checkpoint.note, witnesses),
            Err(broken) => check.problems.push(format!("{}: {broken}", checkpoint.name)),
        }
    }
    for kept in cosigned(archive, &signed).await? {
        match kept.note {
            Ok(note) => check.take_sightings(&kept.place, &note, witnesses),
            Err(broken) => check.problems.push(format!("{}: {broken}", kept.place)),
        }
    }
    if !check.problems.is_empty() {
        check.standing = Standing::Broken;
    }
    Ok(check)
}

impl EvidenceCheck {
    fn of(log: Log, standing: Standing) -> Self {
        Self {
            log: log.name(),
            standing,
            entries: 0,
            pending: 0,
            witnesses: Vec::new(),
            problems: Vec::new(),
        }
    }

    /// Takes up what witnesses say in a note of a state of the log.
    fn take_sightings(&mut self, place: &str, note: &SignedNote, witnesses: &Witnesses) {
        for sighting in witnesses.sightings(note) {
            if sighting.is_wrong() {
                self.problems.push(format!("{place}: {sighting}"));
            } else if !self.witnesses.contains(&sighting) {
                self.witnesses.push(sighting);
            }
        }
    }

    fn with(mut self, problem: String) -> Self {
        self.problems.push(problem);
        self
    }

    /// Tells whether all that was asked for holds. A log that is not there proves nothing.
    pub(super) fn is_sound(&self) -> bool {
        matches!(self.standing, Standing::Without | Standing::Unchecked | Standing::Signed)
            && self.pending == 0
            && self.problems.is_empty()
    }
}

impl fmt::Display for EvidenceCheck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let entries = entries(self.entries);
        match self.standing {
            Standing::Without => write!(f, "{}: without a signed log", self.log),
            Standing::Lacking => {
                write!(
                    f,
                    "{}: the archive is without a signed log, so there is nothing to check the key \
                     with",
                    self.log
                )
            }
            Standing::Unchecked => {
                write!(f, "{}: there is a signed log; --key checks it", self.log)
            }
            Standing::Signed => write!(f, "{}: {entries} in the signed log", self.log),
            Standing::Broken => {
                write!(f, "{}: the signed log, or the ledger, is not what was signed", self.log)
            }
        }?;
        match self.pending {
            0 => Ok(()),
            pending => write!(f, "; {} of the ledger not in the log yet", count(pending, "row")),
        }?;
        latest_of_each(&self.witnesses).iter().try_for_each(|line| write!(f, "\n  {line}"))
    }
}

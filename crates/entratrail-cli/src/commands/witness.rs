//! `entratrail witness`: keeps what witnesses have signed of the archive's signed log. Verify,
//! prove and check show it.

pub(crate) mod arguments;

use crate::commands::verifier_keys::{VerifierKeys, read_text};
use crate::status::Status;
use crate::terminal::numbers::{count, entries};
use crate::terminal::output::print_line;
use arguments::WitnessArguments;
use chrono::{DateTime, Utc};
use entratrail::archive::{Access, Archive};
use entratrail::error::Error;
use entratrail::evidence::Broken;
use entratrail::evidence::audit::{SignedLog, Unsound};
use entratrail::evidence::checkpoint::Checkpoint;
use entratrail::evidence::cosignature::{Cosignature, Testimony, WitnessKey, cosignatures};
use entratrail::evidence::cosigned::keep;
use entratrail::evidence::note::SignedNote;
use entratrail::evidence::origin::log_of;
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

/// Keys of witnesses that a person trusts.
#[derive(Debug)]
pub(crate) struct Witnesses(Vec<WitnessKey>);

/// Checkpoint that a witness says it saw.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Sighting {
    witness: String,
    entries: u64,
    worth: Worth,
    #[serde(skip_serializing_if = "Option::is_none")]
    time: Option<DateTime<Utc>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
enum Worth {
    Seen,
    Unknown,
    Wrong,
}

/// Keeps the notes that `arguments` name. Each is checked before any is kept.
pub(crate) async fn witness(arguments: &WitnessArguments) -> Result<Status, Error> {
    let keys = VerifierKeys::read(&arguments.key)?;
    let witnesses = Witnesses::read(arguments.witnesses.as_deref(), Some(&keys))?;
    // To look first: only an archive is written to, and nothing that is not there is made.
    let archive = arguments.archive.open(Access::Read).await?;
    let mut checked = Vec::new();
    for path in &arguments.notes {
        let note = read_note(path)?;
        match checked_note(&archive, &keys, &witnesses, &note).await {
            Ok((signed, sightings)) => checked.push((signed, note, sightings)),
            Err(Unsound::Broken(broken)) => {
                let what = format!("{}: {broken}; nothing was kept", path.display());
                return Err(Error::archive(what));
            }
            Err(Unsound::Unread(error)) => return Err(error),
        }
    }
    let archive = arguments.archive.open(Access::Write).await?;
    for (signed, note, sightings) in checked {
        match keep(&archive, &signed, &note).await {
            Ok(()) => {
                for sighting in &sightings {
                    print_line(&format!("Kept: {sighting}"));
                }
            }
            Err(Unsound::Broken(broken)) => return Err(Error::archive(broken.to_string())),
            Err(Unsound::Unread(error)) => return Err(error),
        }
    }
    Ok(Status::AllDone)
}

/// Log of which `note` is a checkpoint, and what witnesses say below it.
async fn checked_note(
    archive: &Archive,
    keys: &VerifierKeys,
    witnesses: &Witnesses,
    note: &SignedNote,
) -> Result<(SignedLog, Vec<Sighting>), Unsound> {
    let log = log_of(&Checkpoint::of(note)?.origin);
    let log = log.ok_or_else(|| Broken("it is a checkpoint of another log".to_owned()))?;
    let signed = SignedLog::read(archive, log, &keys.0).await?;
    let signed =
        signed.ok_or_else(|| Broken("the archive is without that signed log".to_owned()))?;
    signed.check_note(note)?;
    let sightings = witnesses.sightings(note);
    if let Some(wrong) = sightings.iter().find(|sighting| sighting.is_wrong()) {
        return Err(Broken(wrong.to_string()).into());
    }
    if sightings.is_empty() {
        return Err(Broken("no witness has signed it".to_owned()).into());
    }
    Ok((signed, sightings))
}

fn read_note(path: &Path) -> Result<SignedNote, Error> {
    let text = read_text(path)?;
    SignedNote::parse(text.as_bytes()).map_err(|broken| {
        Error::configuration(format!("{} cannot be kept: {broken}", path.display()))
    })
}

impl Witnesses {
    /// Reads the keys in a file; none where no file is given. The log of one of `keys` is no
    /// witness of itself.
    pub(crate) fn read(path: Option<&Path>, keys: Option<&VerifierKeys>) -> Result<Self, Error> {
        let Some(path) = path else { return Ok(Self(Vec::new())) };
        let failed = |what: String| Error::configuration(format!("{} {what}", path.display()));
        let text = read_text(path)?;
        let witnesses =
            WitnessKey::parse_all(&text).map_err(|broken| failed(format!("is wrong: {broken}")))?;
        let logs = keys.map_or(&[][..], |keys| &keys.0);
        match witnesses.iter().find(|witness| logs.iter().any(|log| witness.is_of(log))) {
            _ if witnesses.is_empty() => Err(failed("holds no key of a witness".to_owned())),
            Some(witness) => Err(failed(format!(
                "names the log itself as its witness: {} has its name or its key",
                witness.name()
            ))),
            None => Ok(Self(witnesses)),
        }
    }

    /// Statements of witnesses below a checkpoint.
    pub(crate) fn sightings(&self, note: &SignedNote) -> Vec<Sighting> {
        let size = Checkpoint::of(note).map_or(0, |checkpoint| checkpoint.tree.size);
        let found = cosignatures(note, &self.0).unwrap_or_default().into_iter();
        found.map(|found| Sighting::of(found, size)).collect()
    }
}

impl Sighting {
    fn of(found: Cosignature, entries: u64) -> Self {
        let (worth, time) = match found.testimony {
            Testimony::Seen(time) => (Worth::Seen, Some(time)),
            Testimony::Unknown => (Worth::Unknown, None),
            Testimony::Wrong => (Worth::Wrong, None),
        };
        Self { witness: found.witness, entries, worth, time }
    }

    /// Whether the signature claims to be of a witness that is known, and is not.
    pub(crate) fn is_wrong(&self) -> bool {
        self.worth == Worth::Wrong
    }
}

impl fmt::Display for Sighting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { witness, worth, time, .. } = self;
        let seen = entries(self.entries);
        match (worth, time) {
            (Worth::Seen, Some(time)) => {
                write!(f, "{witness} saw {seen} on {}", time.format("%Y-%m-%d at %H:%M:%S UTC"))
            }
            (Worth::Wrong, _) => write!(f, "the signature of {witness} on {seen} is wrong"),
            _ => write!(f, "{witness}, an unknown witness, has signed {seen}"),
        }
    }
}

/// Lines that tell for each witness the largest size that it saw, and how many others.
pub(crate) fn latest_of_each(sightings: &[Sighting]) -> Vec<String> {
    let mut each: BTreeMap<_, Vec<&Sighting>> = BTreeMap::new();
    for sighting in sightings {
        each.entry((sighting.worth, &sighting.witness)).or_default().push(sighting);
    }
    each.into_values().filter_map(line_of).collect()
}

fn line_of(mut of_one: Vec<&Sighting>) -> Option<String> {
    of_one.sort_unstable_by_key(|sighting| (sighting.entries, sighting.time));
    let latest = of_one.pop()?;
    Some(match of_one.len() {
        0 => latest.to_string(),
        others => format!("{latest}, and {} from before", count(others as u64, "checkpoint")),
    })
}

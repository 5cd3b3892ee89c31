//! Latest checkpoints of the signed logs, which whoever keeps a mail keeps as a witness.

use entratrail::archive::Bucket;
use entratrail::evidence::checkpoint::Checkpoint;
use entratrail::evidence::note::SignedNote;
use entratrail::evidence::origin::log_of;
use entratrail::evidence::proof_key;
use entratrail::log::Log;

/// Latest checkpoint of a signed log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LatestCheckpoint {
    /// Log that it is about.
    pub log: Log,
    /// Signed note; `None` where it could not be read, or is not as EntraTrail writes it.
    pub note: Option<String>,
}

/// Reads the latest checkpoint of each log; nothing of one that nobody signs. A mail is not held up
/// by a checkpoint that cannot be read.
pub async fn latest_checkpoints(bucket: &Bucket) -> Vec<LatestCheckpoint> {
    let mut latest = Vec::new();
    for log in Log::ALL {
        let note = match bucket.get(&proof_key(log, "checkpoint")).await {
            Ok(None) => continue,
            Ok(Some(file)) => as_written(log, file.body),
            Err(error) => {
                tracing::warn!(remedy = error.remedy(), "{error}");
                None
            }
        };
        latest.push(LatestCheckpoint { log, note });
    }
    latest
}

/// A checkpoint of the log about `log` without any line that another could have put there: whoever
/// can write to the bucket could write to those who read the mail otherwise.
fn as_written(log: Log, body: Vec<u8>) -> Option<String> {
    let note = SignedNote::parse(&body).ok()?;
    let checkpoint = Checkpoint::of(&note).ok()?;
    let is_about_it = log_of(&checkpoint.origin) == Some(log);
    let text = String::from_utf8(body).ok()?;
    let signatures = text.strip_prefix(&format!("{}\n", checkpoint.to_text()))?;
    let own = format!("— {} ", checkpoint.origin);
    let is_own = signatures.lines().all(|line| line.starts_with(&own));
    (is_about_it && is_own).then_some(text)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    const NAME: &str = "entratrail/00112233445566778899aabbccddeeff/sign-ins";

    /// Checkpoint as a function publishes it.
    pub(crate) fn example() -> String {
        let root = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
        format!("{NAME}\n12\n{root}\n\n— {NAME} AAAAAAAA\n")
    }

    #[test]
    fn a_checkpoint_is_shown_as_it_is_and_nothing_else_that_lies_there() {
        let note = |text: String| as_written(Log::SignIns, text.into_bytes());
        assert_eq!(note(example()), Some(example()));
        let both = format!("{}— {NAME} AAAAAAAB\n", example());
        assert_eq!(note(both.clone()), Some(both), "signed by two keys");
        assert_eq!(as_written(Log::DirectoryAudits, example().into_bytes()), None);
        for (part, other) in [
            ("\n\n", "\nLook at https://example.com\n\n"),
            ("\n12\n", "\n012\n"),
            ("/00112233", "/0011-233"),
            ("entratrail/", "example.com/entratrail/"),
            ("\n\n", "\n"),
            ("AAAAAAAA\n", "AAAAAAAA\n— https://example.com AAAAAAAA\n"),
            ("AAAAAAAA", "AAAAAAAA now"),
        ] {
            let hostile = example().replacen(part, other, 1);
            assert_eq!(note(hostile), None, "{other}");
        }
    }
}

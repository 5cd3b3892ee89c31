//! Checkpoints, as <https://c2sp.org/tlog-checkpoint> has them.

use super::Broken;
use super::note::SignedNote;
use crate::merkle::Hash;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// Size and root of a log at some time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TreeHead {
    /// Number of entries.
    pub size: u64,
    /// Root over them.
    pub root: Hash,
}

/// State of a log to which its owner has committed.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Checkpoint {
    /// Name of the log.
    pub origin: String,
    /// State of the log.
    pub tree: TreeHead,
}

impl TreeHead {
    /// Two lines: the size and the root.
    pub fn to_lines(&self) -> String {
        format!("{}\n{}\n", self.size, STANDARD.encode(self.root))
    }

    /// Reads two lines.
    pub fn from_lines(text: &str) -> Option<Self> {
        let mut lines = text.lines();
        let size: u64 = lines.next()?.parse().ok()?;
        let root: Hash = STANDARD.decode(lines.next()?).ok()?.try_into().ok()?;
        let tree = Self { size, root };
        text.starts_with(&tree.to_lines()).then_some(tree)
    }
}

impl Checkpoint {
    /// Text that is signed.
    pub fn to_text(&self) -> String {
        format!("{}\n{}", self.origin, self.tree.to_lines())
    }

    /// Reads the text of `note`. Further lines are allowed there.
    pub fn of(note: &SignedNote) -> Result<Self, Broken> {
        let parsed = note.text.split_once('\n').and_then(|(origin, rest)| {
            Some(Self { origin: origin.to_owned(), tree: TreeHead::from_lines(rest)? })
        });
        parsed.ok_or_else(|| Broken::new("it is no checkpoint"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_checkpoint_is_read_as_it_was_written() {
        let tree = TreeHead { size: 20, root: [7; 32] };
        let checkpoint = Checkpoint { origin: "entratrail/ab/sign-ins".to_owned(), tree };
        let note = format!("{}\n— entratrail/ab/sign-ins AAAAAAAA\n", checkpoint.to_text());
        let note = SignedNote::parse(note.as_bytes()).unwrap();
        assert_eq!(Checkpoint::of(&note).unwrap(), checkpoint);
        for (part, other) in [("\n20\n", "\n020\n"), ("\n20\n", "\n-1\n"), ("BwcH", "BwcHBwcH")] {
            let text = note.text.replacen(part, other, 1);
            assert_ne!(text, note.text);
            let mut changed = note.clone();
            changed.text = text;
            assert!(Checkpoint::of(&changed).is_err(), "{other}");
        }
    }
}

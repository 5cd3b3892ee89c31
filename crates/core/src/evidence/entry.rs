//! Entries of the log: what of the ledger is on record.

use super::Broken;
use super::note::VerifierKey;
use serde::{Deserialize, Serialize};

/// Bytes that an entry may have, because its bundle has two for its length.
pub const LONGEST_ENTRY: usize = 65_535;

/// What one entry says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LogEntry {
    /// A row is in that ledger file.
    Row {
        /// Key of the ledger file.
        file: String,
        /// Line as it stands there.
        line: String,
    },
    /// From here on that key may sign.
    NewKey(VerifierKey),
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Rotation {
    new_key: String,
}

impl LogEntry {
    /// Entry of a row.
    pub fn of_row(file: &str, line: &str) -> String {
        format!("{file}\n{line}")
    }

    /// Entry of a new key.
    pub fn of_key(key: &VerifierKey) -> String {
        format!("{{\"new_key\":\"{key}\"}}")
    }

    /// Reads an entry.
    pub fn parse(text: &str) -> Result<Self, Broken> {
        if let Some((file, line)) = text.split_once('\n') {
            return Ok(Self::Row { file: file.to_owned(), line: line.to_owned() });
        }
        let rotation = serde_json::from_str::<Rotation>(text);
        let rotation = rotation.map_err(|_| Broken::new("an entry is neither a row nor a key"))?;
        VerifierKey::parse(&rotation.new_key).map(Self::NewKey)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_read_as_they_were_written() {
        let key = VerifierKey::new("entratrail/ab/sign-ins", &[9; 32]);
        assert_eq!(LogEntry::parse(&LogEntry::of_key(&key)), Ok(LogEntry::NewKey(key)));
        let row = LogEntry::Row { file: "ledger/x".to_owned(), line: "{}".to_owned() };
        assert_eq!(LogEntry::parse(&LogEntry::of_row("ledger/x", "{}")), Ok(row));
        assert!(LogEntry::parse("{}").is_err());
    }
}

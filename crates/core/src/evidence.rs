//! Evidence for outsiders: the history of the ledger as an append-only, signed log in published
//! formats.
//!
//! One log for each of Entra's, below `proof/<log>/`: tiles of C2SP tlog-tiles, a checkpoint of
//! C2SP tlog-checkpoint, and `head`, which decides the order of its entries. [`seal`] decides what
//! is written when; the crate `entratrail` writes and checks it.

pub mod checkpoint;
pub mod cosignature;
pub mod entry;
pub mod head;
pub mod note;
pub mod origin;
pub mod proof;
pub mod seal;
pub mod tiles;
pub mod time_stamp;

use crate::log::Log;
use std::fmt;

/// Link of the chain from a record to a signature that does not hold, in one sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken(pub String);

impl Broken {
    /// The link that breaks as `sentence` says.
    pub fn new(sentence: impl Into<String>) -> Self {
        Self(sentence.into())
    }

    /// The link with the place at which it breaks.
    #[must_use]
    pub fn at(self, place: &str) -> Self {
        Self(format!("{place}: {self}"))
    }
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Key of an object of the log about `log`.
pub fn proof_key(log: Log, name: &str) -> String {
    format!("proof/{}/{name}", log.name())
}

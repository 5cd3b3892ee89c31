//! The parts of a scenario that the simulator only hands on: how to drive a reader, and what to
//! expect of it.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::Deserialize;

/// The `[collect]` table: how a test drives the reader.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Collect {
    /// Log that is read.
    pub log: Log,
    /// When each run starts; empty: once, at the scenario's `now`.
    pub runs: Vec<DateTime<Utc>>,
    /// Settings of the reader that differ from the test's own.
    pub environment: BTreeMap<String, String>,
    /// The event that starts each run; absent: a scheduled one.
    pub event: Option<String>,
}

/// The logs that a reader can be asked to keep.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Log {
    /// The four streams of sign-ins.
    #[default]
    SignIns,
    /// Changes in the directory.
    DirectoryAudits,
}

/// The `[expect]` table: what the reader should make of the scenario.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Expect {
    /// The stable word of the error that ends the last run; absent: it succeeds.
    pub error: Option<String>,
    /// Parts of the error message or of the answer.
    pub says: Vec<String>,
    /// Whether everything visible inside closed days must be archived exactly once per version.
    pub complete: bool,
    /// Expected state by window, for example `"interactiveUser 2026-11-22 0000-2400" = "verified"`.
    pub states: BTreeMap<String, String>,
    /// Expected number of reads by window.
    pub reads: BTreeMap<String, u32>,
    /// Upper limit of page requests over all runs.
    pub requests_at_most: Option<u64>,
}

impl Log {
    /// The word of scenario files: `sign-ins` or `directory-audits`.
    pub fn name(self) -> &'static str {
        match self {
            Self::SignIns => "sign-ins",
            Self::DirectoryAudits => "directory-audits",
        }
    }
}

impl Default for Expect {
    fn default() -> Self {
        Self {
            error: None,
            says: Vec::new(),
            complete: true,
            states: BTreeMap::new(),
            reads: BTreeMap::new(),
            requests_at_most: None,
        }
    }
}

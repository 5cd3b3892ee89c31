//! The parts of a scenario that the simulator only hands on: how to drive a reader, and what to
//! expect of it.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::Deserialize;

use crate::stream::Stream;

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
    /// Accounts and groups that a provisioning job carries from one system to another.
    Provisioning,
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
    /// Every log.
    pub const ALL: [Self; 3] = [Self::SignIns, Self::DirectoryAudits, Self::Provisioning];

    /// The word of scenario files, for example `sign-ins`.
    pub fn name(self) -> &'static str {
        match self {
            Self::SignIns => "sign-ins",
            Self::DirectoryAudits => "directory-audits",
            Self::Provisioning => "provisioning",
        }
    }

    /// Its collection below `auditLogs`.
    pub(crate) fn collection(self) -> &'static str {
        match self {
            Self::SignIns => "signIns",
            Self::DirectoryAudits => "directoryAudits",
            Self::Provisioning => "provisioning",
        }
    }

    /// The collection that a path names, in any case.
    pub(crate) fn of_collection(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|log| log.collection().eq_ignore_ascii_case(name))
    }

    /// The member of a record that filters and orders go by.
    pub(crate) fn time_field(self) -> &'static str {
        match self {
            Self::SignIns => "createdDateTime",
            Self::DirectoryAudits | Self::Provisioning => "activityDateTime",
        }
    }

    /// The stream that is served where nothing else is asked for.
    pub(crate) fn usual_stream(self) -> Stream {
        match self {
            Self::SignIns => Stream::InteractiveUser,
            Self::DirectoryAudits => Stream::DirectoryAudits,
            Self::Provisioning => Stream::Provisioning,
        }
    }

    /// Whether records come newest first where no order is asked for.
    pub(crate) fn is_newest_first(self) -> bool {
        self != Self::DirectoryAudits
    }

    /// Whether a tenant without a premium licence is refused.
    pub(crate) fn needs_licence(self) -> bool {
        self != Self::DirectoryAudits
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

//! Device codes that wait for their person, and the refresh tokens that sign-ins brought.

use std::collections::{HashMap, HashSet};

/// Sign-ins that were begun, and refresh tokens that were given out.
#[derive(Debug, Default)]
pub(crate) struct DeviceCodes {
    pub(crate) codes: HashMap<String, DeviceCode>,
    pub(crate) refresh_tokens: HashSet<String>,
}

/// A sign-in that waits for its person.
#[derive(Debug)]
pub(crate) struct DeviceCode {
    pub(crate) begun_at: i64,
    pub(crate) asked: u32,
    pub(crate) last_asked: Option<i64>,
}

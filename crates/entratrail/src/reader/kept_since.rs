//! Oldest record that Graph served in a run: evidence of what it still keeps.

use crate::clock::Clock;
use chrono::{DateTime, TimeDelta, Utc};
use std::sync::{Mutex, PoisonError};

/// A record older than this is no evidence: Graph keeps none as long in any tenant, so that its
/// time must be wrong.
const MAX_AGE: TimeDelta = TimeDelta::days(31);

/// Time of the oldest record that Graph served to this log in this run.
#[derive(Debug)]
pub struct KeptSince {
    not_before: DateTime<Utc>,
    oldest: Mutex<Option<DateTime<Utc>>>,
}

impl KeptSince {
    /// Nothing was served yet in a run that starts at the present time of `clock`.
    pub fn new(clock: Clock) -> Self {
        Self { not_before: clock.now() - MAX_AGE, oldest: Mutex::new(None) }
    }

    /// Notes that Graph served a record of that `time`, which lies inside of the span that it was
    /// asked for.
    pub fn note(&self, time: DateTime<Utc>) {
        if time < self.not_before {
            return;
        }
        let mut oldest = self.oldest.lock().unwrap_or_else(PoisonError::into_inner);
        *oldest = oldest.into_iter().chain([time]).min();
    }

    /// Time of the oldest record so far.
    pub fn get(&self) -> Option<DateTime<Utc>> {
        *self.oldest.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

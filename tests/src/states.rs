//! States of windows by the words of the format's description, from the rows of the ledger alone:
//! no code is shared with the product.

use crate::audit::{Audit, bounds, instant};
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// First instant of a window, and the first after it.
pub type Bounds = (DateTime<Utc>, DateTime<Utc>);

/// States of the windows of one stream.
#[derive(Debug)]
pub struct States<'audit> {
    first_row: Option<DateTime<Utc>>,
    complete: BTreeMap<Bounds, Vec<&'audit Value>>,
    oldest_verified: Option<DateTime<Utc>>,
    oldest_day: NaiveDate,
}

impl<'audit> States<'audit> {
    /// States of `stream`, of which days before `oldest_day` have left the history.
    pub fn of(audit: &'audit Audit, stream: &str, oldest_day: NaiveDate) -> Self {
        let rows = audit.rows.get(stream).into_iter().flatten();
        let first_row = rows.map(started).min();
        let mut complete: BTreeMap<Bounds, Vec<&Value>> = BTreeMap::new();
        for row in audit.complete_rows(stream) {
            complete.entry(bounds(row)).or_default().push(row);
        }
        let mut states = Self { first_row, complete, oldest_verified: None, oldest_day };
        let windows = states.windows();
        let verified = windows.into_iter().filter(|window| states.is_verified(*window));
        states.oldest_verified = verified.map(|(start, _)| start).min();
        states
    }

    /// Windows that were read completely, in order.
    pub fn windows(&self) -> BTreeSet<Bounds> {
        self.complete.keys().copied().collect()
    }

    /// State of `window`.
    pub fn state(&self, window: Bounds) -> &'static str {
        let (start, end) = window;
        let finds = self.proving(window).into_iter().filter(|row| !is_quiet(row)).count();
        let is_read = self.complete.contains_key(&window);
        let is_before = self.first_row.is_some_and(|first| end < first)
            && self.oldest_verified.is_none_or(|verified| start < verified);
        if self.is_verified(window) {
            "verified"
        } else if is_read && is_before {
            "before"
        } else if start.date_naive() < self.oldest_day {
            "expired"
        } else if !is_read {
            "missing"
        } else if finds >= 7 {
            "unstable"
        } else {
            "open"
        }
    }

    /// Whether two reads agree, hours apart and late enough.
    pub fn is_verified(&self, window: Bounds) -> bool {
        let reads = self.proving(window);
        (0..reads.len()).any(|later| {
            let nothing_new_since = reads[later + 1..].iter().all(|row| row["new"] == 0);
            is_quiet(reads[later])
                && started(reads[later]) - window.1 >= TimeDelta::hours(24)
                && nothing_new_since
                && (0..later).any(|earlier| agree(window, &reads[earlier..=later]))
        })
    }

    /// Complete reads with a format, in the order of their numbers.
    fn proving(&self, window: Bounds) -> Vec<&'audit Value> {
        let reads = self.complete.get(&window).into_iter().flatten().copied();
        let mut reads: Vec<&Value> = reads.filter(|row| row["format"].is_number()).collect();
        reads.sort_by_key(|row| row["read"].as_u64());
        reads
    }
}

/// Whether the last of `reads` agrees with the first one and could have known better.
fn agree(window: Bounds, reads: &[&Value]) -> bool {
    let [earlier, between @ .., later] = reads else { return false };
    let kept_since =
        later["kept_since"].as_str().and_then(|text| text.parse::<DateTime<Utc>>().ok());
    let was_kept = started(earlier) - window.0 <= TimeDelta::days(6)
        || kept_since.is_some_and(|since| since <= window.0);
    started(later) - started(earlier) >= TimeDelta::hours(20)
        && between.iter().all(|row| is_quiet(row))
        && was_kept
}

fn started(row: &Value) -> DateTime<Utc> {
    instant(row, "started_at")
}

fn is_quiet(row: &Value) -> bool {
    row["new"] == 0 && row["missing"] == 0
}

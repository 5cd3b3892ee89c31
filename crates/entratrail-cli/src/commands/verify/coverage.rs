//! Minutes that no read covers.

use crate::date_range::DateRange;
use chrono::{DateTime, Utc};
use entratrail::ledger::{State, Stretch};
use serde::Serialize;

/// Part of record time that no complete read covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(super) struct Gap {
    pub(super) start: DateTime<Utc>,
    pub(super) end: DateTime<Utc>,
    /// `missing`: the next collection can read it; `expired`: it is older than what Graph keeps.
    pub(super) state: State,
}

/// Parts of `range` that no complete read covers. `stretches` are all of its days, in the order of
/// time.
pub(super) fn gaps(stretches: impl Iterator<Item = Stretch>, range: DateRange) -> Vec<Gap> {
    let mut gaps: Vec<Gap> = Vec::new();
    for stretch in stretches.filter(|stretch| !stretch.is_read) {
        let start = stretch.start.max(range.from);
        let end = stretch.end.min(range.to);
        if start >= end {
            continue;
        }
        match gaps.last_mut() {
            Some(last) if last.end == start && last.state == stretch.state => last.end = end,
            _ => gaps.push(Gap { start, end, state: stretch.state }),
        }
    }
    gaps
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    fn stretch(start: &str, end: &str, state: State, is_read: bool) -> Stretch {
        Stretch { start: at(start), end: at(end), state, is_read }
    }

    #[test]
    fn every_minute_of_the_span_is_covered_or_in_a_gap() {
        let expired = State::Expired;
        let missing = State::Missing;
        let open = State::Open;
        let stretches = [
            stretch("2026-11-18T00:00:00Z", "2026-11-19T00:00:00Z", expired, false),
            stretch("2026-11-19T00:00:00Z", "2026-11-19T06:00:00Z", expired, false),
            stretch("2026-11-19T06:00:00Z", "2026-11-20T00:00:00Z", expired, true),
            stretch("2026-11-20T00:00:00Z", "2026-11-20T12:00:00Z", open, true),
            stretch("2026-11-20T12:00:00Z", "2026-11-21T00:00:00Z", missing, false),
            stretch("2026-11-21T00:00:00Z", "2026-11-22T00:00:00Z", missing, false),
        ];
        let range = DateRange { from: at("2026-11-18T12:00:00Z"), to: at("2026-11-21T03:00:00Z") };
        let gap = |start, end, state| Gap { start: at(start), end: at(end), state };
        assert_eq!(
            gaps(stretches.into_iter(), range),
            [
                gap("2026-11-18T12:00:00Z", "2026-11-19T06:00:00Z", expired),
                gap("2026-11-20T12:00:00Z", "2026-11-21T03:00:00Z", missing),
            ]
        );
    }
}

//! How much a window holds, judged by what its chains have ahead of them.

use chrono::{DateTime, Utc};
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// Pages in a row after which a judgement counts: a burst at the place of one page says little of the rest.
const PAGES_IN_A_ROW: u32 = 6;

/// What the chains of a window say of how much it holds.
#[derive(Debug, Default)]
pub(super) struct Survey(Mutex<Judgement>);

#[derive(Debug, Default)]
struct Judgement {
    /// Records that a chain has ahead, by the start of its span.
    ahead: BTreeMap<DateTime<Utc>, u64>,
    /// Pages in a row that told of more than the limit, and the least that they told of.
    in_a_row: u32,
    least: u64,
}

impl Survey {
    /// Notes that a page came: the chain that starts at `start` has so many records ahead, and so many of the window were
    /// `served`. Returns about how many the window holds, where that is more than `most` for sure.
    pub(super) fn page(&self, start: DateTime<Utc>, ahead: u64, served: u64, most: u64) -> Option<u64> {
        let mut judgement = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        judgement.ahead.insert(start, ahead);
        let expected = served + judgement.ahead.values().sum::<u64>();
        if expected <= most {
            judgement.in_a_row = 0;
            return None;
        }
        judgement.in_a_row += 1;
        judgement.least = if judgement.in_a_row == 1 { expected } else { judgement.least.min(expected) };
        (judgement.in_a_row >= PAGES_IN_A_ROW).then_some(judgement.least)
    }

    /// Notes that the chain that starts at `start` is over.
    pub(super) fn chain_is_over(&self, start: DateTime<Utc>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).ahead.remove(&start);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_chains_have_ahead_counts_when_it_holds_for_several_pages() {
        let survey = Survey::default();
        let hour = |hour: u32| format!("2026-11-22T{hour:02}:00:00Z").parse().unwrap();
        assert_eq!(survey.page(hour(0), 5000, 10, 100), None); // a burst
        assert_eq!(survey.page(hour(0), 40, 20, 100), None);
        let judged: Vec<_> = (0..8).map(|page| survey.page(hour(12), 200, 20 + page, 100)).collect();
        assert_eq!(judged[..5], [None; 5]);
        assert_eq!(judged[5..], [Some(260); 3]);
        survey.chain_is_over(hour(12));
        assert_eq!(survey.page(hour(0), 40, 30, 100), None);
    }
}

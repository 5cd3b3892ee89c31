//! How much a window holds, judged from samples of all of it.

use crate::graph::query::Span;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;

/// Samples without which nothing is concluded: a single one may show a burst, or the night.
const FEWEST_SAMPLES: u64 = 3;

/// What the first pages of slices say of how much the window holds.
#[derive(Debug, Default)]
pub(super) struct Survey {
    samples: AtomicU64,
    records: AtomicU64,
    seconds: AtomicU64,
}

impl Survey {
    /// Adds a sample: about so many records in that span.
    pub(super) fn add(&self, records: u64, span: Span) {
        self.samples.fetch_add(1, Relaxed);
        self.records.fetch_add(records, Relaxed);
        self.seconds.fetch_add(seconds(span), Relaxed);
    }

    /// About how many records `window` holds, once most of it was surveyed.
    pub(super) fn expected(&self, window: Span) -> Option<u64> {
        let surveyed = self.seconds.load(Relaxed);
        let is_enough = self.samples.load(Relaxed) >= FEWEST_SAMPLES && surveyed * 2 >= seconds(window);
        is_enough.then(|| self.records.load(Relaxed) * seconds(window) / surveyed.max(1))
    }
}

fn seconds(span: Span) -> u64 {
    u64::try_from((span.end - span.start).num_seconds()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_of_the_window_tells_the_rest() {
        let day = Span {
            start: "2026-11-22T00:00:00Z".parse().unwrap(),
            end: "2026-11-23T00:00:00Z".parse().unwrap(),
        };
        let survey = Survey::default();
        let parts = day.slices(6);
        survey.add(10, parts[0]);
        survey.add(300, parts[2]);
        assert_eq!(survey.expected(day), None);
        survey.add(20, parts[5]);
        assert_eq!(survey.expected(day), Some(660));
    }
}

//! How much a chain and its window hold, judged from what was served so far. It decides how a window is read,
//! never what is left out.

use crate::graph::query::Span;
use crate::record::Record;
use chrono::{DateTime, Utc};
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;

/// Samples without which nothing is concluded: a single one may show a burst, or the night.
const FEWEST_SAMPLES: u64 = 3;

/// First and last of some times.
type Times = Option<(DateTime<Utc>, DateTime<Utc>)>;

/// Records of a chain of pages so far.
#[derive(Debug, Default)]
pub(super) struct ChainDensity {
    pages: u32,
    count: u64,
    times: Times,
    last_page_count: u64,
    last_page_times: Times,
}

impl ChainDensity {
    /// Adds the records of a page.
    pub(super) fn add(&mut self, records: &[(Record, &[u8])]) {
        let times = records.iter().filter_map(|(record, _)| record.time).map(|time| (time, time));
        self.last_page_count = records.len() as u64;
        self.last_page_times = times.reduce(both);
        self.pages += 1;
        self.count += self.last_page_count;
        self.times = self.times.into_iter().chain(self.last_page_times).reduce(both);
    }

    /// About how many records `span` holds, where more follow than were seen.
    pub(super) fn expected(&self, span: Span) -> u64 {
        let covered = covered(self.times);
        if self.times.is_none() { 0 } else { self.count * span.seconds() / covered.max(1) }
    }

    /// About how many more `span` holds, where the rest of it is as dense as the last page; `None` before the
    /// first page.
    pub(super) fn ahead(&self, span: Span) -> Option<u64> {
        let left = span.seconds().saturating_sub(covered(self.times));
        (self.pages > 0).then(|| self.last_page_count * left / covered(self.last_page_times).max(1))
    }

    /// Whether there was one page only.
    pub(super) fn is_first_page(&self) -> bool {
        self.pages == 1
    }

    /// Records so far.
    pub(super) fn count(&self) -> u64 {
        self.count
    }
}

fn both(
    one: (DateTime<Utc>, DateTime<Utc>),
    other: (DateTime<Utc>, DateTime<Utc>),
) -> (DateTime<Utc>, DateTime<Utc>) {
    (one.0.min(other.0), one.1.max(other.1))
}

fn covered(times: Times) -> u64 {
    times.map_or(0, |(start, end)| Span { start, end }.seconds())
}

/// First pages of slices: samples of how much the window holds.
#[derive(Debug, Default)]
pub(super) struct WindowDensity {
    samples: AtomicU64,
    records: AtomicU64,
    seconds: AtomicU64,
}

impl WindowDensity {
    /// Adds a sample: about so many records in that span.
    pub(super) fn add(&self, records: u64, span: Span) {
        self.samples.fetch_add(1, Relaxed);
        self.records.fetch_add(records, Relaxed);
        self.seconds.fetch_add(span.seconds(), Relaxed);
    }

    /// About how many records `window` holds, once most of it was sampled.
    pub(super) fn expected(&self, window: Span) -> Option<u64> {
        let sampled = self.seconds.load(Relaxed);
        let is_enough = self.samples.load(Relaxed) >= FEWEST_SAMPLES && sampled * 2 >= window.seconds();
        is_enough.then(|| self.records.load(Relaxed) * window.seconds() / sampled.max(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day() -> Span {
        Span { start: "2026-11-22T00:00:00Z".parse().unwrap(), end: "2026-11-23T00:00:00Z".parse().unwrap() }
    }

    #[test]
    fn half_of_the_window_tells_the_rest() {
        let density = WindowDensity::default();
        let parts = day().slices(6);
        density.add(10, parts[0]);
        density.add(300, parts[2]);
        assert_eq!(density.expected(day()), None);
        density.add(20, parts[5]);
        assert_eq!(density.expected(day()), Some(660));
    }

    #[test]
    fn the_rest_of_a_span_is_taken_for_as_dense_as_the_last_page() {
        let record = |time: &str| {
            let json = format!(r#"{{"createdDateTime":"2026-11-22T{time}Z"}}"#);
            Record::read(json.as_bytes(), "createdDateTime")
        };
        let mut density = ChainDensity::default();
        assert_eq!(density.ahead(day()), None);
        density.add(&["23:00:00", "20:00:00"].map(|time| (record(time), &b""[..])));
        assert_eq!(density.ahead(day()), Some(14));
        density.add(&["19:00:00", "18:00:00"].map(|time| (record(time), &b""[..])));
        assert_eq!((density.ahead(day()), density.expected(day())), (Some(38), 19));
    }
}

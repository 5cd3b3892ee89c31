//! The progress of a run, for whoever watches it: counters that cost nothing where nobody does.

use crate::log::Stream;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// The counters of every stream of a run.
#[derive(Debug, Default)]
pub struct Progress(BTreeMap<Stream, Counters>);

#[derive(Debug, Default)]
struct Counters {
    records: AtomicU64,
    windows_done: AtomicU64,
    windows_failed: AtomicU64,
    windows_left: AtomicU64,
}

/// Counters of one stream at a moment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Record versions that Graph served, reads that came to nothing included.
    pub records: u64,
    /// Windows that were read.
    pub windows_done: u64,
    /// Windows that could not be read.
    pub windows_failed: u64,
    /// Windows that are waiting or being read.
    pub windows_left: u64,
}

impl Progress {
    /// Counters for `streams`.
    pub fn of(streams: &[Stream]) -> Self {
        Self(streams.iter().map(|&stream| (stream, Counters::default())).collect())
    }

    /// The counts of each stream now.
    pub fn counts(&self) -> impl Iterator<Item = (Stream, Counts)> {
        self.0.iter().map(|(&stream, counters)| (stream, counters.now()))
    }

    pub(crate) fn add_records(&self, stream: Stream, records: u64) {
        self.with(stream, |counters| counters.records.fetch_add(records, Relaxed));
    }

    pub(crate) fn window_is_done(&self, stream: Stream) {
        self.with(stream, |counters| counters.windows_done.fetch_add(1, Relaxed));
    }

    pub(crate) fn window_has_failed(&self, stream: Stream) {
        self.with(stream, |counters| counters.windows_failed.fetch_add(1, Relaxed));
    }

    pub(crate) fn windows_are_left(&self, stream: Stream, left: usize) {
        self.with(stream, |counters| counters.windows_left.swap(left as u64, Relaxed));
    }

    fn with(&self, stream: Stream, change: impl FnOnce(&Counters) -> u64) {
        self.0.get(&stream).map(change);
    }
}

impl Counters {
    fn now(&self) -> Counts {
        Counts {
            records: self.records.load(Relaxed),
            windows_done: self.windows_done.load(Relaxed),
            windows_failed: self.windows_failed.load(Relaxed),
            windows_left: self.windows_left.load(Relaxed),
        }
    }
}

//! Progress on a terminal: a bar for each stream, and a line for all of them.

use super::speed::{Speed, sum, time_left};
use super::style;
use crate::terminal::numbers::{count, thousands};
use entratrail::log::Stream;
use entratrail::progress::Counts;
use indicatif::{MultiProgress, ProgressBar};
use std::collections::BTreeMap;
use std::time::Instant;

/// A bar for each stream.
#[derive(Debug)]
pub(crate) struct Bars {
    started: Instant,
    allowed: u64,
    all: MultiProgress,
    streams: BTreeMap<Stream, (ProgressBar, Speed)>,
    total: ProgressBar,
    speed: Speed,
}

impl Bars {
    /// Bars for a run that may fetch so many records a second.
    pub(crate) fn new(allowed: u64) -> Self {
        let all = MultiProgress::new();
        let total = all.add(ProgressBar::no_length().with_style(style("{msg}")));
        let streams = BTreeMap::new();
        let speed = Speed::default();
        Self { started: Instant::now(), allowed, all, streams, total, speed }
    }

    pub(super) fn show(&mut self, counts: &[(Stream, Counts)]) {
        let elapsed = self.started.elapsed();
        for &(stream, counts) in counts {
            let all = &self.all;
            let total = &self.total;
            let (bar, speed) = self.streams.entry(stream).or_insert_with(|| {
                let bar = ProgressBar::new(0)
                    .with_style(style("{prefix:<17} {bar:24} {pos:>4}/{len} windows  {msg}"));
                (all.insert_before(total, bar.with_prefix(stream.name())), Speed::default())
            });
            let done = counts.windows_done + counts.windows_failed;
            bar.set_length(done + counts.windows_left);
            bar.set_position(done);
            let rate = speed.rate(elapsed, counts.records);
            bar.set_message(format!(
                "{:>11}  {rate}/s{}",
                count(counts.records, "record"),
                failures(counts)
            ));
        }
        let total = sum(counts.iter().map(|(_, counts)| counts));
        let rate = self.speed.rate(elapsed, total.records);
        let left =
            time_left(total, elapsed).map_or(String::new(), |left| format!(", about {left} left"));
        let records = thousands(total.records);
        let allowed = thousands(self.allowed);
        self.total.set_message(format!(
            "{records} records at {rate}/s; Graph's limit allows {allowed}/s{left}"
        ));
    }

    pub(super) fn end(&self) {
        self.streams.values().for_each(|(bar, _)| bar.abandon());
        self.total.abandon();
    }
}

fn failures(counts: Counts) -> String {
    match counts.windows_failed {
        0 => String::new(),
        failed => format!("  {} failed", thousands(failed)),
    }
}

//! Progress where nobody watches: a line now and then.

use super::speed::{Speed, sum, time_left};
use crate::terminal::numbers::thousands;
use crate::terminal::output::print_status;
use entratrail::log::Stream;
use entratrail::progress::Counts;
use std::time::{Duration, Instant};

/// Lines for a log.
#[derive(Debug)]
pub(crate) struct Lines {
    started: Instant,
    allowed: u64,
    speed: Speed,
}

impl Lines {
    /// Lines for a run that may fetch so many records a second.
    pub(crate) fn new(allowed: u64) -> Self {
        Self { started: Instant::now(), allowed, speed: Speed::default() }
    }

    pub(super) fn show(&mut self, counts: &[(Stream, Counts)]) {
        let elapsed = self.started.elapsed();
        let rate = self.speed.rate(elapsed, sum(counts.iter().map(|(_, counts)| counts)).records);
        print_status(&line(counts, elapsed, rate, self.allowed));
    }
}

fn line(counts: &[(Stream, Counts)], elapsed: Duration, rate: u64, allowed: u64) -> String {
    let streams: Vec<_> = counts
        .iter()
        .map(|(stream, counts)| {
            let done = counts.windows_done + counts.windows_failed;
            format!("{} {done}/{}", stream.name(), done + counts.windows_left)
        })
        .collect();
    let total = sum(counts.iter().map(|(_, counts)| counts));
    let left =
        time_left(total, elapsed).map_or(String::new(), |left| format!("; about {left} left"));
    format!(
        "{} s: windows {}; {} records at {rate}/s, Graph's limit allows {}/s{left}",
        elapsed.as_secs(),
        streams.join(", "),
        thousands(total.records),
        thousands(allowed)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_how_far_and_how_fast() {
        let counts = Counts { records: 5000, windows_done: 5, windows_failed: 0, windows_left: 25 };
        let line = line(&[(Stream::DirectoryAudits, counts)], Duration::from_secs(10), 490, 500);
        assert_eq!(
            line,
            "10 s: windows directory-audits 5/30; 5,000 records at 490/s, Graph's limit allows \
             500/s; about 50 s left"
        );
    }
}

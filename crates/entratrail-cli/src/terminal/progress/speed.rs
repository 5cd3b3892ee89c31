//! The speed at which records arrive, and the time that the rest will take.

use crate::terminal::numbers::about;
use entratrail::progress::Counts;
use std::collections::VecDeque;
use std::time::Duration;

/// The rate is that of the last so many seconds.
const LOOK_BACK: Duration = Duration::from_secs(30);

/// Records seen of one stream, or of all together.
#[derive(Debug, Default)]
pub(super) struct Speed {
    seen: VecDeque<(Duration, u64)>,
}

impl Speed {
    /// Records a second, given how many had arrived `elapsed` after the start.
    pub(super) fn rate(&mut self, elapsed: Duration, records: u64) -> u64 {
        self.seen.push_back((elapsed, records));
        while self.seen.front().is_some_and(|(at, _)| *at + LOOK_BACK < elapsed) {
            self.seen.pop_front();
        }
        let (since, before) = self.seen.front().copied().unwrap_or((elapsed, records));
        let milliseconds =
            u64::try_from(elapsed.saturating_sub(since).as_millis()).unwrap_or(u64::MAX);
        (records - before) * 1000 / milliseconds.max(1)
    }
}

/// About how long the windows that are left will take, where some are done.
pub(super) fn time_left(counts: Counts, elapsed: Duration) -> Option<String> {
    let done =
        u32::try_from(counts.windows_done + counts.windows_failed).ok().filter(|done| *done > 0)?;
    let left = u32::try_from(counts.windows_left).ok().filter(|left| *left > 0)?;
    Some(about(elapsed / done * left))
}

/// The sum of all streams.
pub(super) fn sum<'counts>(counts: impl Iterator<Item = &'counts Counts>) -> Counts {
    counts.fold(Counts::default(), |sum, counts| Counts {
        records: sum.records + counts.records,
        windows_done: sum.windows_done + counts.windows_done,
        windows_failed: sum.windows_failed + counts.windows_failed,
        windows_left: sum.windows_left + counts.windows_left,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_is_that_of_the_last_half_minute() {
        let mut speed = Speed::default();
        let seconds = Duration::from_secs;
        assert_eq!(speed.rate(seconds(0), 0), 0);
        assert_eq!(speed.rate(seconds(10), 5000), 500);
        speed.rate(seconds(60), 5000);
        assert_eq!(speed.rate(seconds(70), 6000), 100);
    }

    #[test]
    fn the_rest_takes_as_long_as_what_was_done() {
        let counts = Counts { records: 0, windows_done: 9, windows_failed: 1, windows_left: 20 };
        assert_eq!(time_left(counts, Duration::from_secs(20)).as_deref(), Some("40 s"));
        assert_eq!(
            time_left(Counts { windows_left: 5, ..Counts::default() }, Duration::from_secs(9)),
            None
        );
    }
}

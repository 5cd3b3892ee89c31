//! The windows that a run leaves unread, in words: the end of the sentence that a person gets when
//! a run fails.

use super::queue::Task;
use crate::ledger::State;
use crate::report::Report;
use chrono::{DateTime, Days, Utc};

/// Names what could not be read and what is left; of what no read has on record, since when it is
/// missing, and until when Graph serves it still, where it keeps it for `history_days`.
pub(super) fn describe<'left>(
    report: &Report,
    left: impl Iterator<Item = &'left Task>,
    history_days: u16,
) -> String {
    let failed = report.windows.iter().filter(|window| window.has_failed());
    let failed = failed.map(|window| (window.state, window.start));
    let left = left.map(|task| (task.planned.state, task.planned.window.start()));
    let missing =
        failed.chain(left).filter(|(state, _)| *state == State::Missing).map(|(_, start)| start);
    let how_many = counts(report);
    match missing.min() {
        Some(oldest) => format!("{how_many}; {}", since(oldest, history_days)),
        None => format!("{how_many}; whatever is on record already stays as it is"),
    }
}

fn counts(report: &Report) -> String {
    let windows =
        |count: u64| if count == 1 { "1 window".to_owned() } else { format!("{count} windows") };
    let failed = windows(report.failed_windows() as u64);
    match report.remaining_windows {
        0 => format!("{failed} could not be read"),
        left => format!("{failed} could not be read, {} left", windows(left)),
    }
}

fn since(oldest: DateTime<Utc>, history_days: u16) -> String {
    let fetched_until = oldest.checked_add_days(Days::new(history_days.into())).unwrap_or(oldest);
    format!(
        "missing since {}, which can be fetched until {}",
        oldest.format("%Y-%m-%d %H:%M UTC"),
        fetched_until.format("%Y-%m-%d")
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::{Log, Stream};
    use crate::report::WindowReport;

    fn report(windows: &[(&str, State)]) -> Report {
        let mut report = Report::new(Log::DirectoryAudits);
        for (start, state) in windows {
            let start = start.parse().unwrap();
            let unread = WindowReport::unread(Stream::DirectoryAudits, start, start, 1, *state);
            report.add(WindowReport { error: Some("no".to_owned()), ..unread });
        }
        report
    }

    #[test]
    fn the_oldest_window_without_a_read_says_since_when_and_until_when() {
        let mut report = report(&[
            ("2026-11-19T00:00:00Z", State::Open),
            ("2026-11-21T06:00:00Z", State::Missing),
            ("2026-11-20T00:00:00Z", State::Missing),
        ]);
        report.remaining_windows = 1;
        assert_eq!(
            describe(&report, std::iter::empty(), 30),
            "3 windows could not be read, 1 window left; missing since 2026-11-20 00:00 UTC, which \
             can be fetched until 2026-12-20"
        );
    }

    #[test]
    fn what_was_read_before_is_not_missing() {
        let report = report(&[("2026-11-19T00:00:00Z", State::Open)]);
        assert_eq!(
            describe(&report, std::iter::empty(), 7),
            "1 window could not be read; whatever is on record already stays as it is"
        );
    }
}

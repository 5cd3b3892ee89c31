//! A day as its ledger shows it: every minute of it in one state.

use super::{Ledger, Proof, State};
use crate::window::{Window, midnight};
use chrono::{DateTime, Days, NaiveDate, Utc};

/// Part of a day in one state: a window that was read completely, or minutes that no such window
/// covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stretch {
    /// First instant.
    pub start: DateTime<Utc>,
    /// First instant after it.
    pub end: DateTime<Utc>,
    /// State of each of its minutes.
    pub state: State,
    /// Whether a complete read covers it.
    pub is_read: bool,
}

/// Every minute of `day`, in the order of time.
pub fn stretches(day: NaiveDate, ledger: &Ledger, proof: &Proof) -> Vec<Stretch> {
    let end_of_day = midnight(day + Days::new(1));
    let mut stretches = Vec::new();
    let mut covered_to = midnight(day);
    for window in windows_read(day, ledger) {
        push_gap(&mut stretches, covered_to, window.start(), day, proof);
        let start = covered_to.max(window.start());
        if start < window.end() {
            let state = proof.state(ledger, window);
            stretches.push(Stretch { start, end: window.end(), state, is_read: true });
            covered_to = window.end();
        }
    }
    push_gap(&mut stretches, covered_to, end_of_day, day, proof);
    stretches
}

/// Gravest state of any minute of `day`.
pub fn day_state(day: NaiveDate, ledger: &Ledger, proof: &Proof) -> State {
    let states = stretches(day, ledger, proof).into_iter().map(|stretch| stretch.state);
    states.max().unwrap_or(State::Missing)
}

fn windows_read(day: NaiveDate, ledger: &Ledger) -> Vec<Window> {
    let mut windows: Vec<_> = ledger
        .rows()
        .filter(|row| row.is_complete() && row.window.day() == day)
        .map(|row| row.window)
        .collect();
    windows.sort_unstable_by_key(|window| (window.start(), std::cmp::Reverse(window.end())));
    windows.dedup();
    windows
}

fn push_gap(
    stretches: &mut Vec<Stretch>,
    start: DateTime<Utc>,
    end: DateTime<Utc>,
    day: NaiveDate,
    proof: &Proof,
) {
    if start < end {
        let state = proof.state_of_gap(day);
        stretches.push(Stretch { start, end, state, is_read: false });
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Completed, Origin, ReadResult, ReadRow, StreamHistory};
    use super::*;

    fn day() -> NaiveDate {
        NaiveDate::from_ymd_opt(2026, 11, 20).unwrap()
    }

    fn ledger(windows: &[&str], result: &ReadResult) -> Ledger {
        let mut ledger = Ledger::default();
        for name in windows {
            let window = Window::named(day(), name).unwrap();
            let row = ReadRow {
                window,
                read: 1,
                started_at: window.end(),
                finished_at: window.end(),
                result: result.clone(),
                requests: 1,
                retries: 0,
                origin: Some(Origin::new(Some("application"))),
            };
            ledger.append(row).unwrap();
        }
        ledger
    }

    fn check(ledger: &Ledger, oldest_day: NaiveDate, expected: &[(&str, State)]) {
        let proof = Proof { history: StreamHistory::default(), oldest_day };
        let found: Vec<_> = stretches(day(), ledger, &proof)
            .into_iter()
            .map(|stretch| {
                let end = if stretch.end.date_naive() > day() { "24" } else { "" };
                let end =
                    if end.is_empty() { stretch.end.format("%H").to_string() } else { end.into() };
                (format!("{}-{end}", stretch.start.format("%H")), stretch.state)
            })
            .collect();
        let expected: Vec<_> =
            expected.iter().map(|(name, state)| ((*name).to_owned(), *state)).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn every_minute_is_in_a_window_that_was_read_or_in_a_gap() {
        let read = ledger(&["0000-0600", "1200-1800"], &ReadResult::Complete(Completed::default()));
        let open = State::Open;
        let missing = State::Missing;
        let expired = State::Expired;
        check(
            &read,
            day(),
            &[("00-06", open), ("06-12", missing), ("12-18", open), ("18-24", missing)],
        );
        let later = day().succ_opt().unwrap();
        check(
            &read,
            later,
            &[("00-06", expired), ("06-12", expired), ("12-18", expired), ("18-24", expired)],
        );
    }

    #[test]
    fn a_failed_read_covers_nothing() {
        let failed = ledger(&["0000-2400"], &ReadResult::Failed { error: "no".to_owned() });
        check(&failed, day(), &[("00-24", State::Missing)]);
        check(&Ledger::default(), day(), &[("00-24", State::Missing)]);
    }
}

//! Which minutes no read covers.

use super::day::CheckedDay;
use chrono::{DateTime, TimeDelta, Utc};
use entratrail::window::Window;
use serde::Serialize;

type Span = (DateTime<Utc>, DateTime<Utc>);

/// What Graph keeps at most.
const KEPT: TimeDelta = TimeDelta::days(30);

/// A span that no read covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(super) struct Gap {
    pub(super) start: DateTime<Utc>,
    pub(super) end: DateTime<Utc>,
    pub(super) state: GapState,
}

/// Whether a gap can be filled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum GapState {
    /// The next collection can read it.
    Missing,
    /// It is older than what Graph keeps.
    Expired,
}

/// From the first minute that any stream has to the last.
pub(super) fn span_of(days: &[CheckedDay]) -> Option<Span> {
    let windows = || days.iter().flat_map(|day| &day.windows);
    let start = windows().map(|(window, _)| window.start()).min()?;
    let end = windows().map(|(window, _)| window.end()).max()?;
    Some((start, end))
}

/// The parts of `span` that none of `windows`, which are in the order of time, covers.
pub(super) fn gaps(windows: impl Iterator<Item = Window>, span: Span, now: DateTime<Utc>) -> Vec<Gap> {
    let mut gaps = Vec::new();
    let mut covered_to = span.0;
    for window in windows {
        add(&mut gaps, covered_to, window.start().min(span.1), now);
        covered_to = covered_to.max(window.end());
    }
    add(&mut gaps, covered_to, span.1, now);
    gaps
}

fn add(gaps: &mut Vec<Gap>, start: DateTime<Utc>, end: DateTime<Utc>, now: DateTime<Utc>) {
    let oldest = now - KEPT;
    let split = oldest.clamp(start, end.max(start));
    for (start, end, state) in [(start, split, GapState::Expired), (split, end, GapState::Missing)] {
        if start < end {
            gaps.push(Gap { start, end, state });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[test]
    fn every_minute_of_the_span_is_covered_or_in_a_gap() {
        let day = at("2026-11-20T00:00:00Z").date_naive();
        let windows = ["0000-0600", "1200-1800"].map(|name| Window::named(day, name).unwrap());
        let span = (at("2026-11-19T23:00:00Z"), at("2026-11-21T00:00:00Z"));
        let gaps_at = |now| gaps(windows.into_iter(), span, at(now));
        let missing = |start, end| Gap { start: at(start), end: at(end), state: GapState::Missing };
        assert_eq!(
            gaps_at("2026-11-22T00:00:00Z"),
            [
                missing("2026-11-19T23:00:00Z", "2026-11-20T00:00:00Z"),
                missing("2026-11-20T06:00:00Z", "2026-11-20T12:00:00Z"),
                missing("2026-11-20T18:00:00Z", "2026-11-21T00:00:00Z"),
            ]
        );
        let late = gaps_at("2026-12-20T08:00:00Z");
        let states: Vec<_> = late.iter().map(|gap| gap.state).collect();
        assert_eq!(states, [GapState::Expired, GapState::Expired, GapState::Missing, GapState::Missing]);
        assert_eq!(late[1].end, late[2].start);
    }
}

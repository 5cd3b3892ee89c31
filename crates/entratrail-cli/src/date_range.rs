//! A part of record time.

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use entratrail::window::{Window, midnight};

/// Record time from the first instant up to the second, which is not included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct DateRange {
    pub(crate) from: DateTime<Utc>,
    pub(crate) to: DateTime<Utc>,
}

impl DateRange {
    /// All of record time.
    pub(crate) const ALL: Self =
        Self { from: DateTime::<Utc>::MIN_UTC, to: DateTime::<Utc>::MAX_UTC };

    /// The days from `from` up to `to`, which is not included; without a bound that is absent.
    pub(crate) fn of_days(from: Option<NaiveDate>, to: Option<NaiveDate>) -> Self {
        Self { from: from.map_or(Self::ALL.from, midnight), to: to.map_or(Self::ALL.to, midnight) }
    }

    /// The same up to `end` at the latest.
    pub(crate) fn until(self, end: DateTime<Utc>) -> Self {
        Self { to: self.to.min(end), ..self }
    }

    /// Whether any of that day lies in the range.
    pub(crate) fn contains_day(self, day: NaiveDate) -> bool {
        let start = midnight(day);
        start < self.to && self.from < start + TimeDelta::days(1)
    }

    /// Whether any of that window lies in the range.
    pub(crate) fn overlaps(self, window: Window) -> bool {
        window.start() < self.to && self.from < window.end()
    }

    /// The day on which the range begins, as far back as an archive can go.
    pub(crate) fn first_day(self) -> NaiveDate {
        self.from.date_naive().max(NaiveDate::default())
    }

    /// The days of a range that has a beginning and an end.
    pub(crate) fn days(self) -> impl Iterator<Item = NaiveDate> {
        self.from.date_naive().iter_days().take_while(move |day| midnight(*day) < self.to)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_in_the_range_from_its_first_instant_to_its_last() {
        let day = |text: &str| text.parse::<NaiveDate>().unwrap();
        let two = DateRange::of_days(Some(day("2026-11-22")), Some(day("2026-11-24")));
        let inside = ["2026-11-21", "2026-11-22", "2026-11-23", "2026-11-24"]
            .map(|text| two.contains_day(day(text)));
        assert_eq!(inside, [false, true, true, false]);
        assert_eq!(two.days().collect::<Vec<_>>(), [day("2026-11-22"), day("2026-11-23")]);
        let short = DateRange { from: "2026-11-22T23:59:59Z".parse().unwrap(), ..two };
        assert!(
            short.contains_day(day("2026-11-22")) && DateRange::ALL.contains_day(day("1999-01-01"))
        );
    }
}

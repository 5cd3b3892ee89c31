//! A span of record time that is read, stored and proved as one.

use chrono::{DateTime, NaiveDate, NaiveTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

/// Length of a window: one of those that divide the day, and each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct WindowLength(u16);

impl WindowLength {
    /// A whole day.
    pub const DAY: Self = Self(1440);
    /// Every length in minutes, longest first. Each divides all before it, so aligned windows nest.
    pub const MINUTES: [u16; 8] = [1440, 720, 360, 180, 60, 30, 15, 5];

    /// The length of that many minutes.
    pub fn new(minutes: u16) -> Option<Self> {
        Self::MINUTES.contains(&minutes).then_some(Self(minutes))
    }

    /// This length in minutes.
    pub fn minutes(self) -> u16 {
        self.0
    }

    /// The next shorter length; `None` at five minutes.
    pub fn shorter(self) -> Option<Self> {
        Self::MINUTES.into_iter().find(|&minutes| minutes < self.0).map(Self)
    }
}

/// A half-open span `[start, end)` inside one UTC day, aligned to its own length.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "Bounds", into = "Bounds")]
pub struct Window {
    day: NaiveDate,
    minute: u16,
    length: WindowLength,
}

impl Window {
    /// The whole of `day`.
    pub fn whole_day(day: NaiveDate) -> Self {
        Self { day, minute: 0, length: WindowLength::DAY }
    }

    /// The window from `start` to `end`, where there is one.
    pub fn between(start: DateTime<Utc>, end: DateTime<Utc>) -> Option<Self> {
        let day = start.date_naive();
        let minute = minute_of(day, start)?;
        let length = minute_of(day, end)?.checked_sub(minute).and_then(WindowLength::new)?;
        Self::aligned(day, minute, length)
    }

    /// The window of `day` with that name, e.g. `0600-1200`.
    pub fn named(day: NaiveDate, name: &str) -> Option<Self> {
        let (start, end) = name.split_once('-')?;
        let minute = clock_minute(start)?;
        let length = clock_minute(end)?.checked_sub(minute).and_then(WindowLength::new)?;
        Self::aligned(day, minute, length)
    }

    fn aligned(day: NaiveDate, minute: u16, length: WindowLength) -> Option<Self> {
        (minute.is_multiple_of(length.0) && minute < 1440).then_some(Self { day, minute, length })
    }

    /// The UTC day that holds the window.
    pub fn day(self) -> NaiveDate {
        self.day
    }

    /// Length of the window.
    pub fn length(self) -> WindowLength {
        self.length
    }

    /// Its first instant.
    pub fn start(self) -> DateTime<Utc> {
        midnight(self.day) + TimeDelta::minutes(i64::from(self.minute))
    }

    /// The first instant after it.
    pub fn end(self) -> DateTime<Utc> {
        self.start() + TimeDelta::minutes(i64::from(self.length.0))
    }

    /// Its name in object keys, unique within the day, e.g. `0000-2400`.
    pub fn name(self) -> String {
        let end = self.minute + self.length.0;
        format!("{:02}{:02}-{:02}{:02}", self.minute / 60, self.minute % 60, end / 60, end % 60)
    }

    /// Whether any minute lies in both.
    pub fn overlaps(self, other: Self) -> bool {
        self.start() < other.end() && other.start() < self.end()
    }

    /// Whether every minute of `other` lies in this one.
    pub fn contains(self, other: Self) -> bool {
        self.start() <= other.start() && other.end() <= self.end()
    }

    /// The windows of `length` that make up this one; itself where it is no longer than that.
    pub fn tiles(self, length: WindowLength) -> impl Iterator<Item = Self> {
        let length = length.min(self.length);
        (self.minute..self.minute + self.length.0)
            .step_by(usize::from(length.0))
            .map(move |minute| Self { day: self.day, minute, length })
    }

    /// The windows of the next shorter length that make up this one; `None` at five minutes.
    pub fn split(self) -> Option<impl Iterator<Item = Self>> {
        self.length.shorter().map(|length| self.tiles(length))
    }
}

/// The form of a window in the ledger.
#[derive(Serialize, Deserialize)]
struct Bounds {
    window_start: DateTime<Utc>,
    window_end: DateTime<Utc>,
}

impl From<Window> for Bounds {
    fn from(window: Window) -> Self {
        Self { window_start: window.start(), window_end: window.end() }
    }
}

impl TryFrom<Bounds> for Window {
    type Error = &'static str;

    fn try_from(bounds: Bounds) -> Result<Self, Self::Error> {
        Self::between(bounds.window_start, bounds.window_end)
            .ok_or("not an aligned window inside one UTC day")
    }
}

/// The first instant of a UTC day.
pub fn midnight(day: NaiveDate) -> DateTime<Utc> {
    day.and_time(NaiveTime::MIN).and_utc()
}

/// Minutes from the start of `day` to `instant`, where that is a whole number from 0 to 1440.
fn minute_of(day: NaiveDate, instant: DateTime<Utc>) -> Option<u16> {
    let since = instant - midnight(day);
    let minutes = u16::try_from(since.num_minutes()).ok()?;
    (TimeDelta::minutes(i64::from(minutes)) == since && minutes <= 1440).then_some(minutes)
}

/// Minutes since midnight of a time written `HHMM`, `2400` included.
fn clock_minute(text: &str) -> Option<u16> {
    let digits = text.len() == 4 && text.bytes().all(|byte| byte.is_ascii_digit());
    let number: u16 = digits.then(|| text.parse().ok())??;
    let hour = number / 100;
    let minute = number % 100;
    (minute < 60 && hour * 60 + minute <= 1440).then_some(hour * 60 + minute)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn day() -> NaiveDate {
        NaiveDate::from_ymd_opt(2026, 11, 22).unwrap()
    }

    fn any_window() -> impl Strategy<Value = Window> {
        (0usize..8, 0u16..1440).prop_map(|(index, minute)| {
            let length = WindowLength::new(WindowLength::MINUTES[index]).unwrap();
            Window { day: day(), minute: minute / length.0 * length.0, length }
        })
    }

    proptest! {
        #[test]
        fn a_name_is_read_back_as_the_same_window(window in any_window()) {
            prop_assert_eq!(Window::named(day(), &window.name()), Some(window));
            prop_assert_eq!(Window::between(window.start(), window.end()), Some(window));
        }

        #[test]
        fn splitting_covers_every_minute_exactly_once(window in any_window()) {
            let Some(parts) = window.split() else { return Ok(()) };
            let mut at = window.start();
            for part in parts {
                prop_assert_eq!(part.start(), at);
                prop_assert!(Window::aligned(part.day, part.minute, part.length).is_some());
                at = part.end();
            }
            prop_assert_eq!(at, window.end());
        }

        #[test]
        fn two_aligned_windows_nest_or_are_apart(one in any_window(), other in any_window()) {
            prop_assert!(!one.overlaps(other) || one.contains(other) || other.contains(one));
        }
    }

    #[test]
    fn names_that_are_no_window_are_refused() {
        for name in [
            "",
            "0000",
            "0000-2500",
            "0000-0700",
            "0030-0130",
            "0060-0120",
            "1200-0600",
            "+000-2400",
            "0000-2400-",
        ] {
            assert_eq!(Window::named(day(), name), None, "{name}");
        }
    }
}

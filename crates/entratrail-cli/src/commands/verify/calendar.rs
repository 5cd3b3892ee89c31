//! The archive as a calendar: a character for each day.

use super::result::{CheckedStream, DayState, Verification};
use crate::terminal::numbers::count;
use chrono::{DateTime, Datelike as _, NaiveDate, Utc};
use entratrail::ledger::State;
use std::collections::BTreeMap;
use std::fmt::Write as _;

const LEGEND: &str = "# verified   - read, from before the archive began   o open: read, to be \
                      read again\n~ unstable   . missing   x expired   ! wrong";

/// The calendar of every stream.
pub(super) fn of(verification: &Verification, now: DateTime<Utc>) -> String {
    let mut text = String::new();
    for stream in &verification.streams {
        let records = count(stream.records, "record");
        let objects = count(stream.objects, "object");
        let _ = write!(
            text,
            "{}: {records} in {objects} below {}\n{}\n",
            stream.stream,
            stream.folder,
            months(stream)
        );
    }
    let until = now.format("%Y-%m-%d %H:%M");
    let _ = write!(text, "{LEGEND}   (UTC, as of {until})");
    text
}

fn months(stream: &CheckedStream) -> String {
    let mut months: BTreeMap<(i32, u32), String> = BTreeMap::new();
    for (&day, &state) in &stream.days {
        let month = months.entry((day.year(), day.month())).or_default();
        while month.len() < column(day) {
            month.push(' ');
        }
        month.push(sign(state));
    }
    let mut text = String::from("           1   5    10   15   20   25   30\n");
    for ((year, month), days) in months {
        let _ = writeln!(text, "  {year}-{month:02}  {days}");
    }
    text
}

fn column(day: NaiveDate) -> usize {
    day.day0() as usize
}

fn sign(state: DayState) -> char {
    match state {
        DayState::Shown(State::Verified) => '#',
        DayState::Shown(State::Before) => '-',
        DayState::Shown(State::Open) => 'o',
        DayState::Shown(State::Unstable) => '~',
        DayState::Shown(State::Missing) => '.',
        DayState::Shown(State::Expired) => 'x',
        DayState::Wrong => '!',
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_stands_under_its_number() {
        let day = |text: &str| text.parse::<NaiveDate>().unwrap();
        let days = [
            ("2026-10-30", DayState::Shown(State::Expired)),
            ("2026-10-31", DayState::Shown(State::Missing)),
            ("2026-11-01", DayState::Shown(State::Verified)),
        ];
        let stream = CheckedStream {
            stream: "interactiveUser",
            folder: String::new(),
            objects: 1,
            records: 1,
            bytes: 1,
            days: days.into_iter().map(|(text, state)| (day(text), state)).collect(),
            uncovered: Vec::new(),
            problems: Vec::new(),
        };
        let text = months(&stream);
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines[1].find('x'), lines[0].find("30"));
        assert_eq!(lines[2], "  2026-11  #");
        assert_eq!(lines[2].find('#'), lines[0].find('1'));
    }
}

//! Record times as whole numbers of 100 nanoseconds since 1970: the resolution that Graph writes.

use chrono::{DateTime, NaiveDate, NaiveTime, Utc};

pub(crate) const PER_SECOND: i64 = 10_000_000;
pub(crate) const PER_DAY: i64 = 86_400 * PER_SECOND;

pub(crate) fn from_time(time: DateTime<Utc>) -> i64 {
    time.timestamp() * PER_SECOND + i64::from(time.timestamp_subsec_nanos() / 100)
}

pub(crate) fn to_time(ticks: i64) -> DateTime<Utc> {
    let nanoseconds = u32::try_from(ticks.rem_euclid(PER_SECOND) * 100).unwrap_or_default();
    DateTime::from_timestamp(ticks.div_euclid(PER_SECOND), nanoseconds).unwrap_or_default()
}

/// Reads an unquoted date literal of a filter, with or without a time.
pub(crate) fn parse(literal: &str) -> Option<i64> {
    if let Ok(date) = literal.parse::<NaiveDate>() {
        return Some(from_time(date.and_time(NaiveTime::MIN).and_utc()));
    }
    let time = DateTime::parse_from_rfc3339(literal).ok()?;
    Some(from_time(time.with_timezone(&Utc)))
}

/// Cuts a time to `digits` fraction digits, because that is all a record with so few digits can
/// say.
pub(crate) fn truncated(ticks: i64, digits: u8) -> i64 {
    let unit = 10_i64.pow(7 - u32::from(digits.min(7)));
    ticks - ticks.rem_euclid(unit)
}

/// Writes `2026-11-22T09:15:00.1234567Z` with the given number of fraction digits.
pub(crate) fn write(out: &mut Vec<u8>, ticks: i64, digits: u8) {
    let (year, month, day) = civil(ticks.div_euclid(PER_DAY));
    let second = ticks.rem_euclid(PER_DAY) / PER_SECOND;
    write_number(out, year, 4);
    for (separator, value) in [
        (b'-', month),
        (b'-', day),
        (b'T', second / 3600),
        (b':', second / 60 % 60),
        (b':', second % 60),
    ] {
        out.push(separator);
        write_number(out, value, 2);
    }
    if digits > 0 {
        out.push(b'.');
        let unit = 10_i64.pow(7 - u32::from(digits.min(7)));
        write_number(out, ticks.rem_euclid(PER_SECOND) / unit, digits);
    }
    out.push(b'Z');
}

pub(crate) fn text(ticks: i64, digits: u8) -> String {
    let mut out = Vec::with_capacity(28);
    write(&mut out, ticks, digits);
    String::from_utf8(out).unwrap_or_default()
}

fn write_number(out: &mut Vec<u8>, value: i64, width: u8) {
    for place in (0..u32::from(width)).rev() {
        out.push(b'0' + u8::try_from(value / 10_i64.pow(place) % 10).unwrap_or_default());
    }
}

/// Days since 1970 as year, month and day (proleptic Gregorian, by whole 400-year eras).
fn civil(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_literal_survives_writing_and_reading() {
        for (literal, digits) in [
            ("2026-11-22T00:00:00Z", 0),
            ("2026-11-22T00:00:00.0000001Z", 7),
            ("2024-02-29T23:59:59.999Z", 3),
            ("1999-12-31T12:30:01.5Z", 1),
        ] {
            assert_eq!(parse(literal).map(|ticks| text(ticks, digits)).as_deref(), Some(literal));
        }
    }

    #[test]
    fn a_date_alone_is_its_midnight() {
        assert_eq!(parse("2026-11-22"), parse("2026-11-22T00:00:00Z"));
    }

    #[test]
    fn quoted_and_local_times_are_no_literals() {
        for literal in ["'2026-11-22T00:00:00Z'", "2026-11-22T00:00:00", "22.11.2026", ""] {
            assert_eq!(parse(literal), None);
        }
    }
}

//! The days that the stories are about: they are counted back from today.

use chrono::{DateTime, NaiveDate, NaiveTime, TimeDelta, Utc};

/// The UTC day that lies so many days back.
pub fn day(days_ago: i64) -> NaiveDate {
    (Utc::now() - TimeDelta::days(days_ago)).date_naive()
}

/// The first instant of a day.
pub fn midnight(day: NaiveDate) -> DateTime<Utc> {
    day.and_time(NaiveTime::MIN).and_utc()
}

//! The days that the stories of this crate are about: they are counted back from today.

use std::time::Duration;

use chrono::{DateTime, NaiveDate, NaiveTime, TimeDelta, Utc};

/// The UTC day that lies so many days back.
pub(crate) fn day(days_ago: i64) -> NaiveDate {
    (Utc::now() - TimeDelta::days(days_ago)).date_naive()
}

/// The first instant of a day.
pub(crate) fn midnight(day: NaiveDate) -> DateTime<Utc> {
    day.and_time(NaiveTime::MIN).and_utc()
}

/// Test, simulator and functions have to agree on what day it is; no story lasts two minutes.
pub(crate) async fn wait_past_midnight() {
    let left = (midnight(day(-1)) - Utc::now()).to_std().unwrap_or_default();
    if left < Duration::from_mins(2) {
        tokio::time::sleep(left).await;
    }
}

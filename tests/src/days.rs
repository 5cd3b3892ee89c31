//! The days that the stories are about: they are counted back from today.

use std::time::Duration;

use chrono::{DateTime, NaiveDate, NaiveTime, TimeDelta, Utc};

/// Far longer than a story takes, also on a machine that is busy with something else.
const LONGEST_STORY: Duration = Duration::from_mins(10);

/// The UTC day that lies so many days back.
pub fn day(days_ago: i64) -> NaiveDate {
    (Utc::now() - TimeDelta::days(days_ago)).date_naive()
}

/// The first instant of a day.
pub fn midnight(day: NaiveDate) -> DateTime<Utc> {
    day.and_time(NaiveTime::MIN).and_utc()
}

/// Waits where midnight would come in the middle of a story: test, simulator and programs have to
/// agree on what day it is.
pub async fn wait_past_midnight() {
    let left = (midnight(day(-1)) - Utc::now()).to_std().unwrap_or_default();
    if left < LONGEST_STORY {
        tokio::time::sleep(left).await;
    }
}

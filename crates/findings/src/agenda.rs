//! Questions that are asked today, and the days that each looks back over.
//!
//! Athena bills each byte that it reads. A question of 30 days would read each day thirty times;
//! asked daily it looks back over the days that are new, and once a week far enough for records
//! that came late.

use crate::scan::with_cheap_views;
use chrono::{Datelike as _, Days, NaiveDate};
use entratrail_questions::{Question, Severity};
use std::collections::BTreeMap;

/// Days before today that a daily question reads: those that the runs of this night read for the
/// first and the second time.
pub const RECENT_DAYS: u64 = 2;

/// Days before today that the questions of a week read: a week, and what the last look at a day
/// (five days after it) brought.
pub const WEEK_DAYS: u64 = 14;

/// Days that most questions look back over by themselves. Only these are shortened.
const WHOLE_DAYS: u64 = 30;

/// Mark of a question that compares the last week with the time before: its 30 days are no horizon.
const COMPARES: &str = "INTERVAL '7' DAY";

/// A question that is asked today.
#[derive(Debug, Clone)]
pub struct Asked {
    /// The question.
    pub question: Question,
    /// Its SQL, over the days that are new to it.
    pub sql: String,
}

/// Monday of the week of `day`.
pub fn week_of(day: NaiveDate) -> NaiveDate {
    day - Days::new(u64::from(day.weekday().num_days_from_monday()))
}

/// The questions that are due on `today`, the gravest first.
///
/// `answered` has the last day on which each question was answered. One that is not graver than
/// `daily` waits for its week.
pub fn due(
    today: NaiveDate,
    answered: &BTreeMap<String, NaiveDate>,
    daily: Severity,
) -> Vec<Asked> {
    let mut told: Vec<_> = entratrail_questions::questions()
        .into_iter()
        .filter(|question| question.told.is_some())
        .collect();
    told.sort_by_key(|question| question.severity);
    let due = told.into_iter().filter_map(|question| {
        let last = answered.get(&question.id).copied();
        let is_weekly = last.is_none_or(|last| last < week_of(today));
        // A week is also the longest that a question which compares with 90 days may wait: it tells
        // of seven.
        let is_daily = question.severity <= daily && !compares(&question);
        (is_weekly || is_daily).then(|| {
            let days = days_back(today, last, is_weekly);
            Asked { sql: with_cheap_views(&over(&question, days)), question }
        })
    });
    due.collect()
}

fn compares(question: &Question) -> bool {
    question.sql.contains(COMPARES) && question.sql.contains("INTERVAL '90' DAY")
}

/// Days to look back: those that are new, all that nobody asked about since the last answer, and
/// everything at first.
fn days_back(today: NaiveDate, last: Option<NaiveDate>, is_weekly: bool) -> u64 {
    let Some(last) = last else { return WHOLE_DAYS };
    let unasked = u64::try_from((today - last).num_days()).unwrap_or(0) + RECENT_DAYS - 1;
    unasked.max(if is_weekly { WEEK_DAYS } else { RECENT_DAYS }).min(WHOLE_DAYS)
}

/// The question's SQL, looking back over `days` where it looks back over 30 by itself.
///
/// A second part of a question that must look back a day further (31) goes on doing so.
fn over(question: &Question, days: u64) -> String {
    if question.sql.contains(COMPARES) {
        return question.sql.clone();
    }
    let sql = question.sql.replace(&interval(WHOLE_DAYS), &interval(days));
    sql.replace(&interval(WHOLE_DAYS + 1), &interval(days + 1))
}

fn interval(days: u64) -> String {
    format!("INTERVAL '{days}' DAY")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn ids(asked: &[Asked]) -> Vec<&str> {
        asked.iter().map(|asked| asked.question.id.as_str()).collect()
    }

    fn all_answered(on: NaiveDate) -> BTreeMap<String, NaiveDate> {
        entratrail_questions::questions().into_iter().map(|question| (question.id, on)).collect()
    }

    #[test]
    fn at_first_everything_is_asked_over_its_own_days_the_gravest_first() {
        let asked = due(day("2026-11-26"), &BTreeMap::new(), Severity::High);
        assert!(asked.iter().all(|asked| asked.sql == with_cheap_views(&asked.question.sql)));
        assert!(asked.is_sorted_by_key(|asked| asked.question.severity));
        let told = entratrail_questions::questions()
            .into_iter()
            .filter(|question| question.told.is_some());
        assert_eq!(asked.len(), told.count());
    }

    #[test]
    fn within_a_week_only_what_is_grave_is_asked_over_the_new_days() {
        // A Thursday.
        let asked = due(day("2026-11-26"), &all_answered(day("2026-11-25")), Severity::High);
        assert!(
            !asked.is_empty()
                && asked.iter().all(|asked| asked.question.severity == Severity::High)
        );
        let spray = asked.iter().find(|asked| asked.question.id == "password-spray").unwrap();
        assert!(spray.sql.contains("INTERVAL '2' DAY") && !spray.sql.contains("INTERVAL '30' DAY"));
        let after_risk =
            asked.iter().find(|asked| asked.question.id == "mfa-methods-after-risk").unwrap();
        assert!(
            after_risk.sql.contains("INTERVAL '3' DAY")
                && after_risk.sql.contains("INTERVAL '24' HOUR")
        );
    }

    #[test]
    fn a_lower_threshold_asks_more_daily_but_no_comparison_with_months() {
        let asked = due(day("2026-11-26"), &all_answered(day("2026-11-25")), Severity::Medium);
        assert!(ids(&asked).contains(&"role-grants") && ids(&asked).contains(&"password-spray"));
        assert!(!ids(&asked).contains(&"device-code"));
    }

    #[test]
    fn on_the_first_run_of_a_week_everything_is_asked_for_what_came_late() {
        // A Monday.
        let asked = due(day("2026-11-23"), &all_answered(day("2026-11-22")), Severity::High);
        assert_eq!(asked.len(), due(day("2026-11-23"), &BTreeMap::new(), Severity::High).len());
        let spray = asked.iter().find(|asked| asked.question.id == "password-spray").unwrap();
        assert!(spray.sql.contains("INTERVAL '14' DAY"));
        let bypassed =
            asked.iter().find(|asked| asked.question.id == "conditional-access-bypassed").unwrap();
        assert_eq!(bypassed.sql, with_cheap_views(&bypassed.question.sql));
    }

    #[test]
    fn days_that_nobody_asked_about_are_made_up_for() {
        let check = |today, last, is_weekly, days| {
            assert_eq!(days_back(day(today), Some(day(last)), is_weekly), days, "{today} {last}");
        };
        check("2026-11-26", "2026-11-25", false, 2);
        check("2026-11-26", "2026-11-26", false, 2);
        check("2026-11-26", "2026-11-23", false, 4);
        check("2026-11-23", "2026-11-22", true, 14);
        check("2026-11-30", "2026-11-10", true, 21);
        check("2026-11-30", "2026-06-10", true, 30);
        assert_eq!(days_back(day("2026-11-30"), None, true), 30);
    }

    #[test]
    fn only_horizons_of_thirty_days_are_shortened() {
        for question in entratrail_questions::questions() {
            let shorter = over(&question, 3);
            let changed: Vec<_> =
                shorter.lines().zip(question.sql.lines()).filter(|(new, old)| new != old).collect();
            for (_, old) in &changed {
                assert!(old.contains("current_date"), "{}: {old} is no horizon", question.id);
            }
            assert!(
                !question.sql.contains("INTERVAL '7' DAY") || changed.is_empty(),
                "{}",
                question.id
            );
        }
    }
}

//! When in the week people sign in: hours by weekdays.

use super::super::content::Report;
use super::days::hours;
use crate::terminal::numbers::thousands;
use chrono::{Datelike as _, Timelike as _};
use maud::{Markup, html};

const WEEKDAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];

/// The picture.
pub(super) fn of(report: &Report) -> Markup {
    let week = week(report);
    let highest = week.iter().flatten().copied().max().unwrap_or(0).max(1);
    html! {
        figure.week {
            figcaption {
                h3 { "By hour and weekday" }
                p.legend { "UTC · darkest: " (thousands(highest)) " sign-ins" }
            }
            div.grid {
                ul.weekdays aria-hidden="true" { @for name in WEEKDAYS { li { (name) } } }
                svg role="img" viewBox="0 0 24 7" preserveAspectRatio="none" {
                    title { "Sign-ins by hour of the day and weekday, all weeks together" }
                    @for (y, hours) in week.iter().enumerate() {
                        @for (x, &sum) in hours.iter().enumerate() { (cell(x, y, sum, highest)) }
                    }
                }
                p.axis aria-hidden="true" { @for hour in ["00", "06", "12", "18", "24"] { span { (hour) } } }
            }
        }
    }
}

fn cell(x: usize, y: usize, sum: u64, highest: u64) -> Markup {
    html! {
        rect.ink x={ (x) ".04" } y={ (y) ".06" } width=".92" height=".88" fill-opacity=(opacity(sum, highest)) {
            title { (WEEKDAYS[y]) " " (x) ":00 to " (x + 1) ":00: " (thousands(sum)) " sign-ins" }
        }
    }
}

/// By the root, so that a quiet hour differs from an empty one.
fn opacity(sum: u64, highest: u64) -> String {
    let hundredths = ((sum * 10_000).div_ceil(highest)).isqrt();
    format!("{}.{:02}", hundredths.max(5) / 100, hundredths.max(5) % 100)
}

fn week(report: &Report) -> [[u64; 24]; 7] {
    let mut week = [[0; 24]; 7];
    for (hour, counted) in hours(&report.hours) {
        week[hour.weekday().num_days_from_monday() as usize][hour.hour() as usize] += counted.all;
    }
    week
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_sign_in_among_millions_can_be_told_from_none() {
        assert_eq!(opacity(0, 9), "0.05");
        assert_eq!(opacity(9, 9), "1.00");
        assert_eq!(opacity(100, 10_000), "0.10");
    }
}

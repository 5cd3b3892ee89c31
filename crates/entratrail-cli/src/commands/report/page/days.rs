//! Sign-ins over time: a column for each day, or for each hour where the days are few.

use super::super::content::Report;
use super::super::figures::Counted;
use crate::terminal::numbers::thousands;
use chrono::{DateTime, TimeDelta, Utc};
use entratrail::window::midnight;
use maud::{Markup, html};
use std::collections::BTreeMap;

/// Up to so many days, hours are shown.
const DAYS_BY_HOUR: i64 = 3;

/// A column of the picture.
struct Slot {
    name: String,
    all: u64,
    failed: u64,
}

/// The picture.
pub(super) fn of(report: &Report) -> Markup {
    let slots = slots(report);
    let highest = slots.iter().map(|slot| slot.all).max().unwrap_or(0).max(1);
    let step = if is_by_hour(report) { "hour" } else { "day" };
    let marks = [0, slots.len() / 2, slots.len().saturating_sub(1)];
    html! {
        figure.days {
            figcaption {
                h3 { "Over time" }
                p.legend { span.ink {} "succeeded " span.accent {} "failed · highest " (step) ": " (thousands(highest)) }
            }
            svg role="img" viewBox={ "0 0 " (slots.len()) " 100" } preserveAspectRatio="none" {
                title { "Sign-ins of \
                         each " (step) " from " (report.from) " on, failed ones at the foot" }
                @for (x, slot) in slots.iter().enumerate() { (column(x, slot, highest)) }
            }
            p.axis aria-hidden="true" {
                @for mark in marks { @if let Some(slot) = slots.get(mark) { span { (slot.name) } } }
            }
        }
    }
}

fn column(x: usize, slot: &Slot, highest: u64) -> Markup {
    let all = height(slot.all, highest);
    let failed = height(slot.failed, highest);
    html! {
        g {
            title { (slot.name) ": " (thousands(slot.all)) " sign-ins, " (thousands(slot.failed)) " failed" }
            rect.ground x=(x) y="0" width="1" height="100" {}
            rect.ink x={ (x) ".12" } y=(tenths(1000 - all)) width=".76" height=(tenths(all - failed)) {}
            rect.accent x={ (x) ".12" } y=(tenths(1000 - failed)) width=".76" height=(tenths(failed)) {}
        }
    }
}

/// Tenths of a percent of the picture's height. What is there is seen, however small.
fn height(number: u64, highest: u64) -> u64 {
    if number == 0 { 0 } else { (number * 1000 / highest).max(8) }
}

fn tenths(number: u64) -> String {
    format!("{}.{}", number / 10, number % 10)
}

fn is_by_hour(report: &Report) -> bool {
    (report.to - report.from).num_days() <= DAYS_BY_HOUR
}

fn slots(report: &Report) -> Vec<Slot> {
    let (step, format) = if is_by_hour(report) {
        (TimeDelta::hours(1), "%m-%d %H:00")
    } else {
        (TimeDelta::days(1), "%Y-%m-%d")
    };
    let mut slots: BTreeMap<DateTime<Utc>, (u64, u64)> = BTreeMap::new();
    let mut start = midnight(report.from);
    while start < midnight(report.to) {
        slots.insert(start, (0, 0));
        start += step;
    }
    for (hour, counted) in hours(&report.hours) {
        if let Some((_, sum)) = slots.range_mut(..=hour).next_back() {
            *sum = (sum.0 + counted.all, sum.1 + counted.failed);
        }
    }
    slots
        .into_iter()
        .map(|(start, (all, failed)): (DateTime<Utc>, (u64, u64))| Slot {
            name: start.format(format).to_string(),
            all,
            failed,
        })
        .collect()
}

/// The counts with the hours that name them.
pub(super) fn hours(counts: &[Counted]) -> impl Iterator<Item = (DateTime<Utc>, &Counted)> {
    counts.iter().filter_map(|counted| Some((counted.name.parse().ok()?, counted)))
}

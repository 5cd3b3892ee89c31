//! The coverage calendar: for each stream and month a row of days.

use super::super::calendar::StreamDays;
use super::super::content::Report;
use chrono::{Datelike as _, NaiveDate};
use entratrail::ledger::State;
use maud::{Markup, html};
use std::collections::BTreeMap;

const STATES: [State; 6] =
    [State::Verified, State::Before, State::Open, State::Unstable, State::Missing, State::Expired];

/// The calendar.
pub(super) fn of(report: &Report) -> Markup {
    html! {
        section #coverage {
            h2 { "Coverage" }
            p { "What the ledger proves of each day. A day is verified when two reads, at least 20 hours apart and the
                later one at least a day after it, agree on what the archive holds." }
            p.legend { @for state in STATES { (sample(state)) (state.word()) " " } }
            div.calendar { @for stream in &report.coverage { (months(stream)) } }
        }
    }
}

/// Number of verified days of all streams, and of all days.
pub(super) fn verified_days(report: &Report) -> (u64, u64) {
    let mut verified = 0;
    let mut all = 0;
    for state in report.coverage.iter().flat_map(|stream| stream.days.values()) {
        verified += u64::from(*state == State::Verified);
        all += 1;
    }
    (verified, all)
}

fn months(stream: &StreamDays) -> Markup {
    let mut months: BTreeMap<(i32, u32), Vec<(NaiveDate, State)>> = BTreeMap::new();
    for (&day, &state) in &stream.days {
        months.entry((day.year(), day.month())).or_default().push((day, state));
    }
    let verified = stream.days.values().filter(|state| **state == State::Verified).count();
    html! {
        @if !stream.days.is_empty() {
            h3 { (stream.stream) span.aside { (verified) " of " (stream.days.len()) " days verified" } }
            @for ((year, month), days) in &months {
                div.month {
                    span { (year) "-" (format!("{month:02}")) }
                    svg role="img" viewBox="0 0 31 1" {
                        title { (stream.stream) ", " (year) "-" (format!("{month:02}")) ", day by day" }
                        @for &(day, state) in days { (cell(day, state)) }
                    }
                }
            }
        }
    }
}

fn cell(day: NaiveDate, state: State) -> Markup {
    html! {
        g transform={ "translate(" (day.day0()) " 0)" } {
            title { (day) ": " (state.word()) }
            (mark(state))
        }
    }
}

fn sample(state: State) -> Markup {
    html! { svg.sample aria-hidden="true" viewBox="0 0 1 1" { (mark(state)) } }
}

/// States differ in form, not in colour alone.
fn mark(state: State) -> Markup {
    html! {
        rect.(state.word()) x=".1" y=".1" width=".8" height=".8" rx=".12" {}
        @match state {
            State::Verified => {}
            State::Before => { circle.stroke cx=".5" cy=".5" r=".2" {} }
            State::Open => { rect.half x=".1" y=".5" width=".8" height=".4" rx=".12" {} }
            State::Unstable => { path.stroke d="M.25 .75 L.75 .25" {} }
            State::Expired => { path.stroke d="M.25 .5 L.75 .5" {} }
            State::Missing => { path.stroke d="M.3 .3 L.7 .7 M.3 .7 L.7 .3" {} }
        }
    }
}

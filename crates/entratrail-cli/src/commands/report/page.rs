//! The report as a page: one file without scripts, fonts or pictures from elsewhere. Maud escapes
//! whatever comes from records.

mod bars;
mod coverage;
mod days;
mod questions;
mod week;

use super::content::Report;
use crate::terminal::numbers::thousands;
use chrono::{Days, NaiveDate};
use maud::{DOCTYPE, Markup, PreEscaped, html};

const STYLE: &str = include_str!("page/style.css");

/// Forbids the page to load or run anything, should a record ever find a way into it.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri \
                      'none'; form-action 'none'";

/// The page.
pub(super) fn of(report: &Report) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(POLICY);
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta name="referrer" content="no-referrer";
                title { "Sign-ins and changes, " (report.from) " to " (last_day(report)) }
                link rel="icon" href="data:,";
                style { (PreEscaped(STYLE)) }
            }
            body {
                (header(report))
                main {
                    (problems(report))
                    @if report.is_empty { (nothing(report)) } @else { (sections(report)) }
                }
                footer {
                    p { "Made by EntraTrail " (env!("CARGO_PKG_VERSION")) " on "
                        (report.made_at.format("%Y-%m-%d at %H:%M")) " UTC. Times are in UTC. "
                        "Nothing was sent anywhere to make or to show this page." }
                    @if !report.checkpoints.is_empty() { (checkpoints(report)) }
                }
            }
        }
    }
}

/// Notes that a later check holds the archive against.
fn checkpoints(report: &Report) -> Markup {
    html! {
        p { "The history of the ledger is signed up to these checkpoints. Keep this page: saved \
             each as a file, "
            code { "entratrail verify \
                    --since" } " tells whether anything before was changed \
                                                  since." }
        @for checkpoint in &report.checkpoints {
            pre { (checkpoint) }
        }
    }
}

fn header(report: &Report) -> Markup {
    html! {
        header {
            p.name { "EntraTrail" }
            h1 { "Sign-ins and changes" }
            dl.about {
                div { dt { "Days" } dd { (report.from) " to " (last_day(report)) } }
                @if let Some(tenant) = &report.tenant {
                    div { dt { "Tenant" } dd { (tenant) } }
                }
                div { dt { "Archive" } dd { (report.archive) } }
            }
        }
    }
}

fn sections(report: &Report) -> Markup {
    html! {
        (figures(report))
        (questions::findings(report))
        section #sign-ins {
            h2 { "Sign-ins" }
            (days::of(report))
            (week::of(report))
            div.pair {
                (bars::of("Countries", "Country", &report.countries))
                (bars::of("Users who failed most", "User", &report.users))
                (bars::of("Applications", "Application", &report.applications))
                (bars::of("Changes to the directory", "Change", &report.changes))
            }
        }
        (coverage::of(report))
        (questions::others(report))
    }
}

fn figures(report: &Report) -> Markup {
    let figures = &report.figures;
    let (verified, days) = coverage::verified_days(report);
    html! {
        section.figures aria-label="Figures" {
            dl {
                (figure("Sign-ins", &thousands(figures.sign_ins)))
                (figure("Failed", &share(figures.failed, figures.sign_ins)))
                (figure("Users", &thousands(figures.users)))
                (figure("Applications", &thousands(figures.applications)))
                (figure("Countries", &thousands(figures.countries)))
                (figure("With second factor", &share(figures.with_mfa, figures.by_people)))
                (figure("Proved complete", &share(verified, days)))
            }
        }
    }
}

fn figure(name: &str, value: &str) -> Markup {
    html! { div { dt { (name) } dd { (value) } } }
}

fn problems(report: &Report) -> Markup {
    html! {
        @if !report.problems.is_empty() {
            aside.problems role="note" {
                h2 { "Not everything could be read" }
                p { "What follows leaves these out:" }
                ul { @for problem in &report.problems { li { (problem) } } }
            }
        }
    }
}

/// The page of an archive without tables.
fn nothing(report: &Report) -> Markup {
    html! {
        section.nothing {
            h2 { "There is nothing to report yet" }
            p { "No tables of any day were found in " code { (report.archive) } "." }
            ul {
                li { "A new archive fills \
                      with " code { "entratrail collect \
                                     --archive " (report.archive) } ", or at the next
                    run of the functions." }
                li { "One that was made before there were tables gets them from what it holds, \
                      with "
                    code { "entratrail rebuild --archive " (report.archive) } "." }
                li { "If days were asked for, ask for others \
                      with " code { "--from" } " and " code { "--to" } "." }
            }
        }
    }
}

/// The last day that is included.
fn last_day(report: &Report) -> NaiveDate {
    report.to - Days::new(1)
}

/// A part of a whole, as people read it.
fn share(part: u64, whole: u64) -> String {
    if whole == 0 {
        return "–".to_owned();
    }
    let thousandths = (part * 1000 + whole / 2) / whole;
    match thousandths {
        0 if part > 0 => "< 0.1 %".to_owned(),
        1000 if part < whole => "> 99.9 %".to_owned(),
        0 | 1000 => format!("{} %", thousandths / 10),
        _ => format!("{}.{} %", thousandths / 10, thousandths % 10),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::report::asked::Asked;
    use crate::commands::report::content::Report;
    use crate::commands::report::figures::{Counted, Figures};
    use crate::commands::report::named::{Named, NamedBy};
    use crate::commands::report::sessions::SessionStory;
    use crate::sql::Column;
    use entratrail_questions::{Question, Severity};
    use serde_json::{Map, Value};

    const HOSTILE: &str = "</td><script>alert('\u{e9}')</script>\"><img src=x onerror=alert(1)>";

    /// A report in which every text comes from somebody who means harm.
    fn hostile() -> Report {
        let counted = || vec![Counted { name: HOSTILE.to_owned(), all: 7, failed: 1 }];
        let question = |severity| Question {
            id: HOSTILE.to_owned(),
            name: HOSTILE.to_owned(),
            summary: HOSTILE.to_owned(),
            severity,
            techniques: vec![HOSTILE.to_owned()],
            scans: HOSTILE.to_owned(),
            fields: HOSTILE.to_owned(),
            blind: HOSTILE.to_owned(),
            key: vec![],
            told: None,
            sql: HOSTILE.to_owned(),
        };
        let asked = |severity| Asked {
            question: question(severity),
            found: 9,
            columns: vec![Column { name: HOSTILE.to_owned(), is_number: false }],
            new: Some(1),
            rows: vec![Map::from_iter([(HOSTILE.to_owned(), Value::from(HOSTILE))])],
            all: Vec::new(),
        };
        Report {
            archive: HOSTILE.to_owned(),
            tenant: Some(HOSTILE.to_owned()),
            from: NaiveDate::from_ymd_opt(2026, 11, 1).unwrap(),
            to: NaiveDate::from_ymd_opt(2026, 11, 8).unwrap(),
            made_at: chrono::DateTime::UNIX_EPOCH,
            is_empty: false,
            problems: vec![HOSTILE.to_owned()],
            figures: Figures::default(),
            questions: vec![asked(Severity::High), asked(Severity::Overview)],
            named: vec![Named {
                name: HOSTILE.to_owned(),
                findings: vec![NamedBy {
                    question: HOSTILE.to_owned(),
                    severity: Severity::High,
                    rows: 2,
                    last_at: Some(HOSTILE.to_owned()),
                }],
            }],
            sessions: vec![SessionStory {
                session: HOSTILE.to_owned(),
                findings: vec![HOSTILE.to_owned()],
                columns: vec![Column { name: HOSTILE.to_owned(), is_number: false }],
                events: vec![Map::from_iter([(HOSTILE.to_owned(), Value::from(HOSTILE))])],
                found: 9,
            }],
            hours: counted(),
            countries: counted(),
            applications: counted(),
            users: counted(),
            changes: counted(),
            checkpoints: vec![HOSTILE.to_owned()],
            coverage: Vec::new(),
        }
    }

    #[test]
    fn no_text_of_a_record_becomes_a_tag() {
        let mut report = hostile();
        for is_empty in [false, true] {
            report.is_empty = is_empty;
            let page = of(&report).into_string();
            assert!(page.contains("&lt;script&gt;"));
            for tag in ["<script", "<img", "=\"><", "</td><s"] {
                assert!(!page.contains(tag), "{tag}");
            }
        }
    }

    #[test]
    fn a_share_never_rounds_to_none_or_all() {
        let shares = [(0, 0), (0, 7), (1, 90_000), (1, 8), (89_999, 90_000), (7, 7)];
        let expected = ["–", "0 %", "< 0.1 %", "12.5 %", "> 99.9 %", "100 %"];
        assert_eq!(shares.map(|(part, whole)| share(part, whole)), expected);
    }
}

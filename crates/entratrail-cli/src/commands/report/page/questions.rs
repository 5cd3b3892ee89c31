//! The saved questions: what they found, and what they look for, each with its SQL.

use super::super::asked::Asked;
use super::super::content::Report;
use super::super::named::{Named, NamedBy};
use super::super::sessions::SessionStory;
use crate::sql::{Column, Row, text};
use crate::terminal::numbers::{count, thousands};
use maud::{Markup, html};

/// Characters above which a cell may be broken into lines.
const LONG: usize = 44;

/// Suspicious rows, the gravest first, then the questions that found nothing.
pub(super) fn findings(report: &Report) -> Markup {
    let found: Vec<_> = report.findings().collect();
    let quiet: Vec<_> = report
        .questions
        .iter()
        .filter(|asked| asked.looks_for_trouble() && asked.found == 0)
        .collect();
    html! {
        section #findings {
            h2 { "Findings" }
            p { (conclusion(found.len(), found.len() + quiet.len())) }
            (named(&report.named))
            @for asked in found { (finding(asked)) }
            @if !report.sessions.is_empty() { (sessions(&report.sessions)) }
            @if !quiet.is_empty() {
                details.quiet {
                    summary { "Looked for and not found: " (count(quiet.len() as u64, "question")) }
                    ul {
                        @for asked in quiet { li { (asked.question.name) (sql(&asked.question.sql)) } }
                    }
                }
            }
        }
    }
}

/// The questions that give an overview.
pub(super) fn others(report: &Report) -> Markup {
    let others: Vec<_> =
        report.questions.iter().filter(|asked| !asked.looks_for_trouble()).collect();
    html! {
        @if !others.is_empty() {
            section #questions {
                h2 { "Overview" }
                @for asked in others {
                    details.overview {
                        summary { (asked.question.name) span.aside { (count(asked.found as u64, "row")) } }
                        p { (asked.question.summary) }
                        (table(asked))
                        (sql(&asked.question.sql))
                    }
                }
            }
        }
    }
}

/// Users whom several findings name, with these, so that what belongs together is read together.
fn named(named: &[Named]) -> Markup {
    html! {
        @if !named.is_empty() {
            article.named {
                h3 { "Named by more than one finding" }
                dl { @for named in named {
                    dt { (named.name) }
                    dd { ul { @for by in &named.findings { (named_by(by)) } } }
                } }
            }
        }
    }
}

fn named_by(by: &NamedBy) -> Markup {
    let severity = by.severity.name();
    html! {
        li.(severity) {
            span.severity { (severity) } " " (by.question)
            span.aside {
                (count(by.rows as u64, "row"))
                @if let Some(last_at) = &by.last_at { ", last " (last_at) }
            }
        }
    }
}

/// Stories of the sessions that findings name.
fn sessions(sessions: &[SessionStory]) -> Markup {
    html! {
        article.sessions {
            h3 { "Sessions that findings name" }
            @for story in sessions {
                h4 { (story.session) }
                p { (story.findings.join(" ")) }
                (rows(&story.session, &story.columns, &story.events))
                @if story.found > story.events.len() {
                    p.more {
                        "The first " (story.events.len()) " of " (thousands(story.found as u64)) " events."
                    }
                }
                (sql(&story.sql()))
            }
        }
    }
}

fn conclusion(found: usize, asked: usize) -> String {
    match found {
        0 => format!("None of {asked} questions that look for trouble found any."),
        found => format!(
            "{found} of {asked} questions that look for trouble found something to look at."
        ),
    }
}

fn finding(asked: &Asked) -> Markup {
    let severity = asked.question.severity.name();
    html! {
        article.finding.(severity) {
            h3 { span.severity { (severity) } (asked.question.name) (news(asked)) }
            p { (asked.question.summary) (techniques(asked)) }
            (table(asked))
            (sql(&asked.question.sql))
        }
    }
}

/// Number of rows that are new, where that was asked.
fn news(asked: &Asked) -> Markup {
    let new = asked.new.unwrap_or(0);
    html! { @if new > 0 { span.aside { (thousands(new as u64)) " new" } } }
}

/// Techniques of MITRE ATT&CK, as words: a page without links has none to follow.
fn techniques(asked: &Asked) -> Markup {
    let techniques = &asked.question.techniques;
    html! { @if !techniques.is_empty() { span.aside { " ATT&CK " (techniques.join(", ")) } } }
}

fn table(asked: &Asked) -> Markup {
    html! {
        @if asked.found > 0 { (rows(&asked.question.name, &asked.columns, &asked.rows)) }
        @if asked.found > asked.rows.len() {
            p.more { "The first " (asked.rows.len()) " of " (thousands(asked.found as u64)) "; "
                code { "entratrail query --saved \"" (asked.question.name) "\"" } " prints all." }
        }
    }
}

fn rows(label: &str, columns: &[Column], rows: &[Row]) -> Markup {
    html! {
        div.scroll tabindex="0" role="region" aria-label=(label) {
            table {
                thead { tr { @for column in columns {
                    th.number[column.is_number] scope="col" { (spaced(&column.name)) }
                } } }
                tbody { @for row in rows { tr { @for column in columns { (cell(row, column)) } } } }
            }
        }
    }
}

fn cell(row: &Row, column: &Column) -> Markup {
    let text = text(row.get(&column.name));
    html! { td.number[column.is_number].long[text.chars().count() > LONG] { (text) } }
}

fn sql(sql: &str) -> Markup {
    html! {
        details.sql {
            summary { "SQL" }
            pre tabindex="0" { code { (sql) } }
        }
    }
}

/// A column's name as words.
fn spaced(name: &str) -> String {
    name.replace('_', " ")
}

//! Users whom more than one finding names: what belongs to one user is read together.

use super::asked::Asked;
use entratrail_questions::Severity;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// Columns that name whom a finding is about, or whose account it went through.
const COLUMNS: [&str; 9] = [
    "user_name",
    "who",
    "account",
    "given_to",
    "one_user",
    "one_who_signed_in",
    "one_account",
    "in_the_name_of",
    "agent_name",
];

/// Names that a report shows.
const MOST: usize = 10;

/// A user whom several findings name.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(super) struct Named {
    pub(super) name: String,
    pub(super) findings: Vec<NamedBy>,
}

/// A finding that names a user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct NamedBy {
    pub(super) question: String,
    pub(super) severity: Severity,
    /// Rows with the name.
    pub(super) rows: usize,
    /// Newest instant of these rows, where they have any.
    pub(super) last_at: Option<String>,
}

/// The users whom two or more findings name, one of them of high or medium severity; who has the
/// graver ones comes first.
pub(super) fn more_than_once<'asked>(findings: impl Iterator<Item = &'asked Asked>) -> Vec<Named> {
    let mut named: BTreeMap<String, Vec<NamedBy>> = BTreeMap::new();
    for asked in findings {
        for (name, by) in names_of(asked) {
            named.entry(name).or_default().push(by);
        }
    }
    let mut named: Vec<_> =
        named.into_iter().map(|(name, findings)| Named { name, findings }).collect();
    named.retain(|named| named.findings.len() > 1 && named.gravest() <= Severity::Medium);
    named.sort_by_key(|named| (named.gravest(), usize::MAX - named.findings.len()));
    named.truncate(MOST);
    named
}

impl Named {
    fn gravest(&self) -> Severity {
        self.findings.iter().map(|by| by.severity).min().unwrap_or(Severity::Overview)
    }
}

/// Each name in the rows of a finding.
fn names_of(asked: &Asked) -> BTreeMap<String, NamedBy> {
    let mut names = BTreeMap::new();
    for row in &asked.all {
        let last_at =
            row.values().filter_map(|value| value.as_str()).filter(|text| is_instant(text)).max();
        let of_row: BTreeSet<_> = COLUMNS
            .iter()
            .filter_map(|column| row.get(*column)?.as_str())
            .map(str::to_lowercase)
            .filter(|name| !name.is_empty())
            .collect();
        for name in of_row {
            let by = names.entry(name).or_insert_with(|| NamedBy {
                question: asked.question.name.clone(),
                severity: asked.question.severity,
                rows: 0,
                last_at: None,
            });
            by.rows += 1;
            by.last_at = by.last_at.take().max(last_at.map(str::to_owned));
        }
    }
    names
}

/// Whether a text is an instant as answers write it: `2026-11-22T08:00:00Z`.
fn is_instant(text: &str) -> bool {
    chrono::DateTime::parse_from_rfc3339(text).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use entratrail_questions::Question;
    use serde_json::json;

    fn asked(name: &str, severity: Severity, rows: &[serde_json::Value]) -> Asked {
        let question = Question {
            id: name.to_owned(),
            name: name.to_owned(),
            summary: String::new(),
            severity,
            techniques: Vec::new(),
            scans: String::new(),
            fields: String::new(),
            blind: String::new(),
            key: Vec::new(),
            told: None,
            sql: String::new(),
        };
        let all: Vec<_> = rows.iter().filter_map(|row| row.as_object().cloned()).collect();
        Asked { question, found: all.len(), columns: Vec::new(), new: None, rows: Vec::new(), all }
    }

    #[test]
    fn who_is_named_twice_comes_once_the_gravest_first() {
        let findings = [
            asked(
                "travel",
                Severity::High,
                &[
                    json!({"user_name": "Ann@x", "arrived_at": "2026-11-22T08:00:00Z"}),
                    json!({"user_name": "ann@x", "arrived_at": "2026-11-23T08:00:00Z"}),
                    json!({"user_name": "once@x"}),
                ],
            ),
            asked(
                "roles",
                Severity::Medium,
                &[json!({"given_to": "ann@x"}), json!({"given_to": "ben@x"})],
            ),
            asked(
                "device",
                Severity::Low,
                &[json!({"user_name": "ben@x"}), json!({"user_name": "low@x"})],
            ),
            asked("country", Severity::Low, &[json!({"user_name": "low@x"})]),
        ];
        let named = more_than_once(findings.iter());
        let found: Vec<_> = named.iter().map(|named| named.name.as_str()).collect();
        assert_eq!(found, ["ann@x", "ben@x"]);
        let travel = &named[0].findings[0];
        assert_eq!((travel.rows, travel.last_at.as_deref()), (2, Some("2026-11-23T08:00:00Z")));
    }
}

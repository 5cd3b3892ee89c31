//! The saved questions and the views, taken from the template of the stack: the one place where they are written.

use serde::Serialize;
use std::collections::BTreeMap;

const TEMPLATE: &str = include_str!("../../../template.yaml");

/// A question that is saved in Athena.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Question {
    /// The question itself.
    pub(crate) name: String,
    /// What an answer holds, in a sentence.
    pub(crate) description: String,
    pub(crate) severity: Severity,
    pub(crate) sql: String,
}

/// How grave an answer is, the gravest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Severity {
    High,
    Medium,
    Low,
    /// It looks for no trouble: it gives an overview.
    Overview,
}

/// A view.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct View {
    pub(crate) name: String,
    pub(crate) sql: String,
}

/// How grave it is when a question finds something, by its name in the template.
const SEVERITIES: [(&str, Severity); 18] = [
    ("PasswordSpray", Severity::High),
    ("BruteForce", Severity::High),
    ("MfaFatigue", Severity::High),
    ("ImpossibleTravel", Severity::High),
    ("AdminPortalsWithoutMfa", Severity::High),
    ("RiskySignIns", Severity::High),
    ("RoleGrants", Severity::Medium),
    ("Consents", Severity::Medium),
    ("ApplicationCredentials", Severity::Medium),
    ("ConditionalAccessChanges", Severity::Medium),
    ("MfaMethodChanges", Severity::Medium),
    ("MassDeletions", Severity::Medium),
    ("ServicePrincipalsWithNewAddresses", Severity::Medium),
    ("LegacyProtocols", Severity::Medium),
    ("CoverageGaps", Severity::Medium),
    ("FirstCountry", Severity::Low),
    ("FirstDevice", Severity::Low),
    ("ManagedIdentities", Severity::Low),
];

/// Every saved question, in the order of the template.
pub(crate) fn questions() -> Vec<Question> {
    let is_question = |resource: &&Resource<'_>| resource.value("Type") == Some("AWS::Athena::NamedQuery");
    resources().iter().filter(is_question).filter_map(Question::of).collect()
}

/// The saved question of that name.
pub(crate) fn question(name: &str) -> Option<Question> {
    questions().into_iter().find(|question| question.name.eq_ignore_ascii_case(name))
}

/// Every view, in the order of the template: none needs a later one.
pub(crate) fn views() -> Vec<View> {
    resources().iter().filter_map(View::of).collect()
}

/// A resource of the template: its name and its lines.
struct Resource<'template> {
    name: &'template str,
    lines: Vec<&'template str>,
}

impl Question {
    fn of(resource: &Resource<'_>) -> Option<Self> {
        let severities: BTreeMap<_, _> = SEVERITIES.into_iter().collect();
        Some(Self {
            name: resource.value("Name")?.to_owned(),
            description: resource.value("Description")?.to_owned(),
            severity: severities.get(resource.name).copied().unwrap_or(Severity::Overview),
            sql: resource.block("QueryString: |")?,
        })
    }
}

impl View {
    /// The view that Athena keeps as JSON: its SQL begins after `originalSql` and ends before the columns.
    fn of(resource: &Resource<'_>) -> Option<Self> {
        let first = resource.lines.iter().position(|line| line.ends_with("\"originalSql\": \""))? + 1;
        let lines = resource.lines[first..].iter().map(|line| line.trim());
        let sql: Vec<_> = lines.take_while(|line| !line.starts_with("\", \"columns\"")).collect();
        Some(Self { name: resource.value("Name")?.to_owned(), sql: sql.join("\n").replace("\\\"", "\"") })
    }
}

/// The resources of the template: what is indented by two.
fn resources() -> Vec<Resource<'static>> {
    let mut resources: Vec<Resource<'static>> = Vec::new();
    for line in TEMPLATE.lines() {
        let name = line.strip_prefix("  ").and_then(|line| line.strip_suffix(':'));
        match (name.filter(|name| !name.starts_with([' ', '#'])), resources.last_mut()) {
            (Some(name), _) => resources.push(Resource { name, lines: Vec::new() }),
            (None, Some(resource)) => resource.lines.push(line),
            (None, None) => {}
        }
    }
    resources
}

impl<'template> Resource<'template> {
    /// The value of the first line with that key, without quotes.
    fn value(&self, key: &str) -> Option<&'template str> {
        let value = |line: &&'template str| line.trim().strip_prefix(key)?.strip_prefix(": ");
        let value = self.lines.iter().find_map(value)?;
        Some(value.strip_prefix('"').and_then(|value| value.strip_suffix('"')).unwrap_or(value))
    }

    /// The text below that line, as far as it is indented like its first line.
    fn block(&self, opening: &str) -> Option<String> {
        let first = self.lines.iter().position(|line| line.trim() == opening)? + 1;
        let text = self.lines.get(first)?;
        let indent = &text[..text.len() - text.trim_start().len()];
        let lines = self.lines[first..].iter().map(|line| line.strip_prefix(indent));
        let lines: Vec<_> = lines.take_while(Option::is_some).flatten().collect();
        Some(lines.join("\n"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_question_and_every_view_of_the_template_is_found_whole() {
        let questions = questions();
        assert_eq!(questions.len(), TEMPLATE.matches("Type: AWS::Athena::NamedQuery").count());
        assert!(questions.len() > 20);
        for question in &questions {
            assert!(question.name.ends_with('?') && !question.description.contains('"'), "{question:?}");
            assert!(
                question.sql.starts_with("-- Answers: ") && question.sql.contains("\nSELECT\n"),
                "{question:?}"
            );
        }
        let views = views();
        assert_eq!(views.len(), TEMPLATE.matches("TableType: VIRTUAL_VIEW").count());
        for view in &views {
            assert!(view.sql.starts_with("SELECT") || view.sql.starts_with("WITH"), "{view:?}");
            assert!(!view.sql.contains("\"type\":"), "{view:?}");
        }
    }

    #[test]
    fn whatever_has_a_severity_is_a_question() {
        let resources = resources();
        for (name, _) in SEVERITIES {
            assert!(resources.iter().any(|resource| resource.name == name), "{name}");
        }
        assert_eq!(questions().iter().filter(|question| question.severity != Severity::Overview).count(), 18);
    }
}

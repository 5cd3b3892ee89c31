//! Parts of documents.

use crate::Severity;
use std::fmt::Write as _;

/// The table of all questions, the gravest first.
pub(super) fn questions() -> String {
    let mut text = "\n| question | severity | what it shows |\n|---|---|---|\n".to_owned();
    let questions = crate::questions();
    for severity in Severity::ALL {
        for question in questions.iter().filter(|question| question.severity == severity) {
            let _ = writeln!(text, "| {} | {} | {} |", question.name, severity.name(), question.summary);
        }
    }
    text + "\n"
}

/// The table of all views.
pub(super) fn views() -> String {
    let mut text = "\n| view | one row for each |\n|---|---|\n".to_owned();
    for view in crate::views() {
        let _ = writeln!(text, "| `{}` | {} |", view.name, view.rows);
    }
    text + "\n"
}

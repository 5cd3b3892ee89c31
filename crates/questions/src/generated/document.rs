//! Parts of documents.

use crate::Severity;
use std::fmt::Write as _;

/// The table of all questions, the gravest first.
pub(super) fn questions() -> String {
    let mut text = "\n| question | severity | what it shows |\n|---|---|---|\n".to_owned();
    let questions = crate::questions();
    for severity in Severity::ALL {
        for question in questions.iter().filter(|question| question.severity == severity) {
            let _ = writeln!(
                text,
                "| {} | {} | {} |",
                question.name,
                severity.name(),
                question.summary
            );
        }
    }
    text + "\n"
}

const COVERAGE: &str = "\
# Coverage

What the questions look for, as techniques of MITRE ATT&CK, and what they do not see. `cargo xtask generate` makes this page from
[sql/questions](../sql/questions). Each question in it has a story in [tests/stories](../tests/stories): records that it finds, beside
look-alikes that it does not; a test plays all of them on two engines.

| technique | question | severity | fields of the record | story | does not see |
|---|---|---|---|---|---|
";

const UNSEEN: &str = "
## What the logs cannot say

| asked | why not |
|---|---|
| Who holds a role today | the logs say who was given one, since the archive began; who had it before is only in the directory |
| Alerts of Privileged Identity Management, detections of Identity Protection in full | they have interfaces of their own; sign-ins carry states and kinds of risk |
| Calls of Microsoft Graph by a token | they are in another log, which Graph does not serve |
| What an intruder read | neither log tells of reading, but for recovery keys and passwords of local administrators |
| Fields of beta, where only interactive sign-ins are collected | those come from v1.0; questions that need them find nothing, and say so in the last column |
";

/// The page of techniques, questions and what they do not see.
pub(super) fn coverage() -> String {
    let mut lines = Vec::new();
    for question in crate::questions() {
        let is_told = question.severity != Severity::Overview && !question.techniques.is_empty();
        for technique in question.techniques.iter().filter(|_| is_told) {
            lines.push(format!(
                "| [{technique}]({}) | {} | {} | {} | [{id}](../tests/stories/{id}.toml) | {} |\n",
                address(technique),
                question.name,
                question.severity.name(),
                question.fields,
                question.blind,
                id = question.id,
            ));
        }
    }
    lines.sort();
    COVERAGE.to_owned() + &lines.concat() + UNSEEN
}

/// The page of a technique: `T1110.003` is below `T1110`.
fn address(technique: &str) -> String {
    format!("https://attack.mitre.org/techniques/{}/", technique.replace('.', "/"))
}

/// The table of all views.
pub(super) fn views() -> String {
    let mut text = "\n| view | one row for each |\n|---|---|\n".to_owned();
    for view in crate::views() {
        let _ = writeln!(text, "| `{}` | {} |", view.name, view.rows);
    }
    text + "\n"
}

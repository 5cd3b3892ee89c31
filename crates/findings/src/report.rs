//! The answer of a run, which is also a line in its log. It holds no sentence about people, except
//! where somebody asked for what would be told.

use crate::coverage::Stream;
use crate::finding::Answer;
use crate::told::News;
use serde::Serialize;

/// Findings that an answer shows.
const MOST_SHOWN: usize = 100;

/// Result of one run.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// Questions that were asked.
    pub asked: usize,
    /// Names of those that were not answered.
    pub unanswered: Vec<String>,
    /// Rows in all answers.
    pub rows: usize,
    /// Findings that were never told before.
    pub new: usize,
    /// Questions with something new, by id.
    pub questions: Vec<String>,
    /// Whether a mail was sent.
    pub mailed: bool,
    /// Whether it was the mail of the week.
    pub weekly: bool,
    /// The first hundred new findings, in a dry run.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub findings: Vec<Shown>,
    /// Streams of the archive with the states of their days.
    pub archive: Vec<String>,
    /// Bytes that Athena read.
    pub scanned_bytes: u64,
    /// Milliseconds from start to end.
    pub duration_ms: i64,
}

/// A finding in an answer.
#[derive(Debug, Clone, Serialize)]
pub struct Shown {
    /// Id of its question.
    pub question: String,
    /// Gravity of it.
    pub severity: &'static str,
    /// What it says.
    pub sentence: String,
}

impl Report {
    /// A report of what was asked, before anything is told.
    pub fn new(
        asked: usize,
        unanswered: &[String],
        answers: &[Answer],
        streams: &[Stream],
    ) -> Self {
        Self {
            asked,
            unanswered: unanswered.to_vec(),
            rows: answers.iter().map(|answer| answer.rows.len()).sum(),
            new: 0,
            questions: Vec::new(),
            mailed: false,
            weekly: false,
            findings: Vec::new(),
            archive: streams.iter().map(|stream| stream.line.clone()).collect(),
            scanned_bytes: 0,
            duration_ms: 0,
        }
    }

    /// Counts what is new.
    pub fn count(&mut self, news: &News) {
        self.new = news.findings.len();
        self.weekly = news.is_weekly;
        self.questions = news.findings.iter().map(|finding| finding.question.clone()).collect();
        self.questions.dedup();
    }

    /// Shows what would be told.
    pub fn show(&mut self, news: &News) {
        let shown = news.findings.iter().take(MOST_SHOWN).map(|finding| Shown {
            question: finding.question.clone(),
            severity: finding.severity.name(),
            sentence: finding.sentence.clone(),
        });
        self.findings = shown.collect();
    }
}

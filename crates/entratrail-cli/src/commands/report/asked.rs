//! A saved question with its answer, and the findings of all of them.

use crate::sql::{Answer, Column, Row, Session};
use entratrail::error::Error;
use entratrail_questions::{Question, Severity};
use serde::Serialize;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Rows of a question that a report shows; `entratrail query --saved` prints all.
const MOST_ROWS: usize = 8;

/// A saved question and its answer.
#[derive(Debug, Serialize)]
pub(super) struct Asked {
    #[serde(flatten)]
    pub(super) question: Question,
    /// Number of rows.
    pub(super) found: usize,
    pub(super) columns: Vec<Column>,
    /// Number of them that are new, where that was asked.
    pub(super) new: Option<usize>,
    /// The first of them, those that are new before the others.
    pub(super) rows: Vec<Row>,
    /// All of them.
    #[serde(skip)]
    pub(super) all: Vec<Row>,
}

/// Rows of the questions that look for trouble, by their ids.
#[derive(Debug)]
pub(super) struct Findings(BTreeMap<String, BTreeSet<String>>);

impl Findings {
    /// Asks `archive`.
    pub(super) async fn of(archive: &Session) -> Result<Self, Error> {
        let mut findings = BTreeMap::new();
        for question in entratrail_questions::questions() {
            if question.severity != Severity::Overview {
                let rows = archive.ask(&question.sql).await?.rows;
                findings.insert(question.id, rows.iter().map(content_of).collect());
            }
        }
        Ok(Self(findings))
    }

    fn has(&self, question: &Question, row: &Row) -> bool {
        self.0.get(&question.id).is_some_and(|rows| rows.contains(&content_of(row)))
    }
}

impl Asked {
    /// Whether an answer is something to look at.
    pub(super) fn looks_for_trouble(&self) -> bool {
        self.question.severity != Severity::Overview
    }

    /// The question with its answer.
    pub(super) fn of(question: Question, answer: Answer) -> Self {
        let all = answer.rows;
        let rows = all.iter().take(MOST_ROWS).cloned().collect();
        Self { question, found: all.len(), columns: answer.columns, new: None, rows, all }
    }

    /// Marks the rows that `before` does not have, and puts them first.
    pub(super) fn mark_new(&mut self, before: &Findings) {
        self.all.sort_by_key(|row| before.has(&self.question, row));
        self.new = Some(self.all.iter().filter(|row| !before.has(&self.question, row)).count());
        self.rows = self.all.iter().take(MOST_ROWS).cloned().collect();
    }
}

/// A row as text that is equal for equal rows.
fn content_of(row: &Row) -> String {
    Value::Object(row.clone()).to_string()
}

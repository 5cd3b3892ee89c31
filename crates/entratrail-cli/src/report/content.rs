//! What a report says, before it is given a form.

use super::calendar::{Calendar, StreamDays};
use super::figures::{Counted, Figures, Picture, counts};
use super::named::{self, Named};
use super::progress::Progress;
use crate::numbers::count;
use crate::place::Place;
use crate::session::{Answer, Column, Row, Session};
use chrono::{DateTime, NaiveDate, Utc};
use entratrail::archive::Access;
use entratrail::error::Error;
use entratrail::evidence::cosigned::latest;
use entratrail::log::Log;
use entratrail_questions::{Question, Severity};
use serde::Serialize;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Rows of a question that a report shows; `entratrail query --saved` prints all.
pub(super) const MOST_ROWS: usize = 8;

/// Everything that a report says.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    pub(super) archive: String,
    /// The tenant that most sign-ins were to.
    pub(super) tenant: Option<String>,
    pub(super) from: NaiveDate,
    /// The first day that is not included.
    pub(super) to: NaiveDate,
    pub(super) made_at: DateTime<Utc>,
    /// Whether the archive holds no tables at all.
    pub(super) is_empty: bool,
    /// Objects that could not be read.
    pub(super) problems: Vec<String>,
    pub(super) figures: Figures,
    /// The saved questions, the gravest first.
    pub(super) questions: Vec<Asked>,
    /// Users whom several findings name.
    pub(super) named: Vec<Named>,
    /// Sign-ins of each hour that had any.
    pub(super) hours: Vec<Counted>,
    pub(super) countries: Vec<Counted>,
    pub(super) applications: Vec<Counted>,
    /// The users who failed most.
    pub(super) users: Vec<Counted>,
    /// Changes to the directory.
    pub(super) changes: Vec<Counted>,
    pub(super) coverage: Vec<StreamDays>,
    /// Latest checkpoint of each signed log: whoever keeps the report keeps a witness.
    pub(super) checkpoints: Vec<String>,
}

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

/// Latest checkpoint of each signed log of the archive at `place`, as it lies there, with the
/// signatures of witnesses.
async fn checkpoints(place: &Place) -> Result<Vec<String>, Error> {
    let archive = place.open(Access::Read).await?;
    let mut checkpoints = Vec::new();
    for log in Log::ALL {
        checkpoints.extend(latest(&archive, log).await?);
    }
    Ok(checkpoints)
}

/// A row as text that is equal for equal rows.
fn content_of(row: &Row) -> String {
    Value::Object(row.clone()).to_string()
}

/// Questions that are asked of the archive.
enum Wanted {
    Picture(Picture),
    Question(Box<Question>),
}

impl Report {
    /// Asks `archive`, which lies at `place`, about the days from the first up to the second.
    pub(super) async fn of(
        archive: &Session,
        place: &Place,
        days: (NaiveDate, NaiveDate),
        made_at: DateTime<Utc>,
    ) -> Result<Self, Error> {
        let mut report = Self {
            archive: place.to_string(),
            tenant: None,
            from: days.0,
            to: days.1,
            made_at,
            is_empty: archive.is_empty(),
            problems: Vec::new(),
            figures: Figures::default(),
            questions: Vec::new(),
            named: Vec::new(),
            hours: Vec::new(),
            countries: Vec::new(),
            applications: Vec::new(),
            users: Vec::new(),
            changes: Vec::new(),
            // A day that is not over cannot be complete.
            coverage: Calendar::of(archive.ledgers())
                .days((days.0, days.1.min(made_at.date_naive())), made_at),
            checkpoints: checkpoints(place).await?,
        };
        for (wanted, answer) in answers(archive, days).await? {
            report.take(wanted, answer);
        }
        report.questions.sort_by_key(|asked| (asked.question.severity, asked.found == 0));
        report.named = named::more_than_once(report.findings());
        report.problems = archive.problems();
        Ok(report)
    }

    fn take(&mut self, wanted: Wanted, answer: Answer) {
        match wanted {
            Wanted::Picture(Picture::Totals) => self.figures = Figures::of(&answer),
            Wanted::Picture(Picture::Hours) => self.hours = counts(&answer, "hour"),
            Wanted::Picture(Picture::Countries) => self.countries = counts(&answer, "name"),
            Wanted::Picture(Picture::Applications) => self.applications = counts(&answer, "name"),
            Wanted::Picture(Picture::Users) => self.users = counts(&answer, "name"),
            Wanted::Picture(Picture::Changes) => self.changes = counts(&answer, "name"),
            Wanted::Picture(Picture::Tenant) => {
                self.tenant = counts(&answer, "name").into_iter().next().map(|tenant| tenant.name);
            }
            Wanted::Question(question) => self.questions.push(Asked::of(*question, answer)),
        }
    }

    /// Marks what `before` does not have, and puts it first.
    pub(super) fn mark_new(&mut self, before: &Findings) {
        let looking = self.questions.iter_mut().filter(|asked| asked.looks_for_trouble());
        looking.for_each(|asked| asked.mark_new(before));
        self.questions.sort_by_key(|asked| {
            (asked.new.unwrap_or(0) == 0, asked.question.severity, asked.found == 0)
        });
    }

    /// Tells whether something was marked as new.
    pub(super) fn has_news(&self) -> bool {
        self.questions.iter().any(|asked| asked.new.unwrap_or(0) > 0)
    }

    /// The questions that look for trouble and found some.
    pub(super) fn findings(&self) -> impl Iterator<Item = &Asked> {
        self.questions.iter().filter(|asked| asked.looks_for_trouble() && asked.found > 0)
    }

    /// Result, for who waits for it.
    pub(super) fn summary(&self) -> String {
        let findings = count(self.findings().count() as u64, "finding");
        format!(
            "{} of {} days: {findings};",
            count(self.figures.sign_ins, "sign-in"),
            (self.to - self.from).num_days()
        )
    }
}

impl Asked {
    /// Whether an answer is something to look at.
    pub(super) fn looks_for_trouble(&self) -> bool {
        self.question.severity != Severity::Overview
    }

    fn of(question: Question, answer: Answer) -> Self {
        let all = answer.rows;
        let rows = all.iter().take(MOST_ROWS).cloned().collect();
        Self { question, found: all.len(), columns: answer.columns, new: None, rows, all }
    }

    fn mark_new(&mut self, before: &Findings) {
        self.all.sort_by_key(|row| before.has(&self.question, row));
        self.new = Some(self.all.iter().filter(|row| !before.has(&self.question, row)).count());
        self.rows = self.all.iter().take(MOST_ROWS).cloned().collect();
    }
}

/// Every answer, in the order of the questions. One is worked on at a time, on all processors: two
/// at once take as long, and the memory of both.
async fn answers(
    archive: &Session,
    days: (NaiveDate, NaiveDate),
) -> Result<Vec<(Wanted, Answer)>, Error> {
    let pictures = Picture::ALL.into_iter().map(Wanted::Picture);
    let questions = entratrail_questions::questions().into_iter();
    let wanted: Vec<_> =
        pictures.chain(questions.map(|question| Wanted::Question(Box::new(question)))).collect();
    let progress = Progress::of(wanted.len());
    let mut answers = Vec::new();
    for wanted in wanted {
        let answer = match &wanted {
            Wanted::Picture(picture) => archive.ask(&picture.sql(days)).await?,
            Wanted::Question(question) => archive.ask(&question.sql).await?,
        };
        progress.answered(wanted.name());
        answers.push((wanted, answer));
    }
    progress.end();
    Ok(answers)
}

impl Wanted {
    fn name(&self) -> &str {
        match self {
            Self::Picture(_) => "figures",
            Self::Question(question) => &question.name,
        }
    }
}

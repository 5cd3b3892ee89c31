//! Content of a report, before it is given a form.

use super::asked::{Asked, Findings};
use super::calendar::{Calendar, StreamDays};
use super::figures::{Counted, Figures, Picture, counts};
use super::named::{self, Named};
use super::sessions::SessionStory;
use crate::archive_location::ArchiveLocation;
use crate::date_range::DateRange;
use crate::sql::{Answer, Session};
use crate::terminal::numbers::count;
use crate::terminal::progress::QuestionProgress;
use chrono::{DateTime, NaiveDate, Utc};
use entratrail::archive::Access;
use entratrail::error::Error;
use entratrail::evidence::cosigned::latest;
use entratrail::log::Log;
use entratrail::window::midnight;
use entratrail_questions::Question;
use serde::Serialize;

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
    /// Stories of the sessions that findings name.
    pub(super) sessions: Vec<SessionStory>,
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

/// Latest checkpoint of each signed log of the archive at `location`, as it lies there, with the
/// signatures of witnesses.
async fn checkpoints(location: &ArchiveLocation) -> Result<Vec<String>, Error> {
    let archive = location.open(Access::Read).await?;
    let mut checkpoints = Vec::new();
    for log in Log::ALL {
        checkpoints.extend(latest(&archive, log).await?);
    }
    Ok(checkpoints)
}

/// Questions that are asked of the archive.
enum Wanted {
    Picture(Picture),
    Question(Box<Question>),
}

impl Report {
    /// Asks `archive`, which lies at `location`, about the days of `range`.
    pub(super) async fn of(
        archive: &Session,
        location: &ArchiveLocation,
        range: DateRange,
        made_at: DateTime<Utc>,
    ) -> Result<Self, Error> {
        let mut report = Self {
            archive: location.to_string(),
            tenant: None,
            from: range.from.date_naive(),
            to: range.to.date_naive(),
            made_at,
            is_empty: archive.is_empty(),
            problems: Vec::new(),
            figures: Figures::default(),
            questions: Vec::new(),
            named: Vec::new(),
            sessions: Vec::new(),
            hours: Vec::new(),
            countries: Vec::new(),
            applications: Vec::new(),
            users: Vec::new(),
            changes: Vec::new(),
            // A day that is not over cannot be complete.
            coverage: Calendar::of(archive.ledgers())
                .days(range.until(midnight(made_at.date_naive())), made_at),
            checkpoints: checkpoints(location).await?,
        };
        for (wanted, answer) in answers(archive, range).await? {
            report.take(wanted, answer);
        }
        report.questions.sort_by_key(|asked| (asked.question.severity, asked.found == 0));
        report.named = named::more_than_once(report.findings());
        report.sessions = SessionStory::all(archive, report.findings()).await?;
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
            "{} of {}: {findings};",
            count(self.figures.sign_ins, "sign-in"),
            count((self.to - self.from).num_days().unsigned_abs(), "day")
        )
    }
}

/// Every answer, in the order of the questions. One is worked on at a time, on all processors: two
/// at once take as long, and the memory of both.
async fn answers(archive: &Session, range: DateRange) -> Result<Vec<(Wanted, Answer)>, Error> {
    let pictures = Picture::ALL.into_iter().map(Wanted::Picture);
    let questions = entratrail_questions::questions().into_iter();
    let wanted: Vec<_> =
        pictures.chain(questions.map(|question| Wanted::Question(Box::new(question)))).collect();
    let progress = QuestionProgress::of(wanted.len());
    let mut answers = Vec::new();
    for wanted in wanted {
        let answer = match &wanted {
            Wanted::Picture(picture) => archive.ask(&picture.sql(range)).await?,
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

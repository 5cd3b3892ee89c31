//! The check: does the credential work, is each stream served, can the bucket be written?

use crate::collector::Collector;
use crate::error::Error;
use crate::graph::query::Span;
use crate::graph::{NoPage, PageRequest, Rank, Tally};
use crate::log::{Log, Stream};
use chrono::TimeDelta;
use serde::Serialize;

/// Span before now in which a check looks for a record.
const LOOK_BACK: TimeDelta = TimeDelta::days(1);

/// The answers of a check.
#[derive(Debug, Serialize)]
pub struct Checks {
    /// The log, e.g. `sign-ins`.
    pub log: &'static str,
    /// Whether everything works.
    pub ok: bool,
    /// One answer for each thing that was tried.
    pub checks: Vec<Check>,
}

/// The answer for one thing.
#[derive(Debug, Serialize)]
pub struct Check {
    /// Name of what was tried: `credential`, `bucket`, `evidence`, or the name of a stream.
    pub name: String,
    /// Whether it works.
    pub ok: bool,
    /// The answer in plain words.
    pub answer: String,
    /// The stable word of the error, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error_type: Option<&'static str>,
}

impl Checks {
    /// The answers in the order in which they were given.
    pub fn new(log: Log, checks: Vec<Check>) -> Self {
        Self { log: log.name(), ok: checks.iter().all(|check| check.ok), checks }
    }

    /// The answers with one more.
    #[must_use]
    pub fn with(mut self, check: Check) -> Self {
        self.ok &= check.ok;
        self.checks.push(check);
        self
    }
}

impl Check {
    /// The answer to what was tried.
    pub fn new(name: &str, result: Result<String, Error>) -> Self {
        let error_type = result.as_ref().err().map(Error::error_type);
        let (ok, answer) = match result {
            Ok(answer) => (true, answer),
            Err(error) => (false, error.to_string()),
        };
        Self { name: name.to_owned(), ok, answer, error_type }
    }
}

impl Collector {
    /// Tries everything that a run needs, and stores nothing.
    pub async fn check(&self) -> Checks {
        let streams = self.streams();
        let signed_on = self.graph.sign_on().await.map(|_| self.describe_credential());
        let is_signed_on = signed_on.is_ok();
        let mut checks = vec![Check::new("credential", signed_on)];
        for &stream in streams.iter().filter(|_| is_signed_on) {
            checks.push(Check::new(stream.name(), self.check_stream(stream).await));
        }
        if let Some(&stream) = streams.first() {
            let written = self.archive.check_write(stream).await;
            checks.push(Check::new(
                "bucket",
                written.map(|()| "works: objects can be written".to_owned()),
            ));
        }
        Checks::new(self.log, checks)
    }

    fn describe_credential(&self) -> String {
        match self.graph.credential_days_left() {
            Some(days) => {
                format!("works: Entra granted a token; the certificate expires in {days} days")
            }
            None => "works: Entra granted a token".to_owned(),
        }
    }

    async fn check_stream(&self, stream: Stream) -> Result<String, Error> {
        let now = self.clock.now();
        let span = Span { start: now - LOOK_BACK, end: now };
        let link = self.collection(stream).probe_link(span);
        let rank = Rank::new(span.start, None);
        let request = PageRequest { link: &link, is_next: false, is_single: false, rank };
        let page = self.graph.page(stream.log(), request, &Tally::default()).await;
        let page = page.map_err(NoPage::into_error)?;
        let answer = match page.record_count() {
            0 => "works: Graph answered, with no record of the last 24 hours",
            _ if stream.log() == Log::SignIns
                && !page.mentions("\"appliedConditionalAccessPolicies\"") =>
            {
                "works, but Graph leaves out which Conditional Access policies applied; to have \
                 them archived, grant the application permission Policy.Read.All and give admin \
                 consent"
            }
            _ => "works: Graph serves records",
        };
        Ok(answer.to_owned())
    }
}

//! `entratrail verify`: every object of an archive against the ledger, and the ledger against itself. Changes nothing.

mod calendar;
mod coverage;
mod day;
mod result;
mod rows;

use crate::arguments::{SpanArguments, VerifyArguments};
use crate::output::say;
use crate::place::Place;
use crate::status::Status;
use chrono::{DateTime, Days, NaiveDate, TimeDelta, Utc};
use day::CheckedDay;
use entratrail::archive::{Access, Archive};
use entratrail::error::Error;
use entratrail::log::{Log, Stream};
use entratrail::window::midnight;
use result::{CheckedStream, Verification};
use std::collections::BTreeSet;
use tokio::task::JoinSet;

/// How long after its end a window may still wait to be read: the default of `SETTLE_MINUTES`.
const SETTLE: TimeDelta = TimeDelta::minutes(30);

/// Verifies what `arguments` name.
pub(crate) async fn verify(arguments: &VerifyArguments) -> Result<Status, Error> {
    let now = Utc::now();
    let archive = arguments.archive.open(Access::Read).await?;
    let verification = check(&archive, &arguments.archive, arguments.span, now).await?;
    if arguments.json {
        say(&serde_json::json!(verification).to_string());
    } else {
        print(&verification, now);
    }
    Ok(if verification.is_sound() { Status::AllDone } else { Status::SomethingLeft })
}

/// Prints what a person wants to know.
pub(crate) fn print(verification: &Verification, now: DateTime<Utc>) {
    say(&calendar::of(verification, now));
    for key in &verification.foreign {
        say(&format!("{key} is not EntraTrail's, and was left alone"));
    }
    say(&verification.conclusion());
}

/// Checks all that `archive` holds of `span`.
pub(crate) async fn check(
    archive: &Archive,
    place: &Place,
    span: SpanArguments,
    now: DateTime<Utc>,
) -> Result<Verification, Error> {
    let asked = asked_span(span, now);
    let mut foreign = archive.foreign_objects(Log::SignIns).await?;
    let (mut checks, mut streams) = (Checks::new(), Vec::new());
    for stream in Stream::all() {
        let listing = archive.list(stream, NaiveDate::default()).await?;
        foreign.extend(listing.foreign.iter().cloned());
        let days: BTreeSet<_> = listing.objects.keys().chain(&listing.ledgers).copied().collect();
        if !days.is_empty() {
            streams.push(stream);
        }
        for day in days.into_iter().filter(|&day| is_in(day, asked)) {
            let objects = listing.objects.get(&day).cloned().unwrap_or_default();
            checks.start(archive.clone(), stream, day, objects).await;
        }
    }
    if streams.is_empty() {
        return Err(Error::Archive(format!(
            "there is nothing to verify in {place}: no ledger and no object"
        )));
    }
    let days = checks.finish().await;
    let span = asked.or_else(|| coverage::span_of(&days)).unwrap_or((now, now));
    let streams = streams.into_iter().map(|stream| CheckedStream::of(stream, &days, span, now));
    Ok(Verification {
        archive: place.to_string(),
        from: span.0,
        to: span.1,
        streams: streams.collect(),
        foreign,
    })
}

/// The span that must be covered, where one is asked for; nothing is expected of minutes that no run had to read yet.
fn asked_span(span: SpanArguments, now: DateTime<Utc>) -> Option<(DateTime<Utc>, DateTime<Utc>)> {
    let today = now.date_naive();
    let from = match (span.from, span.days) {
        (Some(from), _) => from,
        (None, Some(days)) => midnight(today - Days::new(days.into())),
        (None, None) => return None,
    };
    let settled =
        if now - SETTLE >= midnight(today) { midnight(today) } else { midnight(today - Days::new(1)) };
    Some((from, span.to.map_or(settled, |to| to.min(settled))))
}

fn is_in(day: NaiveDate, span: Option<(DateTime<Utc>, DateTime<Utc>)>) -> bool {
    span.is_none_or(|(from, to)| midnight(day) < to && from < midnight(day + Days::new(1)))
}

/// Days that are checked at once: as many as there are processors, and some that wait for a disk.
struct Checks {
    running: JoinSet<CheckedDay>,
    most: usize,
    done: Vec<CheckedDay>,
}

impl Checks {
    fn new() -> Self {
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        Self { running: JoinSet::new(), most: processors * 2, done: Vec::new() }
    }

    async fn start(
        &mut self,
        archive: Archive,
        stream: Stream,
        day: NaiveDate,
        objects: Vec<entratrail::plan::RawObject>,
    ) {
        while self.running.len() >= self.most {
            self.take_one().await;
        }
        self.running.spawn(async move { CheckedDay::check(&archive, stream, day, objects).await });
    }

    async fn finish(mut self) -> Vec<CheckedDay> {
        while !self.running.is_empty() {
            self.take_one().await;
        }
        self.done.sort_unstable_by_key(|day| (day.stream, day.day));
        self.done
    }

    async fn take_one(&mut self) {
        match self.running.join_next().await {
            Some(Ok(day)) => self.done.push(day),
            Some(Err(failed)) => std::panic::resume_unwind(failed.into_panic()),
            None => {}
        }
    }
}

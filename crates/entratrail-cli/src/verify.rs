//! `entratrail verify`: every object of an archive against the ledger, and the ledger against
//! itself. Changes nothing.

mod calendar;
mod coverage;
mod day;
mod evidence;
mod ledgers;
mod result;
mod rows;

use crate::arguments::{Expected, SpanArguments, VerifyArguments};
use crate::output::{say, say_json};
use crate::place::Place;
use crate::status::Status;
use crate::witness::Witnesses;
use chrono::{DateTime, Days, NaiveDate, TimeDelta, Utc};
use coverage::Span;
use day::CheckedDay;
use entratrail::archive::{Access, Archive};
use entratrail::error::Error;
use entratrail::log::{EventType, Log, Stream};
use entratrail::window::midnight;
use evidence::EarlierCheckpoint;
pub(crate) use evidence::Keys;
use ledgers::{FoundDay, StreamLedgers};
use result::{CheckedStream, Verification};
use tokio::task::JoinSet;

/// Time after its end for which a window may still wait to be read: the default of
/// `SETTLE_MINUTES`.
const SETTLE: TimeDelta = TimeDelta::minutes(30);

/// Verifies what `arguments` name.
pub(crate) async fn verify(arguments: &VerifyArguments) -> Result<Status, Error> {
    let now = Utc::now();
    let archive = arguments.archive.open(Access::Read).await?;
    let keys = arguments.key.as_deref().map(Keys::read).transpose()?;
    let since = arguments
        .since
        .iter()
        .map(|path| EarlierCheckpoint::read(path))
        .collect::<Result<Vec<_>, _>>()?;
    let witnesses = Witnesses::read(arguments.witnesses.as_deref(), keys.as_ref())?;
    let mut verification =
        check(&archive, &arguments.archive, arguments.span, &arguments.expect, now).await?;
    let streams = verification.streams.iter().map(|stream| stream.stream).collect::<Vec<_>>();
    let is_collected = |log: Log| {
        log.streams(&EventType::ALL).iter().any(|stream| streams.contains(&stream.name()))
    };
    verification.evidence =
        evidence::check(&archive, keys.as_ref(), &since, &witnesses, is_collected).await?;
    if arguments.json {
        say_json(&verification);
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
    verification.evidence.iter().for_each(|log| say(&log.to_string()));
    say(&verification.conclusion());
}

/// Checks all that `archive` holds of `span`, and that it holds what is `expected`.
pub(crate) async fn check(
    archive: &Archive,
    place: &Place,
    span: SpanArguments,
    expected: &[Expected],
    now: DateTime<Utc>,
) -> Result<Verification, Error> {
    let asked = asked_span(span, now);
    let mut foreign = archive.foreign_objects(Log::SignIns).await?;
    let mut streams = Vec::new();
    for stream in Stream::all() {
        let found = StreamLedgers::of(archive, stream, now).await?;
        foreign.extend(found.foreign.iter().cloned());
        if !found.days.is_empty() || expected.iter().any(|expected| expected.stream == stream) {
            streams.push(found);
        }
    }
    let Some(on_record) = span_on_record(&streams, now).or_else(|| span_expected(expected, now))
    else {
        return Err(Error::Archive(format!(
            "there is nothing to verify in {place}: no ledger and no object"
        )));
    };
    let mut checks = Checks::new();
    for stream in &streams {
        for (&day, found) in stream.days.iter().filter(|(day, _)| is_in(**day, asked)) {
            checks.start(archive.clone(), stream.stream, day, found.clone()).await;
        }
    }
    let checked = checks.finish().await;
    let span = asked.unwrap_or(on_record);
    let streams = streams.iter().map(|stream| {
        let expected = expected.iter().filter(|expected| expected.stream == stream.stream);
        let span = if asked.is_none() { since_its_start(span, stream) } else { span };
        CheckedStream::of(stream, &checked, with_expected(span, expected, now))
    });
    Ok(Verification {
        archive: place.to_string(),
        from: span.0,
        to: span.1,
        streams: streams.collect(),
        foreign,
        evidence: Vec::new(),
    })
}

/// From the first day that any stream has to the end of the last, as far as that can have been
/// read.
fn span_on_record(streams: &[StreamLedgers], now: DateTime<Utc>) -> Option<Span> {
    let first = streams.iter().filter_map(|stream| stream.days.keys().next()).min()?;
    let last = streams.iter().filter_map(|stream| stream.days.keys().next_back()).max()?;
    let read_to = streams.iter().filter_map(StreamLedgers::read_to).max();
    let to = midnight(*last + Days::new(1)).min(settled(now));
    Some((midnight(*first), read_to.map_or(to, |read_to| read_to.max(to))))
}

/// From the first day that is named as expected to the last that can have been read.
fn span_expected(expected: &[Expected], now: DateTime<Utc>) -> Option<Span> {
    let first = expected.iter().filter_map(|expected| expected.since).min()?;
    Some((midnight(first), settled(now)))
}

/// `span` from the first day of a stream on, where nobody has to collect it: it may have been
/// switched on long after the others.
fn since_its_start((from, to): Span, stream: &StreamLedgers) -> Span {
    let first = stream.days.keys().next().filter(|_| stream.stream.log().is_optional());
    (first.map_or(from, |first| from.max(midnight(*first))), to)
}

/// `span`, as long as the days that are `expected` of a stream ask for.
fn with_expected<'expected>(
    span: Span,
    expected: impl Iterator<Item = &'expected Expected>,
    now: DateTime<Utc>,
) -> Span {
    expected.fold(span, |(from, to), expected| {
        let since = expected.since.map_or(from, midnight);
        (from.min(since), to.max(settled(now)))
    })
}

/// End of the last day that a daily run can have read at `now`.
fn settled(now: DateTime<Utc>) -> DateTime<Utc> {
    let today = now.date_naive();
    if now - SETTLE >= midnight(today) { midnight(today) } else { midnight(today - Days::new(1)) }
}

/// The span that must be covered, where one is asked for; nothing is expected of minutes that no
/// run had to read yet.
fn asked_span(span: SpanArguments, now: DateTime<Utc>) -> Option<Span> {
    let today = now.date_naive();
    let from = match (span.from, span.days) {
        (Some(from), _) => from,
        (None, Some(days)) => midnight(today - Days::new(days.into())),
        (None, None) => return None,
    };
    let settled = settled(now);
    Some((from, span.to.map_or(settled, |to| to.min(settled))))
}

fn is_in(day: NaiveDate, span: Option<Span>) -> bool {
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

    async fn start(&mut self, archive: Archive, stream: Stream, day: NaiveDate, found: FoundDay) {
        while self.running.len() >= self.most {
            self.take_one().await;
        }
        self.running.spawn(async move { CheckedDay::check(&archive, stream, day, found).await });
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

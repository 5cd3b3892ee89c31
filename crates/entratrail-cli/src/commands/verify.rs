//! `entratrail verify`: every object of an archive against the ledger, and the ledger against
//! itself. Changes nothing.

pub(crate) mod arguments;
mod calendar;
mod coverage;
mod day;
mod evidence;
mod ledgers;
mod result;
mod rows;

use crate::archive_location::ArchiveLocation;
use crate::commands::verifier_keys::VerifierKeys;
use crate::commands::witness::Witnesses;
use crate::date_range::DateRange;
use crate::status::Status;
use crate::terminal::output::{print_json, print_line};
use arguments::{Expected, VerifyArguments};
use chrono::{DateTime, Days, NaiveDate, TimeDelta, Utc};
use day::CheckedDay;
use entratrail::archive::{Access, Archive};
use entratrail::error::Error;
use entratrail::log::{EventType, Log, Stream};
use entratrail::window::midnight;
use evidence::EarlierCheckpoint;
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
    let keys = arguments.key.as_deref().map(VerifierKeys::read).transpose()?;
    let since = arguments
        .since
        .iter()
        .map(|path| EarlierCheckpoint::read(path))
        .collect::<Result<Vec<_>, _>>()?;
    let witnesses = Witnesses::read(arguments.witnesses.as_deref(), keys.as_ref())?;
    let mut verification =
        check(&archive, &arguments.archive, arguments.range.range(now), &arguments.expect, now)
            .await?;
    let streams = verification.streams.iter().map(|stream| stream.stream).collect::<Vec<_>>();
    let is_collected = |log: Log| {
        log.streams(&EventType::ALL).iter().any(|stream| streams.contains(&stream.name()))
    };
    verification.evidence =
        evidence::check(&archive, keys.as_ref(), &since, &witnesses, is_collected).await?;
    if arguments.json {
        print_json(&verification);
    } else {
        print(&verification, now);
    }
    Ok(if verification.is_sound() { Status::AllDone } else { Status::SomethingLeft })
}

/// Prints what a person wants to know.
pub(crate) fn print(verification: &Verification, now: DateTime<Utc>) {
    print_line(&calendar::of(verification, now));
    for key in &verification.foreign {
        print_line(&format!("{key} is not EntraTrail's, and was left alone"));
    }
    verification.evidence.iter().for_each(|log| print_line(&log.to_string()));
    print_line(&verification.conclusion());
}

/// Checks all that `archive` holds of the range that is `asked` for, and that it holds what is
/// `expected`.
pub(crate) async fn check(
    archive: &Archive,
    location: &ArchiveLocation,
    asked: Option<DateRange>,
    expected: &[Expected],
    now: DateTime<Utc>,
) -> Result<Verification, Error> {
    let mut foreign = archive.foreign_objects(Log::SignIns).await?;
    let mut streams = Vec::new();
    for stream in Stream::all() {
        let found = StreamLedgers::of(archive, stream, now).await?;
        foreign.extend(found.foreign.iter().cloned());
        if !found.days.is_empty() || expected.iter().any(|expected| expected.stream == stream) {
            streams.push(found);
        }
    }
    let Some(on_record) = range_on_record(&streams, now).or_else(|| range_expected(expected, now))
    else {
        return Err(Error::archive(format!(
            "there is nothing to verify in {location}: no ledger and no object"
        )));
    };
    // Nothing is expected of minutes that no run had to read yet, unless one has read them.
    let asked = asked.map(|asked| asked.until(settled(now).max(on_record.to)));
    let mut checks = Checks::new();
    for stream in &streams {
        for (&day, found) in stream
            .days
            .iter()
            .filter(|(day, _)| asked.is_none_or(|asked| asked.contains_day(**day)))
        {
            checks.start(archive.clone(), stream.stream, day, found.clone()).await;
        }
    }
    let checked = checks.finish().await;
    let range = asked.unwrap_or(on_record);
    let streams = streams.iter().map(|stream| {
        let expected = expected.iter().filter(|expected| expected.stream == stream.stream);
        let range = if asked.is_none() { since_its_start(range, stream) } else { range };
        CheckedStream::of(stream, &checked, with_expected(range, expected, now))
    });
    Ok(Verification {
        archive: location.to_string(),
        from: range.from,
        to: range.to,
        streams: streams.collect(),
        foreign,
        evidence: Vec::new(),
    })
}

/// From the first day that any stream has to the end of the last one on record that is over, or as
/// far as reads go. The view `coverage` goes on to yesterday, and calls what nobody read missing.
fn range_on_record(streams: &[StreamLedgers], now: DateTime<Utc>) -> Option<DateRange> {
    let first = streams.iter().filter_map(|stream| stream.days.keys().next()).min()?;
    let last = streams.iter().filter_map(|stream| stream.days.keys().next_back()).max()?;
    let read_to = streams.iter().filter_map(StreamLedgers::read_to).max();
    let to = midnight(*last + Days::new(1)).min(midnight(now.date_naive()));
    let to = read_to.map_or(to, |read_to| read_to.max(to));
    Some(DateRange { from: midnight(*first), to })
}

/// From the first day that is named as expected to the last that can have been read.
fn range_expected(expected: &[Expected], now: DateTime<Utc>) -> Option<DateRange> {
    let first = expected.iter().filter_map(|expected| expected.since).min()?;
    Some(DateRange { from: midnight(first), to: settled(now) })
}

/// `range` from the first day of a stream on, where nobody has to collect it: it may have been
/// switched on long after the others.
fn since_its_start(range: DateRange, stream: &StreamLedgers) -> DateRange {
    let first = stream.days.keys().next().filter(|_| stream.stream.log().is_optional());
    DateRange { from: first.map_or(range.from, |first| range.from.max(midnight(*first))), ..range }
}

/// `range`, as long as the days that are `expected` of a stream ask for.
fn with_expected<'expected>(
    mut range: DateRange,
    expected: impl Iterator<Item = &'expected Expected>,
    now: DateTime<Utc>,
) -> DateRange {
    for expected in expected {
        range.from = range.from.min(expected.since.map_or(range.from, midnight));
        range.to = range.to.max(settled(now));
    }
    range
}

/// End of the last day that a daily run can have read at `now`.
fn settled(now: DateTime<Utc>) -> DateTime<Utc> {
    let today = now.date_naive();
    if now - SETTLE >= midnight(today) { midnight(today) } else { midnight(today - Days::new(1)) }
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

//! `entratrail rebuild`: the table objects of an archive, made again from its raw objects.

mod meter;

use crate::arguments::{RebuildArguments, SpanArguments};
use crate::interrupt::Interrupt;
use crate::numbers::count;
use crate::output::{complain, say, say_json};
use crate::place::Place;
use crate::status::Status;
use chrono::{DateTime, Days, NaiveDate, Utc};
use entratrail::archive::{Access, Archive};
use entratrail::clock::Clock;
use entratrail::error::Error;
use entratrail::ledger::{Origin, ReadRow, StoredTable};
use entratrail::log::Stream;
use entratrail::object::raw_key;
use entratrail::plan::Holdings;
use entratrail::table::Encoded;
use entratrail::window::{Window, midnight};
use futures_util::{StreamExt as _, stream};
use meter::Meter;
use serde::Serialize;
use std::collections::BTreeSet;
use std::fmt::Write as _;

/// Tables to make, and what stands in the way.
#[derive(Debug, Default)]
struct Work {
    reads: Vec<Read>,
    problems: Vec<String>,
    has_any_day: bool,
}

/// A read that stored something, and its table object as far as it is on record.
#[derive(Debug)]
struct Read {
    stream: Stream,
    row: ReadRow,
    table: Option<StoredTable>,
}

/// Result of a rebuild.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Rebuilt {
    archive: String,
    objects: u64,
    records: u64,
    unexpected_fields: u64,
    remaining_objects: u64,
    problems: Vec<String>,
}

/// A part of record time.
#[derive(Debug, Clone, Copy)]
struct Span {
    from: DateTime<Utc>,
    to: DateTime<Utc>,
}

/// Makes the table objects that `arguments` name.
pub(crate) async fn rebuild(arguments: &RebuildArguments) -> Result<Status, Error> {
    let interrupt = Interrupt::listen();
    let span = Span::asked(arguments.span, Utc::now());
    let archive = arguments.archive.open(Access::Write).await?;
    let streams =
        if arguments.streams.is_empty() { Stream::all() } else { arguments.streams.clone() };
    let work = Work::of(&archive, &streams, span).await?;
    if !work.has_any_day {
        let archive = &arguments.archive;
        return Err(Error::Archive(format!(
            "there is nothing to rebuild in {archive}: no ledger and no object"
        )));
    }
    let meter = Meter::new(work.reads.len() as u64, arguments.output.quiet);
    let rebuilt = work.done(&archive, &arguments.archive, meter, &interrupt).await;
    rebuilt.problems.iter().for_each(|problem| complain(problem));
    match (arguments.output.json, arguments.output.quiet) {
        (true, _) => say_json(&rebuilt),
        (false, true) => {}
        (false, false) => say(&rebuilt.summary()),
    }
    let is_all = rebuilt.problems.is_empty() && rebuilt.remaining_objects == 0;
    Ok(if is_all { Status::AllDone } else { Status::SomethingLeft })
}

impl Span {
    fn asked(span: SpanArguments, now: DateTime<Utc>) -> Self {
        let from = match (span.from, span.days) {
            (Some(from), _) => from,
            (None, Some(days)) => midnight(now.date_naive() - Days::new(days.into())),
            (None, None) => midnight(NaiveDate::default()),
        };
        Self { from, to: span.to.unwrap_or(DateTime::<Utc>::MAX_UTC) }
    }

    fn holds(self, window: Window) -> bool {
        window.start() < self.to && self.from < window.end()
    }
}

impl Work {
    /// Looks up every read of `span` that stored something.
    async fn of(archive: &Archive, streams: &[Stream], span: Span) -> Result<Self, Error> {
        let mut work = Self::default();
        for &stream in streams {
            let listing = archive.list(stream, span.from.date_naive()).await?;
            let days: BTreeSet<_> =
                listing.objects.keys().chain(&listing.ledgers).copied().collect();
            let is_asked = |day: &NaiveDate| {
                midnight(*day) < span.to && span.from < midnight(*day + Days::new(1))
            };
            for day in days.into_iter().filter(is_asked) {
                work.has_any_day = true;
                let objects = listing.objects.get(&day).cloned().unwrap_or_default();
                match archive.ledger(stream, day).await {
                    Ok((ledger, _)) => {
                        work.add(archive, &Holdings { stream, day, ledger, objects }, span);
                    }
                    Err(error) => work.problems.push(error.to_string()),
                }
            }
        }
        Ok(work)
    }

    fn add(&mut self, archive: &Archive, holdings: &Holdings, span: Span) {
        for object in
            holdings.objects_without_row().into_iter().filter(|object| span.holds(object.window))
        {
            let address = archive.address(&raw_key(holdings.stream, object));
            self.problems.push(format!(
                "{address} is named by no complete row of the ledger; the next collection puts it \
                 on record and makes its table"
            ));
        }
        let reads =
            holdings.ledger.reads_with_object().into_iter().filter(|row| span.holds(row.window));
        for row in reads {
            let table =
                row.object().and_then(|object| holdings.ledger.table_of(&object.key)).cloned();
            self.reads.push(Read { stream: holdings.stream, row: row.clone(), table });
        }
    }

    /// Makes as many objects at once as there are processors, until all are made or it is
    /// interrupted.
    async fn done(
        self,
        archive: &Archive,
        place: &Place,
        mut meter: Meter,
        interrupt: &Interrupt,
    ) -> Rebuilt {
        let mut rebuilt = Rebuilt::nothing_of(self.reads.len() as u64, self.problems, place);
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        let mut made = stream::iter(self.reads)
            .take_until(Box::pin(interrupt.wait()))
            .map(|read| {
                let archive = archive.clone();
                let interrupt = interrupt.clone();
                tokio::spawn(async move { read.rebuild(&archive, &interrupt).await })
            })
            .buffer_unordered(processors);
        while let Some(ended) = made.next().await {
            match ended {
                Ok(made) => rebuilt.take(made),
                Err(failed) => std::panic::resume_unwind(failed.into_panic()),
            }
            meter.show(rebuilt.remaining_objects, rebuilt.records);
        }
        meter.end();
        rebuilt
    }
}

impl Read {
    async fn rebuild(
        &self,
        archive: &Archive,
        interrupt: &Interrupt,
    ) -> Result<Option<Encoded>, Error> {
        // No Graph was asked for this.
        let origin = Origin::new(None);
        let known = self.table.as_ref();
        let stop = interrupt.wait();
        archive.rebuild_table(self.stream, &self.row, known, origin, Clock::wall(), stop).await
    }
}

impl Rebuilt {
    fn nothing_of(remaining_objects: u64, problems: Vec<String>, place: &Place) -> Self {
        let archive = place.to_string();
        Self { archive, objects: 0, records: 0, unexpected_fields: 0, remaining_objects, problems }
    }

    /// Takes the end of one object; `None` is one that was given up.
    fn take(&mut self, made: Result<Option<Encoded>, Error>) {
        match made {
            Ok(None) => return,
            Ok(Some(table)) => {
                self.objects += 1;
                self.records += table.rows;
                self.unexpected_fields += table.unexpected_fields;
            }
            Err(error) => self.problems.push(error.to_string()),
        }
        self.remaining_objects -= 1;
    }

    fn summary(&self) -> String {
        let mut summary = format!(
            "{} made, {}",
            count(self.objects, "table object"),
            count(self.records, "record")
        );
        if self.unexpected_fields > 0 {
            let fields = count(self.unexpected_fields, "field");
            let _ = write!(summary, ", {fields} not as the tables know them (column other)");
        }
        if self.remaining_objects > 0 {
            let left = count(self.remaining_objects, "object");
            let _ = write!(summary, "; stopped with {left} left: the same command makes them all");
        }
        if !self.problems.is_empty() {
            let _ = write!(
                summary,
                "; {} left out",
                count(self.problems.len() as u64, "object or day")
            );
        }
        summary
    }
}

//! `entratrail rebuild`: the table objects of an archive, made again from its raw objects.

pub(crate) mod arguments;

use crate::archive_location::ArchiveLocation;
use crate::date_range::DateRange;
use crate::interrupt::Interrupt;
use crate::status::Status;
use crate::terminal::numbers::count;
use crate::terminal::output::{print_error, print_json, print_line};
use crate::terminal::progress::ObjectProgress;
use arguments::RebuildArguments;
use chrono::Utc;
use entratrail::archive::{Access, Archive};
use entratrail::clock::Clock;
use entratrail::error::Error;
use entratrail::ledger::{Origin, ReadRow, StoredTable};
use entratrail::log::Stream;
use entratrail::object::raw_key;
use entratrail::plan::Holdings;
use entratrail::table::Encoded;
use futures_util::{StreamExt as _, stream};
use serde::Serialize;
use std::collections::BTreeSet;
use std::fmt::Write as _;

/// Tables to make, and what stands in the way.
#[derive(Debug, Default)]
struct Work {
    reads: Vec<StoredRead>,
    problems: Vec<String>,
    has_any_day: bool,
}

/// A read that stored something, and its table object as far as it is on record.
#[derive(Debug)]
struct StoredRead {
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

/// Makes the table objects that `arguments` name.
pub(crate) async fn rebuild(arguments: &RebuildArguments) -> Result<Status, Error> {
    let interrupt = Interrupt::listen();
    let range = arguments.range.range(Utc::now()).unwrap_or(DateRange::ALL);
    let archive = arguments.archive.open(Access::Write).await?;
    let streams =
        if arguments.streams.is_empty() { Stream::all() } else { arguments.streams.clone() };
    let work = Work::of(&archive, &streams, range).await?;
    if !work.has_any_day {
        let archive = &arguments.archive;
        return Err(Error::archive(format!(
            "there is nothing to rebuild in {archive}: no ledger and no object"
        )));
    }
    let progress = ObjectProgress::new(work.reads.len() as u64, arguments.output.quiet);
    let rebuilt = work.done(&archive, &arguments.archive, progress, &interrupt).await;
    rebuilt.problems.iter().for_each(|problem| print_error(problem));
    match (arguments.output.json, arguments.output.quiet) {
        (true, _) => print_json(&rebuilt),
        (false, true) => {}
        (false, false) => print_line(&rebuilt.summary()),
    }
    let is_all = rebuilt.problems.is_empty() && rebuilt.remaining_objects == 0;
    Ok(if is_all { Status::AllDone } else { Status::SomethingLeft })
}

impl Work {
    /// Looks up every read of `range` that stored something.
    async fn of(archive: &Archive, streams: &[Stream], range: DateRange) -> Result<Self, Error> {
        let mut work = Self::default();
        for &stream in streams {
            let listing = archive.list(stream, range.first_day()).await?;
            let days: BTreeSet<_> =
                listing.objects.keys().chain(&listing.ledgers).copied().collect();
            for day in days.into_iter().filter(|day| range.contains_day(*day)) {
                work.has_any_day = true;
                let objects = listing.objects.get(&day).cloned().unwrap_or_default();
                match archive.ledger(stream, day).await {
                    Ok((ledger, _)) => {
                        work.add(archive, &Holdings { stream, day, ledger, objects }, range);
                    }
                    Err(error) => work.problems.push(error.to_string()),
                }
            }
        }
        Ok(work)
    }

    fn add(&mut self, archive: &Archive, holdings: &Holdings, range: DateRange) {
        for object in holdings
            .objects_without_row()
            .into_iter()
            .filter(|object| range.overlaps(object.window))
        {
            let address = archive.address(&raw_key(holdings.stream, object));
            self.problems.push(format!(
                "{address} is named by no complete row of the ledger; the next collection puts it \
                 on record and makes its table"
            ));
        }
        let reads = holdings
            .ledger
            .reads_with_object()
            .into_iter()
            .filter(|row| range.overlaps(row.window));
        for row in reads {
            let table =
                row.object().and_then(|object| holdings.ledger.table_of(&object.key)).cloned();
            self.reads.push(StoredRead { stream: holdings.stream, row: row.clone(), table });
        }
    }

    /// Makes as many objects at once as there are processors, until all are made or it is
    /// interrupted.
    async fn done(
        self,
        archive: &Archive,
        location: &ArchiveLocation,
        mut progress: ObjectProgress,
        interrupt: &Interrupt,
    ) -> Rebuilt {
        let mut rebuilt = Rebuilt::nothing_of(self.reads.len() as u64, self.problems, location);
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
            progress.show(rebuilt.remaining_objects, rebuilt.records);
        }
        progress.end();
        rebuilt
    }
}

impl StoredRead {
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
    fn nothing_of(
        remaining_objects: u64,
        problems: Vec<String>,
        location: &ArchiveLocation,
    ) -> Self {
        let archive = location.to_string();
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

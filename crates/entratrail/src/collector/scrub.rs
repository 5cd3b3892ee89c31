//! Holding what the archive holds against its ledgers: the days of the history in every run, and a
//! slice of all days, so that each is looked at within thirty days of daily runs.

use super::Collector;
use super::holdings::Archived;
use crate::archive::{Expected, FETCHED_AT_ONCE, Held, Inventory};
use crate::error::Error;
use crate::ledger::Ledger;
use crate::log::Stream;
use chrono::{DateTime, Datelike as _, NaiveDate, Utc};
use futures_util::future::FusedFuture;
use futures_util::{StreamExt as _, stream};
use std::pin::pin;

/// Daily runs in which the whole archive is looked at.
const CYCLE_DAYS: i32 = 30;

/// Days that are listed at once: their keys follow each other, and one request lists a thousand.
const BLOCK_DAYS: i32 = 16;

/// Objects of a slice whose checksum a run asks S3 for although their listing shows nothing odd:
/// 0.0008 dollars. Where there are more, each has its turn in another cycle.
const MAX_CHECKSUMS: usize = 2_000;

/// An object that the ledger of a day has on record.
type OnRecord = (NaiveDate, Expected);

/// Findings of a look at the archive.
#[derive(Debug, Default)]
pub(super) struct Findings {
    /// Sentences, each of which names an object that is gone or differs.
    pub(super) damaged: Vec<String>,
    /// Table objects that are to be made again.
    pub(super) tables: Vec<LostTable>,
    /// Why something could not be mended, or looked at: the first reason.
    error: Option<Error>,
}

/// A table object that is gone or differs.
#[derive(Debug)]
pub(super) struct LostTable {
    stream: Stream,
    day: NaiveDate,
    /// Key of the raw object that it is made of.
    raw: String,
    key: String,
}

impl Findings {
    fn fail_with(&mut self, error: Error) {
        tracing::error!(remedy = error.remedy(), "{error}");
        self.damaged.push(error.to_string());
        self.error.get_or_insert(error);
    }

    /// The first reason, with the number of all.
    pub(super) fn error(&self) -> Option<Error> {
        let others = self.damaged.len().saturating_sub(1);
        let error = self.error.clone()?;
        if others == 0 {
            return Some(error);
        }
        Some(error.and(format!(
            "{others} more objects of the archive are gone or differ: the report has them"
        )))
    }
}

impl Collector {
    /// Looks at the days of the history and at this run's slice of the archive.
    pub(super) async fn scrub(&self, archived: &Archived, now: DateTime<Utc>) -> Findings {
        let mut findings = Findings::default();
        let last = now.date_naive();
        for stream in self.streams() {
            let Some(first) = archived.first_ledger(stream) else { continue };
            let last_run = archived.last_run_before(last);
            let cycle = last.num_days_from_ce() / CYCLE_DAYS;
            for (number, (start, end)) in blocks(first, last) {
                if is_due(number, last, last_run) {
                    self.scrub_days(stream, (start, end), Some(cycle), archived, &mut findings)
                        .await;
                } else if archived.oldest_day <= end {
                    let days = (start.max(archived.oldest_day), end);
                    self.scrub_days(stream, days, None, archived, &mut findings).await;
                }
            }
        }
        findings
    }

    /// Looks at the days from `first` to `last`; in a `cycle`, at checksums that the listing does
    /// not ask for, too.
    async fn scrub_days(
        &self,
        stream: Stream,
        (first, last): (NaiveDate, NaiveDate),
        cycle: Option<i32>,
        archived: &Archived,
        findings: &mut Findings,
    ) {
        let inventory = match self.archive.inventory(stream, first, last).await {
            Ok(inventory) => inventory,
            Err(error) => return findings.fail_with(error),
        };
        let (mut suspects, unsuspicious) = self.sort(stream, &inventory, archived, findings).await;
        if let Some(cycle) = cycle {
            suspects.extend(in_turn(unsuspicious, cycle));
        }
        let mut outcomes = pin!(
            stream::iter(suspects)
                .map(|(day, expected): OnRecord| async move {
                    let outcome = self.archive.hold(&expected).await;
                    (day, expected, outcome)
                })
                .buffer_unordered(FETCHED_AT_ONCE)
        );
        while let Some((day, expected, outcome)) = outcomes.next().await {
            match outcome {
                Ok(Held::Same) => {}
                Ok(differs) => match expected.made_of {
                    Some(raw) => {
                        findings.tables.push(LostTable { stream, day, raw, key: expected.key });
                    }
                    None => {
                        findings.fail_with(self.archive.not_as_recorded(&expected.key, differs));
                    }
                },
                Err(error) => findings.fail_with(error),
            }
        }
    }

    /// The objects on record whose listing asks for a closer look, and the others.
    async fn sort(
        &self,
        stream: Stream,
        inventory: &Inventory,
        archived: &Archived,
        findings: &mut Findings,
    ) -> (Vec<OnRecord>, Vec<OnRecord>) {
        let mut objects = Vec::new();
        let mut damaged: Vec<_> = inventory.days_without_ledger().collect();
        let mut expect = |day, ledger: &Ledger| {
            objects.extend(
                inventory.expected(day, ledger).into_iter().map(|expected| (day, expected)),
            );
            if inventory.has_unrecorded(day, ledger) {
                damaged.push(day);
            }
        };
        let mut unknown = Vec::new();
        for day in inventory.days() {
            match archived.ledger(stream, day) {
                Some(ledger) => expect(day, ledger),
                None => unknown.push(day),
            }
        }
        let mut ledgers = pin!(self.archive.ledgers(stream, unknown));
        while let Some((day, ledger)) = ledgers.next().await {
            match ledger {
                Ok(ledger) => expect(day, &ledger),
                Err(error) => findings.fail_with(error),
            }
        }
        for day in damaged {
            if let Err(error) = self.look_up_day(stream, day, &mut findings.damaged).await {
                findings.fail_with(error);
            }
        }
        objects.into_iter().partition(|(_, expected)| !expected.is_as_listed)
    }

    /// Makes lost table objects again until `stop` completes, and returns the keys of those that
    /// were made.
    pub(super) async fn remake_tables<Stop>(
        &self,
        tables: Vec<LostTable>,
        stop: &mut Stop,
    ) -> Result<Vec<String>, Error>
    where
        Stop: FusedFuture<Output = ()> + Unpin,
    {
        let mut remade = Vec::new();
        for table in tables {
            if stop.is_terminated() {
                break;
            }
            if self.remake_table(&table, stop).await? {
                tracing::warn!(
                    key = table.key,
                    "a table object that was gone or differed was made again"
                );
                remade.push(table.key);
            }
        }
        Ok(remade)
    }

    /// Makes the table object again, unless somebody else has meanwhile: then the ledger knows what
    /// is there.
    async fn remake_table<Stop>(&self, table: &LostTable, stop: &mut Stop) -> Result<bool, Error>
    where
        Stop: FusedFuture<Output = ()> + Unpin,
    {
        let (ledger, _) = self.archive.ledger(table.stream, table.day).await?;
        let Some(row) = ledger.read_that_stored(&table.raw) else { return Ok(false) };
        let known = ledger.table_of(&table.raw);
        if let Some(known) = known
            && self.archive.sha256_of(&table.key).await.is_ok_and(|sha256| sha256 == known.sha256)
        {
            return Ok(false);
        }
        let origin = self.origin.clone();
        let rebuilt =
            self.archive.rebuild_table(table.stream, row, known, origin, self.clock, stop).await?;
        Ok(rebuilt.is_some())
    }
}

/// The blocks of days from `first` to `last`, with their numbers.
fn blocks(
    first: NaiveDate,
    last: NaiveDate,
) -> impl Iterator<Item = (i32, (NaiveDate, NaiveDate))> {
    let numbers = first.num_days_from_ce() / BLOCK_DAYS..=last.num_days_from_ce() / BLOCK_DAYS;
    numbers.filter_map(move |number| {
        let start = NaiveDate::from_num_days_from_ce_opt(number * BLOCK_DAYS)?;
        let end = NaiveDate::from_num_days_from_ce_opt(number * BLOCK_DAYS + BLOCK_DAYS - 1)?;
        Some((number, (start.max(first), end.min(last))))
    })
}

/// Tells whether a block is in the slice of a run on the day `today`, where the last run was on the
/// day `after`.
fn is_due(block: i32, today: NaiveDate, after: Option<NaiveDate>) -> bool {
    let since_last_run =
        after.map_or(1, |after| (today - after).num_days().clamp(1, CYCLE_DAYS.into()));
    (0..since_last_run).any(|ago| {
        let turn = i64::from(today.num_days_from_ce()) - ago;
        turn.rem_euclid(CYCLE_DAYS.into()) == i64::from(block).rem_euclid(CYCLE_DAYS.into())
    })
}

/// Selects the `objects` whose checksum is asked for in `cycle`: all of them, where they are few
/// enough.
fn in_turn<T>(objects: Vec<T>, cycle: i32) -> impl Iterator<Item = T> {
    let turns = objects.len().div_ceil(MAX_CHECKSUMS).max(1);
    let turn = usize::try_from(cycle).unwrap_or(0) % turns;
    objects
        .into_iter()
        .enumerate()
        .filter(move |(index, _)| index % turns == turn)
        .map(|(_, object)| object)
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::Days;
    use std::collections::BTreeSet;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn days(blocks: Vec<(NaiveDate, NaiveDate)>) -> impl Iterator<Item = NaiveDate> {
        blocks
            .into_iter()
            .flat_map(|(first, last)| first.iter_days().take_while(move |day| *day <= last))
    }

    /// The blocks of a slice.
    fn slice(
        first: NaiveDate,
        last: NaiveDate,
        after: Option<NaiveDate>,
    ) -> Vec<(NaiveDate, NaiveDate)> {
        blocks(first, last)
            .filter(|(number, _)| is_due(*number, last, after))
            .map(|(_, days)| days)
            .collect()
    }

    #[test]
    fn thirty_daily_runs_look_at_every_day_once() {
        let first = day("2017-01-05");
        let mut seen = BTreeSet::new();
        for run in day("2026-11-01").iter_days().take(30) {
            for day in days(slice(first, run, Some(run - Days::new(1)))) {
                // The youngest block grows while the month passes.
                assert!(seen.insert(day) || day >= self::day("2026-10-15"), "{day}");
            }
        }
        let missed = first
            .iter_days()
            .take_while(|day| *day < self::day("2026-11-01"))
            .find(|day| !seen.contains(day));
        assert_eq!(missed, None);
    }

    #[test]
    fn days_without_a_run_are_made_up_for() {
        let first = day("2017-01-05");
        let last = day("2026-11-20");
        let daily: BTreeSet<_> =
            (0..9).flat_map(|ago| days(slice(first, last - Days::new(ago), None))).collect();
        let at_once: BTreeSet<_> = days(slice(first, last, Some(last - Days::new(9)))).collect();
        assert!(daily.is_subset(&at_once));
        let all: BTreeSet<_> = days(slice(first, last, Some(first))).collect();
        assert!(first.iter_days().take_while(|day| *day <= last).all(|day| all.contains(&day)));
    }

    #[test]
    fn every_object_has_its_turn() {
        assert_eq!(in_turn(vec![1, 2, 3], 7).count(), 3);
        let objects: Vec<usize> = (0..4_500).collect();
        let seen: BTreeSet<_> =
            (24_000..24_003).flat_map(|cycle| in_turn(objects.clone(), cycle)).collect();
        assert_eq!(seen.len(), 4_500);
        assert!(in_turn(objects, 24_000).count() <= MAX_CHECKSUMS);
    }
}

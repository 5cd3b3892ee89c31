//! Holding what the archive holds against its ledgers: the days of the history in every run, and a slice of all days, so
//! that each is looked at within thirty days of daily runs.

use super::Collector;
use super::holdings::Archived;
use crate::archive::{Expected, FETCHED_AT_ONCE, Held, Inventory};
use crate::error::Error;
use crate::ledger::{Ledger, ReadRow};
use crate::log::Stream;
use chrono::{DateTime, Datelike as _, Days, NaiveDate, Utc};
use futures_util::{StreamExt as _, stream};
use std::pin::pin;

/// Daily runs in which the whole archive is looked at.
const CYCLE_DAYS: i32 = 30;

/// Days that are listed at once: their keys follow each other, and one request lists a thousand.
const BLOCK_DAYS: i32 = 16;

/// Objects of a slice whose checksum a run asks S3 for although their listing shows nothing odd: 0.0008 dollars. Where
/// there are more, each has its turn in another cycle.
const MAX_CHECKSUMS: usize = 2_000;

/// An object that the ledger of a day has on record.
type OnRecord = (NaiveDate, Expected);

/// Findings of a look at the archive.
#[derive(Debug, Default)]
pub(super) struct Findings {
    /// Sentences, each of which names an object that is gone or differs.
    pub(super) damaged: Vec<String>,
    /// Keys of the table objects that were made again.
    pub(super) remade_tables: Vec<String>,
    /// Why something could not be mended, or looked at: the first reason.
    error: Option<Error>,
}

impl Findings {
    fn fail_with(&mut self, error: Error) {
        tracing::error!("{error}");
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
        Some(
            error.and(&format!(
                "{others} more objects of the archive are gone or differ: the report has them"
            )),
        )
    }
}

impl Collector {
    /// Looks at the days of the history and at this run's slice of the archive. Table objects that are gone or differ are
    /// made again.
    pub(super) async fn scrub(&self, archived: &Archived, now: DateTime<Utc>) -> Findings {
        let mut findings = Findings::default();
        let last = now.date_naive();
        for stream in self.streams() {
            let Some(first) = archived.first_ledger(stream) else { continue };
            let history = archived.oldest_day.max(first);
            self.scrub_days(stream, (history, last), None, archived, &mut findings).await;
            let cycle = last.num_days_from_ce() / CYCLE_DAYS;
            for block in slice(first, last, archived.last_run_before(last)) {
                self.scrub_days(stream, block, Some(cycle), archived, &mut findings).await;
            }
        }
        findings
    }

    /// Looks at the days from `first` to `last`; in a `cycle`, at checksums that the listing does not ask for, too.
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
        let hold = |(day, expected): OnRecord| async move {
            let outcome = self.archive.hold(&expected).await;
            (day, expected, outcome)
        };
        let mut outcomes = pin!(stream::iter(suspects).map(hold).buffer_unordered(FETCHED_AT_ONCE));
        while let Some((day, expected, outcome)) = outcomes.next().await {
            match outcome {
                Ok(Held::Same) => {}
                Ok(differs) => self.mend(stream, day, &expected, differs, findings).await,
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
            objects.extend(inventory.expected(day, ledger).into_iter().map(|expected| (day, expected)));
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

    /// Makes a table object again; names a raw object, which only a person can bring back.
    async fn mend(
        &self,
        stream: Stream,
        day: NaiveDate,
        expected: &Expected,
        held: Held,
        findings: &mut Findings,
    ) {
        let Some(raw) = &expected.made_of else {
            return findings.fail_with(self.archive.not_as_recorded(&expected.key, held));
        };
        match self.make_again(stream, day, raw, &expected.key).await {
            Ok(true) => {
                tracing::warn!(key = expected.key, "a table object that was gone or differed was made again");
                findings.remade_tables.push(expected.key.clone());
            }
            Ok(false) => {}
            Err(error) => findings.fail_with(error),
        }
    }

    /// Makes the table object again, unless somebody else has meanwhile: then the ledger knows what is there.
    async fn make_again(
        &self,
        stream: Stream,
        day: NaiveDate,
        raw: &str,
        table: &str,
    ) -> Result<bool, Error> {
        let (ledger, _) = self.archive.ledger(stream, day).await?;
        let names = |row: &&ReadRow| row.object().is_some_and(|object| object.key == raw);
        let Some(row) = ledger.reads_with_object().into_iter().find(names) else { return Ok(false) };
        let known = ledger.table_of(raw);
        if let Some(known) = known
            && self.archive.sha256_of(table).await.is_ok_and(|sha256| sha256 == known.sha256)
        {
            return Ok(false);
        }
        let never = std::future::pending();
        self.archive.rebuild_table(stream, row, known, self.origin.clone(), self.clock, never).await?;
        Ok(true)
    }
}

/// The blocks of days from `first` to `last` that are looked at since the day `after`, on which a run was last started.
fn slice(first: NaiveDate, last: NaiveDate, after: Option<NaiveDate>) -> Vec<(NaiveDate, NaiveDate)> {
    let since_last_run = after.map_or(1, |after| (last - after).num_days().clamp(1, CYCLE_DAYS.into()));
    let today = last.num_days_from_ce();
    let is_due = |block: i32| {
        (0..since_last_run).any(|ago| {
            let turn = i64::from(today) - ago;
            turn.rem_euclid(CYCLE_DAYS.into()) == i64::from(block).rem_euclid(CYCLE_DAYS.into())
        })
    };
    let blocks = first.num_days_from_ce() / BLOCK_DAYS..=today / BLOCK_DAYS;
    let bounds = |block: i32| {
        let start = NaiveDate::from_num_days_from_ce_opt(block * BLOCK_DAYS)?;
        Some((start.max(first), (start + Days::new(BLOCK_DAYS as u64 - 1)).min(last)))
    };
    blocks.filter(|&block| is_due(block)).filter_map(bounds).collect()
}

/// Selects the `objects` whose checksum is asked for in `cycle`: all of them, where they are few enough.
fn in_turn<T>(objects: Vec<T>, cycle: i32) -> impl Iterator<Item = T> {
    let turns = objects.len().div_ceil(MAX_CHECKSUMS).max(1);
    let turn = usize::try_from(cycle).unwrap_or(0) % turns;
    objects.into_iter().enumerate().filter(move |(index, _)| index % turns == turn).map(|(_, object)| object)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn days(blocks: Vec<(NaiveDate, NaiveDate)>) -> impl Iterator<Item = NaiveDate> {
        blocks.into_iter().flat_map(|(first, last)| first.iter_days().take_while(move |day| *day <= last))
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
        let seen: BTreeSet<_> = (24_000..24_003).flat_map(|cycle| in_turn(objects.clone(), cycle)).collect();
        assert_eq!(seen.len(), 4_500);
        assert!(in_turn(objects, 24_000).count() <= MAX_CHECKSUMS);
    }
}

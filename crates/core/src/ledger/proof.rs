//! Rules of proof: when reads show that the archive holds all of a window. This is their one home
//! in code; the view `coverage` says the same in SQL.

use super::{Ledger, ReadRow};
use crate::window::Window;
use chrono::{DateTime, Days, NaiveDate, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use std::fmt;

/// A read proves something only if it started this long after the end of its window, because
/// records arrive hours late.
const PROOF_AFTER: TimeDelta = TimeDelta::hours(24);

/// Two reads agree only if they started this far apart: what is late, or missing for a moment, is
/// the same for two reads in quick succession. An open window is due again after it, so that every
/// daily run reads it, whatever minute it starts at. `sql/views/coverage.sql`, `docs/ledger.py` and
/// `tests/src/states.rs` judge by the same hours, and tests hold them against these.
const READS_APART: TimeDelta = TimeDelta::hours(20);

/// Reads that found something after which a window that was never verified counts as unstable.
const UNSTABLE_AFTER: usize = 7;

/// Time after which an unstable window is read again.
const UNSTABLE_AGAIN: TimeDelta = TimeDelta::days(5);

/// Graph keeps 7 days in every tenant, and 30 in most. Of a window that started longer before a
/// read than this, Graph may have been dropping records already, so that two reads agree on what is
/// left.
const SURELY_KEPT: TimeDelta = TimeDelta::days(6);

/// Days that Graph keeps a log at most, and what a reader without `HISTORY_DAYS` takes for it.
const MAX_RETENTION_DAYS: u16 = 30;

/// State of a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// Two reads, hours apart and late enough, agree: the archive holds what Graph serves.
    Verified,
    /// Read completely, and from before the archive began: Graph may have been dropping it already.
    /// Not proved, and nobody's debt.
    Before,
    /// Read completely, not verified yet.
    Open,
    /// Seven reads found something new or missing, and it is not verified.
    Unstable,
    /// Never read completely.
    Missing,
    /// Left the history without being verified.
    Expired,
}

impl State {
    /// Word of the state in ledgers' readers, reports and tables.
    pub fn word(self) -> &'static str {
        match self {
            Self::Verified => "verified",
            Self::Before => "before",
            Self::Open => "open",
            Self::Unstable => "unstable",
            Self::Missing => "missing",
            Self::Expired => "expired",
        }
    }

    /// Whether the window still asks for something: it alarms when it stays so.
    pub fn is_debt(self) -> bool {
        match self {
            Self::Open | Self::Unstable | Self::Missing => true,
            Self::Verified | Self::Before | Self::Expired => false,
        }
    }
}

/// Reason for which a window that was read completely is not verified.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Doubt {
    /// Every complete read is from before format 2.
    FromBefore,
    /// Only one read so far.
    ReadOnce,
    /// The newest read found new records or versions.
    FoundNew(u64),
    /// The newest read did not serve records that are stored.
    FoundMissing(u64),
    /// The newest read started less than 24 hours after the window's end.
    TooEarly,
    /// No read that agrees started at least 20 hours after another.
    TooClose,
    /// Graph may have been dropping the window, and served nothing as old as its start.
    RetentionUnknown,
}

impl fmt::Display for Doubt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::FromBefore => f.write_str("it was read only by an earlier version"),
            Self::ReadOnce => f.write_str("it was read once; a second read must agree"),
            Self::FoundNew(count) => write!(f, "the last read brought {count} new"),
            Self::FoundMissing(count) => {
                write!(f, "the last read was not served {count} of the stored records")
            }
            Self::TooEarly => f.write_str("the last read started less than 24 hours after its end"),
            Self::TooClose => f.write_str("its reads started less than 20 hours apart"),
            Self::RetentionUnknown => f.write_str(
                "it was first read when Graph may have been dropping it already, and Graph served \
                 nothing as old as its start",
            ),
        }
    }
}

/// Facts of all ledgers of a stream that the state of one window depends on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct StreamHistory {
    /// Start of the stream's first read, failed ones included.
    pub first_read: Option<DateTime<Utc>>,
    /// Start of the oldest window that is verified.
    pub oldest_verified: Option<DateTime<Utc>>,
}

impl StreamHistory {
    /// Facts of `ledgers`, all of one stream.
    pub fn of<'ledgers>(ledgers: impl IntoIterator<Item = &'ledgers Ledger>) -> Self {
        let mut history = Self::default();
        for ledger in ledgers {
            history.add(ledger);
        }
        history
    }

    /// Takes in the ledger of one more day.
    pub fn add(&mut self, ledger: &Ledger) {
        self.add_first_read(ledger);
        for window in ledger.windows_on_record() {
            self.add_verified(ledger, window);
        }
    }

    /// Takes in `ledger` after a read of `window`, when all its other windows were taken in before.
    pub fn add_window(&mut self, ledger: &Ledger, window: Window) {
        self.add_first_read(ledger);
        self.add_verified(ledger, window);
    }

    fn add_first_read(&mut self, ledger: &Ledger) {
        let first = ledger.rows().map(|row| row.started_at).min();
        self.first_read = earliest(self.first_read, first);
    }

    fn add_verified(&mut self, ledger: &Ledger, window: Window) {
        if verdict(ledger, window) == Verdict::Verified {
            self.oldest_verified = earliest(self.oldest_verified, Some(window.start()));
        }
    }

    /// Whether the stream began so late that Graph may already have been dropping `window`.
    fn began_after(&self, window: Window) -> bool {
        self.first_read.is_some_and(|first| window.end() < first)
            && self.oldest_verified.is_none_or(|verified| window.start() < verified)
    }
}

fn earliest(one: Option<DateTime<Utc>>, other: Option<DateTime<Utc>>) -> Option<DateTime<Utc>> {
    one.into_iter().chain(other).min()
}

/// Decides on the windows of one stream.
#[derive(Debug, Clone, Copy)]
pub struct Proof {
    /// Facts of the stream.
    pub history: StreamHistory,
    /// Oldest day of the history; what is older and not verified has expired.
    pub oldest_day: NaiveDate,
}

impl Proof {
    /// Rules for a reader that does not know `HISTORY_DAYS`, at `now`.
    pub fn of_reader(history: StreamHistory, now: DateTime<Utc>) -> Self {
        let oldest_day = now.date_naive() - Days::new(u64::from(MAX_RETENTION_DAYS));
        Self { history, oldest_day }
    }

    /// State of `window`, whose day has `ledger`.
    pub fn state(&self, ledger: &Ledger, window: Window) -> State {
        match verdict(ledger, window) {
            Verdict::Verified => State::Verified,
            Verdict::Doubted { .. } if self.history.began_after(window) => State::Before,
            _ if self.state_of_gap(window.day()) == State::Expired => State::Expired,
            Verdict::Unread => State::Missing,
            Verdict::Doubted { finds } if finds >= UNSTABLE_AFTER => State::Unstable,
            Verdict::Doubted { .. } => State::Open,
        }
    }

    /// State of minutes of `day` that no complete read covers.
    pub fn state_of_gap(&self, day: NaiveDate) -> State {
        if day < self.oldest_day { State::Expired } else { State::Missing }
    }

    /// Whether `window` is to be read again at `now`. `last_look` is the age at which a verified
    /// window is read once more.
    pub fn is_due(
        &self,
        ledger: &Ledger,
        window: Window,
        last_look: Option<TimeDelta>,
        now: DateTime<Utc>,
    ) -> bool {
        let newest = ledger.complete_reads(window).map(|row| row.started_at).max();
        let is_older = |age| newest.is_none_or(|started_at| now - started_at >= age);
        match self.state(ledger, window) {
            State::Missing => true,
            State::Open | State::Before => is_older(READS_APART),
            State::Unstable => is_older(UNSTABLE_AGAIN),
            State::Verified => last_look.is_some_and(|age| {
                let look_at = window.end() + age;
                look_at <= now && newest.is_none_or(|started_at| started_at < look_at)
            }),
            State::Expired => false,
        }
    }

    /// Instant since which `window` asks for something, where it does: its end, or the read that
    /// opened it again after it was verified. What a last look finds late is no old debt.
    pub fn owed_since(&self, ledger: &Ledger, window: Window) -> Option<DateTime<Utc>> {
        if !self.state(ledger, window).is_debt() {
            return None;
        }
        let reads = proving_reads(ledger, window);
        let opened_again = (1..reads.len())
            .rev()
            .find(|read| is_verified(window, &reads[..*read]))
            .and_then(|read| reads.get(read));
        Some(opened_again.map_or(window.end(), |read| read.started_at))
    }

    /// Reason for which `window`, which is read completely, is not verified.
    pub fn doubt(&self, ledger: &Ledger, window: Window) -> Option<Doubt> {
        match self.state(ledger, window) {
            State::Before | State::Open | State::Unstable => Some(doubt(ledger, window)),
            State::Verified | State::Missing | State::Expired => None,
        }
    }
}

/// Whether a read that starts at `started_at` and finds nothing could verify `window` only with
/// evidence that Graph still keeps records as old as the window's start.
pub fn needs_kept_since(ledger: &Ledger, window: Window, started_at: DateTime<Utc>) -> bool {
    let earlier: Vec<_> = agreeing_from(&proving_reads(ledger, window))
        .filter(|earlier| started_at >= earlier.started_at + READS_APART)
        .collect();
    started_at >= window.end() + PROOF_AFTER
        && !earlier.is_empty()
        && earlier.iter().all(|earlier| may_have_been_dropping(window, earlier))
}

/// State of a window by its rows alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    /// Never read completely.
    Unread,
    /// Read completely, not verified; so many reads found something.
    Doubted { finds: usize },
    /// Two reads agree.
    Verified,
}

fn verdict(ledger: &Ledger, window: Window) -> Verdict {
    if ledger.complete_reads(window).next().is_none() {
        return Verdict::Unread;
    }
    let reads = proving_reads(ledger, window);
    if is_verified(window, &reads) {
        return Verdict::Verified;
    }
    Verdict::Doubted { finds: reads.iter().filter(|read| !is_quiet(read)).count() }
}

/// Whether a read among `reads`, after which none found anything new, agrees with an earlier one.
fn is_verified(window: Window, reads: &[&ReadRow]) -> bool {
    reads.iter().enumerate().any(|(index, read)| {
        let found_new_after = reads[index + 1..].iter().any(|row| row.counts().new > 0);
        is_quiet(read) && !found_new_after && is_proved(window, &reads[..index], read)
    })
}

/// Complete reads of exactly `window` that can prove something, in the order of their numbers.
fn proving_reads(ledger: &Ledger, window: Window) -> Vec<&ReadRow> {
    let mut reads: Vec<_> =
        ledger.complete_reads(window).filter(|row| row.origin.is_some()).collect();
    reads.sort_by_key(|row| row.read);
    reads
}

/// Whether `read`, which found nothing, agrees with one of the `earlier` reads and could have known
/// better.
fn is_proved(window: Window, earlier: &[&ReadRow], read: &ReadRow) -> bool {
    let kept_since = read.origin.as_ref().and_then(|origin| origin.kept_since);
    let is_kept = kept_since.is_some_and(|since| since <= window.start());
    read.started_at >= window.end() + PROOF_AFTER
        && agreeing_from(earlier).any(|earlier| {
            read.started_at >= earlier.started_at + READS_APART
                && (is_kept || !may_have_been_dropping(window, earlier))
        })
}

/// Reads at the end of `reads` with which a next, quiet one agrees: the newest that found
/// something, and the quiet ones since.
fn agreeing_from<'rows>(reads: &[&'rows ReadRow]) -> impl Iterator<Item = &'rows ReadRow> {
    let quiet = reads.iter().rev().take_while(|read| is_quiet(read)).count();
    reads[reads.len().saturating_sub(quiet + 1)..].iter().copied()
}

fn may_have_been_dropping(window: Window, earlier: &ReadRow) -> bool {
    earlier.started_at - window.start() > SURELY_KEPT
}

/// Whether the read found nothing new and nothing missing.
fn is_quiet(read: &ReadRow) -> bool {
    let counts = read.counts();
    counts.new == 0 && counts.missing == 0
}

fn doubt(ledger: &Ledger, window: Window) -> Doubt {
    let reads = proving_reads(ledger, window);
    let Some((newest, earlier)) = reads.split_last() else { return Doubt::FromBefore };
    let counts = newest.counts();
    if earlier.is_empty() {
        Doubt::ReadOnce
    } else if counts.new > 0 {
        Doubt::FoundNew(counts.new)
    } else if counts.missing > 0 {
        Doubt::FoundMissing(counts.missing)
    } else if newest.started_at < window.end() + PROOF_AFTER {
        Doubt::TooEarly
    } else if agreeing_from(earlier)
        .any(|earlier| newest.started_at >= earlier.started_at + READS_APART)
    {
        Doubt::RetentionUnknown
    } else {
        Doubt::TooClose
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Completed, Counts, Origin, ReadResult};
    use super::*;
    use proptest::prelude::*;

    fn day() -> NaiveDate {
        NaiveDate::from_ymd_opt(2026, 11, 20).unwrap()
    }

    fn window() -> Window {
        Window::whole_day(day())
    }

    /// A read: hours after the window's end, new, missing, hours before the window's start since
    /// which Graph is known to keep records.
    type Read = (i64, u64, u64, Option<i64>);

    fn row(read: u32, (hours, new, missing, kept): Read, has_format: bool) -> ReadRow {
        let started_at = window().end() + TimeDelta::hours(hours);
        let mut origin = Origin::new(Some("application"));
        origin.kept_since = kept.map(|hours| window().start() - TimeDelta::hours(hours));
        let counts = Counts { served: 10, new, missing, ..Counts::default() };
        ReadRow {
            window: window(),
            read,
            started_at,
            finished_at: started_at,
            result: ReadResult::Complete(Completed { counts, ..Completed::default() }),
            requests: 1,
            retries: 0,
            origin: has_format.then_some(origin),
        }
    }

    fn ledger_of(reads: &[Read], has_format: bool) -> Ledger {
        let mut ledger = Ledger::default();
        for (read, facts) in (1..).zip(reads) {
            ledger.append(row(read, *facts, has_format)).unwrap();
        }
        ledger
    }

    fn proof_at(days_after: u64) -> Proof {
        let oldest_day = day() - Days::new(30) + Days::new(days_after);
        Proof { history: StreamHistory::default(), oldest_day }
    }

    fn check(reads: &[(i64, u64, u64)], state: State) {
        let reads: Vec<_> =
            reads.iter().map(|&(hours, new, missing)| (hours, new, missing, None)).collect();
        assert_eq!(proof_at(2).state(&ledger_of(&reads, true), window()), state, "{reads:?}");
    }

    #[test]
    fn a_window_is_verified_by_two_reads_that_agree_hours_apart() {
        check(&[], State::Missing);
        check(&[(1, 10, 0)], State::Open);
        check(&[(30, 0, 0)], State::Open); // a first read proves nothing, even of an empty day
        check(&[(1, 10, 0), (23, 0, 0)], State::Open); // too early: records may still arrive
        check(&[(1, 10, 0), (24, 0, 0)], State::Verified);
        check(&[(5, 10, 0), (24, 0, 0)], State::Open); // 19 hours apart
        check(&[(30, 10, 0), (30, 0, 0)], State::Open); // in quick succession
        check(&[(1, 10, 0), (25, 2, 0)], State::Open); // late records
        check(&[(1, 10, 0), (25, 0, 1)], State::Open); // a stored record was not served
        check(&[(1, 10, 0), (25, 2, 0), (49, 0, 0)], State::Verified);
        check(&[(1, 10, 0), (25, 2, 0), (30, 0, 0)], State::Open); // only the first is 20 hours away
        check(&[(1, 10, 0), (30, 0, 0), (31, 0, 0)], State::Verified);
        check(&[(1, 10, 0), (25, 0, 0), (49, 1, 0)], State::Open); // found after verification
        check(&[(1, 10, 0), (25, 0, 0), (49, 0, 3)], State::Verified); // dropped since: proof stays
        check(&[(1, 10, 0), (25, 0, 0), (49, 1, 0), (73, 0, 0)], State::Verified);
    }

    #[test]
    fn seven_reads_that_found_something_are_unstable_and_quiet_ones_do_not_count() {
        let finds: Vec<_> = (0..7).map(|day| (1 + 24 * day, 1, 0)).collect();
        check(&finds[..6], State::Open);
        check(&finds, State::Unstable);
        let quick: Vec<_> =
            [(1, 5, 0)].into_iter().chain((2..12).map(|hour| (hour, 0, 0))).collect();
        check(&quick, State::Open);
    }

    #[test]
    fn a_window_that_graph_may_have_been_dropping_needs_evidence_that_it_was_kept() {
        let state = |first: i64, kept| {
            let reads = [(first, 0, 0, None), (first + 24, 0, 0, kept)];
            proof_at(20).state(&ledger_of(&reads, true), window())
        };
        assert_eq!(state(5 * 24, None), State::Verified); // six days after the window's start
        assert_eq!(state(5 * 24 + 1, None), State::Open);
        assert_eq!(state(5 * 24 + 1, Some(-1)), State::Open); // kept only since after its start
        assert_eq!(state(5 * 24 + 1, Some(0)), State::Verified);
    }

    #[test]
    fn evidence_is_asked_for_only_where_it_can_change_the_verdict() {
        let needs = |reads: &[Read], hours: i64| {
            let now = window().end() + TimeDelta::hours(hours);
            needs_kept_since(&ledger_of(reads, true), window(), now)
        };
        assert!(needs(&[(200, 5, 0, None)], 224));
        assert!(!needs(&[(200, 5, 0, None)], 210)); // too close to prove anything
        assert!(!needs(&[], 224));
        assert!(!needs(&[(1, 5, 0, None)], 25));
        assert!(!needs(&[(1, 5, 0, None)], 300)); // the first read was early enough
    }

    #[test]
    fn rows_from_before_say_what_is_stored_and_prove_nothing() {
        let reads = [(1, 10, 0, None), (25, 0, 0, None)];
        let ledger = ledger_of(&reads, false);
        assert_eq!(proof_at(2).state(&ledger, window()), State::Open);
        assert_eq!(proof_at(2).doubt(&ledger, window()), Some(Doubt::FromBefore));
        assert_eq!(proof_at(31).state(&ledger, window()), State::Expired);
    }

    #[test]
    fn what_ended_before_the_stream_began_is_nobodys_debt() {
        let reads = [(500, 0, 0, None), (524, 0, 0, None)];
        let ledger = ledger_of(&reads, true);
        let proof = |first: i64, verified: Option<i64>| Proof {
            history: StreamHistory {
                first_read: Some(window().end() + TimeDelta::hours(first)),
                oldest_verified: verified.map(|hours| window().start() + TimeDelta::hours(hours)),
            },
            oldest_day: day() + Days::new(5),
        };
        assert_eq!(proof(500, None).state(&ledger, window()), State::Before);
        assert_eq!(proof(500, Some(24)).state(&ledger, window()), State::Before);
        assert_eq!(proof(500, Some(-24)).state(&ledger, window()), State::Expired);
        assert_eq!(proof(-1, None).state(&ledger, window()), State::Expired);
        assert_eq!(proof(500, None).state(&Ledger::default(), window()), State::Expired);
    }

    #[test]
    fn an_open_window_is_due_after_twenty_hours_and_an_unstable_one_after_five_days() {
        let due = |reads: &[(i64, u64, u64)], hours: i64| {
            let reads: Vec<_> =
                reads.iter().map(|&(hours, new, missing)| (hours, new, missing, None)).collect();
            let now = window().end() + TimeDelta::hours(hours);
            proof_at(2).is_due(&ledger_of(&reads, true), window(), Some(TimeDelta::days(5)), now)
        };
        assert!(due(&[], 1));
        assert!(!due(&[(1, 10, 0)], 20));
        assert!(due(&[(1, 10, 0)], 21));
        let finds: Vec<_> = (0..7).map(|day| (1 + 24 * day, 1, 0)).collect();
        assert!(!due(&finds, 145 + 119));
        assert!(due(&finds, 145 + 120));
    }

    #[test]
    fn a_window_that_a_last_look_opens_again_is_owed_since_that_look() {
        let owed = |reads: &[Read]| {
            let since = proof_at(7).owed_since(&ledger_of(reads, true), window());
            since.map(|since| (since - window().end()).num_hours())
        };
        let reads = [(1, 10, 0, None), (25, 0, 0, None), (110, 1, 0, None), (134, 0, 0, None)];
        assert_eq!(owed(&[]), Some(0));
        assert_eq!(owed(&reads[..1]), Some(0));
        assert_eq!(owed(&reads[..2]), None);
        assert_eq!(owed(&reads[..3]), Some(110));
        assert_eq!(owed(&reads), None);
    }

    #[test]
    fn a_verified_window_is_looked_at_once_more_five_days_after_its_end() {
        let due = |reads: &[Read], last_look: i64, hours: i64| {
            let age = (last_look > 0).then(|| TimeDelta::days(last_look));
            let now = window().end() + TimeDelta::hours(hours);
            proof_at(2).is_due(&ledger_of(reads, true), window(), age, now)
        };
        let reads = [(1, 10, 0, None), (25, 0, 0, None), (121, 0, 0, None)];
        assert!(!due(&reads[..2], 5, 119));
        assert!(due(&reads[..2], 5, 120));
        assert!(due(&reads[..2], 5, 400));
        assert!(!due(&reads[..2], 0, 400));
        assert!(!due(&reads, 5, 400));
    }

    /// The definition of `verified` once more, as a sentence over all pairs of reads.
    fn is_verified_by_definition(reads: &[Read]) -> bool {
        let agrees = |&(_, new, missing, _): &Read| new == 0 && missing == 0;
        (0..reads.len()).any(|later| {
            let (hours, _, _, kept) = reads[later];
            agrees(&reads[later])
                && hours >= 24
                && reads[later + 1..].iter().all(|read| read.1 == 0)
                && (0..later).any(|earlier| {
                    hours - reads[earlier].0 >= 20
                        && reads[earlier + 1..later].iter().all(agrees)
                        && (reads[earlier].0 + 24 <= 144 || kept.is_some_and(|kept| kept >= 0))
                })
        })
    }

    proptest! {
        #[test]
        fn the_state_is_what_the_definition_says(
            reads in proptest::collection::vec(
                (0i64..300, prop_oneof![3 => Just(0u64), 1 => 1u64..3], prop_oneof![4 => Just(0u64), 1 => Just(1u64)],
                 proptest::option::of(-30i64..30)),
                0..9,
            ),
        ) {
            let mut reads = reads;
            reads.sort_by_key(|read| read.0);
            reads.dedup_by_key(|read| read.0); // two reads that start at once are one
            let state = proof_at(2).state(&ledger_of(&reads, true), window());
            prop_assert_eq!(state == State::Verified, is_verified_by_definition(&reads));
        }
    }
}

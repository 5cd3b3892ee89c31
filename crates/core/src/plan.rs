//! The windows that a run has to read: a function of the ledger, the archive and the time.

use crate::ledger::{Ledger, Proof, ReadRow, State, StoredObject, StoredTable};
use crate::log::Stream;
use crate::object::{parse_raw_key, raw_key};
use crate::window::{Window, WindowLength, midnight};
use chrono::{DateTime, Days, NaiveDate, TimeDelta, Utc};

/// Days that Graph keeps a log in a tenant without a premium licence.
const KEPT_WITHOUT_PREMIUM: u16 = 7;
/// Days that Graph keeps a log in a tenant with P1 or P2.
const KEPT_WITH_PREMIUM: u16 = 30;

/// Days before the history whose ledgers a run looks at. Runs that failed for longer than this tell
/// of fewer windows that expired; nothing else depends on it.
const LOOK_BACK_DAYS: u64 = 35;

/// A raw object in the archive, as its name says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct RawObject {
    /// The window it belongs to.
    pub window: Window,
    /// The number of the read that stored it.
    pub read: u32,
}

/// A raw object that a ledger has on record.
#[derive(Debug, Clone, Copy)]
pub struct RecordedObject<'ledger> {
    /// The object, as its key says.
    pub object: RawObject,
    /// Key, hash and size.
    pub stored: &'ledger StoredObject,
    /// Table object made of it; `None` where a row from before format 2 does not say what its table
    /// is.
    pub table: Option<&'ledger StoredTable>,
}

/// The raw objects that `ledger`, of `stream`, has on record, by window and read.
pub fn objects_on_record(
    stream: Stream,
    ledger: &Ledger,
) -> impl Iterator<Item = RecordedObject<'_>> {
    let recorded = ledger.reads_with_object().into_iter().filter_map(ReadRow::object);
    recorded.filter_map(move |stored| {
        let object = parse_raw_key(stream, &stored.key)?;
        Some(RecordedObject { object, stored, table: ledger.table_of(&stored.key) })
    })
}

/// All that the archive holds of one stream and day.
#[derive(Debug, Clone)]
pub struct Holdings {
    /// The stream.
    pub stream: Stream,
    /// The UTC day.
    pub day: NaiveDate,
    /// The reads on record.
    pub ledger: Ledger,
    /// The raw objects, whether or not the ledger knows them.
    pub objects: Vec<RawObject>,
}

impl Holdings {
    /// The objects that no complete read names: what a run that died at the wrong moment leaves.
    pub fn objects_without_row(&self) -> Vec<RawObject> {
        let recorded = self.ledger.recorded_keys();
        let is_known =
            |object: &RawObject| recorded.contains(raw_key(self.stream, *object).as_str());
        self.objects.iter().copied().filter(|object| !is_known(object)).collect()
    }

    /// The objects of exactly this window, in the order of their reads: those that are listed, and
    /// those that the ledger names, which may be younger than the listing.
    pub fn objects_of(&self, window: Window) -> Vec<RawObject> {
        let named = self.ledger.complete_reads(window).filter_map(ReadRow::object);
        let named = named.filter_map(|object| parse_raw_key(self.stream, &object.key));
        let named = named.filter(|object| object.window == window);
        let listed = self.objects.iter().copied().filter(|object| object.window == window);
        let mut objects: Vec<_> = listed.chain(named).collect();
        objects.sort_unstable();
        objects.dedup();
        objects
    }

    /// State of `window`. An object proves that it was read, even where the ledger does not say so.
    pub fn state(&self, window: Window, proof: &Proof) -> State {
        match proof.state(&self.ledger, window) {
            State::Missing if !self.objects_of(window).is_empty() => State::Open,
            state => state,
        }
    }

    /// The number of the next read of `window`.
    pub fn next_read(&self, window: Window) -> u32 {
        let stored = self.objects_of(window).into_iter().map(|object| object.read).max();
        self.ledger.next_read(window).max(stored.unwrap_or(0) + 1)
    }

    /// The windows that may not be cut in another way.
    pub fn windows_on_record(&self) -> Vec<Window> {
        let mut windows = self.ledger.windows_on_record();
        windows.extend(self.objects.iter().map(|object| object.window));
        windows.sort_unstable();
        windows.dedup();
        windows
    }
}

/// Part of the log that a run is to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// All that is due.
    Due,
    /// A span, also where it is verified or not settled yet.
    Span {
        /// Its first instant.
        from: DateTime<Utc>,
        /// The first instant after it.
        to: DateTime<Utc>,
        /// Start of the first invocation for it: windows read since then are done.
        asked_at: DateTime<Utc>,
    },
}

/// The settings that shape a plan.
#[derive(Debug, Clone, Copy)]
pub struct PlanSettings {
    /// `HISTORY_DAYS`.
    pub history_days: u16,
    /// `WINDOW_MINUTES`.
    pub window_length: WindowLength,
    /// `SETTLE_MINUTES`.
    pub settle: TimeDelta,
    /// Days back from today that this run looks at, where it is to look at fewer than the history
    /// has.
    pub only_days: Option<u16>,
    /// `LAST_LOOK_DAYS`: age at which a verified window is read once more; `None` for never.
    pub last_look: Option<TimeDelta>,
}

impl PlanSettings {
    /// The oldest day that may be read at `now`. Where `HISTORY_DAYS` is all that Graph keeps, the
    /// first of these days is partly dropped already, and reading it would look like proof.
    pub fn oldest_day(&self, now: DateTime<Utc>) -> NaiveDate {
        let today = now.date_naive();
        let oldest = today - Days::new(u64::from(self.history_days));
        let is_all = [KEPT_WITHOUT_PREMIUM, KEPT_WITH_PREMIUM].contains(&self.history_days);
        if is_all && now > midnight(today) { oldest + Days::new(1) } else { oldest }
    }

    /// Oldest day whose ledger a run looks at, where the history begins with `oldest_day`: windows
    /// that left the history since then are told, and a stream that began later may have `before`
    /// windows.
    pub fn earliest_day(&self, oldest_day: NaiveDate) -> NaiveDate {
        oldest_day - Days::new(LOOK_BACK_DAYS)
    }

    /// The days whose holdings a plan for `scope` needs, oldest first.
    pub fn days(&self, scope: Scope, now: DateTime<Utc>) -> Vec<NaiveDate> {
        let oldest = match self.only_days {
            Some(days) => self.oldest_day(now).max(now.date_naive() - Days::new(days.into())),
            None => self.oldest_day(now),
        };
        let (first, last) = match scope {
            Scope::Due => (oldest, now.date_naive()),
            Scope::Span { from, to, .. } => (
                from.date_naive().max(oldest),
                (to - TimeDelta::nanoseconds(1)).min(now).date_naive(),
            ),
        };
        first.iter_days().take_while(|&day| day <= last).collect()
    }
}

/// A window that a run has to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Planned {
    /// Its stream.
    pub stream: Stream,
    /// The window.
    pub window: Window,
    /// The number that the read will have.
    pub read: u32,
    /// State of the window so far.
    pub state: State,
    /// Whether the window's cut is on record, so that it may not be split.
    pub is_on_record: bool,
}

/// The windows of one stream and day that are due, oldest first.
pub fn plan_day(
    holdings: &Holdings,
    proof: &Proof,
    scope: Scope,
    now: DateTime<Utc>,
    settings: &PlanSettings,
) -> Vec<Planned> {
    let on_record = holdings.windows_on_record();
    let mut windows: Vec<_> = on_record
        .iter()
        .copied()
        .filter(|&window| is_due(holdings, proof, window, scope, now, settings))
        .chain(gaps(holdings.day, &on_record, scope, now, settings))
        .collect();
    windows.sort_unstable_by_key(|window| window.start());
    windows
        .into_iter()
        .map(|window| Planned {
            stream: holdings.stream,
            window,
            read: holdings.next_read(window),
            state: holdings.state(window, proof),
            is_on_record: on_record.contains(&window),
        })
        .collect()
}

/// Whether a window on record is to be read. An object without its row is picked up, not read.
fn is_due(
    holdings: &Holdings,
    proof: &Proof,
    window: Window,
    scope: Scope,
    now: DateTime<Utc>,
    settings: &PlanSettings,
) -> bool {
    let ledger = &holdings.ledger;
    match scope {
        Scope::Due => {
            let is_picked_up = proof.state(ledger, window) != holdings.state(window, proof);
            !is_picked_up
                && window.end() + settings.settle <= now
                && proof.is_due(ledger, window, settings.last_look, now)
        }
        Scope::Span { from, to, asked_at } => {
            let last_read = ledger.complete_reads(window).next_back().map(|row| row.started_at);
            window.start() < to
                && from < window.end()
                && last_read.is_none_or(|read| read < asked_at)
        }
    }
}

/// Windows for the minutes of `day` that are not on record, as long as they may be.
fn gaps(
    day: NaiveDate,
    on_record: &[Window],
    scope: Scope,
    now: DateTime<Utc>,
    settings: &PlanSettings,
) -> Vec<Window> {
    let mut windows = Vec::new();
    for tile in Window::whole_day(day).tiles(settings.window_length) {
        fill(tile, on_record, scope, now, &mut windows);
    }
    if scope == Scope::Due {
        windows.retain(|window| window.end() + settings.settle <= now);
    }
    windows
}

fn fill(
    tile: Window,
    on_record: &[Window],
    scope: Scope,
    now: DateTime<Utc>,
    windows: &mut Vec<Window>,
) {
    let (is_wanted, is_whole) = match scope {
        Scope::Due => (true, true),
        Scope::Span { from, to, .. } => {
            let to = to.min(now);
            (tile.start() < to && from < tile.end(), from <= tile.start() && tile.end() <= to)
        }
    };
    if !is_wanted || on_record.iter().any(|window| window.contains(tile)) {
        return;
    }
    if is_whole && !on_record.iter().any(|window| window.overlaps(tile)) {
        windows.push(tile);
    } else {
        for part in tile.split().into_iter().flatten() {
            fill(part, on_record, scope, now, windows);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::{ReadRow, StreamHistory};
    use crate::log::EventType;
    use proptest::prelude::*;

    const STREAM: Stream = Stream::SignIns(EventType::InteractiveUser);

    fn day() -> NaiveDate {
        NaiveDate::from_ymd_opt(2026, 11, 20).unwrap()
    }

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    fn settings(history_days: u16, minutes: u16) -> PlanSettings {
        let window_length = WindowLength::new(minutes).unwrap();
        PlanSettings {
            history_days,
            window_length,
            settle: TimeDelta::minutes(30),
            last_look: None,
            only_days: None,
        }
    }

    fn plan(
        holdings: &Holdings,
        scope: Scope,
        now: DateTime<Utc>,
        settings: &PlanSettings,
    ) -> Vec<Planned> {
        let history = StreamHistory::of([&holdings.ledger]);
        let proof = Proof { history, oldest_day: settings.oldest_day(now) };
        plan_day(holdings, &proof, scope, now, settings)
    }

    fn complete(window: Window, read: u32, started_at: DateTime<Utc>) -> ReadRow {
        let line = serde_json::json!({
            "window_start": window.start(), "window_end": window.end(), "read": read,
            "started_at": started_at, "finished_at": started_at, "status": "complete",
            "served": 1, "new": 0, "changed": 0, "missing": 0, "key": null, "sha256": null, "bytes": null,
            "requests": 1, "retries": 0, "error": null
        });
        ReadRow::parse(&line.to_string()).unwrap()
    }

    /// Random windows that nest nowhere: some on record by a row, some by an object, the rest
    /// unknown.
    fn any_holdings() -> impl Strategy<Value = Holdings> {
        let choices = proptest::collection::vec(0u8..8, 400);
        choices.prop_map(|choices| {
            let mut choices = choices.into_iter();
            let mut holdings = Holdings {
                stream: STREAM,
                day: day(),
                ledger: Ledger::default(),
                objects: Vec::new(),
            };
            cut(Window::whole_day(day()), &mut choices, &mut holdings);
            holdings
        })
    }

    fn cut(window: Window, choices: &mut impl Iterator<Item = u8>, holdings: &mut Holdings) {
        match choices.next().unwrap_or(0) {
            0 => {}
            1 => holdings.objects.push(RawObject { window, read: 1 }),
            2 => drop(holdings.ledger.append(complete(window, 1, window.end()))),
            _ => window.split().into_iter().flatten().for_each(|part| cut(part, choices, holdings)),
        }
    }

    fn covers_the_day_once(windows: impl Iterator<Item = Window>) -> bool {
        let mut windows: Vec<_> = windows.collect();
        windows.sort_unstable_by_key(|window| window.start());
        let mut covered_to = midnight(day());
        for window in windows {
            if window.start() != covered_to {
                return false;
            }
            covered_to = window.end();
        }
        covered_to == midnight(day().succ_opt().unwrap())
    }

    proptest! {
        #[test]
        fn the_plan_and_the_record_cover_every_minute_exactly_once(
            holdings in any_holdings(), length in 0usize..8, split in any::<bool>(),
        ) {
            let settings = settings(30, WindowLength::MINUTES[length]);
            let planned = plan(&holdings, Scope::Due, at("2026-11-21T01:15:00Z"), &settings);
            let missing = planned.iter().filter(|planned| planned.state == State::Missing).map(|p| p.window);
            let cut_again = missing.flat_map(|window| match window.split() {
                Some(parts) if split => parts.collect(),
                _ => vec![window],
            });
            prop_assert!(covers_the_day_once(cut_again.chain(holdings.windows_on_record())));
        }

        #[test]
        fn a_span_is_read_in_full_and_nothing_else_is_planned(
            holdings in any_holdings(), first in 0i64..288, last in 0i64..288,
        ) {
            let from = midnight(day()) + TimeDelta::minutes(5 * first.min(last));
            let to = midnight(day()) + TimeDelta::minutes(5 * first.max(last) + 5);
            let now = at("2026-11-21T01:15:00Z");
            let planned = plan(&holdings, Scope::Span { from, to, asked_at: now }, now, &settings(30, 1440));
            let mut minute = from;
            while minute < to {
                let of_minute = |p: &&Planned| p.window.start() <= minute && minute < p.window.end();
                prop_assert_eq!(planned.iter().filter(of_minute).count(), 1);
                minute += TimeDelta::minutes(5);
            }
            let touches = |p: &Planned| p.window.start() < to && from < p.window.end();
            prop_assert!(planned.iter().all(touches));
        }
    }

    #[test]
    fn a_day_that_graph_may_already_be_dropping_is_not_read() {
        let check = |history_days, now: &str, oldest: &str| {
            assert_eq!(settings(history_days, 1440).oldest_day(at(now)).to_string(), oldest);
        };
        check(30, "2026-11-23T01:15:00Z", "2026-10-25");
        check(30, "2026-11-23T00:00:00Z", "2026-10-24");
        check(7, "2026-11-23T01:15:00Z", "2026-11-17");
        check(3, "2026-11-23T01:15:00Z", "2026-11-20");
        check(1, "2026-11-23T01:15:00Z", "2026-11-22");
    }

    #[test]
    fn a_window_is_due_when_it_has_settled() {
        let holdings =
            Holdings { stream: STREAM, day: day(), ledger: Ledger::default(), objects: vec![] };
        let check = |minutes, now: &str, count| {
            assert_eq!(
                plan(&holdings, Scope::Due, at(now), &settings(30, minutes)).len(),
                count,
                "{now}"
            );
        };
        check(1440, "2026-11-21T00:29:00Z", 0);
        check(1440, "2026-11-21T00:30:00Z", 1);
        check(60, "2026-11-20T10:29:00Z", 9);
        check(60, "2026-11-20T10:30:00Z", 10);
    }

    #[test]
    fn an_object_without_its_row_is_on_record_and_not_read_again() {
        let window = Window::whole_day(day());
        let objects = vec![RawObject { window, read: 1 }];
        let holdings = Holdings { stream: STREAM, day: day(), ledger: Ledger::default(), objects };
        assert_eq!(
            plan(&holdings, Scope::Due, at("2026-11-22T01:00:00Z"), &settings(30, 60)),
            vec![]
        );
        assert_eq!(holdings.next_read(window), 2);
        assert_eq!(holdings.objects_without_row().len(), 1);
    }

    #[test]
    fn a_span_that_reaches_into_the_future_ends_now() {
        let holdings =
            Holdings { stream: STREAM, day: day(), ledger: Ledger::default(), objects: vec![] };
        let now = at("2026-11-20T14:37:00Z");
        let scope =
            Scope::Span { from: midnight(day()), to: at("2026-11-22T00:00:00Z"), asked_at: now };
        let planned = plan(&holdings, scope, now, &settings(30, 1440));
        assert_eq!(
            planned.last().map(|planned| planned.window.end()),
            Some(at("2026-11-20T14:35:00Z"))
        );
        assert_eq!(settings(30, 1440).days(scope, now), vec![day()]);
    }

    #[test]
    fn a_span_is_not_read_twice_by_the_invocations_that_share_it() {
        let window = Window::whole_day(day());
        let mut ledger = Ledger::default();
        let asked_at = at("2026-11-22T10:00:00Z");
        ledger.append(complete(window, 1, at("2026-11-22T10:05:00Z"))).unwrap();
        let holdings = Holdings { stream: STREAM, day: day(), ledger, objects: vec![] };
        let scope = |asked_at| Scope::Span { from: window.start(), to: window.end(), asked_at };
        let now = at("2026-11-22T10:20:00Z");
        assert_eq!(plan(&holdings, scope(asked_at), now, &settings(30, 1440)).len(), 0);
        assert_eq!(plan(&holdings, scope(now), now, &settings(30, 1440)).len(), 1);
    }
}

//! All record versions and the times at which they appear and vanish.
//!
//! A version takes 32 bytes. Versions are ordered for paging.

mod background;

use std::cmp::Ordering;

use chrono::{DateTime, Utc};

use crate::scenario::Scenario;
use crate::stream::Stream;
use crate::tenant::odd::OddRecord;
use crate::tenant::stories::{self, Planted};
use crate::ticks;

/// Largest distance from its own time at which a repeated record may be served.
const LARGEST_SHIFT_SECONDS: i32 = 900;
/// The origin of records that belong to a story, not to a volume.
const STORY: u16 = u16::MAX;
/// The origin of odd records.
const ODD: u16 = u16::MAX - 1;
const NEVER: u32 = u32::MAX;

/// Role of a version among those under one id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Variant {
    Original,
    /// The content that replaces the original.
    Changed,
    /// The near copy with a risk, served beside the original.
    WithRisk,
    /// The first and second half of a sign-in that was split by policy.
    FirstPolicies,
    LastPolicies,
    /// The original once more.
    Repeat,
}

/// One record version.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Entry {
    pub(crate) time: i64,
    /// Number within its origin: seeds the content.
    pub(crate) number: u32,
    shift_seconds: i32,
    /// Seconds after its time at which it is first and no longer served.
    appears: u32,
    vanishes: u32,
    /// The volume it belongs to, or [`STORY`].
    pub(crate) origin: u16,
    pub(crate) digits: u8,
    pub(crate) variant: Variant,
}

/// A place in the order of a stream: unique, and the same however many records arrive before or
/// after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Position {
    order: i64,
    stream: Stream,
    origin: u16,
    number: u32,
    variant: Variant,
}

/// Index of an entry in its stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Reference {
    pub(crate) stream: Stream,
    pub(crate) index: u32,
}

/// Entries that a reader asks for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Selection<'a> {
    pub(crate) streams: &'a [Stream],
    pub(crate) from: i64,
    pub(crate) to: i64,
    pub(crate) after: Option<Position>,
    pub(crate) descending: bool,
    pub(crate) now: i64,
    /// Older records are no longer kept.
    pub(crate) oldest: i64,
    pub(crate) limit: usize,
}

/// All record versions of a scenario.
#[derive(Debug)]
pub(crate) struct Timeline {
    streams: [Vec<Entry>; Stream::ALL.len()],
    planted: Vec<Planted>,
    odd: Vec<OddRecord>,
    /// The smallest size of a record of each volume.
    sizes: Vec<u32>,
}

impl Timeline {
    pub(crate) fn build(scenario: &Scenario, now: DateTime<Utc>) -> Self {
        let mut streams: [Vec<Entry>; Stream::ALL.len()] = Default::default();
        for (origin, volume) in (0_u16..).zip(&scenario.volume) {
            let entries = &mut streams[usize::from(volume.stream.number())];
            background::fill(entries, volume, origin, scenario.seed, now);
        }
        let planted: Vec<Planted> = scenario
            .story
            .iter()
            .flat_map(|story| stories::plant(*story, scenario.seed, now))
            .collect();
        for (number, record) in (0_u32..).zip(&planted) {
            let entry = Entry {
                appears: record.appears,
                ..Entry::new(record.time, record.digits, STORY, number)
            };
            streams[usize::from(record.stream.number())].push(entry);
        }
        let mut odd = Vec::new();
        for table in &scenario.odd {
            let entries = &mut streams[usize::from(table.stream.number())];
            for record in OddRecord::all(table, now) {
                let number = u32::try_from(odd.len()).unwrap_or(u32::MAX);
                let digits = if record.time == record.filed { 0 } else { 7 };
                entries.push(Entry::new(record.filed, digits, ODD, number));
                if record.time != record.filed {
                    entries.push(Entry::new(record.time, digits, ODD, number));
                }
                odd.push(record);
            }
        }
        for (stream, entries) in Stream::ALL.into_iter().zip(&mut streams) {
            entries.sort_unstable_by_key(|entry| entry.position(stream));
        }
        let sizes = scenario.volume.iter().map(|volume| volume.record_bytes).collect();
        Self { streams, planted, odd, sizes }
    }

    pub(crate) fn entry(&self, reference: Reference) -> &Entry {
        &self.streams[usize::from(reference.stream.number())][reference.index as usize]
    }

    pub(crate) fn position(&self, reference: Reference) -> Position {
        self.entry(reference).position(reference.stream)
    }

    /// The odd record behind an entry.
    pub(crate) fn odd(&self, entry: &Entry) -> Option<&OddRecord> {
        if entry.origin == ODD { self.odd.get(entry.number as usize) } else { None }
    }

    /// The time that a record belongs to; odd ones are found by another one too.
    pub(crate) fn time(&self, reference: Reference) -> i64 {
        let entry = self.entry(reference);
        self.odd(entry).map_or(entry.time, |odd| odd.time)
    }

    /// The smallest size of the record behind an entry.
    pub(crate) fn smallest_size(&self, entry: &Entry) -> usize {
        self.sizes.get(usize::from(entry.origin)).map_or(0, |bytes| *bytes as usize)
    }

    /// The version that a changed one has replaced.
    pub(crate) fn original_of(&self, changed: Reference) -> Option<Reference> {
        let entries = &self.streams[usize::from(changed.stream.number())];
        let entry = self.entry(changed);
        if entry.variant != Variant::Changed {
            return None;
        }
        let original = Entry { variant: Variant::Original, ..*entry }.position(changed.stream);
        let index =
            entries.binary_search_by_key(&original, |entry| entry.position(changed.stream)).ok()?;
        Some(Reference { index: u32::try_from(index).ok()?, ..changed })
    }

    /// The story record behind an entry.
    pub(crate) fn planted(&self, entry: &Entry) -> Option<&Planted> {
        if entry.origin == STORY { self.planted.get(entry.number as usize) } else { None }
    }

    /// The first `limit` entries in the asked order.
    pub(crate) fn select(&self, selection: &Selection<'_>) -> Vec<Reference> {
        let mut found: Vec<Reference> = selection
            .streams
            .iter()
            .flat_map(|stream| self.select_from(*stream, selection))
            .collect();
        if selection.streams.len() > 1 {
            found.sort_unstable_by(|one, other| {
                directed(self.position(*one).cmp(&self.position(*other)), selection.descending)
            });
            found.truncate(selection.limit);
        }
        found
    }

    fn select_from(&self, stream: Stream, selection: &Selection<'_>) -> Vec<Reference> {
        let entries = &self.streams[usize::from(stream.number())];
        let margin = i64::from(LARGEST_SHIFT_SECONDS) * ticks::PER_SECOND;
        let from = selection.from.max(selection.oldest);
        let mut first =
            entries.partition_point(|entry| entry.order() < from.saturating_sub(margin));
        let mut end =
            entries.partition_point(|entry| entry.order() <= selection.to.saturating_add(margin));
        if let Some(after) = selection.after {
            if selection.descending {
                end = end.min(entries.partition_point(|entry| entry.position(stream) < after));
            } else {
                first = first.max(entries.partition_point(|entry| entry.position(stream) <= after));
            }
        }
        let mut found = Vec::new();
        let mut range = first..end.max(first);
        while found.len() < selection.limit {
            let next = if selection.descending { range.next_back() } else { range.next() };
            let Some(index) = next else { break };
            let entry = &entries[index];
            if (from..=selection.to).contains(&entry.time) && entry.is_visible(selection.now) {
                found.push(Reference { stream, index: u32::try_from(index).unwrap_or(u32::MAX) });
            }
        }
        found
    }
}

impl Entry {
    fn new(time: i64, digits: u8, origin: u16, number: u32) -> Self {
        Self {
            time,
            number,
            shift_seconds: 0,
            appears: 0,
            vanishes: NEVER,
            origin,
            digits,
            variant: Variant::Original,
        }
    }

    /// Copies the entry, with another time.
    pub(crate) fn at(&self, time: i64) -> Self {
        Self { time, ..*self }
    }

    fn order(&self) -> i64 {
        self.time + i64::from(self.shift_seconds) * ticks::PER_SECOND
    }

    fn position(&self, stream: Stream) -> Position {
        Position {
            order: self.order(),
            stream,
            origin: self.origin,
            number: self.number,
            variant: self.variant,
        }
    }

    /// When it is first served.
    pub(crate) fn arrival(&self) -> i64 {
        self.time + i64::from(self.appears) * ticks::PER_SECOND
    }

    /// Whether it is served at this moment.
    pub(crate) fn is_visible(&self, now: i64) -> bool {
        self.is_older_than(self.appears, now)
            && (self.vanishes == NEVER || !self.is_older_than(self.vanishes, now))
    }

    fn is_older_than(&self, seconds: u32, now: i64) -> bool {
        now - self.time >= i64::from(seconds) * ticks::PER_SECOND
    }
}

impl Position {
    /// The numbers that tell it apart, for making a skip token.
    pub(crate) fn numbers(&self) -> [u64; 5] {
        [
            self.order.cast_unsigned(),
            u64::from(self.stream.number()),
            u64::from(self.origin),
            u64::from(self.number),
            self.variant as u64,
        ]
    }
}

fn directed(order: Ordering, descending: bool) -> Ordering {
    if descending { order.reverse() } else { order }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn timeline(volume: &str) -> (Timeline, i64) {
        let text = format!("name = 'x'\n[[volume]]\nstream = 'interactiveUser'\n{volume}");
        let now: DateTime<Utc> = "2026-11-23T01:15:00Z".parse().unwrap();
        (Timeline::build(&Scenario::from_toml(&text).unwrap(), now), ticks::from_time(now))
    }

    fn selection(now: i64) -> Selection<'static> {
        Selection {
            streams: &[Stream::InteractiveUser],
            from: i64::MIN,
            to: i64::MAX,
            after: None,
            descending: true,
            now,
            oldest: i64::MIN,
            limit: usize::MAX,
        }
    }

    #[test]
    fn an_entry_takes_at_most_32_bytes() {
        assert!(size_of::<Entry>() <= 32, "{}", size_of::<Entry>());
    }

    #[test]
    fn pages_join_to_the_whole_whatever_their_size() {
        let (timeline, now) = timeline("per_day = 500\nrepeated = 0.1\nrisk_copies = 0.1");
        for descending in [true, false] {
            let whole = timeline.select(&Selection { descending, ..selection(now) });
            let mut joined = Vec::new();
            let mut after = None;
            loop {
                let page =
                    timeline.select(&Selection { descending, after, limit: 7, ..selection(now) });
                let Some(last) = page.last() else { break };
                after = Some(timeline.position(*last));
                joined.extend(page);
            }
            assert_eq!(joined, whole);
            assert!(whole.len() > 500);
        }
    }

    #[test]
    fn late_records_appear_later_and_changed_ones_are_replaced() {
        let (timeline, now) = timeline(
            "per_day = 400\nlate = { share = 0.5, up_to_minutes = 2000 }\nchanged = { share = 0.5, \
             after_minutes = 3000 }",
        );
        let count = |now| timeline.select(&selection(now)).len();
        assert!(count(now) < 400);
        assert_eq!(count(now + 10 * ticks::PER_DAY), 400);
        let variants = |now: i64| {
            timeline
                .select(&selection(now))
                .into_iter()
                .filter(|reference| timeline.entry(*reference).variant == Variant::Changed)
                .count()
        };
        assert_eq!(variants(now), 0);
        assert!((150..250).contains(&variants(now + 10 * ticks::PER_DAY)));
    }

    #[test]
    fn days_hold_records_on_their_very_edges() {
        let (timeline, now) = timeline("per_day = 50");
        let times: Vec<String> = timeline
            .select(&selection(now))
            .into_iter()
            .map(|reference| timeline.entry(reference))
            .map(|entry| ticks::text(entry.time, entry.digits))
            .collect();
        for edge in
            ["2026-11-22T00:00:00Z", "2026-11-22T00:00:00.0000001Z", "2026-11-22T23:59:59.9999999Z"]
        {
            assert!(times.iter().any(|time| time == edge), "{edge}");
        }
    }
}

//! The layout of one chain: its records in the order in which they leave, cut into pages.

use std::ops::Range;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::fault::{ChainBreak, ChainFaultKind};
use crate::scenario::{Boundary, Order, Paging, PartOfChain};
use crate::tenant::timeline::Reference;
use crate::ticks;

/// Stretches into which a changing order cuts a chain.
const STRETCHES: usize = 5;

/// A chain that was laid out when it began.
#[derive(Debug)]
pub(crate) struct Chain {
    /// Tells it from every other chain of the same simulator.
    pub(crate) number: u64,
    pub(crate) raw_links: bool,
    records: Vec<Reference>,
    pages: Vec<Range<usize>>,
    broken: Option<ChainBreak>,
    refused: AtomicU32,
}

/// Properties of a record that decide its place in a chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ChainRecord {
    pub(crate) of: Reference,
    pub(crate) time: i64,
    /// When it appeared.
    pub(crate) arrival: i64,
    /// Its id, where the order asks for it.
    pub(crate) id: String,
    pub(crate) part: Part,
}

/// Part of a chain that a record is bound to, whatever the order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Part {
    /// At the start: an earlier version.
    First,
    #[default]
    Between,
    /// At the end: the later version of a record that stands at the start.
    Last,
}

/// Continuation of a chain after one of its pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Continuation {
    /// The page with this number.
    Page(usize),
    /// Nothing; the flag says whether it should have been something.
    Nothing { too_early: bool },
    /// The link just requested.
    SameLink,
}

impl Continuation {
    /// Whether a page that is followed so carries a next link.
    pub(crate) fn is_link(self) -> bool {
        !matches!(self, Self::Nothing { .. })
    }
}

impl Chain {
    /// Lays out the records of a chain, which come in the usual order.
    pub(crate) fn new(
        number: u64,
        records: Vec<ChainRecord>,
        rule: &Paging,
        top: usize,
        broken: Option<ChainBreak>,
    ) -> Self {
        let mut random = fastrand::Rng::with_seed(number);
        let mut records = ordered(records, rule.order, &mut random);
        records.sort_by_key(|record| record.part);
        let mut pages = cut(&records, rule, top, &mut random);
        if let Some(empty) = rule.empty {
            let place = match empty.at {
                PartOfChain::Start => 0,
                PartOfChain::Middle => pages.len() / 2,
                PartOfChain::End => pages.len(),
            };
            let record = pages.get(place).map_or(records.len(), |page| page.start);
            let none = (0..empty.pages).map(|_| record..record);
            pages.splice(place..place, none);
        }
        let records = records.into_iter().map(|record| record.of).collect();
        let raw_links = rule.raw_links;
        Self { number, raw_links, records, pages, broken, refused: AtomicU32::new(0) }
    }

    /// The records of a page, without those that were served of it before.
    pub(crate) fn page(&self, number: usize, skipped: usize) -> &[Reference] {
        let Some(page) = self.pages.get(number).filter(|_| !self.is_endless_at(number)) else {
            return &[];
        };
        &self.records[(page.start + skipped).min(page.end)..page.end]
    }

    /// Decides the continuation after the page with this number.
    pub(crate) fn follow(&self, number: usize) -> Continuation {
        let is_last = number + 1 >= self.pages.len();
        let at_break = self.broken.filter(|broken| number + 1 == broken.after);
        match at_break.map(|broken| broken.kind) {
            Some(ChainFaultKind::EndsEarly) if !is_last => {
                Continuation::Nothing { too_early: true }
            }
            Some(ChainFaultKind::Repeats) if !is_last => Continuation::SameLink,
            _ if is_last && !self.is_endless_at(number + 1) => {
                Continuation::Nothing { too_early: false }
            }
            _ => Continuation::Page(number + 1),
        }
    }

    /// Whether the chain serves empty pages without end from this page on.
    pub(crate) fn is_endless_at(&self, number: usize) -> bool {
        self.broken
            .is_some_and(|broken| broken.kind == ChainFaultKind::Endless && number >= broken.after)
    }

    /// Whether the request of this page is refused; counts it.
    pub(crate) fn refuses(&self, number: usize) -> bool {
        let Some(broken) = self.broken else { return false };
        broken.kind == ChainFaultKind::Dies
            && number == broken.after
            && broken.times.is_none_or(|times| self.refused.fetch_add(1, Ordering::Relaxed) < times)
    }
}

fn ordered(
    mut records: Vec<ChainRecord>,
    order: Option<Order>,
    random: &mut fastrand::Rng,
) -> Vec<ChainRecord> {
    match order {
        None => {}
        // Stable sorts: records of one time keep the order in which they are on file.
        Some(Order::Newest) => records.sort_by_key(|record| std::cmp::Reverse(record.time)),
        Some(Order::Oldest) => records.sort_by_key(|record| record.time),
        Some(Order::Arrival) => records.sort_by_key(|record| std::cmp::Reverse(record.arrival)),
        Some(Order::Id) => records.sort_by(|one, other| one.id.cmp(&other.id)),
        Some(Order::Random) => random.shuffle(&mut records),
        Some(Order::Changing) => {
            records.sort_by_key(|record| std::cmp::Reverse(record.time));
            let length = records.len().div_ceil(STRETCHES).max(1);
            let mut stretches: Vec<Vec<ChainRecord>> =
                records.chunks(length).map(<[ChainRecord]>::to_vec).collect();
            random.shuffle(&mut stretches);
            // The first stretch is newest first, the second is not, so that the order does change.
            for stretch in stretches.iter_mut().skip(1).step_by(2) {
                stretch.reverse();
            }
            records = stretches.concat();
        }
    }
    records
}

/// Cuts the records into pages; a chain without records is one empty page.
fn cut(
    records: &[ChainRecord],
    rule: &Paging,
    top: usize,
    random: &mut fastrand::Rng,
) -> Vec<Range<usize>> {
    let mut pages = Vec::new();
    let mut start = 0;
    while start < records.len() {
        let size = random.choice(&rule.sizes).copied().unwrap_or(top).min(top);
        let full = &records[start..(start + size).min(records.len())];
        let end = start + length(full, records.get(start + full.len()), rule.boundary);
        pages.push(start..end);
        start = end;
    }
    if pages.is_empty() {
        pages.push(0..0);
    }
    pages
}

/// Number of the records that stay in a page, at least one.
fn length(full: &[ChainRecord], next: Option<&ChainRecord>, boundary: Boundary) -> usize {
    match boundary {
        Boundary::Anywhere => full.len(),
        Boundary::Hour => first_change(full, 3600 * ticks::PER_SECOND),
        Boundary::EqualTimes => first_change(full, 1),
        Boundary::Second => {
            let all: Vec<i64> = full
                .iter()
                .chain(next)
                .map(|record| record.time.div_euclid(ticks::PER_SECOND))
                .collect();
            let last_change = (1..all.len()).rev().find(|index| all[*index] != all[*index - 1]);
            if next.is_none() { full.len() } else { last_change.unwrap_or(full.len()) }
        }
    }
}

/// Number of the records before the first one of another unit of time, which is so many ticks long.
fn first_change(full: &[ChainRecord], unit: i64) -> usize {
    let first = full[0].time.div_euclid(unit);
    full.iter().position(|record| record.time.div_euclid(unit) != first).unwrap_or(full.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::EmptyPages;
    use crate::stream::Stream;

    /// Records two to a second, newest first, every tenth of which arrived an hour late.
    fn records(count: u32) -> Vec<ChainRecord> {
        let record = |index: u32| {
            let time = i64::from(count - index) / 2 * ticks::PER_SECOND;
            let delay = if index.is_multiple_of(10) { 3600 * ticks::PER_SECOND } else { 0 };
            let of = Reference { stream: Stream::InteractiveUser, index };
            let id = (index * 7 % 11).to_string();
            ChainRecord { of, time, arrival: time + delay, id, part: Part::Between }
        };
        (0..count).map(record).collect()
    }

    fn rule(text: &str) -> Paging {
        toml::from_str(text).unwrap()
    }

    fn followed(chain: &Chain) -> (Vec<usize>, Vec<u32>) {
        let mut sizes = Vec::new();
        let mut served = Vec::new();
        let mut number = 0;
        loop {
            let page = chain.page(number, 0);
            sizes.push(page.len());
            served.extend(page.iter().map(|of| of.index));
            match chain.follow(number) {
                Continuation::Page(next) if next < 500 => number = next,
                _ => return (sizes, served),
            }
        }
    }

    #[test]
    fn every_layout_serves_each_record_once() {
        for order in ["newest", "oldest", "arrival", "id", "random", "changing"] {
            for boundary in ["anywhere", "second", "hour", "equal_times"] {
                for at in ["start", "middle", "end"] {
                    let text = format!(
                        "order = '{order}'\nboundary = '{boundary}'\nsizes = [1, 3, 20]\n\
                         empty = {{ pages = 3, at = '{at}' }}"
                    );
                    for number in 0..5 {
                        let chain = Chain::new(number, records(101), &rule(&text), 10, None);
                        let (sizes, mut served) = followed(&chain);
                        served.sort_unstable();
                        assert_eq!(served, (0..101).collect::<Vec<u32>>(), "{text}");
                        assert!(sizes.iter().all(|size| *size <= 10), "{text}");
                        assert_eq!(sizes.iter().filter(|size| **size == 0).count(), 3, "{text}");
                    }
                }
            }
        }
    }

    #[test]
    fn a_changing_order_changes_inside_the_chain_and_repeats_with_its_number() {
        let served = |number| {
            followed(&Chain::new(number, records(100), &rule("order = 'changing'"), 10, None)).1
        };
        assert_eq!(served(3), served(3));
        assert!((0..5).any(|number| served(number) != served(3)));
        for number in 0..5 {
            let rises = served(number).windows(2).filter(|pair| pair[0] < pair[1]).count();
            assert!((20..80).contains(&rises), "{rises} of 99 steps go back in time");
        }
    }

    #[test]
    fn arrival_is_not_the_order_of_time() {
        let (_, served) =
            followed(&Chain::new(1, records(100), &rule("order = 'arrival'"), 10, None));
        assert!(served[..10].iter().all(|index| index.is_multiple_of(10)), "{served:?}");
    }

    #[test]
    fn pages_end_where_they_may() {
        let sizes = |boundary: &str, top: usize| {
            let rule = rule(&format!("order = 'newest'\nboundary = '{boundary}'"));
            followed(&Chain::new(1, records(9), &rule, top, None)).0
        };
        assert_eq!(sizes("anywhere", 3), [3, 3, 3]);
        assert_eq!(sizes("second", 3), [2, 2, 2, 3]);
        assert_eq!(sizes("equal_times", 3), [2, 2, 2, 2, 1]);
        assert_eq!(sizes("hour", 3), [3, 3, 3]);
        assert_eq!(sizes("second", 1), [1; 9]);
    }

    #[test]
    fn empty_pages_stand_where_they_should() {
        for (at, expected) in [
            (PartOfChain::Start, [0, 0, 2, 2]),
            (PartOfChain::Middle, [2, 0, 0, 2]),
            (PartOfChain::End, [2, 2, 0, 0]),
        ] {
            let rule = Paging { empty: Some(EmptyPages { pages: 2, at }), ..Paging::default() };
            assert_eq!(followed(&Chain::new(1, records(4), &rule, 2, None)).0, expected);
        }
    }

    #[test]
    fn broken_chains_break_after_their_page() {
        let broken = |kind, times| {
            let broken = ChainBreak { kind, after: 2, times };
            Chain::new(1, records(40), &Paging::default(), 10, Some(broken))
        };
        let early = broken(ChainFaultKind::EndsEarly, None);
        assert_eq!(followed(&early).0, [10, 10]);
        assert_eq!(early.follow(1), Continuation::Nothing { too_early: true });
        assert_eq!(broken(ChainFaultKind::Repeats, None).follow(1), Continuation::SameLink);
        let (sizes, served) = followed(&broken(ChainFaultKind::Endless, None));
        assert_eq!((sizes.len(), served.len()), (500, 20));
        let dead = broken(ChainFaultKind::Dies, None);
        assert!(!dead.refuses(1) && dead.refuses(2) && dead.refuses(2) && !dead.refuses(3));
        let once = broken(ChainFaultKind::Dies, Some(1));
        assert!(once.refuses(2) && !once.refuses(2));
    }
}

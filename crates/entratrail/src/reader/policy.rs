//! The reading of a window, decided: pages and failures come in, the next requests come out.
//!
//! Nothing is left out, whatever Graph does, and this file shows why. A window is a set of spans
//! that make it up. A chain asks for one span: its first link, then Graph's own next links until a
//! page has none. Only then is the span done. A chain that ends in any other way is replaced by
//! chains that make up its whole span ([`Reading::replace`], [`Reading::slice`]). Order and
//! density, as pages show them, decide into how many spans a window is cut, and nothing else.

use crate::error::Error;
use crate::graph::NoPage;
use crate::graph::query::{FULL_PAGE, Span};
use crate::window::{Window, WindowLength};
use chrono::{DateTime, SubsecRound as _, Utc};
use std::collections::HashSet;
use std::hash::BuildHasher as _;
use std::ops::RangeInclusive;

/// Records, as a multiple of the target, above which a window is split. A shorter window costs an
/// object, a table and a row for good, so a little too much is read in one go.
const TOO_MUCH: u64 = 3;
/// Limit for what was served so far, which is certain, but mostly read already.
const FAR_TOO_MUCH: u64 = 4;

/// Full pages ahead from which on a window is read as several chains. One chain is as slow as Graph
/// answers: at four seconds a page, four chains are needed to use up Graph's limit.
const WORTH_SLICES: u64 = 4;
/// Slices of a window that is read alone. A first page may lie at the edge of a night, where ten
/// times fewer records are than at noon: then fewer slices leave one chain too long. Each slice
/// costs half a page.
const SLICES: RangeInclusive<u64> = 5..=8;
/// Full pages that no night promises, and the slices that are enough then.
const BY_DAY: u64 = 24;
const SLICES_BY_DAY: u64 = 6;
/// [`WORTH_SLICES`] and [`SLICES`] where other requests wait, which use up the limit as well: then
/// every half page counts.
const WORTH_SLICES_IF_BUSY: u64 = 8;
const SLICES_IF_BUSY: u64 = 4;
/// Slices of a window in no order: a page is a sample of all of it, so that equal parts are known.
const SLICES_BY_SAMPLE: usize = 4;
/// Timed records from which on something is concluded from a page.
const SAMPLE: usize = 20;

/// Chains that may be under way once one broke: halves of halves would otherwise all begin at once.
const UNDER_WAY_AFTER_BREAK: usize = 2;
/// Pages after which a chain counts as endless.
const MOST_PAGES: u32 = 10_000;
/// Pages in a row that bring nothing the read has not brought, after which a chain counts as
/// endless. Graph may serve many empty pages before it comes to the records of a sparse stream.
/// Records that an earlier chain brought do not count.
const MOST_FRUITLESS_PAGES: u32 = 250;
/// Factor by which there may be more in a span that cannot be halved.
const LAST_PATIENCE: u32 = 4;
/// Divisor of the number of records on a page where a page is too large.
const SMALLER_PAGES: u16 = 10;

/// Records of a chain below which nothing is concluded from those outside its span.
const FEW_RECORDS: u64 = 10;
/// Records outside the span that are enough to conclude before the end of the chain.
const MANY_OUTSIDE: u64 = 2000;

/// A chain of pages to follow.
#[derive(Debug)]
pub(super) struct Chain {
    /// Span that it asks for.
    pub(super) span: Span,
    /// Records on a page at most.
    pub(super) top: u16,
    /// Link that Graph gave last; `None` before the first page.
    pub(super) next_link: Option<String>,
    /// About how many records follow, where they are as dense as on the last page; `None` before
    /// the first page.
    pub(super) ahead: Option<u64>,
    role: Role,
    pages: u32,
    /// Pages that chains before this one had in its span: as many may bring nothing.
    known_pages: u32,
    fruitless: u32,
    /// Hashes of the links so far.
    links: HashSet<u64>,
    records: u64,
    outside: u64,
    /// Seconds of the span that the pages so far covered, where they have an order.
    covered: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    /// The only chain of a window of which nothing is known: its pages decide how to go on.
    Probe,
    /// One of the chains that make up a window: its first page is a sample.
    Slice,
    /// A chain in the place of one that broke. `refused`: Graph refused a next link of the same
    /// span before.
    Again { refused: bool },
}

/// Facts that the reader saw of a page.
#[derive(Debug)]
pub(super) struct PageFacts {
    /// Times of the records, where readable, in the order of the page.
    pub(super) times: Vec<DateTime<Utc>>,
    /// Versions that this read had not been served before.
    pub(super) gained: u64,
    /// Link of the next page; `None` on the last one.
    pub(super) next_link: Option<String>,
    /// Whether other requests wait or are in flight.
    pub(super) is_busy: bool,
}

/// Shorter windows to read in place of one that holds too much.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Split {
    /// Their length.
    pub into: WindowLength,
    /// About how many records each has.
    pub records_each: u64,
}

/// Reason for which the reading of a window ends before its last page.
#[derive(Debug)]
pub(super) enum Ending {
    /// Replaced by shorter windows, because it holds too much.
    Split(Split),
    /// Failed, because it cannot be read.
    Failed(Error),
}

/// A window that is being read.
#[derive(Debug)]
pub(super) struct Reading {
    window: Window,
    may_split: bool,
    target: u64,
    /// Chains whose next link is to be asked for.
    continued: Vec<Chain>,
    /// Chains that were not begun.
    pending: Vec<Chain>,
    under_way: usize,
    has_broken: bool,
    served: u64,
    /// Full pages that are expected, where the window is read in slices.
    pages: Option<u64>,
    samples: Samples,
}

/// First pages of slices.
#[derive(Debug, Default)]
struct Samples {
    records: u64,
    seconds: u64,
}

impl Reading {
    /// A window of which `estimate` records are expected, where that is known.
    pub(super) fn new(
        window: Window,
        target: u64,
        may_split: bool,
        estimate: Option<u64>,
        is_busy: bool,
    ) -> Self {
        let span = Span { start: window.start(), end: window.end() };
        let mut reading = Self {
            window,
            may_split: may_split && window.length().shorter().is_some(),
            target,
            continued: Vec::new(),
            pending: vec![Chain::new(span, FULL_PAGE, Role::Probe)],
            under_way: 0,
            has_broken: false,
            served: 0,
            pages: None,
            samples: Samples::default(),
        };
        let pages = estimate.unwrap_or_default() / u64::from(FULL_PAGE);
        if let Some(spans) = slices(span, pages, 0, is_busy) {
            reading.pending.clear();
            reading.slice(spans, pages);
        }
        reading
    }

    /// The next chain of which a page is to be asked for, if there is one now.
    pub(super) fn next(&mut self) -> Option<Chain> {
        if let Some(chain) = self.continued.pop() {
            return Some(chain);
        }
        if self.has_broken && self.under_way >= UNDER_WAY_AFTER_BREAK {
            return None;
        }
        let chain = self.pending.pop()?;
        self.under_way += 1;
        Some(chain)
    }

    /// Full pages that the slices are expected to have; `None` where the window is read in one
    /// chain, which needs no room of its own.
    pub(super) fn pages(&self) -> Option<u64> {
        self.pages
    }

    /// About how many records the window holds, once half of it was sampled: enough to give back
    /// room.
    pub(super) fn sampled(&self) -> Option<u64> {
        self.sampled_in(2)
    }

    /// Estimates once so many times the sampled part make up the window.
    fn sampled_in(&self, share: u64) -> Option<u64> {
        let Samples { records, seconds } = self.samples;
        let window = u64::from(self.window.length().minutes()) * 60;
        (seconds * share >= window).then(|| records * window / seconds.max(1))
    }

    /// Goes on after a page of `chain`.
    pub(super) fn after_page(&mut self, mut chain: Chain, page: &PageFacts) -> Result<(), Ending> {
        self.served += page.gained;
        chain.add(page).map_err(Ending::Failed)?;
        self.samples.add(&chain, page);
        let Some(link) = page.next_link.clone() else {
            self.under_way -= 1;
            return Ok(());
        };
        if let Some(split) = self.split(&chain) {
            return Err(Ending::Split(split));
        }
        if let Some((spans, pages)) = chain.cuts(page) {
            self.under_way -= 1;
            self.slice(spans, pages);
            return Ok(());
        }
        match chain.advance(link, page.gained) {
            Ok(()) => {
                self.continued.push(chain);
                Ok(())
            }
            Err(endless) => self.replace(&chain, NoPage::Unreadable(endless)),
        }
    }

    /// Has the whole span of `chain`, which broke, asked for again: as it was, in halves, or in
    /// smaller pages. Fails where nothing smaller can be asked for.
    pub(super) fn replace(&mut self, chain: &Chain, broken: NoPage) -> Result<(), Ending> {
        let smaller = Some(chain.top / SMALLER_PAGES).filter(|&top| top > 0);
        let smaller = smaller.map(|top| vec![chain.again(chain.span, top, false)]);
        let (instead, error) = match broken {
            NoPage::Failed(error) => (None, error),
            NoPage::TooLarge(error) => (smaller, error),
            NoPage::LinkRefused(error) if chain.role != (Role::Again { refused: true }) => {
                (Some(vec![chain.again(chain.span, chain.top, true)]), error)
            }
            NoPage::LinkRefused(error) | NoPage::Unreadable(error) => {
                let halves = chain.span.halves().into_iter();
                let halves = halves.map(|halves| {
                    halves.into_iter().map(|half| chain.again(half, chain.top, false)).collect()
                });
                (halves.chain(smaller).next(), error)
            }
        };
        self.under_way -= 1;
        self.has_broken = true;
        self.pending.extend(instead.ok_or(Ending::Failed(error))?);
        Ok(())
    }

    /// Reads the window, of which no chain is left, as `spans`, which make it up.
    fn slice(&mut self, spans: Vec<Span>, pages: u64) {
        self.pages = Some(pages);
        self.pending.extend(spans.into_iter().map(|span| Chain::new(span, FULL_PAGE, Role::Slice)));
    }

    /// The longest windows that hold no more than the target each, where this one may be split and
    /// holds too much.
    fn split(&self, chain: &Chain) -> Option<Split> {
        let promised = (chain.role == Role::Probe).then(|| chain.expected());
        // All of it: the busy half alone would split a day that is not too large.
        let expected =
            self.sampled_in(1).or(promised).filter(|&records| records > TOO_MUCH * self.target);
        let served = Some(self.served * 2).filter(|_| self.served > FAR_TOO_MUCH * self.target);
        let expected = expected.max(served).filter(|_| self.may_split)?;
        let minutes = u64::from(self.window.length().minutes());
        let share = |length: WindowLength| expected * u64::from(length.minutes()) / minutes;
        let mut into = self.window.length().shorter()?;
        while let Some(shorter) = into.shorter().filter(|_| share(into) > self.target) {
            into = shorter;
        }
        Some(Split { into, records_each: share(into) })
    }
}

impl Samples {
    /// Adds the first page of a slice, unless it has no order and so does not tell what follows.
    fn add(&mut self, chain: &Chain, page: &PageFacts) {
        let follows = page.next_link.is_some();
        if chain.role == Role::Slice
            && chain.pages == 1
            && !(follows && is_sample(chain.span, &page.times))
        {
            self.records += if follows { chain.expected() } else { chain.records };
            self.seconds += chain.span.seconds();
        }
    }
}

impl Chain {
    fn new(span: Span, top: u16, role: Role) -> Self {
        Self {
            span,
            top,
            next_link: None,
            ahead: None,
            role,
            pages: 0,
            known_pages: 0,
            fruitless: 0,
            links: HashSet::new(),
            records: 0,
            outside: 0,
            covered: 0,
        }
    }

    /// A chain that asks for `span`, all of this one or a part, once more.
    fn again(&self, span: Span, top: u16, refused: bool) -> Self {
        Self {
            known_pages: self.known_pages + self.pages,
            ..Self::new(span, top, Role::Again { refused })
        }
    }

    /// Counts a page. Fails where most records are outside the span: then Graph ignored the filter,
    /// and nothing it serves is of the window. A few are left to the windows that own them.
    fn add(&mut self, page: &PageFacts) -> Result<(), Error> {
        self.pages += 1;
        self.records += page.times.len() as u64;
        self.outside += page
            .times
            .iter()
            .filter(|time| **time < self.span.start || **time > self.span.end)
            .count() as u64;
        let seconds = spread(&page.times);
        self.covered += seconds.unwrap_or_default();
        let left = self.span.seconds().saturating_sub(self.covered);
        self.ahead = Some(seconds.map_or(0, |seconds| page.times.len() as u64 * left / seconds));
        let is_end = page.next_link.is_none();
        let is_enough =
            if is_end { self.records >= FEW_RECORDS } else { self.outside >= MANY_OUTSIDE };
        if !is_enough || self.outside * 2 <= self.records {
            return Ok(());
        }
        Err(Error::graph(format!(
            "Graph ignored the filter: {} of {} records lie outside the asked span; nothing of the \
             window was stored; the next run tries again",
            self.outside, self.records
        )))
    }

    /// About how many records its span holds, where it is as dense as the pages so far.
    fn expected(&self) -> u64 {
        let seconds = self.span.seconds().max(self.covered);
        self.records * seconds / if self.covered > 0 { self.covered } else { seconds }.max(1)
    }

    /// The spans to read in place of a probe that promises many pages, and how many pages. Those
    /// that it followed are asked for again, so it has to promise more the longer it is. A sample
    /// does not tell how many follow.
    fn cuts(&self, page: &PageFacts) -> Option<(Vec<Span>, u64)> {
        if self.role != Role::Probe {
            return None;
        }
        let by_sample = if self.pages == 1 { cuts_by_sample(self.span, &page.times) } else { None };
        let ahead = self.ahead.unwrap_or_default();
        let followed = u64::from(self.pages);
        let pages = ahead * followed / self.records.max(1);
        let room = ahead / u64::from(FULL_PAGE);
        by_sample.map(|spans| (spans, u64::MAX)).or_else(|| {
            slices(self.span, pages, followed - 1, page.is_busy).map(|spans| (spans, room))
        })
    }

    /// Moves on to `link` after a page that brought so many new versions.
    fn advance(&mut self, link: String, gained: u64) -> Result<(), Error> {
        self.fruitless = if gained > 0 { 0 } else { self.fruitless + 1 };
        let patience = if self.span.halves().is_some() { 1 } else { LAST_PATIENCE };
        let most_fruitless = patience * MOST_FRUITLESS_PAGES + self.known_pages;
        let endless = if !self.links.insert(self.links.hasher().hash_one(&link)) {
            "gave a next link for the second time"
        } else if self.pages >= MOST_PAGES || self.fruitless >= most_fruitless {
            "gave page after page without anything new"
        } else {
            self.next_link = Some(link);
            return Ok(());
        };
        Err(Error::graph(format!(
            "Graph {endless} (page {} of a chain), even for the shortest span, so that the end of \
             the window cannot be reached; nothing of the window was stored; the next run tries \
             again",
            self.pages
        )))
    }
}

/// Parts of `span` to read side by side, where it promises more pages than `followed` and than are
/// worth it.
fn slices(span: Span, pages: u64, followed: u64, is_busy: bool) -> Option<Vec<Span>> {
    let (worth, count) = match pages {
        _ if is_busy => (WORTH_SLICES_IF_BUSY, SLICES_IF_BUSY),
        BY_DAY.. => (WORTH_SLICES, SLICES_BY_DAY),
        _ => (WORTH_SLICES, pages.clamp(*SLICES.start(), *SLICES.end())),
    };
    (pages >= worth + followed).then(|| span.slices(u32::try_from(count).unwrap_or(1)))
}

/// Twice the seconds between the quartiles of `times`: what a page covers, whatever a few late
/// records say. `None` where there are too few, or too many at the same time, to conclude.
fn spread(times: &[DateTime<Utc>]) -> Option<u64> {
    if times.len() < SAMPLE {
        return None;
    }
    let seconds = between(times, 25, 75) * 2;
    Some(seconds).filter(|&seconds| seconds > 0)
}

/// Whether a page whose records have these `times` is a sample of all of `span`: they have no
/// order, and nearly all of them cover half of it.
fn is_sample(span: Span, times: &[DateTime<Utc>]) -> bool {
    times.len() >= SAMPLE
        && !times.is_sorted()
        && !times.iter().rev().is_sorted()
        && between(times, 1, 99) * 2 >= span.seconds()
}

/// Seconds between two percentiles of `times`, which are not empty.
fn between(times: &[DateTime<Utc>], low: usize, high: usize) -> u64 {
    Span { start: percentile(times, low), end: percentile(times, high) }.seconds()
}

fn percentile(times: &[DateTime<Utc>], percent: usize) -> DateTime<Utc> {
    let mut times = times.to_vec();
    let rank = (times.len() - 1) * percent / 100;
    *times.select_nth_unstable(rank).1
}

/// Parts of `span` with as many records each, where `times` are a sample of it.
fn cuts_by_sample(span: Span, times: &[DateTime<Utc>]) -> Option<Vec<Span>> {
    if !is_sample(span, times) {
        return None;
    }
    let mut sorted = times.to_vec();
    sorted.sort_unstable();
    let mut spans = vec![span];
    for part in 1..SLICES_BY_SAMPLE {
        let cut = sorted[sorted.len() * part / SLICES_BY_SAMPLE].trunc_subsecs(0);
        if let Some(last) = spans.last_mut().filter(|last| last.start < cut && cut < last.end) {
            let rest = Span { start: cut, end: last.end };
            last.end = cut;
            spans.push(rest);
        }
    }
    Some(spans)
}

#[cfg(test)]
mod tests;

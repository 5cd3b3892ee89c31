//! Chains of pages: the spans that a window is read in, and what takes the place of one that broke.
//!
//! A window is a set of spans that make it up. A chain asks for one span and is followed by Graph's own
//! next links to its end; only then does the span count. A chain that breaks has its whole span asked for
//! again, as one chain or as several that make it up. So nothing is left out, in whatever order records come.

use crate::error::Error;
use crate::graph::NoPage;
use crate::graph::query::{FULL_PAGE, Span};
use crate::record::Version;
use std::collections::HashSet;

/// Pages that one chain is expected to have before a window is read as several chains at once.
const PAGES_A_CHAIN: u64 = 8;
/// Chains that one window is read as at most. Each costs about half a page.
const MOST_CHAINS: u64 = 9;
/// Pages after which a chain counts as endless.
const MOST_PAGES: u32 = 10_000;
/// Pages in a row that bring nothing this chain has not brought, after which it counts as endless. Graph may
/// serve many empty pages before it comes to the records of a sparse stream.
const MOST_FRUITLESS_PAGES: u32 = 250;
/// What the number of records on a page is divided by where a page is too large.
const SMALLER_PAGES: u16 = 10;

/// A chain of pages to follow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Chain {
    pub(super) span: Span,
    /// Records on a page at most.
    pub(super) top: u16,
    /// What its first page is used for.
    pub(super) role: Role,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// The first chain of a window of which nothing is known: its first page decides how to go on.
    Probe,
    /// One of the chains that make up a window: its first page is a sample.
    Slice,
    /// A chain that takes the place of one that broke, or of a part of it.
    Again,
    /// The same after Graph refused a next link: the same span is tried only once more.
    SecondTry,
}

/// Reason for which a chain cannot go on.
#[derive(Debug)]
pub(super) enum Break {
    /// There is no next page.
    NoPage(NoPage),
    /// The next links lead nowhere.
    Endless(Error),
}

/// The chain of a window of which nothing is known.
pub(super) fn probe(span: Span) -> Chain {
    Chain { span, top: FULL_PAGE, role: Role::Probe }
}

/// Whether a window of so many records is read as several chains.
pub(super) fn needs_several(records: u64) -> bool {
    count(records) > 1
}

/// One chain for few records, several at once for many: a chain is as slow as Graph answers, whatever the limit
/// allows.
pub(super) fn slices(span: Span, records: u64) -> Vec<Chain> {
    let spans = span.slices(count(records)).into_iter();
    spans.map(|span| Chain { span, top: FULL_PAGE, role: Role::Slice }).collect()
}

fn count(records: u64) -> u32 {
    let chains = (records / u64::from(FULL_PAGE) / PAGES_A_CHAIN).clamp(1, MOST_CHAINS);
    u32::try_from(chains).unwrap_or(1)
}

/// The chains that take the place of `chain`, which broke; together they make up its span. An error where
/// nothing smaller can be asked for.
pub(super) fn instead_of(chain: Chain, broken: Break) -> Result<Vec<Chain>, Error> {
    match broken {
        Break::NoPage(NoPage::Failed(error)) => Err(error),
        Break::NoPage(NoPage::TooLarge(error)) => smaller_pages(chain).ok_or(error),
        Break::NoPage(NoPage::LinkRefused(_)) if chain.role != Role::SecondTry => {
            Ok(vec![Chain { role: Role::SecondTry, ..chain }])
        }
        Break::NoPage(NoPage::LinkRefused(error) | NoPage::Unreadable(error)) | Break::Endless(error) => {
            halves(chain).or_else(|| smaller_pages(chain)).ok_or(error)
        }
    }
}

fn halves(chain: Chain) -> Option<Vec<Chain>> {
    let halves = chain.span.halves()?.into_iter();
    Some(halves.map(|span| Chain { span, role: Role::Again, ..chain }).collect())
}

fn smaller_pages(chain: Chain) -> Option<Vec<Chain>> {
    let top = chain.top / SMALLER_PAGES;
    (top > 0).then(|| vec![Chain { top, role: Role::Again, ..chain }])
}

/// The links of a chain so far.
pub(super) struct Links {
    pub(super) current: String,
    seen: HashSet<String>,
    /// First record of each page, by which pages that come again are known.
    first_records: HashSet<Version>,
    pub(super) pages: u32,
    fruitless: u32,
}

impl Links {
    pub(super) fn starting_with(link: String) -> Self {
        Self { current: link, seen: HashSet::new(), first_records: HashSet::new(), pages: 0, fruitless: 0 }
    }

    /// Moves on to `link` after a page whose first record was `first`.
    pub(super) fn advance(&mut self, link: &str, first: Option<Version>) -> Result<(), Error> {
        let last = std::mem::replace(&mut self.current, link.to_owned());
        self.seen.insert(last);
        self.pages += 1;
        let brings_new = first.is_some_and(|first| self.first_records.insert(first));
        self.fruitless = if brings_new { 0 } else { self.fruitless + 1 };
        let endless = if self.seen.contains(link) {
            "gave a next link for the second time"
        } else if self.pages >= MOST_PAGES || self.fruitless >= MOST_FRUITLESS_PAGES {
            "gave page after page without anything new"
        } else {
            return Ok(());
        };
        Err(Error::Graph(format!(
            "Graph {endless} (page {} of a chain), even for the shortest span, so that the end of the \
             window cannot be reached; nothing of the window was stored; the next run tries again",
            self.pages
        )))
    }
}

/// Records of a chain that lie outside the span it asked for.
#[derive(Debug, Default)]
pub(super) struct Outside {
    records: u64,
    outside: u64,
}

/// Records of a chain below which nothing is concluded from those outside.
const FEW_RECORDS: u64 = 10;
/// Records outside that are enough to conclude before the end of the chain.
const MANY_OUTSIDE: u64 = 2000;

impl Outside {
    pub(super) fn add(&mut self, is_outside: bool) {
        self.records += 1;
        self.outside += u64::from(is_outside);
    }

    /// Fails where most records are outside: then Graph ignored the filter, and nothing it serves is of the
    /// window. A few are left to the windows that own them.
    pub(super) fn check(&self, is_end: bool) -> Result<(), Error> {
        let is_enough = if is_end { self.records >= FEW_RECORDS } else { self.outside >= MANY_OUTSIDE };
        if !is_enough || self.outside * 2 <= self.records {
            return Ok(());
        }
        Err(Error::Graph(format!(
            "Graph ignored the filter: {} of {} records lie outside the asked span; nothing of the window \
             was stored; the next run tries again",
            self.outside, self.records
        )))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn day() -> Span {
        Span { start: "2026-11-22T00:00:00Z".parse().unwrap(), end: "2026-11-23T00:00:00Z".parse().unwrap() }
    }

    fn error() -> Error {
        Error::Graph("no".to_owned())
    }

    fn broken(kind: u8) -> Break {
        match kind {
            0 => Break::NoPage(NoPage::LinkRefused(error())),
            1 => Break::NoPage(NoPage::Unreadable(error())),
            2 => Break::NoPage(NoPage::TooLarge(error())),
            _ => Break::Endless(error()),
        }
    }

    #[test]
    fn only_many_pages_are_worth_several_chains() {
        let counts = [0, 15_999, 16_000, 40_000, 5_000_000].map(|records| slices(day(), records).len());
        assert_eq!(counts, [1, 1, 2, 5, 9]);
    }

    proptest! {
        #[test]
        fn whatever_breaks_the_spans_still_make_up_the_window_and_it_ends(
            records in 0u64..2_000_000, kinds in proptest::collection::vec((any::<usize>(), 0u8..4), 0..60),
        ) {
            let mut chains = slices(day(), records);
            for (which, kind) in kinds {
                let chain = chains.swap_remove(which % chains.len());
                if let Ok(instead) = instead_of(chain, broken(kind)) {
                    chains.extend(instead);
                } else {
                    prop_assert!(chain.top == 1);
                    chains.push(chain);
                }
                let mut spans: Vec<_> = chains.iter().map(|chain| chain.span).collect();
                spans.sort_by_key(|span| span.start);
                prop_assert_eq!((spans[0].start, spans[spans.len() - 1].end), (day().start, day().end));
                prop_assert!(spans.windows(2).all(|pair| pair[0].end == pair[1].start));
            }
        }
    }

    #[test]
    fn a_chain_that_always_breaks_ends_with_an_error() {
        for kind in 0..4 {
            let mut chain = probe(day());
            let steps = (0..100).take_while(|_| match instead_of(chain, broken(kind)) {
                Ok(instead) => {
                    chain = instead[0];
                    true
                }
                Err(_) => false,
            });
            assert!(steps.count() <= 30);
            assert_eq!(chain.top, 1);
        }
    }

    #[test]
    fn a_chain_without_an_end_is_given_up_and_a_sparse_one_is_not() {
        let mut links = Links::starting_with("a".to_owned());
        assert!(links.advance("b", None).is_ok());
        assert!(links.advance("a", None).is_err());

        let mut sparse = Links::starting_with("0".to_owned());
        assert!((1..=200).all(|page| sparse.advance(&page.to_string(), None).is_ok()));

        let mut again = Links::starting_with("0".to_owned());
        let same = Some(Version(7));
        let pages = (1..1000).take_while(|page| again.advance(&page.to_string(), same).is_ok()).count();
        assert_eq!(pages, 250);

        let mut long = Links::starting_with("0".to_owned());
        assert!(
            (1..5000)
                .all(|page: u32| { long.advance(&page.to_string(), Some(Version(page.into()))).is_ok() })
        );
    }

    #[test]
    fn a_few_records_outside_are_left_and_a_chain_of_them_is_refused() {
        let check = |inside: u64, outside: u64, is_end: bool| {
            let mut chain = Outside::default();
            (0..inside).for_each(|_| chain.add(false));
            (0..outside).for_each(|_| chain.add(true));
            chain.check(is_end).is_ok()
        };
        assert!(check(0, 9, true));
        assert!(!check(4, 6, true));
        assert!(check(6, 6, true));
        assert!(check(0, 1999, false));
        assert!(!check(0, 2000, false));
        assert!(check(3000, 2000, false));
    }
}

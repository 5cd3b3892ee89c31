//! Chains of pages: the parts that a window is read in, and the links of each.

use crate::error::Error;
use crate::graph::query::Span;
use std::collections::HashSet;

/// Records on a full page.
const PAGE_RECORDS: u64 = 1000;
/// Pages that one chain is expected to have before a window is read as several chains at once.
const PAGES_A_CHAIN: u64 = 8;
/// Chains that one window is read as at most. Each costs about half a page.
const MOST_CHAINS: u64 = 9;
/// Chains below which a window may not use up Graph's limit: each waits for its page most of the time.
const FEW_CHAINS: usize = 5;
/// Pages after which a chain counts as endless.
const MOST_PAGES: u32 = 10_000;
/// Pages without anything that was not served before, after which a chain counts as endless.
const MOST_FRUITLESS_PAGES: u32 = 50;

/// A chain of pages to follow.
#[derive(Debug, Clone, Copy)]
pub(super) struct Chain {
    pub(super) span: Span,
    /// What its first page is used for.
    pub(super) role: Role,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// It is the first chain of a window of which nothing is known: its first page decides how to go on.
    Probe,
    /// It is one of the chains that make up a window: its first page is a sample.
    Slice,
    /// It takes the place of a part of a chain that broke.
    Rest,
    /// The same, after Graph refused a next link: that is tried only once.
    SecondTry,
}

/// Whether a window of so many records is read as several chains.
pub(super) fn needs_several(records: u64) -> bool {
    count(records) > 1
}

/// One chain for few records, several at once for many: a chain is as slow as Graph answers, whatever the limit
/// allows.
pub(super) fn slices(span: Span, records: u64) -> Vec<Chain> {
    let spans = span.slices(count(records)).into_iter();
    spans.map(|span| Chain { span, role: Role::Slice }).collect()
}

/// The chains that take the place of one of a few that are under way, where its `rest` is more than was thought.
pub(super) fn cut_again(under_way: usize, rest: Span, records: u64) -> Option<Vec<Chain>> {
    (under_way < FEW_CHAINS && needs_several(records)).then(|| slices(rest, records))
}

fn count(records: u64) -> u32 {
    let chains = (records / PAGE_RECORDS / PAGES_A_CHAIN).clamp(1, MOST_CHAINS);
    u32::try_from(chains).unwrap_or(1)
}

/// The links of a chain so far.
pub(super) struct Links {
    pub(super) current: String,
    seen: HashSet<String>,
    pub(super) pages: u32,
    fruitless: u32,
}

impl Links {
    pub(super) fn starting_with(link: String) -> Self {
        Self { current: link, seen: HashSet::new(), pages: 0, fruitless: 0 }
    }

    pub(super) fn advance(&mut self, link: &str, is_fruitless: bool) -> Result<(), Error> {
        let last = std::mem::replace(&mut self.current, link.to_owned());
        self.seen.insert(last);
        self.pages += 1;
        self.fruitless = if is_fruitless { self.fruitless + 1 } else { 0 };
        let endless = if self.seen.contains(link) {
            "gave a next link for the second time"
        } else if self.pages >= MOST_PAGES || self.fruitless >= MOST_FRUITLESS_PAGES {
            "gave page after page without anything new"
        } else {
            return Ok(());
        };
        Err(Error::Graph(format!(
            "Graph {endless} (page {} of a window), so that the end of the window cannot be reached; nothing of the \
             window was stored; the next run tries again",
            self.pages
        )))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day() -> Span {
        Span { start: "2026-11-22T00:00:00Z".parse().unwrap(), end: "2026-11-23T00:00:00Z".parse().unwrap() }
    }

    #[test]
    fn only_many_pages_are_worth_several_chains() {
        let counts = [0, 15_999, 16_000, 40_000, 5_000_000].map(|records| slices(day(), records).len());
        assert_eq!(counts, [1, 1, 2, 5, 9]);
    }

    #[test]
    fn a_long_chain_among_few_is_cut_again() {
        let cut = |under_way, records| cut_again(under_way, day(), records).map(|chains| chains.len());
        assert_eq!([cut(3, 40_000), cut(1, 16_000)], [Some(5), Some(2)]);
        assert_eq!([cut(3, 15_999), cut(5, 40_000)], [None; 2]);
    }

    #[test]
    fn a_chain_without_an_end_is_given_up() {
        let mut links = Links::starting_with("a".to_owned());
        assert!(links.advance("b", false).is_ok());
        assert!(links.advance("a", false).is_err());

        let mut fruitless = Links::starting_with("0".to_owned());
        let tries = (1..1000).take_while(|page| fruitless.advance(&page.to_string(), true).is_ok()).count();
        assert_eq!(tries, 49);
    }
}

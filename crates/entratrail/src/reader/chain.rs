//! Chains of pages: the parts that a window is read in, and the links of each.

use crate::error::Error;
use crate::graph::query::Span;
use std::collections::HashSet;

/// Records on a full page.
const PAGE_RECORDS: u64 = 1000;
/// Pages that one chain is expected to have at least where a window is read as several: the last page of each is only
/// partly filled.
const PAGES_A_CHAIN: u64 = 3;
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
    /// It is one of several that make up a window.
    Slice,
    /// It takes the place of one whose next link Graph refused: that is tried only once.
    SecondTry,
}

/// One chain for few records, several for many, but no more than `most`: a chain is as slow as Graph answers, whatever
/// the limit allows.
pub(super) fn slices(span: Span, records: u64, most: usize) -> Vec<Chain> {
    let spans = span.slices(count(records, most)).into_iter();
    spans.map(|span| Chain { span, role: Role::Slice }).collect()
}

fn count(records: u64, most: usize) -> u32 {
    let chains = usize::try_from(records / PAGE_RECORDS / PAGES_A_CHAIN).unwrap_or(usize::MAX);
    u32::try_from(chains.clamp(1, most)).unwrap_or(u32::MAX)
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
    fn only_several_pages_are_worth_several_chains() {
        let counts =
            |most| [0, 5_999, 6_000, 9_000, 5_000_000].map(|records| slices(day(), records, most).len());
        assert_eq!(counts(1), [1; 5]);
        assert_eq!(counts(5), [1, 1, 2, 3, 5]);
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

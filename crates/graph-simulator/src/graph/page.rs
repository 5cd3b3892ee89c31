//! Content of one page: its records and its next link.

use std::sync::Arc;

use crate::fault::{Alteration, FaultKind};
use crate::graph::request::PageRequest;
use crate::state::chain::{Chain, Continuation};
use crate::state::journal::{PlaceInChain, Span};
use crate::state::links::PageStart;
use crate::state::query::Query;
use crate::state::{State, lock};
use crate::tenant::timeline::{Position, Reference, Selection};
use crate::ticks;

/// Content of a page before it is written.
#[derive(Debug)]
pub(crate) struct Page {
    pub(super) records: Vec<Reference>,
    /// Records that were not asked for.
    pub(super) strangers: Vec<Reference>,
    next: Next,
    /// The chain that the page is part of, if one was laid out, and its place there.
    chain: Option<(Arc<Chain>, usize, usize)>,
    pub(super) fault: Option<FaultKind>,
    /// White space behind the page.
    pub(super) blanks: u64,
}

/// The next link of a page, as it should be.
#[derive(Debug)]
enum Next {
    None,
    /// Place at which the link goes on.
    Start(PageStart),
    /// The link just requested.
    SameLink,
}

impl Next {
    fn in_chain(chain: &Arc<Chain>, number: usize, skipped: usize) -> Self {
        Self::Start(PageStart::InChain { chain: Arc::clone(chain), number, skipped })
    }
}

impl Page {
    /// Cuts the records found to the size of the page, which a fault may change.
    pub(crate) fn new(
        state: &State,
        mut records: Vec<Reference>,
        query: &Query,
        asked_after: Option<Position>,
        fault: Option<FaultKind>,
    ) -> Self {
        let size = match fault {
            Some(FaultKind::EmptyPage) => 0,
            Some(FaultKind::ShortPage) => (query.top.min(records.len()) * 94 / 100).max(1),
            Some(FaultKind::OversizedPage) => query.top + query.top.div_ceil(25),
            _ => query.top,
        };
        let has_more = records.len() > size || fault == Some(FaultKind::EmptyPage);
        records.truncate(size);
        let last = records.last().map(|last| state.records.timeline.position(*last));
        let next =
            if has_more { Next::Start(PageStart::After(last.or(asked_after))) } else { Next::None };
        Self { records, strangers: Vec::new(), next, chain: None, fault, blanks: 0 }
    }

    /// A page of a chain that was laid out, which a fault may empty or shorten.
    pub(crate) fn of_chain(
        chain: Arc<Chain>,
        number: usize,
        skipped: usize,
        fault: Option<FaultKind>,
    ) -> Self {
        let mut records = chain.page(number, skipped).to_vec();
        let size = match fault {
            Some(FaultKind::EmptyPage) => 0,
            Some(FaultKind::ShortPage) => (records.len() * 94 / 100).max(1),
            _ => records.len(),
        };
        let next = if size < records.len() || fault == Some(FaultKind::EmptyPage) {
            Next::in_chain(&chain, number, skipped + size)
        } else {
            match chain.follow(number) {
                Continuation::Page(next) => Next::in_chain(&chain, next, 0),
                Continuation::SameLink => Next::SameLink,
                Continuation::Nothing { .. } => Next::None,
            }
        };
        records.truncate(size);
        Self {
            records,
            strangers: Vec::new(),
            next,
            chain: Some((chain, number, skipped)),
            fault,
            blanks: 0,
        }
    }

    /// Adds white space behind the page.
    pub(crate) fn inflate(&mut self, blanks: u64) {
        self.blanks = blanks;
    }

    /// The fault of the chain that shows in this page.
    pub(crate) fn chain_fault(&self) -> Option<FaultKind> {
        let (chain, number, _) = self.chain.as_ref()?;
        match chain.follow(*number) {
            Continuation::Nothing { too_early: true } => Some(FaultKind::MissingLink),
            Continuation::SameLink => Some(FaultKind::RepeatedLink),
            _ if chain.is_endless_at(*number) => Some(FaultKind::EmptyPage),
            _ => None,
        }
    }

    /// Adds up to three records outside the asked span.
    pub(crate) fn mix_in_strangers(&mut self, state: &State, asked: &Selection<'_>) {
        let later = Selection { from: asked.to.saturating_add(1), to: i64::MAX, ..*asked };
        let earlier = Selection { from: i64::MIN, to: asked.from.saturating_sub(1), ..*asked };
        for selection in [later, earlier] {
            if selection.from <= selection.to {
                let selection = Selection { after: None, limit: 3, ..selection };
                self.strangers.extend(state.records.timeline.select(&selection));
            }
        }
        self.strangers.truncate(3);
    }

    /// Path and query of the next link, as it should be.
    pub(super) fn next_link(
        &self,
        state: &State,
        request: &PageRequest,
        query: &Query,
    ) -> Option<String> {
        match &self.next {
            Next::None => None,
            Next::SameLink => Some(request.path_and_query.clone()),
            Next::Start(place) => {
                // An empty page may go on where it was asked to start, under a link of its own.
                let is_empty = self.records.is_empty();
                let salt =
                    if is_empty { lock(&state.journal).requests.len() as u64 + 1 } else { 0 };
                Some(lock(&state.links).issue(query, place.clone(), salt))
            }
        }
    }

    /// Finds the place of the page in its chain, if chains are to be remembered.
    pub(super) fn place_in_chain(&self, state: &State, query: &Query) -> Option<PlaceInChain> {
        let (chain, number, skipped) =
            self.chain.as_ref().filter(|_| state.scenario.remember_chains)?;
        let from = query.filter.from;
        let to = query.filter.to;
        let lacks_link =
            self.fault == Some(FaultKind::MissingLink) && !matches!(self.next, Next::None);
        let ends_early = lacks_link || self.chain_fault() == Some(FaultKind::MissingLink);
        Some(PlaceInChain {
            chain: chain.number,
            page: (*number, *skipped),
            is_last: matches!(self.next, Next::None) || ends_early,
            ends_early,
            span: Span { streams: query.streams().to_vec(), from, to },
            asked_at: ticks::to_time(state.clock.now()),
        })
    }

    /// The name of the content coding.
    pub(super) fn coding(&self) -> &'static str {
        match self.fault {
            Some(FaultKind::GzipInCapitals) => "GZIP",
            Some(FaultKind::XGzip) => "x-gzip",
            _ => "gzip",
        }
    }

    pub(super) fn needs_gzip(&self) -> bool {
        matches!(self.fault, Some(FaultKind::BrokenGzip | FaultKind::GzipBomb))
    }

    pub(super) fn alteration(&self) -> Alteration {
        self.fault.map_or(Alteration::None, FaultKind::alteration)
    }
}

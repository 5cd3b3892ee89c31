//! Every page that Graph serves for a window.
//!
//! The window is a set of spans that make it up, each asked for by a chain (`chain.rs`). It is read when every
//! chain was followed to its end. What pages seem to say of order and density decides only whether a span is
//! asked for again in parts.

use super::Reader;
use super::chain::{Break, Chain, Links, Outside, Role, instead_of, probe, slices};
use super::density::{ChainDensity, WindowDensity};
use super::intake::Intake;
use crate::error::Error;
use crate::graph::page::Page;
use crate::graph::query::Span;
use crate::graph::{NoPage, PageRequest, Rank, Tally};
use crate::plan::Planned;
use crate::record::{Record, Version};
use crate::window::WindowLength;
use chrono::{DateTime, TimeDelta, Utc};
use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use tokio::sync::SemaphorePermit;

/// A read that passes this many times the target, or will, is given up and split.
const FAR_TOO_MUCH: u64 = 4;
/// A window is split where first pages promise this many times the target: all of them together where it is read
/// as several chains, its first page alone where that would be too little for several.
const TOO_MUCH: u64 = 3;
/// A first page stands at the edge of a day, where there may be this many times less than at noon.
const PERHAPS_AT_NIGHT: u64 = 6;
/// How far back Graph is asked for a record that shows what it keeps: longer than it keeps any.
const LONGEST_KEPT: TimeDelta = TimeDelta::days(31);

/// How fetching a window ended.
#[derive(Debug)]
pub(super) enum Fetched {
    /// Every page was read.
    Everything,
    /// There is too much for one window: take windows of that length, each with about so many records.
    TooMuch(WindowLength, u64),
    /// Time ran out.
    Stopped,
    /// It could not be read.
    Failed(Error),
}

/// The window that is being read.
struct Window<'read> {
    planned: &'read Planned,
    span: Span,
    density: WindowDensity,
}

/// How following a chain ended.
enum Followed<'run> {
    ToItsEnd,
    InsteadBy(Vec<Chain>),
    /// The window is better read as these chains, with the permit that was free for it, if one was.
    InSlices(Vec<Chain>, Option<SemaphorePermit<'run>>),
    TooMuch(WindowLength, u64),
    Failed(Error),
}

/// What the first page of a window says of the rest.
enum Probed<'run> {
    /// The chain can go on.
    Sparse,
    /// There is too much for one chain. The page counts only where the permit to keep it was free.
    Dense(Followed<'run>, bool),
}

impl<'run> Reader<'run> {
    /// Fetches every page of the window into `intake`. Where the window turns out to need several chains, waits
    /// for its `permit` before any of them starts.
    pub(super) async fn fetch(
        &self,
        planned: &Planned,
        expected: Option<u64>,
        intake: &Intake<'_>,
        permit: &mut Option<SemaphorePermit<'run>>,
        tally: &Tally,
    ) -> Fetched {
        let span = Span { start: planned.window.start(), end: planned.window.end() };
        let window = Window { planned, span, density: WindowDensity::default() };
        let mut chains = match expected {
            Some(records) => slices(span, records),
            None => vec![probe(span)],
        };
        let mut followed = FuturesUnordered::new();
        loop {
            followed.extend(chains.drain(..).map(|chain| self.follow(&window, chain, intake, tally)));
            match followed.next().await {
                None => return Fetched::Everything,
                Some(Followed::ToItsEnd) => {}
                Some(Followed::InsteadBy(others)) => chains = others,
                Some(Followed::InSlices(slices, free)) => {
                    *permit = match free {
                        None => self.large.acquire().await.ok(),
                        free => free,
                    };
                    chains = slices;
                }
                Some(Followed::TooMuch(length, records)) => return Fetched::TooMuch(length, records),
                Some(Followed::Failed(error)) => return Fetched::Failed(error),
            }
        }
    }

    async fn follow(
        &self,
        window: &Window<'_>,
        chain: Chain,
        intake: &Intake<'_>,
        tally: &Tally,
    ) -> Followed<'run> {
        let stream = window.planned.stream;
        let mut links = Links::starting_with(self.collection.link(chain.span, chain.top));
        let mut density = ChainDensity::default();
        let mut outside = Outside::default();
        loop {
            let request = PageRequest {
                link: &links.current,
                is_next: links.pages > 0,
                is_single: chain.top == 1,
                rank: Rank::new(window.span.start, stream, density.ahead(chain.span)),
            };
            let page = match self.graph.page(stream.log(), request, tally).await {
                Ok(page) => page,
                Err(no_page) => return replace(chain, Break::NoPage(no_page)),
            };
            let records = page.records(stream.log());
            for (record, _) in &records {
                outside.add(record.time.is_some_and(|time| time < chain.span.start || time > chain.span.end));
            }
            if let Err(error) = outside.check(page.next_link.is_none()) {
                return Followed::Failed(error);
            }
            density.add(&records);
            let mut instead = None;
            if chain.role == Role::Probe && links.pages == 0 {
                match self.after_probe(window, &page, &density) {
                    Probed::Sparse => {}
                    Probed::Dense(others, false) => return others,
                    Probed::Dense(others, true) => instead = Some(others),
                }
            }
            let served = match self.take(window, &page, &records, intake).await {
                Ok(served) => served,
                Err(error) => return Followed::Failed(error),
            };
            let (name, page_number) = (stream.name(), links.pages + 1);
            tracing::debug!(stream = name, page = page_number, records = page.record_count(), "page read");
            let first = records.first().map(|(record, _)| record.version);
            let end = instead
                .or_else(|| self.reconsider(window, chain, &page, &density, served))
                .or_else(|| self.next(chain, &mut links, &page, first));
            if let Some(end) = end {
                return end;
            }
        }
    }

    /// Hands what the window owns of a page to `intake`, and says how many versions were served by now. A record
    /// without a readable time is kept with the window that it was served for, one that another window owns is
    /// left to it.
    async fn take(
        &self,
        window: &Window<'_>,
        page: &Page,
        records: &[(Record, &[u8])],
        intake: &Intake<'_>,
    ) -> Result<u64, Error> {
        let mut own = Vec::with_capacity(records.len());
        let mut outside = 0;
        for &(record, json) in records {
            match record.time {
                Some(time) if window.span.contains(time) => {
                    self.kept_since.note(time);
                    own.push((record, json));
                }
                None => own.push((record, json)),
                // A filter has both bounds, so the first instant of the next window is served as well.
                Some(time) if time == window.span.end => {}
                Some(_) => outside += 1,
            }
        }
        let (before, served) = intake.take(&own, outside, page.oversized.as_ref()).await?;
        self.progress.add_records(window.planned.stream, served - before);
        Ok(served)
    }

    /// Whether what was seen so far calls for shorter windows.
    fn reconsider(
        &self,
        window: &Window<'_>,
        chain: Chain,
        page: &Page,
        density: &ChainDensity,
        served: u64,
    ) -> Option<Followed<'run>> {
        let more_follows = page.next_link.is_some();
        let expected = if more_follows { density.expected(chain.span) } else { density.count() };
        if chain.role == Role::Slice && density.is_first_page() {
            window.density.add(expected, chain.span);
        }
        if !more_follows {
            return None;
        }
        if served > FAR_TOO_MUCH * self.target_records {
            return self.split(window, served * 2);
        }
        match window.density.expected(window.span) {
            Some(sampled) if sampled > TOO_MUCH * self.target_records => self.split(window, sampled),
            None if chain.span == window.span && expected > FAR_TOO_MUCH * self.target_records => {
                self.split(window, expected)
            }
            _ => None,
        }
    }

    /// Decides how to go on after the first page of a window of which nothing is known. Several chains ask for
    /// the whole window again, because nothing tells what part of it the page was. They take memory, so they
    /// wait for their permit with nothing kept, unless it is free.
    fn after_probe(&self, window: &Window<'_>, page: &Page, density: &ChainDensity) -> Probed<'run> {
        if page.next_link.is_none() {
            return Probed::Sparse;
        }
        let expected = density.expected(window.span);
        let chains = slices(window.span, expected.saturating_mul(PERHAPS_AT_NIGHT));
        if chains.len() > 1 {
            let permit = self.large.try_acquire().ok();
            let is_kept = permit.is_some();
            return Probed::Dense(Followed::InSlices(chains, permit), is_kept);
        }
        let is_too_much = expected > TOO_MUCH * self.target_records;
        let instead = is_too_much.then(|| self.split(window, expected)).flatten();
        instead.map_or(Probed::Sparse, |instead| Probed::Dense(instead, false))
    }

    /// Has shorter windows read in place of this one, which holds about so many records, where it may be split.
    fn split(&self, window: &Window<'_>, expected: u64) -> Option<Followed<'run>> {
        let may_split = !window.planned.is_on_record && window.planned.window.length().shorter().is_some();
        may_split.then(|| self.too_much(window.planned, expected))
    }

    /// The longest windows that hold no more than the target each.
    fn too_much(&self, planned: &Planned, expected: u64) -> Followed<'run> {
        let minutes = u64::from(planned.window.length().minutes());
        let share = |length: WindowLength| expected * u64::from(length.minutes()) / minutes;
        let mut length = planned.window.length().shorter().unwrap_or(planned.window.length());
        while let Some(shorter) = length.shorter().filter(|_| share(length) > self.target_records) {
            length = shorter;
        }
        Followed::TooMuch(length, share(length))
    }

    /// Moves on to the next link, unless the chain ends here.
    fn next(
        &self,
        chain: Chain,
        links: &mut Links,
        page: &Page,
        first: Option<Version>,
    ) -> Option<Followed<'run>> {
        let Some(link) = &page.next_link else { return Some(Followed::ToItsEnd) };
        if let Err(error) = self.collection.check_link(link) {
            return Some(Followed::Failed(error));
        }
        let moved = links.advance(link, first);
        moved.err().map(|endless| replace(chain, Break::Endless(endless)))
    }

    /// Asks Graph for one record at or before `start`, which shows that it keeps what is as old as that.
    pub(super) async fn probe_kept_since(
        &self,
        start: DateTime<Utc>,
        planned: &Planned,
        tally: &Tally,
    ) -> Result<(), Error> {
        let span = Span { start: self.clock.now() - LONGEST_KEPT, end: start };
        if span.start >= span.end {
            return Ok(());
        }
        let log = planned.stream.log();
        let request = PageRequest {
            link: &self.collection.probe_link(span),
            is_next: false,
            is_single: false,
            rank: Rank::new(planned.window.start(), planned.stream, None),
        };
        let page = self.graph.page(log, request, tally).await.map_err(NoPage::into_error)?;
        for (record, _) in page.records(log) {
            if let Some(time) = record.time.filter(|time| span.start <= *time && *time <= span.end) {
                self.kept_since.note(time);
            }
        }
        Ok(())
    }
}

fn replace<'run>(chain: Chain, broken: Break) -> Followed<'run> {
    match instead_of(chain, broken) {
        Ok(chains) => Followed::InsteadBy(chains),
        Err(error) => Followed::Failed(error),
    }
}

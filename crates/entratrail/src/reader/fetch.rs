//! Every page that Graph serves for a window: the chains of pages, and what to do when one breaks.

use super::Reader;
use crate::archive::Upload;
use crate::error::Error;
use crate::graph::page::{Page, Strayed, estimate};
use crate::graph::query::Span;
use crate::graph::{NoPage, Tally};
use crate::plan::Planned;
use crate::record::Record;
use crate::stored::{Served, StoredVersions};
use crate::window::WindowLength;
use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use std::collections::HashSet;
use tokio::sync::Mutex;

/// Records on a full page.
const PAGE_RECORDS: u64 = 1000;
/// Pages that one chain is expected to have before a window is read as several chains at once.
const PAGES_A_CHAIN: u64 = 6;
/// Chains that one window is read as at most. Each costs about half a page.
const MOST_CHAINS: u64 = 6;
/// Pages after which a chain counts as endless.
const MOST_PAGES: u32 = 10_000;
/// Pages without anything that was not served before, after which a chain counts as endless.
const MOST_FRUITLESS_PAGES: u32 = 50;
/// A read that passes this many times the target is given up and split.
const FAR_TOO_MUCH: u64 = 4;

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

/// Where the records of all chains of a window come together.
#[derive(Debug)]
pub(super) struct Intake<'archive>(Mutex<(StoredVersions, Upload<'archive>)>);

impl<'archive> Intake<'archive> {
    pub(super) fn new(versions: StoredVersions, upload: Upload<'archive>) -> Self {
        Self(Mutex::new((versions, upload)))
    }

    pub(super) fn into_parts(self) -> (StoredVersions, Upload<'archive>) {
        self.0.into_inner()
    }

    /// Takes the records of a page; returns how many were served before it, and with it.
    async fn take(&self, records: &[(Record, &str)]) -> Result<(u64, u64), Error> {
        let (versions, upload) = &mut *self.0.lock().await;
        let before = versions.served();
        for (record, json) in records {
            if versions.serve(*record) == Served::New {
                upload.push(json)?;
            }
        }
        upload.send_full_part().await?;
        Ok((before, versions.served()))
    }
}

/// A chain of pages to follow.
#[derive(Debug, Clone, Copy)]
struct Chain {
    span: Span,
    /// Whether Graph refused a next link of this span before.
    was_refused: bool,
    /// Whether its first page decides how the window is read.
    is_probe: bool,
}

impl Chain {
    fn new(span: Span) -> Self {
        Self { span, was_refused: false, is_probe: false }
    }
}

/// How following a chain ended.
enum Followed {
    ToItsEnd,
    InsteadBy(Vec<Chain>),
    TooMuch(WindowLength, u64),
    Failed(Error),
}

impl Reader<'_> {
    /// Fetches every page of the window into `intake`.
    pub(super) async fn fetch(
        &self,
        planned: &Planned,
        expected: Option<u64>,
        intake: &Intake<'_>,
        tally: &Tally,
    ) -> Fetched {
        let window = Span { start: planned.window.start(), end: planned.window.end() };
        let mut chains = match expected {
            Some(records) => chains_for(window, records),
            None => vec![Chain { is_probe: true, ..Chain::new(window) }],
        };
        let mut followed = FuturesUnordered::new();
        loop {
            followed.extend(chains.drain(..).map(|chain| self.follow(planned, chain, intake, tally)));
            match followed.next().await {
                None => return Fetched::Everything,
                Some(Followed::ToItsEnd) => {}
                Some(Followed::InsteadBy(others)) => chains = others,
                Some(Followed::TooMuch(length, records)) => return Fetched::TooMuch(length, records),
                Some(Followed::Failed(error)) => return Fetched::Failed(error),
            }
        }
    }

    async fn follow(&self, planned: &Planned, chain: Chain, intake: &Intake<'_>, tally: &Tally) -> Followed {
        let _lane = self.graph.lane().await;
        let log = planned.stream.log();
        let mut links = Links::starting_with(self.collection.first_link(chain.span));
        loop {
            let page = match self.graph.page(log, &links.current, links.pages > 0, tally).await {
                Ok(page) => page,
                Err(no_page) => return ask_differently(chain, no_page),
            };
            let records = match page.records_in(chain.span, log) {
                Ok(records) => records,
                Err(strayed) => return Followed::Failed(filter_ignored(strayed)),
            };
            let (before, after) = match intake.take(&records).await {
                Ok(counts) => counts,
                Err(error) => return Followed::Failed(error),
            };
            tracing::debug!(
                stream = planned.stream.name(),
                page = links.pages + 1,
                records = page.record_count(),
                "page read"
            );
            if page.next_link.is_some()
                && let Some(instead) = self.reconsider(planned, chain, links.pages, &records, after)
            {
                return instead;
            }
            match self.next(&mut links, &page, before == after) {
                Ok(true) => {}
                Ok(false) => return Followed::ToItsEnd,
                Err(error) => return Followed::Failed(error),
            }
        }
    }

    /// Whether what was seen so far, with more to come, calls for other chains or shorter windows.
    fn reconsider(
        &self,
        planned: &Planned,
        chain: Chain,
        pages_before: u32,
        records: &[(Record, &str)],
        served: u64,
    ) -> Option<Followed> {
        let may_split = !planned.is_on_record && planned.window.length().shorter().is_some();
        if may_split && served > FAR_TOO_MUCH * self.target_records {
            return Some(self.too_much(planned, served * 2));
        }
        if !chain.is_probe || pages_before > 0 {
            return None;
        }
        let expected = estimate(records, chain.span);
        if may_split && expected > self.target_records * 3 / 2 {
            return Some(self.too_much(planned, expected));
        }
        let chains = chains_for(chain.span, expected);
        (chains.len() > 1).then_some(Followed::InsteadBy(chains))
    }

    /// The longest windows that hold no more than the target each.
    fn too_much(&self, planned: &Planned, expected: u64) -> Followed {
        let minutes = u64::from(planned.window.length().minutes());
        let share = |length: WindowLength| expected * u64::from(length.minutes()) / minutes;
        let mut length = planned.window.length().shorter().unwrap_or(planned.window.length());
        while let Some(shorter) = length.shorter().filter(|_| share(length) > self.target_records) {
            length = shorter;
        }
        Followed::TooMuch(length, share(length))
    }

    /// Moves on to the next link; false at the end of the chain.
    fn next(&self, links: &mut Links, page: &Page, is_fruitless: bool) -> Result<bool, Error> {
        let Some(link) = &page.next_link else { return Ok(false) };
        self.collection.check_link(link)?;
        links.advance(link, is_fruitless)?;
        Ok(true)
    }
}

/// The links of a chain so far.
struct Links {
    current: String,
    seen: HashSet<String>,
    pages: u32,
    fruitless: u32,
}

impl Links {
    fn starting_with(link: String) -> Self {
        Self { current: link, seen: HashSet::new(), pages: 0, fruitless: 0 }
    }

    fn advance(&mut self, link: &str, is_fruitless: bool) -> Result<(), Error> {
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

/// One chain for few records, several at once for many: a chain is as slow as Graph answers, whatever the limit
/// allows.
fn chains_for(span: Span, records: u64) -> Vec<Chain> {
    let pages = records / PAGE_RECORDS;
    let count = (pages / PAGES_A_CHAIN).clamp(1, MOST_CHAINS);
    span.slices(u32::try_from(count).unwrap_or(1)).into_iter().map(Chain::new).collect()
}

/// After a refused link the span is asked for once more from its start, then, as after time-outs, in halves. It
/// is the question that is halved, not the window, so that windows on record can be repaired too.
fn ask_differently(chain: Chain, no_page: NoPage) -> Followed {
    match no_page {
        NoPage::Failed(error) => Followed::Failed(error),
        NoPage::LinkRefused(_) if !chain.was_refused => {
            Followed::InsteadBy(vec![Chain { was_refused: true, ..Chain::new(chain.span) }])
        }
        NoPage::LinkRefused(error) | NoPage::TooSlow(error) => match chain.span.halves() {
            Some(halves) => Followed::InsteadBy(halves.into_iter().map(Chain::new).collect()),
            None => Followed::Failed(error),
        },
    }
}

fn filter_ignored(strayed: Strayed) -> Error {
    Error::Graph(format!(
        "Graph ignored the filter: a page held {} records outside the asked span and {} without a readable time; nothing of \
         the window was stored; the next run tries again",
        strayed.outside, strayed.without_time
    ))
}

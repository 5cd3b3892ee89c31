//! Every page that Graph serves for a window: the chains of pages, and what to do when one breaks.

use super::Reader;
use crate::archive::Upload;
use crate::error::Error;
use crate::graph::page::{Page, Seen, Strayed};
use crate::graph::query::Span;
use crate::graph::{NoPage, Tally};
use crate::plan::Planned;
use crate::record::Record;
use crate::stored::{Served, StoredVersions};
use crate::window::WindowLength;
use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use std::collections::HashSet;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;
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
/// A read that passes this many times the target is given up and split. A first page that promises even more is
/// not believed, because it may show a burst: samples from the whole window are taken.
const FAR_TOO_MUCH: u64 = 4;
/// A window is split where samples show that it holds this many times the target.
const TOO_MUCH: u64 = 2;

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
    /// What its first page is used for.
    role: Role,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    /// It is the first chain of a window of which nothing is known: its first page decides how to go on.
    Probe,
    /// It is one of the chains that make up a window: its first page is a sample.
    Slice,
    /// It takes the place of a part of a chain that broke.
    Rest,
    /// The same, after Graph refused a next link: that is tried only once.
    SecondTry,
}

/// What the first pages of slices say of how much the window holds.
#[derive(Debug, Default)]
struct Survey {
    records: AtomicU64,
    seconds: AtomicU64,
}

impl Survey {
    /// Adds a sample: about so many records in that span.
    fn add(&self, records: u64, span: Span) {
        self.records.fetch_add(records, Relaxed);
        self.seconds.fetch_add(seconds(span), Relaxed);
    }

    /// About how many records `window` holds, once most of it was surveyed.
    fn expected(&self, window: Span) -> Option<u64> {
        let surveyed = self.seconds.load(Relaxed);
        (surveyed * 2 >= seconds(window))
            .then(|| self.records.load(Relaxed) * seconds(window) / surveyed.max(1))
    }
}

fn seconds(span: Span) -> u64 {
    u64::try_from((span.end - span.start).num_seconds()).unwrap_or(0)
}

/// The window that is being read.
struct Window<'read> {
    planned: &'read Planned,
    span: Span,
    survey: Survey,
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
        let window = Window { planned, span: span_of(planned), survey: Survey::default() };
        let mut chains = match expected {
            Some(records) => slices(window.span, records),
            None => vec![Chain { span: window.span, role: Role::Probe }],
        };
        let mut followed = FuturesUnordered::new();
        loop {
            followed.extend(chains.drain(..).map(|chain| self.follow(&window, chain, intake, tally)));
            match followed.next().await {
                None => return Fetched::Everything,
                Some(Followed::ToItsEnd) => {}
                Some(Followed::InsteadBy(others)) => chains = others,
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
    ) -> Followed {
        let _lane = self.graph.lane().await;
        let stream = window.planned.stream;
        let mut links = Links::starting_with(self.collection.first_link(chain.span));
        let mut seen = Seen::default();
        loop {
            let page = match self.graph.page(stream.log(), &links.current, links.pages > 0, tally).await {
                Ok(page) => page,
                Err(no_page) => return ask_differently(chain, no_page),
            };
            let records = match page.records_in(chain.span, stream.log()) {
                Ok(records) => records,
                Err(strayed) => return Followed::Failed(filter_ignored(strayed)),
            };
            let (before, after) = match intake.take(&records).await {
                Ok(counts) => counts,
                Err(error) => return Followed::Failed(error),
            };
            let (name, page_number) = (stream.name(), links.pages + 1);
            tracing::debug!(stream = name, page = page_number, records = page.record_count(), "page read");
            seen.add(&records);
            if let Some(instead) = self.reconsider(window, chain, &links, &page, &seen, after) {
                return instead;
            }
            match self.next(&mut links, &page, before == after) {
                Ok(true) => {}
                Ok(false) => return Followed::ToItsEnd,
                Err(error) => return Followed::Failed(error),
            }
        }
    }

    /// Whether what was seen so far calls for other chains or shorter windows. Where the chain ends, it does not.
    fn reconsider(
        &self,
        window: &Window<'_>,
        chain: Chain,
        links: &Links,
        page: &Page,
        seen: &Seen,
        served: u64,
    ) -> Option<Followed> {
        let is_first = links.pages == 0;
        let more_follows = page.next_link.is_some();
        let expected = if more_follows { seen.expected(chain.span) } else { seen.count() };
        if chain.role == Role::Slice && is_first {
            window.survey.add(expected, chain.span);
        }
        if !more_follows {
            return None;
        }
        let target = self.target_records;
        if served > FAR_TOO_MUCH * target {
            return self.split(window, served * 2);
        }
        if chain.role == Role::Probe && is_first {
            let is_credible = expected <= FAR_TOO_MUCH * target;
            let split =
                if is_credible && expected > target * 3 / 2 { self.split(window, expected) } else { None };
            let slices = slices(chain.span, expected);
            return split.or_else(|| (slices.len() > 1).then_some(Followed::InsteadBy(slices)));
        }
        let whole = match chain.role {
            Role::Probe if served > target => Some(expected),
            Role::Slice => window.survey.expected(window.span),
            _ => None,
        };
        self.split(window, whole.filter(|&whole| whole > TOO_MUCH * target)?)
    }

    /// Has shorter windows read in place of this one, which holds about so many records, where it may be split.
    fn split(&self, window: &Window<'_>, expected: u64) -> Option<Followed> {
        let may_split = !window.planned.is_on_record && window.planned.window.length().shorter().is_some();
        may_split.then(|| self.too_much(window.planned, expected))
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
fn slices(span: Span, records: u64) -> Vec<Chain> {
    let pages = records / PAGE_RECORDS;
    let count = (pages / PAGES_A_CHAIN).clamp(1, MOST_CHAINS);
    let spans = span.slices(u32::try_from(count).unwrap_or(1)).into_iter();
    spans.map(|span| Chain { span, role: Role::Slice }).collect()
}

fn span_of(planned: &Planned) -> Span {
    Span { start: planned.window.start(), end: planned.window.end() }
}

/// After a refused link the span is asked for once more from its start, then, as after time-outs, in halves. It
/// is the question that is halved, not the window, so that windows on record can be repaired too.
fn ask_differently(chain: Chain, no_page: NoPage) -> Followed {
    match no_page {
        NoPage::Failed(error) => Followed::Failed(error),
        NoPage::LinkRefused(_) if chain.role != Role::SecondTry => {
            Followed::InsteadBy(vec![Chain { role: Role::SecondTry, ..chain }])
        }
        NoPage::LinkRefused(error) | NoPage::TooSlow(error) => match chain.span.halves() {
            Some(halves) => {
                Followed::InsteadBy(halves.into_iter().map(|span| Chain { span, role: Role::Rest }).collect())
            }
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

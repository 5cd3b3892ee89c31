//! Every page that Graph serves for a window: the chains of pages, and what to do when one breaks.

use super::Reader;
use super::chain::{Chain, Links, Role, slices};
use super::survey::Survey;
use crate::archive::Upload;
use crate::error::Error;
use crate::graph::page::{Page, Seen, Strayed};
use crate::graph::query::Span;
use crate::graph::{NoPage, Rank, Tally};
use crate::plan::Planned;
use crate::record::Record;
use crate::stored::{Served, StoredVersions};
use crate::window::WindowLength;
use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use tokio::sync::{Mutex, SemaphorePermit};

/// A read that passes this many times the target, or will, is given up and split.
const FAR_TOO_MUCH: u64 = 4;
/// A window is split where first pages promise this many times the target: all of them together where it is read
/// as several chains, its first page alone where that would be too little for several.
const TOO_MUCH: u64 = 3;
/// A first page stands at the edge of a day, where there may be this many times less than at noon.
const PERHAPS_AT_NIGHT: u64 = 6;

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
    /// The window is better read as these chains, of which nothing is kept yet.
    InSlices(Vec<Chain>),
    TooMuch(WindowLength, u64),
    Failed(Error),
}

impl<'run> Reader<'run> {
    /// Fetches every page of the window into `intake`. Where the window turns out to need several chains, waits
    /// for its `turn` before any of them starts.
    pub(super) async fn fetch(
        &self,
        planned: &Planned,
        expected: Option<u64>,
        intake: &Intake<'_>,
        turn: &mut Option<SemaphorePermit<'run>>,
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
                Some(Followed::InSlices(slices)) => {
                    *turn = self.large.acquire().await.ok();
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
    ) -> Followed {
        let stream = window.planned.stream;
        let mut links = Links::starting_with(self.collection.first_link(chain.span));
        let mut seen = Seen::default();
        loop {
            let rank = Rank::new(window.span.start, stream, seen.ahead(chain.span));
            let page = match self.graph.page(stream.log(), &links.current, links.pages > 0, rank, tally).await
            {
                Ok(page) => page,
                Err(no_page) => return ask_differently(chain, no_page),
            };
            let records = match page.records_in(chain.span, stream.log()) {
                Ok(records) => records,
                Err(strayed) => return Followed::Failed(filter_ignored(strayed)),
            };
            seen.add(&records);
            if chain.role == Role::Probe
                && links.pages == 0
                && let Some(instead) = self.after_probe(window, &page, &seen)
            {
                return instead;
            }
            let (before, after) = match intake.take(&records).await {
                Ok(counts) => counts,
                Err(error) => return Followed::Failed(error),
            };
            self.progress.add_records(stream, after - before);
            let (name, page_number) = (stream.name(), links.pages + 1);
            tracing::debug!(stream = name, page = page_number, records = page.record_count(), "page read");
            let instead = self.reconsider(window, chain, &page, &seen, after);
            if let Some(end) = instead.or_else(|| self.next(&mut links, &page, before == after)) {
                return end;
            }
        }
    }

    /// Whether what was seen so far calls for other chains or shorter windows.
    fn reconsider(
        &self,
        window: &Window<'_>,
        chain: Chain,
        page: &Page,
        seen: &Seen,
        served: u64,
    ) -> Option<Followed> {
        let more_follows = page.next_link.is_some();
        let expected = if more_follows { seen.expected(chain.span) } else { seen.count() };
        if chain.role == Role::Slice && seen.is_first_page() {
            window.survey.add(expected, chain.span);
        }
        if !more_follows {
            return None;
        }
        if served > FAR_TOO_MUCH * self.target_records {
            return self.split(window, served * 2);
        }
        let whole = match window.survey.expected(window.span) {
            Some(surveyed) if surveyed > TOO_MUCH * self.target_records => surveyed,
            None if chain.span == window.span && expected > FAR_TOO_MUCH * self.target_records => expected,
            _ => return None,
        };
        self.split(window, whole)
    }

    /// How to go on after the first page of a window of which nothing is known. Where it gives way to others,
    /// nothing of it is kept, so that windows that wait for their turn take no memory.
    fn after_probe(&self, window: &Window<'_>, page: &Page, seen: &Seen) -> Option<Followed> {
        page.next_link.as_ref()?;
        let expected = seen.expected(window.span);
        let slices = slices(window.span, expected * PERHAPS_AT_NIGHT);
        if slices.len() > 1 {
            return Some(Followed::InSlices(slices));
        }
        if expected > TOO_MUCH * self.target_records { self.split(window, expected) } else { None }
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

    /// Moves on to the next link, unless the chain ends here.
    fn next(&self, links: &mut Links, page: &Page, is_fruitless: bool) -> Option<Followed> {
        let Some(link) = &page.next_link else { return Some(Followed::ToItsEnd) };
        let moved = self.collection.check_link(link).and_then(|()| links.advance(link, is_fruitless));
        moved.err().map(Followed::Failed)
    }
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

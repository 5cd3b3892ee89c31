//! Every page that Graph serves for a window: the chains of pages, and what to do when one breaks.

use super::Reader;
use super::chain::{Chain, Links, Role, cut_again, slices};
use super::intake::Intake;
use super::survey::Survey;
use crate::error::Error;
use crate::graph::page::{Page, Seen, Strayed};
use crate::graph::query::Span;
use crate::graph::{NoPage, Rank, Tally};
use crate::plan::Planned;
use crate::record::Record;
use crate::window::WindowLength;
use chrono::{SubsecRound as _, TimeDelta};
use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::Relaxed;
use tokio::sync::SemaphorePermit;

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

/// The window that is being read.
struct Window<'read> {
    planned: &'read Planned,
    span: Span,
    survey: Survey,
    /// Chains that are under way, where it is its turn to have several.
    under_way: AtomicUsize,
}

/// How following a chain ended.
enum Followed<'run> {
    ToItsEnd,
    InsteadBy(Vec<Chain>),
    /// The window is better read as these chains, in the turn that was free for it, if one was.
    InSlices(Vec<Chain>, Option<SemaphorePermit<'run>>),
    TooMuch(WindowLength, u64),
    Failed(Error),
}

/// What the first page of a window says of the rest.
enum Probed<'run> {
    /// The chain can go on.
    Sparse,
    /// There is too much for one chain; the page does not count.
    Dense(Followed<'run>),
    /// There is too much for one chain before what the page holds; the page counts.
    DenseBefore(Followed<'run>),
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
        let (span, survey) = (span_of(planned), Survey::default());
        let window = Window { planned, span, survey, under_way: AtomicUsize::new(usize::MAX) };
        let mut chains = match expected {
            Some(records) => slices(window.span, records),
            None => vec![Chain { span: window.span, role: Role::Probe }],
        };
        let mut followed = FuturesUnordered::new();
        loop {
            followed.extend(chains.drain(..).map(|chain| self.follow(&window, chain, intake, tally)));
            if turn.is_some() {
                window.under_way.store(followed.len(), Relaxed);
            }
            match followed.next().await {
                None => return Fetched::Everything,
                Some(Followed::ToItsEnd) => {}
                Some(Followed::InsteadBy(others)) => chains = others,
                Some(Followed::InSlices(slices, free_turn)) => {
                    *turn = match free_turn {
                        None => self.large.acquire().await.ok(),
                        free_turn => free_turn,
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
            let mut instead = None;
            if chain.role == Role::Probe && links.pages == 0 {
                match self.after_probe(window, &page, &records, &seen) {
                    Probed::Sparse => {}
                    Probed::Dense(instead) => return instead,
                    Probed::DenseBefore(others) => instead = Some(others),
                }
            }
            let (before, after) = match intake.take(&records).await {
                Ok(counts) => counts,
                Err(error) => return Followed::Failed(error),
            };
            self.progress.add_records(stream, after - before);
            let (name, page_number) = (stream.name(), links.pages + 1);
            tracing::debug!(stream = name, page = page_number, records = page.record_count(), "page read");
            let end = instead
                .or_else(|| self.reconsider(window, chain, &page, &records, &seen, after))
                .or_else(|| self.next(&mut links, &page, before == after));
            if let Some(end) = end {
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
        records: &[(Record, &[u8])],
        seen: &Seen,
        served: u64,
    ) -> Option<Followed<'run>> {
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
            Some(surveyed) if surveyed > TOO_MUCH * self.target_records => Some(surveyed),
            None if chain.span == window.span && expected > FAR_TOO_MUCH * self.target_records => {
                Some(expected)
            }
            _ => None,
        };
        whole.and_then(|whole| self.split(window, whole)).or_else(|| {
            let (rest, ahead) = (rest_of(chain.span, records)?, seen.ahead(chain.span)?);
            cut_again(window.under_way.load(Relaxed), rest, ahead).map(Followed::InsteadBy)
        })
    }

    /// How to go on after the first page of a window of which nothing is known. Several chains take memory, so
    /// they wait for their turn with nothing kept; where the turn is free, the page counts and they read the rest.
    fn after_probe(
        &self,
        window: &Window<'_>,
        page: &Page,
        records: &[(Record, &[u8])],
        seen: &Seen,
    ) -> Probed<'run> {
        if page.next_link.is_none() {
            return Probed::Sparse;
        }
        let expected = seen.expected(window.span);
        let slices_of = |span| slices(span, expected * PERHAPS_AT_NIGHT);
        let all = slices_of(window.span);
        if all.len() > 1 {
            let rest = rest_of(window.span, records).zip(self.large.try_acquire().ok());
            return match rest {
                Some((rest, turn)) => Probed::DenseBefore(Followed::InSlices(slices_of(rest), Some(turn))),
                None => Probed::Dense(Followed::InSlices(all, None)),
            };
        }
        let is_too_much = expected > TOO_MUCH * self.target_records;
        let instead = is_too_much.then(|| self.split(window, expected)).flatten();
        instead.map_or(Probed::Sparse, Probed::Dense)
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
    fn next(&self, links: &mut Links, page: &Page, is_fruitless: bool) -> Option<Followed<'run>> {
        let Some(link) = &page.next_link else { return Some(Followed::ToItsEnd) };
        let moved = self.collection.check_link(link).and_then(|()| links.advance(link, is_fruitless));
        moved.err().map(Followed::Failed)
    }
}

fn span_of(planned: &Planned) -> Span {
    Span { start: planned.window.start(), end: planned.window.end() }
}

/// What the first page of `span` leaves. Sign-ins come newest first by default
/// (<https://learn.microsoft.com/graph/api/signin-list>), the order of audits is not documented; `None` where a
/// page has no order. Others may share the second of its last record, so that second belongs to the rest.
fn rest_of(span: Span, records: &[(Record, &[u8])]) -> Option<Span> {
    let times: Option<Vec<_>> = records.iter().map(|(record, _)| record.time).collect();
    let times = times?;
    let second = times.last()?.trunc_subsecs(0);
    let rest = if times.is_sorted_by(|one, next| one >= next) {
        Span { end: second + TimeDelta::seconds(1), ..span }
    } else if times.is_sorted() {
        Span { start: second, ..span }
    } else {
        return None;
    };
    (rest != span && rest.end <= span.end).then_some(rest)
}

/// After a refused link the span is asked for once more from its start, then, as after time-outs, in halves. It
/// is the question that is halved, not the window, so that windows on record can be repaired too.
fn ask_differently<'run>(chain: Chain, no_page: NoPage) -> Followed<'run> {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::Log;
    use std::sync::Arc;
    use tokio::sync::Mutex;

    fn rest_after(times: &[&str]) -> Option<Span> {
        let span = Span {
            start: "2026-11-22T00:00:00Z".parse().unwrap(),
            end: "2026-11-23T00:00:00Z".parse().unwrap(),
        };
        let records: Vec<_> =
            times.iter().map(|time| format!(r#"{{"id":"{time}","createdDateTime":"{time}"}}"#)).collect();
        let body = format!(r#"{{"value":[{}]}}"#, records.join(","));
        let body = Arc::new(Mutex::new(body)).try_lock_owned().unwrap();
        let page = Page::parse(body).unwrap();
        rest_of(span, &page.records_in(span, Log::SignIns).unwrap())
    }

    #[test]
    fn the_rest_lies_behind_the_last_record_of_a_page_with_an_order() {
        let rest = |times: &[&str]| rest_after(times).map(|rest| format!("{:?} {:?}", rest.start, rest.end));
        let newest_first = ["2026-11-22T23:50:00Z", "2026-11-22T22:00:00.7Z", "2026-11-22T22:00:00.7Z"];
        assert_eq!(rest(&newest_first).unwrap(), "2026-11-22T00:00:00Z 2026-11-22T22:00:01Z");
        let oldest_first = ["2026-11-22T00:50:00Z", "2026-11-22T02:00:00.7Z"];
        assert_eq!(rest(&oldest_first).unwrap(), "2026-11-22T02:00:00Z 2026-11-23T00:00:00Z");
        assert_eq!(rest(&["2026-11-22T02:00:00Z", "2026-11-22T03:00:00Z", "2026-11-22T01:00:00Z"]), None);
        assert_eq!(rest(&["2026-11-22T23:59:59.5Z"]), None);
        assert_eq!(rest(&["2026-11-22T00:00:00Z", "2026-11-22T00:00:00.5Z"]), None);
        assert_eq!(rest(&[]), None);
    }
}

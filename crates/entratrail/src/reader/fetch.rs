//! Every page that Graph serves for a window: the chains of pages, and what to do when one breaks.

use super::Reader;
use super::chain::{Chain, Links, Role, slices};
use super::intake::Intake;
use super::large::{LargeTurn, is_large};
use super::survey::Survey;
use crate::error::Error;
use crate::graph::page::{Packed, Page, Seen, Strayed};
use crate::graph::query::Span;
use crate::graph::{NoPage, Rank, Tally};
use crate::plan::Planned;
use crate::record::Record;
use crate::window::WindowLength;
use chrono::{SubsecRound as _, TimeDelta};
use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;

/// A read that passes this many times the target, or will, is given up and split.
const FAR_TOO_MUCH: u64 = 4;
/// A window is split where its pages promise this many times the target: several in a row, or the first one alone where
/// that is too little for a large window.
const TOO_MUCH: u64 = 3;
/// A first page stands at the edge of a day, where there may be this many times less than at noon: whether the window is
/// large is judged by so much more than it shows, because a large one takes memory.
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
struct Window<'read, 'run> {
    planned: &'read Planned,
    span: Span,
    survey: Survey,
    turn: &'read LargeTurn<'run>,
}

/// What the first page of a window says of the rest.
enum Probed {
    /// It counts, and its chain can go on, or be cut.
    GoesOn,
    /// There may be so much that the window has to wait for its turn.
    WaitsForTurn(u64),
    /// It does not count.
    Instead(Followed),
}

/// How following a chain ended.
enum Followed {
    ToItsEnd,
    InsteadBy(Vec<Chain>),
    /// The window is large, with perhaps so many records, and it is not its turn. Its first page was put aside, where that
    /// can be.
    WaitsForTurn(u64, Option<Packed>),
    TooMuch(WindowLength, u64),
    Failed(Error),
}

impl<'run> Reader<'run> {
    /// Fetches every page of the window into `intake`. Where the window turns out to be large, waits for its `turn`
    /// before anything is kept but its first page.
    pub(super) async fn fetch(
        &self,
        planned: &Planned,
        expected: Option<u64>,
        intake: &Intake<'_>,
        turn: &LargeTurn<'run>,
        tally: &Tally,
    ) -> Fetched {
        let (span, survey) = (span_of(planned), Survey::default());
        let window = Window { planned, span, survey, turn };
        let mut chains = match expected {
            Some(records) => slices(window.span, records, self.graph.lacking_chains().max(1)),
            None => vec![Chain { span: window.span, role: Role::Probe }],
        };
        let mut put_aside = None;
        let mut followed = FuturesUnordered::new();
        loop {
            let follow = |chain| self.follow(&window, chain, put_aside.take(), intake, tally);
            followed.extend(chains.drain(..).map(follow));
            match followed.next().await {
                None => return Fetched::Everything,
                Some(Followed::ToItsEnd) => {}
                Some(Followed::InsteadBy(others)) => chains = others,
                Some(Followed::WaitsForTurn(records, first_page)) => {
                    turn.wait(records).await;
                    chains = vec![Chain { span: window.span, role: Role::Probe }];
                    put_aside = first_page;
                }
                Some(Followed::TooMuch(length, records)) => return Fetched::TooMuch(length, records),
                Some(Followed::Failed(error)) => return Fetched::Failed(error),
            }
        }
    }

    /// Follows `chain`, of which the first page may lie aside.
    async fn follow(
        &self,
        window: &Window<'_, 'run>,
        chain: Chain,
        mut put_aside: Option<Packed>,
        intake: &Intake<'_>,
        tally: &Tally,
    ) -> Followed {
        let (stream, _under_way) = (window.planned.stream, self.graph.chain());
        let mut links = Links::starting_with(self.collection.first_link(chain.span));
        let mut seen = Seen::default();
        loop {
            let page = match self.page(window, chain, &links, &seen, put_aside.take(), tally).await {
                Ok(page) => page,
                Err(no_page) => return ask_differently(chain, no_page),
            };
            let records = match page.records_in(chain.span, stream.log()) {
                Ok(records) => records,
                Err(strayed) => return Followed::Failed(filter_ignored(strayed)),
            };
            seen.add(&records);
            if chain.role == Role::Probe && seen.is_first_page() && page.next_link.is_some() {
                match self.after_probe(window, &records, &seen) {
                    Probed::GoesOn => {}
                    Probed::WaitsForTurn(perhaps) => {
                        drop(records);
                        return Followed::WaitsForTurn(perhaps, page.put_aside());
                    }
                    Probed::Instead(instead) => return instead,
                }
            }
            let (before, after) = match intake.take(&records).await {
                Ok(counts) => counts,
                Err(error) => return Followed::Failed(error),
            };
            self.progress.add_records(stream, after - before);
            let (name, page_number) = (stream.name(), links.pages + 1);
            tracing::debug!(stream = name, page = page_number, records = page.record_count(), "page read");
            let end = self
                .reconsider(window, chain, &page, &records, &seen, after)
                .or_else(|| self.next(&mut links, &page, before == after));
            if let Some(end) = end {
                window.survey.chain_is_over(chain.span.start);
                return end;
            }
        }
    }

    /// The next page of `chain`, or the one that was put aside.
    async fn page(
        &self,
        window: &Window<'_, 'run>,
        chain: Chain,
        links: &Links,
        seen: &Seen,
        put_aside: Option<Packed>,
        tally: &Tally,
    ) -> Result<Page, NoPage> {
        if let Some(packed) = put_aside
            && let Some(page) = self.graph.take_up(packed).await
        {
            return Ok(page);
        }
        let stream = window.planned.stream;
        let rank = Rank::new(window.span.start, stream, seen.ahead(chain.span));
        self.graph.page(stream.log(), &links.current, links.pages > 0, rank, tally).await
    }

    /// Whether what was seen so far calls for other chains or shorter windows.
    fn reconsider(
        &self,
        window: &Window<'_, 'run>,
        chain: Chain,
        page: &Page,
        records: &[(Record, &str)],
        seen: &Seen,
        served: u64,
    ) -> Option<Followed> {
        page.next_link.as_ref()?;
        let ahead = seen.ahead(chain.span)?;
        // Wherever the day is densest, the last page alone would promise too much for the rest of it.
        let at_least = ahead.min(seen.expected(chain.span).saturating_sub(seen.count()));
        let judged = window.survey.page(chain.span.start, at_least, served, TOO_MUCH * self.target_records);
        let too_much = (served > FAR_TOO_MUCH * self.target_records).then_some(served * 2);
        judged.or(too_much).and_then(|whole| self.split(window, whole)).or_else(|| {
            let rest = window.turn.is_taken().then(|| rest_of(chain.span, records)).flatten()?;
            let chains = slices(rest, ahead, self.graph.lacking_chains() + 1);
            (chains.len() > 1).then_some(Followed::InsteadBy(chains))
        })
    }

    /// How to go on after the first page of a window of which nothing is known.
    fn after_probe(&self, window: &Window<'_, 'run>, records: &[(Record, &str)], seen: &Seen) -> Probed {
        let expected = seen.expected(window.span);
        let perhaps = expected * PERHAPS_AT_NIGHT;
        if !is_large(perhaps) {
            let is_too_much = expected > TOO_MUCH * self.target_records;
            let instead = is_too_much.then(|| self.split(window, expected)).flatten();
            return instead.map_or(Probed::GoesOn, Probed::Instead);
        }
        if !window.turn.try_take(perhaps) {
            return Probed::WaitsForTurn(perhaps);
        }
        if rest_of(window.span, records).is_some() {
            return Probed::GoesOn;
        }
        let chains = slices(window.span, expected, self.graph.lacking_chains() + 1);
        Probed::Instead(Followed::InsteadBy(chains))
    }

    /// Has shorter windows read in place of this one, which holds about so many records, where it may be split.
    fn split(&self, window: &Window<'_, 'run>, expected: u64) -> Option<Followed> {
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

/// What the first page of `span` leaves. Sign-ins come newest first by default
/// (<https://learn.microsoft.com/graph/api/signin-list>), the order of audits is not documented; `None` where a
/// page has no order. Others may share the second of its last record, so that second belongs to the rest.
fn rest_of(span: Span, records: &[(Record, &str)]) -> Option<Span> {
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
fn ask_differently(chain: Chain, no_page: NoPage) -> Followed {
    match no_page {
        NoPage::Failed(error) => Followed::Failed(error),
        NoPage::LinkRefused(_) if chain.role != Role::SecondTry => {
            Followed::InsteadBy(vec![Chain { role: Role::SecondTry, ..chain }])
        }
        NoPage::LinkRefused(error) | NoPage::TooSlow(error) => match chain.span.halves() {
            Some(halves) => Followed::InsteadBy(
                halves.into_iter().map(|span| Chain { span, role: Role::Slice }).collect(),
            ),
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

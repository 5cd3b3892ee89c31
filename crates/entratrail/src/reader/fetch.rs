//! Every page that Graph serves for a window: what `policy.rs` decides, done.

use super::intake::Intake;
use super::policy::{Chain, Ending, PageFacts, Reading};
use super::{ROOM_PAGES, Reader};
use crate::graph::query::{FULL_PAGE, Span};
use crate::graph::{NoPage, PageRequest, Rank, Tally};
use crate::plan::Planned;
use chrono::{DateTime, TimeDelta, Utc};
use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use std::sync::atomic::Ordering::Relaxed;
use tokio::sync::SemaphorePermit;

/// Age up to which Graph is asked for a record that shows what it keeps: longer than it keeps any.
const LONGEST_KEPT: TimeDelta = TimeDelta::days(31);

impl<'run> Reader<'run> {
    /// Fetches every page of the window into `intake`. Where the window turns out to need slices,
    /// waits for its `room` before any of them starts.
    pub(super) async fn fetch(
        &self,
        planned: &Planned,
        mut reading: Reading,
        intake: &Intake<'_>,
        room: &mut Option<SemaphorePermit<'run>>,
        tally: &Tally,
    ) -> Result<(), Ending> {
        let mut in_flight = FuturesUnordered::new();
        loop {
            if let Some(pages) = reading.pages().filter(|_| room.is_none()) {
                *room = self.take_room(planned.window.start(), pages, Some(intake)).await;
            }
            while let Some(chain) = reading.next() {
                in_flight.push(self.page(planned, chain, intake, tally));
            }
            let Some((chain, page)) = in_flight.next().await else { return Ok(()) };
            match page {
                Ok(page) => reading.after_page(chain, &page)?,
                Err(no_page) => reading.replace(&chain, no_page)?,
            }
            if let (Some(room), Some(records)) = (room.as_mut(), reading.sampled()) {
                let needed = usize::try_from(records / u64::from(FULL_PAGE)).unwrap_or(usize::MAX);
                drop(room.split(room.num_permits().saturating_sub(needed.max(1))));
            }
        }
    }

    /// Waits for room for so many full pages, and takes all that is left beside it: how many pages
    /// there are is not known before the window was sampled.
    pub(super) async fn take_room(
        &self,
        start: DateTime<Utc>,
        pages: u64,
        intake: Option<&Intake<'_>>,
    ) -> Option<SemaphorePermit<'run>> {
        // Windows of one start share room; any other one waits until all of it is free.
        let last = self.room_of.swap(start.timestamp(), Relaxed);
        let pages = if last == start.timestamp() { pages } else { u64::MAX };
        let needed = u32::try_from(pages).unwrap_or(u32::MAX).clamp(1, ROOM_PAGES);
        let mut room = if let Ok(room) = self.room.try_acquire_many(needed) {
            room
        } else {
            // Whoever has room may wait for the turn to make a table, so nobody waits for room with
            // it.
            if let Some(intake) = intake {
                intake.leave_table().await;
            }
            self.room.acquire_many(needed).await.ok()?
        };
        let left = u32::try_from(self.room.available_permits()).unwrap_or(0);
        if let Ok(rest) = self.room.try_acquire_many(left) {
            room.merge(rest);
        }
        Some(room)
    }

    /// Asks for the next page of `chain` and takes it in.
    async fn page(
        &self,
        planned: &Planned,
        mut chain: Chain,
        intake: &Intake<'_>,
        tally: &Tally,
    ) -> (Chain, Result<PageFacts, NoPage>) {
        let next_link = chain.next_link.take();
        let is_next = next_link.is_some();
        let link = next_link.unwrap_or_else(|| self.collection.link(chain.span, chain.top));
        let request = PageRequest {
            link: &link,
            is_next,
            is_single: chain.top == 1,
            rank: Rank::new(planned.window.start(), chain.ahead),
        };
        let page = self.take(planned, request, intake, tally).await;
        (chain, page)
    }

    /// Asks for a page and hands what the window owns of it to `intake`. A record without a
    /// readable time is kept with the window that it was served for, one that another window owns
    /// is left to it.
    async fn take(
        &self,
        planned: &Planned,
        request: PageRequest<'_>,
        intake: &Intake<'_>,
        tally: &Tally,
    ) -> Result<PageFacts, NoPage> {
        let log = planned.stream.log();
        let window = Span { start: planned.window.start(), end: planned.window.end() };
        let page = self.graph.page(log, request, tally).await?;
        if let Some(link) = &page.next_link {
            self.collection.check_link(link).map_err(NoPage::Failed)?;
        }
        let records = page.records(log);
        let times: Vec<_> = records.iter().filter_map(|(record, _)| record.time).collect();
        times
            .iter()
            .filter(|time| window.contains(**time))
            .for_each(|time| self.kept_since.note(*time));
        let gained =
            intake.take(&records, window, page.oversized.as_ref()).await.map_err(NoPage::Failed)?;
        self.progress.add_records(planned.stream, gained);
        tracing::debug!(stream = planned.stream.name(), records = records.len(), "page read");
        Ok(PageFacts {
            times,
            gained,
            next_link: page.next_link.clone(),
            is_busy: self.graph.is_busy(),
        })
    }

    /// Asks Graph for one record at or before `start`, which shows that it keeps what is as old as
    /// that.
    pub(super) async fn probe_kept_since(
        &self,
        start: DateTime<Utc>,
        planned: &Planned,
        tally: &Tally,
    ) -> Result<(), NoPage> {
        let span = Span { start: self.clock.now() - LONGEST_KEPT, end: start };
        if span.start >= span.end {
            return Ok(());
        }
        let log = planned.stream.log();
        let request = PageRequest {
            link: &self.collection.probe_link(span),
            is_next: false,
            is_single: false,
            rank: Rank::new(planned.window.start(), None),
        };
        let page = self.graph.page(log, request, tally).await?;
        let times = page.records(log).into_iter().filter_map(|(record, _)| record.time);
        times
            .filter(|time| span.start <= *time && *time <= span.end)
            .for_each(|time| self.kept_since.note(time));
        Ok(())
    }
}

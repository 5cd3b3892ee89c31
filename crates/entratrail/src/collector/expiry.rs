//! Windows that left the history without being verified: each is told once, and its ledger says so.

use super::Collector;
use super::holdings::{Archived, known_windows};
use crate::error::Error;
use crate::ledger::{Ledger, Origin, ReadResult, ReadRow, State};
use crate::log::Stream;
use crate::report::WindowReport;
use crate::window::Window;
use chrono::{DateTime, NaiveDate, SubsecRound as _, Utc};
use std::borrow::Cow;

/// Start of the error of the row by which a window was told.
const TOLD: &str = "left the history without being verified";

/// Windows of one stream and day that expired and were not told yet.
#[derive(Debug)]
struct Expired {
    stream: Stream,
    day: NaiveDate,
    windows: Vec<(Window, u32)>,
}

impl Collector {
    /// Tells of every window that left the history unverified since this was last looked at. A
    /// failed row in its ledger remembers that, so that it is told once, whatever becomes of the
    /// run.
    pub(super) async fn expire(
        &self,
        archived: &Archived,
        now: DateTime<Utc>,
        damaged: &mut Vec<String>,
    ) -> Result<Vec<WindowReport>, Error> {
        let now = now.trunc_subsecs(3);
        let mut reports = Vec::new();
        for expired in self.expired(archived, now, damaged).await? {
            let rows: Vec<_> =
                expired.windows.iter().map(|&told| row(told, now, &self.origin)).collect();
            self.archive.append(expired.stream, expired.day, &rows).await?;
            reports.extend(expired.windows.iter().map(|(window, read)| {
                let start = window.start();
                let end = window.end();
                WindowReport::unread(expired.stream, start, end, *read, State::Expired)
            }));
        }
        Ok(reports)
    }

    async fn expired(
        &self,
        archived: &Archived,
        now: DateTime<Utc>,
        damaged: &mut Vec<String>,
    ) -> Result<Vec<Expired>, Error> {
        let settings = &self.settings.plan;
        let earliest = settings.earliest_day(archived.oldest_day);
        let mut expired = Vec::new();
        for stream in self.streams() {
            let Some(first) = first_day(archived, stream) else { continue };
            let proof = archived.proof(stream);
            let days = first.max(earliest).iter_days().take_while(|day| *day < archived.oldest_day);
            for day in days {
                let ledger = match archived.earlier.get(&(stream, day)) {
                    Some(ledger) => Cow::Borrowed(ledger),
                    // Its raw objects tell what was read, where the ledger was lost.
                    None => Cow::Owned(self.look_up_day(stream, day, damaged).await?.ledger),
                };
                let ledger = ledger.as_ref();
                let windows: Vec<_> = known_windows(day, ledger, settings)
                    .into_iter()
                    .filter(|&window| window.end() <= now)
                    .filter(|&window| proof.state(ledger, window) == State::Expired)
                    .filter(|&window| is_untold(ledger, window))
                    .map(|window| (window, ledger.next_read(window)))
                    .collect();
                if !windows.is_empty() {
                    expired.push(Expired { stream, day, windows });
                }
            }
        }
        Ok(expired)
    }
}

/// First day of `stream` that a run of this version asked for: every day since then was to be
/// verified.
fn first_day(archived: &Archived, stream: Stream) -> Option<NaiveDate> {
    let days = archived.days.iter().map(|(place, day)| (place, &day.planned_on.ledger));
    archived
        .earlier
        .iter()
        .chain(days)
        .filter(|((of, _), ledger)| *of == stream && ledger.rows().any(|row| row.origin.is_some()))
        .map(|((_, day), _)| *day)
        .min()
}

/// Whether `window` was not told yet. What only an earlier version read is never told: it was not
/// open to proof while Graph kept it.
fn is_untold(ledger: &Ledger, window: Window) -> bool {
    let mut reads = ledger.complete_reads(window).peekable();
    let is_from_before = reads.peek().is_some() && reads.all(|row| row.origin.is_none());
    let is_told = ledger.rows().any(|row| {
        let is_telling = row.error().is_some_and(|error| error.starts_with(TOLD));
        !row.is_complete() && row.window.overlaps(window) && is_telling
    });
    !is_from_before && !is_told
}

fn row((window, read): (Window, u32), now: DateTime<Utc>, origin: &Origin) -> ReadRow {
    let error = format!("{TOLD}: Graph may no longer keep it, so it is read no more");
    ReadRow {
        window,
        read,
        started_at: now,
        finished_at: now,
        result: ReadResult::Failed { error },
        requests: 0,
        retries: 0,
        origin: Some(origin.clone()),
    }
}

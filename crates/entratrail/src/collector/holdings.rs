//! What the archive holds when a run starts, with objects picked up that an earlier run could not record.

use super::Collector;
use crate::archive::{Listing, Recorded};
use crate::error::Error;
use crate::ledger::{Ledger, ReadRow, State, Status};
use crate::log::Stream;
use crate::object::raw_key;
use crate::plan::{Holdings, PlanSettings, RawObject, Scope};
use crate::record::Record;
use crate::report::WindowReport;
use crate::stored::StoredVersions;
use crate::window::{Window, midnight};
use chrono::{DateTime, Days, NaiveDate, Utc};
use futures_util::{StreamExt as _, stream};
use serde_json::Map;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Ledger files that are fetched at once.
const FETCHED_AT_ONCE: usize = 16;

/// One stream and day.
pub(super) type Place = (Stream, NaiveDate);

/// What a run knows of one stream and day.
#[derive(Debug)]
pub(super) struct Day {
    /// What was there when its windows were planned. Reads build on this alone: it must not grow while they
    /// wait, or they would take the work of another run for a part of what they build on.
    pub(super) planned_on: Arc<Holdings>,
    /// The ledger as last seen.
    ledger: Ledger,
}

/// What the archive holds of the days that a run looks at.
#[derive(Debug, Default)]
pub(super) struct Archived {
    pub(super) days: BTreeMap<Place, Day>,
    /// Days whose ledger or objects could not be read; nothing is planned for them.
    pub(super) unreadable: Vec<WindowReport>,
    /// The first reason for that.
    pub(super) error: Option<Error>,
    /// Objects that are not ours.
    pub(super) foreign: Vec<String>,
}

impl Archived {
    /// Takes over what was looked up.
    pub(super) fn add(&mut self, holdings: Holdings) -> Arc<Holdings> {
        let (place, ledger) = ((holdings.stream, holdings.day), holdings.ledger.clone());
        let planned_on = Arc::new(holdings);
        self.days.insert(place, Day { planned_on: Arc::clone(&planned_on), ledger });
        planned_on
    }

    /// Takes over a ledger as it is after a read.
    pub(super) fn update(&mut self, place: Place, ledger: Ledger) {
        if let Some(day) = self.days.get_mut(&place) {
            day.ledger = ledger;
        }
    }

    /// Hours since the end of the oldest settled window that is not verified; 0 where there is none.
    pub(super) fn oldest_unverified_hours(&self, now: DateTime<Utc>, settings: &PlanSettings) -> i64 {
        let oldest_of = |day: &Day| {
            let on_record = day.ledger.windows_on_record();
            let is_unknown = |tile: &Window| !on_record.iter().any(|window| window.overlaps(*tile));
            let tiles = Window::whole_day(day.planned_on.day).tiles(settings.window_length);
            let unknown = tiles.filter(is_unknown);
            let unverified = |window: &Window| day.ledger.state(*window) != State::Verified;
            let ends = on_record.iter().copied().filter(unverified).chain(unknown).map(Window::end);
            ends.filter(|&end| end + settings.settle <= now).min()
        };
        self.days.values().filter_map(oldest_of).min().map_or(0, |end| (now - end).num_hours())
    }

    fn give_up_day(&mut self, stream: Stream, day: NaiveDate, error: Error) {
        tracing::error!(stream = stream.name(), day = %day, "{error}");
        let (start, end) = (midnight(day), midnight(day + Days::new(1)));
        let unread = WindowReport::unread(stream, start, end, 0, State::Missing);
        self.unreadable.push(WindowReport { error: Some(error.to_string()), ..unread });
        self.error.get_or_insert(error);
    }
}

impl Collector {
    /// Looks up every stream and day of `scope`. `only_look` leaves the archive as it is.
    pub(super) async fn look_up(
        &self,
        scope: Scope,
        now: DateTime<Utc>,
        only_look: bool,
    ) -> Result<Archived, Error> {
        let mut archived =
            Archived { foreign: self.archive.foreign_objects(self.log).await?, ..Archived::default() };
        let days = self.settings.plan.days(scope, now);
        let Some(&first) = days.first() else { return Ok(archived) };
        for stream in self.streams() {
            // The listing comes first: an object that is created after it is named by the ledger that is read
            // after it, so that none is taken for a left-over.
            let listing = self.archive.list(stream, first).await?;
            archived.foreign.extend(listing.foreign.iter().cloned());
            let holdings: Vec<_> = days.iter().map(|&day| self.holdings_of(stream, day, &listing)).collect();
            let mut holdings = stream::iter(holdings).buffered(FETCHED_AT_ONCE);
            while let Some((day, found)) = holdings.next().await {
                let found = match found {
                    Ok(found) if !only_look => self.pick_up(found).await,
                    found => found,
                };
                match found {
                    Ok(found) => drop(archived.add(found)),
                    Err(error) => archived.give_up_day(stream, day, error),
                }
            }
        }
        Ok(archived)
    }

    /// Looks up one stream and day afresh.
    pub(super) async fn look_up_day(&self, stream: Stream, day: NaiveDate) -> Result<Holdings, Error> {
        self.pick_up(self.archive.holdings(stream, day).await?).await
    }

    async fn holdings_of(
        &self,
        stream: Stream,
        day: NaiveDate,
        listing: &Listing,
    ) -> (NaiveDate, Result<Holdings, Error>) {
        let objects = listing.objects.get(&day).cloned().unwrap_or_default();
        let ledger = if listing.ledgers.contains(&day) {
            self.archive.ledger(stream, day).await.map(|(ledger, _)| ledger)
        } else {
            Ok(Ledger::default())
        };
        (day, ledger.map(|ledger| Holdings { stream, day, ledger, objects }))
    }

    /// Makes the table of every object that a run stored before it died, and puts it on record.
    async fn pick_up(&self, mut holdings: Holdings) -> Result<Holdings, Error> {
        let mut left_over = holdings.objects_without_row();
        left_over.sort_unstable();
        for object in left_over {
            let row = self.row_of(&holdings, object).await?;
            tracing::warn!(key = row.key, "an object without its ledger row is put on record");
            self.archive.write_table(holdings.stream, &row).await?;
            if let Recorded::Done(ledger) = self.archive.record(holdings.stream, &row, None).await? {
                holdings.ledger = ledger;
            }
        }
        Ok(holdings)
    }

    /// The row of an object: the one that announced it, or one made from what the object holds. It cannot
    /// verify anything, because a read that brings new versions does not.
    async fn row_of(&self, holdings: &Holdings, object: RawObject) -> Result<ReadRow, Error> {
        let mut versions = StoredVersions::default();
        for earlier in holdings.objects_of(object.window).into_iter().filter(|other| other.read < object.read)
        {
            let add = |record, _: &[u8]| versions.add_stored(record, earlier.read);
            self.archive.read_object(holdings.stream, earlier, add).await?;
        }
        let serve = |record: Record, _: &[u8]| {
            versions.serve(record);
        };
        let stored = self.archive.read_object(holdings.stream, object, serve).await?;
        let key = raw_key(holdings.stream, object);
        let announced = holdings.ledger.rows().iter().find(|row| {
            row.announces_object()
                && row.key.as_ref() == Some(&key)
                && row.sha256.as_ref() == Some(&stored.digest.sha256)
        });
        if let Some(announced) = announced {
            return Ok(ReadRow { status: Status::Complete, error: None, ..announced.clone() });
        }
        let stored_at = stored.stored_at.min(self.clock.now());
        Ok(ReadRow {
            window: object.window,
            read: object.read,
            started_at: stored_at,
            finished_at: stored_at,
            status: Status::Complete,
            served: versions.served(),
            new: versions.new_versions(),
            changed: versions.changed(),
            missing: 0,
            key: Some(key),
            sha256: Some(stored.digest.sha256),
            bytes: Some(stored.digest.bytes),
            requests: 0,
            retries: 0,
            error: None,
            other: Map::new(),
        })
    }
}

//! The archive as a run finds it, with objects picked up that an earlier run could not record.

use super::Collector;
use crate::archive::{FETCHED_AT_ONCE, Listing, Recorded};
use crate::error::Error;
use crate::ledger::{
    Announcement, Completed, Counts, Ledger, Proof, ReadResult, ReadRow, State, StoredObject,
    StreamHistory,
};
use crate::log::Stream;
use crate::object::{ledger_key, raw_key};
use crate::plan::{Holdings, PlanSettings, RawObject, Scope};
use crate::report::WindowReport;
use crate::stored::StoredVersions;
use crate::window::{Window, midnight};
use chrono::{DateTime, Days, NaiveDate, Utc};
use futures_util::{StreamExt as _, stream};
use std::collections::BTreeMap;
use std::pin::pin;
use std::sync::Arc;

/// Remark of a row that only the object vouches for.
const FROM_THE_OBJECT: &str =
    "put on record from the raw object alone: the ledger had no entry for this read";

/// One stream and day.
pub(super) type Place = (Stream, NaiveDate);

/// Knowledge of a run about one stream and day.
#[derive(Debug)]
pub(super) struct Day {
    /// Snapshot on which its windows were planned. Reads build on this alone: it must not grow
    /// while they wait, or they would take the work of another run for a part of what they build
    /// on.
    pub(super) planned_on: Arc<Holdings>,
    /// The ledger as last seen.
    ledger: Ledger,
}

/// Use of the objects that an earlier run created and did not put on record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LeftOvers {
    /// To be completed, as a run does before it reads.
    PickUp,
    /// None: a dry run changes nothing.
    LeaveAlone,
}

/// Days of the archive that a run looks at.
#[derive(Debug)]
pub(super) struct Archived {
    pub(super) days: BTreeMap<Place, Day>,
    /// Ledgers of earlier days, which the state of later ones depends on.
    pub(super) earlier: BTreeMap<Place, Ledger>,
    /// Facts of each stream as a whole.
    histories: BTreeMap<Stream, StreamHistory>,
    /// Oldest day of the history.
    pub(super) oldest_day: NaiveDate,
    /// Days whose ledger or objects could not be read; nothing is planned for them.
    pub(super) unreadable: Vec<WindowReport>,
    /// The first reason for that.
    pub(super) error: Option<Error>,
    /// Objects that are not ours.
    pub(super) foreign: Vec<String>,
    /// Sentences, each of which names what the archive lost.
    pub(super) damaged: Vec<String>,
    /// First day of each stream that has a ledger.
    first_ledgers: BTreeMap<Stream, NaiveDate>,
}

impl Archived {
    fn new(oldest_day: NaiveDate, foreign: Vec<String>) -> Self {
        Self {
            days: BTreeMap::new(),
            earlier: BTreeMap::new(),
            histories: BTreeMap::new(),
            oldest_day,
            unreadable: Vec::new(),
            error: None,
            foreign,
            damaged: Vec::new(),
            first_ledgers: BTreeMap::new(),
        }
    }

    /// First day of `stream` that has a ledger.
    pub(super) fn first_ledger(&self, stream: Stream) -> Option<NaiveDate> {
        self.first_ledgers.get(&stream).copied()
    }

    /// The ledger of a day that was looked up.
    pub(super) fn ledger(&self, stream: Stream, day: NaiveDate) -> Option<&Ledger> {
        let place = (stream, day);
        self.days.get(&place).map(|day| &day.ledger).or_else(|| self.earlier.get(&place))
    }

    /// The last day before `today` on which a run read anything.
    pub(super) fn last_run_before(&self, today: NaiveDate) -> Option<NaiveDate> {
        let ledgers = self.days.values().map(|day| &day.ledger);
        let started = ledgers.flat_map(Ledger::rows).map(|row| row.started_at.date_naive());
        started.filter(|day| *day < today).max()
    }

    /// Takes over what was looked up.
    pub(super) fn add(&mut self, holdings: Holdings) -> Arc<Holdings> {
        self.histories.entry(holdings.stream).or_default().add(&holdings.ledger);
        let place = (holdings.stream, holdings.day);
        let ledger = holdings.ledger.clone();
        let planned_on = Arc::new(holdings);
        self.days.insert(place, Day { planned_on: Arc::clone(&planned_on), ledger });
        planned_on
    }

    fn add_earlier(&mut self, place: Place, ledger: Ledger) {
        self.histories.entry(place.0).or_default().add(&ledger);
        self.earlier.insert(place, ledger);
    }

    /// Takes over a ledger as it is after a read.
    pub(super) fn update(&mut self, place: Place, ledger: Ledger) {
        if let Some(day) = self.days.get_mut(&place) {
            day.ledger = ledger;
        }
    }

    /// Rules by which the windows of `stream` are judged after a read of `window`, which has
    /// brought `ledger`.
    pub(super) fn proof_with(&mut self, stream: Stream, ledger: &Ledger, window: Window) -> Proof {
        self.histories.entry(stream).or_default().add_window(ledger, window);
        self.proof(stream)
    }

    /// Rules by which the windows of `stream` are judged.
    pub(super) fn proof(&self, stream: Stream) -> Proof {
        let history = self.histories.get(&stream).copied().unwrap_or_default();
        Proof { history, oldest_day: self.oldest_day }
    }

    /// Hours for which the oldest settled window that still asks for something has asked for it; 0
    /// where there is none.
    pub(super) fn oldest_unverified_hours(
        &self,
        now: DateTime<Utc>,
        settings: &PlanSettings,
    ) -> i64 {
        self.days
            .iter()
            .filter_map(|(&(stream, day), known): (&Place, &Day)| {
                let proof = self.proof(stream);
                let windows = known_windows(day, &known.ledger, settings).into_iter();
                let settled = windows.filter(|window| window.end() + settings.settle <= now);
                settled.filter_map(|window| proof.owed_since(&known.ledger, window)).min()
            })
            .min()
            .map_or(0, |since| (now - since).num_hours())
    }

    fn give_up_day(&mut self, stream: Stream, day: NaiveDate, error: Error) {
        let remedy = error.remedy();
        tracing::error!(stream = stream.name(), day = %day, remedy, "{error}");
        let end = midnight(day + Days::new(1));
        let unread = WindowReport::unread(stream, midnight(day), end, 0, State::Missing);
        self.unreadable.push(WindowReport { error: Some(error.to_string()), ..unread });
        self.error.get_or_insert(error);
    }
}

/// Windows on record of a day, and those of the settings for the rest of it.
pub(super) fn known_windows(
    day: NaiveDate,
    ledger: &Ledger,
    settings: &PlanSettings,
) -> Vec<Window> {
    let on_record = ledger.windows_on_record();
    let tiles: Vec<_> = Window::whole_day(day)
        .tiles(settings.window_length)
        .filter(|tile| !on_record.iter().any(|window| window.overlaps(*tile)))
        .collect();
    on_record.into_iter().chain(tiles).collect()
}

impl Collector {
    /// Looks up every stream and day of `scope`.
    pub(super) async fn look_up(
        &self,
        scope: Scope,
        now: DateTime<Utc>,
        left_overs: LeftOvers,
    ) -> Result<Archived, Error> {
        let oldest_day = self.settings.plan.oldest_day(now);
        let mut archived = Archived::new(oldest_day, self.archive.foreign_objects(self.log).await?);
        let days = self.settings.plan.days(scope, now);
        let Some(&first) = days.first() else { return Ok(archived) };
        for stream in self.streams() {
            // The listing comes first: an object that is created after it is named by the ledger
            // that is read after it, so that none is taken for a left-over.
            let listing = self.archive.list(stream, first).await?;
            archived.foreign.extend(listing.foreign.iter().cloned());
            archived.first_ledgers.extend(listing.ledgers.first().map(|&first| (stream, first)));
            self.look_up_earlier(stream, &days, &listing, &mut archived).await;
            let holdings: Vec<_> =
                days.iter().map(|&day| self.holdings_of(stream, day, &listing)).collect();
            let mut holdings = stream::iter(holdings).buffered(FETCHED_AT_ONCE);
            while let Some((day, found)) = holdings.next().await {
                let found = match found {
                    Ok(found) if left_overs == LeftOvers::PickUp => {
                        self.pick_up(found, &mut archived.damaged).await
                    }
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

    /// Looks up the ledgers of the days that are not in `days` but decide on their state: those
    /// since [`PlanSettings::earliest_day`], and the very first one, which says when the stream
    /// began.
    async fn look_up_earlier(
        &self,
        stream: Stream,
        days: &[NaiveDate],
        listing: &Listing,
        archived: &mut Archived,
    ) {
        let earliest = self.settings.plan.earliest_day(archived.oldest_day);
        let wanted = listing.ledgers_since(earliest).filter(|day| !days.contains(day)).collect();
        let mut ledgers = pin!(self.archive.ledgers(stream, wanted));
        while let Some((day, found)) = ledgers.next().await {
            match found {
                Ok(ledger) => archived.add_earlier((stream, day), ledger),
                // Without it the stream may seem to have begun later than it did, and a debt to be
                // none.
                Err(error) => archived.give_up_day(stream, day, error),
            }
        }
    }

    /// Looks up one stream and day afresh.
    pub(super) async fn look_up_day(
        &self,
        stream: Stream,
        day: NaiveDate,
        damaged: &mut Vec<String>,
    ) -> Result<Holdings, Error> {
        self.pick_up(self.archive.holdings(stream, day).await?, damaged).await
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

    /// Makes the table of every object that a run stored before it died, and puts it on record. The
    /// ledger is read once more for that: an object is announced before it is created, so whoever
    /// saw it listed finds it announced or on record, and makes the table that its own run makes.
    /// An object that nothing announced was on record: its ledger was lost, or an older version
    /// took its place, which `damaged` gets a sentence about.
    async fn pick_up(
        &self,
        mut holdings: Holdings,
        damaged: &mut Vec<String>,
    ) -> Result<Holdings, Error> {
        if !holdings.objects_without_row().is_empty() {
            holdings.ledger = self.archive.ledger(holdings.stream, holdings.day).await?.0;
        }
        let mut left_over = holdings.objects_without_row();
        left_over.sort_unstable();
        for object in left_over {
            // Its own run may have put it on record while the one before it was picked up.
            if holdings.ledger.read_that_stored(&raw_key(holdings.stream, object)).is_some() {
                continue;
            }
            let row = self.row_of(&holdings, object).await?;
            if let Recorded::Done { ledger, row } =
                self.archive.record_stored(holdings.stream, &row, &self.origin, self.clock).await?
            {
                let key = row.object().map(|object| object.key.as_str());
                tracing::warn!(key, "an object without its ledger entry is put on record");
                if row
                    .completed()
                    .is_some_and(|completed| completed.remark.as_deref() == Some(FROM_THE_OBJECT))
                {
                    damaged.push(self.lost_from_ledger(&holdings, object));
                }
                holdings.ledger = ledger;
            }
        }
        Ok(holdings)
    }

    fn lost_from_ledger(&self, holdings: &Holdings, object: RawObject) -> String {
        format!(
            "{} lacked the entry of {}, which was put on record again from what it holds",
            self.archive.address(&ledger_key(holdings.stream, holdings.day)),
            raw_key(holdings.stream, object)
        )
    }

    /// The row of an object, with its table made: the one that announced it, or one made from what
    /// the object holds. It cannot verify anything, because a read that brings new versions does
    /// not.
    async fn row_of(&self, holdings: &Holdings, object: RawObject) -> Result<ReadRow, Error> {
        let mut versions = StoredVersions::default();
        for earlier in
            holdings.objects_of(object.window).into_iter().filter(|other| other.read < object.read)
        {
            self.archive
                .read_object(holdings.stream, earlier, |mut line| {
                    versions.add_stored(line.record(), earlier.read);
                })
                .await?;
        }
        let stored = self
            .archive
            .read_object(holdings.stream, object, |mut line| {
                versions.serve(line.record());
            })
            .await?;
        let stored_at = stored.stored_at.min(self.clock.now());
        let mut found = StoredObject {
            key: raw_key(holdings.stream, object),
            sha256: stored.digest.sha256,
            bytes: stored.digest.bytes,
            records_root: Some(stored.digest.records_root),
            table: None,
        };
        let announcement = holdings.ledger.announcement_of(&found);
        let first_seen = announcement.as_ref().map_or(stored_at, Announcement::started_at);
        let encoded = self.archive.write_table(holdings.stream, &found, first_seen).await?;
        found.table = Some(encoded.stored());
        if let Some(announcement) = announcement {
            return Ok(announcement.confirm(found, None));
        }
        let counts = Counts {
            served: versions.served(),
            new: versions.new_versions(),
            changed: versions.changed(),
            missing: 0,
            untimed: versions.untimed(),
            outside: 0,
        };
        let remark = Some(FROM_THE_OBJECT.to_owned());
        Ok(ReadRow {
            window: object.window,
            read: object.read,
            started_at: stored_at,
            finished_at: stored_at,
            result: ReadResult::Complete(Completed { counts, object: Some(found), remark }),
            requests: 0,
            retries: 0,
            origin: Some(self.origin.clone()),
        })
    }
}

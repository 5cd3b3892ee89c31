//! One run of one log, start to finish: read this first.

mod expiry;
mod holdings;
mod queue;
mod scrub;
mod unread;

use crate::archive::Archive;
use crate::clock::Clock;
use crate::config::RunSettings;
use crate::entra::credential::Application;
use crate::error::{Error, ErrorScope};
use crate::evidence::sealing::seal;
use crate::evidence::signer::Signer;
use crate::evidence::stamping::stamp;
use crate::graph::query::Collection;
use crate::graph::{GraphClient, Tally};
use crate::ledger::{Origin, Proof, State};
use crate::log::{GraphVersion, Log, Stream};
use crate::plan::{Holdings, Planned, Scope, plan_day};
use crate::progress::Progress;
use crate::reader::{KeptSince, Outcome, ROOM_PAGES, Reader};
use crate::report::{Report, Sealed, Vitals, WindowReport};
use crate::request::Collect;
use crate::window::midnight;
use chrono::{DateTime, NaiveDate, Utc};
use futures_util::StreamExt as _;
use futures_util::future::{FusedFuture, FutureExt as _};
use futures_util::stream::FuturesUnordered;
use holdings::{Archived, LeftOvers};
use queue::{Queue, Task};
use scrub::{Findings, LostTable};
use std::collections::BTreeSet;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::AtomicI64;
use tokio::sync::{Semaphore, watch};

/// All that a run of one log needs.
#[derive(Debug)]
pub struct Collector {
    /// Log that is read.
    pub log: Log,
    /// The settings.
    pub settings: RunSettings,
    /// Who reads, as the ledger says it.
    pub origin: Origin,
    /// Client of Graph, under one limit for all who share it.
    pub graph: Arc<GraphClient>,
    /// Archive that takes the records.
    pub archive: Archive,
    /// The time.
    pub clock: Clock,
    /// Progress of the run.
    pub progress: Arc<Progress>,
    /// Who signs the history of the ledger, or why nobody can; `None` where nobody is to.
    pub signer: Option<Result<Arc<Signer>, Error>>,
}

/// Result of one run.
#[derive(Debug)]
pub struct Run {
    /// Report of what was done.
    pub report: Report,
    /// Why the run failed, where it did: the first cause.
    pub error: Option<Error>,
    /// Whether only time was lacking, so that another invocation is to go on.
    pub ran_out_of_time: bool,
    /// The first window that was not read.
    pub first_left: Option<Planned>,
    /// Numbers for the metrics.
    pub vitals: Vitals,
}

/// State that the reads of one run share.
struct Shared {
    /// Room for windows that are read as several chains, because they take memory.
    room: Semaphore,
    /// Start of the window that asked for room last, in seconds since 1970.
    room_of: AtomicI64,
    /// Turn to make a table object, for the same reason.
    tables: Semaphore,
    kept_since: KeptSince,
}

/// A window that was taken from the queue, and how that ended.
struct Finished {
    task: Task,
    outcome: Outcome,
    tally: Tally,
}

impl Collector {
    /// A collector for `log` that signs on as `application`.
    pub fn new(
        log: Log,
        settings: RunSettings,
        application: Application,
        archive: Archive,
        clock: Clock,
    ) -> Result<Self, Error> {
        let origin = Origin::new(Some(&application.client_id));
        let graph = Arc::new(GraphClient::new(&settings.graph, application, clock)?);
        Ok(Self::sharing(graph, log, settings, origin, archive, clock))
    }

    /// A collector for `log` that asks through `graph`, as others may at the same time.
    pub fn sharing(
        graph: Arc<GraphClient>,
        log: Log,
        settings: RunSettings,
        origin: Origin,
        archive: Archive,
        clock: Clock,
    ) -> Self {
        let progress = Arc::new(Progress::of(&log.streams(&settings.event_types)));
        Self { log, settings, origin, graph, archive, clock, progress, signer: None }
    }

    /// Has `signer` sign the history of the ledger.
    #[must_use]
    pub fn signed_by(self, signer: Option<Result<Arc<Signer>, Error>>) -> Self {
        Self { signer, ..self }
    }

    /// The streams of the log that are wanted.
    pub fn streams(&self) -> Vec<Stream> {
        self.log.streams(&self.settings.event_types)
    }

    /// Address and version of Graph at which `stream` is asked for.
    pub fn collection(&self, stream: Stream) -> Collection {
        let version = GraphVersion::serving(&self.streams());
        Collection { graph_url: self.settings.graph.graph_url.clone(), version, stream }
    }

    /// Reads what is due, or what `request` asks for, until all is done or `stop_at` has come.
    pub async fn run(
        &self,
        request: &Collect,
        stop_at: Option<DateTime<Utc>>,
    ) -> Result<Run, Error> {
        let time_is_up = async {
            match stop_at {
                Some(stop_at) => self.clock.sleep_until(stop_at).await,
                None => std::future::pending().await,
            }
        };
        self.run_until(request, time_is_up).await
    }

    /// Like [`run`](Self::run), but stops when `stop` completes.
    pub async fn run_until(
        &self,
        request: &Collect,
        stop: impl Future<Output = ()>,
    ) -> Result<Run, Error> {
        let started_at = self.clock.now();
        let scope = scope_of(request, started_at)?;
        let mut stop = pin!(stop.fuse());
        // What an earlier run has put on record is signed before anything is added to it.
        let sealed_before = if request.is_dry_run { None } else { self.seal().await };
        let left_overs = if request.is_dry_run { LeftOvers::LeaveAlone } else { LeftOvers::PickUp };
        let mut archived = self.look_up(scope, started_at, left_overs).await?;
        let mut run = Work::new(self.log, self.streams(), &mut archived);
        run.report_expired(scope, self.settings.plan.oldest_day(started_at));
        if request.is_dry_run {
            run.report_plan(self.plan(&archived, scope, started_at));
        } else {
            let lost_tables = match scope {
                Scope::Due => run.take_findings(self.scrub(&archived, started_at).await),
                Scope::Span { .. } => Vec::new(),
            };
            run.queue = Queue::new(self.plan(&archived, scope, started_at));
            self.work(&mut run, &mut archived, scope, &mut stop).await;
            // What Graph may drop comes first; a table can be made at any time.
            match self.remake_tables(lost_tables, &mut stop).await {
                Ok(remade) => run.report.remade_tables = remade,
                Err(error) => run.fail_with(error),
            }
        }
        if scope == Scope::Due && !request.is_dry_run {
            match self.expire(&archived, self.clock.now(), &mut run.report.damaged).await {
                Ok(expired) => expired.into_iter().for_each(|window| run.report.add(window)),
                Err(error) => run.fail_with(error),
            }
        }
        if let Some(before) = sealed_before
            && let Some(sealed) = self.seal().await
        {
            if let Some(alarm) = before.alarms.iter().chain(&sealed.alarms).next() {
                run.fail_with(Error::archive(alarm.clone()));
            }
            run.report.evidence = Some(sealed);
        }
        let now = self.clock.now();
        run.report.duration_ms = u64::try_from((now - started_at).num_milliseconds()).unwrap_or(0);
        let oldest_unverified_hours = (scope == Scope::Due)
            .then(|| archived.oldest_unverified_hours(now, &self.settings.plan));
        let history_days = self.settings.plan.history_days;
        Ok(run.end(history_days, oldest_unverified_hours, self.graph.credential_days_left()))
    }

    /// Enters all rows on record into the signed log, where there is to be one.
    async fn seal(&self) -> Option<Sealed> {
        let signer = self.signer.as_ref()?;
        let mut sealed = seal(&self.archive, self.log, signer.as_deref()).await;
        if let (Some(url), Some(note)) = (&self.settings.time_stamps, &sealed.checkpoint) {
            // In a box, because a client of HTTP is too deep a future for whatever holds a run.
            let stamped = Box::pin(stamp(&self.archive, self.log, note, url)).await;
            sealed.unstamped = stamped.err().map(|error| error.to_string());
        }
        if let Some(reason) = &sealed.unstamped {
            tracing::warn!(log = self.log.name(), "{reason}");
        }
        if let Some(reason) = &sealed.delayed {
            tracing::warn!(
                log = self.log.name(),
                waiting = sealed.waiting,
                "rows wait to be signed: {reason}"
            );
        }
        Some(sealed)
    }

    /// The windows to read, in the order of their time.
    fn plan(&self, archived: &Archived, scope: Scope, now: DateTime<Utc>) -> Vec<Task> {
        let mut tasks: Vec<_> = archived
            .days
            .values()
            .flat_map(|day| {
                let proof = archived.proof(day.planned_on.stream);
                self.plan_day(&day.planned_on, &proof, scope, now)
            })
            .collect();
        tasks.sort_by_key(|task| (task.planned.window.start(), task.planned.stream));
        tasks
    }

    fn plan_day(
        &self,
        holdings: &Holdings,
        proof: &Proof,
        scope: Scope,
        now: DateTime<Utc>,
    ) -> Vec<Task> {
        let planned = plan_day(holdings, proof, scope, now, &self.settings.plan).into_iter();
        planned.map(|planned| Task::new(planned, holdings)).collect()
    }

    /// Reads every window of the queue, several at a time.
    async fn work<Stop>(
        &self,
        run: &mut Work,
        archived: &mut Archived,
        scope: Scope,
        stop: &mut Stop,
    ) where
        Stop: FusedFuture<Output = ()> + Unpin,
    {
        let (halt, halted) = watch::channel(false);
        let shared = Shared {
            room: Semaphore::new(ROOM_PAGES as usize),
            room_of: AtomicI64::new(0),
            tables: Semaphore::new(1),
            kept_since: KeptSince::new(self.clock),
        };
        let mut in_flight = FuturesUnordered::new();
        self.streams().into_iter().for_each(|stream| self.publish(run, stream));
        loop {
            if (&mut *stop).now_or_never().is_some() {
                halt.send_replace(true);
            }
            while !*halted.borrow() && in_flight.len() < self.settings.graph.concurrency {
                let Some(task) = run.queue.next() else { break };
                let Some(day) = archived.days.get(&task.place()) else { continue };
                in_flight.push(self.read(
                    task,
                    Arc::clone(&day.planned_on),
                    &shared,
                    halted.clone(),
                ));
            }
            let finished = tokio::select! {
                finished = in_flight.next() => finished,
                () = &mut *stop, if !stop.is_terminated() => {
                    halt.send_replace(true);
                    continue;
                }
            };
            let Some(finished) = finished else { break };
            let stream = finished.task.planned.stream;
            run.queue.landed(&finished.task);
            if let Outcome::Superseded = finished.outcome {
                self.plan_again(run, archived, scope, &finished).await;
            }
            run.take(finished, archived, &self.progress);
            self.publish(run, stream);
            if run.is_hopeless() {
                halt.send_replace(true);
            }
        }
        let has_failed = run.is_hopeless();
        run.ran_out_of_time = !has_failed && (run.was_stopped || run.queue.len() > 0);
    }

    fn publish(&self, run: &Work, stream: Stream) {
        self.progress.windows_are_left(stream, run.queue.left(stream));
    }

    async fn read(
        &self,
        task: Task,
        holdings: Arc<Holdings>,
        shared: &Shared,
        mut halted: watch::Receiver<bool>,
    ) -> Finished {
        let reader = Reader {
            graph: &self.graph,
            archive: &self.archive,
            clock: self.clock,
            collection: self.collection(task.planned.stream),
            target_records: self.settings.target_records,
            progress: &self.progress,
            origin: &self.origin,
            kept_since: &shared.kept_since,
            room: &shared.room,
            room_of: &shared.room_of,
            tables: &shared.tables,
        };
        let stop = async {
            // That the run is over, so that nobody can halt it any more, is a reason to stop as
            // well.
            let _ = halted.wait_for(|is_halted| *is_halted).await;
        };
        let tally = Tally::default();
        // In a box: a read is too large a future for the stack.
        let read = reader.read(&task.planned, &holdings, task.estimate, &tally, stop);
        let outcome = Box::pin(read).await;
        Finished { task, outcome, tally }
    }

    /// Another run works on the same day: looks at what it has done, and takes up what is still
    /// due.
    async fn plan_again(
        &self,
        run: &mut Work,
        archived: &mut Archived,
        scope: Scope,
        finished: &Finished,
    ) {
        let (stream, day) = finished.task.place();
        if !run.queue.may_plan_again((stream, day)) {
            run.fail(&finished.task, Error::incomplete(format!(
                "another run keeps reading {} of {day} at the same time; the next run checks that \
                 nothing is missing",
                stream.name()
            )));
            return;
        }
        match self.look_up_day(stream, day, &mut run.report.damaged).await {
            Ok(holdings) => {
                let holdings = archived.add(holdings);
                let due =
                    self.plan_day(&holdings, &archived.proof(stream), scope, self.clock.now());
                run.queue.plan_again((stream, day), due);
            }
            Err(error) => run.fail(&finished.task, error),
        }
    }
}

fn scope_of(request: &Collect, now: DateTime<Utc>) -> Result<Scope, Error> {
    let Some((from, to)) = request.span else { return Ok(Scope::Due) };
    if from < now {
        return Ok(Scope::Span { from, to, asked_at: request.asked_at.unwrap_or(now) });
    }
    Err(Error::event(format!(
        "the span that is asked for starts at {from}, which lies in the future"
    )))
}

/// Work of a run: done so far, and left.
struct Work {
    report: Report,
    error: Option<Error>,
    queue: Queue,
    was_stopped: bool,
    ran_out_of_time: bool,
    has_expired: Option<String>,
    streams: Vec<Stream>,
    /// Streams that were refused for lack of a permission or licence.
    refused: BTreeSet<Stream>,
    has_been_served: bool,
}

impl Work {
    fn new(log: Log, streams: Vec<Stream>, archived: &mut Archived) -> Self {
        let mut report = Report::new(log);
        report.foreign = std::mem::take(&mut archived.foreign);
        report.damaged = std::mem::take(&mut archived.damaged);
        for window in std::mem::take(&mut archived.unreadable) {
            report.add(window);
        }
        let error = archived.error.take();
        Self {
            report,
            error,
            queue: Queue::default(),
            was_stopped: false,
            ran_out_of_time: false,
            has_expired: None,
            streams,
            refused: BTreeSet::new(),
            has_been_served: false,
        }
    }

    /// Whether every other window would fail in the same way. A permission or licence that one
    /// stream lacks stops the run only when Graph has served no stream, and refused them all.
    fn is_hopeless(&self) -> bool {
        self.error.as_ref().is_some_and(|error| {
            error.scope() == ErrorScope::Run
                && (!error.is_refusal_of_a_stream()
                    || !self.has_been_served && self.refused.len() == self.streams.len())
        })
    }

    /// Names the part of a span that Graph may already have dropped.
    fn report_expired(&mut self, scope: Scope, oldest: NaiveDate) {
        let Scope::Span { from, to, .. } = scope else { return };
        let end = to.min(midnight(oldest));
        if from >= end {
            return;
        }
        for &stream in &self.streams {
            self.report.add(WindowReport::unread(stream, from, end, 0, State::Expired));
        }
        self.has_expired = Some(format!(
            "records since {from} were asked for, and none before {oldest} was read: HISTORY_DAYS \
             allows no older day, because Graph may have dropped it and an empty answer would look \
             like proof"
        ));
    }

    /// Notes what a look at the archive found, and returns the tables that are to be made again.
    fn take_findings(&mut self, findings: Findings) -> Vec<LostTable> {
        if let Some(error) = findings.error() {
            self.fail_with(error);
        }
        self.report.damaged.extend(findings.damaged);
        findings.tables
    }

    fn report_plan(&mut self, tasks: Vec<Task>) {
        self.report.remaining_windows = tasks.len() as u64;
        self.has_expired = None;
        for Task { planned, .. } in tasks {
            let start = planned.window.start();
            let end = planned.window.end();
            self.report.add(WindowReport::unread(
                planned.stream,
                start,
                end,
                planned.read,
                planned.state,
            ));
        }
    }

    fn take(&mut self, finished: Finished, archived: &mut Archived, progress: &Progress) {
        let Finished { task, outcome, tally } = finished;
        self.report.requests += tally.requests();
        self.report.retries += tally.retries();
        self.report.throttled += tally.throttled();
        match outcome {
            Outcome::Read { row, ledger, unexpected_fields } => {
                progress.window_is_done(task.planned.stream);
                self.has_been_served = true;
                let proof = archived.proof_with(task.planned.stream, &ledger, row.window);
                // Here a window becomes verified, or it does not.
                let state = proof.state(&ledger, row.window);
                let reason = proof.doubt(&ledger, row.window);
                archived.update(task.place(), ledger);
                self.report
                    .add(WindowReport { unexpected_fields, ..task.report(&row, state, reason) });
            }
            Outcome::Split(split) => self.queue.put_first(task.split(split)),
            Outcome::Stopped => {
                self.was_stopped = true;
                self.queue.put_first(vec![task]);
            }
            Outcome::Failed(error) => {
                progress.window_has_failed(task.planned.stream);
                self.fail(&task, error);
            }
            Outcome::Superseded => {}
        }
    }

    fn fail(&mut self, task: &Task, error: Error) {
        let Planned { stream, window, .. } = task.planned;
        let remedy = error.remedy();
        tracing::error!(stream = stream.name(), window = %window.start(), remedy, "{error}");
        self.report.add(task.failure(&error));
        if error.is_refusal_of_a_stream() {
            self.refused.insert(stream);
        }
        self.fail_with(error);
    }

    /// Keeps the first cause, or the first that stops the run.
    fn fail_with(&mut self, error: Error) {
        let scope = self.error.as_ref().map(Error::scope);
        if scope.is_none_or(|scope| scope < error.scope()) {
            self.error = Some(error);
        }
    }

    fn end(
        mut self,
        history_days: u16,
        oldest_unverified_hours: Option<i64>,
        credential_days_left: Option<i64>,
    ) -> Run {
        self.report.remaining_windows += self.queue.len() as u64;
        let error = match (self.error, self.has_expired) {
            (Some(error), _)
                if self.report.failed_windows() == 0 && self.report.remaining_windows == 0 =>
            {
                Some(error)
            }
            (Some(error), _) => {
                Some(error.and(unread::describe(&self.report, self.queue.waiting(), history_days)))
            }
            (None, Some(expired)) => Some(Error::event(expired)),
            (None, None) => None,
        };
        let succeeded = error.is_none();
        Run {
            report: self.report,
            error,
            ran_out_of_time: self.ran_out_of_time,
            first_left: self.queue.first(),
            vitals: Vitals {
                oldest_unverified_hours,
                credential_days_left,
                succeeded: Some(succeeded),
            },
        }
    }
}

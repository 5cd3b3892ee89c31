//! The simulator as a library: start one, point a reader at it, ask what it saw.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::thread::JoinHandle;

use chrono::{DateTime, Utc};
use tokio::sync::oneshot;
use tokio::task::AbortHandle;

use crate::error::Error;
use crate::fault::{Alteration, FaultPlan, Faults};
use crate::scenario::{Log, Scenario};
use crate::state::certificate::Certificate;
use crate::state::journal::{
    CompletedChain, Counts, OnFile, RequestLine, Served, ServedChain, Version,
};
use crate::state::{State, lock};
use crate::stream::{ApiVersion, Stream};
use crate::tenant::record_form::RecordForm;
use crate::tenant::records::Records;
use crate::tenant::timeline::{Reference, Selection};
use crate::{server, ticks};

/// A running tenant on a loopback port. It stops when dropped; never share one between tests.
#[derive(Debug)]
pub struct Simulator {
    state: Arc<State>,
    home: Home,
}

/// Runtime that serves it.
#[derive(Debug)]
enum Home {
    /// A thread with a runtime of its own.
    Thread(Option<oneshot::Sender<()>>, Option<JoinHandle<()>>),
    /// A task of the caller's runtime.
    Task(AbortHandle),
}

impl Simulator {
    /// Starts on a free port of 127.0.0.1.
    pub async fn start(scenario: Scenario) -> Result<Self, Error> {
        Self::start_on(scenario, (Ipv4Addr::LOCALHOST, 0).into()).await
    }

    /// Starts on a given address. The records of the scenario are laid out before this returns.
    pub async fn start_on(scenario: Scenario, address: SocketAddr) -> Result<Self, Error> {
        let (listener, url) = listen(address)?;
        let (stop, stopped) = oneshot::channel();
        let (ready, started) = oneshot::channel();
        let thread = std::thread::Builder::new()
            .name("graph-simulator".to_owned())
            .spawn(move || run(scenario, url, listener, ready, stopped))
            .map_err(|error| unstarted(&error))?;
        let state = started.await.map_err(|_| Error::Start("its thread ended".to_owned()))??;
        Ok(Self { state, home: Home::Thread(Some(stop), Some(thread)) })
    }

    /// Starts on a free port of 127.0.0.1 as a task of the caller's runtime, and so with its clock:
    /// where tokio's time is paused, simulated time passes as the caller lets it pass.
    pub fn start_here(scenario: Scenario) -> Result<Self, Error> {
        let (listener, url) = listen((Ipv4Addr::LOCALHOST, 0).into())?;
        let listener =
            tokio::net::TcpListener::from_std(listener).map_err(|error| unstarted(&error))?;
        let state = Arc::new(State::new(scenario, url)?);
        let server = tokio::spawn(server::serve(listener, Arc::clone(&state)));
        Ok(Self { state, home: Home::Task(server.abort_handle()) })
    }

    /// The base URL: Graph, login and STS endpoint alike.
    pub fn url(&self) -> &str {
        &self.state.url
    }

    /// The simulated time.
    pub fn now(&self) -> DateTime<Utc> {
        ticks::to_time(self.state.clock.now())
    }

    /// Jumps to another simulated time; the clock goes on from there.
    pub fn set_now(&self, now: DateTime<Utc>) {
        self.state.clock.set(ticks::from_time(now));
    }

    /// Every request so far, in the order of arrival.
    pub fn requests(&self) -> Vec<RequestLine> {
        lock(&self.state.journal).requests.clone()
    }

    /// Every distinct record version that left in a complete and intact page and had been asked
    /// for.
    pub fn served(&self) -> Vec<Served> {
        let versions = lock(&self.state.journal).served();
        self.distinct(versions)
    }

    /// Records that a perfect reader would be served now.
    ///
    /// Sign-ins come from beta and all else from v1.0, with all enum members.
    pub fn visible(&self) -> Vec<Served> {
        let mut visible = self.select(&Stream::SIGN_INS, ApiVersion::Beta);
        visible.extend(self.select(&[Stream::DirectoryAudits], ApiVersion::V1));
        visible.extend(self.select(&[Stream::Provisioning], ApiVersion::V1));
        visible
    }

    /// Records that a perfect reader of one API version would be served now.
    ///
    /// v1.0 has interactive sign-ins only.
    pub fn visible_in(&self, version: ApiVersion) -> Vec<Served> {
        match version {
            ApiVersion::V1 => self.select(&Log::ALL.map(Log::usual_stream), version),
            ApiVersion::Beta => self.select(&Stream::ALL, version),
        }
    }

    /// Shows every record version of a stream that is on file now, one by one: for a million of
    /// them.
    pub fn each_on_file(&self, stream: Stream, version: ApiVersion, mut look: impl FnMut(&OnFile)) {
        let records = &self.state.records;
        let alterations = self.state.scenario.faults.alterations();
        for of in self.on_file(&[stream]) {
            let mut texts: Vec<String> = Vec::new();
            for masked in [false, true] {
                for alteration in &alterations {
                    let text = records.text(of, RecordForm { version, masked }, *alteration);
                    if !texts.contains(&text) {
                        texts.push(text);
                    }
                }
            }
            look(&OnFile { time: ticks::to_time(records.timeline.time(of)), texts });
        }
    }

    /// Every chain that was followed to its end so far, where the scenario says `remember_chains`.
    pub fn chains(&self) -> Vec<CompletedChain> {
        let journal = lock(&self.state.journal);
        let mut chains = Vec::new();
        for record in &journal.completed {
            let versions = record.versions().map(|version| (*version, Vec::new())).collect();
            chains.push(CompletedChain {
                streams: record.span.streams.iter().map(|stream| stream.name()).collect(),
                from: bound(record.span.from),
                to: bound(record.span.to),
                started_at: record.started_at,
                finished_at: record.finished_at,
                ended_early: record.ended_early,
                served: self.distinct(versions),
            });
        }
        chains
    }

    /// Every version of a stream with a time in `[from, to)` that each completed chain whose span
    /// holds that time has served, there being at least one: no reader may lack any of them. Only
    /// where the scenario says `remember_chains`.
    pub fn served_throughout(
        &self,
        stream: Stream,
        from: DateTime<Utc>,
        to: DateTime<Utc>,
    ) -> Vec<Served> {
        let from = ticks::from_time(from);
        let to = ticks::from_time(to);
        let timeline = &self.state.records.timeline;
        let journal = lock(&self.state.journal);
        let chains: Vec<&ServedChain> =
            journal.completed.iter().filter(|chain| chain.span.streams.contains(&stream)).collect();
        let mut times_served: HashMap<Version, usize> = HashMap::new();
        for chain in &chains {
            let distinct: HashSet<&Version> = chain.versions().collect();
            for version in distinct {
                *times_served.entry(*version).or_default() += 1;
            }
        }
        let mut versions: Vec<(Version, usize)> = times_served
            .into_iter()
            .filter(|(version, times)| {
                let time = timeline.time(version.0);
                let spans =
                    chains.iter().filter(|chain| (chain.span.from..=chain.span.to).contains(&time));
                (from..to).contains(&time) && version.0.stream == stream && *times == spans.count()
            })
            .collect();
        versions.sort_unstable();
        self.distinct(versions.into_iter().map(|(version, _)| (version, Vec::new())).collect())
    }

    /// Cheap counters.
    pub fn counts(&self) -> Counts {
        lock(&self.state.journal).counts
    }

    /// Adds a certificate (PEM) to the application's credentials.
    pub fn register_certificate(&self, pem: &str) -> Result<(), Error> {
        lock(&self.state.certificates).push(Certificate::from_pem(pem)?);
        Ok(())
    }

    /// Replaces the faults; scripts count from the start again.
    pub fn set_faults(&self, faults: Faults) {
        *lock(&self.state.faults) = FaultPlan::new(faults, self.state.scenario.seed);
    }

    /// The scenario that is played.
    pub fn scenario(&self) -> &Scenario {
        &self.state.scenario
    }

    fn select(&self, streams: &[Stream], version: ApiVersion) -> Vec<Served> {
        let form = RecordForm { version, masked: false };
        let found = self.on_file(streams);
        self.distinct(
            found.into_iter().map(|of| ((of, form, Alteration::None), Vec::new())).collect(),
        )
    }

    /// Every version of these streams that is on file now.
    fn on_file(&self, streams: &[Stream]) -> Vec<Reference> {
        let now = self.state.clock.now();
        let selection = Selection {
            streams,
            from: i64::MIN,
            to: i64::MAX,
            after: None,
            descending: false,
            now,
            oldest: self.state.oldest(now),
            limit: usize::MAX,
        };
        self.state.records.timeline.select(&selection)
    }

    /// Bodies of these versions; one that was laid out twice (a repeated record) counts once.
    fn distinct(&self, versions: Vec<(Version, Vec<DateTime<Utc>>)>) -> Vec<Served> {
        let records = &self.state.records;
        let mut places: HashMap<(&str, Arc<str>), usize> = HashMap::new();
        let mut distinct: Vec<Served> = Vec::with_capacity(versions.len());
        for ((of, form, alteration), served_at) in versions {
            let time = ticks::to_time(records.timeline.time(of));
            let json: Arc<str> = records.text(of, form, alteration).into();
            let stream = of.stream.name();
            let id = Records::id(&json).to_owned();
            match places.entry((stream, Arc::clone(&json))) {
                Entry::Occupied(place) => distinct[*place.get()].served_at.extend(served_at),
                Entry::Vacant(place) => {
                    place.insert(distinct.len());
                    distinct.push(Served { stream, id, time, json, served_at });
                }
            }
        }
        distinct
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        match &mut self.home {
            Home::Thread(stop, thread) => {
                stop.take();
                if let Some(thread) = thread.take() {
                    thread.join().unwrap_or_default();
                }
            }
            Home::Task(server) => server.abort(),
        }
    }
}

/// A bound of a span, unless there is none.
fn bound(ticks: i64) -> Option<DateTime<Utc>> {
    (i64::MIN < ticks && ticks < i64::MAX).then(|| ticks::to_time(ticks))
}

fn listen(address: SocketAddr) -> Result<(std::net::TcpListener, String), Error> {
    let (listener, bound_to) = bind(address).map_err(|source| Error::Listen { address, source })?;
    Ok((listener, format!("http://{bound_to}")))
}

fn bind(address: SocketAddr) -> std::io::Result<(std::net::TcpListener, SocketAddr)> {
    let listener = std::net::TcpListener::bind(address)?;
    listener.set_nonblocking(true)?;
    let bound_to = listener.local_addr()?;
    Ok((listener, bound_to))
}

/// The simulator's own thread: nothing that a test does to its runtime can slow the service down.
fn run(
    scenario: Scenario,
    url: String,
    listener: std::net::TcpListener,
    ready: oneshot::Sender<Result<Arc<State>, Error>>,
    stopped: oneshot::Receiver<()>,
) {
    let runtime =
        match tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build() {
            Ok(runtime) => runtime,
            Err(error) => return ready.send(Err(unstarted(&error))).unwrap_or_default(),
        };
    let state = match State::new(scenario, url) {
        Ok(state) => Arc::new(state),
        Err(error) => return ready.send(Err(error)).unwrap_or_default(),
    };
    runtime.block_on(async {
        let listener = match tokio::net::TcpListener::from_std(listener) {
            Ok(listener) => listener,
            Err(error) => return ready.send(Err(unstarted(&error))).unwrap_or_default(),
        };
        if ready.send(Ok(Arc::clone(&state))).is_ok() {
            tokio::select! {
                _ = server::serve(listener, state) => {}
                _ = stopped => {}
            }
        }
    });
    runtime.shutdown_background();
}

fn unstarted(error: &std::io::Error) -> Error {
    Error::Start(error.to_string())
}

#[cfg(test)]
mod tests {
    use chrono::NaiveDate;

    use super::*;

    #[tokio::test]
    async fn a_day_of_contoso_is_the_same_whenever_it_is_looked_at() {
        let day_zero: NaiveDate = "2026-11-23".parse().unwrap();
        let mut seen = Vec::new();
        for now in ["2026-11-23T12:00:00Z", "2026-11-25T12:00:00Z"] {
            let now: DateTime<Utc> = now.parse().unwrap();
            let mut tenant = Scenario::default_tenant().unwrap().as_of(now.date_naive(), day_zero);
            tenant.clock.now = Some(now);
            let tenant = Simulator::start(tenant).await.unwrap();
            let mut records = tenant.visible();
            records.retain(|record| record.time.date_naive() < day_zero);
            let mut records: Vec<_> = records.into_iter().map(|record| record.json).collect();
            records.sort_unstable();
            seen.push(records);
        }
        assert!(seen[0].len() > 1000);
        assert!(seen[0] == seen[1]);
    }
}

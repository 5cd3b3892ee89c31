//! A simulated tenant and an archive, with the collector between them, in simulated time.

#![expect(
    clippy::expect_used,
    clippy::missing_panics_doc,
    reason = "a test ends at the first thing that is not as it should be"
)]

use crate::audit::{Audit, canonical, owned_at, stream_folder};
use crate::days::midnight;
use crate::folder::Folder;
use crate::simulated_time::TimeKeeper;
use crate::storage::Storage;
use chrono::{DateTime, TimeDelta, Utc};
use entratrail::archive::Archive;
use entratrail::clock::Clock;
use entratrail::collector::{Collector, Run};
use entratrail::config::Config;
use entratrail::error::Error;
use entratrail::evidence::audit::{LedgerCheck, SignedLog};
use entratrail::evidence::signer::Signer;
use entratrail::graph::credential::{Application, Credential};
use entratrail::graph::kept_in::KeptIn;
use entratrail::log::Log;
use entratrail::request::{Collect, Request};
use graph_simulator::scenario::Log as ScenarioLog;
use graph_simulator::{ApiVersion, RequestKind, Scenario, Served, Simulator, Stream};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;

/// Settings that a process needs until it reads.
const START: Duration = Duration::from_millis(10);

/// Sentence about an older time that is in no window of a run.
const LONGEST_KEPT: TimeDelta = TimeDelta::days(31);

/// One tenant and its archive.
#[derive(Debug)]
pub struct World {
    /// The tenant.
    pub simulator: Simulator,
    /// The bucket that holds the archive, unless a folder does.
    pub storage: Storage,
    folder: Option<Folder>,
    log: Log,
    environment: BTreeMap<String, String>,
    signing: Option<Signing>,
    _time: TimeKeeper,
}

/// Who signs the history of the ledger.
#[derive(Debug)]
struct Signing {
    signer: Arc<Signer>,
    _keys: TempDir,
}

impl World {
    /// Plays `scenario`, with an empty archive, in the time of this runtime, which must be paused.
    pub async fn start(scenario: Scenario) -> Self {
        let log = match scenario.collect.log {
            ScenarioLog::SignIns => Log::SignIns,
            ScenarioLog::DirectoryAudits => Log::DirectoryAudits,
        };
        let environment = scenario.collect.environment.clone();
        let time = TimeKeeper::start();
        let simulator = Simulator::start_here(scenario).expect("the scenario can be played");
        let storage = Storage::start().await;
        Self { simulator, storage, folder: None, log, environment, signing: None, _time: time }
    }

    /// Starts it with the archive in a folder of this machine.
    pub async fn start_in_folder(scenario: Scenario) -> Self {
        Self { folder: Some(Folder::make()), ..Self::start(scenario).await }
    }

    /// Has every run from now on sign the history of the ledger.
    pub fn sign(&mut self) {
        let keys = tempfile::tempdir().expect("there is room for a folder");
        let signer = Signer::in_file(&keys.path().join("key")).expect("a key can be made");
        self.signing = Some(Signing { signer: Arc::new(signer), _keys: keys });
    }

    /// The signed log, read by an outsider with the verifier key, and whether the ledger is what it
    /// says; `None` where nothing was signed yet.
    pub async fn signed_log(&self) -> Option<(SignedLog, LedgerCheck)> {
        let signing = self.signing.as_ref()?;
        let archive = self.archive();
        let signed =
            SignedLog::read(&archive, self.log, &signing.signer.verifier_keys(self.log)).await;
        let signed = signed.expect("the log is sound")?;
        let check = signed.check_ledgers(&archive).await.expect("the archive can be read");
        Some((signed, check))
    }

    /// The archive, as a new process opens it.
    fn archive(&self) -> Archive {
        self.folder.as_ref().map_or_else(|| self.storage.archive(), Folder::archive)
    }

    /// Whether the archive is in a folder.
    pub fn is_in_folder(&self) -> bool {
        self.folder.is_some()
    }

    /// The folder that holds the archive, where one does.
    pub fn folder(&self) -> Option<&Folder> {
        self.folder.as_ref()
    }

    /// Starts it from the text of a scenario.
    pub async fn of(scenario: &str) -> Self {
        Self::start(Scenario::from_toml(scenario).expect("the scenario is well formed")).await
    }

    /// A collector as a new process would make it.
    pub fn collector(&self) -> Result<Collector, Error> {
        let url = self.simulator.url();
        let clock = Clock::simulated(self.simulator.now(), self.simulator.scenario().clock.speed);
        let tenant = &self.simulator.scenario().tenant;
        let credential = Credential::Secret(tenant.client_secret.clone().into());
        let tenant_id = tenant.id.clone();
        let client_id = tenant.client_id.clone();
        let kept_in = KeptIn::Parameters;
        let application = Application { tenant_id, client_id, credential, kept_in };
        let config = Config::read(|name: &str| match name {
            "ARCHIVE_BUCKET" => Some("archive".to_owned()),
            "PARAMETER_PREFIX" => Some("/entratrail".to_owned()),
            "GRAPH_URL" | "LOGIN_URL" => Some(url.to_owned()),
            _ => self.environment.get(name).cloned(),
        })?;
        let signer = self.signing.as_ref().map(|signing| Ok(Arc::clone(&signing.signer)));
        let collector = Collector::new(self.log, config.run, application, self.archive(), clock)?;
        Ok(collector.signed_by(signer))
    }

    /// One scheduled run.
    pub async fn run(&self) -> Result<Run, Error> {
        self.run_for(&scheduled(), None).await
    }

    /// One run for `event`, up to `stop_at`.
    pub async fn run_for(
        &self,
        event: &Value,
        stop_at: Option<DateTime<Utc>>,
    ) -> Result<Run, Error> {
        tokio::time::sleep(START).await;
        let collector = self.collector()?;
        // In a box: a run is too large and too deep a future for those that wait for it.
        Box::pin(collector.run(&collect(event)?, stop_at)).await
    }

    /// Runs until nothing is due, as the daily schedule would in the end.
    pub async fn run_until_done(&self) -> Run {
        let mut last = String::new();
        for _ in 0..50 {
            match self.run().await {
                Ok(run) if run.error.is_none() && run.report.remaining_windows == 0 => return run,
                Ok(run) => {
                    last =
                        format!("{:?}, {} windows left", run.error, run.report.remaining_windows);
                }
                Err(error) => last = error.to_string(),
            }
        }
        panic!("fifty runs were not enough; the last one ended with {last}");
    }

    /// Every object of the archive with its body.
    pub async fn objects(&self) -> BTreeMap<String, Vec<u8>> {
        match &self.folder {
            Some(folder) => folder.objects(),
            None => self.storage.objects().await,
        }
    }

    /// Puts an object into the archive, as somebody else might.
    pub async fn put(&self, key: &str, body: &[u8]) {
        match &self.folder {
            Some(folder) => {
                std::fs::write(folder.path().join(key), body).expect("the folder is ours");
            }
            None => self.storage.put(key, body).await,
        }
    }

    /// Removes an object of the archive, as somebody else might.
    pub async fn remove(&self, key: &str) {
        match &self.folder {
            Some(folder) => {
                std::fs::remove_file(folder.path().join(key)).expect("the file is there");
            }
            None => self.storage.remove(key).await,
        }
    }

    /// Windows that are due now.
    pub async fn due(&self) -> u64 {
        let planned = self.run_for(&json!({"dryRun": true}), None).await;
        planned.expect("a dry run works").report.remaining_windows
    }

    /// The audit of the archive against all that was ever served.
    pub async fn audit(&self) -> Audit {
        self.audit_against(&self.simulator.served()).await
    }

    /// The audit of the archive against `served`.
    pub async fn audit_against(&self, served: &[Served]) -> Audit {
        let objects = self.objects().await;
        let throughout = self.served_throughout();
        Audit::of(&objects).against(served).against_throughout(&throughout)
    }

    /// Records that every chain held that was followed to its end, if the scenario says
    /// `remember_chains`.
    fn served_throughout(&self) -> Vec<Served> {
        let from = DateTime::UNIX_EPOCH;
        let to = self.simulator.now();
        Stream::ALL
            .into_iter()
            .flat_map(|stream| self.simulator.served_throughout(stream, from, to))
            .collect()
    }

    /// Records that a perfect reader of the log would be served now.
    pub fn visible(&self) -> Vec<Served> {
        let is_wanted =
            |stream: &str| (stream == "directoryAudits") == (self.log == Log::DirectoryAudits);
        let version = match self.setting("SIGN_IN_EVENT_TYPES") {
            _ if self.log == Log::DirectoryAudits => ApiVersion::V1,
            None => ApiVersion::Beta,
            Some(types) if types != "interactiveUser" => ApiVersion::Beta,
            _ => ApiVersion::V1,
        };
        let mut visible = self.simulator.visible_in(version);
        visible.retain(|record| is_wanted(record.stream));
        visible
    }

    /// Records of closed days that a perfect reader would be served now and that the archive lacks.
    pub fn unread<'a>(&self, audit: &'a Audit) -> impl Iterator<Item = Served> + use<'a> {
        let today = midnight(self.simulator.now().date_naive());
        let days = today - LONGEST_KEPT..today;
        let visible =
            self.visible().into_iter().filter(move |record| days.contains(&owned_at(record)));
        visible
            .filter(|record| !audit.holds(stream_folder(record.stream), &canonical(&record.json)))
    }

    /// Reader's settings that differ from the defaults.
    pub fn setting(&self, name: &str) -> Option<&str> {
        self.environment.get(name).map(String::as_str)
    }

    /// Streams that are read, as the archive calls them.
    pub fn streams(&self) -> Vec<String> {
        match (self.log, self.setting("SIGN_IN_EVENT_TYPES")) {
            (Log::DirectoryAudits, _) => vec!["directory-audits".to_owned()],
            (Log::SignIns, Some(types)) => types.split(',').map(str::to_owned).collect(),
            (Log::SignIns, None) => {
                let all =
                    Stream::ALL.into_iter().filter(|stream| *stream != Stream::DirectoryAudits);
                all.map(|stream| stream.name().to_owned()).collect()
            }
        }
    }

    /// Page requests so far.
    pub fn page_requests(&self) -> usize {
        self.simulator.requests().iter().filter(|line| line.kind == RequestKind::Page).count()
    }
}

/// The event of the daily schedule.
pub fn scheduled() -> Value {
    json!({"detail-type": "Scheduled Event", "source": "aws.events", "detail": {}})
}

/// The request to read that `event` holds.
pub fn collect(event: &Value) -> Result<Collect, Error> {
    match Request::parse(event)? {
        Request::Collect(collect) => Ok(collect),
        Request::Check => panic!("a check collects nothing"),
    }
}

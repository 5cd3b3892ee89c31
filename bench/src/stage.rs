//! Surroundings of a measured process: a simulated tenant, a bucket, and the process itself.

mod bucket;

pub(crate) use bucket::Bucket;

use crate::Failure;
use crate::child::{self, Outcome, Source, Task};
use chrono::{DateTime, Days, NaiveDate, Utc};
use graph_simulator::{Scenario, Simulator};
use std::fmt::Write as _;
use std::path::Path;
use std::process::Stdio;
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;

/// The only stream of most runs. Alone it is read from beta; interactive sign-ins alone would be
/// read from v1.0.
pub(crate) const STREAM: &str = "nonInteractiveUser";

/// The tenant and the terms under which it is read.
#[derive(Debug, Clone)]
pub(crate) struct Setting {
    /// Streams and how many records each has a day.
    pub(crate) records_per_day: Vec<(&'static str, u32)>,
    pub(crate) days: u32,
    /// Requests per ten seconds; `None` for as many as can be.
    pub(crate) requests_per_10s: Option<u32>,
    pub(crate) page_latency_ms: u32,
    /// Simulated seconds per second.
    pub(crate) speed: u32,
}

/// A simulated tenant and an empty bucket.
#[derive(Debug)]
pub(crate) struct Stage {
    setting: Setting,
    pub(crate) simulator: Simulator,
    pub(crate) bucket: Bucket,
}

impl Setting {
    /// Days of sign-ins, as fast as they can be read.
    pub(crate) fn unlimited(records_per_day: Vec<(&'static str, u32)>, days: u32) -> Self {
        Self { records_per_day, days, requests_per_10s: None, page_latency_ms: 0, speed: 1 }
    }

    /// So many records a day as a tenant has them: 25, 60, 10 and 5 % in the four streams.
    pub(crate) fn in_four_streams(per_day: u32) -> Vec<(&'static str, u32)> {
        let percent = per_day / 100;
        vec![
            ("interactiveUser", percent * 25),
            (STREAM, percent * 60),
            ("servicePrincipal", percent * 10),
            ("managedIdentity", percent * 5),
        ]
    }

    /// All records there are.
    pub(crate) fn records(&self) -> u64 {
        self.records_per_day.iter().map(|(_, records)| u64::from(records * self.days)).sum()
    }

    fn scenario(&self) -> Result<Scenario, Failure> {
        let mut text = format!(
            "name = 'bench'\nremember_served = false\n[clock]\nnow = '2026-11-23T03:00:00Z'\nspeed \
             = {}\n[limits]\nrequests_per_10s = {}\npage_latency_ms = {}\n",
            self.speed,
            self.requests_per_10s.unwrap_or(0),
            self.page_latency_ms,
        );
        for (stream, per_day) in &self.records_per_day {
            writeln!(text, "[[volume]]\nstream = '{stream}'\nper_day = {per_day}")?;
            writeln!(text, "from_day = -{}\nto_day = -1", self.days)?;
        }
        Ok(Scenario::from_toml(&text)?)
    }
}

impl Stage {
    /// Lays out the records and opens the bucket.
    pub(crate) async fn new(setting: Setting) -> Result<Self, Failure> {
        let simulator = Simulator::start(setting.scenario()?).await?;
        Ok(Self { setting, simulator, bucket: Bucket::open().await? })
    }

    /// Settings that a reader has to know, as of now.
    pub(crate) fn source(&self) -> Source {
        let tenant = &self.simulator.scenario().tenant;
        let now = self.simulator.now();
        Source {
            url: self.simulator.url().to_owned(),
            tenant_id: tenant.id.clone(),
            client_id: tenant.client_id.clone(),
            client_secret: tenant.client_secret.clone(),
            now,
            speed: self.setting.speed,
            first_day: self.first_day(now),
            end_day: now.date_naive(),
            evidence_key: None,
        }
    }

    fn first_day(&self, now: DateTime<Utc>) -> NaiveDate {
        now.date_naive() - Days::new(self.setting.days.into())
    }

    /// Lets the product collect everything, and checks that everything is in the archive.
    pub(crate) async fn collect(&self) -> Result<Outcome, Failure> {
        self.collect_from(self.source()).await
    }

    /// Collects, and has the key in that file sign the history of the ledger.
    pub(crate) async fn collect_signed(&self, key: &Path) -> Result<Outcome, Failure> {
        let source = Source { evidence_key: Some(key.to_owned()), ..self.source() };
        let outcome = self.collect_from(source).await?;
        if self.bucket.is_signed() { Ok(outcome) } else { Err("there is no checkpoint".into()) }
    }

    async fn collect_from(&self, source: Source) -> Result<Outcome, Failure> {
        let outcome = self.run(&Task::Collect(source)).await?;
        let expected = self.setting.records();
        let on_record = self.bucket.new_on_record()?;
        if outcome.records == expected && on_record == expected {
            return Ok(outcome);
        }
        Err(format!(
            "the tenant has {expected} records, the run reports {} as stored, and the ledger has \
             {on_record} on record",
            outcome.records
        )
        .into())
    }

    /// Reads back what was collected, and makes its tables once more where that is asked for.
    pub(crate) async fn read_back(&self, with_tables: bool) -> Result<Outcome, Failure> {
        let outcome = self.run(&Task::ReadBack { source: self.source(), with_tables }).await?;
        let expected = self.setting.records();
        if outcome.records == expected {
            return Ok(outcome);
        }
        Err(format!("the tenant has {expected} records, and {} were read back", outcome.records)
            .into())
    }

    /// Reads everything page after page.
    pub(crate) async fn read_plainly(&self) -> Result<Outcome, Failure> {
        let outcome = self.run(&Task::ReadPlainly(self.source())).await?;
        let expected = self.setting.records();
        if outcome.records == expected {
            return Ok(outcome);
        }
        Err(format!(
            "the tenant has {expected} records, and the plain reader read {}",
            outcome.records
        )
        .into())
    }

    /// Does a task in a process of its own, with the environment of a function.
    pub(crate) async fn run(&self, task: &Task) -> Result<Outcome, Failure> {
        let event_types: Vec<_> =
            self.setting.records_per_day.iter().map(|(stream, _)| *stream).collect();
        let mut process = Command::new(std::env::current_exe()?)
            .arg(child::WORD)
            .env_clear()
            .envs(self.bucket.environment())
            .env("MALLOC_MMAP_THRESHOLD_", "65536") // as in template.yaml
            .env("PARAMETER_PREFIX", "/bench")
            .env("GRAPH_URL", self.simulator.url())
            .env("LOGIN_URL", self.simulator.url())
            .env("SIGN_IN_EVENT_TYPES", event_types.join(","))
            .env(
                "GRAPH_REQUESTS_PER_10S",
                self.setting.requests_per_10s.unwrap_or(10_000).to_string(),
            )
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let mut input = process.stdin.take().ok_or("the child has no standard input")?;
        input.write_all(&serde_json::to_vec(task)?).await?;
        drop(input);
        let output = process.wait_with_output().await?;
        if output.status.success() {
            return Ok(serde_json::from_slice(&output.stdout)?);
        }
        Err(format!("the measured process ended with {}", output.status).into())
    }
}

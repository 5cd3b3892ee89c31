//! A simulated tenant, a folder for its archive, and the command between them.

use chrono::{DateTime, Days, NaiveDate, TimeDelta, Utc};
use graph_simulator::{Scenario, Served, Simulator};
use local_aws::{bare_command, wait_past_midnight};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use tempfile::TempDir;

/// Four days of two streams and the audits, in pages of twenty records, without a limit.
pub(crate) const TENANT: &str = r#"
name = "a tenant on a laptop"
[limits]
requests_per_10s = 0
largest_page = 20
[[volume]]
stream = "interactiveUser"
from_day = -4
to_day = -1
per_day = 70
[[volume]]
stream = "servicePrincipal"
from_day = -4
to_day = -1
per_day = 30
[[volume]]
stream = "directoryAudits"
from_day = -4
to_day = -1
per_day = 50
"#;

/// The folder disappears with it.
pub(crate) struct Stage {
    pub(crate) simulator: Simulator,
    folder: TempDir,
}

/// End of a command.
pub(crate) struct Ended {
    pub(crate) status: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Stage {
    pub(crate) async fn set(scenario: &str) -> Self {
        wait_past_midnight();
        let scenario = Scenario::from_toml(scenario).unwrap();
        let simulator = Simulator::start(scenario).await.unwrap();
        Self { simulator, folder: tempfile::tempdir().unwrap() }
    }

    /// The folder of the archive, which does not exist at first.
    pub(crate) fn archive(&self) -> PathBuf {
        self.folder.path().join("archive")
    }

    /// Points `command` to the tenant.
    pub(crate) fn point<'command>(&self, command: &'command mut Command) -> &'command mut Command {
        command
            .env("GRAPH_URL", self.simulator.url())
            .env("LOGIN_URL", self.simulator.url())
            .env("GRAPH_REQUESTS_PER_10S", "10000")
            .env("SETTLE_MINUTES", "0")
    }

    /// The command with the credential of the tenant in its environment, and nothing else of ours.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let tenant = &self.simulator.scenario().tenant;
        let mut command = plain_command(arguments);
        self.point(&mut command)
            .env("ENTRATRAIL_TENANT_ID", &tenant.id)
            .env("ENTRATRAIL_CLIENT_ID", &tenant.client_id)
            .env("ENTRATRAIL_CLIENT_SECRET", &tenant.client_secret);
        command
    }

    /// `entratrail collect` of the last three days into the archive.
    pub(crate) fn collect(&self) -> Command {
        let archive = self.archive();
        self.command(&["collect", "--days", "3", "--archive", archive.to_str().unwrap()])
    }

    pub(crate) fn verify(&self) -> Command {
        let archive = self.archive();
        self.command(&["verify", "--archive", archive.to_str().unwrap()])
    }

    /// Collects, and expects that to go well.
    pub(crate) fn collect_all(&self) -> Ended {
        let ended = run(&mut self.collect());
        assert_eq!(ended.status, Some(0), "{}{}", ended.stdout, ended.stderr);
        ended
    }

    /// Verifies, and expects that all is sound and complete.
    pub(crate) fn assert_sound(&self) {
        let ended = run(&mut self.verify());
        assert_eq!(ended.status, Some(0), "{}{}", ended.stdout, ended.stderr);
        assert!(ended.stdout.contains("Nothing is wrong"), "{}", ended.stdout);
        let result = run(self.verify().arg("--json"));
        let result: Value = serde_json::from_str(&result.stdout).unwrap();
        let records: u64 = sum(&result, "records");
        assert_eq!(records, self.served().len() as u64);
    }

    /// Records that a perfect reader of the last three days would have by now.
    fn served(&self) -> Vec<Served> {
        let today = self.simulator.now().date_naive();
        let is_wanted = |record: &Served| {
            let days = (today - record.time.date_naive()).num_days();
            (1..=3).contains(&days)
        };
        self.simulator.visible().into_iter().filter(is_wanted).collect()
    }

    /// Every file of the archive below `folder` whose name ends so, in order.
    pub(crate) fn files(&self, folder: &str, ending: &str) -> Vec<PathBuf> {
        let mut files = Vec::new();
        walk(&self.archive().join(folder), &mut files);
        files.retain(|file| file.to_str().unwrap().ends_with(ending));
        files.sort();
        files
    }

    pub(crate) fn page_requests(&self) -> usize {
        use graph_simulator::RequestKind::Page;
        self.simulator.requests().iter().filter(|request| request.kind == Page).count()
    }
}

/// The sum of a number over all streams of a verification.
pub(crate) fn sum(verification: &Value, name: &str) -> u64 {
    verification["streams"]
        .as_array()
        .unwrap()
        .iter()
        .map(|stream| stream[name].as_u64().unwrap())
        .sum()
}

/// The command without any variable but the path and what sets the clock of the whole run.
pub(crate) fn plain_command(arguments: &[&str]) -> Command {
    let mut command = bare_command(env!("CARGO_BIN_EXE_entratrail"));
    command.args(arguments).stdin(Stdio::null());
    command.envs(std::env::var_os("PATH").map(|path| ("PATH", path)));
    command
}

/// Last day that `verify` expects to be read: in the first half hour of a day, not the day before.
pub(crate) fn last_expected_day(now: DateTime<Utc>) -> NaiveDate {
    (now - TimeDelta::minutes(30)).date_naive() - Days::new(1)
}

/// Runs `command` to its end.
pub(crate) fn run(command: &mut Command) -> Ended {
    Ended::of(&command.output().unwrap())
}

impl Ended {
    pub(crate) fn of(output: &Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        Self {
            status: output.status.code(),
            stdout: text(&output.stdout),
            stderr: text(&output.stderr),
        }
    }

    /// Expects that status, and one sentence of the command that holds each of `parts`.
    pub(crate) fn assert_complains(&self, status: i32, parts: &[&str]) {
        assert_eq!(self.status, Some(status), "{}", self.stderr);
        let mut sentences = self.stderr.lines().filter(|line| line.starts_with("entratrail: "));
        let has_all = |line: &str| parts.iter().all(|part| line.contains(part));
        assert!(sentences.any(has_all), "{parts:?} in\n{}", self.stderr);
    }
}

/// The command in a shell that lets no file grow beyond `kilobytes`.
pub(crate) fn with_little_room(command: &Command, kilobytes: u32) -> Command {
    let mut limited = Command::new("bash");
    let script = format!("ulimit -f {kilobytes}; trap '' XFSZ; exec \"$@\"");
    limited
        .args(["-c", &script, "bash"])
        .arg(command.get_program())
        .args(command.get_args())
        .env_clear();
    limited.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    limited
}

fn walk(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten() {
        let path = entry.unwrap().path();
        if path.is_dir() { walk(&path, files) } else { files.push(path) }
    }
}

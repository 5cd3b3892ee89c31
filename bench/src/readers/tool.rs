//! The readers: how each is installed, started, and what it leaves.

use crate::Failure;
use crate::child::{self, Source, Task};
use crate::readers::account::Tally;
use crate::stage::Bucket;
use flate2::read::MultiGzDecoder;
use graph_simulator::Simulator;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

use super::ladder::{Run, Rung};

/// Folder of the other readers, beside this crate.
const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/readers");
const REQUIREMENTS: &str = include_str!("../../readers/msgraph-sdk/requirements.txt");
const MANIFEST: &str = include_str!("../../readers/graph-rs-sdk/Cargo.toml");

/// A tool that a user might read the log with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tool {
    /// The product's run, wired as the functions wire it.
    EntraTrail,
    /// Microsoft's SDK for Python.
    MsgraphSdk,
    /// The Rust crate.
    GraphRsSdk,
}

/// A tool that can be started.
#[derive(Debug)]
pub(crate) struct Installed {
    pub(crate) tool: Tool,
    program: PathBuf,
}

/// Folder in which a tool keeps its records from one run to the next.
#[derive(Debug)]
pub(crate) enum Shelf {
    Bucket(Bucket),
    /// A file for each day, written anew by each run.
    Folder(TempDir),
}

impl Tool {
    pub(crate) const ALL: [Self; 3] = [Self::EntraTrail, Self::MsgraphSdk, Self::GraphRsSdk];

    /// Its name and version.
    pub(crate) fn title(self) -> String {
        match self {
            Self::EntraTrail => format!("EntraTrail {}", env!("CARGO_PKG_VERSION")),
            Self::MsgraphSdk => {
                format!("{} {}", self.name(), pinned(REQUIREMENTS, "msgraph-sdk==", '\n'))
            }
            Self::GraphRsSdk => {
                format!(
                    "{} {}",
                    self.name(),
                    pinned(MANIFEST, "graph-rs-sdk = { version = \"=", '"')
                )
            }
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::EntraTrail => "EntraTrail",
            Self::MsgraphSdk => "msgraph-sdk",
            Self::GraphRsSdk => "graph-rs-sdk",
        }
    }

    /// Makes it ready, or says in one sentence why it cannot be.
    pub(crate) fn install(self) -> Result<Installed, String> {
        if self == Self::EntraTrail {
            let program = std::env::current_exe().map_err(|error| error.to_string())?;
            return Ok(Installed { tool: self, program });
        }
        let install = Path::new(FOLDER).join("install");
        let output = Command::new(&install)
            .arg(self.name())
            .output()
            .map_err(|error| format!("{} cannot be started: {error}", install.display()))?;
        if output.status.success() {
            let program = String::from_utf8_lossy(&output.stdout).trim().into();
            return Ok(Installed { tool: self, program });
        }
        Err(String::from_utf8_lossy(&output.stderr)
            .lines()
            .last()
            .unwrap_or("without a word")
            .to_owned())
    }
}

/// The version that a file pins, from `before` to `after`.
fn pinned(file: &'static str, before: &str, after: char) -> &'static str {
    file.split_once(before)
        .and_then(|(_, rest)| rest.split(after).next())
        .unwrap_or("of an unknown version")
}

impl Installed {
    /// An empty place for what it reads.
    pub(crate) async fn shelf(&self) -> Result<Shelf, Failure> {
        Ok(match self.tool {
            Tool::EntraTrail => Shelf::Bucket(Bucket::open().await?),
            Tool::MsgraphSdk | Tool::GraphRsSdk => {
                Shelf::Folder(TempDir::with_prefix("entratrail-bench-")?)
            }
        })
    }

    /// The command of one run, and what it reads from its standard input.
    pub(crate) fn command(
        &self,
        kept_in: &Shelf,
        simulator: &Simulator,
        rung: &Rung,
        run: &Run,
    ) -> Result<(Command, Vec<u8>), Failure> {
        let url = simulator.url();
        let mut command = Command::new(&self.program);
        command.env_clear().env("GRAPH_URL", url).env("LOGIN_URL", url);
        match kept_in {
            Shelf::Bucket(bucket) => {
                command
                    .arg(child::WORD)
                    .envs(bucket.environment())
                    .env("PARAMETER_PREFIX", "/bench");
                command.env("SIGN_IN_EVENT_TYPES", "interactiveUser");
                command.env("HISTORY_DAYS", rung.days().to_string());
                command.env("GRAPH_REQUESTS_PER_10S", "10000");
                Ok((command, serde_json::to_vec(&Task::CollectWhatIsDue(source(simulator, run)))?))
            }
            Shelf::Folder(folder) => {
                if self.tool == Tool::MsgraphSdk {
                    command.arg(Path::new(FOLDER).join("msgraph-sdk/read.py"));
                }
                let day = run.day_before();
                command.arg(day.to_string()).arg(folder.path().join(format!("{day}.ndjson")));
                let tenant = &simulator.scenario().tenant;
                command.env("TENANT_ID", &tenant.id).env("CLIENT_ID", &tenant.client_id);
                command.env("CLIENT_SECRET", &tenant.client_secret);
                Ok((command, Vec::new()))
            }
        }
    }
}

/// Settings of the tenant that the product has to know.
pub(crate) fn source(simulator: &Simulator, run: &Run) -> Source {
    let tenant = &simulator.scenario().tenant;
    Source {
        url: simulator.url().to_owned(),
        tenant_id: tenant.id.clone(),
        client_id: tenant.client_id.clone(),
        client_secret: tenant.client_secret.clone(),
        now: simulator.now(),
        speed: simulator.scenario().clock.speed,
        first_day: run.day_before(),
        end_day: run.at.date_naive(),
        evidence_key: None,
    }
}

impl Shelf {
    /// Enters every line that is kept.
    pub(crate) fn enter_into(&self, tally: &mut Tally<'_>) -> Result<(), Failure> {
        match self {
            Self::Bucket(bucket) => {
                for object in bucket.raw_objects()? {
                    enter_lines(BufReader::new(MultiGzDecoder::new(File::open(object)?)), tally)?;
                }
            }
            Self::Folder(folder) => {
                for file in std::fs::read_dir(folder.path())? {
                    enter_lines(BufReader::new(File::open(file?.path())?), tally)?;
                }
            }
        }
        Ok(())
    }
}

fn enter_lines(mut reader: impl BufRead, tally: &mut Tally<'_>) -> Result<(), Failure> {
    let mut line = Vec::new();
    while reader.read_until(b'\n', &mut line)? > 0 {
        tally.enter(&line);
        line.clear();
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_those_that_are_pinned() {
        for tool in Tool::ALL {
            let title = tool.title();
            let version = title.split(' ').nth(1).unwrap();
            assert!(version.split('.').all(|part| part.parse::<u32>().is_ok()), "{title}");
        }
    }
}

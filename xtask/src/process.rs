//! Other programs: cargo, and the scripts of this crate.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Output};

/// A command that did not succeed.
#[derive(Debug)]
pub(crate) enum Failure {
    /// A program failed and has said why.
    Said(u8),
    /// A sentence for the terminal.
    Sentence(String),
}

impl Failure {
    /// A failure to read or write `what`.
    pub(crate) fn io(what: &Path, error: &std::io::Error) -> Self {
        Self::Sentence(format!("{}: {error}", what.display()))
    }

    pub(crate) fn print(&self) {
        if let Self::Sentence(sentence) = self {
            eprintln!("xtask: {sentence}");
        }
    }

    pub(crate) fn status(&self) -> u8 {
        match self {
            Self::Said(status) => *status,
            Self::Sentence(_) => 1,
        }
    }
}

/// The folder of the checkout.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Cargo, in the folder of the checkout, by the clock of the machine (see `clock`).
pub(crate) fn cargo(arguments: &[&str]) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(arguments).current_dir(root());
    if std::env::var_os("FAKETIME").is_some() {
        command.env_remove("LD_PRELOAD");
    }
    command
}

/// The folder in which cargo builds.
pub(crate) fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR")
        .map_or_else(|| root().join("target"), |path| root().join(path))
}

/// Runs `command` to its end; what it prints is seen.
pub(crate) fn run(command: &mut Command) -> Result<(), Failure> {
    let status = command.status().map_err(|error| not_started(command, &error))?;
    succeeded(status)
}

/// Runs `command` and returns what it printed.
pub(crate) fn output(command: &mut Command) -> Result<Output, Failure> {
    command.output().map_err(|error| not_started(command, &error))
}

/// Runs a script of this crate.
pub(crate) fn script(name: &str, arguments: &[&str]) -> Result<(), Failure> {
    let mut command = Command::new(root().join("xtask/scripts").join(name));
    run(command.args(arguments).current_dir(root()))
}

pub(crate) fn succeeded(status: ExitStatus) -> Result<(), Failure> {
    if status.success() {
        return Ok(());
    }
    Err(Failure::Said(status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1)))
}

fn not_started(command: &Command, error: &std::io::Error) -> Failure {
    let program = command.get_program().to_string_lossy();
    Failure::Sentence(format!("{program} could not be started: {error}"))
}

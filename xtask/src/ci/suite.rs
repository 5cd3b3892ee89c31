//! The tests: all that cargo builds, so that none can be forgotten.
//!
//! Two computing or waiting long run beside the others, which run one after the other.

use super::cargo;
use crate::process::{self, Failure};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// The longest ones: one computes, one waits for an emulator.
const BESIDE: [&str; 2] = ["behaviour", "deploy"];

/// The one that waits, and how many of its tests wait side by side.
const WAITING: (&str, &str) = ("deploy", "4");

/// A program of tests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Test {
    name: String,
    program: PathBuf,
    /// Folder in which cargo would run it.
    folder: PathBuf,
}

/// A program of tests that has ended.
#[derive(Debug)]
pub(super) struct Tested {
    pub(super) name: String,
    pub(super) time: Duration,
    has_passed: bool,
}

/// Builds every test of the workspace.
pub(super) fn build() -> Result<Vec<Test>, Failure> {
    let format = "--message-format=json-render-diagnostics";
    let mut command = cargo(&["test", "--workspace", "--locked", "--no-run", format]);
    let built = process::output(command.stderr(Stdio::inherit()))?;
    process::succeeded(built.status)?;
    let messages = String::from_utf8_lossy(&built.stdout);
    Ok(messages.lines().filter_map(Test::from_message).collect())
}

/// Runs them all, whatever comes of them.
pub(super) fn run(tests: &[Test]) -> Result<Vec<Tested>, Failure> {
    let logs = process::target().join("xtask");
    std::fs::create_dir_all(&logs).map_err(|error| Failure::io(&logs, &error))?;
    let (beside, others): (Vec<&Test>, Vec<&Test>) =
        tests.iter().partition(|test| BESIDE.contains(&test.name.as_str()));
    thread::scope(|scope| {
        let running: Vec<_> = beside.iter().map(|test| scope.spawn(|| test.run(&logs))).collect();
        let mut ended: Vec<_> = others.iter().map(|test| test.run(&logs)).collect();
        ended.extend(
            running.into_iter().map(|thread| thread.join().unwrap_or(Err(Failure::Said(1)))),
        );
        ended.into_iter().collect()
    })
}

/// Fails where one failed.
pub(super) fn judge(tested: &[Tested]) -> Result<(), Failure> {
    let failed: Vec<&str> =
        tested.iter().filter(|test| !test.has_passed).map(|test| test.name.as_str()).collect();
    if failed.is_empty() {
        return Ok(());
    }
    Err(Failure::Sentence(format!(
        "tests failed: {}; what they printed is above",
        failed.join(", ")
    )))
}

impl Test {
    /// The program of tests that a message of cargo tells of.
    fn from_message(message: &str) -> Option<Self> {
        let (_, profile) = message.split_once("\"profile\":")?;
        if !profile.split('}').next()?.contains("\"test\":true") {
            return None;
        }
        let program = PathBuf::from(member(message, "executable")?);
        let manifest = Path::new(member(message, "manifest_path")?);
        let folder = manifest.parent()?.to_path_buf();
        let package = folder.file_name()?.to_string_lossy().into_owned();
        let (_, target) = message.split_once("\"target\":")?;
        let name = member(target, "name")?;
        let is_unit = member(target, "src_path")?.contains("/src/");
        let name = if is_unit { format!("{package} {name}, unit tests") } else { name.to_owned() };
        Some(Self { name, program, folder })
    }

    fn run(&self, logs: &Path) -> Result<Tested, Failure> {
        let log = logs.join(format!("{}.log", self.name.replace([' ', ','], "-")));
        let file = File::create(&log).map_err(|error| Failure::io(&log, &error))?;
        let errors = file.try_clone().map_err(|error| Failure::io(&log, &error))?;
        let started = Instant::now();
        let mut command = Command::new(&self.program);
        if self.name == WAITING.0 {
            command.env("RUST_TEST_THREADS", WAITING.1);
        }
        let status = command.current_dir(&self.folder).stdout(file).stderr(errors).status();
        let has_passed = status.map_err(|error| Failure::io(&self.program, &error))?.success();
        let time = started.elapsed();
        let text = std::fs::read_to_string(&log).map_err(|error| Failure::io(&log, &error))?;
        // As cargo prints it, whole: several run at once, so none prints before its end.
        println!("     Running {} ({:.1} s)\n{text}", self.name, time.as_secs_f64());
        Ok(Tested { name: self.name.clone(), time, has_passed })
    }
}

/// A text member of a JSON message. Paths of a checkout hold nothing that JSON escapes.
fn member<'message>(message: &'message str, name: &str) -> Option<&'message str> {
    let (_, rest) = message.split_once(&format!("\"{name}\":\""))?;
    rest.split('"').next()
}

#[cfg(test)]
mod tests {
    use super::*;

    const INTEGRATION: &str = r#"{"reason":"compiler-artifact","package_id":"path+file:///e/tests#entratrail-tests@0.1.0","manifest_path":"/e/tests/Cargo.toml","target":{"kind":["test"],"crate_types":["bin"],"name":"behaviour","src_path":"/e/tests/tests/behaviour/main.rs","edition":"2024","doc":false,"doctest":false,"test":true},"profile":{"opt_level":"1","test":true},"features":[],"filenames":["/t/behaviour-1"],"executable":"/t/behaviour-1","fresh":true}"#;

    #[test]
    fn a_program_of_tests_is_found_in_cargos_messages() {
        let test = Test::from_message(INTEGRATION).unwrap();
        let expected = Test {
            name: "behaviour".to_owned(),
            program: PathBuf::from("/t/behaviour-1"),
            folder: PathBuf::from("/e/tests"),
        };
        assert_eq!(test, expected);
    }

    #[test]
    fn what_is_built_without_tests_is_none() {
        let program = INTEGRATION.replace("\"opt_level\":\"1\",\"test\":true", "\"test\":false");
        assert_eq!(Test::from_message(&program), None);
        assert_eq!(Test::from_message("{\"reason\":\"build-finished\",\"success\":true}"), None);
    }
}

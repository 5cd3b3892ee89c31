//! Progress of a build. In a terminal cargo shows it; in a log a line says it every ten seconds.

use crate::process::{self, Failure};
use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader, IsTerminal as _};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const PERIOD: Duration = Duration::from_secs(10);

/// Builds the packages and shows from the first second how far that is.
pub(crate) fn build(packages: &[&str]) -> Result<(), Failure> {
    let selection: Vec<&str> = packages.iter().flat_map(|package| ["--package", package]).collect();
    let mut command = process::cargo(&["build", "--locked"]);
    command.args(&selection);
    if std::io::stderr().is_terminal() {
        return process::run(&mut command);
    }
    follow(&mut command, crates(&selection)?)
}

/// Crates that the selected packages need, as `cargo tree` counts them.
fn crates(selection: &[&str]) -> Result<usize, Failure> {
    let mut command =
        process::cargo(&["tree", "--locked", "--prefix", "none", "--edges", "normal,build"]);
    let tree = process::output(command.args(selection))?;
    process::succeeded(tree.status)?;
    let text = String::from_utf8_lossy(&tree.stdout);
    let names: BTreeSet<&str> = text.lines().filter_map(|line| line.split(" (").next()).collect();
    Ok(names.len())
}

/// Runs a build and counts the crates that it names.
fn follow(command: &mut Command, total: usize) -> Result<(), Failure> {
    let started = Instant::now();
    let mut child = command
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| Failure::Sentence(format!("cargo could not be started: {error}")))?;
    let lines = child.stderr.take().map(BufReader::new).into_iter().flat_map(BufReader::lines);
    let mut count = 0;
    let mut shown: Option<Instant> = None;
    for line in lines.map_while(Result::ok) {
        let Some(name) = line.trim_start().strip_prefix("Compiling ") else {
            eprintln!("{line}");
            continue;
        };
        count += 1;
        if shown.is_none_or(|last| last.elapsed() >= PERIOD) {
            let seconds = started.elapsed().as_secs();
            println!("  {count} of at most {total} crates, now {name}, {seconds} s");
            shown = Some(Instant::now());
        }
    }
    let status = child.wait().map_err(|error| Failure::Sentence(format!("cargo: {error}")))?;
    println!("  built in {} s", started.elapsed().as_secs());
    process::succeeded(status)
}

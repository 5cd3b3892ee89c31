//! The demo: a simulated tenant, archived in a folder and by two functions on an emulated AWS.

use crate::process::{self, Failure};
use crate::progress;
use std::process::Command;

/// The command, the functions, and the program that plays AWS around them. Nothing of the tests
/// and nothing of the bench.
const PACKAGES: [&str; 4] = ["entratrail-cli", "sign-in-logs", "audit-logs", "demo"];

pub(crate) fn run() -> Result<(), Failure> {
    process::script("preflight", &["demo"])?;
    // First, so that a network that is missing is noticed before the build.
    process::script("install-tools", &["emulator"])?;
    println!("Building the command and the functions: minutes the first time, seconds afterwards");
    progress::build(&PACKAGES)?;
    let programs = process::target().join("debug");
    let mut laptop = Command::new(programs.join("entratrail"));
    process::run(laptop.args(["demo", "--folder", ".demo/laptop"]).current_dir(process::root()))?;
    process::run(Command::new(programs.join("demo")).current_dir(process::root()))
}

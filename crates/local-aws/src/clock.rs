//! The clock of a whole run of tests: every program that a test starts has to live by it.

use std::ffi::{OsStr, OsString};
use std::process::Command;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

const SECONDS_PER_DAY: u64 = 24 * 60 * 60;

/// Far longer than a story takes, also on a machine that is busy with something else.
const LONGEST_STORY: Duration = Duration::from_mins(10);

/// Variables that set another clock (`cargo xtask at`) or another time zone.
const CLOCK_VARIABLES: [&str; 4] = ["LD_PRELOAD", "FAKETIME", "FAKETIME_DONT_FAKE_MONOTONIC", "TZ"];

/// A program that gets no variable of the test's environment but those that set its clock: without
/// these it would live on another day than the test.
pub fn bare_command(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    command.env_clear().envs(clock_variables());
    command
}

fn clock_variables() -> impl Iterator<Item = (&'static str, OsString)> {
    CLOCK_VARIABLES.iter().filter_map(|name| Some((*name, std::env::var_os(name)?)))
}

/// Waits where midnight (UTC) would come in the middle of a story: test, simulator and programs
/// have to agree on what day it is. It blocks its thread, so it comes before anything is started.
pub fn wait_past_midnight() {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("it is later than 1970");
    let left = Duration::from_secs(SECONDS_PER_DAY - now.as_secs() % SECONDS_PER_DAY);
    if left < LONGEST_STORY {
        std::thread::sleep(left);
    }
}

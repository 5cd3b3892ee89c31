//! Another time of the day for a command and everything that it starts.

use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::process::{self, Failure};

const DAY: u64 = 24 * 60 * 60;

/// Prints where the library lies that is loaded before all others.
const LIBRARY: &str = "\
import pathlib, libfaketime
print(next(pathlib.Path(libfaketime.__file__).parent.rglob('libfaketime.so.1')))";

/// Runs a program, and all that it starts, by a clock that shows `time` (UTC, HH:MM) when it
/// starts. Cargo and the compiler keep the clock of the machine, and each program that cargo runs
/// starts at `time`: their allocator (jemalloc) waits for itself where libfaketime is loaded.
pub(crate) fn run(time: &str, program: &str, arguments: &[&str]) -> Result<(), Failure> {
    let Some(wanted) = second_of_the_day(time) else {
        eprintln!("xtask: {time} is no time of the day: write it like 23:58");
        return Err(Failure::Said(2));
    };
    if !cfg!(target_os = "linux") {
        return Err(Failure::Sentence("another clock can be set on Linux alone".to_owned()));
    }
    let mut command = Command::new(program);
    if program == "cargo" {
        command.args(["--config", &format!("target.'cfg(all())'.runner={:?}", runner(time)?)]);
    } else {
        command.envs([
            ("LD_PRELOAD", library()?.as_str()),
            ("FAKETIME", &format!("+{}", seconds_until(wanted))),
            ("FAKETIME_DONT_FAKE_MONOTONIC", "1"), // or whoever waits waits for ever
        ]);
    }
    process::run(command.args(arguments))
}

/// This program, as cargo starts it before each of those that it runs.
fn runner(time: &str) -> Result<[String; 3], Failure> {
    let this = std::env::current_exe();
    let this = this.map_err(|error| Failure::Sentence(format!("this program: {error}")))?;
    Ok([this.to_string_lossy().into_owned(), "at".to_owned(), time.to_owned()])
}

/// Installs libfaketime where it is missing, and says where it lies.
fn library() -> Result<String, Failure> {
    process::script("install-tools", &["clock"])?;
    let python = process::root().join(".venv-clock/bin/python");
    let found = process::output(Command::new(python).args(["-c", LIBRARY]))?;
    process::succeeded(found.status)?;
    Ok(String::from_utf8_lossy(&found.stdout).trim().to_owned())
}

fn seconds_until(second_of_the_day: u64) -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs() % DAY);
    (second_of_the_day + DAY - now) % DAY
}

fn second_of_the_day(time: &str) -> Option<u64> {
    let (hour, minute) = time.split_once(':')?;
    let number = |digits: &str, limit| {
        let is_short = digits.len() == 2 && digits.bytes().all(|byte| byte.is_ascii_digit());
        digits.parse::<u64>().ok().filter(|number| is_short && *number < limit)
    };
    Some(number(hour, 24)? * 3600 + number(minute, 60)? * 60)
}

#[cfg(test)]
mod tests {
    use super::second_of_the_day;

    #[test]
    fn a_time_of_the_day_is_an_hour_and_a_minute() {
        assert_eq!(second_of_the_day("00:00"), Some(0));
        assert_eq!(second_of_the_day("23:58"), Some(86_280));
        for wrong in ["", "23", "24:00", "23:60", "+1:00", "1:00", "23:58:00", "é3:00", "now"] {
            assert_eq!(second_of_the_day(wrong), None, "{wrong}");
        }
    }
}

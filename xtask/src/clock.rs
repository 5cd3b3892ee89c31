//! Another time of the day for a command and everything that it starts.

use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::process::{self, Failure};

const DAY: u64 = 24 * 60 * 60;

/// Prints where the library lies that is loaded before all others.
const LIBRARY: &str = "\
import pathlib, libfaketime
print(next(pathlib.Path(libfaketime.__file__).parent.rglob('libfaketime.so.1')))";

/// Runs a program whose clock shows `time` (UTC, HH:MM) when it starts.
pub(crate) fn run(time: &str, program: &str, arguments: &[&str]) -> Result<(), Failure> {
    let Some(wanted) = second_of_the_day(time) else {
        return Err(Failure::Sentence(format!("{time} is no time of the day: write 23:58")));
    };
    if !cfg!(target_os = "linux") {
        return Err(Failure::Sentence("another clock can be set on Linux alone".to_owned()));
    }
    process::script("install-tools", &["clock"])?;
    let python = process::root().join(".venv-clock/bin/python");
    let library = process::output(Command::new(python).args(["-c", LIBRARY]))?;
    process::succeeded(library.status)?;
    let library = String::from_utf8_lossy(&library.stdout);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs() % DAY);
    let ahead = (wanted + DAY - now) % DAY;
    let mut command = Command::new(program);
    command
        .args(arguments)
        .env("LD_PRELOAD", library.trim())
        .env("FAKETIME", format!("+{ahead}"))
        .env("FAKETIME_DONT_FAKE_MONOTONIC", "1"); // or whoever waits waits for ever
    process::run(&mut command)
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

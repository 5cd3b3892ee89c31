//! Lines that the demo prints of a function before, while and after it runs.

use std::io::{self, IsTerminal as _, Write as _};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::table::thousands;

/// Names the work before it is done.
pub(crate) fn announcement(due: usize) -> String {
    match due {
        0 => "nothing is left to do: every day is on record, and none is due again yet".to_owned(),
        _ => format!("{due} windows are due, one for each stream and day"),
    }
}

/// Names the work that was done.
pub(crate) fn summary(report: &Value) -> String {
    let windows = report["windows"].as_array().map_or(0, Vec::len);
    let seconds = Duration::from_millis(number(report, "durationMs")).as_secs_f64();
    let new = thousands(number(report, "new"));
    let served = thousands(number(report, "served"));
    format!(
        "done: {windows} windows read, {served} records served, {new} of them new, {seconds:.1} s"
    )
}

fn number(report: &Value, name: &str) -> u64 {
    report[name].as_u64().unwrap_or_default()
}

/// Progress of a function: one line that changes in a terminal, one line for each change in a file.
#[derive(Debug, Default)]
pub(crate) struct ProgressLine {
    shown: String,
}

impl ProgressLine {
    pub(crate) fn show(&mut self, state: &str, started: Instant) {
        let seconds = started.elapsed().as_secs();
        if io::stdout().is_terminal() {
            print!("\r  {:<70}", format!("{state}, {seconds} s"));
            io::stdout().flush().unwrap_or_default(); // nobody is reading any more
        } else if self.shown != state {
            println!("  {state}, {seconds} s");
        }
        state.clone_into(&mut self.shown);
    }

    pub(crate) fn clear(&self) {
        if io::stdout().is_terminal() && !self.shown.is_empty() {
            print!("\r{:<72}\r", "");
        }
    }
}

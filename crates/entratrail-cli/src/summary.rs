//! The summary that a collection prints at its end.

use crate::collect::Runs;
use crate::numbers::{count, thousands};
use crate::output::{complain as complain_of, say};
use crate::place::Place;
use crate::status::Status;
use entratrail::collector::Run;
use entratrail::error::Error;
use entratrail::log::Log;
use serde_json::{Value, json};

/// Prints a line for each log, and what to do next.
pub(crate) fn print(archive: &Place, runs: &Runs) {
    print_runs(runs);
    say(&format!("The archive is in {archive}; entratrail verify --archive {archive} checks it."));
}

/// Prints a line for each log, and where it stopped.
pub(crate) fn print_runs(runs: &Runs) {
    for (log, run) in runs {
        if let Ok(run) = run {
            say(&line(*log, run));
            run.report
                .foreign
                .iter()
                .for_each(|key| say(&format!("  {key} is not EntraTrail's, and was left alone")));
        }
    }
    for evidence in runs.iter().filter_map(|(_, run)| run.as_ref().ok()?.report.evidence.as_ref()) {
        if let Some(checkpoint) = &evidence.checkpoint {
            say(&format!("\n{checkpoint}"));
        }
        if let Some(reason) = &evidence.unstamped {
            say(reason);
        }
        if let Some(reason) = &evidence.delayed {
            let waiting =
                evidence.waiting.map_or("Rows".to_owned(), |waiting| count(waiting, "row"));
            say(&format!("{waiting} of the ledger not in the signed log yet: {reason}"));
        }
    }
    for stopped in runs.iter().filter_map(|(_, run)| run.as_ref().ok().and_then(where_it_stopped)) {
        say(&stopped);
    }
}

fn line(log: Log, run: &Run) -> String {
    let report = &run.report;
    if report.windows.is_empty() && report.remaining_windows == 0 {
        return format!("{:<17} nothing is left to do", log.name());
    }
    let windows = count(report.read_windows() as u64, "window");
    let served = thousands(report.served);
    let new = thousands(report.new);
    let changed = thousands(report.changed);
    format!("{:<17} {windows} read: {served} records, {new} new, {changed} changed", log.name())
}

fn where_it_stopped(run: &Run) -> Option<String> {
    let next = run.first_left.filter(|_| run.ran_out_of_time)?;
    let left = count(run.report.remaining_windows, "window");
    let stream = next.stream.name();
    let start = next.window.start().format("%Y-%m-%d %H:%M");
    Some(format!(
        "stopped before {stream} of {start}, with {left} left; the same command goes on there"
    ))
}

/// The reports for a machine.
pub(crate) fn json(archive: &Place, runs: &Runs, is_interrupted: bool) -> Value {
    let error = |error: &Error| json!({"type": error.error_type(), "message": error.to_string()});
    let runs: Vec<_> = runs
        .iter()
        .map(|(log, run)| match run {
            Ok(run) => {
                json!({"log": log.name(), "report": run.report, "error": run.error.as_ref().map(error)})
            }
            Err(failed) => json!({"log": log.name(), "report": null, "error": error(failed)}),
        })
        .collect();
    json!({"archive": archive.to_string(), "interrupted": is_interrupted, "runs": runs})
}

/// Says why each run failed that did, and what the exit status is.
pub(crate) fn complain(runs: &Runs) -> Status {
    let mut has_failed = false;
    for (log, run) in runs {
        if let Err(error) | Ok(Run { error: Some(error), .. }) = run {
            complain_of(&format!("{}: {error}", log.name()));
            has_failed = true;
        }
    }
    let done = || runs.iter().filter_map(|(_, run)| run.as_ref().ok());
    let is_left = done().any(|run| run.ran_out_of_time || run.report.remaining_windows > 0);
    let has_read = done().any(|run| run.report.read_windows() > 0);
    match (has_failed, has_read) {
        (true, false) => Status::NothingDone,
        (true, true) => Status::SomethingLeft,
        (false, _) if is_left => Status::SomethingLeft,
        (false, _) => Status::AllDone,
    }
}

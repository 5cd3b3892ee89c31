//! The runs of a collection, and the summary that it prints at its end.

use crate::archive_location::ArchiveLocation;
use crate::status::Status;
use crate::terminal::numbers::{count, thousands};
use crate::terminal::output::{print_error, print_line};
use entratrail::collector::Run;
use entratrail::error::Error;
use entratrail::log::Log;
use serde_json::{Value, json};

/// Result of each log.
#[derive(Debug)]
pub(crate) struct Runs(pub(super) Vec<(Log, Result<Run, Error>)>);

impl Runs {
    /// Prints a line for each log, and what to do next.
    pub(super) fn print_with(&self, archive: &ArchiveLocation) {
        self.print();
        print_line(&format!(
            "The archive is in {archive}; entratrail verify --archive {archive} checks it."
        ));
    }

    /// Prints a line for each log, and where it stopped.
    pub(crate) fn print(&self) {
        for (log, run) in &self.0 {
            let Ok(run) = run else { continue };
            print_line(&line(*log, run));
            for key in &run.report.foreign {
                print_line(&format!("  {key} is not EntraTrail's, and was left alone"));
            }
        }
        for evidence in self.done().filter_map(|run| run.report.evidence.as_ref()) {
            if let Some(checkpoint) = &evidence.checkpoint {
                print_line(&format!("\n{checkpoint}"));
            }
            if let Some(reason) = &evidence.unstamped {
                print_line(reason);
            }
            if let Some(reason) = &evidence.delayed {
                let waiting =
                    evidence.waiting.map_or("Rows".to_owned(), |waiting| count(waiting, "row"));
                print_line(&format!("{waiting} of the ledger not in the signed log yet: {reason}"));
            }
        }
        for stopped in self.done().filter_map(where_it_stopped) {
            print_line(&stopped);
        }
    }

    /// The reports for a machine.
    pub(super) fn to_json(&self, archive: &ArchiveLocation, is_interrupted: bool) -> Value {
        let mut runs = Vec::new();
        for (log, run) in &self.0 {
            let (report, error) = match run {
                Ok(run) => (Some(&run.report), run.error.as_ref()),
                Err(error) => (None, Some(error)),
            };
            let error = error
                .map(|error| json!({"type": error.error_type(), "message": error.to_string()}));
            runs.push(json!({"log": log.name(), "report": report, "error": error}));
        }
        json!({"archive": archive.to_string(), "interrupted": is_interrupted, "runs": runs})
    }

    /// Prints why each run failed that did; the status says what was done.
    pub(crate) fn conclude(&self) -> Status {
        let mut has_failed = false;
        for (log, run) in &self.0 {
            if let Err(error) | Ok(Run { error: Some(error), .. }) = run {
                print_error(&format!("{}: {error}", log.name()));
                has_failed = true;
            }
        }
        let is_left =
            self.done().any(|run| run.ran_out_of_time || run.report.remaining_windows > 0);
        let has_read = self.done().any(|run| run.report.read_windows() > 0);
        match (has_failed, has_read) {
            (true, false) => Status::NothingDone,
            (true, true) => Status::SomethingLeft,
            (false, _) if is_left => Status::SomethingLeft,
            (false, _) => Status::AllDone,
        }
    }

    /// The runs that began.
    fn done(&self) -> impl Iterator<Item = &Run> {
        self.0.iter().filter_map(|(_, run)| run.as_ref().ok())
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

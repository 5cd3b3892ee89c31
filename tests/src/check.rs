//! The verdict of `docs/ledger.py` and `docs/check.py`, which were written from the format's
//! description alone.

#![expect(
    clippy::expect_used,
    clippy::missing_panics_doc,
    reason = "a test ends at the first thing that is not as it should be"
)]

use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

/// A stream and one of its windows.
pub type CheckedWindow = (String, DateTime<Utc>, DateTime<Utc>);

/// Answer of the script.
#[derive(Debug)]
pub struct Check {
    /// Sentences about what is not sound.
    pub problems: Vec<String>,
    /// State of each window.
    pub windows: BTreeMap<CheckedWindow, String>,
}

impl Check {
    /// Answer about the archive in `folder`, as of `now`.
    pub fn of(folder: &Path, now: DateTime<Utc>) -> Self {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/ledger.py");
        let now = now.to_rfc3339_opts(SecondsFormat::Secs, true);
        let mut command = Command::new("python3");
        command.arg(script).arg(folder).arg("--json").args(["--now", &now]);
        let output = command.output().expect("python3 is there");
        let answer: Value =
            serde_json::from_slice(&output.stdout).expect("the script answers in JSON");
        let mut windows = BTreeMap::new();
        for window in answer["windows"].as_array().into_iter().flatten() {
            let folder = text(&window["stream"]);
            let stream = folder.rsplit(['/', '=']).next().unwrap_or_default().to_owned();
            let place = (stream, instant(&window["start"]), instant(&window["end"]));
            windows.insert(place, text(&window["state"]));
        }
        let problems = answer["problems"].as_array().into_iter().flatten().map(text);
        Self { problems: problems.collect(), windows }
    }

    /// Windows in that state.
    pub fn windows_that_are(&self, state: &str) -> BTreeSet<CheckedWindow> {
        let windows = self.windows.iter().filter(|(_, found)| *found == state);
        windows.map(|(window, _)| window.clone()).collect()
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn instant(value: &Value) -> DateTime<Utc> {
    text(value).replace('Z', ":00Z").parse().expect("it is a time")
}

//! The progress of a rebuild: a bar on a terminal, a line now and then anywhere else.

use crate::numbers::{count, thousands};
use crate::output::note;
use indicatif::{ProgressBar, ProgressStyle};
use std::time::{Duration, Instant};

/// Between two lines.
const PERIOD: Duration = Duration::from_secs(10);

/// Shows how many objects are made.
#[derive(Debug)]
pub(super) struct Meter {
    all: u64,
    shown: Shown,
}

#[derive(Debug)]
enum Shown {
    Nothing,
    Bar(ProgressBar),
    Lines(Instant),
}

impl Meter {
    /// A meter for so many objects.
    pub(super) fn new(all: u64, is_quiet: bool) -> Self {
        let shown = match (is_quiet, console::user_attended_stderr()) {
            (true, _) => Shown::Nothing,
            (false, true) => {
                let style =
                    ProgressStyle::with_template("{bar:24} {pos}/{len} table objects  {msg}");
                let style = style.unwrap_or_else(|_| ProgressStyle::default_bar());
                Shown::Bar(ProgressBar::new(all).with_style(style))
            }
            (false, false) => Shown::Lines(Instant::now()),
        };
        Self { all, shown }
    }

    pub(super) fn show(&mut self, remaining: u64, records: u64) {
        let objects = self.all - remaining;
        match &mut self.shown {
            Shown::Bar(bar) => {
                bar.set_position(objects);
                bar.set_message(count(records, "record"));
            }
            Shown::Lines(last) if last.elapsed() >= PERIOD => {
                *last = Instant::now();
                let objects = thousands(objects);
                let all = thousands(self.all);
                note(&format!("table objects {objects}/{all}; {}", count(records, "record")));
            }
            Shown::Nothing | Shown::Lines(_) => {}
        }
    }

    pub(super) fn end(&self) {
        if let Shown::Bar(bar) = &self.shown {
            bar.abandon();
        }
    }
}

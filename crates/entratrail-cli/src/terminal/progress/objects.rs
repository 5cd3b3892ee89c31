//! The progress of a rebuild: a bar on a terminal, a line now and then anywhere else.

use super::{LINE_PERIOD, style};
use crate::terminal::numbers::{count, thousands};
use crate::terminal::output::print_status;
use indicatif::ProgressBar;
use std::time::Instant;

/// Shows how many objects are made.
#[derive(Debug)]
pub(crate) struct ObjectProgress {
    all: u64,
    shown: Shown,
}

#[derive(Debug)]
enum Shown {
    Nothing,
    Bar(ProgressBar),
    Lines(Instant),
}

impl ObjectProgress {
    /// Progress of so many objects.
    pub(crate) fn new(all: u64, is_quiet: bool) -> Self {
        let shown = match (is_quiet, console::user_attended_stderr()) {
            (true, _) => Shown::Nothing,
            (false, true) => {
                let style = style("{bar:24} {pos}/{len} table objects  {msg}");
                Shown::Bar(ProgressBar::new(all).with_style(style))
            }
            (false, false) => Shown::Lines(Instant::now()),
        };
        Self { all, shown }
    }

    /// Shows that all objects but those are made.
    pub(crate) fn show(&mut self, remaining: u64, records: u64) {
        let objects = self.all - remaining;
        match &mut self.shown {
            Shown::Bar(bar) => {
                bar.set_position(objects);
                bar.set_message(count(records, "record"));
            }
            Shown::Lines(last) if last.elapsed() >= LINE_PERIOD => {
                *last = Instant::now();
                let objects = thousands(objects);
                let all = thousands(self.all);
                print_status(&format!(
                    "table objects {objects}/{all}; {}",
                    count(records, "record")
                ));
            }
            Shown::Nothing | Shown::Lines(_) => {}
        }
    }

    /// Leaves the bar as it is.
    pub(crate) fn end(&self) {
        if let Shown::Bar(bar) = &self.shown {
            bar.abandon();
        }
    }
}

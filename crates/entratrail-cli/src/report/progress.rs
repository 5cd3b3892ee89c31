//! How far a report is: a line that renews itself on a terminal, a line now and then elsewhere.

use crate::numbers::count;
use crate::output::note;
use indicatif::{ProgressBar, ProgressStyle};
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// Time between two lines if nobody watches.
const PERIOD: Duration = Duration::from_secs(10);

/// Counts the questions that were answered.
#[derive(Debug)]
pub(super) enum Progress {
    Bar(ProgressBar),
    Lines(Mutex<(u64, Instant)>, u64),
}

impl Progress {
    /// Progress of so many questions.
    pub(super) fn of(questions: usize) -> Self {
        let questions = questions as u64;
        if !console::user_attended_stderr() {
            return Self::Lines(Mutex::new((0, Instant::now())), questions);
        }
        let style = ProgressStyle::with_template("{bar:24} {pos:>3}/{len} questions  {wide_msg}");
        let bar = ProgressBar::new(questions);
        Self::Bar(bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar())))
    }

    /// The question of that name is answered.
    pub(super) fn answered(&self, name: &str) {
        match self {
            Self::Bar(bar) => {
                bar.set_message(name.to_owned());
                bar.inc(1);
            }
            Self::Lines(state, questions) => {
                let Ok(mut state) = state.lock() else { return };
                state.0 += 1;
                if state.1.elapsed() >= PERIOD {
                    state.1 = Instant::now();
                    note(&format!("{} of {} answered", state.0, count(*questions, "question")));
                }
            }
        }
    }

    /// Removes the line.
    pub(super) fn end(&self) {
        if let Self::Bar(bar) = self {
            bar.finish_and_clear();
        }
    }
}

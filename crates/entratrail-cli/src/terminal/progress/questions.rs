//! Progress of a report: a line that renews itself on a terminal, a line now and then elsewhere.

use super::{LINE_PERIOD, style};
use crate::terminal::numbers::count;
use crate::terminal::output::print_status;
use indicatif::ProgressBar;
use std::sync::Mutex;
use std::time::Instant;

/// Counts the questions that were answered.
#[derive(Debug)]
pub(crate) enum QuestionProgress {
    Bar(ProgressBar),
    Lines(Mutex<(u64, Instant)>, u64),
}

impl QuestionProgress {
    /// Progress of so many questions.
    pub(crate) fn of(questions: usize) -> Self {
        let questions = questions as u64;
        if !console::user_attended_stderr() {
            return Self::Lines(Mutex::new((0, Instant::now())), questions);
        }
        let style = style("{bar:24} {pos:>3}/{len} questions  {wide_msg}");
        Self::Bar(ProgressBar::new(questions).with_style(style))
    }

    /// The question of that name is answered.
    pub(crate) fn answered(&self, name: &str) {
        match self {
            Self::Bar(bar) => {
                bar.set_message(name.to_owned());
                bar.inc(1);
            }
            Self::Lines(state, questions) => {
                let Ok(mut state) = state.lock() else { return };
                state.0 += 1;
                if state.1.elapsed() >= LINE_PERIOD {
                    state.1 = Instant::now();
                    print_status(&format!(
                        "{} of {} answered",
                        state.0,
                        count(*questions, "question")
                    ));
                }
            }
        }
    }

    /// Removes the line.
    pub(crate) fn end(&self) {
        if let Self::Bar(bar) = self {
            bar.finish_and_clear();
        }
    }
}

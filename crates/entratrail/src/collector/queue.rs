//! The windows that a run still has to read, oldest first.

use crate::error::Error;
use crate::ledger::{ReadRow, State};
use crate::log::Stream;
use crate::plan::Planned;
use crate::report::WindowReport;
use crate::window::{Window, WindowLength};
use chrono::NaiveDate;
use std::collections::{HashMap, VecDeque};

/// How often one run plans the same day again because another run works on it.
const MOST_PLANS: u32 = 5;

/// A window to read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Task {
    pub(super) planned: Planned,
    /// About how many records are expected, where that is known.
    pub(super) estimate: Option<u64>,
}

impl Task {
    pub(super) fn new(planned: Planned) -> Self {
        Self { planned, estimate: None }
    }

    /// The stream and day that it belongs to.
    pub(super) fn place(&self) -> (Stream, NaiveDate) {
        (self.planned.stream, self.planned.window.day())
    }

    /// The windows of that length that are read in its place.
    pub(super) fn split(self, length: WindowLength, estimate: u64) -> Vec<Self> {
        let part = |window| Self { planned: Planned { window, ..self.planned }, estimate: Some(estimate) };
        self.planned.window.tiles(length).map(part).collect()
    }

    /// The report of a finished read.
    pub(super) fn report(&self, row: &ReadRow, state: State) -> WindowReport {
        WindowReport {
            served: row.served,
            new: row.new,
            changed: row.changed,
            key: row.key.clone(),
            ..self.unread(state)
        }
    }

    /// The report of a read that could not be finished.
    pub(super) fn failure(&self, error: &Error) -> WindowReport {
        WindowReport { error: Some(error.to_string()), ..self.unread(self.planned.state) }
    }

    fn unread(&self, state: State) -> WindowReport {
        let Planned { stream, window, read, .. } = self.planned;
        WindowReport::unread(stream, window.start(), window.end(), read, state)
    }
}

/// Tasks in the order in which they are taken.
#[derive(Debug, Default)]
pub(super) struct Queue {
    tasks: VecDeque<Task>,
    planned_again: HashMap<(Stream, NaiveDate), u32>,
}

impl Queue {
    pub(super) fn new(tasks: Vec<Task>) -> Self {
        Self { tasks: tasks.into(), planned_again: HashMap::new() }
    }

    pub(super) fn next(&mut self) -> Option<Task> {
        self.tasks.pop_front()
    }

    pub(super) fn len(&self) -> usize {
        self.tasks.len()
    }

    pub(super) fn has(&self, stream: Stream, window: Window) -> bool {
        self.tasks.iter().any(|task| task.planned.stream == stream && task.planned.window == window)
    }

    /// Puts `tasks` before all others, in their order.
    pub(super) fn put_first(&mut self, tasks: Vec<Task>) {
        for task in tasks.into_iter().rev() {
            self.tasks.push_front(task);
        }
    }

    /// Whether the day may be planned once more in this run; counts.
    pub(super) fn may_plan_again(&mut self, place: (Stream, NaiveDate)) -> bool {
        let plans = self.planned_again.entry(place).or_insert(0);
        *plans += 1;
        *plans <= MOST_PLANS
    }
}

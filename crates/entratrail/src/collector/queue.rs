//! The windows that a run still has to read, oldest first.

use super::holdings::Place;
use crate::error::Error;
use crate::ledger::{Doubt, ReadRow, State};
use crate::log::Stream;
use crate::plan::{Holdings, Planned};
use crate::reader::Split;
use crate::report::WindowReport;

use std::collections::{HashMap, VecDeque};

/// Times that one run plans the same day again because another run works on it.
const MOST_PLANS: u32 = 5;

/// A window to read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Task {
    pub(super) planned: Planned,
    /// About how many records are expected, where that is known.
    pub(super) estimate: Option<u64>,
}

impl Task {
    /// A task for `planned`: a window that was read before is expected to hold what it held then.
    pub(super) fn new(planned: Planned, holdings: &Holdings) -> Self {
        let last = holdings.ledger.complete_reads(planned.window).next_back();
        Self { planned, estimate: last.map(|row| row.counts().served) }
    }

    /// The stream and day that it belongs to.
    pub(super) fn place(&self) -> Place {
        (self.planned.stream, self.planned.window.day())
    }

    /// The shorter windows that are read in its place.
    pub(super) fn split(self, split: Split) -> Vec<Self> {
        let estimate = Some(split.records_each);
        self.planned
            .window
            .tiles(split.into)
            .map(|window| Self { planned: Planned { window, ..self.planned }, estimate })
            .collect()
    }

    /// The report of a finished read.
    pub(super) fn report(&self, row: &ReadRow, state: State, doubt: Option<Doubt>) -> WindowReport {
        let counts = row.counts();
        WindowReport {
            read: row.read,
            served: counts.served,
            new: counts.new,
            changed: counts.changed,
            untimed: counts.untimed,
            outside: counts.outside,
            key: row.object().map(|object| object.key.clone()),
            reason: reason(row, doubt),
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

/// Sentence for a window that was read and is not verified, or not all of which could be stored.
fn reason(row: &ReadRow, doubt: Option<Doubt>) -> Option<String> {
    let doubt = doubt.map(|doubt| doubt.to_string());
    let parts: Vec<_> = row.error().map(str::to_owned).into_iter().chain(doubt).collect();
    (!parts.is_empty()).then(|| parts.join("; "))
}

/// Tasks in the order in which they are taken.
#[derive(Debug, Default)]
pub(super) struct Queue {
    waiting: VecDeque<Task>,
    in_flight: Vec<Task>,
    planned_again: HashMap<Place, u32>,
}

impl Queue {
    pub(super) fn new(tasks: Vec<Task>) -> Self {
        Self { waiting: tasks.into(), ..Self::default() }
    }

    /// Number of tasks that wait.
    pub(super) fn len(&self) -> usize {
        self.waiting.len()
    }

    /// The tasks that wait.
    pub(super) fn waiting(&self) -> impl Iterator<Item = &Task> {
        self.waiting.iter()
    }

    /// Tasks of one stream that wait or are in flight.
    pub(super) fn left(&self, stream: Stream) -> usize {
        self.waiting
            .iter()
            .chain(&self.in_flight)
            .filter(|task| task.planned.stream == stream)
            .count()
    }

    /// The oldest task that waits.
    pub(super) fn first(&self) -> Option<Planned> {
        self.waiting.iter().map(|task| task.planned).min_by_key(|planned| planned.window.start())
    }

    /// Takes the first task, which is in flight until it is [`Queue::landed`].
    pub(super) fn next(&mut self) -> Option<Task> {
        let task = self.waiting.pop_front()?;
        self.in_flight.push(task);
        Some(task)
    }

    /// Notes that a task is over, however it ended.
    pub(super) fn landed(&mut self, task: &Task) {
        self.in_flight.retain(|other| other.planned != task.planned);
    }

    /// Puts `tasks` before all others, in their order.
    pub(super) fn put_first(&mut self, tasks: Vec<Task>) {
        for task in tasks.into_iter().rev() {
            self.waiting.push_front(task);
        }
    }

    /// Whether the day may be planned once more in this run; counts.
    pub(super) fn may_plan_again(&mut self, place: Place) -> bool {
        let plans = self.planned_again.entry(place).or_insert(0);
        *plans += 1;
        *plans <= MOST_PLANS
    }

    /// Puts a fresh plan of a day in the place of what waits of it. What is in flight stays in
    /// flight.
    pub(super) fn plan_again(&mut self, place: Place, mut planned: Vec<Task>) {
        self.waiting.retain(|task| task.place() != place);
        for task in self.in_flight.iter().filter(|task| task.place() == place) {
            planned.retain(|planned| !task.planned.window.overlaps(planned.planned.window));
        }
        self.put_first(planned);
    }
}

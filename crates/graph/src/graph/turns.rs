//! Whose request is next: one limiter for everything that a run asks of Graph.

use super::pace::Pace;
use chrono::{DateTime, Utc};
use entratrail_core::clock::Clock;
use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;

/// Order of the requests that wait: the older window first, and among windows of one start the
/// chain with more records ahead. So the chains of all streams end at about the same time, and the
/// limit is used up to the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rank {
    window_start: DateTime<Utc>,
    records_ahead: Reverse<u64>,
}

impl Rank {
    /// The rank of a chain with so many records ahead; where that is not known, its request goes
    /// first, to find out.
    pub fn new(window_start: DateTime<Utc>, records_ahead: Option<u64>) -> Self {
        Self { window_start, records_ahead: Reverse(records_ahead.unwrap_or(u64::MAX)) }
    }
}

/// Grants turns: at most so many at once, and no faster than the pace.
#[derive(Debug)]
pub(super) struct Turns {
    clock: Clock,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    pace: Pace,
    free: usize,
    in_flight: usize,
    waiting: BTreeMap<Place, Arc<Notify>>,
    arrivals: u64,
}

/// A place in the line; the number tells waiters of the same rank apart.
type Place = (Rank, u64);

/// The right to have one request in flight, until it is dropped.
#[derive(Debug)]
pub(super) struct Turn<'turns>(&'turns Turns);

struct Waiter<'turns> {
    turns: &'turns Turns,
    place: Place,
    woken: Arc<Notify>,
}

enum Attempt<'turns> {
    Granted(Turn<'turns>),
    NotBefore(DateTime<Utc>),
    NotFirst,
}

impl Turns {
    /// At most `requests` in any ten seconds, and at most `at_once` in flight.
    pub(super) fn new(requests: usize, at_once: usize, clock: Clock) -> Self {
        let state = State {
            pace: Pace::new(requests),
            free: at_once,
            in_flight: 0,
            waiting: BTreeMap::new(),
            arrivals: 0,
        };
        Self { clock, state: Mutex::new(state) }
    }

    /// Waits until a request of `rank` may be sent.
    pub(super) async fn turn(&self, rank: Rank) -> Turn<'_> {
        let waiter = self.line_up(rank);
        loop {
            match self.attempt(&waiter.place) {
                Attempt::Granted(turn) => return turn,
                Attempt::NotBefore(instant) => tokio::select! {
                    () = self.clock.sleep_until(instant) => {}
                    () = waiter.woken.notified() => {}
                },
                Attempt::NotFirst => waiter.woken.notified().await,
            }
        }
    }

    /// Whether requests wait or are in flight.
    pub(super) fn is_busy(&self) -> bool {
        let state = self.state();
        state.in_flight > 0 || !state.waiting.is_empty()
    }

    /// Nobody sends before `instant`, and from then on everybody more slowly: Graph said that it
    /// was too much.
    pub(super) fn throttled_until(&self, instant: DateTime<Utc>) {
        self.state().pace.throttled_until(instant, self.clock.now());
    }

    fn line_up(&self, rank: Rank) -> Waiter<'_> {
        let mut state = self.state();
        state.arrivals += 1;
        let place = (rank, state.arrivals);
        let woken = Arc::new(Notify::new());
        state.waiting.insert(place, Arc::clone(&woken));
        Waiter { turns: self, place, woken }
    }

    fn attempt(&self, place: &Place) -> Attempt<'_> {
        let mut state = self.state();
        let is_first = state.waiting.first_key_value().is_some_and(|(first, _)| first == place);
        if !is_first || state.free == 0 {
            return Attempt::NotFirst;
        }
        if let Err(later) = state.pace.take(self.clock.now()) {
            return Attempt::NotBefore(later);
        }
        state.free -= 1;
        state.in_flight += 1;
        Attempt::Granted(Turn(self))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn wake_first(&self) {
        if let Some((_, first)) = self.waiting.first_key_value() {
            first.notify_one();
        }
    }
}

impl Drop for Waiter<'_> {
    fn drop(&mut self) {
        let mut state = self.turns.state();
        state.waiting.remove(&self.place);
        state.wake_first();
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let mut state = self.0.state();
        state.free += 1;
        state.in_flight -= 1;
        state.wake_first();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::future::join_all;
    use std::cell::RefCell;

    fn rank(day: u32, ahead: Option<u64>) -> Rank {
        let start = format!("2026-11-{day:02}T00:00:00Z").parse().unwrap();
        Rank::new(start, ahead)
    }

    /// The order in which requests get their turn that ask for it at once while another one is in
    /// flight.
    async fn order(ranks: &[Rank]) -> Vec<usize> {
        let turns = Turns::new(1000, 1, Clock::wall());
        let order = RefCell::new(Vec::new());
        let first = turns.turn(rank(1, None)).await;
        let asking = ranks.iter().enumerate().map(|(number, rank)| {
            let turns = &turns;
            let order = &order;
            async move {
                let _turn = turns.turn(*rank).await;
                order.borrow_mut().push(number);
            }
        });
        let release = async {
            tokio::task::yield_now().await;
            drop(first);
        };
        tokio::join!(join_all(asking), release);
        order.into_inner()
    }

    #[tokio::test]
    async fn the_older_window_goes_first_and_in_it_the_longer_chain() {
        let ranks = [
            rank(22, None),
            rank(21, Some(500)),
            rank(21, Some(9000)),
            rank(20, Some(1)),
            rank(21, None),
        ];
        assert_eq!(order(&ranks).await, [3, 4, 2, 1, 0]);
    }

    #[tokio::test]
    async fn who_gives_up_waiting_blocks_nobody() {
        let turns = Turns::new(1000, 1, Clock::wall());
        let held = turns.turn(rank(1, None)).await;
        let mut impatient = Box::pin(turns.turn(rank(1, None)));
        let patient = turns.turn(rank(2, None));
        tokio::pin!(patient);
        assert!(futures_util::poll!(&mut impatient).is_pending());
        assert!(futures_util::poll!(&mut patient).is_pending());
        drop(held); // wakes the first in line, which is gone a moment later
        drop(impatient);
        patient.await;
    }
}

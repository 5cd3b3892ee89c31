//! When the next request may be sent: one limiter for everything that a run asks of Graph.

use crate::clock::Clock;
use chrono::{DateTime, TimeDelta, Utc};
use std::collections::VecDeque;
use std::sync::Mutex;
use tokio::sync::Mutex as Queue;

/// Graph counts requests in spans of ten seconds. The margin covers the different times that requests need
/// to get there.
const PERIOD: TimeDelta = TimeDelta::milliseconds(10_100);

/// How far throttling can slow a run down: the period is never stretched beyond this.
const LONGEST_PERIOD: TimeDelta = TimeDelta::seconds(40);

/// Every request that is granted takes back one part in so many of a stretch.
const RECOVERY: i32 = 20;

/// Grants requests in the order in which they were asked for.
#[derive(Debug)]
pub(super) struct Pace {
    clock: Clock,
    queue: Queue<()>,
    slots: Mutex<Slots>,
}

impl Pace {
    /// At most `requests` in any ten seconds.
    pub(super) fn new(requests: usize, clock: Clock) -> Self {
        let slots = Slots { requests, period: PERIOD, sent: VecDeque::new(), paused_until: None };
        Self { clock, queue: Queue::new(()), slots: Mutex::new(slots) }
    }

    /// Waits until a request may be sent.
    pub(super) async fn turn(&self) {
        let _first_in_line = self.queue.lock().await;
        loop {
            let now = self.clock.now();
            match self.with_slots(|slots| slots.take(now)) {
                Ok(()) => return,
                Err(later) => self.clock.sleep_until(later).await,
            }
        }
    }

    /// Nobody sends before `instant`, and from then on everybody more slowly: Graph said that it was too much.
    pub(super) fn throttled_until(&self, instant: DateTime<Utc>) {
        self.with_slots(|slots| {
            slots.pause(instant);
            slots.slow_down();
        });
    }

    fn with_slots<T>(&self, act: impl FnOnce(&mut Slots) -> T) -> T {
        act(&mut self.slots.lock().unwrap_or_else(std::sync::PoisonError::into_inner))
    }
}

#[derive(Debug)]
struct Slots {
    requests: usize,
    period: TimeDelta,
    sent: VecDeque<DateTime<Utc>>,
    paused_until: Option<DateTime<Utc>>,
}

impl Slots {
    /// Takes a slot at `now`, or says when to try again.
    fn take(&mut self, now: DateTime<Utc>) -> Result<(), DateTime<Utc>> {
        if let Some(until) = self.paused_until.filter(|&until| until > now) {
            return Err(until);
        }
        while self.sent.front().is_some_and(|&sent| sent + self.period <= now) {
            self.sent.pop_front();
        }
        if self.sent.len() >= self.requests {
            return Err(self.sent.front().map_or(now, |&first| first + self.period));
        }
        self.sent.push_back(now);
        self.speed_up();
        Ok(())
    }

    /// Takes back a little of what throttling has slowed down.
    fn speed_up(&mut self) {
        self.period = PERIOD + (self.period - PERIOD) * (RECOVERY - 1) / RECOVERY;
    }

    fn pause(&mut self, until: DateTime<Utc>) {
        self.paused_until = self.paused_until.max(Some(until));
    }

    fn slow_down(&mut self) {
        self.period = (self.period + self.period / 4).min(LONGEST_PERIOD);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn slots(requests: usize) -> Slots {
        Slots { requests, period: PERIOD, sent: VecDeque::new(), paused_until: None }
    }

    fn at(milliseconds: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::milliseconds(milliseconds)
    }

    proptest! {
        #[test]
        fn no_ten_seconds_hold_more_requests_than_allowed(
            requests in 1usize..8, steps in proptest::collection::vec(0i64..4000, 1..200),
        ) {
            let mut slots = slots(requests);
            let (mut now, mut granted) = (0, Vec::new());
            for step in steps {
                now += step;
                if slots.take(at(now)).is_ok() {
                    granted.push(now);
                }
            }
            for (index, start) in granted.iter().enumerate() {
                let within = granted[index..].iter().take_while(|&&time| time < start + 10_000).count();
                prop_assert!(within <= requests);
            }
        }
    }

    #[test]
    fn waiting_as_told_uses_the_whole_allowance() {
        let mut slots = slots(5);
        let mut now = at(0);
        for _ in 0..100 {
            if let Err(later) = slots.take(now) {
                now = later;
                assert!(slots.take(now).is_ok());
            }
        }
        assert_eq!(now, at(0) + PERIOD * 19);
    }

    #[test]
    fn throttling_stops_everybody_and_slows_them_down_for_a_while() {
        let mut slots = slots(1);
        slots.pause(at(7000));
        slots.pause(at(3000));
        assert_eq!(slots.take(at(0)), Err(at(7000)));
        assert_eq!(slots.take(at(7000)), Ok(()));
        slots.slow_down();
        assert_eq!(slots.take(at(7001)), Err(at(7000) + PERIOD + PERIOD / 4));
        (0..50).for_each(|_| slots.slow_down());
        assert_eq!(slots.period, LONGEST_PERIOD);
        (0..200).for_each(|_| slots.speed_up());
        assert!(slots.period < PERIOD + TimeDelta::milliseconds(50));
    }
}

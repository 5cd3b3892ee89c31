//! The simulated clock: it starts where the scenario says and runs faster than the wall clock if
//! asked, or stands still until it is set.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

use crate::ticks;

/// Simulated time, shared by every part of the simulator.
#[derive(Debug)]
pub(crate) struct Clock {
    origin: Mutex<(i64, Instant)>,
    speed: u32,
}

impl Clock {
    pub(crate) fn new(start: i64, speed: u32) -> Self {
        Self { origin: Mutex::new((start, Instant::now())), speed }
    }

    /// The simulated time in ticks.
    pub(crate) fn now(&self) -> i64 {
        let (start, since) = *self.origin.lock().unwrap_or_else(PoisonError::into_inner);
        let elapsed = i64::try_from(since.elapsed().as_nanos()).unwrap_or(i64::MAX) / 100;
        start.saturating_add(elapsed.saturating_mul(i64::from(self.speed)))
    }

    /// Jumps to another time; the clock runs on from there.
    pub(crate) fn set(&self, now: i64) {
        *self.origin.lock().unwrap_or_else(PoisonError::into_inner) = (now, Instant::now());
    }

    /// Waits for a span of simulated seconds.
    pub(crate) async fn sleep(&self, seconds: f64) {
        if seconds > 0.0 {
            // A clock that stands still knows no span of its own.
            let speed = f64::from(self.speed.max(1));
            tokio::time::sleep(Duration::from_secs_f64(seconds / speed)).await;
        }
    }

    /// Whole seconds of simulated time between two readings, for the body of an error.
    pub(crate) fn date(&self) -> String {
        let mut date = ticks::text(self.now(), 0);
        date.pop();
        date
    }
}

//! The time, and waiting for it: time enters the product as this value.

use chrono::{DateTime, TimeDelta, Utc};
use std::future::Future;
use std::time::Duration;
use tokio::time::Instant;

/// The wall clock, or a simulated one that starts where it is told and may run faster.
#[derive(Debug, Clone, Copy)]
pub struct Clock(Kind);

#[derive(Debug, Clone, Copy)]
enum Kind {
    Wall,
    Simulated { origin: DateTime<Utc>, started: Instant, speed: u32 },
}

impl Clock {
    /// The machine's own clock.
    pub fn wall() -> Self {
        Self(Kind::Wall)
    }

    /// A clock that shows `origin` now and passes `speed` seconds in each real second.
    pub fn simulated(origin: DateTime<Utc>, speed: u32) -> Self {
        Self(Kind::Simulated { origin, started: Instant::now(), speed: speed.max(1) })
    }

    /// The present instant.
    pub fn now(&self) -> DateTime<Utc> {
        match self.0 {
            Kind::Wall => Utc::now(),
            Kind::Simulated { origin, started, speed } => {
                origin + TimeDelta::from_std(started.elapsed() * speed).unwrap_or(TimeDelta::MAX)
            }
        }
    }

    /// Waits until `duration` of this clock's time has passed.
    pub async fn sleep(&self, duration: Duration) {
        tokio::time::sleep(self.real(duration)).await;
    }

    /// Waits until this clock shows `instant`; returns at once where that is past.
    pub async fn sleep_until(&self, instant: DateTime<Utc>) {
        while let Ok(left) = (instant - self.now()).to_std() {
            if left.is_zero() {
                return;
            }
            self.sleep(left).await;
        }
    }

    /// The result of `work`, or `None` where it takes longer than `limit` of this clock's time.
    pub async fn timeout<T>(&self, limit: Duration, work: impl Future<Output = T>) -> Option<T> {
        tokio::time::timeout(self.real(limit), work).await.ok()
    }

    fn real(&self, duration: Duration) -> Duration {
        match self.0 {
            Kind::Wall => duration,
            Kind::Simulated { speed, .. } => duration / speed,
        }
    }
}

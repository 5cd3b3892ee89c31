//! The turn of a large window.

use std::sync::OnceLock;
use tokio::sync::{Semaphore, SemaphorePermit};

/// Records from which on a window is large.
const LARGE: u64 = 16_000;
/// Permits that the largest windows take.
const MOST_PERMITS: u64 = 3;
/// Permits that there are: for one of the largest windows and one that is just large.
pub const PERMITS: usize = 4;

/// Whether a window of so many records is large, so that it takes its turn.
pub(super) fn is_large(records: u64) -> bool {
    records >= LARGE
}

/// The right to read a window as a large one, until it is dropped.
#[derive(Debug)]
pub(super) struct LargeTurn<'run> {
    turns: &'run Semaphore,
    permits: OnceLock<SemaphorePermit<'run>>,
}

impl<'run> LargeTurn<'run> {
    /// Not taken yet.
    pub(super) fn of(turns: &'run Semaphore) -> Self {
        Self { turns, permits: OnceLock::new() }
    }

    pub(super) fn is_taken(&self) -> bool {
        self.permits.get().is_some()
    }

    /// Takes the turn of a window with so many records when it is free.
    pub(super) async fn wait(&self, records: u64) {
        if let Ok(permits) = self.turns.acquire_many(permits(records)).await {
            let _ = self.permits.set(permits);
        }
    }

    /// Takes the turn of a window with so many records if it is free now; says whether it is taken.
    pub(super) fn try_take(&self, records: u64) -> bool {
        let take = || {
            self.turns
                .try_acquire_many(permits(records))
                .is_ok_and(|permits| self.permits.set(permits).is_ok())
        };
        self.is_taken() || take()
    }
}

fn permits(records: u64) -> u32 {
    u32::try_from((records / LARGE).clamp(1, MOST_PERMITS)).unwrap_or(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_of_the_largest_and_a_smaller_one_are_read_at_once() {
        let turns = Semaphore::new(PERMITS);
        let windows = [0; 4].map(|_| LargeTurn::of(&turns));
        assert!(windows[0].try_take(1_000_000) && windows[0].is_taken());
        assert!(!windows[1].try_take(48_000), "two of the largest");
        assert!(windows[2].try_take(31_000) && !windows[3].try_take(16_000));
        drop(windows);
        assert_eq!(turns.available_permits(), PERMITS);
    }
}

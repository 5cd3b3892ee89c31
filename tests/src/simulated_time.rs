//! Time that passes while nobody has anything to do.
//!
//! In a runtime with paused time (`#[tokio::test(start_paused = true)]`), tokio goes straight to
//! the next timer whenever no task can go on. Bytes that are on their way between two sockets do
//! not count for it, so that a timeout would be over before its answer is read. The keeper mends
//! that: time passes in small steps, and between two of them everybody has had several turns to
//! read and write. A slow or a halted machine changes nothing.

use std::time::Duration;
use tokio::task::{JoinHandle, yield_now};

/// Time that passes at once.
const STEP: Duration = Duration::from_millis(20);
/// Turns that every task and every socket has in between.
const TURNS: u32 = 12;

/// Keeps the time of its runtime until it is dropped.
#[derive(Debug)]
pub struct TimeKeeper(JoinHandle<()>);

impl TimeKeeper {
    /// Begins with the next turn.
    pub fn start() -> Self {
        Self(tokio::spawn(async {
            loop {
                for _ in 0..TURNS {
                    yield_now().await;
                }
                tokio::time::sleep(STEP).await;
            }
        }))
    }
}

impl Drop for TimeKeeper {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// The result of `work` in a runtime with time of its own.
///
/// # Panics
/// Panics if this machine cannot start a runtime.
#[expect(
    clippy::expect_used,
    reason = "a test ends at the first thing that is not as it should be"
)]
pub fn block_on<T>(work: impl Future<Output = T>) -> T {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    runtime
        .enable_all()
        .start_paused(true)
        .build()
        .expect("a runtime can be started")
        .block_on(work)
}

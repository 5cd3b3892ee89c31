//! The wait before a request is repeated.

use std::time::Duration;

/// Doubles from one second to a minute; the upper half of each wait is random, so that readers that
/// failed together do not come back together.
pub(crate) fn backoff(attempt: u32, jitter: f64) -> Duration {
    let ceiling = f64::from(1u32 << attempt.clamp(1, 6)).min(60.0);
    Duration::from_secs_f64(ceiling / 2.0 * (1.0 + jitter.clamp(0.0, 1.0)))
}

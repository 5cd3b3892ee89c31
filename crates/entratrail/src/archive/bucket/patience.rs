//! Repeating a request while S3 is busy.

use aws_sdk_s3::config::http::HttpResponse;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use std::time::Duration;

/// Tries of one request. The SDK makes three of each within a second or two; S3 asks for more
/// patience than that where a prefix is busy, which it takes minutes to spread over more servers.
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/optimizing-performance.html>
const MAX_TRIES: u32 = 8;

/// No single wait is longer: in sum they stay below 75 seconds, far from the fifteen that a
/// function has.
const LONGEST_WAIT: Duration = Duration::from_secs(20);

type Refused<E> = SdkError<E, HttpResponse>;

/// Sends until the answer is one that waiting does not change, or patience ends.
pub(super) async fn patiently<T, E, Sent>(
    may_pass: impl Fn(&Refused<E>) -> bool,
    send: impl Fn() -> Sent,
) -> Result<T, Refused<E>>
where
    Sent: Future<Output = Result<T, Refused<E>>>,
{
    for tries in 1..MAX_TRIES {
        match send().await {
            Err(error) if may_pass(&error) => {
                tokio::time::sleep(wait(tries, fastrand::f64())).await;
            }
            answer => return answer,
        }
    }
    send().await
}

/// Whether S3 asks to come back later. The completion of an upload says so with status 200.
pub(super) fn is_busy<E: ProvideErrorMetadata>(error: &Refused<E>) -> bool {
    let status = error.raw_response().map(|response| response.status().as_u16());
    matches!(status, Some(500 | 503))
        || matches!(error.code(), Some("InternalError" | "ServiceUnavailable" | "SlowDown"))
}

/// Whether somebody else writes the same object at this moment as well. The same request may be
/// sent again, except for the completion of a conditional upload, whose parts are spent.
pub(super) fn is_busy_or_contended<E: ProvideErrorMetadata>(error: &Refused<E>) -> bool {
    let status = error.raw_response().map(|response| response.status().as_u16());
    status == Some(409) || is_busy(error)
}

/// Doubles with each try; `luck`, from 0 to 1, keeps many functions from coming back at one moment.
fn wait(tries: u32, luck: f64) -> Duration {
    let longest = Duration::from_secs(1 << (tries - 1).min(5)).min(LONGEST_WAIT);
    longest.mul_f64(0.5 + luck / 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_a_limit() {
        let shortest: Vec<_> = (1..MAX_TRIES).map(|tries| wait(tries, 0.0).as_millis()).collect();
        assert_eq!(shortest, [500, 1000, 2000, 4000, 8000, 10_000, 10_000]);
        let longest: Duration = (1..MAX_TRIES).map(|tries| wait(tries, 1.0)).sum();
        assert_eq!(longest, Duration::from_secs(71));
    }
}

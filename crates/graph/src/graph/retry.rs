//! The decision after a request: made on the status, never on error text, and without waiting.

use crate::backoff::backoff;
use crate::http::http_date;
use chrono::{DateTime, TimeDelta, Utc};
use std::time::Duration;

/// Tries of one request before it counts as failed, throttled ones apart.
const MOST_TRIES: u32 = 8;
/// Throttled answers to one request before the run says that somebody else uses up the limit.
const MOST_THROTTLED: u32 = 40;
/// Time-outs of one request before a smaller span is asked for.
const MOST_TIMEOUTS: u32 = 2;
/// Tries of a page that arrives whole and cannot be read before a smaller span is asked for: a
/// garbled answer passes at once or not at all.
const MOST_UNREADABLE: u32 = 3;
/// Further tries of a first link that Graph answers with 400: public reports tell of such answers
/// that pass.
const MOST_BAD_REQUESTS: u32 = 2;
/// A wait longer than this is not worth keeping a run alive for.
const LONGEST_WAIT: Duration = Duration::from_hours(1);

/// End of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    /// An answer with that status, and how long it asked to wait.
    Status(u16, Option<Duration>),
    /// No whole answer in time.
    TimedOut,
    /// The connection broke.
    Broken,
    /// A whole answer of status 200 that is no page.
    Unreadable,
    /// A page too large to take.
    TooLarge,
}

/// Next step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Decision {
    /// Nobody sends anything for that long; then the same request again.
    PauseEverybody(Duration),
    /// Repeat the request after that long.
    Wait(Duration),
    /// Repeat the request with a new token.
    RenewToken,
    /// Give up: the outcome is final.
    Fail,
}

/// History of one request.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Tries {
    failed: u32,
    throttled: u32,
    timed_out: u32,
    unreadable: u32,
    bad_requests: u32,
    renewed: bool,
}

/// Whether a status says that too much is asked: it is waited for longer than other failures, and
/// what remains of it in the end is an error of its own kind.
pub(super) const fn is_throttling(status: u16) -> bool {
    matches!(status, 429 | 503)
}

impl Tries {
    /// Decides after `outcome` of a request for a first link, or one that Graph gave (`is_next`).
    /// `jitter` is a random number from 0 to 1.
    pub(super) fn decide(&mut self, outcome: Outcome, is_next: bool, jitter: f64) -> Decision {
        match outcome {
            Outcome::Status(status, wait) if is_throttling(status) => self.throttled(wait, jitter),
            Outcome::Status(401, _) if !self.renewed => {
                self.renewed = true;
                Decision::RenewToken
            }
            Outcome::Status(408 | 500.., _) | Outcome::Broken => self.again(jitter),
            Outcome::Status(400, _) if !is_next && self.bad_requests < MOST_BAD_REQUESTS => {
                self.bad_requests += 1;
                self.again(jitter)
            }
            Outcome::Status(..) | Outcome::TooLarge => Decision::Fail,
            Outcome::Unreadable => {
                self.unreadable += 1;
                if self.unreadable >= MOST_UNREADABLE { Decision::Fail } else { self.again(jitter) }
            }
            Outcome::TimedOut => {
                self.timed_out += 1;
                if self.timed_out >= MOST_TIMEOUTS { Decision::Fail } else { self.again(jitter) }
            }
        }
    }

    fn throttled(&mut self, wait: Option<Duration>, jitter: f64) -> Decision {
        self.throttled += 1;
        // A wait of zero is as good as none: without a floor it would be answered by the next
        // refusal.
        let wait = wait.map_or_else(
            || backoff(self.throttled + 2, jitter),
            |wait| wait.max(Duration::from_secs(1)),
        );
        if self.throttled >= MOST_THROTTLED || wait > LONGEST_WAIT {
            Decision::Fail
        } else {
            Decision::PauseEverybody(wait)
        }
    }

    fn again(&mut self, jitter: f64) -> Decision {
        self.failed += 1;
        if self.failed >= MOST_TRIES {
            Decision::Fail
        } else {
            Decision::Wait(backoff(self.failed, jitter))
        }
    }
}

/// The wait that a `Retry-After` header asks for: seconds, or a date.
/// <https://www.rfc-editor.org/rfc/rfc9110#field.retry-after>
pub(super) fn retry_after(header: &str, now: DateTime<Utc>) -> Option<Duration> {
    if let Ok(seconds) = header.trim().parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = http_date(header)?;
    Some((date - now).max(TimeDelta::zero()).to_std().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(outcomes: &[Outcome], last: Decision) {
        let mut tries = Tries::default();
        let decisions: Vec<_> =
            outcomes.iter().map(|&outcome| tries.decide(outcome, true, 0.0)).collect();
        assert_eq!(decisions.last(), Some(&last), "{outcomes:?}");
    }

    #[test]
    fn throttling_waits_as_long_as_graph_asks() {
        check(
            &[Outcome::Status(429, Some(Duration::from_secs(17)))],
            Decision::PauseEverybody(Duration::from_secs(17)),
        );
        check(
            &[Outcome::Status(503, Some(Duration::ZERO))],
            Decision::PauseEverybody(Duration::from_secs(1)),
        );
        check(&[Outcome::Status(429, None)], Decision::PauseEverybody(Duration::from_secs(4)));
        check(&[Outcome::Status(429, Some(Duration::from_hours(24)))], Decision::Fail);
        check(&[Outcome::Status(429, None); 40], Decision::Fail);
    }

    #[test]
    fn a_refused_token_is_renewed_once() {
        check(&[Outcome::Status(401, None)], Decision::RenewToken);
        check(
            &[Outcome::Status(401, None), Outcome::Status(500, None), Outcome::Status(401, None)],
            Decision::Fail,
        );
    }

    #[test]
    fn what_the_caller_did_wrong_is_not_tried_again() {
        for status in [400, 403, 404, 410, 302] {
            check(&[Outcome::Status(status, None)], Decision::Fail);
        }
    }

    #[test]
    fn a_bad_request_for_a_first_link_is_tried_twice_more() {
        let mut tries = Tries::default();
        let mut decide = || tries.decide(Outcome::Status(400, None), false, 0.0);
        let decisions = [decide(), decide(), decide()];
        let waits = [1, 2].map(|seconds| Decision::Wait(Duration::from_secs(seconds)));
        assert_eq!(decisions, [waits[0], waits[1], Decision::Fail]);
        assert_eq!(Tries::default().decide(Outcome::Status(403, None), false, 0.0), Decision::Fail);
    }

    #[test]
    fn failures_back_off_and_end() {
        check(&[Outcome::Status(502, None); 2], Decision::Wait(Duration::from_secs(2)));
        check(&[Outcome::Broken; 8], Decision::Fail);
        check(&[Outcome::TimedOut], Decision::Wait(Duration::from_secs(1)));
        check(&[Outcome::TimedOut; 2], Decision::Fail);
        check(&[Outcome::Unreadable; 2], Decision::Wait(Duration::from_secs(2)));
        check(&[Outcome::Unreadable; 3], Decision::Fail);
        check(&[Outcome::TooLarge], Decision::Fail);
        assert_eq!(backoff(30, 1.0), Duration::from_mins(1));
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let now = "2026-11-23T01:15:00Z".parse().unwrap();
        let check = |header, seconds: Option<u64>| {
            assert_eq!(retry_after(header, now), seconds.map(Duration::from_secs), "{header}");
        };
        check("7", Some(7));
        check("Mon, 23 Nov 2026 01:15:09 GMT", Some(9));
        check("Mon, 23 Nov 2026 01:14:00 GMT", Some(0));
        check("soon", None);
        check("-1", None);
    }
}

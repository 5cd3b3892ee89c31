//! Faults that any endpoint can suffer: answers that take the place of the right one, and ways to
//! spoil it.

use axum::http::header::CONTENT_LENGTH;
use chrono::TimeDelta;

use crate::fault::{Fault, FaultKind};
use crate::http::answer::{Answer, RequestIds, Transmission};
use crate::state::{State, lock};
use crate::{guid, ticks};

/// The answer that takes the place of the right one, for kinds that have one.
pub(crate) fn replace(state: &State, fault: Fault, ids: Option<&RequestIds>) -> Option<Answer> {
    let own = RequestIds::new(None);
    let ids = ids.unwrap_or(&own);
    let clock = &state.clock;
    let answer = match fault.kind {
        FaultKind::ThrottleSeconds | FaultKind::ThrottleDate | FaultKind::ThrottleBare => {
            throttled(state, ids, retry_after(state, fault))
        }
        FaultKind::Unavailable => {
            let value = fault.seconds.or_else(|| turn(state).is_multiple_of(2).then_some(5));
            Answer::graph_error(503, "UnknownError", "", ids, clock)
                .retry_after(value.map(|seconds| seconds.to_string()))
        }
        FaultKind::ServerError => server_error(state, fault),
        FaultKind::Html200 => Answer::html(200, "We'll be right back"),
        FaultKind::Silence => Answer { manner: Transmission::Silent, ..Answer::default() }
            .after(f64::from(fault.seconds.unwrap_or(60))),
        FaultKind::RefusedLink => Answer::graph_error(400, "", "Invalid Skip Token", ids, clock),
        FaultKind::Passing400 => {
            Answer::graph_error(400, "UnknownError", "Unsupported Query.", ids, clock)
        }
        FaultKind::InvalidFilter => {
            Answer::graph_error(400, "BadRequest", "Invalid filter clause", ids, clock)
        }
        FaultKind::NotFound => Answer::graph_error(
            404,
            "BadRequest",
            "Resource not found for the segment 'signIns'.",
            ids,
            clock,
        ),
        FaultKind::Licence403 => no_licence(ids, state),
        FaultKind::Permission403 => no_permission(ids, state),
        _ => return None,
    };
    Some(answer.because_of(fault.kind))
}

/// Delays or cuts an otherwise right answer.
pub(crate) fn weaken(answer: Answer, fault: Fault) -> Answer {
    match fault.kind {
        FaultKind::Slow => {
            answer.after(f64::from(fault.seconds.unwrap_or(20))).because_of(fault.kind)
        }
        FaultKind::Cut => {
            Answer { manner: Transmission::Cut, delivery: None, ..answer }.because_of(fault.kind)
        }
        // The half that follows must be on its way before the connection goes, as for a cut.
        FaultKind::LongLength => {
            let answer = Answer { manner: Transmission::Cut, ..answer };
            with_length(answer, |length| length).because_of(fault.kind)
        }
        FaultKind::ShortLength => with_length(answer, |length| length / 2).because_of(fault.kind),
        _ => answer,
    }
}

/// Announces another length than the body has; what arrives of it does not count as served.
fn with_length(answer: Answer, length: impl Fn(usize) -> usize) -> Answer {
    let announced = length(answer.body.len()).to_string();
    Answer { delivery: None, ..answer }.with_header(CONTENT_LENGTH, announced)
}

/// 500, 502 or 504 with an empty, JSON or HTML body, in turn.
pub(crate) fn server_error(state: &State, fault: Fault) -> Answer {
    let turn = turn(state);
    let status =
        fault.status.unwrap_or([500, 502, 504][usize::try_from(turn % 3).unwrap_or_default()]);
    let answer = match turn % 3 {
        0 => Answer::new(status, "text/plain", ""),
        1 => Answer::html(status, "502 Bad Gateway"),
        _ => Answer::graph_error(status, "UnknownError", "", &RequestIds::new(None), &state.clock),
    };
    answer.because_of(fault.kind)
}

/// Returns the value of `Retry-After` for a throttling fault, if it has one.
pub(crate) fn retry_after(state: &State, fault: Fault) -> Option<String> {
    let seconds = fault.seconds.unwrap_or(state.scenario.limits.retry_after_seconds);
    match fault.kind {
        FaultKind::ThrottleBare => None,
        FaultKind::ThrottleDate => Some(http_date(state.clock.now(), i64::from(seconds))),
        _ => Some(seconds.to_string()),
    }
}

/// 429 with one of the bodies that were seen.
pub(crate) fn throttled(state: &State, ids: &RequestIds, retry_after: Option<String>) -> Answer {
    let correlation = guid::random();
    let (code, wording) = match turn(state) % 3 {
        0 => ("UnknownError", "after the value specified in the Retry-After header"),
        1 => ("", "after some time"),
        _ => ("TooManyRequests", "after the value specified in the Retry-After header"),
    };
    let message = format!(
        "This request is throttled. Please try again {wording}. CorrelationId: {correlation}"
    );
    Answer::graph_error(429, code, &message, ids, &state.clock).retry_after(retry_after)
}

/// 403 for a tenant without P1 or P2; two wordings were seen.
pub(crate) fn no_licence(ids: &RequestIds, state: &State) -> Answer {
    let message = if turn(state).is_multiple_of(2) {
        "Neither tenant is B2C or tenant doesn't have premium license"
    } else {
        "Tenant is not a B2C tenant and doesn't have premium license"
    };
    Answer::graph_error(
        403,
        "Authentication_RequestFromNonPremiumTenantOrB2CTenant",
        message,
        ids,
        &state.clock,
    )
}

/// 403 for an application that may not read the logs.
pub(crate) fn no_permission(ids: &RequestIds, state: &State) -> Answer {
    let message = "Calling principal does not have required MSGraph permissions AuditLog.Read.All";
    Answer::graph_error(403, "Authentication_MSGraphPermissionMissing", message, ids, &state.clock)
}

/// A date for an HTTP header, some seconds from now.
pub(crate) fn http_date(now: i64, seconds: i64) -> String {
    let time = ticks::to_time(now) + TimeDelta::seconds(seconds);
    time.format("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

/// Counts up with every request: wordings and bodies take turns.
fn turn(state: &State) -> u64 {
    u64::try_from(lock(&state.journal).requests.len()).unwrap_or_default()
}

//! Faults that any endpoint can suffer: answers that take the place of the right one, and ways to
//! spoil it.

use axum::http::header::CONTENT_LENGTH;
use chrono::TimeDelta;

use crate::answer::{Answer, Ids, Manner};
use crate::fault::{Fault, FaultKind};
use crate::guid;
use crate::ticks;
use crate::world::{World, lock};

/// The answer that takes the place of the right one, for kinds that have one.
pub(crate) fn replace(world: &World, fault: Fault, ids: Option<&Ids>) -> Option<Answer> {
    let own = Ids::new(None);
    let ids = ids.unwrap_or(&own);
    let clock = &world.clock;
    let error = |status, code, message| Answer::graph_error(status, code, message, ids, clock);
    let answer = match fault.kind {
        FaultKind::ThrottleSeconds | FaultKind::ThrottleDate | FaultKind::ThrottleBare => {
            throttled(world, ids, retry_after(world, fault))
        }
        FaultKind::Unavailable => {
            let value = fault.seconds.or_else(|| turn(world).is_multiple_of(2).then_some(5));
            error(503, "UnknownError", "").retry_after(value.map(|seconds| seconds.to_string()))
        }
        FaultKind::ServerError => server_error(world, fault),
        FaultKind::Html200 => Answer::html(200, "We'll be right back"),
        FaultKind::Silence => Answer { manner: Manner::Silent, ..Answer::default() }
            .after(f64::from(fault.seconds.unwrap_or(60))),
        FaultKind::RefusedLink => error(400, "", "Invalid Skip Token"),
        FaultKind::Passing400 => error(400, "UnknownError", "Unsupported Query."),
        FaultKind::InvalidFilter => error(400, "BadRequest", "Invalid filter clause"),
        FaultKind::NotFound => {
            error(404, "BadRequest", "Resource not found for the segment 'signIns'.")
        }
        FaultKind::Licence403 => no_licence(ids, world),
        FaultKind::Permission403 => no_permission(ids, world),
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
            Answer { manner: Manner::Cut, delivery: None, ..answer }.because_of(fault.kind)
        }
        // The half that follows must be on its way before the connection goes, as for a cut.
        FaultKind::LongLength => {
            let answer = Answer { manner: Manner::Cut, ..answer };
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
pub(crate) fn server_error(world: &World, fault: Fault) -> Answer {
    let turn = turn(world);
    let status =
        fault.status.unwrap_or([500, 502, 504][usize::try_from(turn % 3).unwrap_or_default()]);
    let answer = match turn % 3 {
        0 => Answer::new(status, "text/plain", ""),
        1 => Answer::html(status, "502 Bad Gateway"),
        _ => Answer::graph_error(status, "UnknownError", "", &Ids::new(None), &world.clock),
    };
    answer.because_of(fault.kind)
}

/// Returns the value of `Retry-After` for a throttling fault, if it has one.
pub(crate) fn retry_after(world: &World, fault: Fault) -> Option<String> {
    let seconds = fault.seconds.unwrap_or(world.scenario.limits.retry_after_seconds);
    match fault.kind {
        FaultKind::ThrottleBare => None,
        FaultKind::ThrottleDate => Some(http_date(world.clock.now(), i64::from(seconds))),
        _ => Some(seconds.to_string()),
    }
}

/// 429 with one of the bodies that were seen.
pub(crate) fn throttled(world: &World, ids: &Ids, retry_after: Option<String>) -> Answer {
    let correlation = guid::random();
    let (code, wording) = match turn(world) % 3 {
        0 => ("UnknownError", "after the value specified in the Retry-After header"),
        1 => ("", "after some time"),
        _ => ("TooManyRequests", "after the value specified in the Retry-After header"),
    };
    let message = format!(
        "This request is throttled. Please try again {wording}. CorrelationId: {correlation}"
    );
    Answer::graph_error(429, code, &message, ids, &world.clock).retry_after(retry_after)
}

/// 403 for a tenant without P1 or P2; two wordings were seen.
pub(crate) fn no_licence(ids: &Ids, world: &World) -> Answer {
    let message = if turn(world).is_multiple_of(2) {
        "Neither tenant is B2C or tenant doesn't have premium license"
    } else {
        "Tenant is not a B2C tenant and doesn't have premium license"
    };
    Answer::graph_error(
        403,
        "Authentication_RequestFromNonPremiumTenantOrB2CTenant",
        message,
        ids,
        &world.clock,
    )
}

/// 403 for an application that may not read the logs.
pub(crate) fn no_permission(ids: &Ids, world: &World) -> Answer {
    let message = "Calling principal does not have required MSGraph permissions AuditLog.Read.All";
    Answer::graph_error(403, "Authentication_MSGraphPermissionMissing", message, ids, &world.clock)
}

/// A date for an HTTP header, some seconds from now.
pub(crate) fn http_date(now: i64, seconds: i64) -> String {
    let time = ticks::to_time(now) + TimeDelta::seconds(seconds);
    time.format("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

/// Counts up with every request: wordings and bodies take turns.
fn turn(world: &World) -> u64 {
    u64::try_from(lock(&world.journal).requests.len()).unwrap_or_default()
}

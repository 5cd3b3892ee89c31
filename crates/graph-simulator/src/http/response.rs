//! From an answer to bytes on the wire: common headers, chunks, and connections that break on
//! purpose.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::header::{CACHE_CONTROL, DATE, HeaderName};
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use bytes::Bytes;
use futures_util::stream;

use crate::http::answer::{Answer, RequestIds, Transmission};
use crate::http::generic_fault::http_date;
use crate::state::journal::Delivery;
use crate::state::{State, lock};
use crate::ticks;

/// Size of the chunks in which bodies leave.
const CHUNK: usize = 64 * 1024;

/// Makes the HTTP response of an answer.
pub(crate) fn respond(state: Arc<State>, answer: Answer, ids: &RequestIds) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::OK);
    let headers = response.headers_mut();
    let diagnostics = "{\"ServerInfo\":{\"DataCenter\":\"Simulator\",\"Slice\":\"E\",\"Ring\":\"5\",\
                       \"ScaleUnit\":\"003\",\"RoleInstance\":\"SIM0001\"}}";
    let common = [
        (HeaderName::from_static("request-id"), ids.request.clone()),
        (HeaderName::from_static("client-request-id"), ids.client.clone()),
        (HeaderName::from_static("x-ms-ags-diagnostic"), diagnostics.to_owned()),
        (HeaderName::from_static("strict-transport-security"), "max-age=31536000".to_owned()),
        (CACHE_CONTROL, "no-cache".to_owned()),
        (DATE, http_date(state.clock.now(), 0)),
    ];
    for (name, value) in common.into_iter().chain(answer.headers) {
        if let Ok(value) = HeaderValue::try_from(value) {
            headers.insert(name, value);
        }
    }
    *response.body_mut() = chunks(state, answer.body, answer.manner, answer.delivery);
    response
}

/// The body in chunks. What it served counts when the last chunk has been taken and nothing was
/// cut.
fn chunks(
    state: Arc<State>,
    body: Vec<u8>,
    manner: Transmission,
    delivery: Option<Delivery>,
) -> Body {
    let body = Bytes::from(body);
    let end = match manner {
        Transmission::Whole => body.len(),
        Transmission::Cut => body.len() / 2,
        Transmission::Silent => 0,
    };
    let start = (body.slice(..end), delivery);
    Body::from_stream(stream::unfold(Some(start), move |left| {
        let state = Arc::clone(&state);
        async move {
            let (mut rest, delivery) = left?;
            if rest.is_empty() {
                if manner == Transmission::Cut {
                    // The first half must be on its way before the connection goes.
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
                if manner != Transmission::Whole {
                    let reason = std::io::Error::other("the scenario closes this connection");
                    return Some((Err(reason), None));
                }
                let now = ticks::to_time(state.clock.now());
                lock(&state.journal).deliver_if_any(delivery, now);
                return None;
            }
            let chunk = rest.split_to(rest.len().min(CHUNK));
            lock(&state.journal).counts.bytes += chunk.len() as u64;
            Some((Ok(chunk), Some((rest, delivery))))
        }
    }))
}

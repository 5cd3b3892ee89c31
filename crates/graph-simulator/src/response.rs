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

use crate::answer::{Answer, Ids, Manner};
use crate::generic_fault::http_date;
use crate::journal::Delivery;
use crate::ticks;
use crate::world::{World, lock};

/// Size of the chunks in which bodies leave.
const CHUNK: usize = 64 * 1024;

/// Makes the HTTP response of an answer.
pub(crate) fn respond(world: Arc<World>, answer: Answer, ids: &Ids) -> Response {
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
        (DATE, http_date(world.clock.now(), 0)),
    ];
    for (name, value) in common.into_iter().chain(answer.headers) {
        if let Ok(value) = HeaderValue::try_from(value) {
            headers.insert(name, value);
        }
    }
    *response.body_mut() = chunks(world, answer.body, answer.manner, answer.delivery);
    response
}

/// The body in chunks. What it served counts when the last chunk has been taken and nothing was
/// cut.
fn chunks(world: Arc<World>, body: Vec<u8>, manner: Manner, delivery: Option<Delivery>) -> Body {
    let body = Bytes::from(body);
    let end = match manner {
        Manner::Whole => body.len(),
        Manner::Cut => body.len() / 2,
        Manner::Silent => 0,
    };
    let start = (body.slice(..end), delivery);
    Body::from_stream(stream::unfold(Some(start), move |state| {
        let world = Arc::clone(&world);
        async move {
            let (mut rest, delivery) = state?;
            if rest.is_empty() {
                if manner == Manner::Cut {
                    // The first half must be on its way before the connection goes.
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
                if manner != Manner::Whole {
                    let reason = std::io::Error::other("the scenario closes this connection");
                    return Some((Err(reason), None));
                }
                let now = ticks::to_time(world.clock.now());
                lock(&world.journal).deliver_if_any(delivery, now);
                return None;
            }
            let chunk = rest.split_to(rest.len().min(CHUNK));
            lock(&world.journal).counts.bytes += chunk.len() as u64;
            Some((Ok(chunk), Some((rest, delivery))))
        }
    }))
}

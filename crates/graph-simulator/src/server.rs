//! HTTP: from a request to the part that answers it, and from an answer to bytes on the wire.
//!
//! - `POST /{tenant}/oauth2/v2.0/token`
//! - `GET /{v1.0|beta}/auditLogs/{signIns|directoryAudits}`
//! - `POST /` (AWS STS, `Action=GetWebIdentityToken`)
//! - `GET /.well-known/openid-configuration`, `GET /.well-known/jwks.json`

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::header::{ACCEPT_ENCODING, AUTHORIZATION, CACHE_CONTROL, DATE, HOST, HeaderName};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::response::Response;
use bytes::Bytes;
use futures_util::stream;

use crate::answer::{Answer, Ids, Manner};
use crate::form::Form;
use crate::generic_fault::http_date;
use crate::graph::{self, PageRequest};
use crate::journal::{Delivery, RequestKind, RequestLine};
use crate::stream::ApiVersion;
use crate::token;
use crate::world::{World, lock};
use crate::{sts, ticks};

/// Size of the chunks in which bodies leave.
const CHUNK: usize = 64 * 1024;
/// No form that this server understands is larger.
const LARGEST_FORM: usize = 64 * 1024;

/// Where a request goes.
enum Route {
    Token(String),
    Page { version: ApiVersion, audits: bool },
    WebIdentityToken,
    Discovery,
    Keys,
    Nowhere,
}

/// Serves until the listener's runtime ends.
pub(crate) async fn serve(listener: tokio::net::TcpListener, world: Arc<World>) -> std::io::Result<()> {
    let router = axum::Router::new().fallback(handle).with_state(world);
    axum::serve(listener, router).await
}

async fn handle(State(world): State<Arc<World>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let path_and_query = parts.uri.path_and_query().map_or("/", |path| path.as_str()).to_owned();
    let form = to_bytes(body, LARGEST_FORM).await.unwrap_or_default();
    let route = Route::of(&parts.method, parts.uri.path());
    let ids = Ids::new(text(&parts.headers, &HeaderName::from_static("client-request-id")));
    let mut line = RequestLine {
        at: ticks::to_time(world.clock.now()),
        kind: route.kind(),
        path_and_query,
        status: 0,
        fault: None,
        prefer: has_prefer(&parts.headers),
        had_bearer: bearer(&parts.headers).is_some(),
    };
    let answer = route.answer(&world, &parts.headers, &form, &line, &ids);
    line.status = answer.status;
    line.fault = answer.fault;
    // Before any wait: a caller that gives up must be on record too.
    lock(&world.journal).enter(line);
    world.clock.sleep(answer.wait_seconds).await;
    respond(world, answer, &ids)
}

impl Route {
    /// Microsoft's paths may be spelled in any case.
    fn of(method: &Method, path: &str) -> Self {
        let segments: Vec<String> = path.trim_matches('/').split('/').map(str::to_ascii_lowercase).collect();
        let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
        match (method, segments.as_slice()) {
            (&Method::POST, [tenant, "oauth2", "v2.0", "token"]) => Self::Token((*tenant).to_owned()),
            (
                &Method::GET,
                [version @ ("v1.0" | "beta"), "auditlogs", log @ ("signins" | "directoryaudits")],
            ) => {
                let version = if *version == "beta" { ApiVersion::Beta } else { ApiVersion::V1 };
                Self::Page { version, audits: *log == "directoryaudits" }
            }
            (&Method::POST, [""]) => Self::WebIdentityToken,
            (&Method::GET, [".well-known", "openid-configuration"]) => Self::Discovery,
            (&Method::GET, [".well-known", "jwks.json"]) => Self::Keys,
            _ => Self::Nowhere,
        }
    }

    fn kind(&self) -> RequestKind {
        match self {
            Self::Token(_) => RequestKind::Token,
            Self::Page { .. } => RequestKind::Page,
            Self::WebIdentityToken => RequestKind::WebIdentityToken,
            Self::Discovery | Self::Keys | Self::Nowhere => RequestKind::Other,
        }
    }

    fn answer(
        &self,
        world: &World,
        headers: &HeaderMap,
        body: &Bytes,
        line: &RequestLine,
        ids: &Ids,
    ) -> Answer {
        match self {
            Self::Token(tenant) => {
                let form = Form::new(body, text(headers, &AUTHORIZATION));
                token::answer(world, &base(world, headers), tenant, &form)
            }

            Self::Page { version, audits } => {
                let request = PageRequest {
                    version: *version,
                    audits: *audits,
                    path_and_query: line.path_and_query.clone(),
                    bearer: bearer(headers).map(str::to_owned),
                    prefer: line.prefer,
                    gzip: text(headers, &ACCEPT_ENCODING).is_some_and(|accepted| accepted.contains("gzip")),
                    host: base(world, headers),
                    ids: ids.clone(),
                };
                graph::answer(world, &request)
            }
            Self::WebIdentityToken => sts::answer(world, &Form::new(body, None)),
            Self::Discovery => Answer::json(200, &world.issuer.discovery()),
            Self::Keys => Answer::json(200, &world.issuer.keys()),
            Self::Nowhere => {
                let segment = line.path_and_query.split('?').next().and_then(|path| path.rsplit('/').next());
                let message =
                    format!("Resource not found for the segment '{}'.", segment.unwrap_or_default());
                Answer::graph_error(404, "BadRequest", &message, ids, &world.clock)
            }
        }
    }
}

fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// The base URL as the caller spells it, for example with `localhost`.
fn base(world: &World, headers: &HeaderMap) -> String {
    text(headers, &HOST).map_or_else(|| world.url.clone(), |host| format!("http://{host}"))
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    text(headers, &AUTHORIZATION)?.strip_prefix("Bearer ")
}

fn has_prefer(headers: &HeaderMap) -> bool {
    let asks = |value: &HeaderValue| {
        value.to_str().is_ok_and(|preference| preference.contains("include-unknown-enum-members"))
    };
    headers.get_all("prefer").iter().any(asks)
}

fn respond(world: Arc<World>, answer: Answer, ids: &Ids) -> Response {
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

/// The body in chunks. What it served counts when the last chunk has been taken and nothing was cut.
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
                lock(&world.journal).deliver_if_any(delivery);
                return None;
            }
            let chunk = rest.split_to(rest.len().min(CHUNK));
            lock(&world.journal).counts.bytes += chunk.len() as u64;
            Some((Ok(chunk), Some((rest, delivery))))
        }
    }))
}

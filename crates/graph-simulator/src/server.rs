//! HTTP: from a request to the part that answers it, and from an answer to bytes on the wire.
//!
//! - `POST /{tenant}/oauth2/v2.0/token`, `POST /{tenant}/oauth2/v2.0/devicecode`
//! - `GET /{tenant}/v2.0/.well-known/openid-configuration`
//! - `GET /{v1.0|beta}/auditLogs/{signIns|directoryAudits|provisioning}`
//! - `POST /` (AWS STS, `Action=GetWebIdentityToken`)
//! - `GET /.well-known/openid-configuration`, `GET /.well-known/jwks.json`

use std::sync::Arc;

use axum::body::to_bytes;
use axum::extract::{self, Request};
use axum::http::header::{ACCEPT_ENCODING, AUTHORIZATION, HOST, HeaderName};
use axum::http::{HeaderMap, Method};
use axum::response::Response;
use axum::serve::ListenerExt as _;
use bytes::Bytes;

use crate::aws::sts;
use crate::entra::login_request::LoginRequest;
use crate::entra::{device_code, token};
use crate::graph::audit_logs;
use crate::graph::request::PageRequest;
use crate::http::answer::{Answer, RequestIds};
use crate::http::form::Form;
use crate::http::response::respond;
use crate::scenario::Log;
use crate::state::journal::{RequestKind, RequestLine};
use crate::state::{State, lock};
use crate::stream::ApiVersion;
use crate::ticks;

/// No form that this server understands is larger.
const LARGEST_FORM: usize = 64 * 1024;

/// Handler that a request goes to.
enum Route {
    Token(String),
    Tenant(String),
    DeviceCode(String),
    Page { version: ApiVersion, log: Log },
    WebIdentityToken,
    Discovery,
    Keys,
    Nowhere,
}

/// Serves until the listener's runtime ends.
pub(crate) async fn serve(
    listener: tokio::net::TcpListener,
    state: Arc<State>,
) -> std::io::Result<()> {
    let router = axum::Router::new().fallback(handle).with_state(state);
    // Without this a page may wait for the acknowledgement of its first half.
    let listener = listener.tap_io(|connection| connection.set_nodelay(true).unwrap_or_default());
    axum::serve(listener, router).await
}

async fn handle(extract::State(state): extract::State<Arc<State>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let path_and_query = parts.uri.path_and_query().map_or("/", |path| path.as_str()).to_owned();
    let form = to_bytes(body, LARGEST_FORM).await.unwrap_or_default();
    let route = Route::of(&parts.method, parts.uri.path());
    let ids = RequestIds::new(text(&parts.headers, &HeaderName::from_static("client-request-id")));
    let mut line = RequestLine {
        at: ticks::to_time(state.clock.now()),
        kind: route.kind(),
        path_and_query,
        status: 0,
        fault: None,
        prefer: has_prefer(&parts.headers),
        had_bearer: bearer(&parts.headers).is_some(),
    };
    let answer = route.answer(&state, &parts.headers, &form, &line, &ids);
    line.status = answer.status;
    line.fault = answer.fault;
    // Before any wait: a caller that gives up must be on record too.
    lock(&state.journal).enter(line);
    state.clock.sleep(answer.wait_seconds).await;
    respond(state, answer, &ids)
}

impl Route {
    /// Microsoft's paths may be spelled in any case.
    fn of(method: &Method, path: &str) -> Self {
        let segments: Vec<String> =
            path.trim_matches('/').split('/').map(str::to_ascii_lowercase).collect();
        let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
        match (method, segments.as_slice()) {
            (&Method::POST, [tenant, "oauth2", "v2.0", "token"]) => {
                Self::Token((*tenant).to_owned())
            }
            (&Method::POST, [tenant, "oauth2", "v2.0", "devicecode"]) => {
                Self::DeviceCode((*tenant).to_owned())
            }
            (&Method::GET, [version @ ("v1.0" | "beta"), "auditlogs", collection]) => {
                let version = if *version == "beta" { ApiVersion::Beta } else { ApiVersion::V1 };
                Log::of_collection(collection)
                    .map_or(Self::Nowhere, |log| Self::Page { version, log })
            }
            (&Method::GET, [tenant, "v2.0", ".well-known", "openid-configuration"]) => {
                Self::Tenant((*tenant).to_owned())
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
            Self::DeviceCode(_) => RequestKind::DeviceCode,
            Self::Page { .. } => RequestKind::Page,
            Self::WebIdentityToken => RequestKind::WebIdentityToken,
            Self::Tenant(_) | Self::Discovery | Self::Keys | Self::Nowhere => RequestKind::Other,
        }
    }

    fn answer(
        &self,
        state: &State,
        headers: &HeaderMap,
        body: &Bytes,
        line: &RequestLine,
        ids: &RequestIds,
    ) -> Answer {
        match self {
            Self::Token(tenant) => token::answer(
                state,
                &LoginRequest {
                    base: base(state, headers),
                    tenant: tenant.clone(),
                    form: Form::new(body, text(headers, &AUTHORIZATION)),
                },
            ),
            Self::DeviceCode(tenant) => device_code::answer(
                state,
                &LoginRequest {
                    base: base(state, headers),
                    tenant: tenant.clone(),
                    form: Form::new(body, None),
                },
            ),
            Self::Page { version, log } => {
                let request = PageRequest {
                    version: *version,
                    log: *log,
                    path_and_query: line.path_and_query.clone(),
                    bearer: bearer(headers).map(str::to_owned),
                    prefer: line.prefer,
                    gzip: text(headers, &ACCEPT_ENCODING)
                        .is_some_and(|accepted| accepted.contains("gzip")),
                    host: base(state, headers),
                    ids: ids.clone(),
                };
                audit_logs::answer(state, &request)
            }
            Self::Tenant(tenant) => token::describe_tenant(state, &base(state, headers), tenant),
            Self::WebIdentityToken => sts::answer(state, &Form::new(body, None)),
            Self::Discovery => Answer::json(200, &state.issuer.discovery()),
            Self::Keys => Answer::json(200, &state.issuer.keys()),
            Self::Nowhere => {
                let segment =
                    line.path_and_query.split('?').next().and_then(|path| path.rsplit('/').next());
                let message = format!(
                    "Resource not found for the segment '{}'.",
                    segment.unwrap_or_default()
                );
                Answer::graph_error(404, "BadRequest", &message, ids, &state.clock)
            }
        }
    }
}

fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// The base URL as the caller spells it, for example with `localhost`.
fn base(state: &State, headers: &HeaderMap) -> String {
    text(headers, &HOST).map_or_else(|| state.url.clone(), |host| format!("http://{host}"))
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    text(headers, &AUTHORIZATION)?.strip_prefix("Bearer ")
}

fn has_prefer(headers: &HeaderMap) -> bool {
    headers.get_all("prefer").iter().any(|value| {
        value.to_str().is_ok_and(|preference| preference.contains("include-unknown-enum-members"))
    })
}

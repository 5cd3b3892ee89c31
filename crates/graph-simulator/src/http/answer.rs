//! Answers before they become HTTP: status, headers, body, and whether the connection survives
//! them.

use axum::http::HeaderName;
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};

use crate::fault::FaultKind;
use crate::guid;
use crate::state::clock::Clock;
use crate::state::journal::Delivery;

/// The content type of everything that Graph says.
pub(crate) const GRAPH_JSON: &str = "application/json;odata.metadata=minimal;odata.streaming=true;IEEE754Compatible=false;charset=utf-8";

/// Manner in which an answer leaves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Transmission {
    #[default]
    Whole,
    /// The connection is closed in the middle of the body.
    Cut,
    /// The connection is closed before the first byte.
    Silent,
}

/// One answer.
#[derive(Debug, Default)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(HeaderName, String)>,
    pub(crate) body: Vec<u8>,
    pub(crate) manner: Transmission,
    /// Simulated seconds before the first byte.
    pub(crate) wait_seconds: f64,
    pub(crate) fault: Option<FaultKind>,
    /// Records that count as served once the answer has left completely.
    pub(crate) delivery: Option<Delivery>,
}

/// The ids of one request.
#[derive(Clone, Debug)]
pub(crate) struct RequestIds {
    pub(crate) request: String,
    pub(crate) client: String,
}

impl RequestIds {
    /// Ids for a request; Graph repeats the caller's own id where there is one.
    pub(crate) fn new(client: Option<&str>) -> Self {
        let request = guid::random();
        Self { client: client.unwrap_or(&request).to_owned(), request }
    }
}

impl Answer {
    pub(crate) fn new(status: u16, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        let headers = vec![(CONTENT_TYPE, content_type.to_owned())];
        Self { status, headers, body: body.into(), ..Self::default() }
    }

    pub(crate) fn json(status: u16, body: &serde_json::Value) -> Self {
        Self::new(status, "application/json; charset=utf-8", body.to_string())
    }

    pub(crate) fn html(status: u16, title: &str) -> Self {
        let body = format!(
            "<!DOCTYPE \
             html>\r\n<html><head><title>{title}</title></head><body><h2>{title}</h2><p>Our \
             services aren't available right now.</p></body></html>\r\n"
        );
        Self::new(status, "text/html", body)
    }

    /// An error in Graph's own shape.
    pub(crate) fn graph_error(
        status: u16,
        code: &str,
        message: &str,
        ids: &RequestIds,
        clock: &Clock,
    ) -> Self {
        let body = serde_json::json!({"error": {
            "code": code,
            "message": message,
            "innerError": {"date": clock.date(), "request-id": ids.request, "client-request-id": ids.client},
        }});
        Self::new(status, GRAPH_JSON, body.to_string())
    }

    /// 401 with the header that names Entra.
    pub(crate) fn unauthorized(message: &str, ids: &RequestIds, clock: &Clock) -> Self {
        let challenge = "Bearer realm=\"\", \
                         authorization_uri=\"https://login.microsoftonline.com/common/oauth2/authorize\", \
                         client_id=\"00000003-0000-0000-c000-000000000000\"";
        Self::graph_error(401, "InvalidAuthenticationToken", message, ids, clock)
            .with_header(WWW_AUTHENTICATE, challenge.to_owned())
    }

    pub(crate) fn with_header(mut self, name: HeaderName, value: String) -> Self {
        self.headers.push((name, value));
        self
    }

    /// Adds `Retry-After` if there is something to say.
    pub(crate) fn retry_after(self, value: Option<String>) -> Self {
        match value {
            Some(value) => self.with_header(RETRY_AFTER, value),
            None => self,
        }
    }

    pub(crate) fn after(mut self, seconds: f64) -> Self {
        self.wait_seconds += seconds;
        self
    }

    pub(crate) fn because_of(mut self, fault: FaultKind) -> Self {
        self.fault = Some(fault);
        self
    }
}

//! A final refusal by Graph, in the operator's terms.

use entratrail_core::error::Error;
use entratrail_core::log::Log;
pub(super) use entratrail_core::shown::is_plain;
use serde::Deserialize;

/// A final answer that is not a page.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Refusal {
    /// HTTP status.
    pub(super) status: u16,
    /// Graph's error code, where the body held one.
    pub(super) code: String,
    /// Graph's `request-id`, by which Microsoft's support finds the request.
    pub(super) request_id: String,
}

#[derive(Deserialize)]
struct ErrorBody {
    error: ErrorMember,
}

#[derive(Deserialize)]
struct ErrorMember {
    #[serde(default)]
    code: Option<String>,
}

impl Refusal {
    /// Reads an answer. The body may be anything: JSON with or without a code, HTML, nothing.
    pub(super) fn read(status: u16, request_id: &str, body: &[u8]) -> Self {
        let code = serde_json::from_slice::<ErrorBody>(body).ok().and_then(|body| body.error.code);
        let code = code.filter(|code| is_plain(code)).unwrap_or_default();
        let request_id = if is_plain(request_id) { request_id.to_owned() } else { String::new() };
        Self { status, code, request_id }
    }

    /// The error that ends the read of `log`.
    pub(super) fn explain(&self, log: Log) -> Error {
        let collection = log.collection();
        let came_back = self.came_back();
        let logs = if log == Log::Provisioning { "provisioning logs" } else { "sign-in logs" };
        match (self.status, self.code.as_str()) {
            (401, _) => Error::credentials(format!(
                "Graph refused a fresh access token for {collection} ({came_back})"
            ))
            .with_remedy(
                "check that GRAPH_URL and LOGIN_URL belong to the same cloud and that no \
                 Conditional Access policy blocks the application",
            ),
            (403, "Authentication_RequestFromNonPremiumTenantOrB2CTenant") => {
                Error::licence(format!(
                    "Graph refused {collection} because it found no premium licence in the tenant \
                     ({came_back}); {logs} need Entra ID P1 or P2"
                ))
                .with_remedy(
                    "if the tenant has one, grant the application permission Directory.Read.All as \
                     well, without which Graph cannot always see the licence",
                )
            }
            (403, "Authentication_RequestFromUnsupportedUserRole") => Error::permission(format!(
                "Graph refused {collection} because whoever signed in has no role that may read it \
                 ({came_back})"
            ))
            .with_remedy("assign them the role Reports Reader or Security Reader"),
            (403, _) => Error::permission(format!(
                "Graph refused {collection} for lack of permission ({came_back})"
            ))
            .with_remedy(
                "grant the app registration the application permissions AuditLog.Read.All and \
                 Directory.Read.All and give admin consent",
            ),
            (404, _) => Error::graph(format!(
                "Graph does not know the collection {collection} ({came_back})"
            ))
            .with_remedy("check GRAPH_URL: not every national cloud serves this log"),
            (400, "BadRequest") => Error::graph(format!(
                "Graph refused the request for {collection} as malformed ({came_back})"
            ))
            .with_remedy(
                "check that GRAPH_URL is that of the tenant's cloud: not every national cloud \
                 serves this log",
            )
            .and("the next run tries again"),
            (300..=399, _) => Error::graph(format!(
                "Graph answered the request for {collection} with a redirect, which is never \
                 followed because it would take the access token elsewhere ({came_back})"
            ))
            .with_remedy("check GRAPH_URL"),
            _ => {
                let error = Error::graph(format!(
                    "Graph did not serve {collection} ({came_back}); the next run tries again"
                ));
                if self.request_id.is_empty() {
                    return error;
                }
                error.with_remedy("if this persists, contact Microsoft support with the request id")
            }
        }
    }

    fn came_back(&self) -> String {
        let code = if self.code.is_empty() { "no error code" } else { &self.code };
        let request_id = if self.request_id.is_empty() { "none" } else { &self.request_id };
        format!("status {}, {code}, request-id {request_id}", self.status)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(status: u16, body: &str, error_type: &str) {
        let error = Refusal::read(status, "r-1", body.as_bytes()).explain(Log::SignIns);
        assert_eq!(error.error_type(), error_type, "{body}");
        assert!(error.to_string().contains("request-id r-1"));
        assert!(!error.to_string().contains("private"));
    }

    #[test]
    fn a_refusal_is_explained_by_status_and_code_and_never_quotes_the_body() {
        let body = |code: &str| format!(r#"{{"error":{{"code":"{code}","message":"private"}}}}"#);
        check(401, &body("InvalidAuthenticationToken"), "Credentials");
        check(403, &body("Authentication_RequestFromNonPremiumTenantOrB2CTenant"), "Licence");
        check(403, &body("Authentication_MSGraphPermissionMissing"), "Permission");
        check(403, &body(""), "Permission");
        check(404, &body("BadRequest"), "Graph");
        check(400, r#"{"error":{"code":null}}"#, "Graph");
        check(500, "<html>private</html>", "Graph");
        check(302, "", "Graph");
    }

    #[test]
    fn a_code_that_is_no_code_is_not_quoted() {
        let long = "A".repeat(101);
        for code in ["\u{1b}]0;owned\u{7}", "a sentence", "", "line\nfeed", &long] {
            let body = serde_json::json!({"error": {"code": code}}).to_string();
            let error =
                Refusal::read(400, "r 1", body.as_bytes()).explain(Log::SignIns).to_string();
            assert!(error.contains("(status 400, no error code, request-id none)"), "{error}");
            assert!(!error.contains("contact Microsoft"), "{error}");
        }
    }
}

//! One request to Entra: a grant in, an answer or a token error out.

use super::certificate::Certificate;
use super::credential::{Application, Credential};
use super::token_error::{TokenError, TokenErrorBody};
use super::token_request::Grant;
use crate::backoff::backoff;
use crate::http::{HttpClient, USER_AGENT, http_date};
use chrono::{DateTime, TimeDelta, Utc};
use entratrail_core::clock::Clock;
use entratrail_core::error::Error;
use http::Request;
use http::header::{self, CONTENT_TYPE, DATE};
use http_body_util::{BodyExt as _, Limited};
use secrecy::SecretString;
use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize as _, Deserializer};
use std::str::FromStr;
use std::time::Duration;
use url::Url;

/// Tries of one token request while Entra is out of order.
const MOST_TRIES: u32 = 8;
/// Time that a new federated credential is given to reach all servers of Entra.
const PROPAGATION: TimeDelta = TimeDelta::minutes(5);
/// Longest time for one token request.
const TIMEOUT: Duration = Duration::from_mins(1);
/// An answer larger than this many bytes is not from Entra: a token takes a few thousand.
const LARGEST_ANSWER: usize = 1024 * 1024;

/// The endpoints of Entra for one application.
#[derive(Debug)]
pub(super) struct TokenEndpoint {
    http: HttpClient,
    token_url: String,
    device_code_url: String,
    scope: String,
    pub(super) application: Application,
    pub(super) clock: Clock,
}

/// An answer, and how far Entra's clock is ahead of ours, where Entra says.
#[derive(Debug)]
pub(super) struct EntraAnswer<T> {
    pub(super) content: T,
    pub(super) server_ahead: Option<TimeDelta>,
}

/// Requests for one answer so far.
#[derive(Debug)]
pub(super) struct Attempts {
    tries: u32,
    /// End of the time in which a new credential may be unknown to a server of Entra.
    propagated_at: DateTime<Utc>,
}

impl TokenEndpoint {
    /// The endpoints at `login_url` that grant tokens for Graph at `graph_url`.
    pub(super) fn new(
        login_url: &Url,
        graph_url: &Url,
        application: Application,
        clock: Clock,
    ) -> Result<Self, Error> {
        let login = base_of(login_url);
        let tenant = &application.tenant_id;
        Ok(Self {
            http: HttpClient::new(login_url)?,
            token_url: format!("{login}/{tenant}/oauth2/v2.0/token"),
            device_code_url: format!("{login}/{tenant}/oauth2/v2.0/devicecode"),
            scope: scope(&application.credential, base_of(graph_url)),
            application,
            clock,
        })
    }

    /// Assertion by `certificate`, made out to the endpoint.
    pub(super) fn assertion(&self, certificate: &Certificate) -> Result<SecretString, Error> {
        certificate.assertion(&self.application.client_id, &self.token_url, self.clock.now())
    }

    /// Asks once.
    pub(super) async fn ask<T: DeserializeOwned>(
        &self,
        grant: &Grant,
    ) -> Result<EntraAnswer<T>, TokenError> {
        let url = match grant {
            Grant::DeviceAuthorization => &self.device_code_url,
            _ => &self.token_url,
        };
        let form = grant.form(&self.application.client_id, &self.scope);
        let request = Request::post(url)
            .header(header::USER_AGENT, USER_AGENT)
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(form.into())
            .map_err(|error| TokenError::Fatal(unreachable_login(url).with_source(error)))?;
        let exchange = async {
            let response = self.http.send(request).await.ok()?;
            let date = response
                .headers()
                .get(DATE)
                .and_then(|date| date.to_str().ok())
                .and_then(http_date);
            let server_ahead = date.map(|date| date - self.clock.now());
            let status = response.status();
            let body = Limited::new(response.into_body(), LARGEST_ANSWER).collect().await.ok()?;
            Some((status, server_ahead, body.to_bytes()))
        };
        let Some(Some((status, server_ahead, body))) = self.clock.timeout(TIMEOUT, exchange).await
        else {
            return Err(TokenError::Retry);
        };
        if !status.is_success() {
            return Err(TokenErrorBody::read(&body).explain(status.as_u16(), &self.application));
        }
        match serde_json::from_slice(&body) {
            Ok(content) => Ok(EntraAnswer { content, server_ahead }),
            Err(_) => Err(TokenError::Fatal(unreadable_login(url))),
        }
    }

    /// The beginning of a row of requests for one answer.
    pub(super) fn attempts(&self) -> Attempts {
        Attempts { tries: 0, propagated_at: self.clock.now() + PROPAGATION }
    }

    /// Waits until a request that ended with `error` may be sent once more; fails where it is not
    /// to be.
    pub(super) async fn wait_after(
        &self,
        error: TokenError,
        attempts: &mut Attempts,
    ) -> Result<(), Error> {
        attempts.tries += 1;
        let tries = attempts.tries;
        match error {
            TokenError::Fatal(error) => return Err(error),
            TokenError::NotPropagated(error) if self.clock.now() >= attempts.propagated_at => {
                return Err(error);
            }
            TokenError::NotPropagated(_) => {}
            _ if tries >= MOST_TRIES => return Err(unreachable_login(&self.token_url)),
            TokenError::Retry | TokenError::Pending | TokenError::SlowDown => {}
        }
        tracing::warn!(tries, "Entra did not grant a token yet");
        self.clock.sleep(backoff(tries, fastrand::f64())).await;
        Ok(())
    }

    /// The error of a token that Entra granted and that is none.
    pub(super) fn unreadable_token(&self) -> Error {
        unreadable_login(&self.token_url)
    }
}

fn base_of(url: &Url) -> &str {
    url.as_str().trim_end_matches('/')
}

/// Scope that a token is asked for: a person's names the permissions, an application's has all it
/// was granted.
fn scope(credential: &Credential, graph_url: &str) -> String {
    if credential.is_person() {
        format!("{graph_url}/AuditLog.Read.All {graph_url}/Directory.Read.All offline_access")
    } else {
        format!("{graph_url}/.default")
    }
}

/// Reads a number of seconds, which some token endpoints write as text.
pub(super) fn seconds<'de, D, N>(deserializer: D) -> Result<N, D::Error>
where
    D: Deserializer<'de>,
    N: DeserializeOwned + FromStr,
{
    let value = serde_json::Value::deserialize(deserializer)?;
    let number = match &value {
        serde_json::Value::String(text) => text.trim().parse().ok(),
        value => serde_json::from_value(value.clone()).ok(),
    };
    number.ok_or_else(|| D::Error::custom("no number of seconds"))
}

/// The error of an answer with success that is none of Entra's. Asking again would bring the same.
fn unreadable_login(endpoint: &str) -> Error {
    Error::graph(format!(
        "{} answered with success, but what it sent could not be read as an answer of Entra's",
        host_of(endpoint)
    ))
    .with_remedy("check LOGIN_URL, and whether a proxy answers in its place")
}

fn host_of(endpoint: &str) -> String {
    Url::parse(endpoint).ok().and_then(|url| url.host_str().map(str::to_owned)).unwrap_or_default()
}

fn unreachable_login(endpoint: &str) -> Error {
    let host = host_of(endpoint);
    Error::graph(format!(
        "no access token could be fetched from {host}: it did not answer, or kept answering that \
         it is out of order ({MOST_TRIES} tries)"
    ))
    .with_remedy("check LOGIN_URL and the network")
    .and("the next run tries again")
}

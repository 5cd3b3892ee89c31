//! Access tokens: fetched when needed, renewed before they expire.

use crate::backoff::backoff;
use crate::entra::credential::{Application, Credential};
use crate::entra::question::{Question, scope};
use crate::entra::sign_on::{SignOnAnswer, SignOnRefusal};
use crate::http::{HttpClient, USER_AGENT, http_date};
use chrono::{DateTime, TimeDelta, Utc};
use entratrail_core::clock::Clock;
use entratrail_core::error::Error;
use http::Request;
use http::header::{self, CONTENT_TYPE, DATE, HeaderValue};
use http_body_util::{BodyExt as _, Limited};
use secrecy::{ExposeSecret as _, SecretString};
use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Deserializer};
use std::str::FromStr;
use std::time::Duration;
use tokio::sync::Mutex;
use url::Url;

/// A token is renewed when it has less than this left, or a quarter of its life where that is
/// shorter.
const RENEW_BEFORE: TimeDelta = TimeDelta::minutes(5);
/// Seconds that a token is taken to live at most. Entra's live a day at most; more would overflow
/// the calendar.
const LONGEST_LIFE: i64 = 24 * 60 * 60;
/// Tries of one token request while Entra is out of order.
const MOST_TRIES: u32 = 8;
/// Time that a new federated credential is given to reach all servers of Entra.
const SPREADING: TimeDelta = TimeDelta::minutes(5);
/// Longest time for one token request.
const TIMEOUT: Duration = Duration::from_mins(1);
/// An answer larger than this many bytes is not from Entra: a token takes a few thousand.
const LARGEST_ANSWER: usize = 1024 * 1024;

/// An access token for Graph.
#[derive(Debug, Clone)]
pub(crate) struct Token {
    /// The `Authorization` header, marked as sensitive so that no library prints it.
    pub(crate) authorization: HeaderValue,
    renew_at: DateTime<Utc>,
    /// Lead of Entra's clock over ours, where Entra told its time.
    pub(crate) server_ahead: Option<TimeDelta>,
}

/// Fetches access tokens for one application during one run, and keeps the latest.
#[derive(Debug)]
pub(crate) struct TokenSource {
    http: HttpClient,
    pub(super) endpoint: String,
    code_endpoint: String,
    pub(super) scope: String,
    pub(super) application: Application,
    pub(super) clock: Clock,
    /// The latest token, or why Entra will grant none to this application: that is not asked twice.
    latest: Mutex<Result<Option<Token>, Error>>,
}

/// Token that Entra grants.
#[derive(Deserialize)]
pub(super) struct Granted {
    access_token: SecretString,
    #[serde(default = "short_life", deserialize_with = "seconds")]
    expires_in: i64,
    refresh_token: Option<SecretString>,
}

/// The life of a token whose answer tells none: long enough for a few pages, short enough to be
/// true.
fn short_life() -> i64 {
    300
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

/// An answer, and how far Entra's clock is ahead of ours, where Entra says.
pub(super) type Answer<T> = (T, Option<TimeDelta>);

impl TokenSource {
    /// A source for tokens of `login_url` that Graph at `graph_url` accepts.
    pub(crate) fn new(
        login_url: &Url,
        graph_url: &Url,
        application: Application,
        clock: Clock,
    ) -> Result<Self, Error> {
        let base = |url: &Url| url.as_str().trim_end_matches('/').to_owned();
        Ok(Self {
            http: HttpClient::new(login_url)?,
            endpoint: format!("{}/{}/oauth2/v2.0/token", base(login_url), application.tenant_id),
            code_endpoint: format!(
                "{}/{}/oauth2/v2.0/devicecode",
                base(login_url),
                application.tenant_id
            ),
            scope: scope(&application.credential, &base(graph_url)),
            application,
            clock,
            latest: Mutex::new(Ok(None)),
        })
    }

    /// The latest token, or a new one where that is about to expire or is the `refused` one.
    pub(crate) async fn token(&self, refused: Option<&Token>) -> Result<Token, Error> {
        let mut latest = self.latest.lock().await;
        let is_usable = |token: &Token| {
            token.renew_at > self.clock.now()
                && refused.is_none_or(|refused| refused.authorization != token.authorization)
        };
        if let Some(token) = latest.clone()?.filter(is_usable) {
            return Ok(token);
        }
        let fetched = self.fetch().await;
        match &fetched {
            Ok(token) => *latest = Ok(Some(token.clone())),
            Err(error) if error.stops_the_run() => *latest = Err(error.clone()),
            Err(_) => {}
        }
        fetched
    }

    /// Days until the application's credential expires, where that is known.
    pub(crate) fn credential_days_left(&self) -> Option<i64> {
        self.application.credential.days_left(self.clock.now())
    }

    async fn fetch(&self) -> Result<Token, Error> {
        if let Credential::Delegated(person) = &self.application.credential
            && person.refresh_token().is_none()
        {
            return self.sign_in(person).await;
        }
        let granted = self.ask_until_decided(&Question::Token).await?;
        self.accept(granted).ok_or_else(|| unreadable_login(&self.endpoint))
    }

    /// Asks until Entra says yes or no. With the answer comes how far Entra's clock is ahead of
    /// ours.
    pub(super) async fn ask_until_decided<T: DeserializeOwned>(
        &self,
        question: &Question,
    ) -> Result<Answer<T>, Error> {
        let give_up_spreading = self.clock.now() + SPREADING;
        let mut tries = 0;
        loop {
            tries += 1;
            let answer = match self.ask(question).await? {
                Ok(granted) => return Ok(granted),
                Err(answer) => answer,
            };
            match answer {
                SignOnAnswer::Fail(error) => return Err(error),
                SignOnAnswer::NotSpreadYet(error) if self.clock.now() >= give_up_spreading => {
                    return Err(error);
                }
                SignOnAnswer::NotSpreadYet(_) => {}
                _ if tries >= MOST_TRIES => return Err(unreachable_login(&self.endpoint)),
                _ => {}
            }
            tracing::warn!(tries, "Entra did not grant a token yet");
            self.clock.sleep(backoff(tries, fastrand::f64())).await;
        }
    }

    /// Asks once.
    pub(super) async fn ask<T: DeserializeOwned>(
        &self,
        question: &Question,
    ) -> Result<Result<Answer<T>, SignOnAnswer>, Error> {
        let endpoint =
            if matches!(question, Question::Code) { &self.code_endpoint } else { &self.endpoint };
        let request = Request::post(endpoint)
            .header(header::USER_AGENT, USER_AGENT)
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(self.form(question).await?.into());
        let Ok(request) = request else { return Err(unreachable_login(endpoint)) };
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
            return Ok(Err(SignOnAnswer::Again));
        };
        if status.is_success() {
            let granted = serde_json::from_slice(&body).map_err(|_| unreadable_login(endpoint))?;
            return Ok(Ok((granted, server_ahead)));
        }
        Ok(Err(SignOnRefusal::read(&body).explain(status.as_u16(), &self.application)))
    }

    /// The token that Entra granted.
    pub(super) fn accept(&self, (granted, server_ahead): Answer<Granted>) -> Option<Token> {
        let bearer = format!("Bearer {}", granted.access_token.expose_secret());
        let mut authorization = HeaderValue::try_from(bearer).ok()?;
        authorization.set_sensitive(true);
        let lifetime = TimeDelta::seconds(granted.expires_in.clamp(0, LONGEST_LIFE));
        if let Credential::Delegated(person) = &self.application.credential {
            person.keep(granted.refresh_token);
        }
        let renew_at = self.clock.now() + lifetime - RENEW_BEFORE.min(lifetime / 4);
        Some(Token { authorization, renew_at, server_ahead })
    }
}

/// The error of an answer with success that is none of Entra's. Asking again would bring the same.
fn unreadable_login(endpoint: &str) -> Error {
    Error::Graph(format!(
        "{} answered with success, but what it sent could not be read as an answer of Entra's; \
         check LOGIN_URL, and whether a proxy answers in its place",
        host_of(endpoint)
    ))
}

fn host_of(endpoint: &str) -> String {
    Url::parse(endpoint).ok().and_then(|url| url.host_str().map(str::to_owned)).unwrap_or_default()
}

fn unreachable_login(endpoint: &str) -> Error {
    let host = host_of(endpoint);
    Error::Graph(format!(
        "no access token could be fetched from {host}: it did not answer, or kept answering that \
         it is out of order ({MOST_TRIES} tries); check LOGIN_URL and the network; the next run \
         tries again"
    ))
}

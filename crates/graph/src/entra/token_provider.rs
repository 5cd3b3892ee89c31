//! Access tokens: fetched when needed, renewed before they expire.

use super::credential::{Application, Credential};
use super::device_code;
use super::token_endpoint::{EntraAnswer, TokenEndpoint, seconds};
use super::token_error::not_signed_in;
use super::token_request::Grant;
use chrono::{DateTime, TimeDelta, Utc};
use entratrail_core::clock::Clock;
use entratrail_core::error::{Error, ErrorScope};
use http::header::HeaderValue;
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use tokio::sync::Mutex;
use url::Url;

/// A token is renewed when it has less than this left, or a quarter of its life where that is
/// shorter.
const RENEW_BEFORE: TimeDelta = TimeDelta::minutes(5);
/// Seconds that a token is taken to live at most. Entra's live a day at most; more would overflow
/// the calendar.
const LONGEST_LIFE: i64 = 24 * 60 * 60;

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
pub(crate) struct TokenProvider {
    endpoint: TokenEndpoint,
    held: Mutex<Held>,
}

/// Tokens that Entra has granted so far.
#[derive(Debug)]
struct Held {
    /// The latest token, or why Entra will grant none to this application: that is not asked twice.
    latest: Result<Option<Token>, Error>,
    /// Means to go on without the person who signed in. It stays in memory.
    refresh_token: Option<SecretString>,
}

/// Token that Entra grants.
#[derive(Deserialize)]
struct TokenResponse {
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

impl TokenProvider {
    /// A provider of tokens of `login_url` that Graph at `graph_url` accepts.
    pub(crate) fn new(
        login_url: &Url,
        graph_url: &Url,
        application: Application,
        clock: Clock,
    ) -> Result<Self, Error> {
        let endpoint = TokenEndpoint::new(login_url, graph_url, application, clock)?;
        Ok(Self { endpoint, held: Mutex::new(Held { latest: Ok(None), refresh_token: None }) })
    }

    /// The latest token, or a new one where that is about to expire or is the `refused` one.
    pub(crate) async fn token(&self, refused: Option<&Token>) -> Result<Token, Error> {
        let mut held = self.held.lock().await;
        if let Some(token) = held.latest.clone()?
            && token.renew_at > self.endpoint.clock.now()
            && refused.is_none_or(|refused| refused.authorization != token.authorization)
        {
            return Ok(token);
        }
        let fetched = self.fetch(&mut held.refresh_token).await;
        match &fetched {
            Ok(token) => held.latest = Ok(Some(token.clone())),
            Err(error) if error.scope() == ErrorScope::Run => held.latest = Err(error.clone()),
            Err(_) => {}
        }
        fetched
    }

    /// Days until the application's credential expires, where that is known.
    pub(crate) fn credential_days_left(&self) -> Option<i64> {
        self.endpoint.application.credential.days_left(self.endpoint.clock.now())
    }

    /// Asks for a token until Entra says yes or no.
    async fn fetch(&self, refresh_token: &mut Option<SecretString>) -> Result<Token, Error> {
        let mut attempts = self.endpoint.attempts();
        loop {
            let grant = match &self.endpoint.application.credential {
                Credential::Secret(secret) => Grant::ClientSecret(secret.clone()),
                Credential::Certificate(certificate) => {
                    Grant::ClientAssertion(self.endpoint.assertion(certificate)?)
                }
                Credential::Federated(federation) => {
                    Grant::ClientAssertion((federation.0)().await?)
                }
                Credential::DeviceCode(device_code) => {
                    let Some(token) = refresh_token else {
                        let granted = device_code::sign_in(&self.endpoint, device_code).await?;
                        return self.accept(granted, refresh_token).ok_or_else(not_signed_in);
                    };
                    Grant::RefreshToken(token.clone())
                }
            };
            match self.endpoint.ask(&grant).await {
                Ok(granted) => {
                    let token = self.accept(granted, refresh_token);
                    return token.ok_or_else(|| self.endpoint.unreadable_token());
                }
                Err(error) => self.endpoint.wait_after(error, &mut attempts).await?,
            }
        }
    }

    /// The token that Entra granted. Who signed in as a person is remembered by the refresh token.
    fn accept(
        &self,
        EntraAnswer { content, server_ahead }: EntraAnswer<TokenResponse>,
        refresh_token: &mut Option<SecretString>,
    ) -> Option<Token> {
        let bearer = format!("Bearer {}", content.access_token.expose_secret());
        let mut authorization = HeaderValue::try_from(bearer).ok()?;
        authorization.set_sensitive(true);
        if self.endpoint.application.credential.is_person() && content.refresh_token.is_some() {
            *refresh_token = content.refresh_token;
        }
        let lifetime = TimeDelta::seconds(content.expires_in.clamp(0, LONGEST_LIFE));
        let renew_at = self.endpoint.clock.now() + lifetime - RENEW_BEFORE.min(lifetime / 4);
        Some(Token { authorization, renew_at, server_ahead })
    }
}

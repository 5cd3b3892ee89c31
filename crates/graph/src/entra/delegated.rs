//! The sign-in of a person by device code: they open a page, enter a code there and sign in as
//! ever. <https://learn.microsoft.com/entra/identity-platform/v2-oauth2-device-code>

use super::question::Question;
use super::sign_on::SignOnAnswer;
use super::token::{Granted, Token, TokenSource, seconds};
use entratrail_core::error::Error;
use secrecy::SecretString;
use serde::Deserialize;
use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Further wait between two questions once Entra says that they come too fast.
/// <https://www.rfc-editor.org/rfc/rfc8628#section-3.5>
const SLOWER_BY: Duration = Duration::from_secs(5);

/// Shows an invitation to the person who is to sign in.
pub type Invite = dyn Fn(&Invitation) + Send + Sync;

/// Steps by which a person signs in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invitation {
    /// The page to open.
    pub page: String,
    /// The code to enter there.
    pub code: String,
    /// Minutes for which the code is good.
    pub minutes: u64,
}

/// A person who signs in once; the refresh token that this brings stays in memory.
pub struct Delegated {
    invite: Box<Invite>,
    refresh_token: Mutex<Option<SecretString>>,
}

impl fmt::Debug for Delegated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Delegated")
    }
}

impl Delegated {
    /// Somebody who is asked by `invite`.
    pub fn new(invite: Box<Invite>) -> Self {
        Self { invite, refresh_token: Mutex::default() }
    }

    pub(super) fn refresh_token(&self) -> Option<SecretString> {
        self.refresh_token.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Keeps what allows to go on without the person.
    pub(super) fn keep(&self, refresh_token: Option<SecretString>) {
        if refresh_token.is_some() {
            *self.refresh_token.lock().unwrap_or_else(PoisonError::into_inner) = refresh_token;
        }
    }
}

/// A code that Entra gave out.
#[derive(Deserialize)]
struct Given {
    #[serde(rename = "device_code")]
    for_us: SecretString,
    #[serde(rename = "user_code")]
    for_the_person: String,
    verification_uri: String,
    #[serde(default = "quarter_of_an_hour", deserialize_with = "seconds")]
    expires_in: u64,
    #[serde(default = "five_seconds", deserialize_with = "seconds")]
    interval: u64,
}

/// The life of a code as Entra gives it out, for an answer that tells none.
fn quarter_of_an_hour() -> u64 {
    900
}

fn five_seconds() -> u64 {
    5
}

impl TokenSource {
    /// Invites the person and waits until they have signed in.
    pub(super) async fn sign_in(&self, delegated: &Delegated) -> Result<Token, Error> {
        let (code, _) = self.ask_until_decided::<Given>(&Question::Code).await?;
        let Given { for_us, for_the_person, verification_uri, expires_in, interval } = code;
        // The longest that a code may live, and the longest wait between two questions.
        let expires_in = expires_in.min(3600);
        let interval = interval.clamp(1, 60);
        (delegated.invite)(&Invitation {
            page: verification_uri,
            code: for_the_person,
            minutes: expires_in / 60,
        });
        let approval = Question::Approval(for_us);
        let mut interval = Duration::from_secs(interval);
        let wait = async {
            loop {
                self.clock.sleep(interval).await;
                match self.ask::<Granted>(&approval).await? {
                    Ok(granted) => return self.accept(granted).ok_or_else(not_signed_in),
                    Err(SignOnAnswer::Fail(error)) => return Err(error),
                    Err(SignOnAnswer::TooFast) => interval += SLOWER_BY,
                    Err(
                        SignOnAnswer::Pending | SignOnAnswer::Again | SignOnAnswer::NotSpreadYet(_),
                    ) => {}
                }
            }
        };
        self.clock
            .timeout(Duration::from_secs(expires_in), wait)
            .await
            .unwrap_or_else(|| Err(not_signed_in()))
    }
}

/// The error of a code that nobody entered.
pub(super) fn not_signed_in() -> Error {
    Error::Credentials(
        "nobody signed in before the code expired; start again, and enter the new code on the page"
            .to_owned(),
    )
}

//! The sign-in of a person by device code: they open a page, enter a code there and sign in as
//! ever. <https://learn.microsoft.com/entra/identity-platform/v2-oauth2-device-code>

use super::credential::{DeviceCode, DeviceCodePrompt};
use super::token_endpoint::{EntraAnswer, TokenEndpoint, seconds};
use super::token_error::{TokenError, not_signed_in};
use super::token_request::Grant;
use entratrail_core::error::Error;
use secrecy::SecretString;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::time::Duration;

/// Further wait between two requests once Entra says that they come too fast.
/// <https://www.rfc-editor.org/rfc/rfc8628#section-3.5>
const SLOWER_BY: Duration = Duration::from_secs(5);

/// A code that Entra gave out.
#[derive(Deserialize)]
struct DeviceAuthorization {
    device_code: SecretString,
    user_code: String,
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

/// Shows a code to the person and waits until they have signed in.
pub(super) async fn sign_in<T: DeserializeOwned>(
    endpoint: &TokenEndpoint,
    DeviceCode(show): &DeviceCode,
) -> Result<EntraAnswer<T>, Error> {
    let given = authorize(endpoint).await?;
    // The longest that a code may live, and the longest wait between two requests.
    let expires_in = given.expires_in.min(3600);
    let interval = Duration::from_secs(given.interval.clamp(1, 60));
    show(&DeviceCodePrompt {
        page: given.verification_uri,
        code: given.user_code,
        minutes: expires_in / 60,
    });
    let signed_in = poll(endpoint, Grant::DeviceCode(given.device_code), interval);
    let decided = endpoint.clock.timeout(Duration::from_secs(expires_in), signed_in).await;
    decided.unwrap_or_else(|| Err(not_signed_in()))
}

/// Asks for a code until Entra gives one out.
async fn authorize(endpoint: &TokenEndpoint) -> Result<DeviceAuthorization, Error> {
    let mut attempts = endpoint.attempts();
    loop {
        match endpoint.ask(&Grant::DeviceAuthorization).await {
            Ok(EntraAnswer { content, .. }) => return Ok(content),
            Err(error) => endpoint.wait_after(error, &mut attempts).await?,
        }
    }
}

/// Asks for the token until the person has decided.
async fn poll<T: DeserializeOwned>(
    endpoint: &TokenEndpoint,
    grant: Grant,
    mut interval: Duration,
) -> Result<EntraAnswer<T>, Error> {
    loop {
        endpoint.clock.sleep(interval).await;
        match endpoint.ask(&grant).await {
            Ok(answer) => return Ok(answer),
            Err(TokenError::Fatal(error)) => return Err(error),
            Err(TokenError::SlowDown) => interval += SLOWER_BY,
            Err(TokenError::Pending | TokenError::Retry | TokenError::NotPropagated(_)) => {}
        }
    }
}

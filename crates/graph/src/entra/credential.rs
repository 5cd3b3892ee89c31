//! Who the collector is to Entra: a client secret, a certificate, a token of the AWS role that it
//! runs as, or a person.

use super::certificate::Certificate;
use super::credential_source::CredentialSource;
use chrono::{DateTime, Utc};
use entratrail_core::error::Error;
use secrecy::SecretString;
use std::fmt;
use std::future::Future;
use std::pin::Pin;

/// An app registration, and what proves that we are it.
#[derive(Debug)]
pub struct Application {
    /// Directory (tenant) id, or a verified domain.
    pub tenant_id: String,
    /// Application (client) id.
    pub client_id: String,
    /// The proof.
    pub credential: Credential,
    /// Place where the operator keeps all this.
    pub source: CredentialSource,
}

/// Proof to Entra of who asks.
#[derive(Debug)]
pub enum Credential {
    /// A client secret's value.
    Secret(SecretString),
    /// A certificate that is uploaded to the app registration.
    Certificate(Box<Certificate>),
    /// Tokens of an outside issuer that the app registration trusts.
    Federated(Federation),
    /// The sign-in of a person, so that no app registration is needed.
    DeviceCode(DeviceCode),
}

/// Fetches a fresh JWT that a federated credential accepts.
pub type FetchAssertion =
    dyn Fn() -> Pin<Box<dyn Future<Output = Result<SecretString, Error>> + Send>> + Send + Sync;

/// Source of the tokens of a federated credential.
pub struct Federation(pub Box<FetchAssertion>);

impl fmt::Debug for Federation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Federation")
    }
}

/// Steps by which a person signs in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceCodePrompt {
    /// The page to open.
    pub page: String,
    /// The code to enter there.
    pub code: String,
    /// Minutes for which the code is good.
    pub minutes: u64,
}

/// Shows a prompt to the person who is to sign in.
pub type ShowPrompt = dyn Fn(&DeviceCodePrompt) + Send + Sync;

/// Sign-in of a person, who is shown a code.
pub struct DeviceCode(pub Box<ShowPrompt>);

impl fmt::Debug for DeviceCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DeviceCode")
    }
}

impl Credential {
    /// Whether a person signs in.
    pub fn is_person(&self) -> bool {
        matches!(self, Self::DeviceCode(_))
    }

    /// Days until the credential expires, where it says so itself: a certificate does.
    pub fn days_left(&self, now: DateTime<Utc>) -> Option<i64> {
        match self {
            Self::Certificate(certificate) => Some(certificate.days_left(now)),
            Self::Secret(_) | Self::Federated(_) | Self::DeviceCode(_) => None,
        }
    }
}

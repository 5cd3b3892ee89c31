//! The forms that are sent to Entra's endpoints.

use super::token::TokenSource;
use crate::entra::credential::Credential;
use entratrail_core::error::Error;
use secrecy::{ExposeSecret as _, SecretString};
use url::form_urlencoded::Serializer;

/// Request to Entra.
pub(super) enum Question {
    /// A token for whom the credential proves.
    Token,
    /// A code for a person to sign in with.
    Code,
    /// A token for who has signed in with this code.
    Approval(SecretString),
}

impl TokenSource {
    /// The body of a question.
    pub(super) async fn form(&self, question: &Question) -> Result<String, Error> {
        const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
        const DEVICE_CODE: &str = "urn:ietf:params:oauth:grant-type:device_code";
        let client_id = &self.application.client_id;
        let (grant_type, name, proof) = match (question, &self.application.credential) {
            (Question::Code, _) => ("", "", SecretString::default()),
            (Question::Approval(code), _) => (DEVICE_CODE, "device_code", code.clone()),
            (_, Credential::Secret(secret)) => {
                ("client_credentials", "client_secret", secret.clone())
            }
            (_, Credential::Certificate(certificate)) => {
                let assertion =
                    certificate.assertion(client_id, &self.endpoint, self.clock.now())?;
                ("client_credentials", "client_assertion", assertion)
            }
            (_, Credential::Federated(federation)) => {
                ("client_credentials", "client_assertion", (federation.0)().await?)
            }
            (_, Credential::Delegated(person)) => {
                ("refresh_token", "refresh_token", person.refresh_token().unwrap_or_default())
            }
        };
        let mut form = Serializer::new(String::new());
        form.append_pair("client_id", client_id).append_pair("scope", &self.scope);
        if !name.is_empty() {
            form.append_pair("grant_type", grant_type).append_pair(name, proof.expose_secret());
        }
        if name == "client_assertion" {
            form.append_pair("client_assertion_type", ASSERTION_TYPE);
        }
        Ok(form.finish())
    }
}

/// Scope that a token is asked for: a person's names the permissions, an application's has all it
/// was granted.
pub(super) fn scope(credential: &Credential, graph_url: &str) -> String {
    match credential {
        Credential::Delegated(_) => {
            format!("{graph_url}/AuditLog.Read.All {graph_url}/Directory.Read.All offline_access")
        }
        _ => format!("{graph_url}/.default"),
    }
}

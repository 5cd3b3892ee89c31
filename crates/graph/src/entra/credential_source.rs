//! The operator's place for the credential, by which errors name its parts; and parts that cannot
//! be right.

use entratrail_core::error::Error;
use entratrail_core::shown::describe;
use secrecy::{ExposeSecret as _, SecretString};
use uuid::Uuid;

/// Place of the parts of a credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CredentialSource {
    /// In SSM parameters, e.g. `client-secret`.
    Parameters,
    /// In environment variables, e.g. `ENTRATRAIL_CLIENT_SECRET`.
    Environment,
}

impl CredentialSource {
    /// The operator's name for the part that is called `part` in SSM.
    pub(super) fn describe_part(self, part: &str) -> String {
        match self {
            Self::Parameters => format!("the parameter {part}"),
            Self::Environment => format!("ENTRATRAIL_{}", part.to_uppercase().replace('-', "_")),
        }
    }

    /// Refuses what is no tenant id.
    pub fn check_tenant_id(self, tenant_id: &str) -> Result<(), Error> {
        if is_domain(tenant_id) || Uuid::try_parse(tenant_id).is_ok() {
            return Ok(());
        }
        Err(Error::parameters(format!(
            "{} holds {}",
            self.describe_part("tenant-id"),
            describe(tenant_id)
        ))
        .with_remedy(
            "it must be the directory (tenant) id, a GUID, or a verified domain of the tenant",
        ))
    }

    /// Refuses what is no client id.
    pub fn check_client_id(self, client_id: &str) -> Result<(), Error> {
        if Uuid::try_parse(client_id).is_ok() {
            return Ok(());
        }
        Err(Error::parameters(format!(
            "{} holds {}",
            self.describe_part("client-id"),
            describe(client_id)
        ))
        .with_remedy("it must be the application (client) id of the app registration, a GUID"))
    }

    /// Refuses a secret's id: Entra shows it beside the value, and it is what people paste.
    pub fn check_secret(self, secret: SecretString) -> Result<SecretString, Error> {
        if Uuid::try_parse(secret.expose_secret()).is_err() {
            return Ok(secret);
        }
        Err(Error::parameters(format!(
            "{} holds a GUID, which is the id of a client secret",
            self.describe_part("client-secret")
        ))
        .with_remedy("store the secret's value, which Entra shows once, when the secret is made"))
    }

    /// The error of a certificate that cannot be used. What a parser says of a PEM text or a key is
    /// no source of it: it may quote them.
    pub(super) fn unusable_certificate(self, why: &str) -> Error {
        let place = match self {
            Self::Parameters => self.describe_part("client-certificate"),
            Self::Environment => "the certificate file".to_owned(),
        };
        Error::parameters(format!("{place} cannot be used: {why}"))
            .with_remedy("it must hold the certificate and its RSA private key, both as PEM")
    }
}

/// Whether a text has the form of a domain. A pasted token has not: its parts are longer than a
/// domain's. <https://www.rfc-editor.org/rfc/rfc1035#section-2.3.4>
fn is_domain(text: &str) -> bool {
    let has_top = text.rsplit_once('.').is_some_and(|(_, top)| {
        let is_word = (2..=24).contains(&top.len()) && top.bytes().all(|b| b.is_ascii_alphabetic());
        is_word || top.starts_with("xn--")
    });
    text.len() <= 253
        && has_top
        && text.split('.').all(|label| {
            (1..=63).contains(&label.len())
                && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_and_secrets_that_cannot_be_right_are_refused() {
        let source = CredentialSource::Parameters;
        assert!(source.check_tenant_id("5e1c0f5a-2b7d-4f3e-9a51-0b8f1d6c7e20").is_ok());
        assert!(source.check_tenant_id("contoso.example").is_ok());
        assert!(source.check_tenant_id("contoso").is_err());
        let pasted = "abc8Q~the.secret.value";
        for error in [source.check_tenant_id(pasted), source.check_client_id(pasted)] {
            let text = error.unwrap_err().to_string();
            assert!(text.contains("22 characters") && !text.contains("secret.v"), "{text}");
        }
        assert!(source.check_tenant_id("contoso.example/../x").is_err());
        let error = source
            .check_secret("5e1c0f5a-2b7d-4f3e-9a51-0b8f1d6c7e20".into())
            .unwrap_err()
            .to_string();
        assert!(error.contains("value") && !error.contains("5e1c"), "{error}");
        assert!(source.check_secret("abc8Q~something".into()).is_ok());
    }

    #[test]
    fn a_part_is_named_as_its_keeper_knows_it() {
        assert_eq!(
            CredentialSource::Parameters.describe_part("client-secret"),
            "the parameter client-secret"
        );
        assert_eq!(
            CredentialSource::Environment.describe_part("client-secret"),
            "ENTRATRAIL_CLIENT_SECRET"
        );
    }
}

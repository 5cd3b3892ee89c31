//! A certificate of the app registration: PEM in, signed assertion out.

use super::credential_source::CredentialSource;
use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, TimeDelta, Utc};
use entratrail_core::error::Error;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use pem::Pem;
use secrecy::SecretString;
use serde_json::json;
use std::fmt;
use uuid::Uuid;
use x509_cert::Certificate as X509;
use x509_cert::der::Decode as _;

/// Validity of an assertion; Microsoft advises five to ten minutes.
/// <https://learn.microsoft.com/entra/identity-platform/certificate-credentials>
const ASSERTION_LIFETIME: TimeDelta = TimeDelta::minutes(10);

/// A certificate and its private key.
pub struct Certificate {
    key: EncodingKey,
    thumbprint: String,
    not_after: DateTime<Utc>,
    source: CredentialSource,
}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Certificate").field("not_after", &self.not_after).finish_non_exhaustive()
    }
}

impl Certificate {
    /// Days until the certificate expires.
    pub fn days_left(&self, now: DateTime<Utc>) -> i64 {
        (self.not_after - now).num_days()
    }

    /// Reads a PEM text that holds one certificate and its RSA private key, in any order.
    pub fn from_pem(text: &str, source: CredentialSource) -> Result<Self, Error> {
        let blocks =
            pem::parse_many(text).map_err(|_| source.unusable_certificate("it is not PEM text"))?;
        let certificate = block_of(&blocks, "CERTIFICATE", source)?;
        let key = block_of(&blocks, "PRIVATE KEY", source)?;
        if key.tag().starts_with("ENCRYPTED") {
            return Err(source.unusable_certificate(
                "its private key is encrypted; store it without a password",
            ));
        }
        let x509 = X509::from_der(certificate.contents()).map_err(|error| {
            source.unusable_certificate("its certificate is damaged").with_source(error)
        })?;
        let not_after = x509.tbs_certificate().validity().not_after.to_unix_duration();
        Ok(Self {
            key: EncodingKey::from_rsa_pem(pem::encode(key).as_bytes())
                .map_err(|_| source.unusable_certificate("its private key is not an RSA key"))?,
            thumbprint: URL_SAFE_NO_PAD.encode(digest(&SHA256, certificate.contents())),
            not_after: DateTime::UNIX_EPOCH
                + TimeDelta::from_std(not_after).unwrap_or(TimeDelta::MAX),
            source,
        })
    }

    /// A signed assertion that we are `client_id`, for the token endpoint `audience`.
    pub fn assertion(
        &self,
        client_id: &str,
        audience: &str,
        now: DateTime<Utc>,
    ) -> Result<SecretString, Error> {
        let mut header = Header::new(Algorithm::PS256);
        header.x5t_s256 = Some(self.thumbprint.clone());
        let claims = json!({
            "aud": audience, "iss": client_id, "sub": client_id, "jti": Uuid::new_v4().to_string(),
            "nbf": now.timestamp(), "iat": now.timestamp(), "exp": (now + ASSERTION_LIFETIME).timestamp(),
        });
        let signed = jsonwebtoken::encode(&header, &claims, &self.key);
        signed
            .map(SecretString::from)
            .map_err(|_| self.source.unusable_certificate("its private key cannot sign"))
    }
}

/// The block with a tag that ends so.
fn block_of<'pem>(
    blocks: &'pem [Pem],
    part: &str,
    source: CredentialSource,
) -> Result<&'pem Pem, Error> {
    let block = blocks.iter().find(|block| block.tag().ends_with(part));
    block.ok_or_else(|| source.unusable_certificate(&format!("it holds no {part} block")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_that_cannot_be_used_is_refused_in_words() {
        let check = |text: &str, part: &str| {
            let error = Certificate::from_pem(text, CredentialSource::Parameters).unwrap_err();
            assert_eq!(error.error_type(), "Parameters");
            assert!(error.to_string().contains(part), "{error}");
        };
        let block = |tag: &str| format!("-----BEGIN {tag}-----\nAAAA\n-----END {tag}-----\n");
        check("", "no CERTIFICATE");
        check("-----BEGIN CERTIFICATE-----\n!!\n-----END CERTIFICATE-----\n", "PEM");
        check(&block("CERTIFICATE"), "no PRIVATE KEY");
        check(&(block("CERTIFICATE") + &block("ENCRYPTED PRIVATE KEY")), "encrypted");
        check(&(block("PRIVATE KEY") + &block("CERTIFICATE")), "damaged");
    }
}

//! The certificates of the application.

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jsonwebtoken::DecodingKey;

use crate::error::Error;

/// A certificate of the application.
pub(crate) struct Certificate {
    pub(crate) thumbprint: String,
    pub(crate) key: DecodingKey,
}

impl Certificate {
    /// Reads the first certificate of a PEM text.
    pub(crate) fn from_pem(pem: &str) -> Result<Self, Error> {
        let broken = "the certificate is not PEM with an RSA key";
        Self::parse(pem).ok_or_else(|| Error::impossible(broken))
    }

    fn parse(pem: &str) -> Option<Self> {
        let (_, rest) = pem.split_once("-----BEGIN CERTIFICATE-----")?;
        let (encoded, _) = rest.split_once("-----END CERTIFICATE-----")?;
        let compact: String = encoded.split_whitespace().collect();
        let der = STANDARD.decode(compact).ok()?;
        let alone = format!("-----BEGIN CERTIFICATE-----{encoded}-----END CERTIFICATE-----\n");
        let key = DecodingKey::from_rsa_pem(alone.as_bytes()).ok()?;
        Some(Self { thumbprint: URL_SAFE_NO_PAD.encode(digest(&SHA256, &der)), key })
    }
}

impl std::fmt::Debug for Certificate {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Certificate({})", self.thumbprint)
    }
}

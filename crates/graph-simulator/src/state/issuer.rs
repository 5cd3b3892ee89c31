//! The identity issuer of the simulated AWS account: its key, its discovery document, its tokens.
//!
//! The key is fixed, public and worthless: making an RSA key would cost every test a second.

use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header};
use serde_json::json;

use crate::error::Error;
use crate::guid;

const PRIVATE_KEY: &str = include_str!("../../keys/issuer-for-tests-only.pem");
const PUBLIC_KEY: &str = include_str!("../../keys/issuer-for-tests-only.public.pem");
const KEY_ID: &str = "issuer-for-tests-only";

/// Signs web identity tokens.
pub(crate) struct Issuer {
    url: String,
    signing: EncodingKey,
    pub(crate) verifying: DecodingKey,
    public: serde_json::Value,
}

impl Issuer {
    pub(crate) fn new(url: &str) -> Result<Self, Error> {
        let signing =
            EncodingKey::from_rsa_pem(PRIVATE_KEY.as_bytes()).map_err(|error| unstarted(&error))?;
        let verifying =
            DecodingKey::from_rsa_pem(PUBLIC_KEY.as_bytes()).map_err(|error| unstarted(&error))?;
        let mut public = Jwk::from_encoding_key(&signing, Algorithm::RS256)
            .map_err(|error| unstarted(&error))?;
        public.common.key_id = Some(KEY_ID.to_owned());
        let public = serde_json::to_value(public).map_err(|error| unstarted(&error))?;
        Ok(Self { url: url.to_owned(), signing, verifying, public })
    }

    /// `/.well-known/openid-configuration`
    pub(crate) fn discovery(&self) -> serde_json::Value {
        json!({
            "issuer": self.url,
            "jwks_uri": format!("{}/.well-known/jwks.json", self.url),
            "response_types_supported": ["id_token"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256", "ES384"],
            "claims_supported": ["iss", "sub", "aud", "iat", "exp", "jti"],
        })
    }

    /// `/.well-known/jwks.json`
    pub(crate) fn keys(&self) -> serde_json::Value {
        let mut key = self.public.clone();
        key["use"] = json!("sig");
        json!({ "keys": [key] })
    }

    /// A token for a role, valid from `issued_at` (Unix seconds).
    pub(crate) fn sign(
        &self,
        role: &str,
        audiences: &[String],
        issued_at: i64,
        seconds: i64,
    ) -> Option<String> {
        let account = role.split(':').nth(4).unwrap_or_default();
        let audience = match audiences {
            [one] => json!(one),
            several => json!(several),
        };
        let claims = json!({
            "iss": self.url,
            "aud": audience,
            "sub": role,
            "iat": issued_at,
            "exp": issued_at + seconds,
            "jti": guid::random(),
            "https://sts.amazonaws.com/": {
                "aws_account": account,
                "source_region": "eu-central-1",
                "org_id": "o-simulated",
                "principal_tags": {},
            },
        });
        let header = Header { kid: Some(KEY_ID.to_owned()), ..Header::new(Algorithm::RS256) };
        jsonwebtoken::encode(&header, &claims, &self.signing).ok()
    }
}

impl std::fmt::Debug for Issuer {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Issuer({})", self.url)
    }
}

fn unstarted(error: &dyn std::error::Error) -> Error {
    Error::Start(error.to_string())
}

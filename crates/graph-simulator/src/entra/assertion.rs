//! Client assertions: signed by the application's certificate, or by an outside issuer that it
//! trusts.

use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde::Deserialize;

use crate::entra::aadsts::Refusal;
use crate::scenario::Federation;
use crate::state::certificate::Certificate;

/// Claims of an assertion, unchecked.
#[derive(Debug, Deserialize)]
pub(crate) struct Claims {
    #[serde(default)]
    pub(crate) iss: String,
    #[serde(default)]
    sub: String,
    #[serde(default)]
    aud: Audience,
    exp: Option<i64>,
    nbf: Option<i64>,
    jti: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Several(Vec<String>),
}

impl Default for Audience {
    fn default() -> Self {
        Self::Several(Vec::new())
    }
}

/// The claims of an assertion, not yet believed.
pub(crate) fn claims(assertion: &str) -> Option<Claims> {
    jsonwebtoken::dangerous::insecure_decode::<Claims>(assertion).ok().map(|token| token.claims)
}

/// Checks an assertion that the application signed itself (PS256).
pub(crate) fn check_own(
    assertion: &str,
    client_id: &str,
    audiences: &[String],
    certificates: &[Certificate],
    now_seconds: i64,
) -> Result<(), Refusal> {
    let header = jsonwebtoken::decode_header(assertion).map_err(|_| Refusal::MalformedAssertion)?;
    let thumbprint = header.x5t_s256.unwrap_or_default();
    let certificate = certificates
        .iter()
        .find(|certificate| certificate.thumbprint == thumbprint)
        .filter(|_| header.alg == Algorithm::PS256)
        .ok_or(Refusal::BadSignature)?;
    let claims = verified(assertion, &certificate.key, Algorithm::PS256)?;
    claims.check_time(now_seconds)?;
    if claims.iss != client_id || claims.sub != client_id {
        return Err(Refusal::AssertionOfAnotherClient);
    }
    if !audiences.iter().any(|audience| claims.aud.is(audience)) {
        return Err(Refusal::AssertionForAnotherAudience);
    }
    if claims.jti.is_none_or(|jti| jti.is_empty()) {
        Err(Refusal::MalformedAssertion)
    } else {
        Ok(())
    }
}

/// Checks an assertion of an outside issuer (RS256) against the application's federated credential.
pub(crate) fn check_federated(
    assertion: &str,
    federation: &Federation,
    issuer: &str,
    key: &DecodingKey,
    now_seconds: i64,
) -> Result<(), Refusal> {
    let claims = claims(assertion).ok_or(Refusal::MalformedAssertion)?;
    let expected = federation.issuer.as_deref().unwrap_or(issuer);
    if !federation.credential {
        return Err(claims.no_match());
    }
    if claims.iss != expected {
        return Err(Refusal::OtherIssuer(claims.iss));
    }
    if claims.sub != federation.subject {
        let only_case = claims.sub.eq_ignore_ascii_case(&federation.subject);
        return Err(Refusal::OtherSubject { subject: claims.sub, only_case });
    }
    if !claims.aud.is(&federation.audience) {
        return Err(Refusal::OtherAudience(claims.audience().to_owned()));
    }
    verified(assertion, key, Algorithm::RS256)?.check_time(now_seconds)
}

impl Claims {
    /// The refusal of an assertion that no federated credential matches.
    pub(crate) fn no_match(self) -> Refusal {
        let audience = self.audience().to_owned();
        Refusal::NoFederatedMatch { issuer: self.iss, subject: self.sub, audience }
    }

    fn audience(&self) -> &str {
        match &self.aud {
            Audience::One(audience) => audience,
            Audience::Several(audiences) => audiences.first().map_or("", String::as_str),
        }
    }

    /// Entra allows clocks to differ by five minutes.
    fn check_time(&self, now_seconds: i64) -> Result<(), Refusal> {
        let started = self.nbf.is_none_or(|nbf| nbf <= now_seconds + 300);
        let ended = self.exp.is_none_or(|exp| exp + 300 < now_seconds);
        if started && !ended { Ok(()) } else { Err(Refusal::OutsideTimeRange) }
    }
}

impl Audience {
    fn is(&self, expected: &str) -> bool {
        match self {
            Self::One(audience) => audience == expected,
            Self::Several(audiences) => {
                matches!(audiences.as_slice(), [audience] if audience == expected)
            }
        }
    }
}

/// Checks the signature alone: the simulated clock decides about times.
fn verified(assertion: &str, key: &DecodingKey, algorithm: Algorithm) -> Result<Claims, Refusal> {
    let mut validation = Validation::new(algorithm);
    validation.validate_exp = false;
    validation.validate_aud = false;
    validation.required_spec_claims.clear();
    let token = jsonwebtoken::decode::<Claims>(assertion, key, &validation)
        .map_err(|_| Refusal::BadSignature)?;
    Ok(token.claims)
}

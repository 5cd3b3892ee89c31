//! What Entra's token endpoint answers, in the operator's terms.

use crate::error::Error;
use crate::graph::credential::{Application, Credential};
use crate::graph::delegated::not_signed_in;
use serde::Deserialize;

/// The body of a refusal. <https://learn.microsoft.com/entra/identity-platform/reference-error-codes>
#[derive(Debug, Default, Deserialize)]
pub(super) struct SignOnRefusal {
    #[serde(default)]
    error: String,
    #[serde(default)]
    error_codes: Vec<u32>,
    #[serde(default)]
    error_description: String,
    #[serde(default)]
    trace_id: String,
}

/// What to do about a refusal.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum SignOnAnswer {
    /// Entra is busy or out of order for a moment.
    Again,
    /// A new federated credential has not reached every server of Entra yet.
    NotSpreadYet(Error),
    /// The person has not signed in yet.
    Pending,
    /// The same, and it was asked too soon.
    TooFast,
    /// Final.
    Fail(Error),
}

impl SignOnRefusal {
    /// Reads the body of a refusal, whatever it is.
    pub(super) fn read(body: &[u8]) -> Self {
        serde_json::from_slice(body).unwrap_or_default()
    }

    /// The number after `AADSTS`, 0 where there is none.
    fn code(&self) -> u32 {
        let from_text = || {
            let digits = self.error_description.strip_prefix("AADSTS")?;
            digits.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
        };
        self.error_codes.first().copied().or_else(from_text).unwrap_or(0)
    }

    /// Decides by status and AADSTS code.
    pub(super) fn explain(&self, status: u16, application: &Application) -> SignOnAnswer {
        let Application { tenant_id: tenant, client_id: client, kept_in, .. } = application;
        let (tenant_id, client_id) = (kept_in.place("tenant-id"), kept_in.place("client-id"));
        let client_secret = kept_in.place("client-secret");
        let is_person = matches!(application.credential, Credential::Delegated(_));
        if let Some(answer) = self.of_a_person().filter(|_| is_person) {
            return answer;
        }
        let code = self.code();
        let came_back = self.came_back(status);
        let credentials =
            |text: String| SignOnAnswer::Fail(Error::Credentials(format!("{text} ({came_back})")));
        match code {
            90006 | 90012 | 90024 | 90033 | 90055 => SignOnAnswer::Again,
            70021 | 700_213 => SignOnAnswer::NotSpreadYet(Error::Credentials(format!(
                "Entra knows no federated credential of application {client} that matches this function's role \
                 ({came_back}); compare issuer, subject and audience letter by letter, then allow some minutes after \
                 a change"
            ))),
            7_000_215 => credentials(format!(
                "Entra refused the client secret of application {client}: it is wrong; store the secret's value, not its \
                 id, in {client_secret}"
            )),
            7_000_222 => credentials(format!(
                "the client secret of application {client} has expired; make a new one in Entra and store its value in \
                 {client_secret}"
            )),
            700_016 => credentials(format!(
                "tenant {tenant} has no application {client}; check {client_id} and {tenant_id}, and that \
                 an administrator has consented to the application"
            )),
            90002 | 900_023 => credentials(format!(
                "Entra knows no tenant {tenant}; check {tenant_id}, and LOGIN_URL for a national cloud"
            )),
            90038 | 900_382 | 900_432 => credentials(format!(
                "tenant {tenant} belongs to another national cloud; check LOGIN_URL and GRAPH_URL"
            )),
            70011 => SignOnAnswer::Fail(Error::Configuration(format!(
                "Entra does not accept the scope of GRAPH_URL ({came_back}); GRAPH_URL and LOGIN_URL must belong to the \
                 same cloud"
            ))),
            700_211 | 700_212 | 7_002_137 | 7_002_138 => credentials(format!(
                "the federated credential of application {client} does not match this function's role; issuer, subject \
                 and audience must be equal letter by letter"
            )),
            700_024 | 700_027 | 7_000_218 => credentials(format!(
                "Entra refused the assertion of application {client}; check that the certificate is uploaded to the app \
                 registration, has not expired, and that the clock is right"
            )),
            _ if status == 429 || status >= 500 || self.error == "temporarily_unavailable" => {
                SignOnAnswer::Again
            }
            _ if is_person => credentials(
                "Entra does not accept the sign-in any more; start again and sign in anew".to_owned(),
            ),
            _ => credentials(format!("Entra refused application {client} of tenant {tenant}")),
        }
    }

    /// What Entra says while it waits for a person.
    fn of_a_person(&self) -> Option<SignOnAnswer> {
        let fail = |text: &str| SignOnAnswer::Fail(Error::Credentials(text.to_owned()));
        Some(match self.error.as_str() {
            "authorization_pending" => SignOnAnswer::Pending,
            "slow_down" => SignOnAnswer::TooFast,
            "authorization_declined" | "access_denied" => {
                fail("the sign-in was declined; start again and accept it, or use an app registration")
            }
            "expired_token" | "code_expired" => SignOnAnswer::Fail(not_signed_in()),
            _ => return None,
        })
    }

    fn came_back(&self, status: u16) -> String {
        let code = match self.code() {
            0 => "no AADSTS code".to_owned(),
            code => format!("AADSTS{code}"),
        };
        let trace = if self.trace_id.is_empty() { "none" } else { &self.trace_id };
        format!("{code}, status {status}, trace id {trace}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::delegated::Delegated;
    use crate::graph::kept_in::KeptIn;

    fn explain(status: u16, body: &str) -> SignOnAnswer {
        explain_to(Credential::Secret("s".into()), status, body)
    }

    fn explain_to(credential: Credential, status: u16, body: &str) -> SignOnAnswer {
        let (tenant_id, client_id) = ("contoso.example".to_owned(), "app-1".to_owned());
        let application = Application { tenant_id, client_id, credential, kept_in: KeptIn::Parameters };
        SignOnRefusal::read(body.as_bytes()).explain(status, &application)
    }

    #[test]
    fn each_code_says_what_to_do() {
        let check = |code: u32, part: &str| {
            let body = format!(r#"{{"error":"invalid_client","error_codes":[{code}],"trace_id":"t-1"}}"#);
            let SignOnAnswer::Fail(error) = explain(401, &body) else { panic!("{code} is final") };
            assert_eq!(error.error_type(), "Credentials");
            assert!(error.to_string().contains(part), "{error}");
            assert!(error.to_string().contains(&format!("AADSTS{code}, status 401, trace id t-1")));
        };
        check(7_000_215, "not its id");
        check(7_000_222, "expired");
        check(700_016, "no application app-1");
        check(90002, "no tenant contoso.example");
        check(700_027, "certificate");
        check(123_456, "refused application app-1");
    }

    #[test]
    fn the_code_is_taken_from_the_description_where_the_list_is_absent() {
        let body = r#"{"error":"invalid_client","error_description":"AADSTS7000222: The provided client secret keys"}"#;
        assert!(
            matches!(explain(401, body), SignOnAnswer::Fail(error) if error.to_string().contains("expired"))
        );
    }

    #[test]
    fn a_person_may_take_their_time_or_decline() {
        let check = |error: &str| {
            let person = Credential::Delegated(Box::new(Delegated::new(Box::new(|_| {}))));
            explain_to(person, 400, &format!(r#"{{"error":"{error}","error_codes":[70016]}}"#))
        };
        assert_eq!(check("authorization_pending"), SignOnAnswer::Pending);
        assert_eq!(check("slow_down"), SignOnAnswer::TooFast);
        let part = |error: &str, part: &str| {
            assert!(matches!(check(error), SignOnAnswer::Fail(error) if error.to_string().contains(part)));
        };
        part("authorization_declined", "declined");
        part("expired_token", "expired");
    }

    #[test]
    fn transient_answers_are_tried_again() {
        assert_eq!(explain(400, r#"{"error_codes":[90033]}"#), SignOnAnswer::Again);
        assert_eq!(explain(503, "<html>"), SignOnAnswer::Again);
        assert_eq!(explain(429, ""), SignOnAnswer::Again);
        assert!(matches!(explain(400, r#"{"error_codes":[70021]}"#), SignOnAnswer::NotSpreadYet(_)));
    }
}

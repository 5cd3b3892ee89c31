//! Answers of Entra's token endpoint, in the operator's terms.

use crate::entra::credential::{Application, Credential};
use crate::entra::delegated::not_signed_in;
use entratrail_core::error::Error;
use entratrail_core::shown::is_plain;
use serde::Deserialize;

/// The body of a refusal.
/// <https://learn.microsoft.com/entra/identity-platform/reference-error-codes>
#[derive(Debug, Default, Deserialize)]
pub struct SignOnRefusal {
    #[serde(default)]
    error: String,
    #[serde(default)]
    error_codes: Vec<u32>,
    #[serde(default)]
    error_description: String,
    #[serde(default)]
    trace_id: String,
}

/// Step after a refusal.
#[derive(Debug, PartialEq, Eq)]
pub enum SignOnAnswer {
    /// Entra is busy or out of order for a moment.
    Again,
    /// A new federated credential has not reached every server of Entra yet.
    NotSpreadYet(Error),
    /// The person has not signed in yet.
    Pending,
    /// Like [`Pending`](Self::Pending), and asked too soon.
    TooFast,
    /// Final.
    Fail(Error),
}

impl SignOnRefusal {
    /// Reads the body of a refusal, whatever it is.
    pub fn read(body: &[u8]) -> Self {
        let read: Self = serde_json::from_slice(body).unwrap_or_default();
        Self { trace_id: Some(read.trace_id).filter(|id| is_plain(id)).unwrap_or_default(), ..read }
    }

    /// The number after `AADSTS`, 0 where there is none.
    fn code(&self) -> u32 {
        self.error_codes
            .first()
            .copied()
            .or_else(|| {
                let digits = self.error_description.strip_prefix("AADSTS")?;
                digits.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
            })
            .unwrap_or(0)
    }

    /// Decides by status and AADSTS code.
    pub fn explain(&self, status: u16, application: &Application) -> SignOnAnswer {
        let Application { tenant_id: tenant, client_id: client, kept_in, .. } = application;
        let tenant_id = kept_in.place("tenant-id");
        let client_id = kept_in.place("client-id");
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
            70021 | 700_213 => SignOnAnswer::NotSpreadYet(no_federation(client, &came_back)),
            7_000_215 => credentials(format!(
                "Entra refused the client secret of application {client}: it is wrong; store the \
                 secret's value, not its id, in {client_secret}"
            )),
            7_000_222 => credentials(format!(
                "the client secret of application {client} has expired; make a new one in Entra \
                 and store its value in {client_secret}"
            )),
            700_016 => credentials(format!(
                "tenant {tenant} has no application {client}; check {client_id} and {tenant_id}, \
                 and that an administrator has consented to the application"
            )),
            90002 | 900_023 => credentials(format!(
                "Entra knows no tenant {tenant}; check {tenant_id}, and LOGIN_URL for a national \
                 cloud"
            )),
            90038 | 900_382 | 900_432 => credentials(format!(
                "tenant {tenant} belongs to another national cloud; check LOGIN_URL and GRAPH_URL"
            )),
            70011 => SignOnAnswer::Fail(Error::Configuration(format!(
                "Entra does not accept the scope of GRAPH_URL ({came_back}); GRAPH_URL and \
                 LOGIN_URL must belong to the same cloud"
            ))),
            700_211 | 700_212 | 7_002_137 | 7_002_138 => credentials(format!(
                "the federated credential of application {client} does not match this function's \
                 role; issuer, subject and audience must be equal letter by letter"
            )),
            7_000_112 => credentials(format!(
                "application {client} is disabled in tenant {tenant}; an administrator can enable \
                 it under Enterprise applications"
            )),
            7_000_229 => credentials(format!(
                "application {client} has no service principal in tenant {tenant}; an \
                 administrator of the tenant has to consent to the application"
            )),
            500_011 | 1_002_016 => SignOnAnswer::Fail(Error::Configuration(format!(
                "the tenant has no such Graph as GRAPH_URL names, or does not serve it in this way \
                 ({came_back}); check that GRAPH_URL and LOGIN_URL are those of the tenant's cloud"
            ))),
            7_000_216 => credentials(format!(
                "Entra read no credential of application {client}; check that CREDENTIAL names the \
                 kind that the app registration has"
            )),
            50196 => credentials(format!(
                "Entra saw application {client} ask for the same token again and again, and \
                 refuses for some minutes; stop other programs that use it, then start again"
            )),
            53003 | 53000..=53002 | 530_084 | 530_003 if is_person => credentials(
                "a Conditional Access policy of the tenant forbids to sign in with a code, or from \
                 this device; use an app registration instead of --sign-in"
                    .to_owned(),
            ),
            53003 | 53000..=53002 | 530_084 | 530_003 => credentials(format!(
                "a Conditional Access policy for workload identities blocks application {client}; \
                 exclude it from the policy, or allow the address from which it asks"
            )),
            50105 if is_person => credentials(
                "whoever signed in is not assigned to the application; an administrator can assign \
                 them under Enterprise applications"
                    .to_owned(),
            ),
            65001 | 90094 if is_person => credentials(
                "nobody has consented to what the application wants to read; an administrator has \
                 to consent for the tenant"
                    .to_owned(),
            ),
            7_000_218 if is_person => credentials(format!(
                "application {client} does not allow public client flows; allow them under \
                 Authentication of the app registration, or leave --client-id out"
            )),
            700_024 | 700_027 | 7_000_218 => credentials(format!(
                "Entra refused the assertion of application {client}; check that the certificate \
                 is uploaded to the app registration, has not expired, and that the clock is right"
            )),
            _ if status == 429 || status >= 500 || self.error == "temporarily_unavailable" => {
                SignOnAnswer::Again
            }
            _ if is_person => credentials(
                "Entra does not accept the sign-in any more; start again and sign in \
                 anew".to_owned(),
            ),
            _ => credentials(format!("Entra refused application {client} of tenant {tenant}")),
        }
    }

    /// Reads an answer that Entra gives while it waits for a person.
    fn of_a_person(&self) -> Option<SignOnAnswer> {
        let fail = |text: &str| SignOnAnswer::Fail(Error::Credentials(text.to_owned()));
        Some(match self.error.as_str() {
            "authorization_pending" => SignOnAnswer::Pending,
            "slow_down" => SignOnAnswer::TooFast,
            "authorization_declined" | "access_denied" => fail(
                "the sign-in was declined; start again and accept it, or use an app registration",
            ),
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

fn no_federation(client: &str, came_back: &str) -> Error {
    Error::Credentials(format!(
        "Entra knows no federated credential of application {client} that matches this function's \
         role ({came_back}); compare issuer, subject and audience letter by letter, then allow \
         some minutes after a change"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entra::delegated::Delegated;
    use crate::entra::kept_in::KeptIn;

    fn explain(status: u16, body: &str) -> SignOnAnswer {
        explain_to(Credential::Secret("s".into()), status, body)
    }

    fn explain_to(credential: Credential, status: u16, body: &str) -> SignOnAnswer {
        let tenant_id = "contoso.example".to_owned();
        let client_id = "app-1".to_owned();
        let application =
            Application { tenant_id, client_id, credential, kept_in: KeptIn::Parameters };
        SignOnRefusal::read(body.as_bytes()).explain(status, &application)
    }

    #[test]
    fn each_code_says_what_to_do() {
        let check = |code: u32, part: &str| {
            let body =
                format!(r#"{{"error":"invalid_client","error_codes":[{code}],"trace_id":"t-1"}}"#);
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
    fn a_refusal_that_a_new_credential_does_not_cure_names_what_does() {
        let text = |credential: Credential, code: u32| {
            let body =
                format!(r#"{{"error":"invalid_grant","error_codes":[{code}],"trace_id":"t-1"}}"#);
            let SignOnAnswer::Fail(error) = explain_to(credential, 400, &body) else {
                panic!("{code} is final")
            };
            assert!(error.to_string().contains(&format!("AADSTS{code}, status 400")), "{error}");
            error.to_string()
        };
        let applications = [
            (7_000_112, "Enterprise applications"),
            (7_000_229, "no service principal"),
            (500_011, "GRAPH_URL and LOGIN_URL"),
            (1_002_016, "GRAPH_URL and LOGIN_URL"),
            (7_000_216, "CREDENTIAL"),
            (50196, "other programs"),
            (53003, "workload identities"),
        ];
        for (code, cure) in applications {
            let text = text(Credential::Secret("s".into()), code);
            assert!(text.contains(cure) && !text.contains("new secret"), "{text}");
        }
        let people = [
            (53003, "app registration"),
            (53000, "app registration"),
            (530_084, "app registration"),
            (50105, "assign"),
            (65001, "consent"),
            (90094, "consent"),
            (7_000_218, "public client flows"),
        ];
        for (code, cure) in people {
            let person = Credential::Delegated(Box::new(Delegated::new(Box::new(|_| {}))));
            let text = text(person, code);
            assert!(text.contains(cure) && !text.contains("sign in anew"), "{text}");
        }
    }

    #[test]
    fn a_trace_id_that_is_none_is_not_quoted() {
        let body =
            serde_json::json!({"error_codes": [7_000_215], "trace_id": "x\u{1b}]0;owned\u{7}"});
        let answer = explain(401, &body.to_string());
        assert!(
            matches!(&answer, SignOnAnswer::Fail(error) if error.to_string().contains("trace id none")),
            "{answer:?}"
        );
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
            assert!(
                matches!(check(error), SignOnAnswer::Fail(error) if error.to_string().contains(part))
            );
        };
        part("authorization_declined", "declined");
        part("expired_token", "expired");
    }

    #[test]
    fn transient_answers_are_tried_again() {
        assert_eq!(explain(400, r#"{"error_codes":[90033]}"#), SignOnAnswer::Again);
        assert_eq!(explain(503, "<html>"), SignOnAnswer::Again);
        assert_eq!(explain(429, ""), SignOnAnswer::Again);
        assert!(matches!(
            explain(400, r#"{"error_codes":[70021]}"#),
            SignOnAnswer::NotSpreadYet(_)
        ));
    }
}

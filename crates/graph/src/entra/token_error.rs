//! Answers of Entra's token endpoint other than a token, in the operator's terms.

use super::credential::Application;
use entratrail_core::error::Error;
use entratrail_core::shown::is_plain;
use serde::Deserialize;

/// Answer of Entra that is no token, and what it means for the next step.
#[derive(Debug, PartialEq, Eq)]
pub enum TokenError {
    /// Entra is busy or out of order for a moment.
    Retry,
    /// A new federated credential has not reached every server of Entra yet.
    NotPropagated(Error),
    /// The person has not signed in yet.
    Pending,
    /// Like [`Pending`](Self::Pending), and asked too soon.
    SlowDown,
    /// Final.
    Fatal(Error),
}

/// The body of a token error.
/// <https://learn.microsoft.com/entra/identity-platform/reference-error-codes>
#[derive(Debug, Default, Deserialize)]
pub struct TokenErrorBody {
    #[serde(default)]
    error: String,
    #[serde(default)]
    error_codes: Vec<u32>,
    #[serde(default)]
    error_description: String,
    #[serde(default)]
    trace_id: String,
}

/// Meaning of AADSTS codes.
struct Meaning {
    codes: &'static [u32],
    kind: Kind,
    /// Message of the error, in which [`Words`] are filled in.
    message: &'static str,
    /// Its remedy, likewise.
    remedy: Option<&'static str>,
}

/// Kind of token error that a code is.
#[derive(Clone, Copy)]
enum Kind {
    Retry,
    NotPropagated,
    Credentials,
    Configuration,
}

/// Codes that mean something else where a person signs in than where an application does.
const OF_A_PERSON: &[Meaning] = &[
    Meaning {
        codes: &[53000, 53001, 53002, 53003, 530_003, 530_084],
        kind: Kind::Credentials,
        message: "a Conditional Access policy of the tenant forbids to sign in with a code, or \
                  from this device",
        remedy: Some("use an app registration instead of --sign-in ({came_back})"),
    },
    Meaning {
        codes: &[50105],
        kind: Kind::Credentials,
        message: "whoever signed in is not assigned to the application",
        remedy: Some(
            "an administrator can assign them under Enterprise applications ({came_back})",
        ),
    },
    Meaning {
        codes: &[65001, 90094],
        kind: Kind::Credentials,
        message: "nobody has consented to what the application wants to read",
        remedy: Some("an administrator has to consent for the tenant ({came_back})"),
    },
    Meaning {
        codes: &[7_000_218],
        kind: Kind::Credentials,
        message: "application {client} does not allow public client flows",
        remedy: Some(
            "allow them under Authentication of the app registration, or leave --client-id out \
             ({came_back})",
        ),
    },
];

/// Every other code that has a meaning of its own.
const OF_ANYBODY: &[Meaning] = &[
    Meaning {
        codes: &[90006, 90012, 90024, 90033, 90055],
        kind: Kind::Retry,
        message: "",
        remedy: None,
    },
    Meaning {
        codes: &[70021, 700_213],
        kind: Kind::NotPropagated,
        message: "Entra knows no federated credential of application {client} that matches this \
                  function's role ({came_back})",
        remedy: Some(
            "compare issuer, subject and audience letter by letter, then allow some minutes after \
             a change",
        ),
    },
    Meaning {
        codes: &[7_000_215],
        kind: Kind::Credentials,
        message: "Entra refused the client secret of application {client}: it is wrong",
        remedy: Some("store the secret's value, not its id, in {client_secret} ({came_back})"),
    },
    Meaning {
        codes: &[7_000_222],
        kind: Kind::Credentials,
        message: "the client secret of application {client} has expired",
        remedy: Some(
            "make a new one in Entra and store its value in {client_secret} ({came_back})",
        ),
    },
    Meaning {
        codes: &[700_016],
        kind: Kind::Credentials,
        message: "tenant {tenant} has no application {client}",
        remedy: Some(
            "check {client_id} and {tenant_id}, and that an administrator has consented to the \
             application ({came_back})",
        ),
    },
    Meaning {
        codes: &[90002, 900_023],
        kind: Kind::Credentials,
        message: "Entra knows no tenant {tenant}",
        remedy: Some("check {tenant_id}, and LOGIN_URL for a national cloud ({came_back})"),
    },
    Meaning {
        codes: &[90038, 900_382, 900_432],
        kind: Kind::Credentials,
        message: "tenant {tenant} belongs to another national cloud",
        remedy: Some("check LOGIN_URL and GRAPH_URL ({came_back})"),
    },
    Meaning {
        codes: &[70011],
        kind: Kind::Configuration,
        message: "Entra does not accept the scope of GRAPH_URL ({came_back})",
        remedy: Some("GRAPH_URL and LOGIN_URL must belong to the same cloud"),
    },
    Meaning {
        codes: &[700_211, 700_212, 7_002_137, 7_002_138],
        kind: Kind::Credentials,
        message: "the federated credential of application {client} does not match this \
                  function's role",
        remedy: Some("issuer, subject and audience must be equal letter by letter ({came_back})"),
    },
    Meaning {
        codes: &[7_000_112],
        kind: Kind::Credentials,
        message: "application {client} is disabled in tenant {tenant}",
        remedy: Some("an administrator can enable it under Enterprise applications ({came_back})"),
    },
    Meaning {
        codes: &[7_000_229],
        kind: Kind::Credentials,
        message: "application {client} has no service principal in tenant {tenant}",
        remedy: Some(
            "an administrator of the tenant has to consent to the application ({came_back})",
        ),
    },
    Meaning {
        codes: &[500_011, 1_002_016],
        kind: Kind::Configuration,
        message: "the tenant has no such Graph as GRAPH_URL names, or does not serve it in this \
                  way ({came_back})",
        remedy: Some("check that GRAPH_URL and LOGIN_URL are those of the tenant's cloud"),
    },
    Meaning {
        codes: &[7_000_216],
        kind: Kind::Credentials,
        message: "Entra read no credential of application {client}",
        remedy: Some(
            "check that CREDENTIAL names the kind that the app registration has ({came_back})",
        ),
    },
    Meaning {
        codes: &[50196],
        kind: Kind::Credentials,
        message: "Entra saw application {client} ask for the same token again and again, and \
                  refuses for some minutes",
        remedy: Some("stop other programs that use it, then start again ({came_back})"),
    },
    Meaning {
        codes: &[53000, 53001, 53002, 53003, 530_003, 530_084],
        kind: Kind::Credentials,
        message: "a Conditional Access policy for workload identities blocks application \
                  {client}",
        remedy: Some(
            "exclude it from the policy, or allow the address from which it asks ({came_back})",
        ),
    },
    Meaning {
        codes: &[700_024, 700_027, 7_000_218],
        kind: Kind::Credentials,
        message: "Entra refused the assertion of application {client}",
        remedy: Some(
            "check that the certificate is uploaded to the app registration, has not expired, and \
             that the clock is right ({came_back})",
        ),
    },
];

/// Final refusal with a code that has no meaning of its own.
const UNKNOWN: Meaning = Meaning {
    codes: &[],
    kind: Kind::Credentials,
    message: "Entra refused application {client} of tenant {tenant} ({came_back})",
    remedy: None,
};

/// Final refusal with such a code where a person signs in.
const UNKNOWN_OF_A_PERSON: Meaning = Meaning {
    codes: &[],
    kind: Kind::Credentials,
    message: "Entra does not accept the sign-in any more",
    remedy: Some("start again and sign in anew ({came_back})"),
};

impl TokenErrorBody {
    /// Reads the body of a token error, whatever it is.
    pub fn read(body: &[u8]) -> Self {
        let read: Self = serde_json::from_slice(body).unwrap_or_default();
        Self { trace_id: Some(read.trace_id).filter(|id| is_plain(id)).unwrap_or_default(), ..read }
    }

    /// Decides by status and AADSTS code.
    pub fn explain(&self, status: u16, application: &Application) -> TokenError {
        let is_person = application.credential.is_person();
        if is_person && let Some(answer) = self.while_a_person_signs_in() {
            return answer;
        }
        let words = self.words(status, application);
        let code = self.code();
        let of_a_person = OF_A_PERSON.iter().filter(|_| is_person);
        let known = of_a_person.chain(OF_ANYBODY).find(|meaning| meaning.codes.contains(&code));
        match known {
            Some(meaning) => meaning.explain(&words),
            None if self.is_momentary(status) => TokenError::Retry,
            None if is_person => UNKNOWN_OF_A_PERSON.explain(&words),
            None => UNKNOWN.explain(&words),
        }
    }

    /// Reads an answer that Entra gives while it waits for a person.
    fn while_a_person_signs_in(&self) -> Option<TokenError> {
        match self.error.as_str() {
            "authorization_pending" => Some(TokenError::Pending),
            "slow_down" => Some(TokenError::SlowDown),
            "authorization_declined" | "access_denied" => Some(TokenError::Fatal(
                Error::credentials("the sign-in was declined")
                    .with_remedy("start again and accept it, or use an app registration"),
            )),
            "expired_token" | "code_expired" => Some(TokenError::Fatal(not_signed_in())),
            _ => None,
        }
    }

    fn is_momentary(&self, status: u16) -> bool {
        status == 429 || status >= 500 || self.error == "temporarily_unavailable"
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

    /// The words that a sentence may name.
    fn words(&self, status: u16, application: &Application) -> Words {
        let source = application.source;
        [
            ("{client}", application.client_id.clone()),
            ("{tenant}", application.tenant_id.clone()),
            ("{client_id}", source.describe_part("client-id")),
            ("{tenant_id}", source.describe_part("tenant-id")),
            ("{client_secret}", source.describe_part("client-secret")),
            ("{came_back}", self.came_back(status)),
        ]
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

/// Places in a sentence, and the words that belong there.
type Words = [(&'static str, String); 6];

impl Meaning {
    fn explain(&self, words: &Words) -> TokenError {
        let message = fill_in(self.message, words);
        let with_remedy = |error: Error| match self.remedy {
            Some(remedy) => error.with_remedy(fill_in(remedy, words)),
            None => error,
        };
        match self.kind {
            Kind::Retry => TokenError::Retry,
            Kind::NotPropagated => {
                TokenError::NotPropagated(with_remedy(Error::credentials(message)))
            }
            Kind::Credentials => TokenError::Fatal(with_remedy(Error::credentials(message))),
            Kind::Configuration => TokenError::Fatal(with_remedy(Error::configuration(message))),
        }
    }
}

fn fill_in(text: &str, words: &Words) -> String {
    words.iter().fold(text.to_owned(), |text, (place, word)| text.replace(place, word))
}

/// The error of a code that nobody entered.
pub(super) fn not_signed_in() -> Error {
    Error::credentials("nobody signed in before the code expired")
        .with_remedy("start again, and enter the new code on the page")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entra::credential::{Credential, DeviceCode};
    use crate::entra::credential_source::CredentialSource;

    fn explain(status: u16, body: &str) -> TokenError {
        explain_to(Credential::Secret("s".into()), status, body)
    }

    fn explain_to(credential: Credential, status: u16, body: &str) -> TokenError {
        let tenant_id = "contoso.example".to_owned();
        let client_id = "app-1".to_owned();
        let application =
            Application { tenant_id, client_id, credential, source: CredentialSource::Parameters };
        TokenErrorBody::read(body.as_bytes()).explain(status, &application)
    }

    #[test]
    fn each_code_says_what_to_do() {
        let check = |code: u32, part: &str| {
            let body =
                format!(r#"{{"error":"invalid_client","error_codes":[{code}],"trace_id":"t-1"}}"#);
            let TokenError::Fatal(error) = explain(401, &body) else { panic!("{code} is final") };
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
            let TokenError::Fatal(error) = explain_to(credential, 400, &body) else {
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
            let person = Credential::DeviceCode(DeviceCode(Box::new(|_| {})));
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
            matches!(&answer, TokenError::Fatal(error) if error.to_string().contains("trace id none")),
            "{answer:?}"
        );
    }

    #[test]
    fn the_code_is_taken_from_the_description_where_the_list_is_absent() {
        let body = r#"{"error":"invalid_client","error_description":"AADSTS7000222: The provided client secret keys"}"#;
        assert!(
            matches!(explain(401, body), TokenError::Fatal(error) if error.to_string().contains("expired"))
        );
    }

    #[test]
    fn a_person_may_take_their_time_or_decline() {
        let check = |error: &str| {
            let person = Credential::DeviceCode(DeviceCode(Box::new(|_| {})));
            explain_to(person, 400, &format!(r#"{{"error":"{error}","error_codes":[70016]}}"#))
        };
        assert_eq!(check("authorization_pending"), TokenError::Pending);
        assert_eq!(check("slow_down"), TokenError::SlowDown);
        let part = |error: &str, part: &str| {
            assert!(
                matches!(check(error), TokenError::Fatal(error) if error.to_string().contains(part))
            );
        };
        part("authorization_declined", "declined");
        part("expired_token", "expired");
    }

    #[test]
    fn transient_answers_are_tried_again() {
        assert_eq!(explain(400, r#"{"error_codes":[90033]}"#), TokenError::Retry);
        assert_eq!(explain(503, "<html>"), TokenError::Retry);
        assert_eq!(explain(429, ""), TokenError::Retry);
        assert!(matches!(explain(400, r#"{"error_codes":[70021]}"#), TokenError::NotPropagated(_)));
    }

    #[test]
    fn no_code_has_two_meanings_and_each_sentence_is_filled_in() {
        for table in [OF_A_PERSON, OF_ANYBODY] {
            let mut codes: Vec<_> = table.iter().flat_map(|meaning| meaning.codes).collect();
            let count = codes.len();
            codes.sort_unstable();
            codes.dedup();
            assert_eq!(codes.len(), count);
        }
        let person = || Credential::DeviceCode(DeviceCode(Box::new(|_| {})));
        for meaning in OF_A_PERSON.iter().chain(OF_ANYBODY) {
            for code in meaning.codes {
                let body = format!(r#"{{"error_codes":[{code}],"trace_id":"t-1"}}"#);
                for credential in [Credential::Secret("s".into()), person()] {
                    match explain_to(credential, 400, &body) {
                        TokenError::Fatal(error) | TokenError::NotPropagated(error) => {
                            let text = error.to_string();
                            assert!(!text.contains(['{', '}']), "{text}");
                            assert!(text.contains(&format!("AADSTS{code}, status 400")), "{text}");
                        }
                        answer => assert_eq!(answer, TokenError::Retry),
                    }
                }
            }
        }
    }
}

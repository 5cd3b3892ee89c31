//! The forms that are sent to Entra's endpoints.

use secrecy::{ExposeSecret as _, SecretString};
use url::form_urlencoded::Serializer;

/// Type of an assertion that is a JWT. <https://www.rfc-editor.org/rfc/rfc7523#section-2.2>
const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// Grant type of a code that a person has entered.
/// <https://www.rfc-editor.org/rfc/rfc8628#section-3.4>
const DEVICE_CODE: &str = "urn:ietf:params:oauth:grant-type:device_code";

/// Grant by which Entra is asked, with what proves it.
#[derive(Debug)]
pub(super) enum Grant {
    /// A token for an application that knows its secret.
    ClientSecret(SecretString),
    /// A token for an application that shows a signed assertion.
    ClientAssertion(SecretString),
    /// A token for who has signed in before.
    RefreshToken(SecretString),
    /// A code for a person to sign in with.
    DeviceAuthorization,
    /// A token for who has signed in with this code.
    DeviceCode(SecretString),
}

impl Grant {
    /// Body of the request by `client_id` for a token with `scope`.
    pub(super) fn form(&self, client_id: &str, scope: &str) -> String {
        let mut form = Serializer::new(String::new());
        form.append_pair("client_id", client_id).append_pair("scope", scope);
        if let Some((grant_type, name, proof)) = self.proof() {
            form.append_pair("grant_type", grant_type).append_pair(name, proof.expose_secret());
        }
        if let Self::ClientAssertion(_) = self {
            form.append_pair("client_assertion_type", ASSERTION_TYPE);
        }
        form.finish()
    }

    /// Grant type, and the name and value of what proves it.
    fn proof(&self) -> Option<(&'static str, &'static str, &SecretString)> {
        match self {
            Self::ClientSecret(secret) => Some(("client_credentials", "client_secret", secret)),
            Self::ClientAssertion(assertion) => {
                Some(("client_credentials", "client_assertion", assertion))
            }
            Self::RefreshToken(token) => Some(("refresh_token", "refresh_token", token)),
            Self::DeviceAuthorization => None,
            Self::DeviceCode(code) => Some((DEVICE_CODE, "device_code", code)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_grant_has_its_form() {
        let check = |grant: Grant, rest: &str| {
            let form = grant.form("app-1", "https://graph.microsoft.com/.default");
            let start = "client_id=app-1&scope=https%3A%2F%2Fgraph.microsoft.com%2F.default";
            assert_eq!(form, format!("{start}{rest}"));
        };
        check(
            Grant::ClientSecret("a&b".into()),
            "&grant_type=client_credentials&client_secret=a%26b",
        );
        check(
            Grant::ClientAssertion("e.y.J".into()),
            "&grant_type=client_credentials&client_assertion=e.y.J&client_assertion_type=\
             urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer",
        );
        check(Grant::RefreshToken("r".into()), "&grant_type=refresh_token&refresh_token=r");
        check(Grant::DeviceAuthorization, "");
        check(
            Grant::DeviceCode("d".into()),
            "&grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Adevice_code&device_code=d",
        );
    }
}

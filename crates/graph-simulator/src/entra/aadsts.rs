//! Why Entra refuses a token: the table of AADSTS codes with their status and words.

use serde_json::json;

use crate::http::answer::Answer;
use crate::scenario::Tenant;
use crate::{guid, ticks};

/// A refused token request.
#[derive(Debug)]
pub(crate) enum Refusal {
    MissingParameter(&'static str),
    UnsupportedGrant,
    UnknownTenant(String),
    MalformedTenant(String),
    UnknownApplication(String),
    BadScope(String),
    NoCredential,
    WrongSecret,
    ExpiredSecret,
    MalformedAssertion,
    BadSignature,
    OutsideTimeRange,
    AssertionOfAnotherClient,
    AssertionForAnotherAudience,
    NoFederatedMatch { issuer: String, subject: String, audience: String },
    OtherIssuer(String),
    OtherSubject { subject: String, only_case: bool },
    OtherAudience(String),
    Pending,
    AskedTooSoon,
    Declined,
    CodeExpired,
    UnknownCode,
    StaleRefreshToken,
    Transient,
    Throttled,
}

impl Refusal {
    /// AADSTS code, HTTP status and `error`.
    fn class(&self) -> (u32, u16, &'static str) {
        match self {
            Self::MissingParameter(_) => (900_144, 400, "invalid_request"),
            Self::UnsupportedGrant => (70003, 400, "unsupported_grant_type"),
            Self::UnknownTenant(_) => (90002, 400, "invalid_tenant"),
            Self::MalformedTenant(_) => (900_023, 400, "invalid_request"),
            Self::UnknownApplication(_) => (700_016, 400, "unauthorized_client"),
            Self::BadScope(_) => (70011, 400, "invalid_scope"),
            Self::NoCredential => (7_000_218, 401, "invalid_client"),
            Self::WrongSecret => (7_000_215, 401, "invalid_client"),
            Self::ExpiredSecret => (7_000_222, 401, "invalid_client"),
            Self::MalformedAssertion => (50027, 400, "invalid_request"),
            Self::BadSignature => (700_027, 401, "invalid_client"),
            Self::OutsideTimeRange => (700_024, 401, "invalid_client"),
            Self::AssertionOfAnotherClient => (700_021, 401, "invalid_client"),
            Self::AssertionForAnotherAudience => (700_023, 401, "invalid_client"),
            Self::NoFederatedMatch { .. } => (70021, 400, "invalid_request"),
            Self::OtherIssuer(_) => (700_211, 401, "invalid_client"),
            Self::OtherSubject { only_case: true, .. } => (7_002_138, 401, "invalid_client"),
            Self::OtherSubject { .. } => (700_213, 401, "invalid_client"),
            Self::OtherAudience(_) => (700_212, 401, "invalid_client"),
            Self::Pending => (70016, 400, "authorization_pending"),
            Self::AskedTooSoon => (70016, 400, "slow_down"),
            Self::Declined => (65004, 400, "authorization_declined"),
            Self::CodeExpired => (70019, 400, "expired_token"),
            Self::UnknownCode => (70018, 400, "bad_verification_code"),
            Self::StaleRefreshToken => (700_082, 400, "invalid_grant"),
            Self::Transient => (90033, 503, "temporarily_unavailable"),
            Self::Throttled => (90055, 429, "temporarily_unavailable"),
        }
    }

    fn message(&self, tenant: &Tenant) -> String {
        let app = &tenant.client_id;
        match self {
            Self::MissingParameter(name) => format!("The request body must contain the following \
                                                     parameter: '{name}'."),
            Self::UnsupportedGrant => "The app requested an unsupported grant type. Only \
                                       'client_credentials', 'refresh_token' and device codes are \
                                       simulated.".to_owned(),
            Self::UnknownTenant(name) => format!("Tenant '{name}' not found. Check to make sure \
                                                  you have the correct tenant ID and are signing \
                                                  into the correct cloud. Check with your \
                                                  subscription administrator, this may happen if \
                                                  there are no active subscriptions for the \
                                                  tenant."),
            Self::MalformedTenant(name) => format!("Specified tenant identifier '{name}' is \
                                                    neither a valid DNS name, nor a valid external \
                                                    domain."),
            Self::UnknownApplication(client) => format!("Application with identifier '{client}' \
                                                         was not found in the directory '{}'. This \
                                                         can happen if the application has not \
                                                         been installed by the administrator of \
                                                         the tenant or consented to by any user in \
                                                         the tenant. You may have sent your \
                                                         authentication request to the wrong \
                                                         tenant.", tenant.id),
            Self::BadScope(scope) => format!("The provided value for the input parameter 'scope' \
                                              is not valid. The scope {scope} is not valid."),
            Self::NoCredential => "The request body must contain the following parameter: \
                                   'client_assertion' or 'client_secret'.".to_owned(),
            Self::WrongSecret => format!("Invalid client secret provided. Ensure the secret being \
                                          sent in the request is the client secret value, not the \
                                          client secret ID, for a secret added to app '{app}'."),
            Self::ExpiredSecret => format!("The provided client secret keys for app '{app}' are \
                                            expired. Visit the Azure portal to create new keys for \
                                            your app: https://aka.ms/NewClientSecret, or consider \
                                            using certificate credentials for added security: \
                                            https://aka.ms/certCreds."),
            Self::MalformedAssertion => "JWT token is invalid or malformed.".to_owned(),
            Self::BadSignature => "The certificate with identifier used to sign the client \
                                   assertion is not registered on application. [Reason - The key \
                                   was not found.]".to_owned(),
            Self::OutsideTimeRange => "Client assertion is not within its valid time range. Review \
                                       the documentation at \
                                       https://docs.microsoft.com/azure/active-directory/develop/active-directory-certificate-credentials.".to_owned(),
            Self::AssertionOfAnotherClient => "Client assertion application identifier doesn't \
                                               match 'client_id' parameter.".to_owned(),
            Self::AssertionForAnotherAudience => "Client assertion audience claim does not match \
                                                  Realm issuer.".to_owned(),
            Self::NoFederatedMatch { issuer, subject, audience } => format!(
                "No matching federated identity record found for presented assertion. Assertion \
                 Issuer: '{issuer}'. Assertion Subject: '{subject}'. Assertion Audience: \
                 '{audience}'."
            ),
            Self::OtherIssuer(issuer) => format!("No matching federated identity record found for \
                                                  presented assertion issuer '{issuer}'. Check \
                                                  your federated identity credential Subject, \
                                                  Audience and Issuer against the presented \
                                                  assertion."),
            Self::OtherSubject { subject, only_case: true } => format!("No matching federated identity record found for presented assertion subject '{subject}'."),
            Self::OtherSubject { subject, .. } => format!("No matching federated identity record \
                                                           found for presented assertion subject \
                                                           '{subject}'. Check your federated \
                                                           identity credential Subject, Audience \
                                                           and Issuer against the presented \
                                                           assertion."),
            Self::OtherAudience(audience) => format!("No matching federated identity record found \
                                                      for presented assertion audience \
                                                      '{audience}'. Check your federated identity \
                                                      credential Subject, Audience and Issuer \
                                                      against the presented assertion."),
            Self::Pending | Self::AskedTooSoon => "OAuth 2.0 device flow error. Authorization is \
                                                   pending. Continue polling.".to_owned(),
            Self::Declined => "User declined to consent to access the app.".to_owned(),
            Self::CodeExpired => "Verification code expired. Have the user retry the \
                                  sign-in.".to_owned(),
            Self::UnknownCode => "Invalid verification code due to user typing in wrong user code \
                                  for device code flow.".to_owned(),
            Self::StaleRefreshToken => "The refresh token has expired due to \
                                        inactivity.".to_owned(),
            Self::Transient => "A transient error has occurred. Please try again.".to_owned(),
            Self::Throttled => "The tenant is throttled because of too many requests. Please try \
                                again later.".to_owned(),
        }
    }

    /// The answer of the token endpoint.
    pub(crate) fn answer(&self, tenant: &Tenant, now: i64) -> Answer {
        let (code, status, error) = self.class();
        let trace = guid::random();
        let correlation = guid::random();
        let timestamp = ticks::text(now, 0).replace('T', " ");
        let description = format!(
            "AADSTS{code}: {} Trace ID: {trace} Correlation ID: {correlation} Timestamp: \
             {timestamp}",
            self.message(tenant)
        );
        let body = json!({
            "error": error,
            "error_description": description,
            "error_codes": [code],
            "timestamp": timestamp,
            "trace_id": trace,
            "correlation_id": correlation,
            "error_uri": format!("https://login.microsoftonline.com/error?code={code}"),
        });
        Answer::json(status, &body)
    }
}

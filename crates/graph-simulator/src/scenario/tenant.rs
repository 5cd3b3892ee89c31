//! The directory of a scenario: its licence, its application and the application's credentials.

use serde::Deserialize;

use crate::ticks;

/// The `[tenant]` table.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Tenant {
    /// Tenant id.
    pub id: String,
    /// A verified domain that may stand in the token URL instead of the id.
    pub domain: String,
    /// Application (client) id.
    pub client_id: String,
    /// The application's secret.
    pub client_secret: String,
    /// A certificate (PEM) of the application; more can be registered while running.
    pub certificate: Option<String>,
    /// Decides retention, the risk fields and whether sign-ins are served at all.
    pub licence: Licence,
    /// Days for which records are kept, by their time; absent: as the licence says.
    pub retention_days: Option<f64>,
    /// Granted application permissions.
    pub permissions: Vec<String>,
    /// Whether the secret has expired.
    pub secret_state: SecretState,
    /// Whether the application is known in the tenant.
    pub app_state: AppState,
    /// Whether the tenant exists.
    pub tenant_state: Presence,
    /// The application's federated credential and the account that signs for it.
    pub federation: Federation,
    /// Who signs in by device code.
    pub person: Person,
}

/// The `[tenant.person]` table: what somebody does who is asked to sign in by device code.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Person {
    /// Action that they take in the end.
    pub answer: PersonAnswer,
    /// Number of times that the reader asks in vain before that.
    pub thinks: u32,
    /// Seconds that the reader has to wait between two questions.
    pub interval_seconds: u32,
    /// Whether the refresh token is good.
    pub may_refresh: bool,
    /// Whether they have a role that may read the logs.
    pub has_role: bool,
}

/// Actions of a person who holds a device code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PersonAnswer {
    /// Signs in.
    Accepts,
    /// Refuses to.
    Declines,
    /// Nothing, until the code expires.
    Never,
}

/// The `[tenant.federation]` table. The issuer is always the simulator itself.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Federation {
    /// Whether the AWS account issues web identity tokens.
    pub enabled: bool,
    /// Whether the application has a federated credential.
    pub credential: bool,
    /// The subject that the federated credential names.
    pub subject: String,
    /// The audience that the federated credential names.
    pub audience: String,
    /// The issuer that the federated credential names; absent: the simulator's own.
    pub issuer: Option<String>,
    /// The role that asks for web identity tokens; absent: the credential's subject.
    pub role: Option<String>,
    /// For how long after the start the credential is not yet known everywhere.
    pub propagating_seconds: u32,
    /// A code that `GetWebIdentityToken` always answers with.
    pub error: Option<String>,
}

/// Licences, by what they change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub enum Licence {
    /// 7 days of audits, nothing else.
    Free,
    /// 30 days, risk fields hidden.
    P1,
    /// 30 days, risk fields filled.
    P2,
}

/// Whether something exists.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Presence {
    /// It exists.
    Present,
    /// It does not.
    Missing,
}

/// Whether the application exists in the tenant.
pub type AppState = Presence;

/// The state of the application's secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SecretState {
    /// Accepted.
    Valid,
    /// Past its end date.
    Expired,
}

impl Tenant {
    pub(crate) fn has_permission(&self, name: &str) -> bool {
        self.permissions.iter().any(|permission| permission == name)
    }

    /// Whether `appliedConditionalAccessPolicies` is part of sign-ins.
    pub(crate) fn may_read_policies(&self) -> bool {
        ["Policy.Read.All", "Policy.Read.ConditionalAccess", "Policy.ReadWrite.ConditionalAccess"]
            .into_iter()
            .any(|name| self.has_permission(name))
    }

    /// For how long records are kept, in ticks.
    pub(crate) fn retention(&self) -> i64 {
        let days = self.retention_days.unwrap_or(match self.licence {
            Licence::Free => 7.0,
            Licence::P1 | Licence::P2 => 30.0,
        });
        #[expect(
            clippy::cast_possible_truncation,
            reason = "days of a log in ticks are far below 2^53"
        )]
        let minutes = (days * 1440.0) as i64;
        minutes * 60 * ticks::PER_SECOND
    }
}

impl Default for Tenant {
    fn default() -> Self {
        Self {
            id: "5e1c0f5a-2b7d-4f3e-9a51-0b8f1d6c7e20".to_owned(),
            domain: "contoso.example".to_owned(),
            client_id: "9f8e7d6c-5b4a-4392-8170-6f5e4d3c2b1a".to_owned(),
            client_secret: "simulated~secret.for-tests_only".to_owned(),
            certificate: None,
            licence: Licence::P1,
            retention_days: None,
            permissions: ["AuditLog.Read.All", "Directory.Read.All", "Policy.Read.All"]
                .map(str::to_owned)
                .to_vec(),
            secret_state: SecretState::Valid,
            app_state: Presence::Present,
            tenant_state: Presence::Present,
            federation: Federation::default(),
            person: Person::default(),
        }
    }
}

impl Default for Person {
    fn default() -> Self {
        Self {
            answer: PersonAnswer::Accepts,
            thinks: 1,
            interval_seconds: 5,
            may_refresh: true,
            has_role: true,
        }
    }
}

impl Default for Federation {
    fn default() -> Self {
        Self {
            enabled: true,
            credential: true,
            subject: "arn:aws:iam::123456789012:role/log-reader".to_owned(),
            audience: "api://AzureADTokenExchange".to_owned(),
            issuer: None,
            role: None,
            propagating_seconds: 0,
            error: None,
        }
    }
}

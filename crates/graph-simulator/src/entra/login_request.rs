//! A request to one of the login endpoints, and the checks that they share.

use crate::entra::aadsts::Refusal;
use crate::http::form::Form;
use crate::scenario::{Presence, Tenant};

/// A form that was sent to a tenant's endpoint.
#[derive(Debug)]
pub(crate) struct LoginRequest {
    /// The base URL as the caller spells it.
    pub(crate) base: String,
    /// Id or domain in the path.
    pub(crate) tenant: String,
    pub(crate) form: Form,
}

impl LoginRequest {
    /// A field of the form that must be there.
    pub(crate) fn require(&self, name: &'static str) -> Result<&str, Refusal> {
        self.form.get(name).ok_or(Refusal::MissingParameter(name))
    }

    /// Whether the request names the tenant of the scenario.
    pub(crate) fn check_tenant(&self, known: &Tenant) -> Result<(), Refusal> {
        check_tenant(known, &self.tenant)
    }
}

/// Whether this id or domain is the tenant's.
pub(crate) fn check_tenant(known: &Tenant, asked: &str) -> Result<(), Refusal> {
    let is_known =
        asked.eq_ignore_ascii_case(&known.id) || asked.eq_ignore_ascii_case(&known.domain);
    if is_known && known.tenant_state == Presence::Present {
        return Ok(());
    }
    let looks_like_guid =
        asked.len() == 36 && asked.bytes().all(|byte| byte == b'-' || byte.is_ascii_hexdigit());
    if looks_like_guid || asked.contains('.') {
        Err(Refusal::UnknownTenant(asked.to_owned()))
    } else {
        Err(Refusal::MalformedTenant(asked.to_owned()))
    }
}

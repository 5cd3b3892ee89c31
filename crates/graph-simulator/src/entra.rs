//! Entra's endpoints: tokens, device codes, and the reasons for a refusal.

pub(crate) mod aadsts;
pub(crate) mod assertion;
pub(crate) mod device_code;
pub(crate) mod login_request;
pub(crate) mod token;

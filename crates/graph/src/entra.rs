//! Microsoft Entra: who the collector is, and the access tokens that it is granted.
//!
//! `token_provider` keeps a token fresh. It has a person sign in (`device_code`) or asks with the
//! application's proof, each through `token_endpoint`; what is sent ([`credential`],
//! `token_request`) and what an answer means ([`token_error`]) is pure.

pub mod certificate;
pub mod credential;
pub mod credential_source;
pub mod token_error;

mod device_code;
mod token_endpoint;
pub(crate) mod token_provider;
mod token_request;

//! Microsoft Entra: who the collector is, and the access tokens that it is granted.

pub mod credential;
pub mod delegated;
pub mod kept_in;
pub mod sign_on;

mod question;
pub(crate) mod token;

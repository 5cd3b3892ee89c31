//! The tenant: who belongs to it, what happened there and when, and the records that tell of it.

pub(crate) mod activity;
pub(crate) mod audit;
pub(crate) mod contoso;
pub(crate) mod curve;
pub(crate) mod directory;
pub(crate) mod odd;
pub(crate) mod outcome;
pub(crate) mod provisioning;
pub(crate) mod record_form;
pub(crate) mod records;
pub(crate) mod sign_in;
pub(crate) mod stories;
pub(crate) mod template;
pub(crate) mod timeline;

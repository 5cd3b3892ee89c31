//! The commands, one module each.

pub(crate) mod check;
pub(crate) mod collect;
pub(crate) mod demo;
pub(crate) mod proof_folder;
pub(crate) mod prove;
pub(crate) mod query;
pub(crate) mod rebuild;
pub(crate) mod report;
pub(crate) mod verifier_keys;
pub(crate) mod verify;
pub(crate) mod witness;

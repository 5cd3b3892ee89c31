//! Endpoints of AWS that federation needs.

pub(crate) mod sts;

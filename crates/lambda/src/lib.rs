//! The functions of the product on AWS Lambda.
//!
//! * [`shell`] starts a function and answers its invocations; it is the same for all three.
//! * [`function`] is a run of the collector, from an event to a report, and on to the next
//!   invocation.
//! * [`parameters`], [`kms_key`] and [`bucket`] are the credential, the keys and the archive, in
//!   AWS; [`metrics`] prints the lines of a run.

pub mod bucket;
mod error_code;
pub mod function;
pub mod kms_key;
pub mod metrics;
pub mod parameters;
pub mod shell;

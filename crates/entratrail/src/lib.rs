//! Archives a tenant's Microsoft Entra ID logs in an S3 bucket or a folder, and proves that nothing
//! is missing.
//!
//! One run, as [`collector`] tells it:
//!
//! ```text
//! event -> plan (ledger, archive listing, now) -> windows, oldest first
//!   for each window: token -> pages -> records -> only new versions -> raw object -> table object -> ledger row
//! -> report -> continue in a new invocation if time ran out
//! ```
//!
//! # Layout
//!
//! * Decisions are pure functions of their arguments: [`window`], [`plan`], [`ledger`], [`record`],
//!   [`stored`], [`raw`], [`table`], [`object`], [`request`], and below `graph` what to ask, when
//!   to ask and what an answer means.
//! * [`graph`] and [`archive`] do the input and output; neither knows the other.
//! * [`reader`] reads one window from the one into the other; [`collector`] does a whole run.
//! * [`lambda`] wires a run to the AWS Lambda runtime, [`parameters`] to the credential in SSM.

pub mod archive;
pub mod clock;
pub mod collector;
pub mod config;
pub mod error;
pub mod evidence;
#[cfg(any(test, fuzzing))]
pub mod fuzz;
pub mod graph;
pub mod lambda;
pub mod ledger;
pub mod metrics;
pub mod object;
pub mod parameters;
pub mod plan;
pub mod progress;
pub mod reader;
pub mod report;
pub mod request;
pub mod shown;
pub mod window;

pub mod check;

pub use entratrail_records::{log, merkle, raw, record, stored, table};

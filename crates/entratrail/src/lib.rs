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
//! * Decisions are pure functions of their arguments, in `entratrail-core`: [`window`], [`plan`],
//!   [`ledger`], [`object`], [`request`] and more. Below it `entratrail-records` touches every byte
//!   of a record: [`record`], [`stored`], [`raw`], [`table`].
//! * [`entra`] and [`graph`] (`entratrail-graph`) and [`archive`] (`entratrail-archive`) do the input
//!   and output; neither crate knows the other.
//! * [`reader`] reads one window from the one into the other; [`collector`] does a whole run;
//!   [`evidence`] signs the history of the ledger.
//! * `entratrail-lambda` wires a run to the AWS Lambda runtime; nothing here knows of it.

pub mod check;
pub mod collector;
pub mod evidence;
#[cfg(any(test, fuzzing))]
pub mod fuzz;
pub mod named_file;
pub mod progress;
pub mod reader;
#[cfg(test)]
mod secrets;

pub use entratrail_archive as archive;
pub use entratrail_core::{
    clock, config, error, ledger, log, merkle, object, plan, raw, record, report, request, shown,
    stored, table, window,
};
pub use entratrail_graph::{entra, graph};

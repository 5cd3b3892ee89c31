//! Decisions about an archive, as pure functions of their arguments: no network, no bucket, no folder.
//!
//! * [`window`] is a span of record time, [`plan`] the windows that are due, [`ledger`] the reads on
//!   record and what they prove.
//! * [`object`] names the objects of an archive; [`evidence`] is the signed log of its ledger, which
//!   an outsider can check.
//! * [`request`] and [`config`] are the event and the environment, parsed; [`report`] and [`error`]
//!   are what comes of a run.
//! * [`clock`] is the time as a value; [`shown`] makes texts from outside harmless.

pub mod clock;
pub mod config;
pub mod error;
pub mod evidence;
pub mod ledger;
pub mod object;
pub mod plan;
pub mod report;
pub mod request;
pub mod shown;
pub mod window;

pub use entratrail_records::{log, merkle, page, raw, record, stored, table};

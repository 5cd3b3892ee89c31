//! Findings by mail: once a day the archive's questions are asked in Athena, and what is new is
//! told in one mail.
//!
//! ```text
//! schedule -> questions due today -> answers -> findings -> those never told -> claim -> mail -> put on record
//! ```
//!
//! The questions, how far back ([`agenda`]) and over which columns ([`scan`]), what a row says and
//! what makes it the same finding again ([`finding`]), what was told ([`told`]), in which order it
//! is told ([`telling`]), how complete the archive is ([`coverage`]) and the text ([`mail`]) are
//! pure. [`athena`], [`memory`], [`checkpoints`] and [`function`] do what they decide.

pub mod agenda;
pub mod athena;
pub mod checkpoints;
pub mod config;
pub mod coverage;
pub mod finding;
pub mod function;
pub mod mail;
pub mod memory;
pub mod report;
pub mod scan;
pub mod telling;
pub mod told;

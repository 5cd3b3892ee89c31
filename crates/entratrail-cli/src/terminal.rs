//! The terminal: what is printed, and how far a command is.

pub(crate) mod numbers;
pub(crate) mod output;
pub(crate) mod progress;
pub(crate) mod table;

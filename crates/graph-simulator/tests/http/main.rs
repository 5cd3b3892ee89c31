//! The simulator as a reader sees it over HTTP. One simulator per test.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

mod chains;
mod faults;
mod odd;
mod pages;
mod reader;
mod reference;
mod tokens;

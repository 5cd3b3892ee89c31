//! Writing for people and machines. A closed pipe is no reason to stop: what counts is in the
//! archive.
//!
//! Names of files and keys, and much else that is said, come from strangers: nothing reaches a
//! terminal that it would obey.

use entratrail::shown::{visible_json, visible_lines};
use serde::Serialize;
use std::io::Write as _;

/// Writes a line, or several, to standard output.
pub(crate) fn print_line(text: &str) {
    let _ = writeln!(std::io::stdout().lock(), "{}", visible_lines(text));
}

/// Writes a document for a machine to standard output, as one line of JSON.
pub(crate) fn print_json(document: &impl Serialize) {
    let json = serde_json::json!(document).to_string();
    let _ = writeln!(std::io::stdout().lock(), "{}", visible_json(&json));
}

/// Writes a line to standard error, where it does not disturb what a machine reads.
pub(crate) fn print_status(text: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{}", visible_lines(text));
}

/// Writes a sentence about a failure to standard error.
pub(crate) fn print_error(sentence: &str) {
    print_status(&format!("entratrail: {sentence}"));
}

//! Writing for people and machines. A closed pipe is no reason to stop: what counts is in the
//! archive.
//!
//! Names of files and keys, and much else that is said, come from strangers: nothing reaches a
//! terminal that it would obey.

use entratrail::shown::{visible_json, visible_lines};
use serde::Serialize;
use std::io::Write as _;

/// Writes a line, or several, to standard output.
pub(crate) fn say(text: &str) {
    let _ = writeln!(std::io::stdout().lock(), "{}", visible_lines(text));
}

/// Writes a document for a machine to standard output, as one line of JSON.
pub(crate) fn say_json(document: &impl Serialize) {
    let json = serde_json::json!(document).to_string();
    let _ = writeln!(std::io::stdout().lock(), "{}", visible_json(&json));
}

/// Writes a line to standard error, where it does not disturb what a machine reads.
pub(crate) fn note(text: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{}", visible_lines(text));
}

/// Says what went wrong.
pub(crate) fn complain(sentence: &str) {
    note(&format!("entratrail: {sentence}"));
}

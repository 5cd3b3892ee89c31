//! Writing for people and machines. A closed pipe is no reason to stop: what counts is in the archive.

use std::io::Write as _;

/// Writes a line to standard output.
pub(crate) fn say(line: &str) {
    let _ = writeln!(std::io::stdout().lock(), "{line}");
}

/// Writes a line to standard error, where it does not disturb what a machine reads.
pub(crate) fn note(line: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{line}");
}

/// Says what went wrong.
pub(crate) fn complain(sentence: &str) {
    note(&format!("entratrail: {sentence}"));
}

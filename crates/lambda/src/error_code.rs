//! Codes of errors, as messages show them.

use entratrail::shown::is_plain;

/// Code of an error of AWS, in a form that a message may quote.
pub(crate) fn shown_code(code: Option<&str>) -> &str {
    code.filter(|code| is_plain(code)).unwrap_or("no answer")
}

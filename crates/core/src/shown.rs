//! Values and texts from outside as messages show them: secrets described, control characters
//! escaped.

use std::borrow::Cow;
use std::fmt::Write as _;
use uuid::Uuid;

/// Characters of a value that messages quote. What is longer may be a secret that was pasted into
/// the wrong place.
const MOST_QUOTED: usize = 7;

/// Describes a value that somebody set: quotes a short one, otherwise tells its length and what it
/// looks like.
///
/// People paste a secret where an id belongs, and messages end in logs and mails.
pub fn describe(value: &str) -> String {
    let length = value.chars().count();
    match length {
        0 => "nothing".to_owned(),
        1..=MOST_QUOTED => format!("\"{}\"", visible(value)),
        _ => format!("{length} characters{}", kind(value)),
    }
}

/// Names what a value looks like, as the end of a description.
fn kind(value: &str) -> &'static str {
    if value.contains("-----BEGIN ") {
        " (it looks like PEM text)"
    } else if value.starts_with("eyJ")
        && value.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))
    {
        " (it looks like a token)"
    } else if Uuid::try_parse(value).is_ok() {
        " (it looks like a GUID)"
    } else if value.contains("://") {
        " (it looks like a URL)"
    } else if value.chars().all(|c| c.is_ascii_digit()) {
        " (all are digits)"
    } else if value.contains('~') && !value.contains(char::is_whitespace) {
        " (it looks like a client secret)"
    } else {
        ""
    }
}

/// Whether a text that came from outside may be quoted: short, and of characters that do no harm
/// anywhere.
pub fn is_plain(text: &str) -> bool {
    (1..=100).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-'))
}

/// Whether a terminal, a page or a reader would obey the character instead of showing it: controls,
/// the marks that change the direction of writing, and what has no width.
/// <https://www.unicode.org/reports/tr36/#Bidirectional_Text_Spoofing>
fn is_obeyed(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}')
        || matches!(character, '\u{2060}'..='\u{206f}' | '\u{feff}')
}

/// The text in one line, with what a terminal would obey shown as an escape such as `\u{1b}`.
pub fn visible(text: &str) -> Cow<'_, str> {
    escaped(text, is_obeyed, |character, shown| shown.extend(character.escape_unicode()))
}

/// Like [`visible`], over several lines: line feeds stay.
pub fn visible_lines(text: &str) -> Cow<'_, str> {
    escaped(
        text,
        |character| character != '\n' && is_obeyed(character),
        |character, shown| shown.extend(character.escape_unicode()),
    )
}

/// A JSON text with such characters as JSON's own escapes: it says exactly what it said before.
pub fn visible_json(json: &str) -> Cow<'_, str> {
    // In JSON a control character stands in a string, where it is escaped, or between values as
    // white space.
    escaped(
        json,
        |character| !matches!(character, '\n' | '\r' | '\t') && is_obeyed(character),
        |character, shown| {
            for unit in character.encode_utf16(&mut [0; 2]) {
                // Writing to a string does not fail.
                let _ = write!(shown, "\\u{unit:04x}");
            }
        },
    )
}

fn escaped(
    text: &str,
    is_hidden: impl Fn(char) -> bool,
    escape: impl Fn(char, &mut String),
) -> Cow<'_, str> {
    if !text.contains(&is_hidden) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        if is_hidden(character) { escape(character, &mut shown) } else { shown.push(character) }
    }
    Cow::Owned(shown)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_long_value_is_described_and_a_short_one_quoted() {
        assert_eq!(describe(""), "nothing");
        assert_eq!(describe("90"), "\"90\"");
        assert_eq!(describe("a\u{1b}[2J"), "\"a\\u{1b}[2J\"");
        assert_eq!(describe("abc8Q~the.secret"), "16 characters (it looks like a client secret)");
        assert_eq!(describe("eyJhbGciOi.eyJ.sig"), "18 characters (it looks like a token)");
        assert_eq!(describe("https://a@b.example"), "19 characters (it looks like a URL)");
        assert_eq!(describe("1234567890"), "10 characters (all are digits)");
    }

    #[test]
    fn what_a_terminal_would_obey_is_shown() {
        assert_eq!(visible("a\u{202e}b\u{9b}c\n"), "a\\u{202e}b\\u{9b}c\\u{a}");
        assert_eq!(visible_lines("a\r\nb"), "a\\u{d}\nb");
        assert!(matches!(visible("zoë 東京 👍"), Cow::Borrowed(_)));
    }

    proptest! {
        #[test]
        fn json_says_what_it_said_before(text in any::<String>(), mark in "[\u{202a}-\u{202e}\u{7f}\u{9b}]") {
            let json = serde_json::json!([mark + &text]);
            let shown = visible_json(&json.to_string()).into_owned();
            prop_assert!(!shown.contains(is_obeyed));
            prop_assert_eq!(serde_json::from_str::<serde_json::Value>(&shown).unwrap(), json);
        }
    }
}

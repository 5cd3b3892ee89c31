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
pub(crate) fn is_plain(text: &str) -> bool {
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

    /// Trials of the suite; `SECRET_TRIALS=10000 cargo test -p entratrail no_refusal` makes more.
    fn trials() -> u32 {
        std::env::var("SECRET_TRIALS").map_or(1_000, |trials| trials.parse().unwrap())
    }

    /// Secrets of every kind that people paste.
    fn secret() -> impl Strategy<Value = String> {
        prop_oneof![
            "[A-Za-z0-9]{3}8Q~[A-Za-z0-9._~-]{34}",
            "[A-Za-z0-9+/]{43}=",
            "eyJ[A-Za-z0-9_-]{80,90}\\.eyJ[A-Za-z0-9_-]{80,90}\\.[A-Za-z0-9_-]{86}",
            "0\\.A[A-Za-z0-9_-]{120}",
            "-----BEGIN PRIVATE KEY-----\n[A-Za-z0-9+/]{64}\n[A-Za-z0-9+/]{64}\n-----END PRIVATE \
             KEY-----",
            "[0-9a-f]{32}x",
            "[ -~]{16,40}",
        ]
    }

    /// The text of every refusal that a value brings, wherever it is pasted.
    fn refusals(value: &str) -> Vec<String> {
        use crate::config::Config;
        use crate::graph::credential::Certificate;
        use crate::graph::kept_in::KeptIn;
        use crate::request::Request;
        const SETTINGS: [&str; 12] = [
            "PARAMETER_PREFIX",
            "CREDENTIAL",
            "CREDENTIAL_EXPIRES",
            "ARCHIVE_ENCRYPTION",
            "STOP_BEFORE_DEADLINE_SECONDS",
            "GRAPH_URL",
            "LOGIN_URL",
            "HISTORY_DAYS",
            "WINDOW_MINUTES",
            "SIGN_IN_EVENT_TYPES",
            "LAST_LOOK_DAYS",
            "TARGET_RECORDS",
        ];
        let setting = |setting: &str, name: &str| match name {
            _ if name == setting => Some(value.to_owned()),
            "ARCHIVE_BUCKET" => Some("archive".to_owned()),
            "PARAMETER_PREFIX" => Some("/entratrail".to_owned()),
            _ => None,
        };
        let settings =
            SETTINGS.iter().map(|&name| Config::read(|asked| setting(name, asked)).err());
        let events = [
            serde_json::json!(value),
            serde_json::json!({"from": value, "to": "2026-10-25"}),
            serde_json::json!({"from": "2026-10-24", "to": value}),
            serde_json::json!({"check": value}),
            serde_json::json!({value: true}),
        ];
        let events = events.iter().map(|event| Request::parse(event).err());
        let mut errors: Vec<_> = settings.chain(events).flatten().collect();
        for kept_in in [KeptIn::Parameters, KeptIn::Environment] {
            errors.extend(kept_in.check_tenant_id(value).err());
            errors.extend(kept_in.check_client_id(value).err());
            errors.extend(Certificate::from_pem(value, kept_in).err());
        }
        errors.iter().map(ToString::to_string).collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(trials()))]

        #[test]
        fn no_refusal_quotes_eight_characters_of_a_secret(secret in secret()) {
            // What a message says of every value is its own words, such as a tag of PEM.
            let own = refusals("?").concat() + "-----BEGIN PRIVATE KEY----- -----END PRIVATE \
                                                KEY-----";
            let shown = refusals(&secret).join("\n");
            for piece in secret.as_bytes().windows(8).map(|piece| std::str::from_utf8(piece).unwrap()) {
                prop_assert!(own.contains(piece) || !shown.contains(piece), "{:?} in {}", piece, shown);
            }
        }
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

//! A record as Graph served it, and the identity of its version.
//!
//! Records are opaque bytes that are kept as served; this module walks over them once to find their id and
//! time and to hash their content.

use crate::json::{Cursor, string_length};
use chrono::{DateTime, Utc};
use memchr::{memchr, memchr2};
use std::borrow::Cow;
use std::fmt;
use xxhash_rust::xxh3::xxh3_128;

/// Objects nested deeper than this are hashed as text, so that a hostile record cannot exhaust the stack.
const DEEPEST: usize = 64;

/// The identity of a record version: a hash of all its content, its `id` included.
///
/// The order of keys and white space between tokens do not count. 128 bits of XXH3: two different versions
/// of one tenant share it with a probability below 10^-18 even after ten billion records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Version(pub u128);

/// Written as 32 hexadecimal digits.
impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

/// What one walk over a record finds out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Record {
    /// Identity of this version.
    pub version: Version,
    /// Hash of the `id`, which all versions of a record share; of nothing where there is no id.
    pub id: u128,
    /// When the record says that it happened; `None` where it does not say so in RFC 3339.
    pub time: Option<DateTime<Utc>>,
}

impl Record {
    /// Walks over `json`, one valid JSON value, whose time is in the member `time_field`.
    pub fn read(json: &[u8], time_field: &str) -> Self {
        let mut walk = Walk { cursor: Cursor::new(json), depth: 0 };
        let (mut id, mut time) = (&b""[..], None);
        let version = if walk.cursor.peek() == b'{' {
            walk.object(|key, value| match key {
                b"id" => id = value,
                key if key == time_field.as_bytes() => time = parse_time(value),
                _ => {}
            })
        } else {
            walk.value()
        };
        Self { version: Version(version), id: xxh3_128(id), time }
    }
}

/// The record as one line: as served, or without the white space between its tokens where that holds a
/// line break.
pub(crate) fn as_one_line(json: &[u8]) -> Cow<'_, [u8]> {
    match memchr2(b'\n', b'\r', json) {
        None => Cow::Borrowed(json),
        Some(_) => Cow::Owned(without_white_space(json)),
    }
}

/// `json` without the white space between its tokens.
fn without_white_space(json: &[u8]) -> Vec<u8> {
    let mut dense = Vec::with_capacity(json.len());
    let mut rest = json;
    while let Some(quote) = memchr(b'"', rest) {
        let (between, string) = rest.split_at(quote);
        dense.extend(between.iter().filter(|byte| !byte.is_ascii_whitespace()));
        let length = string_length(string);
        dense.extend_from_slice(&string[..length]);
        rest = &string[length..];
    }
    dense.extend(rest.iter().filter(|byte| !byte.is_ascii_whitespace()));
    dense
}

fn parse_time(value: &[u8]) -> Option<DateTime<Utc>> {
    let value = std::str::from_utf8(value).ok()?;
    let time = DateTime::parse_from_rfc3339(value.strip_prefix('"')?.strip_suffix('"')?).ok()?;
    Some(time.to_utc())
}

struct Walk<'json> {
    cursor: Cursor<'json>,
    depth: usize,
}

impl<'json> Walk<'json> {
    /// The hash of the value that starts here; moves past it.
    fn value(&mut self) -> u128 {
        match self.cursor.peek() {
            b'{' if self.depth < DEEPEST => self.object(|_, _| {}),
            b'[' if self.depth < DEEPEST => self.array(),
            b'{' | b'[' => xxh3_128(&without_white_space(self.cursor.value())),
            _ => xxh3_128(self.cursor.value()),
        }
    }

    /// Hashes each member and adds the hashes up, so that their order does not count.
    fn object(&mut self, mut visit: impl FnMut(&'json [u8], &'json [u8])) -> u128 {
        self.depth += 1;
        self.cursor.open();
        let mut sum = 0u128;
        while let Some(key) = self.cursor.next_key() {
            let start = self.cursor.position();
            let value = self.value();
            visit(key.get(1..key.len() - 1).unwrap_or_default(), self.cursor.since(start));
            sum = sum.wrapping_add(hash_pair(b'm', xxh3_128(key), value));
        }
        self.depth -= 1;
        hash_pair(b'{', sum, 0)
    }

    fn array(&mut self) -> u128 {
        self.depth += 1;
        self.cursor.open();
        let mut hash = 0u128;
        while self.cursor.next_element() {
            hash = hash_pair(b'e', hash, self.value());
        }
        self.depth -= 1;
        hash_pair(b'[', hash, 0)
    }
}

fn hash_pair(kind: u8, first: u128, second: u128) -> u128 {
    let mut bytes = [kind; 33];
    bytes[1..17].copy_from_slice(&first.to_le_bytes());
    bytes[17..].copy_from_slice(&second.to_le_bytes());
    xxh3_128(&bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    fn version(json: &str) -> Version {
        Record::read(json.as_bytes(), "createdDateTime").version
    }

    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<i32>().prop_map(|eighths| Value::from(f64::from(eighths) / 8.0)),
            ".{0,12}".prop_map(Value::from),
            r#"[\\"/{}\[\],: a]{0,8}"#.prop_map(Value::from),
        ];
        leaf.prop_recursive(5, 60, 6, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
                proptest::collection::hash_map(r#"[a-c\\" ]{0,3}"#, inner, 0..6)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    /// Writes `value` with the members of every object reversed and white space everywhere.
    fn rewritten(value: &Value) -> String {
        match value {
            Value::Object(members) => {
                let members: Vec<_> = members
                    .iter()
                    .rev()
                    .map(|(key, value)| format!("\t{} :\n{}", json!(key), rewritten(value)))
                    .collect();
                format!("{{ {}\r\n}}", members.join(" ,"))
            }
            Value::Array(values) => {
                format!("[ {} ]", values.iter().map(rewritten).collect::<Vec<_>>().join("\n, "))
            }
            scalar => format!(" {scalar} "),
        }
    }

    proptest! {
        #[test]
        fn the_version_ignores_key_order_and_white_space(value in any_json()) {
            prop_assert_eq!(version(&value.to_string()), version(&rewritten(&value)));
        }

        #[test]
        fn any_other_content_is_another_version(one in any_json(), other in any_json()) {
            prop_assert_eq!(one == other, version(&one.to_string()) == version(&other.to_string()));
        }

        #[test]
        fn one_line_keeps_every_byte_but_white_space_between_tokens(value in any_json()) {
            let line = as_one_line(rewritten(&value).as_bytes()).into_owned();
            prop_assert!(memchr2(b'\n', b'\r', &line).is_none());
            prop_assert_eq!(serde_json::from_slice::<Value>(&line).unwrap(), value.clone());
            let text = value.to_string();
            prop_assert_eq!(&*as_one_line(text.as_bytes()), text.as_bytes());
        }

        #[test]
        fn bytes_that_are_no_json_do_no_harm(text in r#"[\[\]{}",:\\ a0\n]{0,40}"#) {
            let _ = version(&text);
        }
    }

    #[test]
    fn a_text_that_ends_anywhere_does_no_harm() {
        let text = r#"{"id":"a\"","list":[1,{"b":null}],"t":true}"#;
        for end in 0..=text.len() {
            let _ = version(&text[..end]);
        }
    }

    #[test]
    fn number_forms_strings_and_array_order_count() {
        let distinct = [
            "1",
            "1.0",
            "1e0",
            "\"1\"",
            "[1,2]",
            "[2,1]",
            "[[1],2]",
            "{}",
            "[]",
            "null",
            "{\"a\":{\"b\":1}}",
            "{\"a\":1,\"b\":1}",
            "{\"b\":{\"a\":1}}",
        ];
        let mut versions: Vec<_> = distinct.iter().map(|json| version(json)).collect();
        versions.sort_unstable();
        versions.dedup();
        assert_eq!(versions.len(), distinct.len());
    }

    #[test]
    fn id_and_time_are_found_at_the_top_only() {
        let record = Record::read(
            br#"{"x":{"id":"inner","createdDateTime":"1999-01-01T00:00:00Z"},"createdDateTime":"2026-03-13T19:15:41.6195833Z","id":"outer"}"#,
            "createdDateTime",
        );
        assert_eq!(record.id, xxh3_128(b"\"outer\""));
        assert_eq!(
            record.time.map(|time| time.to_rfc3339()),
            Some("2026-03-13T19:15:41.619583300+00:00".to_owned())
        );
        let none = Record::read(br#"{"createdDateTime":"yesterday"}"#, "createdDateTime");
        assert_eq!((none.time, none.id), (None, xxh3_128(b"")));
    }

    #[test]
    fn a_record_nested_a_million_times_does_not_exhaust_the_stack() {
        let deep = "[".repeat(1_000_000) + &"]".repeat(1_000_000);
        let _ = version(&format!("{{\"id\":\"x\",\"deep\":{deep}}}"));
    }
}

//! A record as Graph served it, and the identity of its version.
//!
//! Records are opaque bytes that are kept as served. Their canonical form alone tells their
//! versions, ids and times.

use crate::canonical::Canonicalizer;
use crate::json::string_length;
use aws_lc_rs::digest::{SHA256, digest};
use chrono::{DateTime, Datelike as _, Utc};
use memchr::{memchr, memchr2};
use std::borrow::Cow;
use std::fmt;
use std::ops::RangeInclusive;

/// The identity of a record version: a hash of all that it means, its `id` included.
///
/// The first 128 bits of SHA-256 over the canonical form, so that the order of keys, white space,
/// escapes and the forms of numbers do not count. Nobody can make two versions that share it: that
/// takes some 2^64 attempts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Version(pub u128);

/// Written as 32 hexadecimal digits.
impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

/// A record, reduced to what the archive compares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Record {
    /// Identity of this version.
    pub version: Version,
    /// Hash of the canonical `id`, which all versions of a record share; of nothing if it has no
    /// id.
    pub id: u128,
    /// Time of the event; `None` where the record has none in RFC 3339, in the years 2000 to 2999.
    pub time: Option<DateTime<Utc>>,
}

/// Reads one record after another, in the same memory.
#[derive(Debug)]
pub struct RecordReader {
    time_field: &'static str,
    canonicalizer: Canonicalizer,
}

impl RecordReader {
    /// A reader of records whose time is in the member `time_field`.
    pub fn new(time_field: &'static str) -> Self {
        Self { time_field, canonicalizer: Canonicalizer::default() }
    }

    /// Reads `json`, one valid JSON value. Of two members with the same key the last one counts.
    pub fn read(&mut self, json: &[u8]) -> Record {
        let canonical = self.canonicalizer.canonicalize(json);
        Record {
            version: Version(hash(canonical.bytes())),
            id: hash(canonical.member("id").unwrap_or_default()),
            time: canonical.member(self.time_field).and_then(parse_time),
        }
    }

    /// The member that holds the time.
    pub(crate) fn time_field(&self) -> &'static str {
        self.time_field
    }

    /// The `id` of a [`Record`] whose member of that name has the value `json`, where it has one.
    pub(crate) fn id(&mut self, json: Option<&[u8]>) -> u128 {
        hash(json.map_or(&[][..], |json| self.canonicalizer.canonicalize(json).bytes()))
    }

    /// The `time` of a [`Record`] whose member of that name has the value `json`.
    pub(crate) fn time(&mut self, json: &[u8]) -> Option<DateTime<Utc>> {
        parse_time(self.canonicalizer.canonicalize(json).bytes())
    }
}

/// The `id` of a [`Record`] whose id is that text.
pub fn record_id(text: &str) -> u128 {
    let json = serde_json::Value::from(text).to_string();
    RecordReader::new("").id(Some(json.as_bytes()))
}

/// The first 128 bits of SHA-256.
fn hash(bytes: &[u8]) -> u128 {
    let digest = digest(&SHA256, bytes);
    digest.as_ref().iter().take(16).fold(0, |hash, &byte| hash << 8 | u128::from(byte))
}

/// The record as one line: as served, or without the white space between its tokens where that
/// holds a line break.
pub fn as_one_line(json: &[u8]) -> Cow<'_, [u8]> {
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

/// Years that are taken for the time of an event. What writes `0001-01-01` or `9999-12-31`, the
/// bounds of .NET's `DateTime`, has no time to write.
/// <https://learn.microsoft.com/dotnet/api/system.datetime.minvalue>
const YEARS: RangeInclusive<i32> = 2000..=2999;

/// The instant in a canonical JSON string.
fn parse_time(value: &[u8]) -> Option<DateTime<Utc>> {
    let value = std::str::from_utf8(value).ok()?;
    let time =
        DateTime::parse_from_rfc3339(value.strip_prefix('"')?.strip_suffix('"')?).ok()?.to_utc();
    Some(time).filter(|time| YEARS.contains(&time.year()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    fn read(json: &[u8]) -> Record {
        RecordReader::new("createdDateTime").read(json)
    }

    fn version(json: &str) -> Version {
        read(json.as_bytes()).version
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
    fn what_means_something_else_is_another_version() {
        let distinct = [
            "1",
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
            "{\"a\":1,\"a\":1}",
            "{\"a\":1,\"a\":2}",
            "{\"a\":2,\"a\":1}",
            "0.1",
            "0.10000000000000000000000000000000000000000001",
        ];
        let mut versions: Vec<_> = distinct.iter().map(|json| version(json)).collect();
        versions.sort_unstable();
        versions.dedup();
        assert_eq!(versions.len(), distinct.len());
    }

    #[test]
    fn another_way_to_write_a_record_is_no_other_version() {
        let record = read(
            r#"{"id":"é/1","createdDateTime":"2026-03-13T19:15:41Z","location":{"latitude":47.0}}"#
                .as_bytes(),
        );
        let rewritten = read(br#"{"location":{"latitude":4.70E+1}, "created\u0044ateTime":"2026-03-13T19\u003a15:41Z", "\u0069d":"\u00e9\/1"}"#);
        assert_eq!(record, rewritten);
    }

    #[test]
    fn the_version_is_what_anybody_computes_from_the_canonical_form() {
        // printf '{"a":"é","id":"x","n":47e0}' | sha256sum | head --bytes 32
        let record = read(br#"{"n":47.0,"id":"x","a":"\u00e9"}"#);
        assert_eq!(record.version.to_string(), "39dc0574653768bcde47f7657403c7e9");
    }

    #[test]
    fn two_strings_that_a_weaker_hash_confuses_are_two_versions() {
        let agent = |one: &str, other: &str| {
            let front = "x".repeat(87);
            let middle = "x".repeat(59);
            let end = "x".repeat(83);
            format!("{{\"userAgent\":\"{front}0@@@{one}{middle}ycvs{other}{end}\"}}")
        };
        assert_ne!(version(&agent("0", "1")), version(&agent("1", "0")));
    }

    #[test]
    fn id_and_time_are_found_at_the_top_only() {
        let record = read(br#"{"x":{"id":"inner","createdDateTime":"1999-01-01T00:00:00Z"},"createdDateTime":"2026-03-13T19:15:41.6195833Z","id":"outer"}"#);
        assert_eq!(record.id, hash(b"\"outer\""));
        assert_eq!(
            record.time.map(|time| time.to_rfc3339()),
            Some("2026-03-13T19:15:41.619583300+00:00".to_owned())
        );
        let none = read(br#"{"createdDateTime":"yesterday"}"#);
        assert_eq!((none.time, none.id), (None, hash(b"")));
    }
}

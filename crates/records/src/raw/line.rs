//! A line of a raw object: one record, of which only what is asked for is worked out.

use crate::record::{Record, RecordReader};
use chrono::{DateTime, Utc};
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;
use std::fmt;

/// A record as it lies in a raw object. Its id and its time take half as long as the hash of its
/// version, for which all of it is canonicalized.
#[derive(Debug)]
pub struct Line<'line> {
    json: &'line [u8],
    /// `None` where only the canonical form can tell: the line is no object, its id or time is not
    /// valid UTF-8, or a key contains a control character.
    outline: Option<Outline<'line>>,
    reader: &'line mut RecordReader,
}

/// Values of the two members that say which record this is and when it happened, as they were
/// served. Of two members with the same key the last one counts.
#[derive(Debug, Clone, Copy, Default)]
struct Outline<'line> {
    id: Option<&'line RawValue>,
    time: Option<&'line RawValue>,
}

impl<'line> Line<'line> {
    /// The line that holds `json`; an error where that is no JSON. Strings need not be UTF-8.
    pub(crate) fn of(
        json: &'line [u8],
        reader: &'line mut RecordReader,
    ) -> serde_json::Result<Self> {
        let outline = match Outline::of(json, reader.time_field()) {
            Ok(outline) => Some(outline),
            // Checks all but whether the strings are UTF-8, and does not recurse.
            Err(_) => serde_json::from_slice(json).map(|_: IgnoredAny| None)?,
        };
        Ok(Self { json, outline, reader })
    }

    /// The line, without its line feed.
    pub fn json(&self) -> &'line [u8] {
        self.json
    }

    /// The `id` of its [`Record`].
    pub fn id(&mut self) -> u128 {
        match self.outline {
            Some(Outline { id, .. }) => self.reader.id(id.map(bytes)),
            None => self.record().id,
        }
    }

    /// The `time` of its [`Record`].
    pub fn time(&mut self) -> Option<DateTime<Utc>> {
        match self.outline {
            Some(Outline { time, .. }) => self.reader.time(bytes(time?)),
            None => self.record().time,
        }
    }

    /// The record.
    pub fn record(&mut self) -> Record {
        self.reader.read(self.json)
    }
}

fn bytes(value: &RawValue) -> &[u8] {
    value.get().as_bytes()
}

impl<'line> Outline<'line> {
    /// The outline of `json`, all of which is checked.
    fn of(json: &'line [u8], time_field: &str) -> serde_json::Result<Self> {
        let mut reader = serde_json::Deserializer::from_slice(json);
        let outline = reader.deserialize_map(Members { time_field })?;
        reader.end().map(|()| outline)
    }
}

/// Visits the members of a record.
struct Members<'field> {
    time_field: &'field str,
}

/// A member of a record, by its key.
enum Member {
    Id,
    Time,
    Other,
}

impl<'line> Visitor<'line> for Members<'_> {
    type Value = Outline<'line>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a record")
    }

    fn visit_map<A: MapAccess<'line>>(self, mut members: A) -> Result<Self::Value, A::Error> {
        let mut outline = Outline::default();
        while let Some(member) = members.next_key_seed(Key { time_field: self.time_field })? {
            match member {
                Member::Id => outline.id = Some(members.next_value()?),
                Member::Time => outline.time = Some(members.next_value()?),
                Member::Other => drop(members.next_value::<IgnoredAny>()?),
            }
        }
        Ok(outline)
    }
}

/// Reads a key, which need not be UTF-8.
struct Key<'field> {
    time_field: &'field str,
}

impl<'line> DeserializeSeed<'line> for Key<'_> {
    type Value = Member;

    fn deserialize<D: Deserializer<'line>>(self, key: D) -> Result<Member, D::Error> {
        key.deserialize_bytes(self)
    }
}

impl Visitor<'_> for Key<'_> {
    type Value = Member;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_bytes<E: serde::de::Error>(self, key: &[u8]) -> Result<Member, E> {
        match key {
            b"id" => Ok(Member::Id),
            key if key == self.time_field.as_bytes() => Ok(Member::Time),
            // serde_json does not check here that it was escaped; the slow path does.
            key if key.iter().any(u8::is_ascii_control) => Err(E::custom("a control character")),
            _ => Ok(Member::Other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Holds what a line tells at once against its record.
    fn check(json: &[u8]) {
        let mut reader = RecordReader::new("t");
        let record = reader.read(json);
        let mut line = Line::of(json, &mut reader).unwrap();
        assert_eq!((line.id(), line.time()), (record.id, record.time), "{json:?}");
        assert_eq!((line.record(), line.json()), (record, json));
    }

    fn value() -> impl Strategy<Value = &'static str> {
        prop::sample::select(vec![
            "null",
            "17",
            "1.70e1",
            "\"17\"",
            r#""\u0031\u0037""#,
            "\"2026-03-13T19:15:41Z\"",
            r#""2026-03-13T19\u003a15:41Z""#,
            r#"{"id":"inner","t":"2026-03-13T19:15:41Z"}"#,
            r#"{"b":1,"a":[{"id":2}]}"#,
            r#"["\ud83d", 1 ]"#,
        ])
    }

    fn key() -> impl Strategy<Value = &'static str> {
        prop::sample::select(vec!["id", r"\u0069d", "t", r"\u0074", "i", "", r"\ud83d", "ids"])
    }

    proptest! {
        #[test]
        fn id_and_time_are_those_of_the_record(
            members in proptest::collection::vec((key(), value(), " {0,2}"), 0..6)
        ) {
            let members: Vec<_> = members
                .iter()
                .map(|(key, value, space)| format!("{space}\"{key}\"{space}:{space}{value}"))
                .collect();
            check(format!("{{{}}}", members.join(",")).as_bytes());
        }
    }

    #[test]
    fn what_is_no_object_or_no_text_is_a_line_too() {
        for json in [
            &b"null"[..],
            b"[1,\"\xed\xa0\xbd\"]",
            b"\"id\"",
            b" {} ",
            b"{\"id\":\"a\xff\xc3\",\"t\":\"2026-03-13T19:15:41Z\"}",
            b"{\"t\":\"2026-03-13T19:15:41Z\",\"\xfe\":\"\xff\",\"id\":\"x\"}",
            b"{\"id\":\"x\",\"t\":\"\xff\"}",
            b"{\"a\\tb\":1,\"id\":\"x\"}",
        ] {
            check(json);
        }
    }

    #[test]
    fn what_is_no_json_is_refused() {
        for json in
            [&b""[..], b"{\"id\":", b"{\"id\":1}}", b"{\"id\":1,}", b"{\"a\":01}", b"{\"a\tb\":1}"]
        {
            assert!(Line::of(json, &mut RecordReader::new("t")).is_err(), "{json:?}");
        }
    }

    #[test]
    fn no_nesting_is_too_deep() {
        let deep = |open: &str, close: &str| open.repeat(200_000) + &close.repeat(200_000);
        check(format!("{{\"a\":{},\"id\":1}}", deep("[", "]")).as_bytes());
        check(format!("{{\"id\":{}}}", deep("[", "]")).as_bytes());
    }
}

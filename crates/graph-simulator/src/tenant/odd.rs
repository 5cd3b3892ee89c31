//! Odd records: an ordinary one is written first, then made odd.

use std::io::Write as _;

use chrono::{DateTime, Utc};

use crate::scenario::{Odd, OddKind, Scenario};
use crate::stream::Stream;
use crate::ticks::{self, PER_SECOND};

/// Text that records are filled up with.
const WORDS: &[u8] = b"All work and no play makes a log a dull log. ";
const PER_HOUR: i64 = 3600 * PER_SECOND;

/// An odd record that is on file.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OddRecord {
    pub(crate) kind: OddKind,
    /// The time by which a reader finds it.
    pub(crate) filed: i64,
    /// The time that it belongs to: the one that it says, or else the one by which it is found.
    pub(crate) time: i64,
    size: u32,
}

impl OddRecord {
    /// The records of one table.
    pub(crate) fn all(table: &Odd, now: DateTime<Utc>) -> impl Iterator<Item = Self> + use<> {
        let table = *table;
        let midnight = ticks::from_time(Scenario::midnight(now, table.day));
        let usual = match table.kind {
            OddKind::HoursOutside => 3 * PER_HOUR,
            OddKind::JustOutside => ticks::PER_DAY - 1,
            _ => 12 * PER_HOUR,
        };
        let first = table.at.map_or(midnight + usual, ticks::from_time);
        // Those at the end of a day stand before it.
        let step = if table.kind == OddKind::JustOutside { -1 } else { PER_SECOND };
        (0..table.count).map(move |number| {
            let filed = first + i64::from(number) * step;
            let time = match table.kind {
                OddKind::HoursOutside => filed - 6 * PER_HOUR,
                OddKind::JustOutside => filed + 3 * PER_SECOND / 10,
                _ => filed,
            };
            let size = table.size.unwrap_or(table.kind.usual_size());
            Self { kind: table.kind, filed, time, size }
        })
    }

    /// Makes the record that starts at `start` odd.
    pub(crate) fn twist(&self, out: &mut Vec<u8>, start: usize, stream: Stream) {
        match self.kind {
            OddKind::HoursOutside | OddKind::JustOutside => {}
            OddKind::NoTime => set_time(out, start, stream, None),
            OddKind::NullTime => set_time(out, start, stream, Some("null")),
            OddKind::LocalTime => {
                let time = ticks::to_time(self.time).format("\"%-m/%-d/%Y %-I:%M:%S %p\"");
                set_time(out, start, stream, Some(&time.to_string()));
            }
            OddKind::NoZone => {
                let time = ticks::to_time(self.time).format("\"%Y-%m-%dT%H:%M:%S\"");
                set_time(out, start, stream, Some(&time.to_string()));
            }
            OddKind::YearOne => set_time(out, start, stream, Some("\"0001-01-01T00:00:00Z\"")),
            OddKind::NullRecord => {
                out.truncate(start);
                out.extend_from_slice(b"null");
            }
            OddKind::InvalidUtf8 => add_members(out, start, b"\"note\":\"caf\xe9\","),
            OddKind::ManyMembers => {
                let mut members = Vec::new();
                for number in 0..self.size {
                    write!(members, "\"added{number}\":{number},").unwrap_or_default();
                }
                add_members(out, start, &members);
            }
            OddKind::RepeatedMember => {
                let mut members = Vec::new();
                for number in 0..self.size {
                    write!(members, "\"again\":{number},").unwrap_or_default();
                }
                add_members(out, start, &members);
            }
            OddKind::Large => fill_up(out, start, self.size as usize),
        }
    }
}

/// Makes the record that starts at `start` exactly so large, unless it is larger.
pub(crate) fn fill_up(out: &mut Vec<u8>, start: usize, bytes: usize) {
    const MEMBER: &[u8] = b"\"filling\":\"\",";
    let missing = bytes.saturating_sub(out.len() - start);
    if missing > MEMBER.len() {
        let mut member = MEMBER[..MEMBER.len() - 2].to_vec();
        let length = missing - MEMBER.len();
        let mut filling = WORDS.repeat(length / WORDS.len() + 1);
        filling.truncate(length);
        member.append(&mut filling);
        member.extend_from_slice(&MEMBER[MEMBER.len() - 2..]);
        add_members(out, start, &member);
    }
}

fn add_members(out: &mut Vec<u8>, start: usize, members: &[u8]) {
    out.splice(start + 1..=start, members.iter().copied());
}

/// Replaces the value of the time, or takes the member out. It is never the last one.
fn set_time(out: &mut Vec<u8>, start: usize, stream: Stream, value: Option<&str>) {
    let member = format!("\"{}\":", stream.log().time_field());
    let record = &out[start..];
    let is_there = |window: &[u8]| window == member.as_bytes();
    let Some(from) = record.windows(member.len()).position(is_there) else {
        return;
    };
    let Some(length) = record[from..].iter().position(|byte| *byte == b',') else { return };
    let from = start + from;
    match value {
        None => drop(out.drain(from..=from + length)),
        Some(value) => drop(out.splice(from + member.len()..from + length, value.bytes())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RECORD: &[u8] = br#"[{"id":"1","createdDateTime":"2026-11-22T05:00:00Z","userId":"2"}"#;

    fn odd(kind: &str) -> Vec<u8> {
        let table = format!(
            "kind = '{kind}'\nstream = 'interactiveUser'\nat = '2026-11-26T05:00:00Z'\nsize = 70"
        );
        let now = "2026-11-27T01:15:00Z".parse().unwrap();
        let record = OddRecord::all(&toml::from_str(&table).unwrap(), now).next().unwrap();
        let mut out = RECORD.to_vec();
        record.twist(&mut out, 1, Stream::InteractiveUser);
        assert_eq!(out.remove(0), b'[');
        out
    }

    #[test]
    fn each_kind_is_odd_in_its_own_way() {
        for (kind, expected) in [
            ("no_time", r#"{"id":"1","userId":"2"}"#),
            ("null_time", r#"{"id":"1","createdDateTime":null,"userId":"2"}"#),
            ("local_time", r#"{"id":"1","createdDateTime":"11/26/2026 5:00:00 AM","userId":"2"}"#),
            ("no_zone", r#"{"id":"1","createdDateTime":"2026-11-26T05:00:00","userId":"2"}"#),
            ("year_one", r#"{"id":"1","createdDateTime":"0001-01-01T00:00:00Z","userId":"2"}"#),
            ("null_record", "null"),
        ] {
            assert_eq!(String::from_utf8(odd(kind)).unwrap(), expected, "{kind}");
        }
        assert!(String::from_utf8(odd("invalid_utf8")).is_err());
        let members = |kind: &str, name: &str| {
            String::from_utf8(odd(kind)).unwrap().matches(&format!("\"{name}")).count()
        };
        assert_eq!(
            (members("many_members", "added"), members("repeated_member", "again\":")),
            (70, 70)
        );
    }

    #[test]
    fn a_large_record_has_the_size_that_was_asked_for() {
        for bytes in [90, 5000, 100_000] {
            let mut out = RECORD.to_vec();
            fill_up(&mut out, 1, bytes);
            assert_eq!(out.len() - 1, bytes);
            assert!(serde_json::from_slice::<serde_json::Value>(&out[1..]).is_ok());
        }
    }
}

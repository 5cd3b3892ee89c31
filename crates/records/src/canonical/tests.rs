//! The canonical form against one that is made from what a text means, not from the text.

use super::{Canonical, Canonicalizer};
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::Value;
use std::fmt::Write as _;

fn canonicalized(json: &[u8]) -> Canonical {
    let mut canonicalizer = Canonicalizer::default();
    // Whatever was canonicalized before leaves no trace.
    canonicalizer.canonicalize(br#"{"z":[{"b":1,"a":2}],"id":"other","y":"left open"#);
    canonicalizer.canonicalize(json);
    canonicalizer.canonical
}

fn canonical(json: &[u8]) -> String {
    String::from_utf8_lossy(canonicalized(json).bytes()).into_owned()
}

/// Meaning of a JSON text.
#[derive(Debug, Clone)]
enum Meaning {
    Word(&'static str),
    Number { is_negative: bool, significand: u64, exponent: i64 },
    Text(Vec<Piece>),
    Array(Vec<Meaning>),
    Object(Vec<(Vec<Piece>, Meaning)>),
}

/// A piece of a string.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Piece {
    Unit(u16),
    /// A byte that stands in no UTF-8.
    Byte(u8),
}

/// The canonical form as its description says it, with no regard to time or depth.
fn reference(meaning: &Meaning) -> Vec<u8> {
    match meaning {
        Meaning::Word(word) => word.as_bytes().to_vec(),
        Meaning::Number { significand: 0, .. } => b"0".to_vec(),
        Meaning::Number { is_negative, significand, exponent } => {
            let digits = significand.to_string();
            let kept = digits.trim_end_matches('0');
            let exponent = exponent + i64::try_from(digits.len() - kept.len()).unwrap();
            format!("{}{kept}e{exponent}", if *is_negative { "-" } else { "" }).into_bytes()
        }
        Meaning::Text(pieces) => reference_text(pieces),
        Meaning::Array(values) => bracketed(b'[', values.iter().map(reference), b']'),
        Meaning::Object(members) => {
            let mut members = members.clone();
            members
                .sort_by_key(|(key, _)| key.iter().map(|&piece| unit(piece)).collect::<Vec<_>>());
            let members = members.iter().map(|(key, value)| {
                [reference_text(key), b":".to_vec(), reference(value)].concat()
            });
            bracketed(b'{', members, b'}')
        }
    }
}

fn unit(piece: Piece) -> u16 {
    match piece {
        Piece::Unit(unit) => unit,
        Piece::Byte(byte) => 0xdc00 + u16::from(byte),
    }
}

fn bracketed(open: u8, parts: impl Iterator<Item = Vec<u8>>, close: u8) -> Vec<u8> {
    [vec![open], parts.collect::<Vec<_>>().join(&b','), vec![close]].concat()
}

fn reference_text(pieces: &[Piece]) -> Vec<u8> {
    let mut text = vec![b'"'];
    let is_run =
        |one: &Piece, other: &Piece| matches!((one, other), (Piece::Unit(_), Piece::Unit(_)));
    for run in pieces.chunk_by(is_run) {
        if let [Piece::Byte(byte)] = run {
            text.push(*byte);
            continue;
        }
        for character in char::decode_utf16(run.iter().map(|&piece| unit(piece))) {
            text.extend(match character {
                Ok('"') => b"\\\"".to_vec(),
                Ok('\\') => b"\\\\".to_vec(),
                Ok('\u{8}') => b"\\b".to_vec(),
                Ok('\t') => b"\\t".to_vec(),
                Ok('\n') => b"\\n".to_vec(),
                Ok('\u{c}') => b"\\f".to_vec(),
                Ok('\r') => b"\\r".to_vec(),
                Ok(control) if control < ' ' => {
                    format!("\\u{:04x}", u32::from(control)).into_bytes()
                }
                Ok(character) => character.to_string().into_bytes(),
                Err(half) => format!("\\u{:04x}", half.unpaired_surrogate()).into_bytes(),
            });
        }
    }
    text.push(b'"');
    text
}

/// Writes JSON texts of one meaning in different ways, as `choices` have it.
struct Writer<'choices> {
    choices: std::iter::Cycle<std::slice::Iter<'choices, u8>>,
    json: Vec<u8>,
}

impl<'choices> Writer<'choices> {
    fn write(meaning: &Meaning, choices: &'choices [u8]) -> Vec<u8> {
        let mut writer = Self { choices: choices.iter().cycle(), json: Vec::new() };
        writer.value(meaning);
        writer.json
    }

    fn choose(&mut self, count: u8) -> u8 {
        self.choices.next().unwrap() % count
    }

    fn space(&mut self) {
        let spaces: [&[u8]; 4] = [b"", b"", b" ", b"\t\r\n "];
        let space = spaces[usize::from(self.choose(4))];
        self.json.extend(space);
    }

    fn token(&mut self, token: &[u8]) {
        self.space();
        self.json.extend(token);
        self.space();
    }

    fn value(&mut self, meaning: &Meaning) {
        match meaning {
            Meaning::Word(word) => self.token(word.as_bytes()),
            Meaning::Number { is_negative, significand, exponent } => {
                self.number(*is_negative, *significand, *exponent);
            }
            Meaning::Text(pieces) => self.text(pieces),
            Meaning::Array(values) => {
                self.token(b"[");
                for (index, value) in values.iter().enumerate() {
                    if index > 0 {
                        self.token(b",");
                    }
                    self.value(value);
                }
                self.token(b"]");
            }
            Meaning::Object(members) => {
                self.token(b"{");
                for (index, (key, value)) in members.iter().enumerate() {
                    if index > 0 {
                        self.token(b",");
                    }
                    self.text(key);
                    self.token(b":");
                    self.value(value);
                }
                self.token(b"}");
            }
        }
    }

    fn number(&mut self, is_negative: bool, significand: u64, exponent: i64) {
        let mut digits = significand.to_string();
        let mut exponent = exponent;
        for _ in 0..self.choose(4) {
            digits.push('0');
            exponent -= 1;
        }
        let places = usize::from(self.choose(4)).min(digits.len());
        let mut text = if is_negative { "-".to_owned() } else { String::new() };
        let (integer, fraction) = digits.split_at(digits.len() - places);
        text += if integer.is_empty() { "0" } else { integer };
        if places > 0 {
            let _ = write!(text, ".{fraction}");
        }
        exponent += i64::try_from(places).unwrap();
        if exponent != 0 || self.choose(2) == 1 {
            text.push(if self.choose(2) == 1 { 'e' } else { 'E' });
            text.push_str(if exponent < 0 { "-" } else { ["", "+"][usize::from(self.choose(2))] });
            text.push_str(&"0".repeat(usize::from(self.choose(3))));
            let _ = write!(text, "{}", exponent.abs());
        }
        self.token(text.as_bytes());
    }

    fn text(&mut self, pieces: &[Piece]) {
        self.space();
        self.json.push(b'"');
        let mut rest = pieces;
        while let Some((piece, behind)) = rest.split_first() {
            rest = behind;
            let unit = match *piece {
                Piece::Unit(unit) => unit,
                Piece::Byte(byte) => {
                    self.json.push(byte);
                    continue;
                }
            };
            let pair = match behind.first() {
                Some(&Piece::Unit(low)) => char::decode_utf16([unit, low])
                    .next()
                    .and_then(Result::ok)
                    .filter(|character| character.len_utf16() == 2),
                _ => None,
            };
            let character = pair.or_else(|| char::from_u32(unit.into()));
            let short = match character {
                Some('"') => "\\\"",
                Some('\\') => "\\\\",
                Some('/') => "\\/",
                Some('\u{8}') => "\\b",
                Some('\t') => "\\t",
                Some('\n') => "\\n",
                Some('\u{c}') => "\\f",
                Some('\r') => "\\r",
                _ => "",
            };
            let may_be_literal = character.filter(|one| *one >= ' ' && !"\"\\".contains(*one));
            match (self.choose(4), may_be_literal) {
                (0 | 1, Some(character)) => {
                    self.json.extend(character.to_string().as_bytes());
                    rest = &behind[character.len_utf16() - 1..];
                }
                (0..=2, _) if !short.is_empty() => self.json.extend(short.as_bytes()),
                (2, _) => self.json.extend(format!("\\u{unit:04X}").as_bytes()),
                _ => self.json.extend(format!("\\u{unit:04x}").as_bytes()),
            }
        }
        self.json.push(b'"');
        self.space();
    }
}

fn any_piece() -> impl Strategy<Value = Piece> {
    let units = vec![
        0x00, 0x08, 0x09, 0x0a, 0x0c, 0x0d, 0x1f, 0x20, 0x22, 0x2f, 0x5c, 0x61, 0x62, 0x75, 0x7f,
        0xe9, 0x2028, 0xd7ff, 0xd800, 0xd83d, 0xdbff, 0xdc00, 0xde00, 0xdfff, 0xe000, 0xfffd,
        0xffff,
    ];
    prop_oneof![
        20 => prop::sample::select(units).prop_map(Piece::Unit),
        4 => any::<u16>().prop_map(Piece::Unit),
        1 => prop::sample::select(vec![0xfe, 0xff]).prop_map(Piece::Byte),
    ]
}

fn any_meaning() -> impl Strategy<Value = Meaning> {
    let number = (any::<bool>(), prop_oneof![0..2000u64, any::<u64>()], -30..30i64);
    let leaf = prop_oneof![
        prop::sample::select(vec!["null", "true", "false"]).prop_map(Meaning::Word),
        number.prop_map(|(is_negative, significand, exponent)| {
            Meaning::Number { is_negative, significand, exponent }
        }),
        vec(any_piece(), 0..6).prop_map(Meaning::Text),
    ];
    leaf.prop_recursive(5, 80, 8, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..6).prop_map(Meaning::Array),
            vec((vec(any_piece(), 0..3), inner), 0..8).prop_map(Meaning::Object),
        ]
    })
}

proptest! {
    #[test]
    fn every_way_to_write_a_meaning_has_its_canonical_form(
        meaning in any_meaning(), choices in vec(any::<u8>(), 1..200),
    ) {
        let json = Writer::write(&meaning, &choices);
        let found = canonicalized(&json);
        let expected = reference(&meaning);
        prop_assert_eq!(found.bytes(), expected, "{}", String::from_utf8_lossy(&json));
        let again = canonicalized(found.bytes());
        prop_assert_eq!(again.bytes(), found.bytes());
    }

    #[test]
    fn the_canonical_form_reads_as_the_same_value(
        meaning in any_meaning(), choices in vec(any::<u8>(), 1..200),
    ) {
        let json = Writer::write(&meaning, &choices);
        if let Ok(value) = serde_json::from_slice::<Value>(&json) {
            let found: Value = serde_json::from_slice(canonicalized(&json).bytes()).unwrap();
            prop_assert_eq!(without_numbers(found), without_numbers(value));
        }
    }

    #[test]
    fn bytes_that_are_no_json_do_no_harm(text in vec(
        prop::sample::select(br#"[]{}",:\ abu08d-+eE.9"#.to_vec()), 0..60,
    )) {
        let found = canonicalized(&text);
        let _ = found.member("a");
    }
}

/// `value` with 0 for each number, because `serde_json` reads `1e-23` and `0.01e-21` as two floats.
fn without_numbers(value: Value) -> Value {
    match value {
        Value::Number(_) => Value::from(0),
        Value::Array(values) => values.into_iter().map(without_numbers).collect(),
        Value::Object(members) => {
            members.into_iter().map(|(key, value)| (key, without_numbers(value))).collect()
        }
        other => other,
    }
}

#[test]
fn a_number_has_one_form() {
    for (form, texts) in [
        ("0", &["0", "-0", "0.0", "-0.000", "0e5", "0E-999999999999999999999999", "-0.0e+1"][..]),
        ("47e0", &["47", "47.0", "4.7e1", "470e-1", "0.047E+3", "47e0", "47e-0", "47E+00"]),
        ("47e2", &["4700", "4.7e3", "47e2", "47000000000000000000000000e-22"]),
        ("1e-3", &["0.001", "1e-3", "0.1e-2", "1.0E-003"]),
        ("-15e2", &["-1500", "-1.50E+3", "-0.15e4"]),
        ("1e0", &["1", "1.0", "10e-1"]),
        ("12345678901234567890123456789e-8", &["123456789012345678901.234567890"]),
        ("1e9223372036854775808", &["1e9223372036854775808", "0.1e9223372036854775809"]),
        (
            "1e100000000000000000000",
            &["10e99999999999999999999", "0.01e100000000000000000002", "1e0100000000000000000000"],
        ),
        ("1e99999999999999999999", &["0.1e100000000000000000000", "1e99999999999999999999"]),
        ("1e-100000000000000000000", &["0.1e-99999999999999999999", "100e-100000000000000000002"]),
        ("1e-99999999999999999999", &["10e-100000000000000000000"]),
        ("1e99999999999999999", &["10e99999999999999998"]),
        ("1e100000000000000000", &["10e99999999999999999", "0.1e100000000000000001"]),
        ("1e-99999999999999999", &["10e-100000000000000000"]),
    ] {
        for text in texts {
            assert_eq!(canonical(text.as_bytes()), form, "{text}");
        }
    }
}

#[test]
fn a_string_has_one_form() {
    for (form, text) in [
        (r#""é/é""#, r#""\u00e9\/é""#),
        (
            r#""\b\t\n\f\r\"\\\u0000\u001f""#,
            r#""\u0008\u0009\u000A\u000c\u000D\u0022\u005c\u0000\u001F""#,
        ),
        ("\"\u{7f}\u{2028}\u{ffff}\"", r#""\u007F\u2028\uFFFF""#),
        ("\"\u{1f600}\"", r#""\uD83D\uDE00""#),
        (r#""\ud83d""#, r#""\uD83D""#),
        (r#""\ude00\ud83d""#, r#""\uDE00\ud83D""#),
        ("\"\\ud83d\u{1f600}\"", r#""\ud83d\ud83d\ude00""#),
        (r#""\ud83dx\ude00""#, r#""\ud83dx\ude00""#),
    ] {
        assert_eq!(canonical(text.as_bytes()), form, "{text}");
    }
    let bytes = b"\"\xff\\u00e9\xed\xa0\xbd\xc3\"";
    assert_eq!(canonicalized(bytes).bytes(), b"\"\xff\xc3\xa9\xed\xa0\xbd\xc3\"");
}

#[test]
fn members_are_sorted_by_the_code_units_of_their_decoded_keys() {
    // The example of RFC 8785, part 3.2.3.
    let json = r#"{"\u20ac":"Euro Sign","\r":"Carriage Return","\ufb33":"Hebrew Letter Dalet With Dagesh",
        "1":"One","\ud83d\ude00":"Emoji: Grinning Face","\u0080":"Control",
        "\u00f6":"Latin Small Letter O With Diaeresis"}"#;
    assert_eq!(
        canonical(json.as_bytes()),
        "{\"\\r\":\"Carriage Return\",\"1\":\"One\",\"\u{80}\":\"Control\",\
         \"\u{f6}\":\"Latin Small Letter O With Diaeresis\",\"\u{20ac}\":\"Euro Sign\",\
         \"\u{1f600}\":\"Emoji: Grinning Face\",\"\u{fb33}\":\"Hebrew Letter Dalet With Dagesh\"}"
    );
    assert_eq!(
        canonical(br#"{"a b":1,"a":2,"a!":3,"\n":4}"#),
        r#"{"\n":4e0,"a":2e0,"a b":1e0,"a!":3e0}"#
    );
    assert_eq!(canonical(br#"{"b":1,"a":2,"\u0062":3}"#), r#"{"a":2e0,"b":1e0,"b":3e0}"#);
}

#[test]
fn members_of_the_outermost_object_are_found_by_their_decoded_key() {
    let json = br#"{"x":{"id":"inner"},"i\u0064":"fi\u0072st","b":{"d":1,"c":{"f":2,"e":3}},"id":"l\u0061st","a":null}"#;
    let found = canonicalized(json);
    let member = |key| found.member(key).map(|value| String::from_utf8_lossy(value).into_owned());
    assert_eq!(member("id").as_deref(), Some(r#""last""#));
    assert_eq!(member("b").as_deref(), Some(r#"{"c":{"e":3e0,"f":2e0},"d":1e0}"#));
    assert_eq!(member("a").as_deref(), Some("null"));
    assert_eq!(member("c"), None);
    assert_eq!(canonicalized(br#"[{"id":1}]"#).member("id"), None);
}

#[test]
fn nesting_has_no_limit() {
    let depth = 1_000_000;
    let arrays = "[".repeat(depth) + &"]".repeat(depth);
    assert_eq!(canonical(arrays.as_bytes()), arrays);
    let objects = r#"{"b":"#.repeat(depth) + "1" + &r#","a":2}"#.repeat(depth);
    let expected = r#"{"a":2e0,"b":"#.repeat(depth) + "1e0" + &"}".repeat(depth);
    assert!(canonical(objects.as_bytes()) == expected);
    let sorted = r#"{"a":"#.repeat(depth) + "1" + &r#","b":2}"#.repeat(depth);
    let expected = r#"{"a":"#.repeat(depth) + "1e0" + &r#","b":2e0}"#.repeat(depth);
    assert!(canonical(sorted.as_bytes()) == expected);
}

#[test]
fn an_object_has_any_number_of_members() {
    let member = |number: u32| format!("\"{:06}é\":{{\"b\":1,\"a\":2}}", number * 7919 % 100_000);
    let members: Vec<_> = (0..100_000).map(member).collect();
    let found = canonical(format!("{{{}}}", members.join(",")).as_bytes());
    let sorted: Vec<_> =
        (0..100_000).map(|number| format!("\"{number:06}é\":{{\"a\":2e0,\"b\":1e0}}")).collect();
    assert!(found == format!("{{{}}}", sorted.join(",")));
}

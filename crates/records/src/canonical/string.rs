//! Strings: decoded, and written one way.

use memchr::memchr2;
use std::io::Write as _;

/// A JSON string as it stood in the text.
#[derive(Debug, Clone, Copy)]
pub(super) struct JsonString {
    /// Its bytes, both quotes included.
    pub(super) length: usize,
    pub(super) has_escapes: bool,
}

/// Appends the string at the start of `rest`, each character written in the canonical way.
pub(super) fn translate_string(rest: &[u8], tokens: &mut Vec<u8>) -> JsonString {
    let mut copied = 0;
    let mut at = 1;
    while let Some(found) = memchr2(b'"', b'\\', rest.get(at..).unwrap_or_default()) {
        at += found;
        if rest[at] == b'"' {
            tokens.extend_from_slice(&rest[copied..=at]);
            return JsonString { length: at + 1, has_escapes: copied > 0 };
        }
        tokens.extend_from_slice(&rest[copied..at]);
        at += translate_escape(&rest[at..], tokens);
        copied = at;
    }
    tokens.extend_from_slice(&rest[copied..]);
    JsonString { length: rest.len(), has_escapes: copied > 0 }
}

/// Appends the character that the escape at the start of `rest` stands for; returns its length,
/// which is that of two escapes for a surrogate pair.
fn translate_escape(rest: &[u8], tokens: &mut Vec<u8>) -> usize {
    let (unit, length) = code_unit(rest);
    if let Some(character) = char::from_u32(unit.into()) {
        push_character(character, tokens);
        return length;
    }
    let behind = &rest[length..];
    if behind.first() == Some(&b'\\') {
        let (second, second_length) = code_unit(behind);
        if let Some(Ok(character)) = char::decode_utf16([unit, second]).next() {
            push_character(character, tokens);
            return length + second_length;
        }
    }
    let _ = write!(tokens, "\\u{unit:04x}"); // writing to a vector cannot fail
    length
}

/// The code unit of the escape at the start of `rest`, and its length.
fn code_unit(rest: &[u8]) -> (u16, usize) {
    let unit = match rest.get(1) {
        Some(b'b') => 0x08,
        Some(b't') => 0x09,
        Some(b'n') => 0x0a,
        Some(b'f') => 0x0c,
        Some(b'r') => 0x0d,
        Some(b'u') => {
            let digits = std::str::from_utf8(rest.get(2..6).unwrap_or_default());
            let unit = digits.ok().and_then(|digits| u16::from_str_radix(digits, 16).ok());
            return (unit.unwrap_or(0xfffd), rest.len().min(6));
        }
        Some(&byte) => byte.into(),
        None => b'\\'.into(),
    };
    (unit, rest.len().min(2))
}

/// Appends a character of a string, escaped where RFC 8785 asks for it.
fn push_character(character: char, tokens: &mut Vec<u8>) {
    match character {
        '"' => tokens.extend(b"\\\""),
        '\\' => tokens.extend(b"\\\\"),
        '\u{8}' => tokens.extend(b"\\b"),
        '\t' => tokens.extend(b"\\t"),
        '\n' => tokens.extend(b"\\n"),
        '\u{c}' => tokens.extend(b"\\f"),
        '\r' => tokens.extend(b"\\r"),
        '\0'..' ' => {
            let _ = write!(tokens, "\\u{:04x}", u32::from(character)); // as above
        }
        _ => tokens.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes()),
    }
}

/// The UTF-16 code units of a canonical key. A byte that is no UTF-8 counts as the half surrogate
/// that stands for it in PEP 383.
pub(super) fn code_units(key: &[u8]) -> Vec<u16> {
    let mut units = Vec::with_capacity(key.len());
    for chunk in key.utf8_chunks() {
        let mut rest = chunk.valid();
        while let Some(escape) = rest.find('\\') {
            units.extend(rest[..escape].encode_utf16());
            let (unit, length) = code_unit(&rest.as_bytes()[escape..]);
            units.push(unit);
            rest = rest.get(escape + length..).unwrap_or_default();
        }
        units.extend(rest.encode_utf16());
        units.extend(chunk.invalid().iter().map(|&byte| 0xdc00 + u16::from(byte)));
    }
    units
}

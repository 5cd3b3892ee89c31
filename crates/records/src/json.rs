//! A walk over a JSON text that is known to be valid, without building anything.
//!
//! Pages and raw objects are checked as they arrive, so a walk never fails: over anything else it
//! would find useless pieces, not panic. A text is bytes: what stands inside a string need not be
//! UTF-8.

use memchr::memchr2_iter;

/// A place in a JSON text.
#[derive(Debug, Clone)]
pub(crate) struct Cursor<'json> {
    json: &'json [u8],
    at: usize,
}

impl<'json> Cursor<'json> {
    /// The first value of `json`.
    pub(crate) fn new(json: &'json [u8]) -> Self {
        let mut cursor = Self { json, at: 0 };
        cursor.skip_separators();
        cursor
    }

    /// The first byte of the value that starts here.
    pub(crate) fn peek(&self) -> u8 {
        self.json.get(self.at).copied().unwrap_or(b'}')
    }

    /// The text from an earlier place to this one.
    pub(crate) fn since(&self, start: usize) -> &'json [u8] {
        self.json.get(start..self.at).unwrap_or_default()
    }

    /// Moves into the object or array that starts here.
    pub(crate) fn open(&mut self) {
        self.at += 1;
    }

    /// Moves to the value of the next member and returns its key, with both quotes; or moves past
    /// the end of the object.
    pub(crate) fn next_key(&mut self) -> Option<&'json [u8]> {
        self.skip_separators();
        if self.is_past(b'}') {
            return None;
        }
        let key = self.string();
        self.skip_separators();
        Some(key)
    }

    /// Moves to the next element, or past the end of the array.
    pub(crate) fn next_element(&mut self) -> bool {
        self.skip_separators();
        !self.is_past(b']')
    }

    /// The value that starts here, as text; moves past it.
    pub(crate) fn value(&mut self) -> &'json [u8] {
        match self.peek() {
            b'{' | b'[' => self.nested(),
            b'"' => self.string(),
            _ => self.scalar(),
        }
    }

    fn is_past(&mut self, end: u8) -> bool {
        let is_past = self.at >= self.json.len() || self.peek() == end;
        if is_past {
            self.at = (self.at + 1).min(self.json.len());
        }
        is_past
    }

    fn skip_separators(&mut self) {
        while matches!(self.json.get(self.at), Some(b' ' | b'\t' | b'\n' | b'\r' | b',' | b':')) {
            self.at += 1;
        }
    }

    fn string(&mut self) -> &'json [u8] {
        let length = string_length(self.rest());
        self.pass(length)
    }

    fn scalar(&mut self) -> &'json [u8] {
        let length = self
            .rest()
            .iter()
            .position(|byte| matches!(byte, b',' | b'}' | b']' | b' ' | b'\t' | b'\n' | b'\r'))
            .unwrap_or(usize::MAX);
        self.pass(length)
    }

    /// The object or array that starts here, whatever its depth.
    fn nested(&mut self) -> &'json [u8] {
        let rest = self.rest();
        let mut length = 0;
        let mut open = 0usize;
        while length < rest.len() {
            match rest[length] {
                b'"' => length += string_length(&rest[length..]) - 1,
                b'{' | b'[' => open += 1,
                b'}' | b']' => open = open.saturating_sub(1),
                _ => {}
            }
            length += 1;
            if open == 0 {
                break;
            }
        }
        self.pass(length)
    }

    fn rest(&self) -> &'json [u8] {
        &self.json[self.at..]
    }

    /// Moves on by so many bytes, at least one where one is left, and returns them.
    fn pass(&mut self, length: usize) -> &'json [u8] {
        let start = self.at;
        self.at += length.max(1).min(self.json.len() - start);
        self.since(start)
    }
}

/// Bytes of the string at the start of `json`, both quotes included.
pub(crate) fn string_length(json: &[u8]) -> usize {
    let mut escaped_at = None;
    for index in memchr2_iter(b'"', b'\\', json.get(1..).unwrap_or_default()) {
        if escaped_at == Some(index) {
            continue;
        }
        if json[index + 1] == b'"' {
            return index + 2;
        }
        escaped_at = Some(index + 1);
    }
    json.len()
}

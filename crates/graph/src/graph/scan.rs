//! Looks through a page of one record that is too large to hold, in constant memory.

/// Longer strings are passed over.
const LONGEST_STRING: usize = 16 * 1024;
/// Deeper nesting is refused.
const DEEPEST: usize = 1024;

/// Walks over the bytes of a page as they arrive.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a state of the walk on its own")]
pub(super) struct Scan {
    time_field: &'static str,
    /// The brackets that are open.
    open: Vec<u8>,
    string: Option<Vec<u8>>,
    is_escaped: bool,
    expects_key: bool,
    key: Vec<u8>,
    is_in_value: bool,
    records: u32,
    is_broken: bool,
    is_over: bool,
    found: Found,
}

/// Strings of a page, without their quotes.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) next_link: Option<Vec<u8>>,
    pub(super) id: Option<Vec<u8>>,
    pub(super) time: Option<Vec<u8>>,
}

impl Scan {
    /// A scan of a page whose records have their time in `time_field`.
    pub(super) fn new(time_field: &'static str) -> Self {
        Self {
            time_field,
            open: Vec::new(),
            string: None,
            is_escaped: false,
            expects_key: false,
            key: Vec::new(),
            is_in_value: false,
            records: 0,
            is_broken: false,
            is_over: false,
            found: Found::default(),
        }
    }

    /// Takes a piece.
    pub(super) fn push(&mut self, piece: &[u8]) {
        for &byte in piece {
            match &mut self.string {
                Some(string) => {
                    if byte == b'"' && !self.is_escaped {
                        let string = std::mem::take(string);
                        self.string = None;
                        self.end_string(string);
                    } else {
                        self.is_escaped = byte == b'\\' && !self.is_escaped;
                        if string.len() <= LONGEST_STRING {
                            string.push(byte);
                        }
                    }
                }
                None => self.between_strings(byte),
            }
        }
    }

    /// Returns the strings, where the bytes were one whole page of one record.
    pub(super) fn finish(self) -> Option<Found> {
        (self.is_over && !self.is_broken && self.records == 1).then_some(self.found)
    }

    fn between_strings(&mut self, byte: u8) {
        match byte {
            b'"' => self.string = Some(Vec::new()),
            b'{' | b'[' => {
                self.is_in_value |= self.open == b"{" && self.key == b"value" && byte == b'[';
                self.records += u32::from(self.is_in_value && self.open == b"{[");
                self.is_broken |= self.is_over || self.open.len() >= DEEPEST;
                if !self.is_broken {
                    self.open.push(byte);
                }
                self.expects_key = byte == b'{';
            }
            b'}' | b']' => {
                let opened = if byte == b'}' { b'{' } else { b'[' };
                self.is_broken |= self.open.pop() != Some(opened);
                self.is_in_value &= self.open.len() > 1;
                self.is_over |= self.open.is_empty();
                self.expects_key = false;
            }
            b',' => self.expects_key = self.open.last() == Some(&b'{'),
            b':' => self.expects_key = false,
            b' '
            | b'\t'
            | b'\n'
            | b'\r'
            | b'+'
            | b'-'
            | b'.'
            | b'0'..=b'9'
            | b'a'..=b'z'
            | b'E' => {}
            // The byte order mark, which may precede the text.
            0xef | 0xbb | 0xbf if self.open.is_empty() && !self.is_over => {}
            _ => self.is_broken = true,
        }
    }

    fn end_string(&mut self, string: Vec<u8>) {
        if self.expects_key {
            self.key = string;
            return;
        }
        if string.len() > LONGEST_STRING {
            self.is_broken |= self.open == b"{" && self.key == b"@odata.nextLink";
            return;
        }
        match (&self.open[..], &self.key[..]) {
            // An escape in a link is read as JSON means it.
            (b"{", b"@odata.nextLink") => {
                let quoted = [b"\"", &string[..], b"\""].concat();
                self.found.next_link =
                    serde_json::from_slice::<String>(&quoted).ok().map(String::into_bytes);
                self.is_broken |= self.found.next_link.is_none();
            }
            (b"{[{", b"id") if self.is_in_value => self.found.id = Some(string),
            (b"{[{", key) if self.is_in_value && key == self.time_field.as_bytes() => {
                self.found.time = Some(string);
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scan(text: &str) -> Option<Found> {
        let mut scan = Scan::new("createdDateTime");
        text.as_bytes().chunks(3).for_each(|piece| scan.push(piece));
        scan.finish()
    }

    #[test]
    fn the_link_and_the_name_of_a_record_are_found_at_their_place_only() {
        let found = scan(
            r#"{"@odata.context":"c","value":[{"x":{"id":"inner","@odata.nextLink":"no"},"t":"\"}]","id":"r-1",
                "createdDateTime":"2026-11-22T00:00:00Z"}],"@odata.nextLink":"https:\/\/x\/?a=b"}"#,
        );
        let found = found.unwrap();
        assert_eq!(found.next_link.as_deref(), Some(&b"https://x/?a=b"[..]));
        assert_eq!(found.id.as_deref(), Some(&b"r-1"[..]));
        assert_eq!(found.time.as_deref(), Some(&b"2026-11-22T00:00:00Z"[..]));
    }

    #[test]
    fn what_is_not_one_whole_page_of_one_record_is_refused() {
        for text in [
            "",
            r#"{"value":[{"id":"1"}]"#,
            r#"{"value":[{"id":"1"}]}]"#,
            r#"{"value":[{"id":"1"},{"id":"2"}]}"#,
            r#"{"value":[{"id":"1"]}}"#,
            r#"{"value":[]}"#,
            "<html>",
        ] {
            assert_eq!(scan(text), None, "{text}");
        }
    }
}

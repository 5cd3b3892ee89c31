//! One page of an answer: places of its records, and the link of the next one.

use serde::Deserialize;
use serde_json::value::RawValue;
use std::ops::Range;

/// More bytes that are no UTF-8 are not a slip in a record but another encoding, or no text at all.
const MOST_INVALID_BYTES: usize = 100_000;
/// RFC 8259 lets a reader ignore it. <https://www.rfc-editor.org/rfc/rfc8259#section-8.1>
const BYTE_ORDER_MARK: char = '\u{feff}';

/// Parts of a page whose body is complete, valid JSON.
#[derive(Debug, PartialEq, Eq)]
pub struct PageParts {
    /// Places of the records in the body.
    pub records: Vec<Range<usize>>,
    /// The link of the next page, byte for byte as Graph gave it; `None` on the last page.
    pub next_link: Option<String>,
}

#[derive(Deserialize)]
struct Envelope<'body> {
    #[serde(borrow)]
    value: Vec<&'body RawValue>,
    #[serde(rename = "@odata.nextLink", default)]
    next_link: Option<String>,
}

impl PageParts {
    /// Finds the parts of the page that `body` holds, or the first byte at which it is none. Bytes
    /// that are no UTF-8 are kept as they are: they cost neither the page nor their record.
    pub fn find(body: &mut [u8]) -> Result<Self, usize> {
        if let Ok(text) = std::str::from_utf8(body) {
            return Self::of(text);
        }
        let invalid = mask_invalid(body)?;
        let text = std::str::from_utf8(body).map_err(|error| error.valid_up_to())?;
        let found = Self::of(text)?;
        for (at, byte) in invalid {
            body[at] = byte;
        }
        Ok(found)
    }

    fn of(body: &str) -> Result<Self, usize> {
        let text = body.strip_prefix(BYTE_ORDER_MARK).unwrap_or(body);
        let text_start = body.len() - text.len();
        let envelope: Envelope =
            serde_json::from_str(text).map_err(|error| text_start + offset(text, &error))?;
        let place_of = |record: &RawValue| {
            let at = record.get().as_ptr().addr() - body.as_ptr().addr();
            at..at + record.get().len()
        };
        let records = envelope.value.into_iter().map(place_of).collect();
        Ok(Self { records, next_link: envelope.next_link })
    }
}

/// Puts `?` in place of each byte that is no UTF-8; returns where, and what stood there.
fn mask_invalid(body: &mut [u8]) -> Result<Vec<(usize, u8)>, usize> {
    let mut invalid = Vec::new();
    let mut at = 0;
    for chunk in body.utf8_chunks() {
        at += chunk.valid().len();
        invalid.extend(chunk.invalid().iter().zip(at..).map(|(&byte, at)| (at, byte)));
        at += chunk.invalid().len();
        if invalid.len() > MOST_INVALID_BYTES {
            return Err(at);
        }
    }
    for &(at, _) in &invalid {
        body[at] = b'?';
    }
    Ok(invalid)
}

/// The byte of `text` at which `error` was noticed.
fn offset(text: &str, error: &serde_json::Error) -> usize {
    let lines = text.split_inclusive('\n').take(error.line().saturating_sub(1));
    lines.map(str::len).sum::<usize>() + error.column()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(body: &[u8]) -> Result<PageParts, usize> {
        PageParts::find(&mut body.to_vec())
    }

    #[test]
    fn a_record_keeps_every_byte_even_where_it_is_no_utf_8() {
        let mut body = b"\xef\xbb\xbf{\"value\":[{\"id\":\"\xff\xc3\xa9\"},null, 7]}".to_vec();
        let sent = body.clone();
        let parts = PageParts::find(&mut body).unwrap();
        assert_eq!(body, sent);
        let records: Vec<_> = parts.records.into_iter().map(|place| &body[place]).collect();
        assert_eq!(records, [&b"{\"id\":\"\xff\xc3\xa9\"}"[..], b"null", b"7"]);
    }

    #[test]
    fn anything_but_a_whole_page_is_refused() {
        for body in [
            "",
            "{}",
            "<html>",
            r#"{"value":[{"id":1}"#,
            r#"{"value":{}}"#,
            r#"{"value":[]}x"#,
            "[]",
        ] {
            assert!(find(body.as_bytes()).is_err(), "{body}");
        }
        assert_eq!(find(b"{\"value\":[{\"id\":x}]}").unwrap_err(), 17);
        assert!(find(&vec![0xff; 200_000]).is_err());
        let tips =
            br#"{"value":[],"@microsoft.graph.tips":"Use $select","@odata.nextLink":"https://x/"}"#;
        assert_eq!(find(tips).unwrap().next_link.as_deref(), Some("https://x/"));
    }
}

//! One page of records, checked as a whole before any of it counts.

use entratrail_core::log::Log;
use entratrail_core::record::{Record, RecordReader};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::ops::Range;
use tokio::sync::OwnedMutexGuard;

/// The one place in memory for an unpacked body. The next page waits until this one is dropped, and
/// is unpacked into the same memory.
pub type PageBuffer = OwnedMutexGuard<Vec<u8>>;

/// More bytes that are no UTF-8 are not a slip in a record but another encoding, or no text at all.
const MOST_INVALID_BYTES: usize = 100_000;
/// RFC 8259 lets a reader ignore it. <https://www.rfc-editor.org/rfc/rfc8259#section-8.1>
const BYTE_ORDER_MARK: char = '\u{feff}';

/// A page whose body is complete, valid JSON.
#[derive(Debug)]
pub struct Page {
    body: PageBuffer,
    records: Vec<Range<usize>>,
    /// The link of the next page, byte for byte as Graph gave it; `None` on the last page.
    pub next_link: Option<String>,
    /// The record that the page consists of, where that is too large to be stored.
    pub oversized: Option<Oversized>,
}

/// A record that is too large to be stored.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Oversized {
    /// Its id, where that is short and plain.
    pub id: Option<String>,
    /// Its time as Graph wrote it, where that is short and plain.
    pub time: Option<String>,
    /// Bytes of the page that it came in.
    pub bytes: u64,
}

#[derive(Deserialize)]
struct Envelope<'body> {
    #[serde(borrow)]
    value: Vec<&'body RawValue>,
    #[serde(rename = "@odata.nextLink", default)]
    next_link: Option<String>,
}

impl Page {
    /// The page that `body` holds, or the first byte at which it is none. Bytes that are no UTF-8
    /// are kept as they are: they cost neither the page nor their record.
    pub fn parse(mut body: PageBuffer) -> Result<Self, usize> {
        let (records, next_link) = if let Ok(text) = std::str::from_utf8(&body) {
            records_in(text)?
        } else {
            let invalid = mask_invalid(&mut body)?;
            let text = std::str::from_utf8(&body).map_err(|error| error.valid_up_to())?;
            let found = records_in(text)?;
            for (at, byte) in invalid {
                body[at] = byte;
            }
            found
        };
        Ok(Self { body, records, next_link, oversized: None })
    }

    /// A page of nothing but a record that is too large, and the link of the next one.
    pub(super) fn of_oversized(
        body: PageBuffer,
        oversized: Oversized,
        next_link: Option<String>,
    ) -> Self {
        Self { body, records: Vec::new(), next_link, oversized: Some(oversized) }
    }

    /// The number of records, whatever their time.
    pub fn record_count(&self) -> usize {
        self.records.len()
    }

    /// Whether `text` stands anywhere in the page.
    pub fn mentions(&self, text: &str) -> bool {
        memchr::memmem::find(&self.body, text.as_bytes()).is_some()
    }

    /// The records, with what is known of each.
    pub fn records(&self, log: Log) -> Vec<(Record, &[u8])> {
        let mut reader = RecordReader::new(log.time_field());
        self.records
            .iter()
            .map(|range| {
                let json = &self.body[range.clone()];
                (reader.read(json), json)
            })
            .collect()
    }
}

/// Places of the records in the page that `body` holds, and the link of the next one; or the first
/// byte at which it is no page.
fn records_in(body: &str) -> Result<(Vec<Range<usize>>, Option<String>), usize> {
    let text = body.strip_prefix(BYTE_ORDER_MARK).unwrap_or(body);
    let text_start = body.len() - text.len();
    let envelope: Envelope =
        serde_json::from_str(text).map_err(|error| text_start + offset(text, &error))?;
    Ok((
        envelope
            .value
            .into_iter()
            .map(|record| {
                let at = record.get().as_ptr().addr() - body.as_ptr().addr();
                at..at + record.get().len()
            })
            .collect(),
        envelope.next_link,
    ))
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
    use std::sync::Arc;
    use tokio::sync::Mutex;

    fn parse(body: &[u8]) -> Result<Page, usize> {
        Page::parse(Arc::new(Mutex::new(body.to_vec())).try_lock_owned().unwrap())
    }

    #[test]
    fn a_record_keeps_every_byte_even_where_it_is_no_utf_8() {
        let body = b"\xef\xbb\xbf{\"value\":[{\"id\":\"\xff\xc3\xa9\",\n\"createdDateTime\":\"2026-11-22T00:00:00Z\"},null, 7]}";
        let page = parse(body).unwrap();
        let records = page.records(Log::SignIns);
        assert_eq!(
            records[0].1,
            b"{\"id\":\"\xff\xc3\xa9\",\n\"createdDateTime\":\"2026-11-22T00:00:00Z\"}"
        );
        assert!(records[0].0.time.is_some());
        assert_eq!((records[1].1, records[1].0.time), (&b"null"[..], None));
        assert_eq!((records[2].1, records[2].0.time), (&b"7"[..], None));
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
            assert!(parse(body.as_bytes()).is_err(), "{body}");
        }
        assert_eq!(parse(b"{\"value\":[{\"id\":x}]}").unwrap_err(), 17);
        assert!(parse(&vec![0xff; 200_000]).is_err());
        let tips =
            br#"{"value":[],"@microsoft.graph.tips":"Use $select","@odata.nextLink":"https://x/"}"#;
        assert_eq!(parse(tips).unwrap().next_link.as_deref(), Some("https://x/"));
    }
}

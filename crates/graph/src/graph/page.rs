//! One page of records, checked as a whole before any of it counts.

use entratrail_core::log::Log;
use entratrail_core::page::PageParts;
use entratrail_core::record::{Record, RecordReader};
use std::ops::Range;
use tokio::sync::OwnedMutexGuard;

/// The one place in memory for an unpacked body. The next page waits until this one is dropped, and
/// is unpacked into the same memory.
pub type PageBuffer = OwnedMutexGuard<Vec<u8>>;

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

impl Page {
    /// The page that `body` holds, or the first byte at which it is none. Bytes that are no UTF-8
    /// are kept as they are: they cost neither the page nor their record.
    pub fn parse(mut body: PageBuffer) -> Result<Self, usize> {
        let PageParts { records, next_link } = PageParts::find(&mut body)?;
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
}

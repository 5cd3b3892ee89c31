//! One page of records, checked as a whole before any of it counts.

use crate::graph::query::Span;
use crate::log::Log;
use crate::record::Record;
use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::ops::Range;
use tokio::sync::OwnedMutexGuard;

/// The one place in memory for an unpacked body. The next page waits until this one is dropped, and is unpacked
/// into the same memory.
pub type Desk = OwnedMutexGuard<String>;

/// A page whose body is complete, valid JSON.
#[derive(Debug)]
pub struct Page {
    body: Desk,
    records: Vec<Range<usize>>,
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

impl Page {
    /// The page that `body` holds; `None` where it is not one, complete.
    pub fn parse(body: Desk) -> Option<Self> {
        let envelope: Envelope = serde_json::from_str(&body).ok()?;
        let start = body.as_ptr().addr();
        let range = |record: &RawValue| {
            let at = record.get().as_ptr().addr() - start;
            at..at + record.get().len()
        };
        let records = envelope.value.into_iter().map(range).collect();
        let next_link = envelope.next_link;
        Some(Self { body, records, next_link })
    }

    /// The number of records, whatever their time.
    pub fn record_count(&self) -> usize {
        self.records.len()
    }

    /// Whether `text` stands anywhere in the page.
    pub fn mentions(&self, text: &str) -> bool {
        self.body.contains(text)
    }

    /// The records that `span` owns, with what is known of each. Fails where Graph served something else than
    /// was asked; then nothing of the page counts.
    pub fn records_in(&self, span: Span, log: Log) -> Result<Vec<(Record, &[u8])>, Strayed> {
        let mut strayed = Strayed { outside: 0, without_time: 0 };
        let mut records = Vec::with_capacity(self.records.len());
        for range in &self.records {
            let json = &self.body.as_bytes()[range.clone()];
            let record = Record::read(json, log.time_field());
            match record.time {
                None => strayed.without_time += 1,
                Some(time) if time < span.start || time > span.end => strayed.outside += 1,
                Some(time) if time == span.end => {}
                Some(_) => records.push((record, json)),
            }
        }
        if strayed == (Strayed { outside: 0, without_time: 0 }) { Ok(records) } else { Err(strayed) }
    }
}

/// Records of a page that were not asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Strayed {
    /// Records outside the asked span: Graph ignored the filter.
    pub outside: usize,
    /// Records without a readable time.
    pub without_time: usize,
}

/// The first and the last of some times.
type Times = Option<(DateTime<Utc>, DateTime<Utc>)>;

/// The records of a chain of pages so far, from which follows how dense its span is.
#[derive(Debug, Default)]
pub struct Seen {
    pages: u32,
    count: u64,
    times: Times,
    /// What the last page held.
    last_page: (u64, Times),
}

impl Seen {
    /// Adds the records of a page.
    pub fn add(&mut self, records: &[(Record, &[u8])]) {
        let count = records.len() as u64;
        let times = records.iter().filter_map(|(record, _)| record.time).map(|time| (time, time));
        let of_page = times.reduce(both);
        self.pages += 1;
        self.count += count;
        self.times = self.times.into_iter().chain(of_page).reduce(both);
        self.last_page = (count, of_page);
    }

    /// About how many records `span` holds, where more follow than were seen.
    pub fn expected(&self, span: Span) -> u64 {
        let Some((first, last)) = self.times else { return 0 };
        self.count * seconds(span.start, span.end) / seconds(first, last).max(1)
    }

    /// About how many more `span` holds, where the rest of it is as dense as the last page; `None` before the
    /// first page.
    pub fn ahead(&self, span: Span) -> Option<u64> {
        let covered = |times: Times| times.map_or(0, |(first, last)| seconds(first, last));
        let (count, of_page) = self.last_page;
        let left = seconds(span.start, span.end).saturating_sub(covered(self.times));
        (self.pages > 0).then(|| count * left / covered(of_page).max(1))
    }

    /// Whether there was one page only.
    pub fn is_first_page(&self) -> bool {
        self.pages == 1
    }

    /// The records that were seen.
    pub fn count(&self) -> u64 {
        self.count
    }
}

fn both(
    one: (DateTime<Utc>, DateTime<Utc>),
    other: (DateTime<Utc>, DateTime<Utc>),
) -> (DateTime<Utc>, DateTime<Utc>) {
    (one.0.min(other.0), one.1.max(other.1))
}

fn seconds(from: DateTime<Utc>, to: DateTime<Utc>) -> u64 {
    u64::try_from((to - from).num_seconds()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use tokio::sync::Mutex;

    fn span() -> Span {
        Span { start: "2026-11-22T00:00:00Z".parse().unwrap(), end: "2026-11-23T00:00:00Z".parse().unwrap() }
    }

    fn parse(body: &str) -> Option<Page> {
        Page::parse(Arc::new(Mutex::new(body.to_owned())).try_lock_owned().unwrap())
    }

    fn page(times: &[&str]) -> Page {
        let records: Vec<_> =
            times.iter().map(|time| format!(r#"{{"id":"{time}", "createdDateTime":"{time}"}}"#)).collect();
        parse(&format!(r#"{{"@odata.context":"x","value":[{}]}}"#, records.join(" ,\n"))).unwrap()
    }

    #[test]
    fn a_record_at_the_end_is_left_to_the_span_that_owns_it() {
        let page = page(&["2026-11-22T00:00:00Z", "2026-11-22T23:59:59.9999999Z", "2026-11-23T00:00:00Z"]);
        let records = page.records_in(span(), Log::SignIns).unwrap();
        assert_eq!(records.len(), 2);
        assert_eq!(
            records[0].1,
            br#"{"id":"2026-11-22T00:00:00Z", "createdDateTime":"2026-11-22T00:00:00Z"}"#
        );
    }

    #[test]
    fn the_rest_of_a_span_is_taken_for_as_dense_as_the_last_page() {
        let mut seen = Seen::default();
        assert_eq!(seen.ahead(span()), None);
        seen.add(
            &page(&["2026-11-22T23:00:00Z", "2026-11-22T20:00:00Z"])
                .records_in(span(), Log::SignIns)
                .unwrap(),
        );
        assert_eq!(seen.ahead(span()), Some(14));
        seen.add(
            &page(&["2026-11-22T19:00:00Z", "2026-11-22T18:00:00Z"])
                .records_in(span(), Log::SignIns)
                .unwrap(),
        );
        assert_eq!((seen.ahead(span()), seen.expected(span())), (Some(38), 19));
    }

    #[test]
    fn a_record_outside_the_span_spoils_the_page() {
        let page =
            page(&["2026-11-22T10:00:00Z", "2026-11-23T00:00:00.0000001Z", "2026-11-21T23:59:59Z", "noon"]);
        let strayed = page.records_in(span(), Log::SignIns).unwrap_err();
        assert_eq!(strayed, Strayed { outside: 2, without_time: 1 });
    }

    #[test]
    fn anything_but_a_whole_page_is_refused() {
        for body in ["", "{}", "<html>", r#"{"value":[{"id":1}"#, r#"{"value":{}}"#, r#"{"value":[]}x"#, "[]"]
        {
            assert!(parse(body).is_none(), "{body}");
        }
        let tips = r#"{"value":[],"@microsoft.graph.tips":"Use $select","@odata.nextLink":"https://x/"}"#;
        assert_eq!(parse(tips).unwrap().next_link.as_deref(), Some("https://x/"));
    }

    #[test]
    fn the_pages_tell_how_dense_a_span_is() {
        let page = page(&["2026-11-22T23:59:00Z", "2026-11-22T23:58:00Z", "2026-11-22T23:57:00Z"]);
        let records = page.records_in(span(), Log::SignIns).unwrap();
        let mut seen = Seen::default();
        assert_eq!(seen.expected(span()), 0);
        seen.add(&records);
        assert_eq!(seen.expected(span()), 3 * 86_400 / 120);
    }
}

//! One page: its records, its next link, its bytes.

use std::io::Write;

use axum::http::header::CONTENT_ENCODING;
use flate2::Compression;
use flate2::write::GzEncoder;

use crate::answer::{Answer, GRAPH_JSON};
use crate::directory::Form;
use crate::fault::FaultKind;
use crate::graph::PageRequest;
use crate::journal::Delivery;
use crate::link::Query;
use crate::records::Alteration;
use crate::timeline::{Position, Reference, Selection};
use crate::world::{World, lock};

/// What a page holds, before it is written.
#[derive(Debug)]
pub(crate) struct Page {
    records: Vec<Reference>,
    /// Records that were not asked for.
    strangers: Vec<Reference>,
    asked_after: Option<Position>,
    has_more: bool,
    fault: Option<FaultKind>,
}

impl Page {
    /// Cuts the records found to the size of the page, which a fault may change.
    pub(crate) fn new(
        mut records: Vec<Reference>,
        query: &Query,
        asked_after: Option<Position>,
        fault: Option<FaultKind>,
    ) -> Self {
        let size = match fault {
            Some(FaultKind::EmptyPage) => 0,
            Some(FaultKind::ShortPage) => (query.top.min(records.len()) * 94 / 100).max(1),
            Some(FaultKind::OversizedPage) => query.top + query.top.div_ceil(25),
            _ => query.top,
        };
        let has_more = records.len() > size || fault == Some(FaultKind::EmptyPage);
        records.truncate(size);
        Self { records, strangers: Vec::new(), asked_after, has_more, fault }
    }

    /// Adds up to three records outside the asked span.
    pub(crate) fn mix_in_strangers(&mut self, world: &World, asked: &Selection<'_>) {
        let later = Selection { from: asked.to.saturating_add(1), to: i64::MAX, ..*asked };
        let earlier = Selection { from: i64::MIN, to: asked.from.saturating_sub(1), ..*asked };
        for selection in [later, earlier] {
            if selection.from <= selection.to {
                let selection = Selection { after: None, limit: 3, ..selection };
                self.strangers.extend(world.records.timeline.select(&selection));
            }
        }
        self.strangers.truncate(3);
    }

    /// Path and query of the next link, as it should be.
    fn next_link(&self, world: &World, query: &Query) -> Option<String> {
        if !self.has_more {
            return None;
        }
        let last = self.records.last().map(|last| world.records.timeline.position(*last));
        let mut links = lock(&world.links);
        // An empty page goes on where it was asked to start, under a link of its own.
        let salt = if last.is_none() { lock(&world.journal).requests.len() as u64 + 1 } else { 0 };
        Some(links.issue(query, last.or(self.asked_after), salt))
    }

    fn alteration(&self) -> Alteration {
        self.fault.map_or(Alteration::None, FaultKind::alteration)
    }
}

/// Writes the page.
pub(crate) fn written(world: &World, request: &PageRequest, query: &Query, page: &Page) -> Answer {
    let gzip = request.gzip || page.fault == Some(FaultKind::BrokenGzip);
    let form = Form { version: query.version, masked: !request.prefer };
    let mut sink = Sink::new(gzip);
    sink.write(envelope(world, request, query, page).as_bytes());
    let alteration = page.alteration();
    let mut record = Vec::with_capacity(20_000);
    for (index, reference) in page.records.iter().chain(&page.strangers).enumerate() {
        record.clear();
        if index > 0 {
            record.push(b',');
        }
        world.records.write(&mut record, *reference, form, alteration);
        let is_last = index + 1 == page.records.len() + page.strangers.len();
        if is_last && page.fault == Some(FaultKind::TruncatedJson) {
            record.truncate(record.len() / 2);
        }
        sink.write(&record);
    }
    if page.fault != Some(FaultKind::TruncatedJson) {
        sink.write(b"]}");
    }
    let mut body = sink.finish();
    let is_intact = !matches!(page.fault, Some(FaultKind::TruncatedJson | FaultKind::BrokenGzip));
    if page.fault == Some(FaultKind::BrokenGzip) {
        damage(&mut body);
    }
    let mut answer = Answer::new(200, GRAPH_JSON, body);
    if gzip {
        answer = answer.with_header(CONTENT_ENCODING, "gzip".to_owned());
    }
    answer.delivery = is_intact.then(|| delivery(world, query, page, form));
    answer
}

/// Everything before the first record. The next link stands in front of the records, as Graph writes it.
fn envelope(world: &World, request: &PageRequest, query: &Query, page: &Page) -> String {
    let base = &request.host;
    let collection = if query.audits { "directoryAudits" } else { "signIns" };
    let context = format!("{base}/{}/$metadata#auditLogs/{collection}", query.version.segment());
    let mut envelope = format!("{{\"@odata.context\":{}", quoted(&context));
    let next = page.next_link(world, query).map(|path| format!("{base}{path}"));
    let shown = match (page.fault, next) {
        (Some(FaultKind::MissingLink), _) => None,
        (Some(FaultKind::RepeatedLink), Some(_)) => Some(format!("{base}{}", request.path_and_query)),
        (Some(FaultKind::ForeignLink), Some(next)) => Some(next.replace(base, "https://graph.example.net")),
        (Some(FaultKind::PlainLink), Some(next)) => Some(next.replace(base, "http://127.0.0.1:9")),
        (_, next) => next,
    };
    if let Some(next) = shown {
        envelope.push_str(",\"@odata.nextLink\":");
        envelope.push_str(&quoted(&next));
    }
    if page.fault == Some(FaultKind::Tips) {
        let tip = ",\"@microsoft.graph.tips\":\"Use $select to choose only the properties your app needs\"";
        envelope.push_str(tip);
    }
    envelope.push_str(",\"value\":[");
    envelope
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// What counts as served: records that were asked for, as they were sent.
fn delivery(world: &World, query: &Query, page: &Page, form: Form) -> Delivery {
    let records = (page.records.len() + page.strangers.len()) as u64;
    if !world.scenario.remember_served {
        return Delivery { versions: Vec::new(), records };
    }
    let asked = page.records.iter().filter(|of| query.filter.means(world.records.timeline.entry(**of).time));
    Delivery { versions: asked.map(|of| (*of, form, page.alteration())).collect(), records }
}

/// Makes the checksum and a stretch in the middle wrong.
fn damage(gzip: &mut [u8]) {
    let (middle, end) = (gzip.len() / 2, gzip.len());
    for byte in gzip.iter_mut().take(end).skip(middle).step_by(3) {
        *byte ^= 0x5a;
    }
}

/// Where a page is written: compressed at the lowest level, or plain.
enum Sink {
    Plain(Vec<u8>),
    Gzip(Box<GzEncoder<Vec<u8>>>),
}

impl Sink {
    fn new(gzip: bool) -> Self {
        let out = Vec::with_capacity(1 << 20);
        if gzip { Self::Gzip(Box::new(GzEncoder::new(out, Compression::fast()))) } else { Self::Plain(out) }
    }

    /// Writing to memory cannot fail.
    fn write(&mut self, bytes: &[u8]) {
        match self {
            Self::Plain(out) => out.extend_from_slice(bytes),
            Self::Gzip(encoder) => encoder.write_all(bytes).unwrap_or_default(),
        }
    }

    fn finish(self) -> Vec<u8> {
        match self {
            Self::Plain(out) => out,
            Self::Gzip(encoder) => encoder.finish().unwrap_or_default(),
        }
    }
}

//! Bytes of one page: the envelope, the records, and how a fault spoils them.

use std::io::Write;

use axum::http::header::CONTENT_ENCODING;
use flate2::Compression;
use flate2::write::GzEncoder;

use crate::fault::FaultKind;
use crate::graph::json_writer;
use crate::graph::page::Page;
use crate::graph::request::PageRequest;
use crate::http::answer::{Answer, GRAPH_JSON};
use crate::scenario::Scenario;
use crate::state::journal::Delivery;
use crate::state::query::Query;
use crate::state::{State, lock};
use crate::tenant::record_form::RecordForm;
use crate::{guid, ticks};

/// Whether the other writer of JSON makes this answer.
fn is_rewritten(state: &State) -> bool {
    let Some(writer) = state.scenario.writer else { return false };
    let first = Scenario::midnight(ticks::to_time(state.started), writer.from_day.max(-36_500));
    let request = lock(&state.journal).requests.len() as u64;
    let drawn = fastrand::Rng::with_seed(guid::mix(&[state.scenario.seed, request, 0x3817])).f64();
    state.clock.now() >= ticks::from_time(first) && drawn < writer.share
}

/// Writes the page.
pub(crate) fn written(state: &State, request: &PageRequest, query: &Query, page: &Page) -> Answer {
    let coding = page.coding();
    let gzip = request.gzip || coding != "gzip" || page.needs_gzip();
    let form = RecordForm { version: query.version, masked: !request.prefer };
    let mut sink = Sink::new(gzip);
    if page.fault == Some(FaultKind::ByteOrderMark) {
        sink.write("\u{feff}".as_bytes());
    }
    let is_rewritten = is_rewritten(state);
    let envelope = Envelope::new(state, request, query, page);
    sink.write(envelope.head(is_rewritten).as_bytes());
    let alteration = page.alteration();
    let mut record = Vec::with_capacity(20_000);
    let mut original = Vec::new();
    for (index, reference) in page.records.iter().chain(&page.strangers).enumerate() {
        record.clear();
        if index > 0 {
            record.push(b',');
        }
        if is_rewritten {
            original.clear();
            state.records.write(&mut original, *reference, form, alteration);
            json_writer::rewrite(&mut record, &original);
        } else {
            state.records.write(&mut record, *reference, form, alteration);
        }
        let is_last = index + 1 == page.records.len() + page.strangers.len();
        if is_last && page.fault == Some(FaultKind::TruncatedJson) {
            record.truncate(record.len() / 2);
        }
        sink.write(&record);
    }
    if page.fault != Some(FaultKind::TruncatedJson) {
        sink.write(envelope.tail(is_rewritten).as_bytes());
    }
    sink.write_blanks(page.blanks);
    let mut body = sink.finish();
    let is_intact = !matches!(page.fault, Some(FaultKind::TruncatedJson | FaultKind::BrokenGzip));
    if page.fault == Some(FaultKind::BrokenGzip) {
        damage(&mut body);
    }
    let mut answer = Answer::new(200, GRAPH_JSON, body);
    if gzip {
        answer = answer.with_header(CONTENT_ENCODING, coding.to_owned());
    }
    answer.delivery = is_intact.then(|| delivery(state, query, page, form));
    answer
}

/// Everything around the records.
struct Envelope {
    context: String,
    /// The next link and what else stands beside the records, each with a comma in front.
    members: String,
}

impl Envelope {
    fn new(state: &State, request: &PageRequest, query: &Query, page: &Page) -> Self {
        let base = &request.host;
        let collection = query.log.collection();
        let context =
            format!("{base}/{}/$metadata#auditLogs/{collection}", query.version.segment());
        let next = page.next_link(state, request, query).map(|path| format!("{base}{path}"));
        let shown = match (page.fault, next) {
            (Some(FaultKind::MissingLink), _) => None,
            (Some(FaultKind::RepeatedLink), Some(_)) => {
                Some(format!("{base}{}", request.path_and_query))
            }
            (Some(FaultKind::ForeignLink), Some(next)) => {
                Some(next.replace(base, "https://graph.example.net"))
            }
            (Some(FaultKind::PlainLink), Some(next)) => {
                Some(next.replace(base, "http://127.0.0.1:9"))
            }
            (_, next) => next,
        };
        let mut members = String::new();
        if let Some(next) = shown {
            members.push_str(",\"@odata.nextLink\":");
            members.push_str(&quoted(&next));
        }
        if page.fault == Some(FaultKind::Tips) {
            let tip = ",\"@microsoft.graph.tips\":\"Use $select to choose only the properties your \
                       app needs\"";
            members.push_str(tip);
        }
        Self { context: quoted(&context), members }
    }

    /// Everything before the first record. The next link stands in front of the records, as Graph
    /// writes it; the other writer puts it behind them.
    fn head(&self, is_rewritten: bool) -> String {
        let members = if is_rewritten { "" } else { &self.members };
        let value = if is_rewritten { " ,\r\n\"value\" : [" } else { ",\"value\":[" };
        format!("{{\"@odata.context\":{}{members}{value}", self.context)
    }

    /// Everything after the last record.
    fn tail(&self, is_rewritten: bool) -> String {
        if is_rewritten { format!("\r\n]{}\r\n}}\r\n", self.members) } else { "]}".to_owned() }
    }
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// Lists what counts as served: records that were asked for, as they were sent.
fn delivery(state: &State, query: &Query, page: &Page, form: RecordForm) -> Delivery {
    let records = (page.records.len() + page.strangers.len()) as u64;
    if !state.scenario.remember_served {
        return Delivery { versions: Vec::new(), records, place: None };
    }
    let asked =
        page.records.iter().filter(|of| query.filter.means(state.records.timeline.time(**of)));
    let versions = asked.map(|of| (*of, form, page.alteration())).collect();
    Delivery { versions, records, place: page.place_in_chain(state, query) }
}

/// Makes the checksum and a stretch in the middle wrong.
fn damage(gzip: &mut [u8]) {
    let middle = gzip.len() / 2;
    let end = gzip.len();
    for byte in gzip.iter_mut().take(end).skip(middle).step_by(3) {
        *byte ^= 0x5a;
    }
}

/// Buffer that a page is written to: compressed at the lowest level, or plain.
enum Sink {
    Plain(Vec<u8>),
    Gzip(Box<GzEncoder<Vec<u8>>>),
}

impl Sink {
    fn new(gzip: bool) -> Self {
        let out = Vec::with_capacity(1 << 20);
        if gzip {
            Self::Gzip(Box::new(GzEncoder::new(out, Compression::fast())))
        } else {
            Self::Plain(out)
        }
    }

    /// Writing to memory cannot fail.
    fn write(&mut self, bytes: &[u8]) {
        match self {
            Self::Plain(out) => out.extend_from_slice(bytes),
            Self::Gzip(encoder) => encoder.write_all(bytes).unwrap_or_default(),
        }
    }

    fn write_blanks(&mut self, count: u64) {
        static BLANKS: [u8; 1 << 16] = [b' '; 1 << 16];
        let mut left = count;
        while left > 0 {
            let part = BLANKS.len().min(usize::try_from(left).unwrap_or(usize::MAX));
            self.write(&BLANKS[..part]);
            left -= part as u64;
        }
    }

    fn finish(self) -> Vec<u8> {
        match self {
            Self::Plain(out) => out,
            Self::Gzip(encoder) => encoder.finish().unwrap_or_default(),
        }
    }
}

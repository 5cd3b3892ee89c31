//! One page: its records, its next link, its bytes.

use std::io::Write;
use std::sync::Arc;

use axum::http::header::CONTENT_ENCODING;
use flate2::Compression;
use flate2::write::GzEncoder;

use crate::answer::{Answer, GRAPH_JSON};
use crate::chain::{Chain, Follow};
use crate::directory::Form;
use crate::fault::FaultKind;
use crate::graph::PageRequest;
use crate::journal::{Delivery, PlaceInChain, Span};
use crate::link::{Place, Query};
use crate::records::Alteration;
use crate::scenario::Scenario;
use crate::timeline::{Position, Reference, Selection};
use crate::world::{World, lock};
use crate::{guid, ticks, writer};

/// Content of a page before it is written.
#[derive(Debug)]
pub(crate) struct Page {
    records: Vec<Reference>,
    /// Records that were not asked for.
    strangers: Vec<Reference>,
    next: Next,
    /// The chain that the page is part of, if one was laid out, and its place there.
    chain: Option<(Arc<Chain>, usize, usize)>,
    fault: Option<FaultKind>,
    /// White space behind the page.
    blanks: u64,
}

/// The next link of a page, as it should be.
#[derive(Debug)]
enum Next {
    None,
    /// Place at which the link goes on.
    Place(Place),
    /// The link just requested.
    SameLink,
}

impl Page {
    /// Cuts the records found to the size of the page, which a fault may change.
    pub(crate) fn new(
        world: &World,
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
        let last = records.last().map(|last| world.records.timeline.position(*last));
        let next =
            if has_more { Next::Place(Place::After(last.or(asked_after))) } else { Next::None };
        Self { records, strangers: Vec::new(), next, chain: None, fault, blanks: 0 }
    }

    /// A page of a chain that was laid out, which a fault may empty or shorten.
    pub(crate) fn of_chain(
        chain: Arc<Chain>,
        number: usize,
        skipped: usize,
        fault: Option<FaultKind>,
    ) -> Self {
        let mut records = chain.page(number, skipped).to_vec();
        let size = match fault {
            Some(FaultKind::EmptyPage) => 0,
            Some(FaultKind::ShortPage) => (records.len() * 94 / 100).max(1),
            _ => records.len(),
        };
        let place = |number, skipped| {
            Next::Place(Place::Page { chain: Arc::clone(&chain), number, skipped })
        };
        let next = if size < records.len() || fault == Some(FaultKind::EmptyPage) {
            place(number, skipped + size)
        } else {
            match chain.follow(number) {
                Follow::Page(next) => place(next, 0),
                Follow::SameLink => Next::SameLink,
                Follow::Nothing { .. } => Next::None,
            }
        };
        records.truncate(size);
        Self {
            records,
            strangers: Vec::new(),
            next,
            chain: Some((chain, number, skipped)),
            fault,
            blanks: 0,
        }
    }

    /// Adds white space behind the page.
    pub(crate) fn inflate(&mut self, blanks: u64) {
        self.blanks = blanks;
    }

    /// The fault of the chain that shows in this page.
    pub(crate) fn chain_fault(&self) -> Option<FaultKind> {
        let (chain, number, _) = self.chain.as_ref()?;
        match chain.follow(*number) {
            Follow::Nothing { too_early: true } => Some(FaultKind::MissingLink),
            Follow::SameLink => Some(FaultKind::RepeatedLink),
            _ if chain.is_endless_at(*number) => Some(FaultKind::EmptyPage),
            _ => None,
        }
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
    fn next_link(&self, world: &World, request: &PageRequest, query: &Query) -> Option<String> {
        match &self.next {
            Next::None => None,
            Next::SameLink => Some(request.path_and_query.clone()),
            Next::Place(place) => {
                // An empty page may go on where it was asked to start, under a link of its own.
                let is_empty = self.records.is_empty();
                let salt =
                    if is_empty { lock(&world.journal).requests.len() as u64 + 1 } else { 0 };
                Some(lock(&world.links).issue(query, place.clone(), salt))
            }
        }
    }

    /// Finds the place of the page in its chain, if chains are to be remembered.
    fn place_in_chain(&self, world: &World, query: &Query) -> Option<PlaceInChain> {
        let (chain, number, skipped) =
            self.chain.as_ref().filter(|_| world.scenario.remember_chains)?;
        let from = query.filter.from;
        let to = query.filter.to;
        let lacks_link =
            self.fault == Some(FaultKind::MissingLink) && !matches!(self.next, Next::None);
        let ends_early = lacks_link || self.chain_fault() == Some(FaultKind::MissingLink);
        Some(PlaceInChain {
            chain: chain.number,
            page: (*number, *skipped),
            is_last: matches!(self.next, Next::None) || ends_early,
            ends_early,
            span: Span { streams: query.streams().to_vec(), from, to },
            asked_at: ticks::to_time(world.clock.now()),
        })
    }

    /// The name of the content coding.
    fn coding(&self) -> &'static str {
        match self.fault {
            Some(FaultKind::GzipInCapitals) => "GZIP",
            Some(FaultKind::XGzip) => "x-gzip",
            _ => "gzip",
        }
    }

    fn needs_gzip(&self) -> bool {
        matches!(self.fault, Some(FaultKind::BrokenGzip | FaultKind::GzipBomb))
    }

    fn alteration(&self) -> Alteration {
        self.fault.map_or(Alteration::None, FaultKind::alteration)
    }
}

/// Whether the other writer of JSON makes this answer.
fn is_rewritten(world: &World) -> bool {
    let Some(writer) = world.scenario.writer else { return false };
    let first = Scenario::midnight(ticks::to_time(world.started), writer.from_day.max(-36_500));
    let request = lock(&world.journal).requests.len() as u64;
    let drawn = fastrand::Rng::with_seed(guid::mix(&[world.scenario.seed, request, 0x3817])).f64();
    world.clock.now() >= ticks::from_time(first) && drawn < writer.share
}

/// Writes the page.
pub(crate) fn written(world: &World, request: &PageRequest, query: &Query, page: &Page) -> Answer {
    let coding = page.coding();
    let gzip = request.gzip || coding != "gzip" || page.needs_gzip();
    let form = Form { version: query.version, masked: !request.prefer };
    let mut sink = Sink::new(gzip);
    if page.fault == Some(FaultKind::ByteOrderMark) {
        sink.write("\u{feff}".as_bytes());
    }
    let is_rewritten = is_rewritten(world);
    let envelope = Envelope::new(world, request, query, page);
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
            world.records.write(&mut original, *reference, form, alteration);
            writer::rewrite(&mut record, &original);
        } else {
            world.records.write(&mut record, *reference, form, alteration);
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
    answer.delivery = is_intact.then(|| delivery(world, query, page, form));
    answer
}

/// Everything around the records.
struct Envelope {
    context: String,
    /// The next link and what else stands beside the records, each with a comma in front.
    members: String,
}

impl Envelope {
    fn new(world: &World, request: &PageRequest, query: &Query, page: &Page) -> Self {
        let base = &request.host;
        let collection = query.log.collection();
        let context =
            format!("{base}/{}/$metadata#auditLogs/{collection}", query.version.segment());
        let next = page.next_link(world, request, query).map(|path| format!("{base}{path}"));
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
fn delivery(world: &World, query: &Query, page: &Page, form: Form) -> Delivery {
    let records = (page.records.len() + page.strangers.len()) as u64;
    if !world.scenario.remember_served {
        return Delivery { versions: Vec::new(), records, place: None };
    }
    let asked =
        page.records.iter().filter(|of| query.filter.means(world.records.timeline.time(**of)));
    let versions = asked.map(|of| (*of, form, page.alteration())).collect();
    Delivery { versions, records, place: page.place_in_chain(world, query) }
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

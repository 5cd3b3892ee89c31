//! The simulator's memory of its own work: requests, served records, counters.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use chrono::{DateTime, Utc};

use crate::fault::{Alteration, FaultKind};
use crate::stream::Stream;
use crate::tenant::record_form::RecordForm;
use crate::tenant::timeline::Reference;

/// One request that came in.
#[derive(Clone, Debug)]
pub struct RequestLine {
    /// Simulated time of its arrival.
    pub at: DateTime<Utc>,
    /// Endpoint it was for.
    pub kind: RequestKind,
    /// Path and query as sent.
    pub path_and_query: String,
    /// Status of the answer; 0 where the connection was closed without one.
    pub status: u16,
    /// Fault that was injected.
    pub fault: Option<FaultKind>,
    /// Whether it asked for enum members after the sentinel.
    pub prefer: bool,
    /// Whether it carried a bearer token.
    pub had_bearer: bool,
}

/// The endpoints, as tests tell them apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RequestKind {
    /// The token endpoint.
    Token,
    /// The endpoint that gives out codes for people to sign in with.
    DeviceCode,
    /// A collection below `auditLogs`.
    Page,
    /// `GetWebIdentityToken`.
    WebIdentityToken,
    /// Anything else.
    Other,
}

/// A record version as a reader sees it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Served {
    /// The stream's name, for example `interactiveUser`.
    pub stream: &'static str,
    /// The record's id; several versions can share it.
    pub id: String,
    /// The record's time.
    pub time: DateTime<Utc>,
    /// The bytes of the record.
    pub json: Arc<str>,
    /// When it was served, in simulated time; empty where it is merely visible.
    pub served_at: Vec<DateTime<Utc>>,
}

/// A record version as it is on file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OnFile {
    /// The record's time.
    pub time: DateTime<Utc>,
    /// The record itself, then every other text that a page may show for it: with enum members
    /// hidden, or as one of the scenario's faults alters it.
    pub texts: Vec<String>,
}

/// A chain that was followed to its end, that is to a page without a next link.
#[derive(Clone, Debug)]
pub struct CompletedChain {
    /// The streams that were asked for, by name.
    pub streams: Vec<&'static str>,
    /// First instant of the span that was asked for; absent: no bound.
    pub from: Option<DateTime<Utc>>,
    /// Last instant of that span; absent: no bound.
    pub to: Option<DateTime<Utc>>,
    /// When its first page was asked for, in simulated time.
    pub started_at: DateTime<Utc>,
    /// When its last page had left.
    pub finished_at: DateTime<Utc>,
    /// Whether its last page lacked the next link that more records would have needed.
    pub ended_early: bool,
    /// Every version that it served inside the span.
    pub served: Vec<Served>,
}

/// Cheap counters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Pages that were sent completely and intact.
    pub pages: u64,
    /// Records in those pages.
    pub records: u64,
    /// Answers with status 429, by the limit or by a fault.
    pub throttled: u64,
    /// Faults injected.
    pub faults: u64,
    /// Body bytes handed to the network, as compressed.
    pub bytes: u64,
}

/// A record version in a page.
pub(crate) type Version = (Reference, RecordForm, Alteration);

/// The records of a page that count once the page has left completely.
#[derive(Debug, Default)]
pub(crate) struct Delivery {
    pub(crate) versions: Vec<Version>,
    pub(crate) records: u64,
    /// The place of the page in its chain, where chains are remembered.
    pub(crate) place: Option<PlaceInChain>,
}

/// Place of a page in its chain.
#[derive(Debug)]
pub(crate) struct PlaceInChain {
    pub(crate) chain: u64,
    /// Number of the page, and records that were served of it before.
    pub(crate) page: (usize, usize),
    pub(crate) is_last: bool,
    /// Whether more would follow, and no link says so.
    pub(crate) ends_early: bool,
    pub(crate) span: Span,
    pub(crate) asked_at: DateTime<Utc>,
}

/// Streams and span that a chain is asked for, with inclusive bounds in ticks.
#[derive(Clone, Debug)]
pub(crate) struct Span {
    pub(crate) streams: Vec<Stream>,
    pub(crate) from: i64,
    pub(crate) to: i64,
}

/// Versions that a chain served.
#[derive(Debug)]
pub(crate) struct ServedChain {
    pub(crate) span: Span,
    pub(crate) started_at: DateTime<Utc>,
    pub(crate) finished_at: DateTime<Utc>,
    pub(crate) ended_early: bool,
    /// By page, so that a page that was asked for twice counts once.
    pages: BTreeMap<(usize, usize), Vec<Version>>,
}

impl ServedChain {
    pub(crate) fn versions(&self) -> impl Iterator<Item = &Version> {
        self.pages.values().flatten()
    }
}

/// The memory itself.
#[derive(Debug, Default)]
pub(crate) struct Journal {
    pub(crate) requests: Vec<RequestLine>,
    pub(crate) counts: Counts,
    served: HashMap<Version, Vec<DateTime<Utc>>>,
    /// Chains that are under way.
    begun: HashMap<u64, ServedChain>,
    /// Chains that were followed to their end.
    pub(crate) completed: Vec<ServedChain>,
}

impl Journal {
    pub(crate) fn enter(&mut self, line: RequestLine) {
        self.counts.throttled += u64::from(line.status == 429);
        self.counts.faults += u64::from(line.fault.is_some());
        self.requests.push(line);
    }

    pub(crate) fn deliver_if_any(&mut self, delivery: Option<Delivery>, now: DateTime<Utc>) {
        let Some(delivery) = delivery else { return };
        self.counts.pages += 1;
        self.counts.records += delivery.records;
        for version in &delivery.versions {
            self.served.entry(*version).or_default().push(now);
        }
        if let Some(place) = delivery.place {
            self.deliver_in_chain(place, delivery.versions, now);
        }
    }

    fn deliver_in_chain(
        &mut self,
        place: PlaceInChain,
        versions: Vec<Version>,
        now: DateTime<Utc>,
    ) {
        if place.page == (0, 0) {
            let span = place.span;
            let started_at = place.asked_at;
            let pages = BTreeMap::new();
            let record =
                ServedChain { span, started_at, finished_at: now, ended_early: false, pages };
            self.begun.entry(place.chain).or_insert(record);
        }
        // A page behind the end that is asked for once more finds nothing here.
        let Some(record) = self.begun.get_mut(&place.chain) else { return };
        record.pages.insert(place.page, versions);
        record.finished_at = now;
        record.ended_early = place.ends_early;
        if place.is_last {
            self.completed.extend(self.begun.remove(&place.chain));
        }
    }

    /// Every version served so far and when, in the order of streams and times.
    pub(crate) fn served(&self) -> Vec<(Version, Vec<DateTime<Utc>>)> {
        let mut served: Vec<_> =
            self.served.iter().map(|(&version, at)| (version, at.clone())).collect();
        served.sort_unstable();
        served
    }
}

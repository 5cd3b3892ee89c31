//! A link to a page: the token, the pace and the retries of a request to Graph.

pub mod page;
pub mod query;

mod body;
mod pace;
mod refusal;
mod retry;
mod scan;
mod turns;

use crate::entra::credential::Application;
use crate::entra::token_provider::{Token, TokenProvider};
use crate::http::{HttpClient, USER_AGENT};
use body::{BodyFault, LARGEST_PAGE_BYTES, Unpacked, Unpacker};
use chrono::TimeDelta;
use entratrail_core::clock::Clock;
use entratrail_core::config::GraphSettings;
use entratrail_core::error::Error;
use entratrail_core::log::Log;
use http::Request;
use http::header::{
    ACCEPT_ENCODING, AUTHORIZATION, CONTENT_ENCODING, HeaderMap, RETRY_AFTER, USER_AGENT as AGENT,
};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use page::Page;
use refusal::Refusal;
use retry::{Decision, Outcome, Tries, is_throttling, retry_after};
use scan::Scan;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;
use tokio::sync::Mutex;
pub use turns::Rank;
use turns::Turns;

/// Bytes of a body that are received before its turn to be unpacked has come: a full page takes
/// about one million packed. What is larger is unpacked as it arrives, one body at a time.
const RECEIVED_AHEAD_BYTES: usize = 4 * 1024 * 1024;
/// Longest time for one page. Reads beyond a minute are reported from real tenants; twice this, and
/// a smaller span is asked for.
const PAGE_TIMEOUT: Duration = Duration::from_secs(150);

/// Requests sent for one read.
#[derive(Debug, Default)]
pub struct Tally {
    requests: AtomicU64,
    retries: AtomicU64,
    throttled: AtomicU64,
}

impl Tally {
    /// Page requests, retries included.
    pub fn requests(&self) -> u64 {
        self.requests.load(Relaxed)
    }

    /// Number of requests that repeated an earlier one.
    pub fn retries(&self) -> u64 {
        self.retries.load(Relaxed)
    }

    /// Answers that asked to wait.
    pub fn throttled(&self) -> u64 {
        self.throttled.load(Relaxed)
    }
}

/// Reason for which there is no page.
#[derive(Debug)]
pub enum NoPage {
    /// Graph refused a link that it gave itself.
    LinkRefused(Error),
    /// Graph did not answer in time, or what came could not be read, again and again.
    Unreadable(Error),
    /// The page takes more memory than a page may.
    TooLarge(Error),
    /// Anything else.
    Failed(Error),
}

impl NoPage {
    /// Error of whoever has no other way to ask.
    pub fn into_error(self) -> Error {
        match self {
            Self::LinkRefused(error)
            | Self::Unreadable(error)
            | Self::TooLarge(error)
            | Self::Failed(error) => error,
        }
    }
}

/// Page that is asked for.
#[derive(Debug, Clone, Copy)]
pub struct PageRequest<'link> {
    /// Link of the page, sent byte for byte.
    pub link: &'link str,
    /// Whether Graph gave the link itself.
    pub is_next: bool,
    /// Whether the page has one record at most, so that nothing smaller can be asked for.
    pub is_single: bool,
    /// Order among the requests that wait.
    pub rank: Rank,
}

/// Reads pages from Graph.
#[derive(Debug)]
pub struct GraphClient {
    http: HttpClient,
    tokens: TokenProvider,
    turns: Turns,
    /// An unpacked page takes eleven megabytes, so there is only one at a time.
    buffer: Arc<Mutex<Vec<u8>>>,
    clock: Clock,
}

struct PageAnswer {
    status: u16,
    headers: HeaderMap,
    received: Vec<u8>,
    /// The rest of a body that is larger than [`RECEIVED_AHEAD_BYTES`].
    rest: Option<Incoming>,
}

/// Reason for which an exchange brought no page.
struct Failed {
    outcome: Outcome,
    refusal: Refusal,
    /// Reason for which a page could not be read, in words.
    unreadable: Option<String>,
}

impl Failed {
    fn new(outcome: Outcome) -> Self {
        Self { outcome, refusal: Refusal::default(), unreadable: None }
    }
}

impl GraphClient {
    /// A client for `application`.
    pub fn new(
        settings: &GraphSettings,
        application: Application,
        clock: Clock,
    ) -> Result<Self, Error> {
        let http = HttpClient::new(&settings.graph_url)?;
        let tokens =
            TokenProvider::new(&settings.login_url, &settings.graph_url, application, clock)?;
        let turns = Turns::new(settings.requests_per_10s, settings.concurrency, clock);
        Ok(Self { http, tokens, turns, buffer: Arc::default(), clock })
    }

    /// Fetches a token, which shows whether the credential works. Returns how far Entra's clock is
    /// ahead of ours, where Entra says.
    pub async fn sign_on(&self) -> Result<Option<TimeDelta>, Error> {
        self.tokens.token(None).await.map(|token| token.server_ahead)
    }

    /// Days until the credential expires, where that is known.
    pub fn credential_days_left(&self) -> Option<i64> {
        self.tokens.credential_days_left()
    }

    /// Whether other requests wait or are in flight.
    pub fn is_busy(&self) -> bool {
        self.turns.is_busy()
    }

    /// The page that `request` asks for, to be dropped before the next one is asked for.
    pub async fn page(
        &self,
        log: Log,
        request: PageRequest<'_>,
        tally: &Tally,
    ) -> Result<Page, NoPage> {
        let mut tries = Tries::default();
        let mut token = self.tokens.token(None).await.map_err(NoPage::Failed)?;
        loop {
            let turn = self.turns.turn(request.rank).await;
            tally.requests.fetch_add(1, Relaxed);
            let exchange = self.get(request.link, &token);
            let judged = match self.clock.timeout(PAGE_TIMEOUT, exchange).await {
                Some(Some(answer)) => self.judge(answer, log, request.is_single).await,
                Some(None) => Err(Failed::new(Outcome::Broken)),
                None => Err(Failed::new(Outcome::TimedOut)),
            };
            let failed = match judged {
                Ok(page) => return Ok(page),
                Err(failed) => failed,
            };
            drop(turn);
            match tries.decide(failed.outcome, request.is_next, fastrand::f64()) {
                Decision::PauseEverybody(wait) => {
                    tally.throttled.fetch_add(1, Relaxed);
                    self.turns.throttled_until(self.clock.now() + wait);
                }
                Decision::Wait(wait) => self.clock.sleep(wait).await,
                Decision::RenewToken => {
                    token = self.tokens.token(Some(&token)).await.map_err(NoPage::Failed)?;
                }
                Decision::Fail => return Err(no_page(log, request, failed)),
            }
            tally.retries.fetch_add(1, Relaxed);
            let Refusal { status, request_id, .. } = &failed.refusal;
            tracing::warn!(status, request_id, "Graph is asked again");
        }
    }

    /// One exchange; `None` where the connection broke.
    async fn get(&self, link: &str, token: &Token) -> Option<PageAnswer> {
        // The header is needed on every page: next links do not carry it, and without it newer enum
        // members are masked. https://learn.microsoft.com/graph/best-practices-concept
        let request = Request::get(link)
            .header(AGENT, USER_AGENT)
            .header(AUTHORIZATION, token.authorization.clone())
            .header("Prefer", "include-unknown-enum-members")
            .header("client-request-id", uuid::Uuid::new_v4().to_string())
            .header(ACCEPT_ENCODING, "gzip")
            .body(Full::default())
            .ok()?;
        let response = self.http.send(request).await.ok()?;
        let (parts, mut body) = response.into_parts();
        let mut received = Vec::new();
        let mut rest = None;
        while let Some(frame) = body.frame().await {
            received.extend_from_slice(frame.ok()?.data_ref().map_or(b"", |data| data));
            if received.len() > RECEIVED_AHEAD_BYTES {
                rest = Some(body);
                break;
            }
        }
        Some(PageAnswer { status: parts.status.as_u16(), headers: parts.headers, received, rest })
    }

    /// The page, or the reason for which the exchange brought none.
    async fn judge(&self, answer: PageAnswer, log: Log, is_single: bool) -> Result<Page, Failed> {
        let mut buffer = Arc::clone(&self.buffer).lock_owned().await;
        // Unpacking takes a while; requests that were just granted their turn leave first.
        tokio::task::yield_now().await;
        let headers = &answer.headers;
        let request_id = text_of(headers, "request-id").unwrap_or_default().to_owned();
        let encoding = text_of(headers, CONTENT_ENCODING.as_str());
        let wait = text_of(headers, RETRY_AFTER.as_str())
            .and_then(|wait| retry_after(wait, self.clock.now()));
        let scan = (is_single && answer.status == 200).then(|| Scan::new(log.time_field()));
        let unpack = unpack(answer.received, answer.rest, encoding, &mut buffer, scan);
        let unpacked = match self.clock.timeout(PAGE_TIMEOUT, unpack).await {
            Some(Some(unpacked)) => unpacked,
            Some(None) => return Err(Failed::new(Outcome::Broken)),
            None => return Err(Failed::new(Outcome::TimedOut)),
        };
        if answer.status != 200 {
            let body = if unpacked == Ok(Unpacked::Whole) { &buffer[..] } else { b"" };
            let refusal = Refusal::read(answer.status, &request_id, body);
            let outcome = Outcome::Status(answer.status, wait);
            return Err(Failed { refusal, ..Failed::new(outcome) });
        }
        let refusal = Refusal::read(200, &request_id, b"");
        let unreadable = match unpacked {
            Ok(Unpacked::Oversized(oversized, next_link)) => {
                return Ok(Page::of_oversized(buffer, oversized, next_link));
            }
            Ok(Unpacked::Whole) => match Page::parse(buffer) {
                Ok(page) => return Ok(page),
                Err(at) => format!("it is not a page in JSON, from byte {at} on"),
            },
            Err(BodyFault::TooLarge) => {
                return Err(Failed { refusal, ..Failed::new(Outcome::TooLarge) });
            }
            Err(BodyFault::NotGzip) => {
                "it says that it is gzip, and is not, or not whole".to_owned()
            }
        };
        Err(Failed { refusal, unreadable: Some(unreadable), ..Failed::new(Outcome::Unreadable) })
    }
}

fn text_of<'headers>(headers: &'headers HeaderMap, name: &str) -> Option<&'headers str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// Unpacks what was `received` of a body, and then the `rest` as it arrives, into the page buffer;
/// `None` where the connection broke.
async fn unpack(
    received: Vec<u8>,
    rest: Option<Incoming>,
    encoding: Option<&str>,
    buffer: &mut Vec<u8>,
    scan: Option<Scan>,
) -> Option<Result<Unpacked, BodyFault>> {
    let mut unpacker = Unpacker::new(encoding, buffer, scan);
    let is_whole = rest.is_none();
    let expected = if is_whole { unpacker.expect_whole(&received) } else { Ok(()) };
    if let Err(fault) = expected.and_then(|()| unpacker.push(&received)) {
        return Some(Err(fault));
    }
    drop(received);
    if let Some(mut body) = rest {
        while let Some(frame) = body.frame().await {
            if let Err(fault) = unpacker.push(frame.ok()?.data_ref().map_or(b"", |data| data)) {
                return Some(Err(fault));
            }
        }
    }
    Some(unpacker.finish())
}

/// Final reason for which there is no page.
fn no_page(log: Log, request: PageRequest<'_>, failed: Failed) -> NoPage {
    let collection = log.collection();
    match failed.outcome {
        Outcome::Status(status, _) if is_throttling(status) => NoPage::Failed(throttled(log)),
        Outcome::Status(status @ 400..=499, _)
            if request.is_next && !matches!(status, 401 | 403 | 408) =>
        {
            NoPage::LinkRefused(failed.refusal.explain(log))
        }
        Outcome::Status(..) => NoPage::Failed(failed.refusal.explain(log)),
        Outcome::TimedOut => NoPage::Unreadable(too_slow(log)),
        Outcome::Broken => NoPage::Failed(Error::graph(format!(
            "the connection to Graph broke again and again while {collection} was asked for; the \
             next run tries again"
        ))
        .with_remedy("check GRAPH_URL, the network and any proxy")),
        Outcome::Unreadable => {
            let what = failed.unreadable.unwrap_or_default();
            NoPage::Unreadable(Error::graph(format!(
                "Graph's answer for {collection} could not be read: {what}; the next run tries \
                 again"
            ))
            .with_remedy("check that no proxy rewrites the answers"))
        }
        Outcome::TooLarge => NoPage::TooLarge(Error::graph(format!(
            "Graph's answer for {collection} takes more than {} MiB, even with few records a page; \
             nothing of the window was stored; the next run tries again",
            LARGEST_PAGE_BYTES / (1024 * 1024)
        ))),
    }
}

fn too_slow(log: Log) -> Error {
    Error::graph(format!(
        "Graph gave no whole page of {} within {} s, twice, even for the shortest span; the next \
         run tries again",
        log.collection(),
        PAGE_TIMEOUT.as_secs()
    ))
}

fn throttled(log: Log) -> Error {
    Error::throttled(format!(
        "Graph kept answering that {} is asked too often (status 429 or 503)",
        log.collection()
    ))
    .with_remedy(
        "another reader of the tenant's logs shares the limit of this application: give it an \
         application of its own or lower GRAPH_REQUESTS_PER_10S",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::Compression;
    use flate2::write::GzEncoder;
    use std::io::Write as _;

    fn gzip(page: &[u8]) -> Vec<u8> {
        let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
        gzip.write_all(page).unwrap();
        gzip.finish().unwrap()
    }

    async fn whole(
        body: &[u8],
        encoding: Option<&str>,
        buffer: &mut Vec<u8>,
        scan: Option<Scan>,
    ) -> Result<Unpacked, BodyFault> {
        unpack(body.to_vec(), None, encoding, buffer, scan).await.unwrap()
    }

    #[tokio::test]
    async fn a_page_takes_the_room_that_it_needs_and_no_more_than_a_page_may() {
        let page = "sign-in ".repeat(1_000_000);
        let mut body = gzip(page.as_bytes());
        let mut buffer = Vec::new();
        assert_eq!(whole(&body, Some("GZIP"), &mut buffer, None).await, Ok(Unpacked::Whole));
        assert_eq!((buffer.len(), buffer.capacity()), (page.len(), page.len()));

        let end = body.len() - 4;
        body[end..].fill(0xff);
        assert_eq!(whole(&body, Some("gzip"), &mut buffer, None).await, Err(BodyFault::TooLarge));
        body[end..].fill(0);
        assert_eq!(whole(&body, Some("gzip"), &mut buffer, None).await, Err(BodyFault::NotGzip));

        let bomb = gzip(&vec![b' '; LARGEST_PAGE_BYTES + 1]);
        assert_eq!(whole(&bomb, Some("gzip"), &mut buffer, None).await, Err(BodyFault::TooLarge));
    }

    #[tokio::test]
    async fn a_body_that_is_no_gzip_is_not_taken_for_one() {
        let mut buffer = Vec::new();
        assert_eq!(whole(b"{}", Some("gzip"), &mut buffer, None).await, Err(BodyFault::NotGzip));
        assert_eq!(whole(b"{}", None, &mut buffer, None).await, Ok(Unpacked::Whole));
        assert_eq!(buffer, b"{}");
    }

    #[tokio::test]
    async fn a_single_record_that_is_too_large_is_named_and_passed_over() {
        let text = "x".repeat(LARGEST_PAGE_BYTES);
        let page = format!(
            r#"{{"value":[{{"id":"r-1","t":"{text}"}}],"@odata.nextLink":"https://graph/next"}}"#
        );
        let mut buffer = Vec::new();
        let scan = Some(Scan::new("createdDateTime"));
        match whole(&gzip(page.as_bytes()), Some("gzip"), &mut buffer, scan).await {
            Ok(Unpacked::Oversized(oversized, next_link)) => {
                assert_eq!(oversized.id.as_deref(), Some("r-1"));
                assert_eq!(next_link.as_deref(), Some("https://graph/next"));
            }
            other => panic!("{other:?}"),
        }
    }
}

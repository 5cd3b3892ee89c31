//! A link to a page: the token, the pace and the retries of a request to Graph.

pub mod credential;
pub mod delegated;
pub mod kept_in;
pub mod page;
pub mod query;

mod pace;
mod question;
mod refusal;
mod retry;
mod sign_on;
mod token;
mod turns;

use crate::clock::Clock;
use crate::config::GraphSettings;
use crate::error::Error;
use crate::log::Log;
use chrono::TimeDelta;
use credential::Application;
use flate2::bufread::MultiGzDecoder;
use page::Page;
use refusal::Refusal;
use reqwest::header::{ACCEPT_ENCODING, AUTHORIZATION, CONTENT_ENCODING, HeaderMap, RETRY_AFTER};
use retry::{Decision, Outcome, Tries, retry_after};
use std::io::Read as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;
use token::TokenSource;
use tokio::sync::Mutex;
pub use turns::Rank;
use turns::Turns;

/// How long one page may take. Reads beyond a minute are reported from real tenants; twice this, and a
/// smaller span is asked for.
const PAGE_TIMEOUT: Duration = Duration::from_secs(150);
/// A page larger than this once unpacked is not one: a thousand records of 11.5 KB take 12 MB.
const LARGEST_PAGE_BYTES: u64 = 256 * 1024 * 1024;

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

    /// Those that repeated an earlier one.
    pub fn retries(&self) -> u64 {
        self.retries.load(Relaxed)
    }

    /// Answers that asked to wait.
    pub fn throttled(&self) -> u64 {
        self.throttled.load(Relaxed)
    }
}

/// Why there is no page.
#[derive(Debug)]
pub enum NoPage {
    /// Graph refused a link that it gave itself.
    LinkRefused(Error),
    /// Graph did not answer in time, twice.
    TooSlow(Error),
    /// Anything else.
    Failed(Error),
}

/// Reads pages from Graph.
#[derive(Debug)]
pub struct GraphClient {
    http: reqwest::Client,
    tokens: TokenSource,
    turns: Turns,
    /// An unpacked page takes eleven megabytes, so there is only one at a time.
    desk: Arc<Mutex<String>>,
    clock: Clock,
}

struct Answer {
    status: u16,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl GraphClient {
    /// A client for `application`.
    pub fn new(settings: &GraphSettings, application: Application, clock: Clock) -> Result<Self, Error> {
        // Redirects are off because they would take the token to a host that nobody configured.
        let http = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .user_agent(concat!("EntraTrail/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(Duration::from_secs(20))
            .build()
            .map_err(|_| {
                Error::Configuration(
                    "no TLS client could be made: the root certificates are unreadable".into(),
                )
            })?;
        let tokens =
            TokenSource::new(http.clone(), &settings.login_url, &settings.graph_url, application, clock);
        let turns = Turns::new(settings.requests_per_10s, settings.concurrency, clock);
        Ok(Self { http, tokens, turns, desk: Arc::default(), clock })
    }

    /// Fetches a token, which shows whether the credential works. Returns how far Entra's clock is ahead of ours, where
    /// Entra says.
    pub async fn sign_on(&self) -> Result<Option<TimeDelta>, Error> {
        self.tokens.token(None).await.map(|token| token.server_ahead)
    }

    /// Days until the credential expires, where that is known.
    pub fn credential_days_left(&self) -> Option<i64> {
        self.tokens.credential_days_left()
    }

    /// The page at `link`, to be dropped before the next one is asked for. `is_next` says that Graph gave the link itself.
    pub async fn page(
        &self,
        log: Log,
        link: &str,
        is_next: bool,
        rank: Rank,
        tally: &Tally,
    ) -> Result<Page, NoPage> {
        let mut tries = Tries::default();
        let mut token = self.tokens.token(None).await.map_err(NoPage::Failed)?;
        loop {
            let turn = self.turns.turn(rank).await;
            tally.requests.fetch_add(1, Relaxed);
            let judged = match self.clock.timeout(PAGE_TIMEOUT, self.get(link, &token)).await {
                Some(answer) => self.judge(answer).await,
                None => Err((Outcome::TimedOut, Refusal::default())),
            };
            let (outcome, refusal) = match judged {
                Ok(page) => return Ok(page),
                Err(refused) => refused,
            };
            drop(turn);
            match tries.decide(outcome, fastrand::f64()) {
                Decision::PauseEverybody(wait) => {
                    tally.throttled.fetch_add(1, Relaxed);
                    self.turns.throttled_until(self.clock.now() + wait);
                }
                Decision::Wait(wait) => self.clock.sleep(wait).await,
                Decision::RenewToken => {
                    token = self.tokens.token(Some(&token)).await.map_err(NoPage::Failed)?;
                }
                Decision::AskForLess => return Err(NoPage::TooSlow(too_slow(log))),
                Decision::Throttled => return Err(NoPage::Failed(throttled(log))),
                Decision::Fail if is_next && refusal.is_of_link() => {
                    return Err(NoPage::LinkRefused(refusal.explain(log)));
                }
                Decision::Fail => return Err(NoPage::Failed(refusal.explain(log))),
            }
            tally.retries.fetch_add(1, Relaxed);
            tracing::warn!(status = refusal.status, request_id = refusal.request_id, "Graph is asked again");
        }
    }

    /// One exchange; `None` where the connection broke.
    async fn get(&self, link: &str, token: &token::Token) -> Option<Answer> {
        // The header is needed on every page: next links do not carry it, and without it newer enum members are
        // masked. https://learn.microsoft.com/graph/best-practices-concept
        let request = self
            .http
            .get(link)
            .header(AUTHORIZATION, token.authorization.clone())
            .header("Prefer", "include-unknown-enum-members")
            .header("client-request-id", uuid::Uuid::new_v4().to_string())
            .header(ACCEPT_ENCODING, "gzip");
        let mut response = request.send().await.ok()?;
        let length = response.content_length().filter(|length| *length <= LARGEST_PAGE_BYTES);
        let mut body = Vec::with_capacity(usize::try_from(length.unwrap_or(0)).unwrap_or(0));
        while let Some(chunk) = response.chunk().await.ok()? {
            body.extend_from_slice(&chunk);
            if body.len() as u64 > LARGEST_PAGE_BYTES {
                return None;
            }
        }
        Some(Answer { status: response.status().as_u16(), headers: response.headers().clone(), body })
    }

    /// The page, or how the exchange ended.
    async fn judge(&self, answer: Option<Answer>) -> Result<Page, (Outcome, Refusal)> {
        let Some(answer) = answer else { return Err((Outcome::Broken, Refusal::default())) };
        let mut body = Arc::clone(&self.desk).lock_owned().await;
        // Unpacking takes a while; requests that were just granted their turn leave first.
        tokio::task::yield_now().await;
        let header = |name: &str| answer.headers.get(name).and_then(|value| value.to_str().ok());
        let request_id = header("request-id").unwrap_or_default().to_owned();
        let wait = header(RETRY_AFTER.as_str()).and_then(|wait| retry_after(wait, self.clock.now()));
        let is_whole = unpack(&answer.body, header(CONTENT_ENCODING.as_str()), &mut body);
        if answer.status == 200 {
            let page = if is_whole { Page::parse(body) } else { None };
            return page.ok_or((Outcome::Broken, Refusal { status: 200, request_id, ..Refusal::default() }));
        }
        let refusal = Refusal::read(answer.status, &request_id, body.as_bytes());
        Err((Outcome::Status(answer.status, wait), refusal))
    }
}

/// Writes the body as Graph meant it to `text`; false where it is damaged or no text.
fn unpack(body: &[u8], encoding: Option<&str>, text: &mut String) -> bool {
    text.clear();
    if encoding == Some("gzip") {
        // Without room from the start, the text would grow into up to twice of what it needs. A wrong size does no harm.
        let _ = text.try_reserve_exact(unpacked_size(body));
        return MultiGzDecoder::new(body).take(LARGEST_PAGE_BYTES).read_to_string(text).is_ok();
    }
    std::str::from_utf8(body).map(|body| text.push_str(body)).is_ok()
}

/// How large a gzip body says that it is once unpacked: in its last four bytes
/// (<https://www.rfc-editor.org/rfc/rfc1952>, 2.3.1).
fn unpacked_size(body: &[u8]) -> usize {
    let size = body.last_chunk().map_or(0, |size| u64::from(u32::from_le_bytes(*size)));
    usize::try_from(size.min(LARGEST_PAGE_BYTES)).unwrap_or(0)
}

fn too_slow(log: Log) -> Error {
    Error::Graph(format!(
        "Graph gave no whole page of {} within {} s, twice, even for the shortest span; the next run tries again",
        log.collection(),
        PAGE_TIMEOUT.as_secs()
    ))
}

fn throttled(log: Log) -> Error {
    Error::Throttled(format!(
        "Graph kept answering that {} is asked too often (status 429 or 503); another reader of the tenant's logs \
         shares the limit of this application: give it an application of its own or lower GRAPH_REQUESTS_PER_10S",
        log.collection()
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::Compression;
    use flate2::write::GzEncoder;
    use std::io::Write as _;

    #[test]
    fn a_body_that_is_no_text_is_damaged() {
        let mut text = "the page before".to_owned();
        assert!(!unpack(b"{\"value\":[\"\xff\"]}", None, &mut text));
        assert!(!unpack(b"{\"value\":[]}", Some("gzip"), &mut text));
        assert!(unpack(b"{\"value\":[]}", None, &mut text));
        assert_eq!(text, "{\"value\":[]}");
    }

    #[test]
    fn a_page_takes_the_room_that_it_needs() {
        let page = "sign-in ".repeat(1_000_000);
        let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
        gzip.write_all(page.as_bytes()).unwrap();
        let mut body = gzip.finish().unwrap();
        let mut text = String::new();
        assert!(unpack(&body, Some("gzip"), &mut text));
        assert_eq!((text.len(), text.capacity()), (page.len(), page.len()));

        let end = body.len() - 4;
        body[end..].fill(0xff);
        assert!(!unpack(&body, Some("gzip"), &mut text));
    }
}

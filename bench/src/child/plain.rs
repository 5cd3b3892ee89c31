//! The loop of most scripts: ask for the whole span, follow next links one after the other, count
//! the records.

use super::{Outcome, Source};
use crate::Failure;
use entratrail::graph::query::{Collection, FULL_PAGE, Span};
use entratrail::log::{EventType, GraphVersion, Stream};
use entratrail::window::midnight;
use flate2::read::MultiGzDecoder;
use reqwest::Client;
use reqwest::header::{ACCEPT_ENCODING, CONTENT_TYPE};
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;
use std::io::Read as _;
use url::form_urlencoded::Serializer;

#[derive(Deserialize)]
struct Page<'body> {
    #[serde(borrow)]
    value: Vec<&'body RawValue>,
    #[serde(rename = "@odata.nextLink")]
    next_link: Option<String>,
}

/// Reads the span of `source` and keeps nothing of it.
pub(super) async fn read(source: &Source) -> Result<Outcome, Failure> {
    let clock = source.clock();
    let started_at = clock.now();
    let http = Client::new();
    let token = sign_on(&http, source).await?;
    let stream = Stream::SignIns(EventType::NonInteractiveUser);
    let collection =
        Collection { graph_url: source.url.parse()?, version: GraphVersion::Beta, stream };
    let span = Span { start: midnight(source.first_day), end: midnight(source.end_day) };
    let mut link = Some(collection.link(span, FULL_PAGE));
    let mut records = 0;
    let mut requests = 0;
    while let Some(next) = link {
        let mut body = Vec::new();
        MultiGzDecoder::new(&page_bytes(&http, &next, &token).await?[..]).read_to_end(&mut body)?;
        let page: Page = serde_json::from_slice(&body)?;
        requests += 1;
        records += page.value.len() as u64;
        link = page.next_link;
    }
    let seconds = (clock.now() - started_at).as_seconds_f64();
    Ok(Outcome { records, requests, seconds, ..Outcome::default() })
}

/// Fetches a token.
pub(crate) async fn sign_on(http: &Client, source: &Source) -> Result<String, Failure> {
    let form = Serializer::new(String::new())
        .append_pair("grant_type", "client_credentials")
        .append_pair("client_id", &source.client_id)
        .append_pair("client_secret", &source.client_secret)
        .append_pair("scope", "https://graph.microsoft.com/.default")
        .finish();
    let url = format!("{}/{}/oauth2/v2.0/token", source.url, source.tenant_id);
    let request =
        http.post(url).header(CONTENT_TYPE, "application/x-www-form-urlencoded").body(form);
    let answer: Value =
        serde_json::from_slice(&request.send().await?.error_for_status()?.bytes().await?)?;
    Ok(answer["access_token"].as_str().ok_or("the answer to signing on holds no token")?.to_owned())
}

/// A page as it was sent: compressed.
pub(crate) async fn page_bytes(http: &Client, link: &str, token: &str) -> Result<Vec<u8>, Failure> {
    let request = http.get(link).bearer_auth(token).header(ACCEPT_ENCODING, "gzip");
    let request = request.header("Prefer", "include-unknown-enum-members");
    Ok(request.send().await?.error_for_status()?.bytes().await?.into())
}

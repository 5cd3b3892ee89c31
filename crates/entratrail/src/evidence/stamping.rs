//! Time stamps beside checkpoints: asked of a service over HTTP, checked, and written once.

use super::proof_key;
use super::sealing::tree_of;
use super::time_stamp::StampQuery;
use crate::archive::Archive;
use crate::error::Error;
use crate::log::Log;
use crate::object::Precondition;
use aws_lc_rs::rand::{SecureRandom as _, SystemRandom};
use bytes::Bytes;
use entratrail_graph::http::HttpClient;
use http::Request;
use http_body_util::{BodyExt as _, Full, Limited};
use std::time::Duration;
use url::Url;

/// Longest time that a service may take.
const LONGEST_WAIT: Duration = Duration::from_secs(20);

/// Bytes of an answer at most; one with its certificates has some thousands.
const LONGEST_ANSWER: usize = 64 * 1024;

/// Has the service at `url` stamp the checkpoint `note` of the log about `log`, unless it is
/// stamped already.
pub async fn stamp(archive: &Archive, log: Log, note: &str, url: &Url) -> Result<(), Error> {
    let Some(tree) = tree_of(note.as_bytes()) else { return Ok(()) };
    let key = proof_key(log, &format!("checkpoints/{}.tsr", tree.size));
    if archive.file(&key).await?.is_some() {
        return Ok(());
    }
    let mut random = [0; 8];
    SystemRandom::new().fill(&mut random).map_err(|_| failed(url, "no random numbers"))?;
    let query = StampQuery::of(note.as_bytes(), random);
    let asked = tokio::time::timeout(LONGEST_WAIT, ask(url, query.to_der())).await;
    let answer = asked.map_err(|_| failed(url, "no answer in time"))??;
    query.check(&answer).map_err(|broken| failed(url, &broken.0))?;
    archive.put_file(&key, answer.into(), Precondition::Absent).await.map(drop)
}

async fn ask(url: &Url, query: Vec<u8>) -> Result<Bytes, Error> {
    let request = Request::post(url.as_str()).header("content-type", "application/timestamp-query");
    let request = request
        .body(Full::new(Bytes::from(query)))
        .map_err(|error| failed(url, "no valid address").with_source(error))?;
    let answer = HttpClient::new(url)?
        .send(request)
        .await
        .map_err(|error| failed(url, "no connection").with_source(error))?;
    if !answer.status().is_success() {
        return Err(failed(url, &format!("status {}", answer.status().as_u16())));
    }
    let body = Limited::new(answer.into_body(), LONGEST_ANSWER).collect().await;
    Ok(body.map_err(|error| failed(url, "no whole answer").with_source(error))?.to_bytes())
}

fn failed(url: &Url, reason: &str) -> Error {
    let host = url.host_str().unwrap_or_default();
    Error::archive(format!(
        "{host} gave no time stamp for the latest checkpoint ({reason}); the next run asks again"
    ))
}

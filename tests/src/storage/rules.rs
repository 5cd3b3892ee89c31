//! Refusals of S3 that the server behind does not know, each with the page that states it.

use super::{BUCKET, REGION, Step};
use bytes::Bytes;
use hyper::http::HeaderMap;
use hyper::http::request::Parts;
use hyper::{Method, Response, StatusCode};
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The account that owns the bucket.
pub const OWNER: &str = "111122223333";

/// The access key of whoever is bound by the bucket's policy.
pub(super) const BOUND: &str = "test";

/// An answer that S3 gives in place of doing what it was asked.
#[derive(Debug, Clone)]
pub struct Refusal {
    step: Step,
    status: u16,
    code: &'static str,
    requests: u32,
}

impl Refusal {
    /// Refuses that many requests of the kind.
    pub fn of(step: Step, status: u16, code: &'static str, requests: u32) -> Self {
        Self { step, status, code, requests }
    }
}

/// The state that the rules need.
#[derive(Debug, Default)]
pub(super) struct Rules {
    /// The checksum algorithm of each multipart upload.
    algorithms: Mutex<BTreeMap<String, Option<String>>>,
    scripted: Mutex<Vec<Refusal>>,
    demands_encryption: Mutex<bool>,
}

impl Rules {
    pub(super) fn script(&self, refusal: Refusal) {
        lock(&self.scripted).push(refusal);
    }

    pub(super) fn demand_encryption(&self) {
        *lock(&self.demands_encryption) = true;
    }

    /// The refusal of a request, if any.
    pub(super) fn refuse(
        &self,
        request: &Parts,
        body: &[u8],
        step: Option<Step>,
    ) -> Option<Response<s3s::Body>> {
        self.refuse_as_told(step)
            .or_else(|| refuse_other_region(&request.headers))
            .or_else(|| refuse_other_owner(&request.headers))
            .or_else(|| self.refuse_by_policy(request))
            .or_else(|| self.refuse_part_checksum(request, body))
    }

    /// Takes note of the algorithm with which a multipart upload was begun.
    pub(super) fn note(&self, request: &Parts, answer: &[u8]) {
        let is_begin = request.method == Method::POST && query(request).contains("uploads");
        let text = String::from_utf8_lossy(answer);
        let id = text.split_once("<UploadId>").and_then(|(_, rest)| rest.split_once("</UploadId>"));
        if let Some((id, _)) = id.filter(|_| is_begin) {
            let algorithm = header(&request.headers, "x-amz-checksum-algorithm").map(str::to_owned);
            lock(&self.algorithms).insert(id.to_owned(), algorithm);
        }
    }

    /// Gives the checksum of a part back, as S3 does whether or not the upload was begun with its
    /// algorithm. <https://docs.aws.amazon.com/AmazonS3/latest/API/API_UploadPart.html>
    pub(super) fn echo(request: &Parts, answer: &mut HeaderMap) {
        const CHECKSUM: &str = "x-amz-checksum-crc32";
        let checksum =
            request.headers.get(CHECKSUM).filter(|_| query(request).contains("partNumber"));
        if let Some(checksum) = checksum {
            answer.insert(CHECKSUM, checksum.clone());
        }
    }

    fn refuse_as_told(&self, step: Option<Step>) -> Option<Response<s3s::Body>> {
        let mut scripted = lock(&self.scripted);
        let refusal = scripted
            .iter_mut()
            .find(|refusal| Some(refusal.step) == step && refusal.requests > 0)?;
        refusal.requests -= 1;
        Some(answer(refusal.status, refusal.code, "as the test asked"))
    }

    /// A statement that denies writes without a condition lets the parts of an upload through,
    /// which cannot carry one.
    /// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes-enforce.html>
    fn refuse_by_policy(&self, request: &Parts) -> Option<Response<s3s::Body>> {
        let headers = &request.headers;
        let credential = header(headers, "authorization").unwrap_or_default();
        if !credential.contains(&format!("Credential={BOUND}/")) {
            return None;
        }
        let is_write = request.method == Method::PUT || request.method == Method::POST;
        let is_part = query(request).contains("partNumber");
        let is_begin = query(request).contains("uploads");
        let is_complete = !is_part && query(request).contains("uploadId");
        let is_unencrypted =
            !is_part && !is_complete && header(headers, "x-amz-server-side-encryption").is_none();
        let is_creation = is_write && !is_part && !is_begin;
        let key = request.uri.path().strip_prefix(&format!("/{BUCKET}/")).unwrap_or_default();
        let is_new = header(headers, "if-none-match").is_some();
        let is_replacement = header(headers, "if-match").is_some();
        let is_denied = if key.starts_with("raw/") {
            is_creation && !is_new
        } else if key.starts_with("ledger/") {
            is_creation && !is_new && !is_replacement
        } else {
            false
        };
        let is_denied =
            is_denied || (is_write && is_unencrypted && *lock(&self.demands_encryption));
        is_denied.then(|| answer(403, "AccessDenied", "explicit deny in a resource-based policy"))
    }

    /// A checksum of a part counts only in an upload that was begun with its algorithm.
    /// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_CompletedPart.html>
    fn refuse_part_checksum(&self, request: &Parts, body: &[u8]) -> Option<Response<s3s::Body>> {
        let id = query(request).split('&').find_map(|pair| pair.strip_prefix("uploadId="));
        let id = id.filter(|_| request.method == Method::POST)?;
        let algorithm = lock(&self.algorithms).get(id).cloned().flatten();
        let text = String::from_utf8_lossy(body);
        let named = text.split("<Checksum").nth(1).and_then(|rest| rest.split_once('>'));
        let is_other = named.is_some_and(|(named, _)| Some(named) != algorithm.as_deref());
        let reason = "one or more of the specified parts could not be found";
        is_other.then(|| answer(400, "InvalidPart", reason))
    }
}

/// A region knows its own buckets only, and names the one to ask.
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/Redirects.html>
fn refuse_other_region(headers: &HeaderMap) -> Option<Response<s3s::Body>> {
    let authorization = header(headers, "authorization")?;
    let region = authorization.split_once("Credential=")?.1.split('/').nth(2)?;
    let mut refusal = answer(301, "PermanentRedirect", "use the specified endpoint");
    refusal.headers_mut().insert("x-amz-bucket-region", REGION.parse().ok()?);
    (region != REGION).then_some(refusal)
}

/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-owner-condition.html>
fn refuse_other_owner(headers: &HeaderMap) -> Option<Response<s3s::Body>> {
    let expected = header(headers, "x-amz-expected-bucket-owner")?;
    (expected != OWNER).then(|| answer(403, "AccessDenied", "the bucket has another owner"))
}

fn answer(status: u16, code: &str, message: &str) -> Response<s3s::Body> {
    let text = format!(
        "<?xml version=\"1.0\" \
         encoding=\"UTF-8\"?><Error><Code>{code}</Code><Message>{message}</Message><RequestId>4442587FB7D0A2F9</RequestId></Error>"
    );
    let mut response = Response::new(s3s::Body::from(Bytes::from(text)));
    *response.status_mut() =
        StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response
}

fn header<'request>(headers: &'request HeaderMap, name: &str) -> Option<&'request str> {
    headers.get(name)?.to_str().ok()
}

fn query(request: &Parts) -> &str {
    request.uri.query().unwrap_or_default()
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

//! What a refusal by S3 means for the operator.

use super::Bucket;
use crate::error::Error;
use aws_sdk_s3::config::http::HttpResponse;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::operation::RequestId;

/// What was tried.
#[derive(Debug, Clone, Copy)]
pub(super) enum Action {
    Read,
    Write,
    List,
}

/// Whether the object is not there.
pub(super) fn is_missing<E: ProvideErrorMetadata>(error: &SdkError<E, HttpResponse>) -> bool {
    matches!(error.code(), Some("NoSuchKey" | "NotFound"))
}

/// Whether the condition of a write did not hold, or held no longer. That a multipart upload is gone says the
/// same: it was completed by a first try whose answer got lost.
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html>
pub(super) fn is_conflict<E: ProvideErrorMetadata>(error: &SdkError<E, HttpResponse>) -> bool {
    let status = error.raw_response().map(|response| response.status().as_u16());
    matches!(status, Some(412 | 409)) || matches!(error.code(), Some("NoSuchUpload")) || is_missing(error)
}

impl Bucket {
    /// The error of a request that S3 refused or did not answer.
    pub(super) fn failed<E>(&self, action: Action, key: &str, error: &SdkError<E, HttpResponse>) -> Error
    where
        E: ProvideErrorMetadata + RequestId,
    {
        let verb = match action {
            Action::Read => "read",
            Action::Write => "written",
            Action::List => "listed",
        };
        let status = error.raw_response().map_or(0, |response| response.status().as_u16());
        let code = error.code().unwrap_or(if status == 0 { "no answer" } else { "no error code" });
        let request_id = error.as_service_error().and_then(RequestId::request_id).unwrap_or("none");
        let bucket = &self.name;
        let advice = match code {
            "NoSuchBucket" => "the bucket does not exist: check ARCHIVE_BUCKET",
            "AccessDenied" => {
                "the function's role may not do that: check its policy, the bucket's and the key's"
            }
            "NoSuchKey" => {
                "the ledger names this object, and it is gone: restore it from a backup or an earlier version"
            }
            _ if status == 0 => "S3 could not be reached: check region, network and endpoint",
            _ => "the next run tries again",
        };
        Error::Archive(format!(
            "s3://{bucket}/{key} could not be {verb} ({code}, status {status}, request-id {request_id}); {advice}"
        ))
    }
}

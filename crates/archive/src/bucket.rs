//! An archive in an S3 bucket.

mod failure;
mod multipart;
mod patience;

pub(super) use multipart::BucketUpload;

use super::store::{Checksum, Depth, Listed};
use aws_sdk_s3::Client;
use aws_sdk_s3::operation::get_object::builders::GetObjectFluentBuilder;
use aws_sdk_s3::operation::put_object::builders::PutObjectFluentBuilder;
use aws_sdk_s3::primitives::{ByteStream, ByteStreamError, DateTime as AwsDateTime};
use aws_sdk_s3::types::{ChecksumAlgorithm, ChecksumMode, ServerSideEncryption};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use chrono::{DateTime, Utc};
use entratrail_core::config::Encryption;
use entratrail_core::error::Error;
use entratrail_core::log::Log;
use entratrail_core::object::{Precondition, StoredFile, Written, check_key};
use entratrail_core::raw::{PART_BYTES, hexadecimal};
use failure::{BucketAction, is_conflict, is_missing};
use patience::{is_busy, is_busy_or_contended, patiently};
use std::path::Path;

/// A bucket with the layout of the archive, and how it is reached.
#[derive(Debug, Clone)]
pub struct Bucket {
    s3: Client,
    name: String,
    operator: Operator,
    owner: Option<String>,
    encryption: Option<Encryption>,
}

/// Whoever reads an error: advice that helps one does not help the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operator {
    /// A function with a role, which somebody has deployed.
    Function,
    /// A person with credentials, at a terminal.
    Person,
}

/// An object that is being downloaded.
#[derive(Debug)]
pub(super) struct BucketStream {
    address: String,
    body: ByteStream,
    pub(super) stored_at: DateTime<Utc>,
}

impl Bucket {
    /// The bucket of that name.
    pub fn new(s3: Client, name: String, operator: Operator) -> Self {
        Self { s3, name, operator, owner: None, encryption: None }
    }

    /// Has S3 refuse every request where the bucket belongs to another account: its name may have
    /// been mistyped, or taken by somebody else after it was deleted.
    #[must_use]
    pub fn owned_by(self, account: String) -> Self {
        Self { owner: Some(account), ..self }
    }

    /// Names `encryption` in each write.
    #[must_use]
    pub fn encrypted(self, encryption: Encryption) -> Self {
        Self { encryption: Some(encryption), ..self }
    }

    /// Address of an object, for messages.
    pub fn address(&self, key: &str) -> String {
        format!("s3://{}/{key}", self.name)
    }

    /// Reads an object as a whole, with its version; `None` where there is none.
    pub async fn get(&self, key: &str) -> Result<Option<StoredFile>, Error> {
        let object = match patiently(is_busy, || self.get_object(key).send()).await {
            Ok(object) => object,
            Err(error) if is_missing(&error) => return Ok(None),
            Err(error) => return Err(self.failed(BucketAction::Read, key, &error)),
        };
        let version = object.e_tag;
        let body =
            object.body.collect().await.map_err(|error| broke_off(&self.address(key), error))?;
        Ok(Some(StoredFile { body: body.to_vec(), version }))
    }

    pub(super) async fn get_stream(&self, key: &str) -> Result<BucketStream, Error> {
        let found = patiently(is_busy, || self.get_object(key).send()).await;
        let found = found.map_err(|error| self.failed(BucketAction::Read, key, &error))?;
        let stored_at = to_chrono(found.last_modified);
        Ok(BucketStream { address: self.address(key), body: found.body, stored_at })
    }

    /// Writes an object.
    pub async fn put(
        &self,
        key: &str,
        body: Vec<u8>,
        when: Precondition,
    ) -> Result<Written, Error> {
        let body = Bytes::from(body);
        let (if_match, if_none_match) = condition_headers(&when);
        let written = patiently(is_busy_or_contended, || {
            let request = self.put_object(key, body.clone()).set_if_match(if_match.clone());
            request.set_if_none_match(if_none_match.clone()).send()
        })
        .await;
        match written {
            Ok(_) => Ok(Written::Yes),
            Err(error) if when != Precondition::None && is_conflict(&error) => {
                Ok(Written::ConditionFailed)
            }
            Err(error) => Err(self.failed(BucketAction::Write, key, &error)),
        }
    }

    pub(super) async fn list(
        &self,
        prefix: &str,
        after: Option<String>,
        end: Option<&str>,
        depth: Depth,
    ) -> Result<Vec<Listed>, Error> {
        let mut listed = Vec::new();
        let mut next = None;
        loop {
            let page = patiently(is_busy, || {
                let request = self.s3.list_objects_v2().bucket(&self.name).prefix(prefix);
                let request = request.set_expected_bucket_owner(self.owner.clone());
                let request =
                    request.set_start_after(after.clone()).set_continuation_token(next.clone());
                request.set_delimiter((depth == Depth::Folder).then(|| "/".to_owned())).send()
            })
            .await;
            let page = page.map_err(|error| self.failed(BucketAction::List, prefix, &error))?;
            for object in page.contents.unwrap_or_default() {
                let Some(key) = object.key else { continue };
                if end.is_some_and(|end| key.as_str() >= end) {
                    return Ok(listed);
                }
                let bytes = object.size.and_then(|size| u64::try_from(size).ok()).unwrap_or(0);
                listed.push(Listed { key, bytes, modified: to_chrono(object.last_modified) });
            }
            next = page.next_continuation_token;
            if next.is_none() {
                return Ok(listed);
            }
        }
    }

    /// A checksum of all bytes has 32; that of an object made of parts covers the checksums of
    /// these.
    /// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity-upload.html>
    pub(super) async fn checksum(&self, key: &str) -> Result<Checksum, Error> {
        let found = patiently(is_busy, || {
            let request = self.s3.head_object().bucket(&self.name).key(key);
            let request = request.set_expected_bucket_owner(self.owner.clone());
            request.checksum_mode(ChecksumMode::Enabled).send()
        })
        .await;
        match found {
            Ok(object) => {
                let sha256 = object.checksum_sha256.and_then(|text| STANDARD.decode(text).ok());
                let sha256 = sha256.filter(|bytes| bytes.len() == 32);
                Ok(sha256.map_or(Checksum::Unknown, |bytes| Checksum::Sha256(hexadecimal(&bytes))))
            }
            Err(error) if is_missing(&error) => Ok(Checksum::Gone),
            Err(error) => Err(self.failed(BucketAction::Read, key, &error)),
        }
    }

    /// Creates an object of two parts, or finds the one that an earlier check has created. Only a
    /// completed upload shows that parts, checksums, condition, encryption and policy are as S3
    /// wants them.
    pub(super) async fn check_write(&self, log: Log) -> Result<(), Error> {
        let mut object = self.start_multipart(&check_key(log)).await?;
        for part in [vec![0; PART_BYTES], b"written by a check\n".to_vec()] {
            if let Err(error) = object.put_part(part).await {
                object.abort().await;
                return Err(error);
            }
        }
        object.complete(Precondition::Absent).await.map(drop)
    }

    fn get_object(&self, key: &str) -> GetObjectFluentBuilder {
        let request = self.s3.get_object().bucket(&self.name).key(key);
        request.set_expected_bucket_owner(self.owner.clone())
    }

    /// Every write to a bucket with Object Lock has to carry a checksum. SHA-256 is the one that
    /// the ledger has too.
    fn put_object(&self, key: &str, body: Bytes) -> PutObjectFluentBuilder {
        let request = self.s3.put_object().bucket(&self.name).key(key).body(body.into());
        let request = request.set_expected_bucket_owner(self.owner.clone());
        let request = request.checksum_algorithm(ChecksumAlgorithm::Sha256);
        let request = request.set_content_type(content_type(key));
        let request = request.set_server_side_encryption(self.encryption_method());
        request.set_ssekms_key_id(self.encryption_key())
    }

    fn encryption_method(&self) -> Option<ServerSideEncryption> {
        self.encryption.as_ref().map(|encryption| match encryption {
            Encryption::S3 => ServerSideEncryption::Aes256,
            Encryption::Key(_) => ServerSideEncryption::AwsKms,
        })
    }

    fn encryption_key(&self) -> Option<String> {
        match &self.encryption {
            Some(Encryption::Key(arn)) => Some(arn.clone()),
            Some(Encryption::S3) | None => None,
        }
    }
}

impl BucketStream {
    pub(super) async fn next(&mut self) -> Result<Option<Bytes>, Error> {
        self.body.next().await.transpose().map_err(|error| broke_off(&self.address, error))
    }
}

/// Headers `If-Match` and `If-None-Match` of a conditional write.
fn condition_headers(when: &Precondition) -> (Option<String>, Option<String>) {
    match when {
        Precondition::None => (None, None),
        Precondition::Absent => (None, Some("*".to_owned())),
        Precondition::Version(version) => (Some(version.clone()), None),
    }
}

/// Content type by which a browser shows an object as the text that it is.
fn content_type(key: &str) -> Option<String> {
    let is_lines = Path::new(key).extension().is_some_and(|extension| extension == "ndjson");
    is_lines.then(|| "application/x-ndjson".to_owned())
}

fn broke_off(address: &str, error: ByteStreamError) -> Error {
    Error::archive(format!("reading {address} broke off; the next run tries again"))
        .with_source(error)
}

fn to_chrono(time: Option<AwsDateTime>) -> DateTime<Utc> {
    time.and_then(|time| DateTime::from_timestamp(time.secs(), time.subsec_nanos()))
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::NaiveDate;
    use entratrail_core::log::Stream;
    use entratrail_core::object::ledger_key;

    #[test]
    fn a_ledger_is_text_to_a_browser() {
        let key = ledger_key(Stream::DirectoryAudits, NaiveDate::default());
        assert_eq!(content_type(&key).as_deref(), Some("application/x-ndjson"), "{key}");
        assert_eq!(content_type("findings/told.json"), None);
    }
}

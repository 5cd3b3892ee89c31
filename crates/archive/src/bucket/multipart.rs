//! A large object, sent part by part.

use super::Bucket;
use super::failure::{BucketAction, is_conflict};
use super::patience::{is_busy, is_busy_or_contended, patiently};
use aws_sdk_s3::operation::complete_multipart_upload::builders;
use aws_sdk_s3::types::{ChecksumAlgorithm, CompletedMultipartUpload, CompletedPart};
use bytes::Bytes;
use entratrail_core::error::Error;

/// A multipart upload: nothing of it is visible before it is complete.
#[derive(Debug)]
pub(crate) struct Multipart<'bucket> {
    bucket: &'bucket Bucket,
    key: String,
    id: String,
    parts: Vec<CompletedPart>,
}

/// Objects whose place a completed upload may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Replaces {
    Nothing,
    Anything,
}

impl Bucket {
    /// Names the algorithm of the checksums: S3 refuses the checksum of a part where the upload was
    /// begun without one.
    /// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity-upload.html>
    pub(crate) async fn begin(&self, key: &str) -> Result<Multipart<'_>, Error> {
        let begun = patiently(is_busy_or_contended, || {
            let request = self.s3.create_multipart_upload().bucket(&self.name).key(key);
            let request = request.set_expected_bucket_owner(self.owner.clone());
            let request = request.checksum_algorithm(ChecksumAlgorithm::Crc32);
            let request = request.set_server_side_encryption(self.encryption_method());
            request.set_ssekms_key_id(self.encryption_key()).send()
        })
        .await;
        let begun = begun.map_err(|error| self.failed(BucketAction::Write, key, &error))?;
        let id = begun.upload_id.unwrap_or_default();
        Ok(Multipart { bucket: self, key: key.to_owned(), id, parts: Vec::new() })
    }
}

impl Multipart<'_> {
    pub(crate) async fn send(&mut self, bytes: Vec<u8>) -> Result<(), Error> {
        let Self { bucket, key, id, parts } = self;
        let number = i32::try_from(parts.len() + 1).unwrap_or(i32::MAX);
        let bytes = Bytes::from(bytes);
        let sent = patiently(is_busy_or_contended, || {
            let request = bucket.s3.upload_part().bucket(&bucket.name).key(&*key).upload_id(&*id);
            let request = request.set_expected_bucket_owner(bucket.owner.clone());
            let request = request.checksum_algorithm(ChecksumAlgorithm::Crc32);
            request.part_number(number).body(bytes.clone().into()).send()
        })
        .await;
        let sent = sent.map_err(|error| bucket.failed(BucketAction::Write, key, &error))?;
        let part = CompletedPart::builder().part_number(number).set_e_tag(sent.e_tag);
        parts.push(part.set_checksum_crc32(sent.checksum_crc32).build());
        Ok(())
    }

    pub(crate) async fn complete(self) -> Result<bool, Error> {
        self.complete_as(Replaces::Nothing).await
    }

    pub(crate) async fn put(self) -> Result<(), Error> {
        self.complete_as(Replaces::Anything).await.map(drop)
    }

    /// Completes the upload; false where it must replace nothing and there is an object.
    async fn complete_as(self, replaces: Replaces) -> Result<bool, Error> {
        let completed = match replaces {
            Replaces::Nothing => patiently(is_busy, || self.completion(replaces).send()).await,
            Replaces::Anything => {
                patiently(is_busy_or_contended, || self.completion(replaces).send()).await
            }
        };
        let Err(error) = completed else { return Ok(true) };
        if self.abort().await.is_err() {
            self.warn();
        }
        let is_there = replaces == Replaces::Nothing && is_conflict(&error);
        if is_there {
            Ok(false)
        } else {
            Err(self.bucket.failed(BucketAction::Write, &self.key, &error))
        }
    }

    fn completion(&self, replaces: Replaces) -> builders::CompleteMultipartUploadFluentBuilder {
        let Self { bucket, key, id, parts } = self;
        let parts = CompletedMultipartUpload::builder().set_parts(Some(parts.clone())).build();
        let request = bucket.s3.complete_multipart_upload().bucket(&bucket.name).key(key);
        let request = request.set_expected_bucket_owner(bucket.owner.clone());
        let request = request.upload_id(id).multipart_upload(parts);
        let must_be_new = (replaces == Replaces::Nothing).then(|| "*".to_owned());
        request.set_if_none_match(must_be_new)
    }

    async fn abort(&self) -> Result<(), Error> {
        let Self { bucket, key, id, .. } = self;
        let request =
            bucket.s3.abort_multipart_upload().bucket(&bucket.name).key(key).upload_id(id);
        let ended = request.set_expected_bucket_owner(bucket.owner.clone()).send().await;
        ended.map(drop).map_err(|error| bucket.failed(BucketAction::Write, key, &error))
    }

    pub(crate) async fn give_up(self) {
        if self.abort().await.is_err() {
            self.warn();
        }
    }

    fn warn(&self) {
        let key = &self.key;
        tracing::warn!(
            key,
            "an unfinished upload could not be given up; the bucket's life cycle removes it"
        );
    }
}

//! A large object that is uploaded in parts.

use super::failure::{BucketAction, is_conflict};
use super::patience::{is_busy, is_busy_or_contended, patiently};
use super::{Bucket, condition_headers};
use aws_sdk_s3::operation::complete_multipart_upload::builders::CompleteMultipartUploadFluentBuilder;
use aws_sdk_s3::types::{ChecksumAlgorithm, CompletedMultipartUpload, CompletedPart};
use bytes::Bytes;
use entratrail_core::error::Error;
use entratrail_core::object::{Precondition, Written};

/// A multipart upload: nothing of it is visible before it is complete.
#[derive(Debug)]
pub(crate) struct BucketUpload<'bucket> {
    bucket: &'bucket Bucket,
    key: String,
    id: String,
    parts: Vec<CompletedPart>,
}

impl Bucket {
    /// Names the algorithm of the checksums: S3 refuses the checksum of a part where the upload was
    /// begun without one.
    /// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity-upload.html>
    pub(crate) async fn start_multipart(&self, key: &str) -> Result<BucketUpload<'_>, Error> {
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
        Ok(BucketUpload { bucket: self, key: key.to_owned(), id, parts: Vec::new() })
    }
}

impl BucketUpload<'_> {
    pub(crate) async fn put_part(&mut self, part: Vec<u8>) -> Result<(), Error> {
        let Self { bucket, key, id, parts } = self;
        let number = i32::try_from(parts.len() + 1).unwrap_or(i32::MAX);
        let part = Bytes::from(part);
        let sent = patiently(is_busy_or_contended, || {
            let request = bucket.s3.upload_part().bucket(&bucket.name).key(&*key).upload_id(&*id);
            let request = request.set_expected_bucket_owner(bucket.owner.clone());
            let request = request.checksum_algorithm(ChecksumAlgorithm::Crc32);
            request.part_number(number).body(part.clone().into()).send()
        })
        .await;
        let sent = sent.map_err(|error| bucket.failed(BucketAction::Write, key, &error))?;
        let part = CompletedPart::builder().part_number(number).set_e_tag(sent.e_tag);
        parts.push(part.set_checksum_crc32(sent.checksum_crc32).build());
        Ok(())
    }

    /// Completes the upload. The parts of a conditional one are spent where S3 answers that
    /// somebody else writes the object: it is not sent again.
    pub(crate) async fn complete(self, when: Precondition) -> Result<Written, Error> {
        let completed = match when {
            Precondition::None => {
                patiently(is_busy_or_contended, || self.completion(&when).send()).await
            }
            Precondition::Absent | Precondition::Version(_) => {
                patiently(is_busy, || self.completion(&when).send()).await
            }
        };
        let Err(error) = completed else { return Ok(Written::Yes) };
        let failed = self.bucket.failed(BucketAction::Write, &self.key, &error);
        self.abort().await;
        if when != Precondition::None && is_conflict(&error) {
            Ok(Written::ConditionFailed)
        } else {
            Err(failed)
        }
    }

    fn completion(&self, when: &Precondition) -> CompleteMultipartUploadFluentBuilder {
        let Self { bucket, key, id, parts } = self;
        let parts = CompletedMultipartUpload::builder().set_parts(Some(parts.clone())).build();
        let (if_match, if_none_match) = condition_headers(when);
        let request = bucket.s3.complete_multipart_upload().bucket(&bucket.name).key(key);
        let request = request.set_expected_bucket_owner(bucket.owner.clone());
        let request = request.upload_id(id).multipart_upload(parts);
        request.set_if_match(if_match).set_if_none_match(if_none_match)
    }

    /// Gives the object up.
    pub(crate) async fn abort(self) {
        let Self { bucket, key, id, .. } = self;
        let request =
            bucket.s3.abort_multipart_upload().bucket(&bucket.name).key(&key).upload_id(id);
        if request.set_expected_bucket_owner(bucket.owner.clone()).send().await.is_err() {
            tracing::warn!(
                key,
                "an unfinished upload could not be aborted; the bucket's lifecycle removes it"
            );
        }
    }
}

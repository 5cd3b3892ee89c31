//! A large object, sent part by part.

use super::Bucket;
use super::failure::{Action, is_conflict};
use crate::error::Error;
use aws_sdk_s3::types::{CompletedMultipartUpload, CompletedPart};

/// A multipart upload: nothing of it is visible before it is complete.
#[derive(Debug)]
pub(in crate::archive) struct Multipart<'bucket> {
    bucket: &'bucket Bucket,
    key: String,
    id: String,
    parts: Vec<CompletedPart>,
}

impl Bucket {
    pub(in crate::archive) async fn begin(&self, key: &str) -> Result<Multipart<'_>, Error> {
        let begun = self.s3.create_multipart_upload().bucket(&self.name).key(key).send().await;
        let begun = begun.map_err(|error| self.failed(Action::Write, key, &error))?;
        let id = begun.upload_id.unwrap_or_default();
        Ok(Multipart { bucket: self, key: key.to_owned(), id, parts: Vec::new() })
    }
}

impl Multipart<'_> {
    pub(in crate::archive) async fn send(&mut self, bytes: Vec<u8>) -> Result<(), Error> {
        let Self { bucket, key, id, parts } = self;
        let number = i32::try_from(parts.len() + 1).unwrap_or(i32::MAX);
        let request = bucket.s3.upload_part().bucket(&bucket.name).key(&*key).upload_id(&*id);
        let sent = request.part_number(number).body(bytes.into()).send().await;
        let sent = sent.map_err(|error| bucket.failed(Action::Write, key, &error))?;
        let part = CompletedPart::builder().part_number(number).set_e_tag(sent.e_tag);
        parts.push(part.set_checksum_crc32(sent.checksum_crc32).build());
        Ok(())
    }

    pub(in crate::archive) async fn complete(self) -> Result<bool, Error> {
        self.complete_where(Some("*".to_owned())).await
    }

    pub(in crate::archive) async fn put(self) -> Result<(), Error> {
        self.complete_where(None).await.map(drop)
    }

    /// Completes the upload; false where an object matches `none`.
    async fn complete_where(self, none: Option<String>) -> Result<bool, Error> {
        let Self { bucket, key, id, parts } = &self;
        let parts = CompletedMultipartUpload::builder().set_parts(Some(parts.clone())).build();
        let request = bucket.s3.complete_multipart_upload().bucket(&bucket.name).key(key);
        let request = request.upload_id(id).multipart_upload(parts).set_if_none_match(none.clone());
        let Err(error) = request.send().await else { return Ok(true) };
        if self.abort().await.is_err() {
            self.warn();
        }
        let is_there = none.is_some() && is_conflict(&error);
        if is_there { Ok(false) } else { Err(bucket.failed(Action::Write, key, &error)) }
    }

    pub(in crate::archive) async fn abort(&self) -> Result<(), Error> {
        let Self { bucket, key, id, .. } = self;
        let request = bucket.s3.abort_multipart_upload().bucket(&bucket.name).key(key).upload_id(id);
        let ended = request.send().await;
        ended.map(drop).map_err(|error| bucket.failed(Action::Write, key, &error))
    }

    pub(in crate::archive) async fn give_up(self) {
        if self.abort().await.is_err() {
            self.warn();
        }
    }

    fn warn(&self) {
        let key = &self.key;
        tracing::warn!(key, "an unfinished upload could not be given up; the bucket's life cycle removes it");
    }
}

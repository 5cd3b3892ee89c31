//! Creating a raw object: streamed where it is large, and only where nothing has that name yet.

use super::failure::{Action, is_conflict};
use super::{Archive, body};
use crate::error::Error;
use crate::raw::{ObjectDigest, RawEncoder};
use aws_sdk_s3::types::{CompletedMultipartUpload, CompletedPart};

/// An object that is being made. It appears in the bucket when it is created, whole, or not at all.
#[derive(Debug)]
pub struct Upload<'archive> {
    archive: &'archive Archive,
    key: String,
    encoder: RawEncoder,
    multipart: Option<Multipart>,
}

/// An object that only needs to be created.
#[derive(Debug)]
pub struct PreparedObject<'archive> {
    archive: &'archive Archive,
    key: String,
    content: Content,
    /// What it will hold.
    pub digest: ObjectDigest,
}

#[derive(Debug)]
enum Content {
    Whole(Vec<u8>),
    Parts(Multipart),
}

#[derive(Debug, Default)]
struct Multipart {
    id: String,
    parts: Vec<CompletedPart>,
}

impl Archive {
    /// Starts an object; nothing is sent before a part is full.
    pub fn upload(&self, key: String) -> Upload<'_> {
        Upload { archive: self, key, encoder: RawEncoder::default(), multipart: None }
    }

    async fn begin_multipart(&self, key: &str) -> Result<Multipart, Error> {
        let begun = self.s3.create_multipart_upload().bucket(&self.bucket).key(key).send().await;
        let begun = begun.map_err(|error| self.failed(Action::Write, key, &error))?;
        Ok(Multipart { id: begun.upload_id.unwrap_or_default(), parts: Vec::new() })
    }

    async fn send_part(&self, key: &str, multipart: &mut Multipart, bytes: Vec<u8>) -> Result<(), Error> {
        let number = i32::try_from(multipart.parts.len() + 1).unwrap_or(i32::MAX);
        let request = self.s3.upload_part().bucket(&self.bucket).key(key).upload_id(&multipart.id);
        let sent = request.part_number(number).body(body(bytes)).send().await;
        let sent = sent.map_err(|error| self.failed(Action::Write, key, &error))?;
        let part = CompletedPart::builder().part_number(number).set_e_tag(sent.e_tag);
        multipart.parts.push(part.set_checksum_crc32(sent.checksum_crc32).build());
        Ok(())
    }

    async fn abort(&self, key: &str, multipart: &Multipart) {
        let request = self.s3.abort_multipart_upload().bucket(&self.bucket).key(key).upload_id(&multipart.id);
        if request.send().await.is_err() {
            tracing::warn!(
                key,
                "an unfinished upload could not be given up; the bucket's life cycle removes it"
            );
        }
    }
}

impl<'archive> Upload<'archive> {
    /// Adds one record as a line.
    pub fn push(&mut self, json: &str) -> Result<(), Error> {
        self.encoder
            .push(json)
            .map_err(|error| Error::Archive(format!("{} could not be compressed: {error}", self.key)))
    }

    /// Sends what is enough for a part.
    pub async fn send_full_part(&mut self) -> Result<(), Error> {
        let Some(part) = self.encoder.take_part() else { return Ok(()) };
        if self.multipart.is_none() {
            self.multipart = Some(self.archive.begin_multipart(&self.key).await?);
        }
        match &mut self.multipart {
            Some(multipart) => self.archive.send_part(&self.key, multipart, part).await,
            None => Ok(()),
        }
    }

    /// Ends the content. What is left to do is one request.
    pub async fn prepare(self) -> Result<PreparedObject<'archive>, Error> {
        let Self { archive, key, encoder, multipart } = self;
        let (rest, digest) = encoder
            .finish()
            .map_err(|error| Error::Archive(format!("{key} could not be compressed: {error}")))?;
        let content = match multipart {
            None => Content::Whole(rest),
            Some(mut multipart) => {
                if let Err(error) = archive.send_part(&key, &mut multipart, rest).await {
                    archive.abort(&key, &multipart).await;
                    return Err(error);
                }
                Content::Parts(multipart)
            }
        };
        Ok(PreparedObject { archive, key, content, digest })
    }

    /// Gives the object up.
    pub async fn give_up(self) {
        if let Some(multipart) = &self.multipart {
            self.archive.abort(&self.key, multipart).await;
        }
    }
}

impl PreparedObject<'_> {
    /// Makes the object appear. False where one of that name is there already: then that one stays.
    pub async fn create(self) -> Result<bool, Error> {
        let Self { archive, key, content, .. } = self;
        match content {
            Content::Whole(bytes) => {
                let request = archive.s3.put_object().bucket(&archive.bucket).key(&key).if_none_match("*");
                match request.body(body(bytes)).send().await {
                    Ok(_) => Ok(true),
                    Err(error) if is_conflict(&error) => Ok(false),
                    Err(error) => Err(archive.failed(Action::Write, &key, &error)),
                }
            }
            Content::Parts(multipart) => {
                let parts =
                    CompletedMultipartUpload::builder().set_parts(Some(multipart.parts.clone())).build();
                let request = archive.s3.complete_multipart_upload().bucket(&archive.bucket).key(&key);
                let request = request.upload_id(&multipart.id).multipart_upload(parts).if_none_match("*");
                let Err(error) = request.send().await else { return Ok(true) };
                archive.abort(&key, &multipart).await;
                if is_conflict(&error) { Ok(false) } else { Err(archive.failed(Action::Write, &key, &error)) }
            }
        }
    }

    /// Gives the object up.
    pub async fn give_up(self) {
        if let Content::Parts(multipart) = &self.content {
            self.archive.abort(&self.key, multipart).await;
        }
    }
}

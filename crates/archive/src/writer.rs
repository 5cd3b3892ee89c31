//! Writing an object of any size: in one request where it is small, in parts where it is large.

use super::store::{MultipartUpload, Store};
use crate::Archive;
use entratrail_core::error::Error;
use entratrail_core::object::{Precondition, Written};
use entratrail_core::raw::{ObjectDigest, RawEncoder};
use std::borrow::Cow;

/// Writes a raw object. It appears in the archive when it is created, whole, or not at all.
#[derive(Debug)]
pub struct RawObjectWriter<'archive> {
    writer: ObjectWriter<'archive>,
    encoder: RawEncoder,
}

/// A raw object that only needs to be created.
#[derive(Debug)]
pub struct PreparedObject<'archive> {
    ended: EndedObject<'archive>,
    /// Digest of its content.
    pub digest: ObjectDigest,
}

/// Writes an object, and starts a multipart upload with its first full part.
#[derive(Debug)]
pub(super) struct ObjectWriter<'archive> {
    store: &'archive Store,
    key: String,
    upload: Option<MultipartUpload<'archive>>,
}

/// An object of which everything is written, and which nobody sees yet.
#[derive(Debug)]
pub(super) struct EndedObject<'archive> {
    store: &'archive Store,
    key: String,
    content: EndedContent<'archive>,
}

#[derive(Debug)]
enum EndedContent<'archive> {
    Whole(Vec<u8>),
    Parts(MultipartUpload<'archive>),
}

impl Archive {
    /// Starts a raw object; nothing is sent before a part is full.
    pub fn raw_writer(&self, key: String) -> RawObjectWriter<'_> {
        RawObjectWriter { writer: self.writer(key), encoder: RawEncoder::default() }
    }

    pub(super) fn writer(&self, key: String) -> ObjectWriter<'_> {
        ObjectWriter { store: &self.store, key, upload: None }
    }
}

impl<'archive> RawObjectWriter<'archive> {
    /// Adds one record as a line, and returns that.
    pub fn push<'json>(&mut self, json: &'json [u8]) -> Result<Cow<'json, [u8]>, Error> {
        self.encoder.push(json).map_err(|error| not_compressed(self.writer.key(), error))
    }

    /// Sends what is enough for a part.
    pub async fn put_full_part(&mut self) -> Result<(), Error> {
        match self.encoder.take_part() {
            Some(part) => self.writer.put_part(part).await,
            None => Ok(()),
        }
    }

    /// Ends the content. What is left to do is one request.
    pub async fn prepare(self) -> Result<PreparedObject<'archive>, Error> {
        let Self { writer, encoder } = self;
        let (rest, digest) =
            encoder.finish().map_err(|error| not_compressed(writer.key(), error))?;
        Ok(PreparedObject { ended: writer.end(rest).await?, digest })
    }

    /// Gives the object up.
    pub async fn abort(self) {
        self.writer.abort().await;
    }
}

impl PreparedObject<'_> {
    /// Makes the object appear where none has its name.
    pub async fn create(self) -> Result<Written, Error> {
        self.ended.complete(Precondition::Absent).await
    }

    /// Gives the object up.
    pub async fn abort(self) {
        self.ended.abort().await;
    }
}

impl<'archive> ObjectWriter<'archive> {
    pub(super) fn key(&self) -> &str {
        &self.key
    }

    /// Sends a part.
    pub(super) async fn put_part(&mut self, part: Vec<u8>) -> Result<(), Error> {
        let upload = match &mut self.upload {
            Some(upload) => upload,
            none => none.insert(self.store.start_multipart(&self.key).await?),
        };
        upload.put_part(part).await
    }

    /// Takes the last bytes.
    pub(super) async fn end(self, rest: Vec<u8>) -> Result<EndedObject<'archive>, Error> {
        let Self { store, key, upload } = self;
        let content = match upload {
            None => EndedContent::Whole(rest),
            Some(mut upload) => {
                if let Err(error) = upload.put_part(rest).await {
                    upload.abort().await;
                    return Err(error);
                }
                EndedContent::Parts(upload)
            }
        };
        Ok(EndedObject { store, key, content })
    }

    /// Gives the object up.
    pub(super) async fn abort(self) {
        if let Some(upload) = self.upload {
            upload.abort().await;
        }
    }
}

impl EndedObject<'_> {
    /// Makes the object appear.
    pub(super) async fn complete(self, when: Precondition) -> Result<Written, Error> {
        match self.content {
            EndedContent::Whole(bytes) => self.store.put(&self.key, bytes, when).await,
            EndedContent::Parts(upload) => upload.complete(when).await,
        }
    }

    async fn abort(self) {
        if let EndedContent::Parts(upload) = self.content {
            upload.abort().await;
        }
    }
}

fn not_compressed(key: &str, error: std::io::Error) -> Error {
    Error::archive(format!("{key} could not be compressed: {error}")).with_source(error)
}

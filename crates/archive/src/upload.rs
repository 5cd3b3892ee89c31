//! Creating an object: streamed where it is large. A raw object appears only where nothing has its
//! name yet; a table object takes the place of the one before.

use super::store::{Draft, Store};
use crate::Archive;
use entratrail_core::error::Error;
use entratrail_core::raw::{ObjectDigest, RawEncoder};
use std::borrow::Cow;

/// A raw object that is being made. It appears in the archive when it is created, whole, or not at
/// all.
#[derive(Debug)]
pub struct Upload<'archive> {
    sending: Sending<'archive>,
    encoder: RawEncoder,
}

/// A raw object that only needs to be created.
#[derive(Debug)]
pub struct PreparedObject<'archive> {
    sent: Sent<'archive>,
    /// Digest of its content.
    pub digest: ObjectDigest,
}

/// An object whose bytes are on their way.
#[derive(Debug)]
pub(super) struct Sending<'archive> {
    store: &'archive Store,
    key: String,
    draft: Option<Draft<'archive>>,
}

/// An object of which everything is there, and which nobody sees yet.
#[derive(Debug)]
pub(super) struct Sent<'archive> {
    store: &'archive Store,
    key: String,
    content: SentContent<'archive>,
}

#[derive(Debug)]
enum SentContent<'archive> {
    Whole(Vec<u8>),
    Parts(Draft<'archive>),
}

impl Archive {
    /// Starts a raw object; nothing is sent before a part is full.
    pub fn upload(&self, key: String) -> Upload<'_> {
        Upload { sending: self.sending(key), encoder: RawEncoder::default() }
    }

    pub(super) fn sending(&self, key: String) -> Sending<'_> {
        Sending { store: &self.store, key, draft: None }
    }
}

impl<'archive> Upload<'archive> {
    /// Adds one record as a line, and returns that.
    pub fn push<'json>(&mut self, json: &'json [u8]) -> Result<Cow<'json, [u8]>, Error> {
        self.encoder.push(json).map_err(|error| not_compressed(&self.sending.key, &error))
    }

    /// Sends what is enough for a part.
    pub async fn send_full_part(&mut self) -> Result<(), Error> {
        match self.encoder.take_part() {
            Some(part) => self.sending.send(part).await,
            None => Ok(()),
        }
    }

    /// Ends the content. What is left to do is one request.
    pub async fn prepare(self) -> Result<PreparedObject<'archive>, Error> {
        let Self { sending, encoder } = self;
        let (rest, digest) =
            encoder.finish().map_err(|error| not_compressed(&sending.key, &error))?;
        Ok(PreparedObject { sent: sending.end(rest).await?, digest })
    }

    /// Gives the object up.
    pub async fn give_up(self) {
        self.sending.give_up().await;
    }
}

impl PreparedObject<'_> {
    /// Makes the object appear. False where one of that name is there already: then that one stays.
    pub async fn create(self) -> Result<bool, Error> {
        let Sent { store, key, content } = self.sent;
        match content {
            SentContent::Whole(bytes) => store.create(&key, bytes).await,
            SentContent::Parts(draft) => draft.complete().await,
        }
    }

    /// Gives the object up.
    pub async fn give_up(self) {
        if let SentContent::Parts(draft) = self.sent.content {
            draft.give_up().await;
        }
    }
}

impl<'archive> Sending<'archive> {
    pub(super) fn key(&self) -> &str {
        &self.key
    }

    /// Sends a part.
    pub(super) async fn send(&mut self, part: Vec<u8>) -> Result<(), Error> {
        let draft = match &mut self.draft {
            Some(draft) => draft,
            none => none.insert(self.store.begin(&self.key).await?),
        };
        draft.send(part).await
    }

    /// Takes the last bytes.
    pub(super) async fn end(self, rest: Vec<u8>) -> Result<Sent<'archive>, Error> {
        let Self { store, key, draft } = self;
        let content = match draft {
            None => SentContent::Whole(rest),
            Some(mut draft) => {
                if let Err(error) = draft.send(rest).await {
                    draft.give_up().await;
                    return Err(error);
                }
                SentContent::Parts(draft)
            }
        };
        Ok(Sent { store, key, content })
    }

    pub(super) async fn give_up(self) {
        if let Some(draft) = self.draft {
            draft.give_up().await;
        }
    }
}

impl Sent<'_> {
    /// Makes the object appear in the place of whatever has its name.
    pub(super) async fn put(self) -> Result<(), Error> {
        match self.content {
            SentContent::Whole(bytes) => self.store.put(&self.key, bytes).await,
            SentContent::Parts(draft) => draft.put().await,
        }
    }
}

fn not_compressed(key: &str, error: &std::io::Error) -> Error {
    Error::Archive(format!("{key} could not be compressed: {error}"))
}

//! Creating a raw object: streamed where it is large, and only where nothing has that name yet.

use super::Archive;
use super::store::{Draft, Store};
use crate::error::Error;
use crate::raw::{ObjectDigest, RawEncoder};

/// An object that is being made. It appears in the archive when it is created, whole, or not at all.
#[derive(Debug)]
pub struct Upload<'archive> {
    store: &'archive Store,
    key: String,
    encoder: RawEncoder,
    draft: Option<Draft<'archive>>,
}

/// An object that only needs to be created.
#[derive(Debug)]
pub struct PreparedObject<'archive> {
    store: &'archive Store,
    key: String,
    content: Content<'archive>,
    /// What it will hold.
    pub digest: ObjectDigest,
}

#[derive(Debug)]
enum Content<'archive> {
    Whole(Vec<u8>),
    Parts(Draft<'archive>),
}

impl Archive {
    /// Starts an object; nothing is sent before a part is full.
    pub fn upload(&self, key: String) -> Upload<'_> {
        Upload { store: &self.store, key, encoder: RawEncoder::default(), draft: None }
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
        let draft = match &mut self.draft {
            Some(draft) => draft,
            none => none.insert(self.store.begin(&self.key).await?),
        };
        draft.send(part).await
    }

    /// Ends the content. What is left to do is one request.
    pub async fn prepare(self) -> Result<PreparedObject<'archive>, Error> {
        let Self { store, key, encoder, draft } = self;
        let (rest, digest) = encoder
            .finish()
            .map_err(|error| Error::Archive(format!("{key} could not be compressed: {error}")))?;
        let content = match draft {
            None => Content::Whole(rest),
            Some(mut draft) => {
                if let Err(error) = draft.send(rest).await {
                    draft.give_up().await;
                    return Err(error);
                }
                Content::Parts(draft)
            }
        };
        Ok(PreparedObject { store, key, content, digest })
    }

    /// Gives the object up.
    pub async fn give_up(self) {
        if let Some(draft) = self.draft {
            draft.give_up().await;
        }
    }
}

impl PreparedObject<'_> {
    /// Makes the object appear. False where one of that name is there already: then that one stays.
    pub async fn create(self) -> Result<bool, Error> {
        match self.content {
            Content::Whole(bytes) => self.store.create(&self.key, bytes).await,
            Content::Parts(draft) => draft.complete().await,
        }
    }

    /// Gives the object up.
    pub async fn give_up(self) {
        if let Content::Parts(draft) = self.content {
            draft.give_up().await;
        }
    }
}

//! The place of an archive, as the few operations that everything above needs of it.

use super::bucket::{self, Bucket};
use super::folder::{self, Folder};
use bytes::Bytes;
use chrono::{DateTime, Utc};
use entratrail_core::error::Error;
use entratrail_core::log::Stream;
use entratrail_core::object::{StoredFile, raw_folder};

/// A bucket, or a folder with the same layout and the same guarantees: an object appears whole or
/// not at all and only where there is none of that name, and a ledger is replaced only by who has
/// seen its latest version.
#[derive(Debug, Clone)]
pub(super) enum Store {
    Bucket(Bucket),
    Folder(Folder),
}

/// An object as a listing shows it.
#[derive(Debug, Clone)]
pub(super) struct Listed {
    pub(super) key: String,
    pub(super) bytes: u64,
    pub(super) modified: DateTime<Utc>,
}

/// Answer of a store about an object's bytes that does not hand them out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Checksum {
    /// There is no object of that name.
    Gone,
    /// SHA-256 in hexadecimal.
    Sha256(String),
    /// None that covers the object as a whole.
    Unknown,
}

/// An object that is read piece by piece.
#[derive(Debug)]
pub(super) enum ObjectContent {
    Bucket(bucket::BucketContent),
    Folder(folder::FolderContent),
}

/// A large object that is being made, invisible until it is complete.
#[derive(Debug)]
pub(super) enum Draft<'store> {
    Bucket(bucket::Multipart<'store>),
    Folder(folder::FolderDraft),
}

impl Store {
    /// Address at which a person finds the object.
    pub(super) fn address(&self, key: &str) -> String {
        match self {
            Self::Bucket(bucket) => bucket.address(key),
            Self::Folder(folder) => folder.address(key),
        }
    }

    /// Place where a person may find an undamaged copy of an object.
    pub(super) fn earlier_copy(&self) -> &'static str {
        match self {
            Self::Bucket(_) => "an earlier version of the object",
            Self::Folder(_) => "a backup",
        }
    }

    /// The object, where there is one.
    pub(super) async fn read(&self, key: &str) -> Result<Option<StoredFile>, Error> {
        match self {
            Self::Bucket(bucket) => bucket.read(key).await,
            Self::Folder(folder) => folder.read(key).await,
        }
    }

    /// The object, to be read piece by piece.
    pub(super) async fn open(&self, key: &str) -> Result<ObjectContent, Error> {
        match self {
            Self::Bucket(bucket) => bucket.open(key).await.map(ObjectContent::Bucket),
            Self::Folder(folder) => folder.open_object(key).await.map(ObjectContent::Folder),
        }
    }

    /// Writes the object unless somebody has written it since `version` (`None`: since there was
    /// none); says whether it did.
    pub(super) async fn replace(
        &self,
        key: &str,
        body: Vec<u8>,
        version: Option<String>,
    ) -> Result<bool, Error> {
        match self {
            Self::Bucket(bucket) => bucket.replace(key, body, version).await,
            Self::Folder(folder) => folder.replace(key, body, version).await,
        }
    }

    /// Creates the object; false where there is one of that name, which stays.
    pub(super) async fn create(&self, key: &str, body: Vec<u8>) -> Result<bool, Error> {
        match self {
            Self::Bucket(bucket) => bucket.create(key, body).await,
            Self::Folder(folder) => folder.create(key, body).await,
        }
    }

    /// Writes the object, in the place of any of that name.
    pub(super) async fn put(&self, key: &str, body: Vec<u8>) -> Result<(), Error> {
        match self {
            Self::Bucket(bucket) => bucket.put(key, body).await,
            Self::Folder(folder) => folder.put(key, body).await,
        }
    }

    /// Begins an object that is made part by part.
    pub(super) async fn begin(&self, key: &str) -> Result<Draft<'_>, Error> {
        match self {
            Self::Bucket(bucket) => bucket.begin(key).await.map(Draft::Bucket),
            Self::Folder(folder) => folder.begin(key).await.map(Draft::Folder),
        }
    }

    /// Writes as a run does: in a bucket an object that stays and that the next check finds, in a
    /// folder one that is given up.
    pub(super) async fn check_write(&self, stream: Stream) -> Result<(), Error> {
        match self {
            Self::Bucket(bucket) => bucket.check_write(stream.log()).await,
            Self::Folder(folder) => {
                folder.begin(&format!("{}write-check", raw_folder(stream))).await.map(drop)
            }
        }
    }

    /// The keys that start with `prefix` and come after `after`, in order; `is_flat` leaves out
    /// those with a further slash.
    pub(super) async fn keys(
        &self,
        prefix: &str,
        after: Option<String>,
        is_flat: bool,
    ) -> Result<Vec<String>, Error> {
        match self {
            Self::Bucket(bucket) => {
                let listed = bucket.list(prefix, after, None, is_flat).await?;
                Ok(listed.into_iter().map(|object| object.key).collect())
            }
            Self::Folder(folder) => folder.keys(prefix, after, is_flat).await,
        }
    }

    /// The objects whose keys start with `prefix` and lie after `after` and before `end`, in order.
    pub(super) async fn list(
        &self,
        prefix: &str,
        after: String,
        end: String,
    ) -> Result<Vec<Listed>, Error> {
        match self {
            Self::Bucket(bucket) => bucket.list(prefix, Some(after), Some(&end), false).await,
            Self::Folder(folder) => folder.list(prefix, after, end).await,
        }
    }

    /// Asks the store for the checksum of the object: S3 keeps a checksum of what was put in one
    /// piece, and a folder's files are read.
    pub(super) async fn checksum(&self, key: &str) -> Result<Checksum, Error> {
        match self {
            Self::Bucket(bucket) => bucket.checksum(key).await,
            Self::Folder(folder) => folder.checksum(key).await,
        }
    }
}

impl ObjectContent {
    /// The next bytes; `None` at the end.
    pub(super) async fn next(&mut self) -> Result<Option<Bytes>, Error> {
        match self {
            Self::Bucket(content) => content.next().await,
            Self::Folder(content) => content.next().await,
        }
    }

    /// Time at which the archive took the object.
    pub(super) fn stored_at(&self) -> DateTime<Utc> {
        match self {
            Self::Bucket(content) => content.stored_at,
            Self::Folder(content) => content.stored_at,
        }
    }
}

impl Draft<'_> {
    /// Adds a part.
    pub(super) async fn send(&mut self, bytes: Vec<u8>) -> Result<(), Error> {
        match self {
            Self::Bucket(multipart) => multipart.send(bytes).await,
            Self::Folder(draft) => draft.send(bytes).await,
        }
    }

    /// Makes the object appear; false where there is one of that name, which stays.
    pub(super) async fn complete(self) -> Result<bool, Error> {
        match self {
            Self::Bucket(multipart) => multipart.complete().await,
            Self::Folder(draft) => draft.complete().await,
        }
    }

    /// Makes the object appear in the place of any of that name.
    pub(super) async fn put(self) -> Result<(), Error> {
        match self {
            Self::Bucket(multipart) => multipart.put().await,
            Self::Folder(draft) => draft.put().await,
        }
    }

    /// Gives the object up.
    pub(super) async fn give_up(self) {
        match self {
            Self::Bucket(multipart) => multipart.give_up().await,
            Self::Folder(draft) => drop(draft),
        }
    }
}

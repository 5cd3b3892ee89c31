//! The place of an archive, as the few operations that everything above needs of it.

use super::bucket::{self, Bucket};
use super::folder::{self, Folder};
use bytes::Bytes;
use chrono::{DateTime, Utc};
use entratrail_core::error::Error;
use entratrail_core::log::Stream;
use entratrail_core::object::{Precondition, StoredFile, Written, raw_folder};

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

/// Reach of a listing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Depth {
    /// Keys without a further slash.
    Folder,
    /// Every key.
    Tree,
}

/// An object that is read piece by piece.
#[derive(Debug)]
pub(super) enum ObjectStream {
    Bucket(bucket::BucketStream),
    Folder(folder::FolderStream),
}

/// A large object that is written in parts, invisible until it is complete.
#[derive(Debug)]
pub(super) enum MultipartUpload<'store> {
    Bucket(bucket::BucketUpload<'store>),
    Folder(folder::FolderUpload),
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
    pub(super) async fn get(&self, key: &str) -> Result<Option<StoredFile>, Error> {
        match self {
            Self::Bucket(bucket) => bucket.get(key).await,
            Self::Folder(folder) => folder.get(key).await,
        }
    }

    /// The object, to be read piece by piece.
    pub(super) async fn get_stream(&self, key: &str) -> Result<ObjectStream, Error> {
        match self {
            Self::Bucket(bucket) => bucket.get_stream(key).await.map(ObjectStream::Bucket),
            Self::Folder(folder) => folder.get_stream(key).await.map(ObjectStream::Folder),
        }
    }

    /// Writes the object in one request.
    pub(super) async fn put(
        &self,
        key: &str,
        body: Vec<u8>,
        when: Precondition,
    ) -> Result<Written, Error> {
        match self {
            Self::Bucket(bucket) => bucket.put(key, body, when).await,
            Self::Folder(folder) => folder.put(key, body, when).await,
        }
    }

    /// Starts an object that is written in parts.
    pub(super) async fn start_multipart(&self, key: &str) -> Result<MultipartUpload<'_>, Error> {
        match self {
            Self::Bucket(bucket) => bucket.start_multipart(key).await.map(MultipartUpload::Bucket),
            Self::Folder(folder) => folder.start_multipart(key).await.map(MultipartUpload::Folder),
        }
    }

    /// Writes as a run does: in a bucket an object that stays and that the next check finds, in a
    /// folder one that is aborted.
    pub(super) async fn check_write(&self, stream: Stream) -> Result<(), Error> {
        match self {
            Self::Bucket(bucket) => bucket.check_write(stream.log()).await,
            Self::Folder(folder) => folder
                .start_multipart(&format!("{}write-check", raw_folder(stream)))
                .await
                .map(drop),
        }
    }

    /// The keys that start with `prefix` and come after `after`, in order.
    pub(super) async fn keys(
        &self,
        prefix: &str,
        after: Option<String>,
        depth: Depth,
    ) -> Result<Vec<String>, Error> {
        match self {
            Self::Bucket(bucket) => {
                let listed = bucket.list(prefix, after, None, depth).await?;
                Ok(listed.into_iter().map(|object| object.key).collect())
            }
            Self::Folder(folder) => folder.keys(prefix, after, depth).await,
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
            Self::Bucket(bucket) => bucket.list(prefix, Some(after), Some(&end), Depth::Tree).await,
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

impl ObjectStream {
    /// The next bytes; `None` at the end.
    pub(super) async fn next(&mut self) -> Result<Option<Bytes>, Error> {
        match self {
            Self::Bucket(stream) => stream.next().await,
            Self::Folder(stream) => stream.next().await,
        }
    }

    /// Time at which the archive took the object.
    pub(super) fn stored_at(&self) -> DateTime<Utc> {
        match self {
            Self::Bucket(stream) => stream.stored_at,
            Self::Folder(stream) => stream.stored_at,
        }
    }
}

impl MultipartUpload<'_> {
    /// Adds a part.
    pub(super) async fn put_part(&mut self, part: Vec<u8>) -> Result<(), Error> {
        match self {
            Self::Bucket(upload) => upload.put_part(part).await,
            Self::Folder(upload) => upload.put_part(part).await,
        }
    }

    /// Makes the object appear.
    pub(super) async fn complete(self, when: Precondition) -> Result<Written, Error> {
        match self {
            Self::Bucket(upload) => upload.complete(when).await,
            Self::Folder(upload) => upload.complete(when).await,
        }
    }

    /// Gives the object up.
    pub(super) async fn abort(self) {
        match self {
            Self::Bucket(upload) => upload.abort().await,
            Self::Folder(upload) => drop(upload),
        }
    }
}

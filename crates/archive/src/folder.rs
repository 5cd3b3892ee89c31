//! An archive in a folder of this machine, with the guarantees of the bucket: an object appears
//! whole or not at all, and only where there is none of that name; a ledger is replaced in one step
//! by who has seen its latest version; and what was reported as done survives a power cut.

mod claim;
mod failure;
mod object;
mod places;
mod upload;

pub use claim::Access;
pub(super) use object::FolderStream;
pub(super) use upload::FolderUpload;

use super::store::{Checksum, Depth, Listed};
use claim::Claim;
use entratrail_core::error::Error;
use entratrail_core::object::{Precondition, StoredFile, Written};
use entratrail_core::raw::{sha256, sha256_of};
use failure::{FolderAction, failed};
use places::refuse_irregular;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A folder with the layout of the archive.
#[derive(Debug, Clone)]
pub(super) struct Folder(Arc<Opened>);

#[derive(Debug)]
struct Opened {
    root: PathBuf,
    /// Right to write; `None` where the archive is only looked at.
    claim: Option<Claim>,
}

impl Folder {
    /// Opens the archive in `root`. To write, the folder is made where there is none, and what
    /// earlier runs left half written is removed, unless somebody else is writing.
    pub(super) fn open(root: &Path, access: Access) -> Result<Self, Error> {
        places::check(root, access)?;
        let claim = match access {
            Access::Read => None,
            Access::Write => {
                Some(Claim::on(root).map_err(|error| failed(FolderAction::Write, root, error))?)
            }
        };
        Ok(Self(Arc::new(Opened { root: root.to_owned(), claim })))
    }

    pub(super) fn address(&self, key: &str) -> String {
        self.path(key).display().to_string()
    }

    pub(super) async fn get(&self, key: &str) -> Result<Option<StoredFile>, Error> {
        let folder = self.clone();
        let path = self.path(key);
        blocking(move || {
            let body =
                folder.body_at(&path).map_err(|error| failed(FolderAction::Read, &path, error))?;
            Ok(body.map(|body| StoredFile { version: Some(version_of(&body)), body }))
        })
        .await
    }

    pub(super) async fn put(
        &self,
        key: &str,
        body: Vec<u8>,
        when: Precondition,
    ) -> Result<Written, Error> {
        let mut upload = self.start_multipart(key).await?;
        upload.put_part(body).await?;
        upload.complete(when).await
    }

    pub(super) async fn keys(
        &self,
        prefix: &str,
        after: Option<String>,
        depth: Depth,
    ) -> Result<Vec<String>, Error> {
        let path = self.path(prefix);
        let prefix = prefix.to_owned();
        blocking(move || {
            let keys = places::keys(&path, &prefix, depth);
            let mut keys = keys.map_err(|error| failed(FolderAction::List, &path, error))?;
            keys.retain(|key| after.as_ref().is_none_or(|after| key > after));
            keys.sort_unstable();
            Ok(keys)
        })
        .await
    }

    pub(super) async fn list(
        &self,
        prefix: &str,
        after: String,
        end: String,
    ) -> Result<Vec<Listed>, Error> {
        let mut keys = self.keys(prefix, Some(after), Depth::Tree).await?;
        keys.retain(|key| *key < end);
        let files: Vec<_> = keys.into_iter().map(|key| (self.path(&key), key)).collect();
        blocking(move || {
            let mut listed = Vec::with_capacity(files.len());
            for (path, key) in files {
                match std::fs::metadata(&path).and_then(|file| Ok((file.len(), file.modified()?))) {
                    Ok((bytes, modified)) => {
                        listed.push(Listed { key, bytes, modified: modified.into() });
                    }
                    Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                    Err(error) => return Err(failed(FolderAction::List, &path, error)),
                }
            }
            Ok(listed)
        })
        .await
    }

    pub(super) async fn checksum(&self, key: &str) -> Result<Checksum, Error> {
        let folder = self.clone();
        let path = self.path(key);
        blocking(move || match folder.open_file(&path).and_then(sha256_of) {
            Ok(sha256) => Ok(Checksum::Sha256(sha256)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Checksum::Gone),
            Err(error) => Err(failed(FolderAction::Read, &path, error)),
        })
        .await
    }

    pub(super) fn path(&self, key: &str) -> PathBuf {
        self.0.root.join(key)
    }

    /// Path of an object's file, for whoever opens it; an error where anything else is in its
    /// place.
    pub(super) fn file_path(&self, key: &str) -> Result<PathBuf, Error> {
        let path = self.path(key);
        match refuse_irregular(&self.0.root, &path) {
            Ok(()) => Ok(path),
            Err(error) => Err(failed(FolderAction::Read, &path, error)),
        }
    }

    fn open_file(&self, path: &Path) -> io::Result<File> {
        refuse_irregular(&self.0.root, path)?;
        File::open(path)
    }

    /// Content of the file, where there is one.
    fn body_at(&self, path: &Path) -> io::Result<Option<Vec<u8>>> {
        let mut body = Vec::new();
        match self.open_file(path).and_then(|mut file| file.read_to_end(&mut body)) {
            Ok(_) => Ok(Some(body)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The right to write `path`.
    fn claim(&self, path: &Path) -> Result<&Claim, Error> {
        let read_only =
            || io::Error::new(io::ErrorKind::PermissionDenied, "it was opened to be read");
        self.0.claim.as_ref().ok_or_else(|| failed(FolderAction::Write, path, read_only()))
    }
}

/// Runs what may wait for a disk beside the run. It goes on to its end even where nobody waits for
/// it any more.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    let done = tokio::task::spawn_blocking(work).await;
    // No source: where the work panicked, its words may quote a record.
    done.unwrap_or_else(|_| {
        Err(Error::archive("the archive's folder could not be used: the run is ending"))
    })
}

fn version_of(body: &[u8]) -> String {
    sha256(body)
}

/// Has the disk keep which files the folder holds.
fn sync_folder(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

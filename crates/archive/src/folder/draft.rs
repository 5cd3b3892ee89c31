//! Files that are being written: under a temporary name, until they are whole and on the disk.

use super::failure::{FolderAction, failed};
use super::places::{make_folder, refuse_irregular};
use super::{Folder, blocking, sync_folder};
use entratrail_core::error::Error;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use uuid::Uuid;

/// Start and end of the name of a temporary file. No object has such a name.
const NAME: (&str, &str) = (".entratrail-", ".part");

/// Whether a file of that name is one that a run writes, or has left half written.
pub(super) fn is_temporary(name: &str) -> bool {
    name.starts_with(NAME.0) && name.ends_with(NAME.1)
}

/// A file without its final name. It is removed when dropped.
#[derive(Debug)]
pub(super) struct Temporary {
    path: PathBuf,
    file: File,
}

impl Temporary {
    /// A new file in the folder of `path`, which is made where there is none.
    pub(super) fn beside(path: &Path) -> io::Result<Self> {
        let folder = path.parent().unwrap_or(path);
        make_folder(folder)?;
        let path = folder.join(format!("{}{}{}", NAME.0, Uuid::new_v4(), NAME.1));
        let file = File::options().write(true).create_new(true).open(&path)?;
        Ok(Self { path, file })
    }

    pub(super) fn write(&self, bytes: &[u8]) -> io::Result<()> {
        (&self.file).write_all(bytes)
    }

    /// Gives the file its name in one step, whatever had that name.
    pub(super) fn replace(&self, path: &Path) -> io::Result<()> {
        self.file.sync_all()?;
        fs::rename(&self.path, path)?;
        sync_folder(path.parent().unwrap_or(path))
    }

    /// Gives the file its name where nothing has it. A second link does that in one step; renaming
    /// would take the name from another file.
    fn publish(&self, path: &Path) -> io::Result<bool> {
        self.file.sync_all()?;
        match fs::hard_link(&self.path, path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
            Err(error) => Err(error),
            Ok(()) => sync_folder(path.parent().unwrap_or(path)).map(|()| true),
        }
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        // It may be gone under that name already; what stays is removed by the next run.
        let _ = fs::remove_file(&self.path);
    }
}

/// An object that is being made.
#[derive(Debug)]
pub(crate) struct FolderDraft {
    path: PathBuf,
    temporary: Arc<Temporary>,
}

impl Folder {
    pub(crate) async fn begin(&self, key: &str) -> Result<FolderDraft, Error> {
        let folder = self.clone();
        let path = self.path(key);
        self.claim(&path)?;
        blocking(move || {
            let temporary = refuse_irregular(&folder.0.root, &path)
                .and_then(|()| Temporary::beside(&path))
                .map_err(|error| failed(FolderAction::Write, &path, &error))?;
            Ok(FolderDraft { path, temporary: Arc::new(temporary) })
        })
        .await
    }
}

impl FolderDraft {
    pub(crate) async fn send(&mut self, bytes: Vec<u8>) -> Result<(), Error> {
        let temporary = Arc::clone(&self.temporary);
        let path = self.path.clone();
        blocking(move || {
            temporary.write(&bytes).map_err(|error| failed(FolderAction::Write, &path, &error))
        })
        .await
    }

    pub(crate) async fn complete(self) -> Result<bool, Error> {
        let Self { path, temporary } = self;
        blocking(move || {
            temporary.publish(&path).map_err(|error| failed(FolderAction::Write, &path, &error))
        })
        .await
    }

    pub(crate) async fn put(self) -> Result<(), Error> {
        let Self { path, temporary } = self;
        blocking(move || {
            temporary.replace(&path).map_err(|error| failed(FolderAction::Write, &path, &error))
        })
        .await
    }
}

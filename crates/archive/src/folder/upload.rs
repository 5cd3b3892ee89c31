//! Files that are being written: under a temporary name, until they are whole and on the disk.

use super::failure::{FolderAction, failed};
use super::places::{make_folder, refuse_irregular};
use super::{Folder, blocking, sync_folder, version_of};
use entratrail_core::error::Error;
use entratrail_core::object::{Precondition, Written};
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
struct Temporary {
    path: PathBuf,
    file: File,
}

impl Temporary {
    /// A new file in the folder of `path`, which is made where there is none.
    fn beside(path: &Path) -> io::Result<Self> {
        let folder = path.parent().unwrap_or(path);
        make_folder(folder)?;
        let path = folder.join(format!("{}{}{}", NAME.0, Uuid::new_v4(), NAME.1));
        let file = File::options().write(true).create_new(true).open(&path)?;
        Ok(Self { path, file })
    }

    fn write(&self, bytes: &[u8]) -> io::Result<()> {
        (&self.file).write_all(bytes)
    }

    /// Gives the file its name in one step, whatever had that name.
    fn replace(&self, path: &Path) -> io::Result<Written> {
        self.file.sync_all()?;
        fs::rename(&self.path, path)?;
        sync_folder(path.parent().unwrap_or(path))?;
        Ok(Written::Yes)
    }

    /// Gives the file its name where nothing has it. A second link does that in one step; renaming
    /// would take the name from another file.
    fn publish(&self, path: &Path) -> io::Result<Written> {
        self.file.sync_all()?;
        match fs::hard_link(&self.path, path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                Ok(Written::ConditionFailed)
            }
            Err(error) => Err(error),
            Ok(()) => sync_folder(path.parent().unwrap_or(path)).map(|()| Written::Yes),
        }
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        // It may be gone under that name already; what stays is removed by the next run.
        let _ = fs::remove_file(&self.path);
    }
}

/// An object that is being written.
#[derive(Debug)]
pub(crate) struct FolderUpload {
    folder: Folder,
    path: PathBuf,
    temporary: Arc<Temporary>,
}

impl Folder {
    pub(crate) async fn start_multipart(&self, key: &str) -> Result<FolderUpload, Error> {
        let folder = self.clone();
        let path = self.path(key);
        self.claim(&path)?;
        blocking(move || {
            let temporary = refuse_irregular(&folder.0.root, &path)
                .and_then(|()| Temporary::beside(&path))
                .map_err(|error| failed(FolderAction::Write, &path, error))?;
            Ok(FolderUpload { folder, path, temporary: Arc::new(temporary) })
        })
        .await
    }
}

impl FolderUpload {
    pub(crate) async fn put_part(&mut self, part: Vec<u8>) -> Result<(), Error> {
        let temporary = Arc::clone(&self.temporary);
        let path = self.path.clone();
        blocking(move || {
            temporary.write(&part).map_err(|error| failed(FolderAction::Write, &path, error))
        })
        .await
    }

    pub(crate) async fn complete(self, when: Precondition) -> Result<Written, Error> {
        let Self { folder, path, temporary } = self;
        blocking(move || {
            let written = match when {
                Precondition::None => temporary.replace(&path),
                Precondition::Absent => temporary.publish(&path),
                Precondition::Version(seen) => folder.claim(&path)?.in_turn(|| {
                    let latest = folder.body_at(&path)?.map(|body| version_of(&body));
                    if latest == Some(seen) {
                        temporary.replace(&path)
                    } else {
                        Ok(Written::ConditionFailed)
                    }
                }),
            };
            written.map_err(|error| failed(FolderAction::Write, &path, error))
        })
        .await
    }
}

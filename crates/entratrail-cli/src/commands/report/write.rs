//! Writing a file as a whole: readers see the old one or the new one, never half of it.

use entratrail::error::Error;
use std::io::{self, Write as _};
use std::path::Path;
use tempfile::NamedTempFile;

/// Says before any work whether a file can be put at `path`.
pub(super) fn check_place(path: &Path) -> Result<(), Error> {
    draft(path).map(drop).map_err(|error| failed(path, error))
}

/// Puts a file with that text at `path`.
pub(super) fn whole(path: &Path, text: &str) -> Result<(), Error> {
    write(path, text).map_err(|error| failed(path, error))
}

fn failed(path: &Path, error: io::Error) -> Error {
    let failure =
        |what: &str| Error::disk(format!("{} could not be written: {what}", path.display()));
    let failure = match error.kind() {
        io::ErrorKind::NotFound => {
            failure("its folder does not exist").with_remedy("make it, or name another with --out")
        }
        io::ErrorKind::StorageFull | io::ErrorKind::FileTooLarge => {
            failure("the disk is full").with_remedy("make room")
        }
        io::ErrorKind::InvalidInput => {
            failure("it is a link, a pipe or a device").with_remedy("name a file with --out")
        }
        io::ErrorKind::IsADirectory => {
            failure("it is a folder").with_remedy("name a file in it with --out")
        }
        _ => failure(&error.to_string()).with_remedy("name another place with --out"),
    };
    failure.with_source(error)
}

fn write(path: &Path, text: &str) -> io::Result<()> {
    let mut draft = draft(path)?;
    draft.write_all(text.as_bytes())?;
    draft.as_file().sync_all()?;
    draft.persist(path)?;
    Ok(())
}

/// An empty file beside `path`, where a file can take that place.
fn draft(path: &Path) -> io::Result<NamedTempFile> {
    match std::fs::symlink_metadata(path) {
        Ok(there) if there.is_dir() => return Err(io::ErrorKind::IsADirectory.into()),
        Ok(there) if !there.is_file() => return Err(io::ErrorKind::InvalidInput.into()),
        _ => {}
    }
    let folder =
        path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    tempfile::Builder::new().prefix(".entratrail-").suffix(".part").tempfile_in(folder)
}

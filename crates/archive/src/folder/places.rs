//! The layout of a folder: folders that are archives, files that are objects.

use super::claim::Access;
use super::failure::{FolderAction, failed};
use super::sync_folder;
use super::upload::is_temporary;
use crate::store::Depth;
use entratrail_core::error::Error;
use entratrail_core::log::Log;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// The folders of an archive.
const FOLDERS: [&str; 4] = ["raw", "ledger", "tables", "proof"];

/// Refuses a folder that holds something else than an archive. Nothing at all is an archive that
/// begins.
pub(super) fn check(root: &Path, access: Access) -> Result<(), Error> {
    let stranger = match stranger_in(root) {
        Ok(stranger) => stranger,
        Err(error) if error.kind() == io::ErrorKind::NotFound && access == Access::Write => None,
        Err(error) => return Err(failed(FolderAction::List, root, error)),
    };
    match stranger {
        None => Ok(()),
        Some(stranger) => Err(Error::archive(format!(
            "{} is no archive: it holds {stranger}; nothing was done",
            root.display()
        ))
        .with_remedy("name an archive, or a folder that is empty or does not exist yet")),
    }
}

/// Something in `root` that an archive does not hold, where nothing beside it says that this is one
/// all the same.
fn stranger_in(root: &Path) -> io::Result<Option<String>> {
    if let Some(stranger) = stranger_among(&visible(root)?, &FOLDERS) {
        return Ok(Some(stranger));
    }
    let logs = Log::ALL.map(Log::name);
    for folder in ["raw", "ledger"].into_iter().filter(|folder| root.join(folder).exists()) {
        if let Some(stranger) = stranger_among(&visible(&root.join(folder))?, &logs) {
            return Ok(Some(format!("{folder}/{stranger}")));
        }
    }
    Ok(None)
}

fn stranger_among(names: &[String], ours: &[&str]) -> Option<String> {
    if names.iter().any(|name| ours.contains(&name.as_str())) {
        None
    } else {
        names.first().cloned()
    }
}

/// The names in a folder, in order, without those that systems hide.
fn visible(folder: &Path) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder)? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if !name.starts_with('.') {
            names.push(name);
        }
    }
    names.sort_unstable();
    Ok(names)
}

/// The keys of the objects in `folder`, which is called `prefix`; those in folders below it too
/// where `depth` is the tree.
pub(super) fn keys(folder: &Path, prefix: &str, depth: Depth) -> io::Result<Vec<String>> {
    let mut keys = Vec::new();
    walk(folder, prefix, depth, &mut |key, name| {
        if !is_temporary(name) {
            keys.push(key);
        }
    })?;
    Ok(keys)
}

/// The files that a run which died left half written.
pub(super) fn temporary_files(root: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for folder in FOLDERS {
        walk(&root.join(folder), &format!("{folder}/"), Depth::Tree, &mut |key, name| {
            if is_temporary(name) {
                files.push(root.join(key));
            }
        })?;
    }
    Ok(files)
}

/// Hands key and name of every file to `visit`. Links to folders are not followed: they are no part
/// of an archive.
fn walk(
    folder: &Path,
    prefix: &str,
    depth: Depth,
    visit: &mut dyn FnMut(String, &str),
) -> io::Result<()> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        entries => entries?,
    };
    for entry in entries {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let is_folder = entry.file_type()?.is_dir();
        match (is_folder, depth) {
            (true, Depth::Folder) => {}
            (true, Depth::Tree) => {
                walk(&entry.path(), &format!("{prefix}{name}/"), depth, visit)?;
            }
            (false, _) => visit(format!("{prefix}{name}"), &name),
        }
    }
    Ok(())
}

/// Refuses a path on which something else than folders and, at its end, a regular file stands below
/// `root`: a link leads out of the archive, and a pipe lets a reader wait for ever. What is not
/// there yet is no obstacle.
pub(super) fn refuse_irregular(root: &Path, path: &Path) -> io::Result<()> {
    let mut at = root.to_owned();
    for part in path.strip_prefix(root).unwrap_or(path).components() {
        at.push(part);
        let there = match fs::symlink_metadata(&at) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            there => there?.file_type(),
        };
        let is_regular = if at == path { there.is_file() } else { there.is_dir() };
        if !is_regular {
            let what = format!("{} is a link, a pipe or a device", at.display());
            return Err(io::Error::new(io::ErrorKind::InvalidInput, what));
        }
    }
    Ok(())
}

/// Makes a folder and those above it, so that they survive a power cut. Logs concern their owner
/// alone.
pub(super) fn make_folder(path: &Path) -> io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    let parent =
        path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    make_folder(parent)?;
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    match builder.create(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists || !path.is_dir() => Err(error),
        _ => sync_folder(parent),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_archive_is_known_by_its_folders() {
        let names =
            |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        assert_eq!(stranger_among(&names(&[]), &FOLDERS), None);
        assert_eq!(stranger_among(&names(&["ledger", "notes.txt", "raw"]), &FOLDERS), None);
        assert_eq!(
            stranger_among(&names(&["holiday.jpg"]), &FOLDERS),
            Some("holiday.jpg".to_owned())
        );
    }
}

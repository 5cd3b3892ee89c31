//! A refusal by the disk, in the words of the person at it.

use entratrail_core::error::Error;
use std::io::{self, ErrorKind};
use std::path::Path;

/// Operation that was tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FolderAction {
    Read,
    Write,
    List,
}

/// The error of what could not be done to `path`.
pub(super) fn failed(action: FolderAction, path: &Path, error: io::Error) -> Error {
    let verb = match action {
        FolderAction::Read => "read",
        FolderAction::Write => "written",
        FolderAction::List => "listed",
    };
    let is_for_all = action == FolderAction::Write && leaves_no_room(error.kind());
    let message = format!("{} could not be {verb} ({error})", path.display());
    let failure = if is_for_all { Error::disk(message) } else { Error::archive(message) };
    failure.with_remedy(remedy(action, error.kind())).with_source(error)
}

/// Whether nothing else could be written either.
fn leaves_no_room(kind: ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::StorageFull
            | ErrorKind::QuotaExceeded
            | ErrorKind::FileTooLarge
            | ErrorKind::ReadOnlyFilesystem
    )
}

fn remedy(action: FolderAction, kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge => {
            "the disk, or what you may use of it, is full: make room; all that was stored before \
             is whole, and the same command goes on"
        }
        ErrorKind::ReadOnlyFilesystem => "the disk is read-only: name a folder on another one",
        ErrorKind::PermissionDenied => "check who owns the folder and who may write to it",
        ErrorKind::InvalidInput => {
            "an archive has only folders and files: see who put it there, and move it away"
        }
        ErrorKind::NotADirectory => "a part of that path is a file: name a folder",
        ErrorKind::Unsupported => {
            "the disk has no links or locks, which an archive needs: name a folder on another one"
        }
        ErrorKind::NotFound if action == FolderAction::Read => {
            "the ledger names this object, and it is gone: restore it from a backup"
        }
        ErrorKind::NotFound if action == FolderAction::List => {
            "there is no such folder: check the path"
        }
        _ => "check the disk; the same command tries again",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use entratrail_core::error::ErrorScope;

    #[test]
    fn a_full_disk_ends_the_run_and_a_damaged_file_does_not() {
        let check = |action, kind: ErrorKind, scope: ErrorScope| {
            let error = failed(action, Path::new("archive/x"), kind.into());
            assert_eq!(error.scope(), scope, "{error}");
            assert_eq!(error.error_type(), "Archive");
        };
        check(FolderAction::Write, ErrorKind::StorageFull, ErrorScope::Run);
        check(FolderAction::Write, ErrorKind::ReadOnlyFilesystem, ErrorScope::Run);
        check(FolderAction::Write, ErrorKind::PermissionDenied, ErrorScope::Window);
        check(FolderAction::Read, ErrorKind::NotFound, ErrorScope::Window);
    }
}

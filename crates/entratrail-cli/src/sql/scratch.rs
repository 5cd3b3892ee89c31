//! A folder for copies of what lies in a bucket: for its owner alone, and gone when its command has
//! ended, however that was.

use entratrail::error::Error;
use std::fs::File;
use std::io;
use std::path::Path;
use std::time::{Duration, SystemTime};
use tempfile::{Builder, TempDir};

/// Start of the name of such a folder.
const PREFIX: &str = "entratrail-copies-";

/// File in it that is locked as long as its command lives.
const LOCK: &str = "in-use.lock";

/// Age at which a folder without its lock was left by a command that died at once, and is not about
/// to be filled.
const ABANDONED: Duration = Duration::from_hours(1);

/// A folder that is removed when dropped, or when the next command starts.
#[derive(Debug)]
pub(super) struct Scratch {
    folder: TempDir,
    #[cfg_attr(not(test), expect(dead_code, reason = "held, not read"))]
    lock: File,
}

impl Scratch {
    /// Makes one, and removes those of commands that were ended before they could.
    pub(super) fn make() -> Result<Self, Error> {
        let temporary = std::env::temp_dir();
        remove_abandoned(&temporary, SystemTime::now());
        Self::make_in(&temporary).map_err(|error| {
            Error::disk(format!("no temporary folder could be made: {error}"))
                .with_remedy("make room, or set TMPDIR")
                .with_source(error)
        })
    }

    fn make_in(temporary: &Path) -> io::Result<Self> {
        let mut builder = Builder::new();
        builder.prefix(PREFIX);
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o700));
        let folder = builder.tempdir_in(temporary)?;
        let lock = File::create_new(folder.path().join(LOCK))?;
        lock.lock()?;
        Ok(Self { folder, lock })
    }

    pub(super) fn path(&self) -> &Path {
        self.folder.path()
    }
}

/// Removes the folders of commands that live no more. Those of other people cannot be removed, and
/// stay.
fn remove_abandoned(temporary: &Path, now: SystemTime) {
    for entry in std::fs::read_dir(temporary).into_iter().flatten().flatten() {
        let is_ours = entry.file_name().to_string_lossy().starts_with(PREFIX);
        // A link is no folder of ours, wherever it leads.
        let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
        if is_ours && is_folder && is_abandoned(&entry.path(), now) {
            let _ = std::fs::remove_dir_all(entry.path());
        }
    }
}

fn is_abandoned(folder: &Path, now: SystemTime) -> bool {
    if let Ok(lock) = File::open(folder.join(LOCK)) {
        return lock.try_lock().is_ok();
    }
    let modified = folder.metadata().and_then(|folder| folder.modified());
    let age = modified.ok().and_then(|modified| now.duration_since(modified).ok());
    age.is_some_and(|age| age > ABANDONED)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_folders_of_commands_that_live_no_more_are_removed() {
        let temporary = tempfile::tempdir().unwrap();
        let alive = Scratch::make_in(temporary.path()).unwrap();
        let Scratch { folder, lock } = Scratch::make_in(temporary.path()).unwrap();
        let left = folder.keep();
        drop(lock);
        std::fs::create_dir(temporary.path().join("somebody-elses")).unwrap();
        let young = temporary.path().join(format!("{PREFIX}young"));
        std::fs::create_dir(&young).unwrap();
        let made = young.metadata().unwrap().modified().unwrap();
        remove_abandoned(temporary.path(), made + ABANDONED);
        assert!(
            alive.path().exists()
                && young.exists()
                && temporary.path().join("somebody-elses").exists()
        );
        assert!(!left.exists());
        remove_abandoned(temporary.path(), made + ABANDONED + Duration::from_secs(1));
        assert!(alive.path().exists() && !young.exists());
    }

    #[cfg(unix)]
    #[test]
    fn nobody_else_can_look_into_it() {
        use std::os::unix::fs::PermissionsExt as _;
        let temporary = tempfile::tempdir().unwrap();
        let scratch = Scratch::make_in(temporary.path()).unwrap();
        assert_eq!(scratch.path().metadata().unwrap().permissions().mode() & 0o777, 0o700);
    }
}

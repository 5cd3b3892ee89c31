//! Who may write to a folder, and when: advisory locks, which end with the process that holds them.

use super::places::{make_folder, temporary_files};
use std::fs::{File, TryLockError};
use std::io;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

/// Holds the locks; never an object, and hidden, as what every system may put beside an archive.
const LOCKS: &str = ".entratrail";

/// Purpose for which an archive is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// To be looked at: nothing is changed, and nothing is made.
    Read,
    /// To be added to.
    Write,
}

/// The right to write, as long as it lives. Many may have it at once.
#[derive(Debug)]
pub(super) struct Claim {
    /// Held, shared, by everybody who may have temporary files in the folder.
    _in_use: File,
    /// Held by the one who replaces a ledger. A mutex as well, because on network disks the lock is
    /// the process's.
    ledger: Mutex<File>,
}

impl Claim {
    pub(super) fn on(root: &Path) -> io::Result<Self> {
        let locks = root.join(LOCKS);
        make_folder(&locks)?;
        let in_use = open_lock(&locks, "in-use.lock")?;
        let ledger = open_lock(&locks, "ledger.lock")?;
        match in_use.try_lock() {
            // Nobody writes, so nobody holds what is half written.
            Ok(()) => {
                remove_left_overs(root)?;
                in_use.unlock()?;
            }
            Err(TryLockError::WouldBlock) => {}
            Err(TryLockError::Error(error)) => return Err(error),
        }
        in_use.lock_shared()?;
        Ok(Self { _in_use: in_use, ledger: Mutex::new(ledger) })
    }

    /// Runs `work` while no other run, in this process or another, is in here.
    pub(super) fn in_turn<T>(&self, work: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
        let ledger = self.ledger.lock().unwrap_or_else(PoisonError::into_inner);
        ledger.lock()?;
        let done = work();
        ledger.unlock()?;
        done
    }
}

fn open_lock(locks: &Path, name: &str) -> io::Result<File> {
    File::options().create(true).append(true).open(locks.join(name))
}

fn remove_left_overs(root: &Path) -> io::Result<()> {
    for path in temporary_files(root)? {
        tracing::warn!(path = %path.display(), "what an earlier run left half written is removed");
        std::fs::remove_file(path)?;
    }
    Ok(())
}

//! An archive in a temporary folder of this machine, and runs that end in the middle of something.

#![expect(
    clippy::expect_used,
    clippy::missing_panics_doc,
    reason = "a test ends at the first thing that is not as it should be"
)]

use entratrail::archive::{Access, Archive};
use std::collections::BTreeMap;
use std::future::poll_fn;
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::process::Command;
use std::task::Poll;
use tempfile::TempDir;

/// A folder that disappears with it.
#[derive(Debug)]
pub struct Folder(TempDir);

impl Folder {
    /// An empty one.
    pub fn make() -> Self {
        Self(tempfile::tempdir().expect("a temporary folder can be made"))
    }

    /// Folder of the archive.
    pub fn path(&self) -> PathBuf {
        self.0.path().join("archive")
    }

    /// The archive in it, as a new process opens it.
    pub fn archive(&self) -> Archive {
        Archive::in_folder(&self.path(), Access::Write).expect("the folder is ours")
    }

    /// Puts the archive that is packed in `tar` in its place.
    ///
    /// # Panics
    /// Where it cannot be unpacked.
    pub fn unpack(&self, tar: &Path) {
        std::fs::create_dir_all(self.path()).expect("the folder is ours");
        let unpacked = Command::new("tar").arg("-xzf").arg(tar).arg("-C").arg(self.path()).status();
        assert!(
            unpacked.expect("tar is installed").success(),
            "{} cannot be unpacked",
            tar.display()
        );
    }

    /// Every object with its body, and whatever else lies there.
    pub fn objects(&self) -> BTreeMap<String, Vec<u8>> {
        let root = self.path();
        let mut objects = BTreeMap::new();
        for folder in ["raw", "tables", "ledger"] {
            add(&root, &root.join(folder), &mut objects);
        }
        objects
    }
}

fn add(root: &Path, folder: &Path, objects: &mut BTreeMap<String, Vec<u8>>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten() {
        let path = entry.expect("the folder can be read").path();
        if path.is_dir() {
            add(root, &path, objects);
        } else if let Ok(body) = std::fs::read(&path) {
            let key = path.strip_prefix(root).expect("it lies below").to_str().expect("it is text");
            objects.insert(key.to_owned(), body);
        }
    }
}

/// Runs `work` until it ends, or has gone on so many times, at which it is dropped as a killed
/// process would be. `None` where it was killed.
pub async fn kill_after<T>(turns: u32, work: impl Future<Output = T>) -> Option<T> {
    let mut work = pin!(work);
    let mut left = turns;
    poll_fn(|context| {
        if left == 0 {
            return Poll::Ready(None);
        }
        left -= 1;
        work.as_mut().poll(context).map(Some)
    })
    .await
}

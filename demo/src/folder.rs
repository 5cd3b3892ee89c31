//! State that stays between two runs of the demo: the bucket's objects, and the day on which
//! Contoso was founded.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use chrono::{NaiveDate, Utc};

/// The folder of the objects, as a person at the root of the repository would name it.
pub(crate) const ARCHIVE: &str = ".demo/archive";

/// `.demo` at the root of the repository, which Git ignores.
#[derive(Debug)]
pub(crate) struct Folder {
    root: PathBuf,
    /// The day of the first run: the company's days are counted from it, so that they stay the
    /// same.
    pub(crate) first_day: NaiveDate,
}

impl Folder {
    /// Opens the folder, making it if this is the first run.
    pub(crate) fn open() -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"))
            .parent()
            .expect("demo lies in the repository")
            .join(".demo");
        let first_run = root.join("first-run");
        let known = fs::read_to_string(&first_run).ok().and_then(|day| day.trim().parse().ok());
        let first_day = known.unwrap_or_else(|| Utc::now().date_naive());
        let folder = Self { root, first_day };
        folder.write(&first_run, first_day.to_string().as_bytes());
        folder
    }

    /// The objects of the last run, by key.
    pub(crate) fn load(&self) -> BTreeMap<String, Vec<u8>> {
        let mut objects = BTreeMap::new();
        let archive = self.archive();
        let mut folders = vec![archive.clone()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
                let path = entry.path();
                if path.is_dir() {
                    folders.push(path);
                } else if let Ok(key) = path.strip_prefix(&archive) {
                    let body =
                        fs::read(&path).unwrap_or_else(|error| give_up("read", &path, &error));
                    objects.insert(key.to_string_lossy().into_owned(), body);
                }
            }
        }
        objects
    }

    /// Keeps `objects` for the next run.
    pub(crate) fn save(&self, objects: &BTreeMap<String, Vec<u8>>) {
        for (key, body) in objects {
            self.write(&self.archive().join(key), body);
        }
    }

    fn archive(&self) -> PathBuf {
        self.root.join("archive")
    }

    fn write(&self, path: &Path, content: &[u8]) {
        let folder = path.parent().unwrap_or(&self.root);
        let written = fs::create_dir_all(folder).and_then(|()| fs::write(path, content));
        written.unwrap_or_else(|error| give_up("written", path, &error));
    }
}

fn give_up(verb: &str, path: &Path, error: &io::Error) -> ! {
    panic!(
        "{} cannot be {verb} ({error}); remove .demo or make it yours, and start again",
        path.display()
    )
}

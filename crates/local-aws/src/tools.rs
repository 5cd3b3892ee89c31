//! The tools that tests are made with, installed by whoever needs them first.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, PoisonError};

/// A set of tools in a Python environment of its own: `cargo xtask tools`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tools {
    /// The AWS emulator, and the engine that stands in for Athena.
    Emulator,
    /// The command lines that `deploy.sh` needs, and the linters.
    Deploy,
    /// The browser that looks at reports.
    Browser,
}

impl Tools {
    /// A program of the set, which is installed where it is missing or has become another one.
    pub fn program(self, name: &str) -> PathBuf {
        static INSTALLED: Mutex<BTreeSet<Tools>> = Mutex::new(BTreeSet::new());
        // Held while they are installed: whoever comes meanwhile waits for them.
        let mut installed = INSTALLED.lock().unwrap_or_else(PoisonError::into_inner);
        if !installed.contains(&self) {
            self.install();
            installed.insert(self);
        }
        self.path().join("bin").join(name)
    }

    /// The folder of the set.
    pub fn path(self) -> PathBuf {
        checkout().join(self.folder())
    }

    fn install(self) {
        let script = checkout().join("xtask/scripts/install-tools");
        let status = Command::new(script)
            .arg(self.name())
            .status()
            .expect("the script of the checkout starts");
        assert!(
            status.success(),
            "cargo xtask tools {} failed; the lines above say why",
            self.name()
        );
    }

    fn name(self) -> &'static str {
        match self {
            Self::Emulator => "emulator",
            Self::Deploy => "deploy",
            Self::Browser => "browser",
        }
    }

    fn folder(self) -> &'static str {
        match self {
            Self::Emulator => ".venv",
            Self::Deploy => ".venv-deploy",
            Self::Browser => ".venv-browser",
        }
    }
}

fn checkout() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

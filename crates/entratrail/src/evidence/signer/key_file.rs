//! A key file of this machine, with the signer's id and memory in files beside it.

use super::{Memory, SigningKey, keys_in};
use crate::error::Error;
use crate::evidence::checkpoint::TreeHead;
use crate::log::Log;
use crate::named_file;
use aws_lc_rs::signature::Ed25519KeyPair;
use futures_util::future::BoxFuture;
use std::fs::File;
use std::io::{self, ErrorKind, Write as _};
use std::path::{Path, PathBuf};
use uuid::Uuid;

/// Files of a signer.
#[derive(Debug, Clone)]
pub(super) struct KeyFile(PathBuf);

impl Memory for KeyFile {
    fn recall(&self, log: Log) -> BoxFuture<'_, Result<Option<TreeHead>, Error>> {
        Box::pin(std::future::ready(self.read_memory(log)))
    }

    fn remember(&self, log: Log, tree: TreeHead) -> BoxFuture<'_, Result<(), Error>> {
        Box::pin(std::future::ready(self.write_memory(log, tree)))
    }
}

impl KeyFile {
    /// Opens the key file, or makes a new key with its id.
    pub(super) fn open(path: &Path) -> Result<Self, Error> {
        let file = Self(path.to_owned());
        if !path.exists() && !file.beside("id").exists() {
            let made = Ed25519KeyPair::generate().and_then(|pair| pair.to_pkcs8v1());
            let made =
                made.map_err(|_| file.failed("written", io::Error::other("no random numbers")))?;
            let text = pem::encode(&pem::Pem::new("PRIVATE KEY", made.as_ref().to_vec()));
            file.create(&file.beside("id"), &format!("{}\n", Uuid::new_v4().simple()))?;
            file.create(path, &text.replace("\r\n", "\n"))?;
        }
        Ok(file)
    }

    pub(super) fn id(&self) -> Result<String, Error> {
        let id = self.read(&self.beside("id"))?.unwrap_or_default();
        Ok(id.trim().to_owned())
    }

    pub(super) fn keys(&self) -> Result<Vec<Box<dyn SigningKey>>, Error> {
        let text = self.read(&self.0)?.unwrap_or_default();
        keys_in(&text, &self.0.display().to_string())
    }

    /// Writes the verifier keys beside the key, to be kept elsewhere.
    pub(super) fn show(&self, verifier_keys: &str) -> Result<(), Error> {
        let path = self.beside("verifier");
        if self.read(&path)?.as_deref() == Some(verifier_keys) {
            return Ok(());
        }
        self.replace(&path, verifier_keys)
    }

    fn read_memory(&self, log: Log) -> Result<Option<TreeHead>, Error> {
        let path = self.memory(log);
        let Some(text) = self.read(&path)? else { return Ok(None) };
        let damaged =
            || self.failed("read", io::Error::other(format!("{} is damaged", path.display())));
        TreeHead::from_lines(&text).map(Some).ok_or_else(damaged)
    }

    /// Writes `tree`, unless more is remembered. Two runs take turns by a lock on the key.
    fn write_memory(&self, log: Log, tree: TreeHead) -> Result<(), Error> {
        let key = File::open(&self.0).map_err(|error| self.failed("locked", error))?;
        key.lock().map_err(|error| self.failed("locked", error))?;
        let is_more = self.read_memory(log)?.is_some_and(|known| known.size > tree.size);
        let done = if is_more { Ok(()) } else { self.replace(&self.memory(log), &tree.to_lines()) };
        key.unlock().map_err(|error| self.failed("locked", error))?;
        done
    }

    fn memory(&self, log: Log) -> PathBuf {
        self.beside(&format!("signed-{}", log.name()))
    }

    fn beside(&self, ending: &str) -> PathBuf {
        let mut name = self.0.clone().into_os_string();
        name.push(".");
        name.push(ending);
        name.into()
    }

    fn read(&self, path: &Path) -> Result<Option<String>, Error> {
        match named_file::read_text(path) {
            Ok(text) => Ok(Some(text)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(self.failed("read", error)),
        }
    }

    fn create(&self, path: &Path, text: &str) -> Result<(), Error> {
        write_new(path, text).map_err(|error| self.failed("written", error))
    }

    fn replace(&self, path: &Path, text: &str) -> Result<(), Error> {
        let mut name = path.to_owned().into_os_string();
        name.push(format!(".{}", Uuid::new_v4().simple()));
        let temporary = PathBuf::from(name);
        self.create(&temporary, text)?;
        std::fs::rename(&temporary, path).map_err(|error| self.failed("written", error))
    }

    fn failed(&self, verb: &str, error: io::Error) -> Error {
        Error::parameters(format!(
            "the evidence key {} or a file beside it could not be {verb} ({error})",
            self.0.display()
        ))
        .with_source(error)
    }
}

/// Writes a file that is not there yet, for its owner alone.
fn write_new(path: &Path, text: &str) -> io::Result<()> {
    let mut options = File::options();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

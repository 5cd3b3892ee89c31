//! Objects of the signed log, and the ledger files that it is about.

use super::Archive;
use super::store::Depth;
use entratrail_core::error::Error;
use entratrail_core::evidence::proof_key;
use entratrail_core::log::{EventType, Log};
use entratrail_core::object::{Precondition, StoredFile, Written, parse_ledger_key};

impl Archive {
    /// A small object as a whole, where there is one.
    pub async fn file(&self, key: &str) -> Result<Option<StoredFile>, Error> {
        self.store.get(key).await
    }

    /// Writes a small object.
    pub async fn put_file(
        &self,
        key: &str,
        body: Vec<u8>,
        when: Precondition,
    ) -> Result<Written, Error> {
        self.store.put(key, body, when).await
    }

    /// Every ledger file of `log` with its size, in the order of the keys.
    pub async fn ledger_files(&self, log: Log) -> Result<Vec<(String, u64)>, Error> {
        let folder = format!("ledger/{}/", log.name());
        // Behind every name that EntraTrail gives.
        let end = format!("{folder}~");
        let listed = self.store.list(&folder, folder.clone(), end).await?;
        let mut files: Vec<_> = listed.into_iter().map(|file| (file.key, file.bytes)).collect();
        let streams = log.streams(&EventType::ALL);
        files.retain(|(key, _)| {
            streams.iter().any(|stream| parse_ledger_key(*stream, key).is_some())
        });
        Ok(files)
    }

    /// Keys of the checkpoints of `log` that were kept.
    pub async fn kept_checkpoints(&self, log: Log) -> Result<Vec<String>, Error> {
        self.store.keys(&proof_key(log, "checkpoints/"), None, Depth::Folder).await
    }
}

//! Keys that sign the log, and the memory of what they signed last, which lies outside the archive.

mod key_file;

use super::checkpoint::TreeHead;
use super::note::VerifierKey;
use super::origin::SignerId;
use crate::error::Error;
use crate::log::Log;
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use futures_util::future::BoxFuture;
use key_file::KeyFile;
use std::fmt::{Debug, Write as _};
use std::path::Path;

/// Who signs the log.
#[derive(Debug)]
pub struct Signer {
    id: SignerId,
    /// Key that signs; behind it, while keys change, the one from before.
    keys: Vec<Box<dyn SigningKey>>,
    memory: Box<dyn Memory>,
}

/// Private key, here or in a service that signs with it.
pub trait SigningKey: Debug + Send + Sync {
    /// Its public part: the 32 bytes of an Ed25519 key.
    fn public(&self) -> &[u8];

    /// Signs `text`.
    fn sign<'sign>(&'sign self, text: &'sign [u8]) -> BoxFuture<'sign, Result<Vec<u8>, Error>>;
}

/// Memory of what was signed last, which whoever can write the archive alone cannot change.
pub trait Memory: Debug + Send + Sync {
    /// Size and root that were signed last.
    fn recall(&self, log: Log) -> BoxFuture<'_, Result<Option<TreeHead>, Error>>;

    /// Remembers `tree`, unless more is remembered.
    fn remember(&self, log: Log, tree: TreeHead) -> BoxFuture<'_, Result<(), Error>>;
}

impl Signer {
    /// Signer with the private keys in a file of this machine, which is made where there is none.
    pub fn in_file(path: &Path) -> Result<Self, Error> {
        let file = KeyFile::open(path)?;
        let place = path.display().to_string();
        let signer = Self::new(&file.id()?, &place, file.keys()?, Box::new(file.clone()))?;
        file.show(&signer.shown())?;
        Ok(signer)
    }

    /// Signer with the id that `place_of_id` holds, by which the name of each key is known.
    pub fn new(
        id: &str,
        place_of_id: &str,
        keys: Vec<Box<dyn SigningKey>>,
        memory: Box<dyn Memory>,
    ) -> Result<Self, Error> {
        let id = SignerId::parse(id).ok_or_else(|| {
            Error::parameters(format!(
                "the id of the evidence key ({place_of_id}) is not of {}",
                SignerId::FORM
            ))
        })?;
        Ok(Self { id, keys, memory })
    }

    /// Verifier keys for `log`: of the key that signs and, while keys change, of the one from
    /// before.
    pub fn verifier_keys(&self, log: Log) -> Vec<VerifierKey> {
        let name = self.id.origin(log);
        self.keys.iter().map(|key| VerifierKey::new(&name, key.public())).collect()
    }

    /// Verifier keys of every log, one a line.
    pub fn shown(&self) -> String {
        let mut shown = String::new();
        for key in Log::ALL.iter().flat_map(|log| self.verifier_keys(*log)) {
            let _ = writeln!(shown, "{key}"); // writing to a string cannot fail
        }
        shown
    }

    /// Signs a checkpoint: the note. What a key answers is checked, because a wrong signature that
    /// is published looks like an attack.
    pub(super) async fn sign(
        &self,
        log: Log,
        text: &str,
        with_both: bool,
    ) -> Result<String, Error> {
        let mut note = format!("{text}\n");
        let count = if with_both { self.keys.len() } else { 1 };
        for (key, verifier) in self.keys.iter().zip(self.verifier_keys(log)).take(count) {
            let signature = key.sign(text.as_bytes()).await?;
            if !verifier.verifies(text, &signature) {
                let what = format!(
                    "the key {verifier} gave a signature that is not its own; nothing was signed"
                );
                return Err(Error::parameters(what));
            }
            note += &verifier.signature_line(&signature);
        }
        Ok(note)
    }

    /// Tries the key and the memory; what is signed for that is no checkpoint, and is kept nowhere.
    pub async fn try_out(&self, log: Log) -> Result<String, Error> {
        self.sign(log, "a trial\n", false).await?;
        let size = self.recall(log).await?.map_or(0, |tree| tree.size);
        Ok(format!("works: the key signs; entries that it has signed: {size}"))
    }

    /// What was signed last.
    pub(super) async fn recall(&self, log: Log) -> Result<Option<TreeHead>, Error> {
        self.memory.recall(log).await
    }

    /// Remembers what is about to be signed, unless more was signed.
    pub(super) async fn remember(&self, log: Log, tree: TreeHead) -> Result<(), Error> {
        self.memory.remember(log, tree).await
    }
}

impl SigningKey for Ed25519KeyPair {
    fn public(&self) -> &[u8] {
        self.public_key().as_ref()
    }

    fn sign<'sign>(&'sign self, text: &'sign [u8]) -> BoxFuture<'sign, Result<Vec<u8>, Error>> {
        let signature = Self::sign(self, text).as_ref().to_owned();
        Box::pin(std::future::ready(Ok(signature)))
    }
}

/// Keys in PEM, PKCS#8, that `place` holds. Why a text is none is not kept: it may quote the key.
pub fn keys_in(text: &str, place: &str) -> Result<Vec<Box<dyn SigningKey>>, Error> {
    let blocks = pem::parse_many(text).map_err(|_| no_key_in(place))?;
    let mut keys: Vec<Box<dyn SigningKey>> = Vec::new();
    for block in &blocks {
        let pair = Ed25519KeyPair::from_pkcs8(block.contents()).map_err(|_| no_key_in(place))?;
        keys.push(Box::new(pair));
    }
    if keys.is_empty() { Err(no_key_in(place)) } else { Ok(keys) }
}

fn no_key_in(place: &str) -> Error {
    Error::parameters(format!("{place} holds no Ed25519 key as PEM (PKCS#8)"))
        .with_remedy("make one with openssl genpkey -algorithm ed25519")
}

//! Keys that sign the log, and the memory of what they signed last, which lies outside the archive.

mod key_file;
mod kms_key;

use super::checkpoint::TreeHead;
use super::note::VerifierKey;
use crate::error::Error;
use crate::log::Log;
use crate::parameters::EvidenceParameters;
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use key_file::KeyFile;
pub use kms_key::KmsKey;
use std::fmt::Write as _;
use std::path::Path;

/// Hexadecimal digits of the id in the name of a key.
const ID_DIGITS: usize = 32;

/// Who signs the log.
#[derive(Debug)]
pub struct Signer {
    id: String,
    /// Key that signs; behind it, while keys change, the one from before.
    keys: Vec<SigningKey>,
    memory: Memory,
}

/// Private key.
#[derive(Debug)]
pub enum SigningKey {
    /// It is here.
    Held(Ed25519KeyPair),
    /// It is in AWS KMS.
    InKms(KmsKey),
}

/// Place of what was signed last.
#[derive(Debug)]
enum Memory {
    File(KeyFile),
    Parameters(EvidenceParameters),
}

impl Signer {
    /// Signer with the private keys in a file of this machine, which is made where there is none.
    pub fn in_file(path: &Path) -> Result<Self, Error> {
        let file = KeyFile::open(path)?;
        let (id, keys) = (file.id()?, file.keys()?);
        let signer = Self { id, keys, memory: Memory::File(file) };
        signer.check_id(&path.display().to_string())?;
        if let Memory::File(file) = &signer.memory {
            file.show(&signer.shown())?;
        }
        Ok(signer)
    }

    /// Signer with keys that belong to a function, and its memory in parameters.
    pub fn of_function(
        id: String,
        keys: Vec<SigningKey>,
        parameters: EvidenceParameters,
    ) -> Result<Self, Error> {
        let signer = Self { id, keys, memory: Memory::Parameters(parameters) };
        signer.check_id("the parameter evidence-id")?;
        Ok(signer)
    }

    fn check_id(&self, place: &str) -> Result<(), Error> {
        let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        if self.id.len() == ID_DIGITS && self.id.bytes().all(is_digit) {
            return Ok(());
        }
        Err(Error::Parameters(format!(
            "the id of the evidence key ({place}) is not of {ID_DIGITS} lower-case hexadecimal \
             digits"
        )))
    }

    /// Verifier keys for `log`: of the key that signs and, while keys change, of the one from
    /// before.
    pub fn verifier_keys(&self, log: Log) -> Vec<VerifierKey> {
        let name = format!("entratrail/{}/{}", self.id, log.name());
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
                return Err(Error::Parameters(what));
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
        match &self.memory {
            Memory::File(file) => file.recall(log),
            Memory::Parameters(parameters) => parameters.recall(log).await,
        }
    }

    /// Remembers what is about to be signed, unless more was signed.
    pub(super) async fn remember(&self, log: Log, tree: TreeHead) -> Result<(), Error> {
        match &self.memory {
            Memory::File(file) => file.remember(log, tree),
            Memory::Parameters(parameters) => parameters.remember(log, tree).await,
        }
    }
}

impl SigningKey {
    /// Keys in PEM, PKCS#8.
    pub fn all_in(text: &str, place: &str) -> Result<Vec<Self>, Error> {
        let refused = || {
            Error::Parameters(format!(
                "{place} holds no Ed25519 key as PEM (PKCS#8); make one with openssl genpkey \
                 -algorithm ed25519"
            ))
        };
        let blocks = pem::parse_many(text).map_err(|_| refused())?;
        let key = |block: &pem::Pem| {
            let pair = Ed25519KeyPair::from_pkcs8(block.contents()).map_err(|_| refused())?;
            Ok(Self::Held(pair))
        };
        let keys = blocks.iter().map(key).collect::<Result<Vec<_>, Error>>()?;
        if keys.is_empty() { Err(refused()) } else { Ok(keys) }
    }

    fn public(&self) -> &[u8] {
        match self {
            Self::Held(pair) => pair.public_key().as_ref(),
            Self::InKms(key) => key.public(),
        }
    }

    async fn sign(&self, text: &[u8]) -> Result<Vec<u8>, Error> {
        match self {
            Self::Held(pair) => Ok(pair.sign(text).as_ref().to_owned()),
            Self::InKms(key) => key.sign(text).await,
        }
    }
}

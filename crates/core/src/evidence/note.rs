//! Signed notes and their keys, as <https://c2sp.org/signed-note> has them; Ed25519 alone.

use super::Broken;
use crate::raw::hexadecimal;
use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::signature::{ED25519, UnparsedPublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::fmt;

/// Algorithm byte of an Ed25519 key.
const ALGORITHM: u8 = 1;

const KEY_BYTES: usize = 32;

/// Public key with the name under which it signs.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct VerifierKey {
    name: String,
    public: Vec<u8>,
}

/// Text with the signatures below it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedNote {
    /// Signed text, its last line feed included.
    pub text: String,
    signatures: Vec<NoteSignature>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct NoteSignature {
    name: String,
    key_id: [u8; 4],
    bytes: Vec<u8>,
}

impl VerifierKey {
    /// Key of that name; `public` holds 32 bytes.
    pub fn new(name: &str, public: &[u8]) -> Self {
        Self { name: name.to_owned(), public: public.to_owned() }
    }

    /// Reads the text form, `<name>+<id>+<base64>`.
    pub fn parse(text: &str) -> Result<Self, Broken> {
        Self::parsed(text)
            .ok_or_else(|| Broken::new("a verifier key is not of the form <name>+<id>+<key>"))
    }

    fn parsed(text: &str) -> Option<Self> {
        let (name, rest) = text.split_once('+')?;
        let (id, encoded) = rest.split_once('+')?;
        let bytes = STANDARD.decode(encoded).ok()?;
        let (&algorithm, public) = bytes.split_first()?;
        let key = Self::new(name, public);
        let is_sound = algorithm == ALGORITHM && public.len() == KEY_BYTES && is_name(name);
        (is_sound && hexadecimal(&key.id()) == id).then_some(key)
    }

    /// Keys that a text holds, one a line; lines that start with `#` are remarks.
    pub fn parse_all(text: &str) -> Result<Vec<Self>, Broken> {
        let lines = text.lines().map(str::trim);
        let keys = lines.filter(|line| !line.is_empty() && !line.starts_with('#')).map(Self::parse);
        let keys = keys.collect::<Result<Vec<_>, _>>()?;
        if keys.is_empty() {
            Err(Broken::new("there is no verifier key in the key file"))
        } else {
            Ok(keys)
        }
    }

    /// Name of the key, which is the origin of the checkpoints that it signs.
    pub fn name(&self) -> &str {
        &self.name
    }

    fn id(&self) -> [u8; 4] {
        let content = [self.name.as_bytes(), &[b'\n', ALGORITHM], &self.public].concat();
        let mut id = [0; 4];
        id.copy_from_slice(&digest(&SHA256, &content).as_ref()[..4]);
        id
    }

    /// Line that carries `signature`, made by this key.
    pub fn signature_line(&self, signature: &[u8]) -> String {
        format!("— {} {}\n", self.name, STANDARD.encode([&self.id(), signature].concat()))
    }

    /// Whether `signature` is of `text` and by this key.
    pub fn verifies(&self, text: &str, signature: &[u8]) -> bool {
        UnparsedPublicKey::new(&ED25519, &self.public).verify(text.as_bytes(), signature).is_ok()
    }
}

impl fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key = STANDARD.encode([&[ALGORITHM], self.public.as_slice()].concat());
        write!(f, "{}+{}+{key}", self.name, hexadecimal(&self.id()))
    }
}

impl SignedNote {
    /// Reads a note.
    pub fn parse(bytes: &[u8]) -> Result<Self, Broken> {
        Self::parsed(bytes).ok_or_else(|| Broken::new("it is no signed note"))
    }

    fn parsed(bytes: &[u8]) -> Option<Self> {
        let all = std::str::from_utf8(bytes).ok()?;
        let end = all.rfind("\n\n")?;
        let (text, lines) = (&all[..=end], all[end + 2..].strip_suffix('\n')?);
        let signatures =
            lines.split('\n').map(NoteSignature::parsed).collect::<Option<Vec<_>>>()?;
        Some(Self { text: text.to_owned(), signatures })
    }

    /// Keys among `keys` that have signed the note: at least one. A signature that claims to be of
    /// one of them and is not spoils the note.
    pub fn signers<'keys>(
        &self,
        keys: &'keys [VerifierKey],
    ) -> Result<Vec<&'keys VerifierKey>, Broken> {
        let mut signers = Vec::new();
        for signature in &self.signatures {
            let is_of =
                |key: &&VerifierKey| key.name == signature.name && key.id() == signature.key_id;
            let Some(key) = keys.iter().find(is_of) else { continue };
            if !key.verifies(&self.text, &signature.bytes) {
                return Err(Broken::new("its signature is wrong"));
            }
            signers.push(key);
        }
        if signers.is_empty() {
            Err(Broken::new("no key that is given has signed it"))
        } else {
            Ok(signers)
        }
    }
}

impl NoteSignature {
    fn parsed(line: &str) -> Option<Self> {
        let (name, encoded) = line.strip_prefix("— ")?.split_once(' ')?;
        let bytes = STANDARD.decode(encoded).ok()?;
        let (key_id, bytes) = bytes.split_first_chunk()?;
        is_name(name).then(|| Self {
            name: name.to_owned(),
            key_id: *key_id,
            bytes: bytes.to_owned(),
        })
    }
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && !name.contains('+') && !name.contains(char::is_whitespace)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Key and note of the Go checksum database's package `note`, in its documentation.
    const GO_KEY: &str = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
    const GO_NOTE: &str = concat!(
        "If you think cryptography is the answer to your problem,\n",
        "then you don't know what your problem is.\n\n",
        "— PeterNeumann \
         x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n",
    );

    #[test]
    fn a_note_of_another_program_is_verified() {
        let keys = VerifierKey::parse_all(&format!("# a remark\n\n{GO_KEY}\n")).unwrap();
        assert_eq!(keys[0].to_string(), GO_KEY);
        let note = SignedNote::parse(GO_NOTE.as_bytes()).unwrap();
        assert_eq!(note.signers(&keys).unwrap(), [&keys[0]]);
    }

    #[test]
    fn what_was_changed_or_signed_by_others_is_refused() {
        let keys = [VerifierKey::parse(GO_KEY).unwrap()];
        let check = |note: String, part: &str| {
            let refused =
                SignedNote::parse(note.as_bytes()).and_then(|note| note.signers(&keys).map(drop));
            assert!(refused.unwrap_err().0.contains(part), "{note}");
        };
        check(GO_NOTE.replace("cryptography", "Cryptography"), "signature is wrong");
        check(GO_NOTE.replace("— Peter", "— Paul"), "no key that is given");
        check(GO_NOTE.replace("\n\n", "\n"), "no signed note");
        check(GO_NOTE.trim_end().to_owned(), "no signed note");
        for key in [GO_KEY.replace("c74f", "c74e"), GO_KEY.replace('+', " "), format!(" {GO_KEY}")]
        {
            assert!(VerifierKey::parse(&key).is_err(), "{key}");
        }
    }
}

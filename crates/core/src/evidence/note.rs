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

/// Signatures that a note may have, as with Go's package `note`: more are no help, and cost time.
const MOST_SIGNATURES: usize = 100;

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
    pub(super) signatures: Vec<NoteSignature>,
}

/// Line below a note, whatever signed it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct NoteSignature {
    pub(super) name: String,
    pub(super) key_id: [u8; 4],
    pub(super) bytes: Vec<u8>,
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
        parse_key(text, ALGORITHM).map(|(name, public)| Self::new(name, &public))
    }

    /// Keys that a text holds, one a line; lines that start with `#` are remarks.
    pub fn parse_all(text: &str) -> Result<Vec<Self>, Broken> {
        let keys = key_lines(text).map(Self::parse).collect::<Result<Vec<_>, _>>()?;
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

    /// Public key itself, without its name.
    pub(super) fn public(&self) -> &[u8] {
        &self.public
    }

    fn id(&self) -> [u8; 4] {
        key_id(&self.name, ALGORITHM, &self.public)
    }

    /// Line that carries `signature`, made by this key.
    pub fn signature_line(&self, signature: &[u8]) -> String {
        let signature = signature.to_owned();
        NoteSignature { name: self.name.clone(), key_id: self.id(), bytes: signature }.to_line()
    }

    /// Whether `signature` is of `text` and by this key.
    pub fn verifies(&self, text: &str, signature: &[u8]) -> bool {
        is_signature(&self.public, text, signature)
    }
}

impl fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&key_text(&self.name, ALGORITHM, &self.public))
    }
}

/// Lines of a file of keys that hold one; lines that start with `#` are remarks.
pub(super) fn key_lines(text: &str) -> impl Iterator<Item = &str> {
    text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'))
}

/// Name and 32 bytes of a key of that algorithm, from its text form.
pub(super) fn parse_key(text: &str, algorithm: u8) -> Option<(&str, Vec<u8>)> {
    let (name, rest) = text.split_once('+')?;
    let (id, encoded) = rest.split_once('+')?;
    let bytes = STANDARD.decode(encoded).ok()?;
    let public = bytes.strip_prefix(&[algorithm])?;
    let is_sound = public.len() == KEY_BYTES && is_name(name);
    let is_its_id = hexadecimal(&key_id(name, algorithm, public)) == id;
    (is_sound && is_its_id).then(|| (name, public.to_owned()))
}

/// Text form of a key, `<name>+<id>+<base64>`.
pub(super) fn key_text(name: &str, algorithm: u8, public: &[u8]) -> String {
    let id = hexadecimal(&key_id(name, algorithm, public));
    format!("{name}+{id}+{}", STANDARD.encode([&[algorithm], public].concat()))
}

/// Id of a key: the start of a hash over its name, its algorithm and itself.
pub(super) fn key_id(name: &str, algorithm: u8, public: &[u8]) -> [u8; 4] {
    let content = [name.as_bytes(), &[b'\n', algorithm], public].concat();
    let mut id = [0; 4];
    id.copy_from_slice(&digest(&SHA256, &content).as_ref()[..4]);
    id
}

/// Whether `signature` is of `text` and by the Ed25519 key `public`.
pub(super) fn is_signature(public: &[u8], text: &str, signature: &[u8]) -> bool {
    UnparsedPublicKey::new(&ED25519, public).verify(text.as_bytes(), signature).is_ok()
}

impl SignedNote {
    /// Reads a note.
    pub fn parse(bytes: &[u8]) -> Result<Self, Broken> {
        Self::parsed(bytes).ok_or_else(|| Broken::new("it is no signed note"))
    }

    fn parsed(bytes: &[u8]) -> Option<Self> {
        let all = std::str::from_utf8(bytes).ok()?;
        if all.chars().any(|letter| letter < ' ' && letter != '\n') {
            return None;
        }
        let end = all.rfind("\n\n")?;
        let text = &all[..=end];
        let lines = all[end + 2..].strip_suffix('\n')?;
        let lines = lines.split('\n').take(MOST_SIGNATURES + 1);
        let signatures = lines.map(NoteSignature::parsed).collect::<Option<Vec<_>>>()?;
        let is_too_long = signatures.len() > MOST_SIGNATURES;
        (!is_too_long).then(|| Self { text: text.to_owned(), signatures })
    }

    /// The note with the signatures of `other` as well, which is the same text.
    pub fn with_signatures_of(&self, other: &Self) -> Result<Self, Broken> {
        if other.text != self.text {
            return Err(Broken::new("it says something else than the note that was there"));
        }
        let mut both = self.clone();
        for signature in &other.signatures {
            if !both.signatures.contains(signature) {
                both.signatures.push(signature.clone());
            }
        }
        let is_too_long = both.signatures.len() > MOST_SIGNATURES;
        if is_too_long { Err(Broken::new("it has too many signatures")) } else { Ok(both) }
    }

    /// Writes the note as it is read.
    pub fn to_text(&self) -> String {
        let lines = self.signatures.iter().map(NoteSignature::to_line);
        format!("{}\n{}", self.text, lines.collect::<String>())
    }

    /// Keys among `keys` that have signed the note: at least one. A signature that claims to be of
    /// one of them and is not spoils the note.
    pub fn signers<'keys>(
        &self,
        keys: &'keys [VerifierKey],
    ) -> Result<Vec<&'keys VerifierKey>, Broken> {
        let signers = self.signers_if_any(keys)?;
        if signers.is_empty() {
            Err(Broken::new("no key that is given has signed it"))
        } else {
            Ok(signers)
        }
    }

    /// Keys among `keys` that have signed the note. A wrong signature of one spoils it here too.
    pub fn signers_if_any<'keys>(
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
        Ok(signers)
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

    fn to_line(&self) -> String {
        let Self { name, key_id, bytes } = self;
        format!("— {name} {}\n", STANDARD.encode([key_id, bytes.as_slice()].concat()))
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
        assert_eq!(note.to_text(), GO_NOTE);
        assert_eq!(note.with_signatures_of(&note), Ok(note.clone()));
        let other = SignedNote { text: "other\n".to_owned(), ..note.clone() };
        assert!(note.with_signatures_of(&other).is_err());
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
        check(GO_NOTE.replace("you don't", "you\u{1b}don't"), "no signed note");
        let line = GO_NOTE.lines().last().unwrap();
        check(format!("{GO_NOTE}{}", format!("{line}\n").repeat(100)), "no signed note");
        for key in [GO_KEY.replace("c74f", "c74e"), GO_KEY.replace('+', " "), format!(" {GO_KEY}")]
        {
            assert!(VerifierKey::parse(&key).is_err(), "{key}");
        }
    }
}

//! Cosignatures of witnesses, as <https://c2sp.org/tlog-cosignature> has them; Ed25519 alone.
//!
//! A witness signs that it saw a log with that size and root at some time, and that nothing before
//! was changed since it looked last. So two people who trust a witness have seen the same log.

use super::Broken;
use super::checkpoint::Checkpoint;
use super::note::{
    NoteSignature, SignedNote, VerifierKey, is_signature, key_id, key_lines, key_text, parse_key,
};
use crate::raw::hexadecimal;
use chrono::{DateTime, Utc};
use std::fmt;

/// Algorithm byte of a witness: keys that sign a log have another one.
const ALGORITHM: u8 = 4;

/// Public key of a witness. It is no [`VerifierKey`]: it never speaks for a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WitnessKey {
    name: String,
    public: Vec<u8>,
}

/// Signature below a checkpoint that its log has not made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cosignature {
    /// Name of the witness; where it is unknown, with the id of its key.
    pub witness: String,
    /// Worth of the signature.
    pub testimony: Testimony,
}

/// Worth of a cosignature to somebody who trusts certain witnesses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Testimony {
    /// The witness saw the checkpoint at that time.
    Seen(DateTime<Utc>),
    /// No key that is given is of that witness, so it says nothing.
    Unknown,
    /// It claims to be of a witness that is known, and is not.
    Wrong,
}

impl WitnessKey {
    /// Reads the text form, `<name>+<id>+<base64>`.
    pub fn parse(text: &str) -> Result<Self, Broken> {
        let parsed = parse_key(text, ALGORITHM);
        let key = parsed.map(|(name, public)| Self { name: name.to_owned(), public });
        key.ok_or_else(|| {
            Broken::new(
                "a witness key is not of the form <name>+<id>+<key> with an Ed25519 key for \
                 cosignatures",
            )
        })
    }

    /// Keys that a text holds, one a line; lines that start with `#` are remarks.
    pub fn parse_all(text: &str) -> Result<Vec<Self>, Broken> {
        key_lines(text).map(Self::parse).collect()
    }

    /// Name of the witness.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether the witness is the log itself, which would testify for itself.
    pub fn is_of(&self, log: &VerifierKey) -> bool {
        self.name == log.name() || self.public == log.public()
    }

    fn has_made(&self, signature: &NoteSignature) -> bool {
        self.name == signature.name
            && key_id(&self.name, ALGORITHM, &self.public) == signature.key_id
    }
}

impl fmt::Display for WitnessKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&key_text(&self.name, ALGORITHM, &self.public))
    }
}

/// Signatures below a checkpoint that its log has not made, in their order.
pub fn cosignatures(
    note: &SignedNote,
    witnesses: &[WitnessKey],
) -> Result<Vec<Cosignature>, Broken> {
    let origin = Checkpoint::of(note)?.origin;
    let of_others = note.signatures.iter().filter(|signature| signature.name != origin);
    Ok(of_others.map(|signature| Cosignature::of(signature, &note.text, witnesses)).collect())
}

impl Cosignature {
    fn of(signature: &NoteSignature, text: &str, witnesses: &[WitnessKey]) -> Self {
        let Some(key) = witnesses.iter().find(|key| key.has_made(signature)) else {
            let witness = format!("{}+{}", signature.name, hexadecimal(&signature.key_id));
            return Self { witness, testimony: Testimony::Unknown };
        };
        let seen_at = seen_at(key, text, &signature.bytes);
        let testimony = seen_at.map_or(Testimony::Wrong, Testimony::Seen);
        Self { witness: key.name.clone(), testimony }
    }
}

/// Time that a witness has signed together with `text`: eight bytes before the signature itself.
fn seen_at(key: &WitnessKey, text: &str, bytes: &[u8]) -> Option<DateTime<Utc>> {
    let (seconds, signature) = bytes.split_first_chunk()?;
    let seconds = u64::from_be_bytes(*seconds);
    is_signature(&key.public, &signed_text(text, seconds), signature).then_some(())?;
    DateTime::from_timestamp(seconds.try_into().ok()?, 0)
}

/// Text that a witness signs: its first line keeps it apart from everything else that is signed.
fn signed_text(text: &str, seconds: u64) -> String {
    format!("cosignature/v1\ntime {seconds}\n{text}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::checkpoint::TreeHead;
    use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};

    const ORIGIN: &str = "entratrail/00112233445566778899aabbccddeeff/sign-ins";
    const WITNESS: &str = "witness.example/w1";
    const SECONDS: u64 = 1_795_000_000;

    fn pair(seed: u8) -> Ed25519KeyPair {
        Ed25519KeyPair::from_seed_unchecked(&[seed; 32]).unwrap()
    }

    fn witness_key(name: &str, pair: &Ed25519KeyPair) -> WitnessKey {
        WitnessKey { name: name.to_owned(), public: pair.public_key().as_ref().to_owned() }
    }

    /// A checkpoint that its log has signed.
    fn checkpoint(size: u64) -> SignedNote {
        let tree = TreeHead { size, root: [7; 32] };
        let text = Checkpoint { origin: ORIGIN.to_owned(), tree }.to_text();
        let log = VerifierKey::new(ORIGIN, pair(1).public_key().as_ref());
        let line = log.signature_line(pair(1).sign(text.as_bytes()).as_ref());
        SignedNote::parse(format!("{text}\n{line}").as_bytes()).unwrap()
    }

    /// Line of a witness below `text`.
    fn line(name: &str, pair: &Ed25519KeyPair, text: &str, seconds: u64) -> NoteSignature {
        let public = pair.public_key();
        let signature = pair.sign(signed_text(text, seconds).as_bytes());
        NoteSignature {
            name: name.to_owned(),
            key_id: key_id(name, ALGORITHM, public.as_ref()),
            bytes: [&seconds.to_be_bytes(), signature.as_ref()].concat(),
        }
    }

    fn testimony(signature: NoteSignature, witnesses: &[WitnessKey]) -> Testimony {
        let mut note = checkpoint(12);
        note.signatures.push(signature);
        let note = SignedNote::parse(note.to_text().as_bytes()).unwrap();
        let found = cosignatures(&note, witnesses).unwrap();
        assert_eq!(found.len(), 1, "{found:?}");
        found[0].testimony
    }

    #[test]
    fn a_witness_says_which_checkpoint_it_saw_and_when() {
        let witnesses = [witness_key(WITNESS, &pair(2))];
        let text = checkpoint(12).text;
        let seen = DateTime::from_timestamp(1_795_000_000, 0).unwrap();
        let own = line(WITNESS, &pair(2), &text, SECONDS);
        assert_eq!(testimony(own.clone(), &witnesses), Testimony::Seen(seen));
        assert_eq!(testimony(own.clone(), &[]), Testimony::Unknown);
        assert_eq!(cosignatures(&checkpoint(12), &witnesses), Ok(vec![]));
        // A stranger under its name, and another name with its key, are others.
        for stranger in
            [line(WITNESS, &pair(3), &text, SECONDS), line("w2", &pair(2), &text, SECONDS)]
        {
            assert_eq!(testimony(stranger, &witnesses), Testimony::Unknown);
        }
    }

    #[test]
    fn what_the_witness_has_not_signed_is_wrong() {
        let witnesses = [witness_key(WITNESS, &pair(2))];
        let text = checkpoint(12).text;
        let own = line(WITNESS, &pair(2), &text, SECONDS);
        let with = |bytes: Vec<u8>| NoteSignature { bytes, ..own.clone() };
        let plain = pair(2).sign(text.as_bytes()).as_ref().to_owned();
        for wrong in [
            line(WITNESS, &pair(2), &checkpoint(13).text, SECONDS),
            with([&(SECONDS + 1).to_be_bytes(), &own.bytes[8..]].concat()),
            with(own.bytes[..71].to_owned()),
            with([own.bytes.as_slice(), &[0]].concat()),
            with(vec![]),
            // A signature as a log makes it, alone and with a time before it.
            with(plain.clone()),
            with([&SECONDS.to_be_bytes(), plain.as_slice()].concat()),
            with(line(WITNESS, &pair(3), &text, SECONDS).bytes),
            // The specification ends at 2^63 - 1, and no calendar has that day.
            line(WITNESS, &pair(2), &text, u64::MAX),
            line(WITNESS, &pair(2), &text, (1 << 63) - 1),
        ] {
            assert_eq!(testimony(wrong, &witnesses), Testimony::Wrong);
        }
    }

    #[test]
    fn keys_of_witnesses_and_of_logs_are_told_apart() {
        let witness = witness_key(WITNESS, &pair(2));
        let text = witness.to_string();
        assert_eq!(WitnessKey::parse(&text), Ok(witness.clone()));
        assert_eq!(WitnessKey::parse_all(&format!("# ours\n\n{text}\n")), Ok(vec![witness]));
        let log = VerifierKey::new(ORIGIN, pair(1).public_key().as_ref());
        assert!(WitnessKey::parse(&log.to_string()).is_err());
        assert!(VerifierKey::parse(&text).is_err());
        assert!(witness_key(WITNESS, &pair(1)).is_of(&log));
        assert!(witness_key(ORIGIN, &pair(2)).is_of(&log));
        assert!(!witness_key(WITNESS, &pair(2)).is_of(&log));
        for wrong in [text.replacen(WITNESS, "other", 1), text[..text.len() - 4].to_owned()] {
            assert!(WitnessKey::parse(&wrong).is_err(), "{wrong}");
        }
    }

    /// Checkpoint of a log of certificates that several witnesses have seen, and two of their keys.
    const FOREIGN: &str = "\
arche2025h1.staging.ct.transparency.dev
1432088532
U7WM79jrzyhGZ5/GUBTpM7NzwdyfFx61t3RovgcC4Ro=

— arche2025h1.staging.ct.transparency.dev zTM8sQAAAZ5W0WdjBAMARjBEAiBjW5IQf9pvsYLfQFX6hoGREPMHbdQ3urbllzalApkptQIgIpwtEroeW2BXaHAI4kJXFbon5Ch9MNL5zRNZ55lvGt0=
— transparency.dev/DEV:witness-little-garden 2AQqhwAAAABqEiEgzgFIqqhbUoDwjMWE6UP8nd8/KYTzwZ2rhIgcqoXHAwVkjZr4AscylP3v7sEodkRAErumC2q44vdgJY096st5BQ==
— witness1.smartit.nu/witness1 pIyCDwAAAABqEiEghIp82KWebrw7/oHQwlTAm3g2RKS4+eebl8eO0WH+/iEcxZ75W3u5hNI7TOQtmJbqmNWVuE0tgh0XwzdZsDsUAQ==
— remora.n621.de 2net5wAAAABqEiEgPlfF3V06o0Y+fHM+J5J9s27wgxxcOVSpZ/2g/KSiXCg9DEZI+aVCIobWX9sXTynk5XeU/zZ0WBxtqB0DrAWfBw==
";
    const FOREIGN_WITNESSES: &str = "\
transparency.dev/DEV:witness-little-garden+d8042a87+BCtusOxINQNUTN5Oj8HObRkh2yHf/MwYaGX4CPdiVEPM
remora.n621.de+da77ade7+BOvN63jn/bLvkieywe8R6UYAtVtNbZpXh34x7onlmtw2
";

    #[test]
    fn witnesses_of_another_log_are_understood() {
        let witnesses = WitnessKey::parse_all(FOREIGN_WITNESSES).unwrap();
        let seen = Testimony::Seen("2026-05-23T21:50:24Z".parse().unwrap());
        let found = |note: &str| {
            let note = SignedNote::parse(note.as_bytes()).unwrap();
            let found = cosignatures(&note, &witnesses).unwrap();
            found.into_iter().map(|one| (one.witness, one.testimony)).collect::<Vec<_>>()
        };
        assert_eq!(
            found(FOREIGN),
            [
                (witnesses[0].name.clone(), seen),
                ("witness1.smartit.nu/witness1+a48c820f".to_owned(), Testimony::Unknown),
                (witnesses[1].name.clone(), seen),
            ]
        );
        let forged = found(&FOREIGN.replace("\n1432088532\n", "\n1432088533\n"));
        let testimonies = forged.into_iter().map(|(_, testimony)| testimony).collect::<Vec<_>>();
        assert_eq!(testimonies, [Testimony::Wrong, Testimony::Unknown, Testimony::Wrong]);
    }
}

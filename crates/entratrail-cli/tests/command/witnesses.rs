//! Witnesses of the signed log: another program, written from the specification, plays them.

use crate::evidence::{change, check_py};
use crate::stage::{Ended, Stage, TENANT, plain_command, run};
use serde_json::Value;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use tempfile::TempDir;

const FIRST: &str = "witness.example/first";
const SECOND: &str = "witness.example/second";

/// 2026-11-18 at 10:40 UTC.
const SECONDS: &str = "1794998400";
const SEEN: &str = "saw 12 entries on 2026-11-18 at 10:40:00 UTC";

/// An archive whose history is signed, its owner's verifier keys, and two witnesses.
struct Town {
    stage: Stage,
    outside: TempDir,
}

/// A witness, or somebody who takes its name.
#[derive(Clone, Copy)]
struct Witness {
    name: &'static str,
    seed: &'static str,
}

impl Witness {
    const ALL: [Self; 2] =
        [Self { name: FIRST, seed: "first" }, Self { name: SECOND, seed: "second" }];

    fn program(self, word: &str) -> Command {
        let mut command = Command::new("python3");
        let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/command");
        command.arg(tests.join("witness.py")).args([word, self.name, self.seed]);
        command
    }

    fn key(self) -> String {
        run(&mut self.program("key")).stdout
    }

    /// The note with this signature below.
    fn signs(self, note: &str) -> String {
        let mut command = self.program("sign");
        command.arg(SECONDS).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut witness = command.spawn().unwrap();
        witness.stdin.take().unwrap().write_all(note.as_bytes()).unwrap();
        let ended = Ended::of(&witness.wait_with_output().unwrap());
        assert_eq!(ended.status, Some(0));
        ended.stdout
    }
}

impl Town {
    async fn set() -> Self {
        let town = Self { stage: Stage::set(TENANT).await, outside: tempfile::tempdir().unwrap() };
        town.collect();
        let keys: String = Witness::ALL.into_iter().map(Witness::key).collect();
        fs::write(town.outside("witnesses"), format!("# those whom we trust\n{keys}")).unwrap();
        town
    }

    fn collect(&self) {
        let ended = run(self.stage.collect().arg("--evidence-key").arg(self.outside("key")));
        assert_eq!(ended.status, Some(0), "{}{}", ended.stdout, ended.stderr);
    }

    fn outside(&self, name: &str) -> PathBuf {
        self.outside.path().join(name)
    }

    fn in_log(&self, name: &str) -> PathBuf {
        self.stage.archive().join("proof/sign-ins").join(name)
    }

    fn checkpoint(&self) -> String {
        fs::read_to_string(self.in_log("checkpoint")).unwrap()
    }

    fn give_with(&self, note: &str, options: &[&str]) -> Ended {
        let path = self.outside("note");
        fs::write(&path, note).unwrap();
        let mut command = plain_command(&["witness"]);
        command.arg(path).arg("--archive").arg(self.stage.archive());
        command.arg("--key").arg(self.outside("key.verifier"));
        run(command.args(options))
    }

    /// Gives a note to whom knows the witnesses.
    fn give(&self, note: &str) -> Ended {
        let witnesses = self.outside("witnesses");
        self.give_with(note, &["--witnesses", witnesses.to_str().unwrap()])
    }

    fn verify(&self) -> Command {
        let mut verify = self.stage.verify();
        verify.arg("--key").arg(self.outside("key.verifier"));
        verify
    }

    fn verify_with_witnesses(&self) -> Ended {
        run(self.verify().arg("--witnesses").arg(self.outside("witnesses")))
    }

    fn assert_sound(&self) -> String {
        let mut script = check_py();
        script.arg(self.stage.archive()).arg("--key").arg(self.outside("key.verifier"));
        let ended = run(&mut script);
        assert_eq!(ended.status, Some(0), "{}{}", ended.stdout, ended.stderr);
        let ended = self.verify_with_witnesses();
        assert_eq!(ended.status, Some(0), "{}{}", ended.stdout, ended.stderr);
        ended.stdout
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_witnesses_saw_is_kept_shown_and_goes_with_a_proof() {
    let town = Town::set().await;
    let [first, second] = Witness::ALL;
    let checkpoint = town.checkpoint();
    let given = town.give(&first.signs(&checkpoint));
    assert_eq!(given.status, Some(0), "{}", given.stderr);
    assert_eq!(given.stdout, format!("Kept: {FIRST} {SEEN}\n"));
    // The second one comes later and alone; a run in between drops nothing, and neither does a
    // repetition.
    town.collect();
    assert_eq!(town.give(&second.signs(&checkpoint)).status, Some(0));
    assert_eq!(town.give(&second.signs(&first.signs(&checkpoint))).status, Some(0));
    let kept = fs::read_to_string(town.in_log("checkpoints/12.cosigned")).unwrap();
    assert_eq!(kept, second.signs(&first.signs(&checkpoint)));
    assert_eq!(town.checkpoint(), checkpoint);

    let shown = town.assert_sound();
    for name in [FIRST, SECOND] {
        assert!(shown.contains(&format!("\n  {name} {SEEN}\n")), "{shown}");
    }
    let json =
        run(town.verify().arg("--witnesses").arg(town.outside("witnesses")).arg("--json")).stdout;
    let json: Value = serde_json::from_str(&json).unwrap();
    let seen = &json["evidence"][0]["witnesses"][0];
    assert_eq!(
        (&seen["witness"], &seen["entries"], &seen["worth"], &seen["time"]),
        (&FIRST.into(), &12.into(), &"seen".into(), &"2026-11-18T10:40:00Z".into())
    );
    // Whoever trusts neither sees that somebody has signed, and nothing more.
    let without = run(&mut town.verify());
    assert_eq!(without.status, Some(0), "{}", without.stdout);
    let id = first.key().split('+').nth(1).unwrap().to_owned();
    let unknown = format!("{FIRST}+{id}, an unknown witness, has signed 12 entries");
    assert!(without.stdout.contains(&unknown), "{}", without.stdout);

    let report = town.outside("report.html");
    let made = run(plain_command(&["report", "--archive"])
        .arg(town.stage.archive())
        .arg("--out")
        .arg(&report));
    assert_eq!(made.status, Some(0), "{}", made.stderr);
    assert!(fs::read_to_string(&report).unwrap().contains(&format!("— {FIRST} ")));

    proof_of_a_record(&town);
}

/// A proof leads to the checkpoint that the witnesses saw.
fn proof_of_a_record(town: &Town) {
    let archive = town.stage.archive();
    let query = ["query", "SELECT id FROM sign_ins LIMIT 1", "--format", "csv", "--archive"];
    let rows = run(plain_command(&query).arg(&archive)).stdout;
    let folder = town.outside("proof");
    let key = town.outside("key.verifier");
    let mut prove = plain_command(&["prove", "--id", rows.lines().nth(1).unwrap(), "--archive"]);
    prove.arg(&archive).arg("--key").arg(&key).arg("--out").arg(&folder);
    assert_eq!(run(&mut prove).status, Some(0));
    let script = run(check_py().arg("--proof").arg(&folder).arg("--key").arg(&key));
    assert_eq!(script.status, Some(0), "{}{}", script.stdout, script.stderr);
    let check = |witnesses: &[&str]| {
        run(plain_command(&["check"]).arg(&folder).arg("--key").arg(&key).args(witnesses))
    };
    let trusted = town.outside("witnesses").display().to_string();
    let trusted = ["--witnesses", trusted.as_str()];
    let sound = check(&trusted);
    assert_eq!(sound.status, Some(0), "{}", sound.stdout);
    for name in [FIRST, SECOND] {
        assert!(sound.stdout.contains(&format!("\n  {name} {SEEN}\n")), "{}", sound.stdout);
    }
    // The last letters of the second witness's signature.
    change(&folder.join("entry.tlog-proof"), with_changed_letter);
    let forged = check(&trusted);
    assert_eq!(forged.status, Some(1));
    let named = format!("No: the checkpoint: the signature of {SECOND} on 12 entries is wrong\n");
    assert_eq!(forged.stdout, named);
    assert_eq!(check(&[]).status, Some(0), "nobody who is trusted has signed it");
}

#[tokio::test(flavor = "multi_thread")]
async fn only_checkpoints_of_this_log_with_signatures_of_witnesses_are_taken() {
    let town = Town::set().await;
    let [first, second] = Witness::ALL;
    let checkpoint = town.checkpoint();
    let origin = checkpoint.lines().next().unwrap();
    let root = checkpoint.lines().nth(2).unwrap();
    let signed = first.signs(&checkpoint);
    let thief = Witness { seed: "thief", ..first };
    let own_signature = checkpoint.lines().last().unwrap();
    let other_root = checkpoint.replacen(root, &changed(root, 0), 1);
    let hostile = format!("{signed}— \u{1b}[2J AAAAAAAA\n");
    let crowd = format!("{signed}{}", "— witness.example/x AAAAAAAA\n".repeat(200));
    let sound_by_others = signed.replacen(own_signature, &format!("— {origin} AAAAAAAA"), 1);
    for (note, part) in [
        (checkpoint.clone(), "no witness has signed it"),
        (first.signs(&checkpoint.replacen("\n12\n", "\n11\n", 1)), "its signature is wrong"),
        (first.signs(&other_root), "its signature is wrong"),
        (signed.replacen("\n12\n", "\n11\n", 1), "its signature is wrong"),
        (sound_by_others, "no key that is given has signed it"),
        (signed.replacen(origin, "entratrail/other/sign-ins", 1), "a checkpoint of another log"),
        (signed.replacen("/sign-ins\n", "/others\n", 1), "it is a checkpoint of another log"),
        // The second witness's line with the first one's name and key.
        (
            second.signs(&checkpoint).replacen(
                start_of_line(second).as_str(),
                start_of_line(first).as_str(),
                1,
            ),
            "the signature of witness.example/first on 12 entries is wrong",
        ),
        (hostile, "it is no signed note"),
        (crowd, "it is no signed note"),
        ("\u{0}".repeat(2_000_000), "more than 1048576 bytes"),
        (String::new(), "it is no signed note"),
    ] {
        let refused = town.give(&note);
        assert_eq!(refused.status, Some(2), "{part}: {}{}", refused.stdout, refused.stderr);
        assert!(refused.stderr.contains(part), "{part} in {}", refused.stderr);
        assert!(!refused.stderr.contains('\u{1b}'), "{}", refused.stderr);
        assert!(!town.in_log("checkpoints/12.cosigned").exists(), "{part}");
    }
    // Another key under the name is a stranger, and is said to be one.
    let stranger = town.give(&thief.signs(&checkpoint));
    assert_eq!(stranger.status, Some(0), "{}", stranger.stderr);
    assert!(stranger.stdout.contains("an unknown witness"), "{}", stranger.stdout);
    assert!(!town.assert_sound().contains(SEEN));
    // The log is no witness of itself, and its key is none of a witness.
    for keys in [
        fs::read_to_string(town.outside("key.verifier")).unwrap(),
        Witness { name: "x", seed: "x" }.key().replacen("x+", "y+", 1),
        String::new(),
    ] {
        fs::write(town.outside("witnesses"), keys).unwrap();
        assert_eq!(town.give(&signed).status, Some(2));
        assert_eq!(town.verify_with_witnesses().status, Some(2));
    }
    let nowhere = plain_command(&["witness", "--archive"])
        .arg(town.outside("nowhere"))
        .arg(town.outside("note"))
        .arg("--key")
        .arg(town.outside("key.verifier"))
        .output()
        .unwrap();
    assert_eq!(nowhere.status.code(), Some(2));
    assert!(!town.outside("nowhere").exists());
}

/// Start of the line of a witness: its name, and six letters with its key's id.
fn start_of_line(witness: Witness) -> String {
    let line = witness.signs("log\n1\nAA==\n\n");
    let start = line.rfind("— ").unwrap();
    let encoded = line[start..].rfind(' ').unwrap();
    line[start..=start + encoded + 6].to_owned()
}

/// Text with another letter at that place.
fn changed(text: &str, place: usize) -> String {
    let other = if &text[place..=place] == "A" { "B" } else { "A" };
    format!("{}{other}{}", &text[..place], &text[place + 1..])
}

/// Note with another letter near the end of its last signature.
fn with_changed_letter(note: &str) -> String {
    changed(note, note.len() - 10)
}

#[tokio::test(flavor = "multi_thread")]
async fn forged_sightings_in_the_archive_are_named() {
    let town = Town::set().await;
    let [first, _] = Witness::ALL;
    let checkpoint = town.checkpoint();
    let signed = first.signs(&checkpoint);
    let place = town.in_log("checkpoints/12.cosigned");
    let root = checkpoint.lines().nth(2).unwrap();
    let other_root = changed(root, 0);
    let bare = |text: &str| {
        let (text, _) = text.split_once("\n\n").unwrap();
        format!("{text}\n\n")
    };
    let wrong = format!("the signature of {FIRST} on 12 entries is wrong");
    // A letter of the witness's signature; a size and a root that only the witness has signed,
    // because the key of the log did not.
    let one_letter = with_changed_letter(&signed);
    let larger = first.signs(&bare(&checkpoint.replacen("\n12\n", "\n13\n", 1)));
    let smaller = first.signs(&bare(&checkpoint.replacen("\n12\n", "\n11\n", 1)));
    let forked = first.signs(&bare(&checkpoint.replacen(root, &other_root, 1)));
    for (note, part) in [
        (one_letter, wrong.as_str()),
        (larger, "it is of 13 entries, and the archive has only 12: the log was rolled back"),
        (smaller, "the log does not extend these 11 entries: it was forked"),
        (forked, "12.cosigned: the log does not extend these 12 entries: it was forked"),
        (signed.replacen(root, &other_root, 1), "12.cosigned: its signature is wrong"),
        ("nothing".to_owned(), "12.cosigned: it is no signed note"),
    ] {
        fs::write(&place, note).unwrap();
        let ended = town.verify_with_witnesses();
        assert_eq!(ended.status, Some(1), "{part}: {}", ended.stdout);
        assert!(ended.stdout.contains(part), "{part} in {}", ended.stdout);
        assert!(!ended.stdout.contains(SEEN), "{}", ended.stdout);
        // What is damaged is not added to.
        if !part.contains("is wrong") || part.contains("its signature") {
            let refused = town.give(&signed);
            assert_eq!(refused.status, Some(2), "{part}: {}", refused.stdout);
        }
    }
    fs::rename(&place, town.in_log("checkpoints/11.cosigned")).unwrap();
    fs::write(town.in_log("checkpoints/11.cosigned"), &signed).unwrap();
    let renamed = town.verify_with_witnesses();
    let part = "11.cosigned: it is of 12 entries, and its name says 11";
    assert!(renamed.status == Some(1) && renamed.stdout.contains(part), "{}", renamed.stdout);
    // A note that somebody else has kept serves as well, and its witnesses are looked at.
    fs::remove_file(town.in_log("checkpoints/11.cosigned")).unwrap();
    fs::write(town.outside("kept"), &signed).unwrap();
    let since = |note: &Path| {
        let mut verify = town.verify();
        verify.arg("--witnesses").arg(town.outside("witnesses"));
        run(verify.arg("--since").arg(note))
    };
    let sound = since(&town.outside("kept"));
    assert!(sound.status == Some(0) && sound.stdout.contains(SEEN), "{}", sound.stdout);
    change(&town.outside("kept"), with_changed_letter);
    let altered = since(&town.outside("kept"));
    assert!(altered.status == Some(1) && altered.stdout.contains(&wrong), "{}", altered.stdout);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_of_the_logs_key_forgets_no_witness() {
    let town = Town::set().await;
    let [first, second] = Witness::ALL;
    let old = fs::read(town.outside("key.verifier")).unwrap();
    assert_eq!(town.give(&first.signs(&town.checkpoint())).status, Some(0));
    let new = rcgen::KeyPair::generate_for(&rcgen::PKCS_ED25519).unwrap().serialize_pem();
    change(&town.outside("key"), |pem| format!("{new}{pem}"));
    town.collect();
    fs::write(town.outside("key"), new).unwrap();
    town.collect();
    assert_eq!(town.give(&second.signs(&town.checkpoint())).status, Some(0));
    // With the new key alone, and from the old one on.
    for keys in [fs::read(town.outside("key.verifier")).unwrap(), old] {
        fs::write(town.outside("key.verifier"), keys).unwrap();
        let shown = town.assert_sound();
        assert!(shown.contains(&format!("{FIRST} {SEEN}")), "{shown}");
        assert!(shown.contains(&format!("{SECOND} saw 13 entries on")), "{shown}");
    }
}

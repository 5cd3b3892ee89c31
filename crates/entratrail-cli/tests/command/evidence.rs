//! The signed log as a person and an outsider see it: two programs that share no code judge it.

use crate::stage::{Ended, Stage, TENANT, plain_command, run};
use std::path::{Path, PathBuf};
use std::process::Command;

/// A tenant that was collected and signed, and whoever checks that.
struct Court {
    stage: Stage,
    outside: tempfile::TempDir,
}

impl Court {
    async fn set() -> Self {
        let court = Self { stage: Stage::set(TENANT).await, outside: tempfile::tempdir().unwrap() };
        court.collect();
        court
    }

    fn outside(&self, name: &str) -> PathBuf {
        self.outside.path().join(name)
    }

    fn collect(&self) {
        let ended = run(self.stage.collect().arg("--evidence-key").arg(self.outside("key")));
        assert_eq!(ended.status, Some(0), "{}{}", ended.stdout, ended.stderr);
    }

    fn in_log(&self, name: &str) -> PathBuf {
        self.stage.archive().join("proof/sign-ins").join(name)
    }

    /// Both verdicts of the archive: that of the command, and that of `check.py`.
    fn verdicts(&self, since: Option<&Path>) -> [Ended; 2] {
        let key = self.outside("key.verifier");
        let mut verify = self.stage.verify();
        verify.arg("--key").arg(&key);
        let mut script = check_py();
        script.arg(self.stage.archive()).arg("--key").arg(&key);
        if let Some(since) = since {
            verify.arg("--since").arg(since);
            script.arg("--since").arg(since);
        }
        [run(&mut verify), run(&mut script)]
    }

    fn assert_named(&self, since: Option<&Path>, parts: [&str; 2]) {
        for (ended, part) in self.verdicts(since).iter().zip(parts) {
            assert_eq!(ended.status, Some(1), "{}{}", ended.stdout, ended.stderr);
            assert!(ended.stdout.contains(part), "{part} in\n{}{}", ended.stdout, ended.stderr);
        }
    }
}

pub(crate) fn check_py() -> Command {
    let mut command = Command::new("python3");
    command.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/check.py"));
    command
}

pub(crate) fn change(path: &Path, change: impl FnOnce(&str) -> String) {
    let text = std::fs::read_to_string(path).unwrap();
    let changed = change(&text);
    assert_ne!(changed, text);
    std::fs::write(path, changed).unwrap();
}

/// Has somebody change a signed archive, and expects both judges to name it.
async fn check(tamper: impl FnOnce(&Court), parts: [&str; 2]) {
    let court = Court::set().await;
    tamper(&court);
    court.assert_named(None, parts);
}

const LEDGER: &str = "ledger/sign-ins/event_type=interactiveUser";

#[tokio::test(flavor = "multi_thread")]
async fn a_signed_archive_is_sound_to_both_judges_and_a_second_run_adds_nothing() {
    let court = Court::set().await;
    let first = std::fs::read(court.in_log("checkpoint")).unwrap();
    court.collect();
    assert_eq!(std::fs::read(court.in_log("checkpoint")).unwrap(), first);
    let kept = court.outside("kept");
    std::fs::write(&kept, first).unwrap();
    for ended in court.verdicts(Some(&kept)) {
        assert_eq!(ended.status, Some(0), "{}{}", ended.stdout, ended.stderr);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn attacks_on_ledger_and_log_are_named_by_both_judges() {
    let ledger = |court: &Court| court.stage.files(LEDGER, ".ndjson").remove(1);
    let edit = |court: &Court| {
        change(&ledger(court), |text| text.replacen("\"requests\":", "\"requests\":1", 1));
    };
    check(edit, ["read 1 of 0000-2400 was changed", "is not there as the log has it"]).await;
    let drop_file = |court: &Court| std::fs::remove_file(ledger(court)).unwrap();
    check(drop_file, ["is gone, and the log has", "is gone, and the log has"]).await;
    let flip = |court: &Court| {
        let bundle = court.in_log("tile/entries/000.p/12");
        let mut bytes = std::fs::read(&bundle).unwrap();
        bytes[50] ^= 1;
        std::fs::write(bundle, bytes).unwrap();
    };
    check(flip, ["the entries do not lead to the root", "the entries do not lead to the root"])
        .await;
    let cut = |court: &Court| std::fs::write(court.in_log("tile/0/000.p/12"), "short").unwrap();
    check(cut, ["does not hold what the entries give", "holds other hashes"]).await;
    let forge = |court: &Court| {
        change(&court.in_log("checkpoint"), |note| note.replacen("\n12\n", "\n11\n", 1));
    };
    check(forge, ["rolled back", "the signature is wrong"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_is_signed_anew_is_named_with_and_without_the_key() {
    let court = Court::set().await;
    let kept = court.outside("kept");
    std::fs::copy(court.in_log("checkpoint"), &kept).unwrap();
    // The owner of the key drops the log and its memory, edits the ledger, and signs again.
    std::fs::remove_dir_all(court.stage.archive().join("proof")).unwrap();
    for log in ["sign-ins", "directory-audits"] {
        std::fs::remove_file(court.outside(&format!("key.signed-{log}"))).unwrap();
    }
    court.assert_named(Some(&kept), ["the log is gone", "the log is gone"]);
    let ledger = court.stage.files(LEDGER, ".ndjson").remove(1);
    change(&ledger, |text| text.replacen("\"retries\":0", "\"retries\":7", 1));
    court.collect();
    for ended in court.verdicts(None) {
        assert_eq!(ended.status, Some(0), "{}{}", ended.stdout, ended.stderr);
    }
    court.assert_named(Some(&kept), ["forked", "forked"]);
    // Another key, which the verifier key of the owner does not know.
    std::fs::remove_dir_all(court.stage.archive().join("proof")).unwrap();
    let other = run(court.stage.collect().arg("--evidence-key").arg(court.outside("other")));
    assert_eq!(other.status, Some(0), "{}", other.stderr);
    court.assert_named(None, ["no key that is given", "no key that is given"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_archive_without_a_log_is_without_and_rows_that_wait_are_not_wrong() {
    let court = Court { stage: Stage::set(TENANT).await, outside: tempfile::tempdir().unwrap() };
    court.stage.collect_all();
    court.stage.assert_sound();
    let other = run(plain_command(&["verify", "--archive"])
        .arg(court.outside("none"))
        .arg("--key")
        .arg("no"));
    assert_eq!(other.status, Some(2));
    court.collect();
    let today = court.stage.simulator.now().date_naive();
    let span = ["--from", &today.pred_opt().unwrap().to_string(), "--to", &today.to_string()];
    let archive = court.stage.archive();
    let again = ["collect", "--log", "audit", "--archive", archive.to_str().unwrap()];
    assert_eq!(run(court.stage.command(&again).args(span)).status, Some(0));
    court.assert_named(
        None,
        ["1 row of the ledger not in the log yet", "rows not in the log yet: 1"],
    );
    std::fs::remove_dir_all(court.stage.archive().join("proof")).unwrap();
    let [ended, _] = court.verdicts(None);
    assert_eq!(ended.status, Some(1));
    assert!(ended.stdout.contains("without a signed log"), "{}", ended.stdout);
    assert!(ended.stdout.contains("Nothing is wrong"), "{}", ended.stdout);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_record_is_proved_without_the_archive_and_a_changed_letter_is_named() {
    let court = Court::set().await;
    let line = run(court
        .stage
        .command(&["query", "SELECT id FROM sign_ins LIMIT 1", "--format", "csv"])
        .args(["--archive", court.stage.archive().to_str().unwrap()]));
    let id = line.stdout.lines().nth(1).unwrap_or_else(|| panic!("{}", line.stderr)).to_owned();
    let key = court.outside("key.verifier");
    let folder = court.outside("proof");
    let mut prove = plain_command(&["prove", "--id", &id, "--archive"]);
    prove.arg(court.stage.archive()).arg("--key").arg(&key).arg("--out").arg(&folder);
    let proved = run(&mut prove);
    assert_eq!(proved.status, Some(0), "{}", proved.stderr);
    let verdicts = || {
        let mut check = plain_command(&["check"]);
        let mut script = check_py();
        script.arg("--proof").arg(&folder).arg("--key").arg(&key);
        [run(check.arg(&folder).arg("--key").arg(&key)), run(&mut script)]
    };
    for ended in verdicts() {
        assert_eq!(ended.status, Some(0), "{}{}", ended.stdout, ended.stderr);
        assert!(ended.stdout.starts_with("Yes: "), "{}", ended.stdout);
    }
    let size: u64 = std::fs::read_dir(&folder)
        .unwrap()
        .map(|file| file.unwrap().metadata().unwrap().len())
        .sum();
    assert!(size < 20_000, "{size}");
    for (name, part) in [
        ("record.json", "record.tlog-proof does not lead from record.json"),
        ("entry", "entry.tlog-proof does not lead from entry"),
        ("entry.tlog-proof", "entry.tlog-proof"),
        ("record.tlog-proof", "record.tlog-proof"),
    ] {
        let path = folder.join(name);
        let sound = std::fs::read(&path).unwrap();
        let mut bytes = sound.clone();
        let place = if name.ends_with("proof") { 42 } else { 60 };
        bytes[place] = if bytes[place] == b'x' { b'y' } else { b'x' };
        std::fs::write(&path, bytes).unwrap();
        let [ended, script] = verdicts();
        assert_eq!((ended.status, script.status), (Some(1), Some(1)), "{name}");
        assert!(
            ended.stdout.starts_with("No: ") && ended.stdout.contains(part),
            "{}",
            ended.stdout
        );
        std::fs::write(&path, sound).unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn both_programs_follow_a_change_of_keys_from_the_old_verifier_key() {
    let court = Court::set().await;
    let old = court.outside("old.verifier");
    std::fs::copy(court.outside("key.verifier"), &old).unwrap();
    let new = rcgen::KeyPair::generate_for(&rcgen::PKCS_ED25519).unwrap().serialize_pem();
    change(&court.outside("key"), |pem| format!("{new}{pem}"));
    court.collect();
    // From here on the new key signs alone.
    std::fs::write(court.outside("key"), new).unwrap();
    let today = court.stage.simulator.now().date_naive();
    let (from, to) = (today - chrono::Days::new(1), today);
    let mut again =
        court.stage.command(&["collect", "--from", &from.to_string(), "--to", &to.to_string()]);
    again
        .arg("--archive")
        .arg(court.stage.archive())
        .arg("--evidence-key")
        .arg(court.outside("key"));
    assert_eq!(run(&mut again).status, Some(0));
    let note = std::fs::read_to_string(court.in_log("checkpoint")).unwrap();
    assert_eq!(note.lines().count(), 5, "one signature: {note}");
    let line = run(court
        .stage
        .command(&["query", "SELECT max(id) FROM sign_ins", "--format", "csv"])
        .args(["--archive", court.stage.archive().to_str().unwrap()]));
    let id = line.stdout.lines().nth(1).unwrap_or_else(|| panic!("{}", line.stderr)).to_owned();
    for (name, key) in [("from old", &old), ("from new", &court.outside("key.verifier"))] {
        let folder = court.outside(name);
        let commands = |key: &Path| {
            let mut verify = court.stage.verify();
            let mut script = check_py();
            script.arg(court.stage.archive());
            let mut check = plain_command(&["check"]);
            let mut script_of_proof = check_py();
            script_of_proof.arg("--proof");
            check.arg(&folder);
            script_of_proof.arg(&folder);
            [
                verify.arg("--key").arg(key),
                script.arg("--key").arg(key),
                check.arg("--key").arg(key),
            ]
            .into_iter()
            .chain([script_of_proof.arg("--key").arg(key)])
            .map(run)
            .collect::<Vec<_>>()
        };
        let mut prove = plain_command(&["prove", "--id", &id, "--archive"]);
        prove.arg(court.stage.archive()).arg("--key").arg(key).arg("--out").arg(&folder);
        assert_eq!(run(&mut prove).status, Some(0), "{name}");
        for ended in commands(key) {
            assert_eq!(ended.status, Some(0), "{name}: {}{}", ended.stdout, ended.stderr);
        }
        // A key that the log has never had is followed nowhere.
        let stranger = court.outside("stranger.verifier");
        let stage = Court::set().await;
        std::fs::copy(stage.outside("key.verifier"), &stranger).unwrap();
        for ended in commands(&stranger) {
            assert_eq!(ended.status, Some(1), "{name}: {}{}", ended.stdout, ended.stderr);
        }
    }
}

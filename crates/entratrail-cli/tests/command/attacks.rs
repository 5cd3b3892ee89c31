//! Attacks on a finished archive of a month with a signed log: each is named, with its window, by
//! two programs that share no code.

use crate::evidence::{change, check_py};
use crate::stage::{Ended, Stage, run};
use chrono::{Days, NaiveDate};
use std::fs;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// A small tenant.
const TENANT: &str = r#"
name = "a tenant of a month"
[limits]
requests_per_10s = 0
[[volume]]
stream = "interactiveUser"
from_day = -29
to_day = -1
per_day = 12
[[volume]]
stream = "directoryAudits"
from_day = -29
to_day = -1
per_day = 6
"#;

/// Whole days that Graph still keeps.
const WHOLE_DAYS: Days = Days::new(29);

/// A signed archive, its owner's key, and what others have kept of it.
struct Month {
    stage: Stage,
    /// Day that the attacks change.
    day: NaiveDate,
    outside: TempDir,
}

/// Place of an archive and of the key that signs it.
struct Place {
    archive: PathBuf,
    key: PathBuf,
}

/// Verdicts of both programs about an archive: `verify`, then `check.py`.
struct Verdicts([Ended; 2]);

impl Month {
    /// Collects and signs all days but the last, keeps that state as `early`, and collects and
    /// signs the last day.
    async fn set() -> Self {
        let stage = Stage::set(TENANT).await;
        let today = stage.simulator.now().date_naive();
        let month =
            Self { day: today - Days::new(10), stage, outside: tempfile::tempdir().unwrap() };
        let live = month.place("live");
        month.collect(&live, today - WHOLE_DAYS, today - Days::new(1));
        month.copy(&live, "early");
        month.collect(&live, today - Days::new(1), today);
        month
    }

    fn place(&self, name: &str) -> Place {
        let folder = self.outside.path().join(name);
        Place { archive: folder.join("archive"), key: folder.join("key") }
    }

    fn run_collect(&self, place: &Place, from: NaiveDate, to: NaiveDate) -> Ended {
        let mut collect = self.stage.command(&["collect", "--from", &from.to_string()]);
        collect.args(["--to", &to.to_string(), "--streams", "interactiveUser,audits"]);
        collect.arg("--archive").arg(&place.archive).arg("--evidence-key").arg(&place.key);
        run(collect.env("WINDOW_MINUTES", "720"))
    }

    fn collect(&self, place: &Place, from: NaiveDate, to: NaiveDate) {
        let ended = self.run_collect(place, from, to);
        assert_eq!(ended.status, Some(0), "{}{}", ended.stdout, ended.stderr);
    }

    /// A copy of an archive with its key, for one attack.
    fn copy(&self, of: &Place, name: &str) -> Place {
        let copy = self.place(name);
        copy_folder(of.archive.parent().unwrap(), copy.archive.parent().unwrap());
        copy
    }

    /// Checkpoint of the whole archive, which somebody else has kept.
    fn kept(&self) -> PathBuf {
        self.place("live").archive.join("proof/sign-ins/checkpoint")
    }

    /// Verdicts of an archive with the owner's verifier keys and a checkpoint from earlier.
    fn verdicts(&self, place: &Place, since: Option<&Path>) -> Verdicts {
        let key = self.outside.path().join("live/key.verifier");
        let mut verify = self.stage.command(&["verify", "--archive"]);
        let mut script = check_py();
        for command in [&mut verify, &mut script] {
            command.arg(&place.archive).arg("--key").arg(&key);
            if let Some(since) = since {
                command.arg("--since").arg(since);
            }
        }
        Verdicts([run(&mut verify), run(&mut script)])
    }

    /// Has somebody change a copy of the archive, and expects both programs to name it in one line
    /// that holds the parts of each.
    fn check_attack(&self, name: &str, attack: impl FnOnce(&Place), parts: [&[&str]; 2]) {
        let place = self.copy(&self.place("live"), name);
        attack(&place);
        self.verdicts(&place, None).assert_named(name, parts);
    }

    fn ledger(&self, place: &Place) -> PathBuf {
        place
            .archive
            .join(format!("ledger/sign-ins/event_type=interactiveUser/day={}.ndjson", self.day))
    }

    fn raw(&self, place: &Place) -> PathBuf {
        let name = format!(
            "raw/sign-ins/event_type=interactiveUser/day={}/0000-1200.r1.ndjson.gz",
            self.day
        );
        place.archive.join(name)
    }
}

impl Verdicts {
    fn assert_named(&self, attack: &str, parts: [&[&str]; 2]) {
        for (ended, parts) in self.0.iter().zip(parts) {
            assert_eq!(ended.status, Some(1), "{attack}: {}{}", ended.stdout, ended.stderr);
            let has_all = |line: &str| parts.iter().all(|part| line.contains(part));
            assert!(ended.stdout.lines().any(has_all), "{attack}: {parts:?} in\n{}", ended.stdout);
        }
    }

    fn assert_sound(&self, what: &str) {
        for ended in &self.0 {
            assert_eq!(ended.status, Some(0), "{what}: {}{}", ended.stdout, ended.stderr);
        }
    }
}

fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let to = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy_folder(&entry.path(), &to);
        } else {
            drop(fs::copy(entry.path(), to));
        }
    }
}

/// Has an archive become what another one is.
fn restore(place: &Place, from: &Place) {
    for folder in ["raw", "tables", "ledger", "proof"] {
        fs::remove_dir_all(place.archive.join(folder)).unwrap();
        copy_folder(&from.archive.join(folder), &place.archive.join(folder));
    }
}

/// The signer's memory of another archive, which only the owner of the key can bring back.
fn restore_memory(place: &Place, from: &Place) {
    for log in ["sign-ins", "directory-audits"] {
        let memory = |place: &Place| place.key.with_file_name(format!("key.signed-{log}"));
        fs::copy(memory(from), memory(place)).unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn attacks_on_objects_and_rows_are_named_with_their_window() {
    let month = Month::set().await;
    month.verdicts(&month.place("live"), Some(&month.kept())).assert_sound("nothing was done");
    let day = format!("day={}", month.day);
    let start = format!("{}T00:00:00Z", month.day);
    let object: &[&str] = &[&day, "0000-1200.r1"];
    let flip = |place: &Place| {
        let mut bytes = fs::read(month.raw(place)).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        fs::write(month.raw(place), bytes).unwrap();
    };
    month.check_attack("a byte flipped", flip, [object, object]);
    let delete = |place: &Place| fs::remove_file(month.raw(place)).unwrap();
    month.check_attack("an object deleted", delete, [object, object]);
    // With its object and table, so that the ledger alone shows nothing.
    let drop_row = |place: &Place| {
        change(&month.ledger(place), |text| {
            let is_other = |line: &&str| !line.contains("0000-1200.r1");
            text.split_inclusive('\n').filter(is_other).collect()
        });
        fs::remove_file(month.raw(place)).unwrap();
        let table =
            month.raw(place).display().to_string().replace("/raw/sign-ins/", "/tables/sign_ins/");
        fs::remove_file(table.replace(".ndjson.gz", ".parquet")).unwrap();
    };
    let verify: &[&str] = &[&day, "read 1 of 0000-1200 was removed"];
    let script: &[&str] = &[&day, &start, "is not there as the log has it"];
    month.check_attack("a row dropped", drop_row, [verify, script]);
    let edit = |place: &Place| {
        change(&month.ledger(place), |text| text.replacen("\"requests\":", "\"requests\":1", 1));
    };
    // Two halves of a day are read side by side, so either can be on record first.
    let rows = fs::read_to_string(month.ledger(&month.place("live"))).unwrap();
    let is_morning = rows.lines().next().unwrap().contains("0000-1200.r1");
    let (window, hour) = if is_morning { ("0000-1200", "00") } else { ("1200-2400", "12") };
    let first = format!("{}T{hour}:00:00Z", month.day);
    let script: &[&str] = &[&day, &first, "is not there as the log has it"];
    let changed = format!("read 1 of {window} was changed");
    month.check_attack("a row edited", edit, [&[&day, &changed], script]);
    let swap = |place: &Place| {
        change(&month.ledger(place), |text| {
            let rows: Vec<_> = text.lines().collect();
            assert_eq!(rows.len(), 2);
            format!("{}\n{}\n", rows[1], rows[0])
        });
    };
    let moved = format!("read 1 of {window} stands in another place");
    month.check_attack("two rows swapped", swap, [&[&day, &moved], script]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_is_rolled_back_forked_or_of_another_key_is_named() {
    let month = Month::set().await;
    let (live, early) = (month.place("live"), month.place("early"));
    let today = month.stage.simulator.now().date_naive();

    let rolled_back = month.copy(&live, "rolled back");
    restore(&rolled_back, &early);
    month.verdicts(&rolled_back, None).assert_sound("an older archive is sound");
    let parts: &[&str] = &["the log was rolled back"];
    month
        .verdicts(&rolled_back, Some(&month.kept()))
        .assert_named("checkpoint rolled back", [parts, parts]);
    let alone = month.copy(&live, "checkpoint alone");
    let checkpoint = "proof/sign-ins/checkpoint";
    fs::copy(early.archive.join(checkpoint), alone.archive.join(checkpoint)).unwrap();
    let verify: &[&str] = &["proof/sign-ins/checkpoint was rolled back"];
    month.verdicts(&alone, None).assert_named("alone", [verify, parts]);

    let other = month.copy(&live, "another key");
    fs::remove_dir_all(other.archive.join("proof")).unwrap();
    let key = other.key.with_file_name("other");
    month.collect(&Place { key, archive: other.archive.clone() }, today - Days::new(1), today);
    let parts: &[&str] = &["no key that is given has signed"];
    month.verdicts(&other, None).assert_named("signed anew with another key", [parts, parts]);

    // The owner of the key goes back to the state before the last day, with the signer's memory,
    // and goes on otherwise.
    let forked = month.copy(&live, "forked");
    restore(&forked, &early);
    restore_memory(&forked, &early);
    month.collect(&forked, today - Days::new(1), today);
    month.verdicts(&forked, None).assert_sound("a fork is sound in itself");
    let parts: &[&str] = &["it was forked"];
    let script: &[&str] = &["the log was forked"];
    month.verdicts(&forked, Some(&month.kept())).assert_named("forked", [parts, script]);

    // The owner drops log and memory, edits the oldest row, and signs all of it anew.
    let anew = month.copy(&live, "signed anew");
    fs::remove_dir_all(anew.archive.join("proof")).unwrap();
    for log in ["sign-ins", "directory-audits"] {
        fs::remove_file(anew.key.with_file_name(format!("key.signed-{log}"))).unwrap();
    }
    let first = anew.archive.join("ledger/sign-ins/event_type=interactiveUser");
    let mut ledgers: Vec<_> =
        fs::read_dir(first).unwrap().map(|entry| entry.unwrap().path()).collect();
    ledgers.sort();
    change(&ledgers[0], |text| text.replacen("\"retries\":0", "\"retries\":7", 1));
    month.collect(&anew, today - Days::new(1), today);
    month.verdicts(&anew, None).assert_sound("a log that its owner signs anew is sound in itself");
    let checkpoints = live.archive.join("proof/sign-ins/checkpoints");
    let kept: Vec<_> =
        fs::read_dir(checkpoints).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(kept.len() >= 2, "{kept:?}");
    for kept in kept {
        month
            .verdicts(&anew, Some(&kept))
            .assert_named("signed anew by the owner", [parts, script]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_can_only_write_the_bucket_gets_no_signature() {
    let month = Month::set().await;
    let (live, early) = (month.place("live"), month.place("early"));
    let today = month.stage.simulator.now().date_naive();
    let place = month.copy(&live, "bucket");
    // The old signed log and ledger; the memory of the signer is out of reach.
    restore(&place, &early);
    change(&month.ledger(&place), |text| text.replacen("\"retries\":0", "\"retries\":7", 1));
    let checkpoints = || {
        let folder = place.archive.join("proof/sign-ins/checkpoints");
        let mut sizes: Vec<_> =
            fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        sizes.sort();
        (sizes, fs::read(place.archive.join("proof/sign-ins/checkpoint")).unwrap())
    };
    let before = checkpoints();
    let honest = month.run_collect(&place, today - Days::new(1), today);
    assert_ne!(honest.status, Some(0), "{}{}", honest.stdout, honest.stderr);
    let said = "was rolled back: the signer has signed a longer log; nothing was signed";
    assert!(honest.stderr.contains(said), "{}", honest.stderr);
    assert_eq!(checkpoints(), before);
    let named: &[&str] = &["the log was rolled back"];
    month.verdicts(&place, Some(&month.kept())).assert_named("bucket only", [named, named]);
}

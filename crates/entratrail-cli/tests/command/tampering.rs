//! Archives that somebody changed: verification finds it, says it in a sentence, and changes nothing itself.

use crate::stage::{Stage, TENANT, run};
use std::path::Path;

/// Collects, has `tamper` change the archive, and expects exit status 1 and a sentence that holds each of `parts`.
async fn check(tamper: impl FnOnce(&Stage), parts: &[&str]) {
    let stage = Stage::set(TENANT).await;
    stage.collect_all();
    tamper(&stage);
    let ended = run(&mut stage.verify());
    assert_eq!(ended.status, Some(1), "{}", ended.stdout);
    let has_all = |line: &str| parts.iter().all(|part| line.contains(part));
    assert!(ended.stdout.lines().any(has_all), "{parts:?} in\n{}", ended.stdout);
    assert!(ended.stdout.contains(" wrong with "), "{}", ended.stdout);
    let json = run(stage.verify().arg("--json"));
    assert_eq!(json.status, Some(1));
}

fn an_object(stage: &Stage) -> std::path::PathBuf {
    stage.files("raw/sign-ins/event_type=interactiveUser", ".gz").remove(1)
}

fn a_ledger(stage: &Stage) -> std::path::PathBuf {
    stage.files("ledger/sign-ins/event_type=interactiveUser", ".ndjson").remove(1)
}

fn rewrite(path: &Path, change: impl FnOnce(String) -> String) {
    let text = std::fs::read_to_string(path).unwrap();
    std::fs::write(path, change(text)).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flipped_byte_is_found() {
    for place in [3, 40, 4000] {
        let flip = |stage: &Stage| {
            let object = an_object(stage);
            let mut bytes = std::fs::read(&object).unwrap();
            bytes[place] ^= 1;
            std::fs::write(&object, bytes).unwrap();
        };
        // The fourth byte is a flag that a reader may skip: only the hash tells.
        check(flip, &["0000-2400.r1.ndjson.gz"]).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_exchanged_object_is_found() {
    let exchange = |stage: &Stage| {
        let other = stage.files("raw/sign-ins/event_type=interactiveUser", ".gz").remove(0);
        std::fs::copy(other, an_object(stage)).unwrap();
    };
    check(exchange, &["SHA-256 differs"]).await;
    check(exchange, &["70 records outside its window"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_removed_object_is_found() {
    let remove = |stage: &Stage| std::fs::remove_file(an_object(stage)).unwrap();
    check(remove, &["0000-2400.r1.ndjson.gz", "is gone, and the ledger has it on record"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_removed_ledger_line_is_found() {
    let remove = |stage: &Stage| std::fs::remove_file(a_ledger(stage)).unwrap();
    check(remove, &["0000-2400.r1.ndjson.gz", "is named by no complete row of the ledger"]).await;
    check(remove, &["interactiveUser", "no read covers", "entratrail collect reads it"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_doubled_ledger_line_is_found() {
    let double = |stage: &Stage| rewrite(&a_ledger(stage), |text| format!("{text}{text}"));
    check(double, &["day=2", "read 1 of 0000-2400 is on record 2 times"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_count_is_found() {
    let change = |stage: &Stage| {
        rewrite(&a_ledger(stage), |text| text.replace(r#""served":70,"new":70"#, r#""served":71,"new":71"#));
    };
    check(change, &["holds 70 records, and the ledger has 71 on record"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_ledger_is_found() {
    let damage = |stage: &Stage| rewrite(&a_ledger(stage), |text| text + "{\"half a line");
    check(damage, &["line 2 of ", "is damaged", "restore the file from a backup"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn days_that_are_asked_for_and_were_never_read_are_missing() {
    let stage = Stage::set(TENANT).await;
    stage.collect_all();
    assert_eq!(run(stage.verify().args(["--days", "3"])).status, Some(0));
    let ended = run(stage.verify().args(["--days", "4"]));
    assert_eq!(ended.status, Some(1));
    assert_eq!(ended.stdout.matches("entratrail collect reads it").count(), 5, "{}", ended.stdout);
    std::fs::remove_dir_all(stage.archive()).unwrap();
    std::fs::create_dir(stage.archive()).unwrap();
    assert_eq!(run(&mut stage.verify()).status, Some(2));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_ledger_is_made_again_from_the_objects() {
    let stage = Stage::set(TENANT).await;
    stage.collect_all();
    std::fs::remove_dir_all(stage.archive().join("ledger")).unwrap();
    assert_eq!(run(&mut stage.verify()).status, Some(1));
    stage.collect_all();
    stage.assert_sound();
}

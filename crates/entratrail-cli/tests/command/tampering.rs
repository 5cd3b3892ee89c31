//! Archives that somebody changed: verification finds it, says it in a sentence, and changes
//! nothing itself.

use crate::stage::{Ended, Stage, TENANT, last_expected_day, plain_command, run};
use entratrail::raw::{RawDecoder, RawEncoder};
use serde_json::Value;
use std::fs::File;
use std::io::Write as _;
use std::path::Path;

/// Collects, has `tamper` change the archive, and expects exit status 1 and a sentence that holds
/// each of `parts`.
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

/// The lines of a raw object.
fn lines(object: &Path) -> Vec<Vec<u8>> {
    let mut lines = Vec::new();
    let mut decoder = RawDecoder::new("createdDateTime");
    decoder.push(&std::fs::read(object).unwrap(), |line| lines.push(line.json().to_vec())).unwrap();
    decoder.finish(|line| lines.push(line.json().to_vec())).unwrap();
    lines
}

/// Adds a line to a raw object.
fn append(object: &Path, line: &[u8]) {
    let mut encoder = RawEncoder::default();
    encoder.push(line).unwrap();
    let (member, _) = encoder.finish().unwrap();
    File::options().append(true).open(object).unwrap().write_all(&member).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_that_is_there_twice_is_found_whatever_its_form_and_its_object() {
    let stage = Stage::set(TENANT).await;
    run(stage.collect().env("WINDOW_MINUTES", "360"));
    let files = stage.files("raw/sign-ins/event_type=interactiveUser", ".gz");
    let (first, second) = (&files[0], &files[1]);
    assert_eq!(first.parent(), second.parent());
    let line = lines(first).remove(0);
    let says = |verified: &Ended, object: &Path, what: &str| {
        let object = object.to_str().unwrap();
        verified.stdout.lines().any(|line| line.starts_with(object) && line.contains(what))
    };

    let mut changed: Value = serde_json::from_slice(&line).unwrap();
    changed["isInteractive"] = Value::from("perhaps");
    append(first, changed.to_string().as_bytes());
    let verified = run(&mut stage.verify());
    assert!(!verified.stdout.contains("already holds"), "{}", verified.stdout);

    // Sorted by its keys.
    let rewritten = serde_json::from_slice::<Value>(&line).unwrap().to_string();
    assert_ne!(rewritten.as_bytes(), line);
    append(first, rewritten.as_bytes());
    let verified = run(&mut stage.verify());
    let once = "holds 1 record version that the day already holds";
    assert!(says(&verified, first, once), "{}", verified.stdout);
    assert!(!says(&verified, second, "already holds"), "{}", verified.stdout);

    append(second, &line);
    append(second, changed.to_string().as_bytes());
    let verified = run(&mut stage.verify());
    let twice = "holds 2 record versions that the day already holds";
    assert!(says(&verified, first, once), "{}", verified.stdout);
    assert!(says(&verified, second, twice), "{}", verified.stdout);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_removed_object_is_found() {
    let remove = |stage: &Stage| std::fs::remove_file(an_object(stage)).unwrap();
    check(remove, &["0000-2400.r1.ndjson.gz", "is gone, and the ledger has it on record"]).await;
}

fn a_table(stage: &Stage) -> std::path::PathBuf {
    stage.files("tables/sign_ins/event_type=interactiveUser", ".parquet").remove(1)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_that_is_gone_exchanged_changed_or_unknown_is_found() {
    let name = "0000-2400.r1.parquet";
    let gone = |stage: &Stage| std::fs::remove_file(a_table(stage)).unwrap();
    check(gone, &[name, "is gone", "entratrail rebuild"]).await;
    let exchange = |stage: &Stage| {
        let other = stage.files("tables/sign_ins/event_type=interactiveUser", ".parquet").remove(0);
        std::fs::copy(other, a_table(stage)).unwrap();
    };
    check(exchange, &[name, "is not the table that the ledger has on record"]).await;
    let flip = |stage: &Stage| {
        let mut bytes = std::fs::read(a_table(stage)).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        std::fs::write(a_table(stage), bytes).unwrap();
    };
    check(flip, &[name, "its SHA-256 differs"]).await;
    let add = |stage: &Stage| {
        let table = a_table(stage);
        std::fs::copy(&table, table.with_file_name("0000-2400.r9.parquet")).unwrap();
    };
    check(add, &["0000-2400.r9.parquet", "belongs to no complete read"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_answer_holds_rows_of_a_table_that_is_not_the_one_on_record() {
    const COUNT: &str =
        "SELECT count(*) AS sign_ins FROM sign_ins WHERE event_type = 'interactiveUser'";
    let stage = Stage::set(TENANT).await;
    stage.collect_all();
    let archive = stage.archive();
    let ask = || {
        run(&mut plain_command(&[
            "query",
            "--archive",
            archive.to_str().unwrap(),
            "--format",
            "csv",
            COUNT,
        ]))
    };
    assert_eq!(ask().stdout, "sign_ins\n210\n");
    // The neighbour's rows, once more: the same columns, the same number of rows.
    let others = stage.files("tables/sign_ins/event_type=interactiveUser", ".parquet");
    std::fs::copy(&others[0], &others[1]).unwrap();
    std::fs::copy(&others[0], others[1].with_file_name("0000-2400.r9.parquet")).unwrap();
    std::fs::remove_file(&others[2]).unwrap();
    let ended = ask();
    assert_eq!(ended.stdout, "sign_ins\n70\n", "{}", ended.stderr);
    for part in [
        "is not the table that the ledger has on record",
        "r9.parquet belongs to no complete read",
        "is gone",
    ] {
        assert!(ended.stderr.contains(part), "{part} in\n{}", ended.stderr);
    }
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
        rewrite(&a_ledger(stage), |text| {
            text.replace(r#""served":70,"new":70"#, r#""served":71,"new":71"#)
        });
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

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_or_edge_days_that_are_gone_altogether_are_missed_where_they_are_expected() {
    let stage = Stage::set(TENANT).await;
    let archive = stage.archive();
    let four_days = ["collect", "--days", "4", "--archive", archive.to_str().unwrap()];
    let ended = run(&mut stage.command(&four_days));
    assert_eq!(ended.status, Some(0), "{}{}", ended.stdout, ended.stderr);
    let first_day = stage.simulator.now().date_naive() - chrono::Days::new(4);
    let last_day = last_expected_day(stage.simulator.now());
    let expect = format!("interactiveUser={first_day},audits={first_day}");
    let verify = || run(stage.verify().args(["--expect", &expect]));
    let ended = verify();
    assert_eq!(ended.status, Some(0), "{}", ended.stdout);

    for folder in ["raw", "ledger", "tables"] {
        for day in std::iter::once(first_day).chain(last_day.iter_days().take(2)) {
            for file in stage.files(folder, "") {
                if file.to_str().unwrap().contains(&format!("day={day}")) {
                    std::fs::remove_file(file).unwrap();
                }
            }
        }
    }
    let unaware = run(&mut stage.verify());
    assert_eq!(unaware.status, Some(0), "{}", unaware.stdout);
    let ended = verify();
    assert_eq!(ended.status, Some(1), "{}", ended.stdout);
    let gap = |stream: &str, day: &dyn std::fmt::Display| {
        format!("{stream}: no read covers {day} 00:00 to ")
    };
    for expected in [
        gap("interactiveUser", &first_day),
        gap("interactiveUser", &last_day),
        gap("directory-audits", &last_day),
    ] {
        assert!(ended.stdout.contains(&expected), "{expected} in {}", ended.stdout);
    }

    for folder in ["raw/directory-audits", "ledger/directory-audits", "tables/directory_audits"] {
        std::fs::remove_dir_all(stage.archive().join(folder)).unwrap();
    }
    let ended = verify();
    let expected = gap("directory-audits", &first_day);
    assert!(ended.status == Some(1) && ended.stdout.contains(&expected), "{}", ended.stdout);
    let ended = run(stage.verify().args(["--expect", "interactive"]));
    assert_eq!(ended.status, Some(2), "{}", ended.stderr);
}

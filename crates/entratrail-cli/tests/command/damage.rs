//! Bytes of an archive that are flipped, cut off or exchanged, and members of ledger rows that are
//! changed.
//!
//! `DAMAGE_TRIALS=2000 cargo test --workspace --test command damage` tries more than the suite
//! does.

use crate::stage::{Stage, TENANT, plain_command, run};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// Trials of the suite.
const TRIALS: u32 = 60;

/// Of how many trials with a table one makes a report.
const REPORT_EVERY: u32 = 16;

/// The bytes of `file` after something happened to it; `None` where they are the same.
fn damaged(file: &Path, others: &[PathBuf], random: &mut fastrand::Rng) -> Option<Vec<u8>> {
    let before = std::fs::read(file).unwrap();
    let mut bytes = before.clone();
    let place = random.usize(..bytes.len());
    match random.u8(..6) {
        0 => bytes.truncate(place),
        1 => bytes = std::fs::read(&others[random.usize(..others.len())]).unwrap(),
        _ => bytes[place] ^= 1 << random.u8(..8),
    }
    (bytes != before).then_some(bytes)
}

fn trials() -> u32 {
    std::env::var("DAMAGE_TRIALS").map_or(TRIALS, |trials| trials.parse().unwrap())
}

fn name_of(file: &Path, archive: &Path) -> String {
    file.strip_prefix(archive).unwrap().to_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_damaged_object_is_named_by_verify_and_told_by_the_report() {
    let stage = Stage::set(TENANT).await;
    stage.collect_all();
    let archive = stage.archive();
    let (raw, tables) = (stage.files("raw", ".gz"), stage.files("tables", ".parquet"));
    let page = archive.with_file_name("report.html");
    let mut random = fastrand::Rng::with_seed(20_261_127);
    for trial in 0..trials() {
        let is_raw = random.bool();
        let files = if is_raw { &raw } else { &tables };
        let file = &files[random.usize(..files.len())];
        let Some(damaged) = damaged(file, files, &mut random) else { continue };
        let before = std::fs::read(file).unwrap();
        std::fs::write(file, damaged).unwrap();
        let verified = run(&mut stage.verify());
        let name = name_of(file, &archive);
        assert_eq!(verified.status, Some(1), "trial {trial}: {name}");
        assert!(verified.stdout.contains(&name), "trial {trial}: {name} in {}", verified.stdout);
        if !is_raw && trial % REPORT_EVERY == 0 {
            let archive = archive.to_str().unwrap();
            let arguments = ["report", "--archive", archive, "--out", page.to_str().unwrap()];
            let reported = run(&mut plain_command(&arguments));
            let html = std::fs::read_to_string(&page).unwrap_or_default();
            assert!(
                reported.stderr.contains(&name) || html.contains(&name),
                "{name}: {}",
                reported.stderr
            );
        }
        std::fs::write(file, before).unwrap();
    }
    stage.assert_sound();
}

/// Members of a row that nothing else in the archive repeats. docs/format.md names them.
const BELIEVED: [&str; 13] = [
    "format",
    "started_at",
    "finished_at",
    "served",
    "missing",
    "requests",
    "retries",
    "error",
    "collector",
    "application",
    "kept_since",
    "untimed",
    "outside",
];

#[tokio::test(flavor = "multi_thread")]
async fn every_member_of_a_row_is_checked_or_said_to_be_believed() {
    let stage = Stage::set(TENANT).await;
    stage.collect_all();
    let file = stage.files("ledger/sign-ins/event_type=interactiveUser", ".ndjson").remove(1);
    let text = std::fs::read_to_string(&file).unwrap();
    let row: Value = serde_json::from_str(text.lines().next().unwrap()).unwrap();
    let mut believed = Vec::new();
    for (name, value) in row.as_object().unwrap() {
        let changed = match value {
            Value::Number(number) => json!(number.as_u64().unwrap() + 1),
            Value::String(text) if text.ends_with('Z') => json!(text.replacen('2', "3", 1)),
            Value::String(text) => json!(text.replace('0', "1").replacen(['a', 'e'], "b", 1)),
            _ => json!("2026-01-01T00:00:00Z"),
        };
        assert_ne!(&changed, value, "{name}");
        let mut row = row.clone();
        row[name] = changed;
        std::fs::write(&file, format!("{row}\n")).unwrap();
        if run(&mut stage.verify()).status == Some(0) {
            believed.push(name.as_str());
        }
    }
    let unexpected: Vec<_> = believed.iter().filter(|name| !BELIEVED.contains(name)).collect();
    assert!(unexpected.is_empty(), "changed and not noticed: {unexpected:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_that_changed_places_are_named() {
    let stage = Stage::set(TENANT).await;
    stage.collect_all();
    let again = run(&mut stage.command(&[
        "collect",
        "--archive",
        stage.archive().to_str().unwrap(),
        "--from",
        &(stage.simulator.now().date_naive() - chrono::Days::new(3)).to_string(),
    ]));
    assert_eq!(again.status, Some(0), "{}", again.stderr);
    stage.assert_sound();
    let file = stage.files("ledger/sign-ins/event_type=interactiveUser", ".ndjson").remove(0);
    let text = std::fs::read_to_string(&file).unwrap();
    let mut lines: Vec<_> = text.lines().collect();
    assert_eq!(lines.len(), 2, "{text}");
    lines.reverse();
    std::fs::write(&file, format!("{}\n", lines.join("\n"))).unwrap();
    let ended = run(&mut stage.verify());
    assert_eq!(ended.status, Some(1), "{}", ended.stdout);
    assert!(ended.stdout.contains("stands after read 2"), "{}", ended.stdout);
}

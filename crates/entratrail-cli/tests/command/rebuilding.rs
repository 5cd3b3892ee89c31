//! `entratrail rebuild`: the tables come back as they were, and what cannot be rebuilt is named.

use crate::stage::{Ended, Stage, TENANT, run};
use std::collections::BTreeMap;
use std::path::PathBuf;

fn rebuild(stage: &Stage, arguments: &[&str]) -> Ended {
    let archive = stage.archive();
    run(stage.command(&["rebuild", "--archive", archive.to_str().unwrap()]).args(arguments))
}

/// Every table object with its bytes.
fn tables(stage: &Stage) -> BTreeMap<PathBuf, Vec<u8>> {
    let files = stage.files("tables", ".parquet").into_iter();
    files.map(|file| (file.clone(), std::fs::read(file).unwrap())).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn lost_tables_come_back_byte_for_byte() {
    let stage = Stage::set(TENANT).await;
    stage.collect_all();
    let before = tables(&stage);
    assert_eq!(before.len(), 9);
    std::fs::remove_dir_all(stage.archive().join("tables")).unwrap();
    let ended = rebuild(&stage, &[]);
    assert_eq!(ended.status, Some(0), "{}", ended.stderr);
    assert!(ended.stdout.contains("9 table objects made, 450 records"), "{}", ended.stdout);
    assert!(tables(&stage) == before);
    stage.assert_sound();
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_days_and_streams_that_are_asked_for_are_rebuilt() {
    let stage = Stage::set(TENANT).await;
    stage.collect_all();
    std::fs::remove_dir_all(stage.archive().join("tables")).unwrap();
    let days: Vec<_> = stage
        .files("raw/directory-audits", ".gz")
        .iter()
        .map(|file| file.parent().unwrap().file_name().unwrap().to_str().unwrap()[4..].to_owned())
        .collect();
    let ended =
        rebuild(&stage, &["--from", &days[1], "--to", &days[2], "--streams", "audits", "--json"]);
    assert_eq!(ended.status, Some(0), "{}", ended.stderr);
    let rebuilt: serde_json::Value = ended.stdout.parse().unwrap();
    assert_eq!((&rebuilt["objects"], &rebuilt["records"]), (&1.into(), &50.into()));
    assert_eq!(
        (&rebuilt["unexpectedFields"], &rebuilt["remainingObjects"]),
        (&0.into(), &0.into())
    );
    let made = tables(&stage).into_keys().next().unwrap();
    assert!(
        made.ends_with(format!("tables/directory_audits/day={}/0000-2400.r1.parquet", days[1]))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_raw_object_is_named_and_the_rest_is_done() {
    let stage = Stage::set(TENANT).await;
    stage.collect_all();
    let before = tables(&stage);
    std::fs::remove_dir_all(stage.archive().join("tables")).unwrap();
    let objects = stage.files("raw/sign-ins/event_type=interactiveUser", ".gz");
    let cut_off = std::fs::read(&objects[0]).unwrap();
    std::fs::write(&objects[0], &cut_off[..cut_off.len() / 2]).unwrap();
    std::fs::copy(&objects[2], &objects[1]).unwrap();
    let ended = rebuild(&stage, &[]);
    assert_eq!(ended.status, Some(1));
    let says = |object: &PathBuf, what: &str| {
        ended
            .stderr
            .lines()
            .any(|line| line.contains(object.to_str().unwrap()) && line.contains(what))
    };
    assert!(
        says(&objects[0], "is damaged") && says(&objects[1], "SHA-256 differs"),
        "{}",
        ended.stderr
    );
    assert!(ended.stdout.contains("7 table objects made"), "{}", ended.stdout);
    let made = tables(&stage);
    assert!(made.len() == 7 && made.iter().all(|(key, bytes)| before[key] == *bytes));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_object_without_its_row_is_left_to_the_next_collection() {
    let stage = Stage::set(TENANT).await;
    stage.collect_all();
    std::fs::remove_dir_all(stage.archive().join("tables")).unwrap();
    std::fs::remove_file(stage.files("ledger/directory-audits", ".ndjson").remove(1)).unwrap();
    let ended = rebuild(&stage, &[]);
    assert_eq!(ended.status, Some(1));
    assert!(ended.stderr.contains("is named by no complete row of the ledger"), "{}", ended.stderr);
    assert_eq!(tables(&stage).len(), 8);
    stage.collect_all();
    assert_eq!(tables(&stage).len(), 9);
}

#[tokio::test(flavor = "multi_thread")]
async fn where_there_is_nothing_nothing_is_rebuilt() {
    let stage = Stage::set(TENANT).await;
    let ended = rebuild(&stage, &[]);
    assert_eq!(ended.status, Some(2));
    assert!(ended.stderr.contains("there is nothing to rebuild"), "{}", ended.stderr);
}

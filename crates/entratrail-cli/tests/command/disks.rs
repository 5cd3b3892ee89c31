//! Folders that are something else, disks that are full or read-only, and what a power cut leaves.

use crate::stage::{Ended, Stage, TENANT, run, with_little_room};

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_that_holds_something_else_is_refused_and_left_alone() {
    let stage = Stage::set(TENANT).await;
    let archive = stage.archive();
    std::fs::create_dir(&archive).unwrap();
    std::fs::write(archive.join("holiday.jpg"), "sea").unwrap();
    for command in [&mut stage.collect(), &mut stage.verify()] {
        run(command).assert_complains(2, &["is no archive", "holiday.jpg", "nothing was done"]);
    }
    std::fs::remove_file(archive.join("holiday.jpg")).unwrap();
    std::fs::create_dir_all(archive.join("raw/photos")).unwrap();
    run(&mut stage.collect()).assert_complains(2, &["is no archive", "raw/photos"]);
    assert_eq!(std::fs::read_dir(&archive).unwrap().count(), 1);
    assert_eq!(stage.page_requests(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_that_cannot_be_written_is_named_before_anything_is_asked() {
    let stage = Stage::set(TENANT).await;
    let file = stage.archive();
    std::fs::write(&file, "a file").unwrap();
    run(&mut stage.collect()).assert_complains(2, &["a part of that path is a file"]);
    let below = file.join("archive");
    let ended = run(&mut stage.command(&["collect", "--archive", below.to_str().unwrap()]));
    ended.assert_complains(2, &["archive/archive", "a part of that path is a file"]);
    if cfg!(target_os = "linux") {
        run(&mut stage.command(&["collect", "--archive", "/proc/entratrail"]))
            .assert_complains(2, &["/proc/entratrail"]);
    }
    assert!(stage.simulator.requests().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_loses_nothing_and_the_next_run_goes_on() {
    // Records that hardly compress, so that the object is larger than the limit and the ledger is
    // not.
    let large = TENANT
        .replace("per_day = 70", "per_day = 700")
        .replace("largest_page = 20", "largest_page = 1000");
    let stage = Stage::set(&large).await;
    let ended = run(&mut with_little_room(&stage.collect(), 48));
    ended.assert_complains(1, &["sign-ins", "is full: make room", "could not be read"]);
    assert!(stage.files("", ".part").is_empty());
    // An object whose table object found no room waits for its row.
    let ended = run(stage.verify().arg("--json"));
    let verified: serde_json::Value = serde_json::from_str(&ended.stdout).unwrap();
    let streams = verified["streams"].as_array().unwrap();
    let problems = streams.iter().flat_map(|stream| stream["problems"].as_array().unwrap());
    for problem in problems {
        assert!(
            problem.as_str().unwrap().ends_with("the next collection puts it on record"),
            "{problem}"
        );
    }
    stage.collect_all();
    stage.assert_sound();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_power_cut_left_half_written_is_removed_by_the_next_run() {
    let stage = Stage::set(TENANT).await;
    stage.collect_all();
    let object = &stage.files("raw", ".gz")[0];
    let half = object.with_file_name(".entratrail-0f3e9a51.part");
    std::fs::write(&half, "half an obj").unwrap();
    let beside_ledger = stage.files("ledger", ".ndjson")[0].with_file_name(".entratrail-7.part");
    std::fs::write(&beside_ledger, "{\"half").unwrap();
    stage.assert_sound();
    assert!(half.exists(), "verification changes nothing");
    let ended = stage.collect_all();
    assert!(!ended.stdout.contains("not EntraTrail's"), "{}", ended.stdout);
    assert!(!half.exists() && !beside_ledger.exists());
    stage.assert_sound();
}

#[tokio::test(flavor = "multi_thread")]
async fn foreign_files_beside_objects_are_named_and_left_alone() {
    let stage = Stage::set(TENANT).await;
    stage.collect_all();
    let note = stage.files("raw", ".gz")[0].with_file_name("notes.txt");
    std::fs::write(&note, "ours").unwrap();
    for ended in [stage.collect_all(), run(&mut stage.verify())] {
        assert_eq!(ended.status, Some(0));
        assert!(
            ended.stdout.contains("notes.txt is not EntraTrail's, and was left alone"),
            "{}",
            ended.stdout
        );
    }
    assert_eq!(std::fs::read(&note).unwrap(), b"ours");
}

#[tokio::test(flavor = "multi_thread")]
async fn verification_works_where_nothing_can_be_written() {
    let stage = Stage::set(TENANT).await;
    stage.collect_all();
    let before = listing(&stage);
    let ended: Ended = run(&mut with_little_room(&stage.verify(), 0));
    assert_eq!(ended.status, Some(0), "{}{}", ended.stdout, ended.stderr);
    assert_eq!(listing(&stage), before);
}

fn listing(stage: &Stage) -> Vec<(std::path::PathBuf, std::time::SystemTime)> {
    let files = stage.files("", "").into_iter();
    files.map(|file| (file.clone(), file.metadata().unwrap().modified().unwrap())).collect()
}

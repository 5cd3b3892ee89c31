//! An archive in a bucket that refuses what S3 refuses.

use chrono::NaiveDate;
use entratrail::archive::{Archive, Operator};
use entratrail::config::Encryption;
use entratrail::error::Error;
use entratrail::log::{EventType, Stream};
use entratrail_tests::storage::{Refusal, Step, Storage};
use entratrail_tests::world::World;
use serde_json::json;

/// S3's smallest part but the last.
const PART_BYTES: usize = 5 * 1024 * 1024;

/// A day that no window is cut of, whose raw object and table object have three parts and more.
const LARGE_DAY: &str = r#"
name = "a day in one window"
clock = { now = "2026-11-23T01:15:00Z" }
[limits]
requests_per_10s = 0
[[volume]]
stream = "nonInteractiveUser"
from_day = -1
to_day = -1
per_day = 60000
[collect]
environment = { HISTORY_DAYS = "1", SIGN_IN_EVENT_TYPES = "nonInteractiveUser", TARGET_RECORDS = "1000000", GRAPH_REQUESTS_PER_10S = "10000" }
"#;

const SMALL_DAY: &str = r#"
name = "a small day"
clock = { now = "2026-11-23T01:15:00Z" }
[limits]
requests_per_10s = 0
[[volume]]
stream = "directoryAudits"
from_day = -1
to_day = -1
per_day = 50
[collect]
log = "directory-audits"
environment = { HISTORY_DAYS = "1" }
"#;

const SIGN_INS: Stream = Stream::SignIns(EventType::InteractiveUser);

#[tokio::test(start_paused = true)]
async fn objects_of_three_parts_are_written_and_read_back() {
    let world = World::of(LARGE_DAY).await;
    let run = world.run().await.unwrap();
    assert!(run.error.is_none(), "{:?}", run.error);
    assert_eq!(run.report.new, 60_000);
    let objects = world.storage.objects().await;
    for folder in ["raw/", "tables/"] {
        let sizes =
            objects.iter().filter(|(key, _)| key.starts_with(folder)).map(|(_, body)| body.len());
        let sizes: Vec<_> = sizes.collect();
        assert!(sizes.len() == 1 && sizes[0] > 2 * PART_BYTES, "{folder}: {sizes:?}");
    }
    world.audit().await.assert_sound();

    let span = json!({"from": "2026-11-22", "to": "2026-11-23"});
    let again = world.run_for(&span, None).await.unwrap();
    assert!(again.error.is_none(), "{:?}", again.error);
    assert_eq!((again.report.served, again.report.new), (60_000, 0));
    assert_eq!(world.storage.open_uploads().await, 0);
}

#[tokio::test(start_paused = true)]
async fn a_busy_or_contended_bucket_costs_time_and_nothing_else() {
    for step in [Step::PutObject, Step::WriteTable, Step::WriteLedger, Step::Read] {
        for (status, code, requests) in
            [(503, "SlowDown", 12), (500, "InternalError", 7), (409, "OperationAborted", 3)]
        {
            if step == Step::Read && status == 409 {
                continue;
            }
            let world = World::of(SMALL_DAY).await;
            world.storage.refuse(Refusal::of(step, status, code, requests));
            let run = world.run().await.unwrap();
            assert!(run.error.is_none(), "{step:?} {code}: {:?}", run.error);
            assert_eq!(run.report.new, 50, "{step:?} {code}");
            world.audit().await.assert_sound();
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_bucket_that_stays_busy_fails_the_window_in_a_few_minutes_and_the_next_run_repairs_it() {
    let world = World::of(SMALL_DAY).await;
    world.storage.refuse(Refusal::of(Step::WriteTable, 409, "OperationAborted", u32::MAX));
    let started = world.simulator.now();
    let error = world.run().await.unwrap().error.unwrap();
    let text = error.to_string();
    assert!(text.contains("OperationAborted, status 409"), "{text}");
    assert!(
        (world.simulator.now() - started).num_minutes() < 4,
        "{}",
        world.simulator.now() - started
    );
    let complete = world.audit().await.complete_rows("directory-audits").count();
    assert_eq!(complete, 0, "nothing is claimed");
}

#[tokio::test(start_paused = true)]
async fn the_parts_of_an_upload_are_sent_again_too() {
    let storage = Storage::start().await;
    for step in [Step::BeginUpload, Step::UploadPart, Step::CompleteUpload] {
        storage.refuse(Refusal::of(step, 503, "SlowDown", 8));
    }
    storage.archive().check_write(SIGN_INS).await.unwrap();
    assert_eq!(storage.objects().await.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_check_creates_one_object_of_two_parts_and_later_checks_find_it() {
    let storage = Storage::start().await;
    for _ in 0..3 {
        storage.archive().check_write(SIGN_INS).await.unwrap();
        storage.archive().check_write(Stream::DirectoryAudits).await.unwrap();
    }
    let objects = storage.objects().await;
    let keys: Vec<_> = objects.keys().map(String::as_str).collect();
    assert_eq!(keys, ["checks/directory-audits/two-parts", "checks/sign-ins/two-parts"]);
    assert!(objects.values().all(|body| body.len() > PART_BYTES));
    assert_eq!(storage.open_uploads().await, 0);
    for stream in [SIGN_INS, Stream::DirectoryAudits] {
        let listing = storage.archive().list(stream, day()).await.unwrap();
        assert!(listing.foreign.is_empty(), "{:?}", listing.foreign);
    }
}

#[tokio::test(start_paused = true)]
async fn a_bucket_of_another_account_is_neither_read_nor_written() {
    let storage = Storage::start().await;
    let stranger = storage.archive_of("444455556666");
    for error in [read(&stranger).await, write(&stranger).await, list(&stranger).await] {
        let text = error.to_string();
        assert!(text.contains("the bucket must belong to account 444455556666"), "{text}");
    }
    assert!(storage.objects().await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn the_region_of_a_bucket_is_named_to_whoever_asks_in_another() {
    let storage = Storage::start().await;
    for (operator, advice) in [
        (Operator::Function, "deploy the stack in the bucket's region"),
        (Operator::Person, "set AWS_REGION=eu-central-1"),
    ] {
        let archive = storage.archive_from("us-east-1", operator);
        for error in [read(&archive).await, write(&archive).await, list(&archive).await] {
            let text = error.to_string();
            assert!(text.contains("lies in eu-central-1") && text.contains("us-east-1"), "{text}");
            assert!(text.contains(advice), "{text}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn credentials_and_the_clock_are_told_apart_from_a_policy() {
    for (status, code, advice) in [
        (400, "ExpiredToken", "sign in again"),
        (403, "InvalidAccessKeyId", "check AWS_PROFILE"),
        (403, "SignatureDoesNotMatch", "check AWS_PROFILE"),
        (403, "RequestTimeTooSkewed", "the clock of this machine"),
        (403, "AccessDenied", "your AWS credentials may not do that"),
    ] {
        let storage = Storage::start().await;
        storage.refuse(Refusal::of(Step::Read, status, code, u32::MAX));
        let text = read(&storage.archive_from("eu-central-1", Operator::Person)).await.to_string();
        assert!(text.contains(advice) && text.contains(code), "{text}");
        assert!(!text.contains("the function"), "{text}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_bucket_that_demands_encryption_gets_the_header() {
    let storage = Storage::start().await;
    storage.demand_encryption();
    let text = write(&storage.archive()).await.to_string();
    assert!(text.contains("AccessDenied"), "{text}");
    for encryption in
        [Encryption::S3, Encryption::Key("arn:aws:kms:eu-central-1:111122223333:key/x".to_owned())]
    {
        storage.archive_encrypted(encryption).check_write(SIGN_INS).await.unwrap();
    }
}

fn day() -> NaiveDate {
    NaiveDate::from_ymd_opt(2026, 11, 22).unwrap()
}

async fn read(archive: &Archive) -> Error {
    archive.ledger(SIGN_INS, day()).await.unwrap_err()
}

async fn write(archive: &Archive) -> Error {
    archive.check_write(SIGN_INS).await.unwrap_err()
}

async fn list(archive: &Archive) -> Error {
    archive.tables(SIGN_INS).await.unwrap_err()
}

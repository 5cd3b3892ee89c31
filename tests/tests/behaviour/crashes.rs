//! A run that dies, and runs that meet: at every step between a page and its ledger row.

use chrono::{DateTime, TimeDelta, Utc};
use entratrail_tests::storage::{Moment, Step};
use entratrail_tests::world::{World, scheduled};
use serde_json::json;

/// Three days in pages of twenty records.
const TENANT: &str = r#"
name = "a tenant whose reader dies"
clock = { now = "2026-11-23T01:15:00Z" }
[limits]
requests_per_10s = 0
largest_page = 20
[[volume]]
stream = "interactiveUser"
from_day = -3
to_day = -1
per_day = 70
[[volume]]
stream = "servicePrincipal"
from_day = -2
to_day = -1
per_day = 40
[collect.environment]
GRAPH_REQUESTS_PER_10S = "10000"
HISTORY_DAYS = "4"
"#;

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

/// Kills the first run at a request, lets a second one finish, and expects an archive without a
/// fault.
async fn check(step: Step, nth: u32, moment: Moment) {
    let world = World::of(TENANT).await;
    let killed = world.storage.kill_at(step, nth, moment, world.run()).await;
    assert!(killed.is_none(), "the run did not come to {step:?} {nth}");
    world.run_until_done().await;
    let audit = world.audit().await;
    audit.assert_sound();
    assert_eq!(world.unread(&audit).count(), 0);

    world.simulator.set_now(at("2026-11-24T01:15:00Z"));
    let next_day = world.run_until_done().await;
    assert_eq!(next_day.report.new, 0, "killed at {step:?} {nth} {moment:?}");
    world.audit().await.assert_sound();
}

#[tokio::test(start_paused = true)]
async fn a_run_killed_at_any_step_is_carried_on_without_loss_or_double() {
    for nth in [1, 2, 5] {
        for moment in [Moment::Before, Moment::After] {
            check(Step::PutObject, nth, moment).await;
            check(Step::WriteTable, nth, moment).await;
            check(Step::WriteLedger, nth, moment).await;
        }
    }
    check(Step::Read, 3, Moment::Before).await;
}

#[tokio::test(start_paused = true)]
async fn an_upload_that_was_cut_off_leaves_nothing_that_counts() {
    let large =
        TENANT.replace("per_day = 70", "per_day = 9000").replace("from_day = -3", "from_day = -1");
    let large = large.replace("largest_page = 20", "largest_page = 1000");
    for (step, nth, moment) in [
        (Step::BeginUpload, 1, Moment::After),
        (Step::UploadPart, 1, Moment::Before),
        (Step::UploadPart, 2, Moment::After),
        (Step::CompleteUpload, 1, Moment::Before),
        (Step::CompleteUpload, 1, Moment::After),
    ] {
        let world = World::of(&large).await;
        let killed = world.storage.kill_at(step, nth, moment, world.run()).await;
        assert!(killed.is_none(), "the run did not come to {step:?} {nth}");
        world.run_until_done().await;
        let audit = world.audit().await;
        audit.assert_sound();
        assert_eq!(world.unread(&audit).count(), 0, "{step:?} {moment:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn two_runs_at_once_store_nothing_twice() {
    for windows in ["1440", "360", "60"] {
        let world = World::of(&format!("{TENANT}\nWINDOW_MINUTES = \"{windows}\"")).await;
        let (one, other) = tokio::join!(world.run(), world.run());
        let new = [&one, &other].map(|run| run.as_ref().unwrap().report.new);
        world.run_until_done().await;
        let audit = world.audit().await;
        audit.assert_sound();
        assert_eq!(world.unread(&audit).count(), 0);
        assert!(new.iter().sum::<u64>() <= audit.record_count() as u64, "{new:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn two_runs_that_cut_the_day_differently_store_nothing_twice() {
    for _ in 0..5 {
        let world = World::of(TENANT).await;
        let hours = json!({"from": "2026-11-20T06:00:00Z", "to": "2026-11-22T18:05:00Z"});
        let (one, other) = tokio::join!(world.run(), world.run_for(&hours, None));
        assert!(one.is_ok() && other.is_ok());
        world.run_until_done().await;
        let audit = world.audit().await;
        audit.assert_sound();
        assert_eq!(world.unread(&audit).count(), 0);
    }
}

#[tokio::test(start_paused = true)]
async fn a_lost_ledger_is_made_again_from_the_objects() {
    let world = World::of(TENANT).await;
    world.run_until_done().await;
    let before = world.storage.objects().await;
    for key in before.keys().filter(|key| key.starts_with("ledger/")) {
        world.storage.remove(key).await;
    }
    let run = world.run_until_done().await;
    assert_eq!(run.report.new, 0);
    let audit = world.audit().await;
    audit.assert_sound();
    assert_eq!(world.unread(&audit).count(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_damaged_ledger_stops_its_day_and_no_other() {
    let world = World::of(TENANT).await;
    world.run_until_done().await;
    let key = "ledger/sign-ins/event_type=interactiveUser/day=2026-11-21.ndjson";
    let mut ledger = world.storage.objects().await[key].clone();
    ledger.extend_from_slice(b"{\"half a line");
    world.storage.put(key, &ledger).await;
    world.simulator.set_now(at("2026-11-24T01:15:00Z"));
    let before = world.storage.objects().await;
    let run = world.run().await.unwrap();
    let error = run.error.unwrap();
    assert_eq!(error.error_type(), "Archive");
    assert!(error.to_string().contains(&format!("line 2 of s3://archive/{key}")), "{error}");
    let after = world.storage.objects().await;
    let of_that_day = |key: &&String| key.contains("interactiveUser/day=2026-11-21");
    assert!(before.keys().filter(of_that_day).eq(after.keys().filter(of_that_day)));
    assert_eq!(after[key], ledger);
    assert!(
        run.report
            .windows
            .iter()
            .any(|window| window.error.is_none() && window.start == at("2026-11-22T00:00:00Z"))
    );
}

#[tokio::test(start_paused = true)]
async fn a_damaged_or_exchanged_object_is_named_and_left_alone() {
    let world = World::of(TENANT).await;
    world.run_until_done().await;
    let key = "raw/sign-ins/event_type=interactiveUser/day=2026-11-21/0000-2400.r1.ndjson.gz";
    let mut body = world.storage.objects().await[key].clone();
    body.truncate(body.len() - 10);
    world.storage.put(key, &body).await;
    world.simulator.set_now(at("2026-11-24T01:15:00Z"));
    let error = world.run().await.unwrap().error.unwrap();
    assert_eq!(error.error_type(), "Archive");
    assert!(error.to_string().contains(key), "{error}");

    let other = world.storage.objects().await[&key.replace("2026-11-21", "2026-11-20")].clone();
    world.storage.put(key, &other).await;
    let error = world.run().await.unwrap().error.unwrap();
    assert!(error.to_string().contains("SHA-256 differs"), "{error}");
    assert_eq!(world.storage.objects().await[key], other);
}

#[tokio::test(start_paused = true)]
async fn foreign_objects_are_named_and_left_alone() {
    let world = World::of(TENANT).await;
    let keys = [
        "raw/sign-ins/notes.txt",
        "raw/sign-ins/event_type=interactiveUser/day=2026-11-22/copy.ndjson.gz",
        "ledger/sign-ins/event_type=servicePrincipal/day=2026-11-22.bak",
    ];
    for key in keys {
        world.storage.put(key, b"ours").await;
    }
    let mut foreign = world.run().await.unwrap().report.foreign;
    foreign.sort();
    let mut expected = keys.map(str::to_owned).to_vec();
    expected.sort();
    assert_eq!(foreign, expected);
    let objects = world.storage.objects().await;
    assert!(keys.iter().all(|key| objects[*key] == b"ours"));
}

#[tokio::test(start_paused = true)]
async fn a_run_that_stops_in_time_gives_everything_up_and_the_next_goes_on() {
    let slow =
        TENANT.replace("requests_per_10s = 0", "requests_per_10s = 0\npage_latency_ms = 5000");
    let world = World::of(&format!("{slow}\nCONCURRENCY = \"1\"")).await;
    let mut hops = 0;
    loop {
        let stop_at = world.simulator.now() + TimeDelta::seconds(60);
        let run = world.run_for(&scheduled(), Some(stop_at)).await.unwrap();
        assert_eq!(run.error, None);
        assert_eq!(world.storage.open_uploads().await, 0);
        hops += 1;
        if !run.ran_out_of_time {
            break;
        }
        assert!(run.report.remaining_windows > 0 && hops < 50);
    }
    assert!(hops > 1);
    let audit = world.audit().await;
    audit.assert_sound();
    assert_eq!(world.unread(&audit).count(), 0);
}

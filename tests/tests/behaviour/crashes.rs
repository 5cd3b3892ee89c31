//! A run that dies, and runs that meet: at every step between a page and its ledger row.

use chrono::{DateTime, TimeDelta, Utc};
use entratrail::clock::Clock;
use entratrail::ledger::Origin;
use entratrail::log::{EventType, Stream};
use entratrail_tests::storage::{Moment, Point, Step};
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
    let killed = world.storage.kill_at(Point { step, nth, moment }, world.run()).await;
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
        let killed = world.storage.kill_at(Point { step, nth, moment }, world.run()).await;
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

/// Two runs meet on a day that nobody has read, at every pair of steps. One stands still at its own
/// while the other comes to its own, and each then goes on to its end.
#[tokio::test(start_paused = true)]
async fn two_runs_that_meet_at_any_steps_leave_what_the_ledger_says() {
    let tenant =
        TENANT.replace("per_day = 70", "per_day = 3").replace("from_day = -3", "from_day = -1");
    let tenant = tenant.replace(
        "HISTORY_DAYS = \"4\"",
        "HISTORY_DAYS = \"2\"\nCONCURRENCY = \"1\"\nSIGN_IN_EVENT_TYPES = \"interactiveUser\"",
    );
    let steps = [
        (Step::WriteLedger, 1),
        (Step::PutObject, 1),
        (Step::WriteTable, 1),
        (Step::WriteLedger, 2),
    ];
    let points: Vec<_> = steps
        .into_iter()
        .flat_map(|(step, nth)| {
            [Moment::Before, Moment::After].map(|moment| Point { step, nth, moment })
        })
        .collect();
    let mut met = 0;
    for one in &points {
        for other in &points {
            let world = World::of(&tenant).await;
            let (have_met, ends) =
                world.storage.meet((*one, world.run()), (*other, world.run())).await;
            met += u32::from(have_met);
            assert!(ends.iter().all(Result::is_ok), "{one:?} {other:?}");
            let audit = world.audit().await;
            assert_eq!(audit.problems, Vec::<String>::new(), "{one:?}, {other:?}");
            assert_eq!(world.unread(&audit).count(), 0, "{one:?}, {other:?}");
            world.run_until_done().await;
            world.audit().await.assert_sound();
        }
    }
    assert!(met > 40, "{met} of {} pairs met", points.len().pow(2));
}

/// A version that encodes tables in another way has put the read on record while this one made its
/// table.
#[tokio::test(start_paused = true)]
async fn a_table_that_another_version_has_on_record_is_put_on_record_as_it_is() {
    let world = World::of(TENANT).await;
    world.run_until_done().await;
    let archive = world.storage.archive();
    let (stream, day) =
        (Stream::SignIns(EventType::InteractiveUser), at("2026-11-22T00:00:00Z").date_naive());
    let (ledger, _) = archive.ledger(stream, day).await.unwrap();
    let made = ledger.rows().next().unwrap().clone();
    let sha256 = &made.object().unwrap().table.as_ref().unwrap().sha256;
    let of_other = String::from_utf8(ledger.to_text()).unwrap().replace(sha256, &"ab".repeat(32));
    let key = "ledger/sign-ins/event_type=interactiveUser/day=2026-11-22.ndjson";
    world.storage.put(key, of_other.as_bytes()).await;
    assert_eq!(world.audit().await.problems.len(), 1);
    archive.record_stored(stream, &made, &Origin::new(None), Clock::wall()).await.unwrap();
    world.audit().await.assert_sound();
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

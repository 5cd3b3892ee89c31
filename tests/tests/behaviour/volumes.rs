//! A day that is too large for one window and for one invocation.

use chrono::{DateTime, TimeDelta, Utc};
use entratrail_tests::audit::stream_folder;
use entratrail_tests::world::{World, collect, scheduled};
use flate2::read::MultiGzDecoder;
use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::io::{BufRead as _, BufReader};

/// A day of 300,000 audits behind Graph's limit.
const TENANT: &str = r#"
name = "a very busy day"
remember_served = false
clock = { now = "2026-11-23T01:15:00Z" }
[limits]
page_latency_ms = 1000
[[volume]]
stream = "directoryAudits"
from_day = -1
to_day = -1
per_day = 300000
[collect]
log = "directory-audits"
environment = { HISTORY_DAYS = "1" }
"#;

/// When the first run of a tenant starts.
const START: DateTime<Utc> = DateTime::from_timestamp(1_795_396_500, 0).unwrap();
/// Simulated time that one invocation has.
const INVOCATION: TimeDelta = TimeDelta::minutes(6);

#[tokio::test(start_paused = true)]
async fn a_day_of_300_000_records_splits_and_continues_over_several_invocations() {
    let world = World::of(TENANT).await;
    let invocations = invoke_until_done(&world).await;
    assert!((3..=8).contains(&invocations), "it took {invocations} invocations");

    let objects = world.storage.objects().await;
    let mut lines = HashSet::new();
    let mut names = HashSet::new();
    for (key, body) in objects.iter().filter(|(key, _)| key.starts_with("raw/directory-audits/")) {
        names.insert(key.rsplit('/').next().unwrap());
        for line in BufReader::new(MultiGzDecoder::new(&body[..])).lines() {
            assert!(lines.insert(fingerprint(&line.unwrap())), "{key} holds a record for the second time");
        }
    }
    assert!(names.len() >= 6, "the day was not split: {names:?}");
    let day = "2026-11-22T00:00:00Z".parse::<DateTime<Utc>>().unwrap();
    let visible = world.visible();
    let of_the_day = visible.iter().filter(|record| (day..day + TimeDelta::days(1)).contains(&record.time));
    let expected: HashSet<_> = of_the_day.map(|record| fingerprint(&record.json)).collect();
    assert_eq!(lines.len(), 300_000);
    assert!(lines == expected, "other records were stored than Graph has");
    let ledger = &objects[&format!("ledger/{}/day=2026-11-22.ndjson", stream_folder("directoryAudits"))];
    let rows = ledger.split(|&byte| byte == b'\n').filter(|line| !line.is_empty());
    assert_eq!(rows.count(), names.len(), "a window was read twice, or was left without a row");
}

/// A day that was once called verified with 5,000 of its records never asked for: they came in the order of their arrival.
#[tokio::test(start_paused = true)]
async fn a_day_of_22_351_audits_is_whole_in_every_order() {
    for order in ["arrival", "changing"] {
        let world = World::of(&format!(
            r#"
name = "audits in the order of {order}"
clock = {{ now = "2026-11-23T01:15:00Z" }}
limits = {{ page_latency_ms = 4000 }}
paging = [{{ order = "{order}" }}]
collect = {{ log = "directory-audits", environment = {{ HISTORY_DAYS = "4" }} }}
[[volume]]
stream = "directoryAudits"
from_day = -1
to_day = -1
per_day = 22351
late = {{ share = 0.3, up_to_minutes = 600 }}
"#
        ))
        .await;
        for day in 0..3 {
            world.simulator.set_now(START + TimeDelta::days(day));
            assert!(world.run().await.unwrap().error.is_none(), "{order}");
        }
        let audit = world.audit().await;
        audit.assert_sound();
        assert_eq!(audit.record_count(), 22_351, "{order}");
    }
}

/// From the second day on another writer writes half of Graph's pages: other bytes that mean the same.
#[tokio::test(start_paused = true)]
async fn another_json_writer_makes_no_version_twice_and_opens_no_window() {
    for (log, stream) in [("sign-ins", "nonInteractiveUser"), ("directory-audits", "directoryAudits")] {
        let world = World::of(&format!(
            r#"
name = "two writers of {stream}"
clock = {{ now = "2026-11-23T01:15:00Z" }}
writer = {{ share = 0.5, from_day = 1 }}
limits = {{ largest_page = 20 }}
[collect]
log = "{log}"
environment = {{ HISTORY_DAYS = "9", SIGN_IN_EVENT_TYPES = "nonInteractiveUser" }}
[[volume]]
stream = "{stream}"
from_day = -5
to_day = 9
per_day = 60
"#
        ))
        .await;
        for day in 0..10 {
            world.simulator.set_now(START + TimeDelta::days(day));
            let run = world.run().await.unwrap();
            assert!(run.error.is_none(), "{stream}, day {day}: {:?}", run.error);
            // Yesterday's window alone is open, and the one before until its second read.
            let hours = run.vitals.oldest_unverified_hours.unwrap();
            assert!(day == 0 || hours < 48, "{stream}, day {day}: {hours} hours");
        }
        world.audit().await.assert_sound();
    }
}

/// Plays the invocations that follow one another; returns how many there were.
async fn invoke_until_done(world: &World) -> u32 {
    let mut event = scheduled();
    for invocation in 1..20 {
        let started = world.simulator.now();
        let run = world.run_for(&event, Some(started + INVOCATION)).await.unwrap();
        assert!(run.error.is_none(), "{:?}", run.error);
        assert!(
            world.simulator.now() < started + INVOCATION + TimeDelta::seconds(30),
            "it did not stop in time"
        );
        if !run.ran_out_of_time {
            return invocation;
        }
        event = collect(&event).unwrap().next_event(started).unwrap();
    }
    panic!("twenty invocations were not enough");
}

fn fingerprint(record: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    record.hash(&mut hasher);
    hasher.finish()
}

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
            assert!(
                lines.insert(fingerprint(&line.unwrap())),
                "{key} holds a record for the second time"
            );
        }
    }
    assert!(names.len() >= 6, "the day was not split: {names:?}");
    let day = "2026-11-22T00:00:00Z".parse::<DateTime<Utc>>().unwrap();
    let visible = world.visible();
    let of_the_day =
        visible.iter().filter(|record| (day..day + TimeDelta::days(1)).contains(&record.time));
    let expected: HashSet<_> = of_the_day.map(|record| fingerprint(&record.json)).collect();
    assert_eq!(lines.len(), 300_000);
    assert!(lines == expected, "other records were stored than Graph has");
    let ledger =
        &objects[&format!("ledger/{}/day=2026-11-22.ndjson", stream_folder("directoryAudits"))];
    let rows = ledger.split(|&byte| byte == b'\n').filter(|line| !line.is_empty());
    assert_eq!(rows.count(), names.len(), "a window was read twice, or was left without a row");
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

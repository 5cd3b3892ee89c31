//! How long a day takes behind Graph's limit of five requests in ten seconds, where each page takes
//! four seconds.
//!
//! A hundred full pages take 200 s at the limit. The variable `PACE_SEEDS` plays more seeds and
//! prints their medians:
//! `PACE_SEEDS=20 cargo test --workspace --release --test behaviour pace -- --nocapture`.

#![expect(clippy::print_stdout, reason = "whoever measures wants to see each seed")]

use entratrail_tests::simulated_time::block_on;
use entratrail_tests::world::World;
use std::fmt::Write as _;

/// Curves of a day, one after the other.
const SHAPES: [&str; 3] =
    ["shape = 'office'", "shape = 'even'", "shape = 'shifted'\nshift_hours = [0, 8, 16]"];
/// Orders of the records on the pages, one after the other.
const ORDERS: [&str; 6] = ["random", "oldest", "arrival", "id", "changing", "newest"];

#[test]
fn a_day_of_100_000_sign_ins_is_read_as_fast_as_the_limit_allows() {
    check(216.0, 1, |seed| (vec![("nonInteractiveUser", 100_000)], "newest", SHAPES[seed % 3]));
}

#[test]
fn a_day_of_100_000_audits_is_read_as_fast_in_any_order() {
    check(222.0, 1, |seed| {
        (vec![("directoryAudits", 100_000)], ORDERS[seed % 6], SHAPES[seed / 6 % 3])
    });
}

#[test]
fn a_day_of_40_000_sign_ins_is_read_as_fast_as_the_limit_allows() {
    check(92.0, 1, |seed| (vec![("nonInteractiveUser", 40_000)], "newest", SHAPES[(seed + 1) % 3]));
}

#[test]
fn a_day_in_four_streams_is_read_nearly_as_fast_as_in_one() {
    let streams = [
        ("interactiveUser", 25_000),
        ("nonInteractiveUser", 60_000),
        ("servicePrincipal", 10_000),
        ("managedIdentity", 5_000),
    ];
    check(224.0, 3, |seed| (streams.to_vec(), "newest", SHAPES[seed % 3]));
}

/// Records a day of each stream, their order and their curve.
type Day = (Vec<(&'static str, u64)>, &'static str, &'static str);

/// Reads the day of each seed, `usual` ones unless told otherwise; the median of the seconds is at
/// most `most`.
fn check(most: f64, usual: usize, day: impl Fn(usize) -> Day) {
    let seeds = std::env::var("PACE_SEEDS").map_or(usual, |seeds| seeds.parse().unwrap());
    let mut seconds: Vec<_> = (0..seeds).map(|seed| block_on(read(&day(seed), seed))).collect();
    seconds.sort_by(f64::total_cmp);
    let median = seconds[seconds.len() / 2];
    println!("at most {most} s are asked; the median is {median:.1} s of {seconds:.1?}");
    assert!(median <= most, "{median} s of {seconds:.1?}");
}

/// Seconds that a first read of the day takes.
async fn read((streams, order, shape): &Day, seed: usize) -> f64 {
    let audits = streams[0].0 == "directoryAudits";
    let names: Vec<_> = streams.iter().map(|(name, _)| *name).collect();
    let mut tenant = format!(
        r#"
name = "a busy day"
seed = {seed}
remember_served = false
clock = {{ now = "2026-11-23T01:15:00Z" }}
limits = {{ requests_per_10s = 5, page_latency_ms = 4000 }}
paging = [{{ order = "{order}" }}]
[collect]
log = "{log}"
environment = {{ HISTORY_DAYS = "1", SIGN_IN_EVENT_TYPES = "{types}" }}
"#,
        log = if audits { "directory-audits" } else { "sign-ins" },
        types = if audits { "interactiveUser".to_owned() } else { names.join(",") },
    );
    for (stream, per_day) in streams {
        let day = "from_day = -1\nto_day = -1";
        let _ = write!(
            tenant,
            "[[volume]]\nstream = '{stream}'\n{day}\nper_day = {per_day}\n{shape}\n"
        );
    }
    let world = World::of(&tenant).await;
    let started = world.simulator.now();
    let run = world.run().await.unwrap();
    let took = (world.simulator.now() - started).as_seconds_f64();
    let records: u64 = streams.iter().map(|(_, per_day)| per_day).sum();
    assert_eq!((run.report.new, run.report.throttled), (records, 0));
    println!("seed {seed}: {took:.1} s and {} requests, {order}, {shape}", run.report.requests);
    took
}

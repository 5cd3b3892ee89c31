//! Tenants whose Graph serves records in any order, on pages of any size, written by any writer, odd ones among them, and
//! whose chains end early, die, repeat or never end.
//!
//! The property: no read is complete, and so no window verified, while a record that Graph served throughout is not
//! stored. Served throughout is what every chain held that was followed to its end. Once Graph behaves, everything is
//! stored. `ORDER_SEEDS=500` plays as many seeds, `ORDER_SEED=7` one of them.

use chrono::{DateTime, Days, Utc};
use entratrail_tests::simulated_time::block_on;
use entratrail_tests::world::World;
use fastrand::Rng;
use graph_simulator::{Faults, Scenario};
use std::fmt::Write as _;

/// Seeds that are played unless told otherwise.
const SEEDS: u64 = 60;
/// Seeds that are played at once.
const AT_ONCE: u64 = 2;
/// One archive in so many is in a folder, and judged by `docs/check.py` as well.
const IN_FOLDER: u64 = 10;
/// Daily runs while Graph misbehaves.
const BAD_DAYS: u64 = 2;
/// Daily runs afterwards: the last look at a window comes five days after it was verified.
const GOOD_DAYS: u64 = 8;
/// Runs of one day.
const RUNS_A_DAY: u32 = 3;

const ORDERS: [&str; 6] = ["newest", "oldest", "arrival", "id", "random", "changing"];
const SIZES: [&str; 5] = ["[1]", "[1, 7, 20]", "[20]", "[3, 3, 1, 50]", "[]"];
const BOUNDARIES: [&str; 4] = ["anywhere", "second", "hour", "equal_times"];
const SHAPES: [&str; 4] = ["office", "even", "burst", "shifted"];
const ODD: [&str; 11] = [
    "no_time",
    "null_time",
    "local_time",
    "no_zone",
    "year_one",
    "null_record",
    "hours_outside",
    "just_outside",
    "invalid_utf8",
    "many_members",
    "repeated_member",
];
const CHAIN_FAULTS: [&str; 4] = ["ends_early", "dies", "repeats", "endless"];
/// Faults of single requests that any read survives, or fails of and is tried again.
const REQUEST_FAULTS: [&str; 12] = [
    "throttle_seconds",
    "server_error",
    "cut",
    "truncated_json",
    "broken_gzip",
    "html_200",
    "refused_link",
    "passing_400",
    "missing_link",
    "empty_page",
    "short_page",
    "byte_order_mark",
];

#[test]
fn no_read_is_complete_without_what_graph_served_throughout() {
    if let Ok(seed) = std::env::var("ORDER_SEED") {
        return block_on(live_through(seed.parse().unwrap()));
    }
    let seeds = std::env::var("ORDER_SEEDS").map_or(SEEDS, |seeds| seeds.parse().unwrap());
    std::thread::scope(|threads| {
        for first in 0..AT_ONCE {
            let seeds = (first..seeds).step_by(usize::try_from(AT_ONCE).unwrap());
            threads.spawn(move || seeds.for_each(|seed| block_on(live_through(seed))));
        }
    });
}

async fn live_through(seed: u64) {
    let mut dice = Rng::with_seed(seed);
    let scenario = Scenario::from_toml(&tenant(seed, &mut dice)).unwrap();
    let world = if seed.is_multiple_of(IN_FOLDER) {
        World::start_in_folder(scenario).await
    } else {
        World::start(scenario).await
    };
    let first: DateTime<Utc> = "2026-11-23T01:15:00Z".parse().unwrap();
    let mut last = String::new();
    for day in 0..BAD_DAYS + GOOD_DAYS {
        world.simulator.set_now(first + Days::new(day));
        if day == BAD_DAYS {
            world.simulator.set_faults(Faults::default());
        }
        for _ in 0..RUNS_A_DAY {
            let run = world.run().await;
            let mut served = world.simulator.served();
            // A chain that ends early is not followed to its end, so what it served proves nothing.
            for record in &mut served {
                record.served_at.clear();
            }
            let audit = world.audit_against(&served).await;
            let problems = &audit.problems;
            assert!(problems.is_empty(), "seed {seed}: {:#?}", &problems[..problems.len().min(5)]);
            last = format!("{:?}", run.as_ref().map(|run| &run.error));
            if run.is_ok_and(|run| run.error.is_none() && run.report.remaining_windows == 0) {
                break;
            }
        }
    }
    let audit = world.audit().await;
    let unread: Vec<_> = world.unread(&audit).map(|record| record.json).collect();
    assert!(
        unread.is_empty(),
        "seed {seed}: {} records are missing, of {unread:?}; last: {last}",
        unread.len()
    );
    if let Some(folder) = world.folder() {
        folder.check();
    }
}

/// A tenant of a few records, drawn from everything that Graph may do.
fn tenant(seed: u64, dice: &mut Rng) -> String {
    let audits = dice.bool();
    let stream = if audits { "directoryAudits" } else { "nonInteractiveUser" };
    let mut text = format!(
        r#"
name = "orders {seed}"
seed = {seed}
remember_chains = true
clock = {{ now = "2026-11-23T01:15:00Z" }}
limits = {{ largest_page = {page}, requests_per_10s = 0 }}
writer = {{ share = {writer}, from_day = {from_day} }}
[collect]
log = "{log}"
environment = {{ HISTORY_DAYS = "{history}", TARGET_RECORDS = "{target}", SIGN_IN_EVENT_TYPES = "nonInteractiveUser", GRAPH_REQUESTS_PER_10S = "10000" }}
[[volume]]
stream = "{stream}"
from_day = -2
to_day = 0
per_day = {per_day}
shape = "{shape}"
late = {{ share = 0.1, up_to_minutes = 120 }}
changed = {{ share = 0.05, after_minutes = 90 }}
repeated = 0.05
[[paging]]
order = "{order}"
sizes = {sizes}
boundary = "{boundary}"
both_versions = {both}
raw_links = {raw_links}
empty = {{ pages = {empty}, at = "{empty_at}" }}
"#,
        page = dice.u32(5..60),
        writer = f64::from(dice.u8(0..2)) / 2.0,
        from_day = dice.i32(-1..3),
        log = if audits { "directory-audits" } else { "sign-ins" },
        history = 12,
        target = dice.u32(20..200),
        per_day = dice.u32(0..120),
        shape = SHAPES[dice.usize(..SHAPES.len())],
        order = ORDERS[dice.usize(..ORDERS.len())],
        sizes = SIZES[dice.usize(..SIZES.len())],
        boundary = BOUNDARIES[dice.usize(..BOUNDARIES.len())],
        both = dice.u8(0..3),
        raw_links = dice.bool(),
        empty = [0, 0, 0, 0, 3, 3, 3, 60][dice.usize(..8)],
        empty_at = ["start", "middle", "end"][dice.usize(..3)],
    );
    for _ in 0..dice.u8(0..3) {
        let (kind, day) = (ODD[dice.usize(..ODD.len())], dice.i32(-2..1));
        let _ = write!(
            text,
            "[[odd]]\nkind = '{kind}'\nstream = '{stream}'\nday = {day}\ncount = {}\n",
            dice.u8(1..4)
        );
    }
    for _ in 0..dice.u8(0..3) {
        let (kind, share, after) =
            (CHAIN_FAULTS[dice.usize(..CHAIN_FAULTS.len())], dice.f64() / 2.0, dice.u8(1..5));
        let _ = write!(text, "[[faults.chain]]\nkind = '{kind}'\nshare = {share:.3}\nafter = {after}\n");
        let _ = writeln!(text, "chains = {}", dice.u8(1..9));
        if dice.bool() {
            let _ = writeln!(text, "longer_than_minutes = {}", [30, 180, 700][dice.usize(..3)]);
        }
    }
    let rates = REQUEST_FAULTS.iter().map(|kind| format!("{kind} = {:.4}", dice.f64() / 100.0));
    text + "[faults.rates]\n" + &rates.collect::<Vec<_>>().join("\n")
}

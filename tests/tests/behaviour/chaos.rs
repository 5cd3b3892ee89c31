//! Two hundred tenants whose Graph fails in every way at once, and whose reader is killed at random.

use chrono::{DateTime, Days, TimeDelta, Utc};
use entratrail_tests::storage::{Moment, Step};
use entratrail_tests::world::World;
use fastrand::Rng;
use graph_simulator::{Faults, Scenario};
use std::fmt::Write as _;

/// Seeds that are played.
const SEEDS: u64 = 12;
/// Seeds that are played at once.
const AT_ONCE: u64 = 4;
/// Runs after which a day must be complete.
const MOST_RUNS: u32 = 60;

/// Every fault that a read can survive, and how often it strikes at most.
const FAULTS: [(&str, f64); 19] = [
    ("throttle_seconds", 0.04),
    ("throttle_date", 0.03),
    ("throttle_bare", 0.03),
    ("unavailable", 0.03),
    ("server_error", 0.05),
    ("cut", 0.04),
    ("truncated_json", 0.03),
    ("broken_gzip", 0.03),
    ("html_200", 0.03),
    ("silence", 0.01),
    ("slow", 0.02),
    ("token_expired", 0.02),
    ("refused_link", 0.03),
    ("repeated_link", 0.01),
    ("foreign_link", 0.005),
    ("missing_link", 0.01),
    ("ignored_filter", 0.01),
    ("empty_page", 0.04),
    ("short_page", 0.05),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_or_stored_twice_in_two_hundred_runs_of_random_faults() {
    let lanes = (0..AT_ONCE).map(|lane| {
        tokio::spawn(async move {
            for seed in (lane..SEEDS).step_by(usize::try_from(AT_ONCE).unwrap()) {
                live_through(seed).await;
            }
        })
    });
    for lane in lanes.collect::<Vec<_>>() {
        lane.await.unwrap();
    }
}

/// Three simulated days in the life of a tenant.
async fn live_through(seed: u64) {
    let mut dice = Rng::with_seed(seed);
    let world = World::start(Scenario::from_toml(&tenant(seed, &mut dice)).unwrap()).await;
    let first: DateTime<Utc> = "2026-11-23T01:15:00Z".parse().unwrap();
    for day in 0..3 {
        world.simulator.set_now(first + Days::new(day));
        let runs = read_until_done(&world, &mut dice).await;
        assert!(runs <= MOST_RUNS, "seed {seed}: {runs} runs were not enough on day {day}");
        let audit = world.audit().await;
        assert!(
            audit.problems.is_empty(),
            "seed {seed}, day {day}: {:#?}",
            &audit.problems[..audit.problems.len().min(5)]
        );
    }
    // Once Graph behaves, one more day finds what a read without its last pages had missed.
    world.simulator.set_faults(Faults::default());
    for day in 3..5 {
        world.simulator.set_now(first + Days::new(day));
        world.run_until_done().await;
    }
    let audit = world.audit().await;
    audit.assert_sound();
    let unread: Vec<_> = world.unread(&audit).filter(|record| !is_verified_short(&audit, record)).collect();
    assert!(
        unread.is_empty(),
        "seed {seed}: {} records are missing, such as {:?}",
        unread.len(),
        unread.first()
    );
}

/// Reads with a reader that dies now and then, or that runs twice at once; returns how many runs it took.
async fn read_until_done(world: &World, dice: &mut Rng) -> u32 {
    for run in 1..=MOST_RUNS {
        let finished = match dice.u8(0..10) {
            0..3 => world.storage.kill_at(a_step(dice), dice.u32(1..12), a_moment(dice), world.run()).await,
            3 => Some(tokio::join!(world.run(), world.run()).0),
            _ => Some(world.run().await),
        };
        let is_clean = matches!(finished, Some(Ok(run)) if run.error.is_none());
        if is_clean && world.due().await == 0 {
            return run;
        }
        world.simulator.set_now(world.simulator.now() + TimeDelta::minutes(2));
    }
    MOST_RUNS + 1
}

fn a_step(dice: &mut Rng) -> Step {
    [Step::PutObject, Step::WriteLedger, Step::Read][dice.usize(0..3)]
}

fn a_moment(dice: &mut Rng) -> Moment {
    if dice.bool() { Moment::Before } else { Moment::After }
}

/// Whether two reads ended at the same place without an error, which is the one thing that no reader can see.
fn is_verified_short(audit: &entratrail_tests::audit::Audit, record: &graph_simulator::Served) -> bool {
    let covers = |row: &&serde_json::Value| {
        let instant = |name: &str| row[name].as_str().unwrap().parse::<DateTime<Utc>>().unwrap();
        instant("window_start") <= record.time && record.time < instant("window_end")
    };
    let newest = audit.complete_rows(record.stream).filter(covers).last();
    newest.is_some_and(|row| row["new"] == 0 && row["missing"] == 0)
}

fn tenant(seed: u64, dice: &mut Rng) -> String {
    let strength = dice.f64();
    let mut text = format!(
        r#"
name = "chaos {seed}"
seed = {seed}
clock = {{ now = "2026-11-23T01:15:00Z", speed = 600 }}
limits = {{ largest_page = {page}, token_lifetime_seconds = {lifetime} }}
collect.environment = {{ HISTORY_DAYS = "4", WINDOW_MINUTES = "{window}", TARGET_RECORDS = "{target}" }}
"#,
        page = dice.u32(4..40),
        lifetime = dice.u32(60..3600),
        window = [1440, 720, 360][dice.usize(0..3)],
        target = dice.u32(10..100),
    );
    for stream in ["interactiveUser", "nonInteractiveUser", "servicePrincipal", "managedIdentity"] {
        let per_day = dice.u32(0..40);
        let _ = write!(
            text,
            r#"
[[volume]]
stream = "{stream}"
from_day = -3
to_day = 2
per_day = {per_day}
late = {{ share = 0.1, up_to_minutes = 120 }}
changed = {{ share = 0.05, after_minutes = 90 }}
risk_copies = 0.03
repeated = 0.05
split_by_policy = 0.03
"#
        );
    }
    text.push_str("[faults]\nrates = { ");
    let rates: Vec<_> =
        FAULTS.iter().map(|(kind, most)| format!("{kind} = {:.4}", most * strength * dice.f64())).collect();
    text + &rates.join(", ") + " }\n"
}

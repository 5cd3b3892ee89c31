//! Two hundred tenants whose Graph fails in every way at once, and whose reader is killed at
//! random. The variable `CHAOS_SEED` plays a single one of them, `CHAOS_SEEDS` so many. Every run
//! signs the history of the ledger.

use crate::draw;
use chrono::{DateTime, Days, TimeDelta, Utc};
use entratrail::collector::Run;
use entratrail::error::Error;
use entratrail_tests::audit::Audit;
use entratrail_tests::folder::kill_after;
use entratrail_tests::simulated_time::block_on;
use entratrail_tests::storage::{Moment, Point, Step};
use entratrail_tests::world::World;
use fastrand::Rng;
use graph_simulator::{Faults, Scenario};
use std::collections::HashSet;
use std::fmt::Write as _;
use std::ops::RangeInclusive;

/// Seeds that are played.
const SEEDS: u64 = 40;
/// Seeds that are played with a folder in place of the bucket.
const SEEDS_IN_FOLDER: u64 = 20;
/// Seeds that are played at once.
const AT_ONCE: u64 = 2;
/// Runs after which a day must be complete.
const MOST_RUNS: u32 = 60;

/// Share of the requests that fail at most.
const MOST_FAULTS: f64 = 0.3;

#[test]
fn nothing_is_lost_or_stored_twice_in_runs_of_random_faults() {
    live_through_all(SEEDS, World::start);
}

#[test]
fn a_folder_keeps_what_a_bucket_keeps() {
    live_through_all(SEEDS_IN_FOLDER, World::start_in_folder);
}

/// Plays `seeds` seeds, each in a world that `start` makes.
fn live_through_all<W>(seeds: u64, start: impl Fn(Scenario) -> W + Copy + Send)
where
    W: Future<Output = World>,
{
    if let Ok(seed) = std::env::var("CHAOS_SEED") {
        return block_on(live_through(seed.parse().unwrap(), start));
    }
    let seeds = std::env::var("CHAOS_SEEDS").map_or(seeds, |seeds| seeds.parse().unwrap());
    std::thread::scope(|threads| {
        for first in 0..AT_ONCE {
            threads.spawn(move || {
                let seeds = (first..seeds).step_by(usize::try_from(AT_ONCE).unwrap());
                seeds.for_each(|seed| block_on(live_through(seed, start)));
            });
        }
    });
}

/// A tenant, and the spans in which two readers were at work on it.
struct Life {
    seed: u64,
    world: World,
    meetings: Vec<RangeInclusive<DateTime<Utc>>>,
}

/// Three simulated days in the life of a tenant.
async fn live_through<W: Future<Output = World>>(seed: u64, start: impl Fn(Scenario) -> W) {
    let mut dice = Rng::with_seed(seed);
    let mut world = start(Scenario::from_toml(&tenant(seed, &mut dice)).unwrap()).await;
    world.sign();
    let mut life = Life { seed, world, meetings: Vec::new() };
    let first: DateTime<Utc> = "2026-11-23T01:15:00Z".parse().unwrap();
    for day in 0..3 {
        life.world.simulator.set_now(first + Days::new(day));
        life.read_until_done(&mut dice).await;
        life.audit().await;
    }
    // Once Graph behaves, one more day finds what a read without its last pages had missed.
    life.world.simulator.set_faults(Faults::default());
    for day in 3..5 {
        life.world.simulator.set_now(first + Days::new(day));
        life.world.run_until_done().await;
    }
    let audit = life.audit().await;
    let mut unread = life.world.unread(&audit).filter(|record| !is_verified_short(&audit, record));
    assert!(unread.next().is_none(), "seed {seed}: {} records are missing", unread.count() + 1);
    let (signed, check) = life.world.signed_log().await.unwrap();
    assert_eq!((check.problems, check.pending), (vec![], 0), "seed {seed}");
    assert!(signed.tree.size > 0, "seed {seed}");
}

impl Life {
    /// Reads with a reader that dies now and then, or that runs twice at once.
    async fn read_until_done(&mut self, dice: &mut Rng) {
        let world = &self.world;
        let mut last = String::new();
        for _ in 0..MOST_RUNS {
            let started = world.simulator.now();
            let finished = match dice.u8(0..10) {
                0..3 if world.is_in_folder() => kill_after(dice.u32(1..200), world.run()).await,
                0..3 => {
                    let (step, nth, moment) = (a_step(dice), dice.u32(1..12), a_moment(dice));
                    world.storage.kill_at(Point { step, nth, moment }, world.run()).await
                }
                3 => {
                    let (one, other) = tokio::join!(world.run(), world.run());
                    self.assert_no_alarm(&other);
                    self.meetings.push(started..=world.simulator.now());
                    Some(one)
                }
                _ => Some(world.run().await),
            };
            last = format!("{:?}", finished.as_ref().map(|run| run.as_ref().map(|run| &run.error)));
            if let Some(run) = &finished {
                self.assert_no_alarm(run);
            }
            let is_clean = matches!(finished, Some(Ok(run)) if run.error.is_none());
            if is_clean && world.due().await == 0 {
                return;
            }
            world.simulator.set_now(world.simulator.now() + TimeDelta::minutes(2));
        }
        panic!(
            "seed {}: {MOST_RUNS} runs were not enough; the last one ended with {last}",
            self.seed
        );
    }

    /// Nobody but honest runs writes here: whatever dies or meets, none of them may cry wolf.
    fn assert_no_alarm(&self, run: &Result<Run, Error>) {
        let evidence = run.as_ref().ok().and_then(|run| run.report.evidence.as_ref());
        let alarms = evidence.map(|evidence| evidence.alarms.clone()).unwrap_or_default();
        assert_eq!(alarms, [""; 0], "seed {}", self.seed);
    }

    /// The audit of the archive. Where two readers meet, only one of them may store what it was
    /// served: a version that is gone since is not expected. A record at the end of a window is
    /// left to the next window, whose read may have been a short one: it is expected once Graph
    /// behaves.
    async fn audit(&self) -> Audit {
        let current: HashSet<_> =
            self.world.visible().into_iter().map(|record| record.json).collect();
        let mut served = self.world.simulator.served();
        for record in &mut served {
            let may_end_a_window = record.time.timestamp() % 300 == 0;
            let is_gone = !current.contains(&record.json);
            let met = |at: &DateTime<Utc>| self.meetings.iter().any(|meeting| meeting.contains(at));
            record.served_at.retain(|at| !(may_end_a_window || is_gone && met(at)));
        }
        let audit = self.world.audit_against(&served).await;
        let problems = &audit.problems;
        assert!(
            problems.is_empty(),
            "seed {}: {:#?}",
            self.seed,
            &problems[..problems.len().min(5)]
        );
        audit
    }
}

fn a_step(dice: &mut Rng) -> Step {
    [Step::PutObject, Step::WriteTable, Step::WriteLedger, Step::Read][dice.usize(0..4)]
}

fn a_moment(dice: &mut Rng) -> Moment {
    if dice.bool() { Moment::Before } else { Moment::After }
}

/// Whether two reads ended at the same place without an error, which is the one thing that no
/// reader can see.
fn is_verified_short(audit: &Audit, record: &graph_simulator::Served) -> bool {
    let covers = |row: &&serde_json::Value| {
        let instant = |name: &str| row[name].as_str().unwrap().parse::<DateTime<Utc>>().unwrap();
        instant("window_start") <= record.time && record.time < instant("window_end")
    };
    let newest = audit.complete_rows(record.stream).filter(covers).last();
    newest.is_some_and(|row| row["new"] == 0 && row["missing"] == 0)
}

fn tenant(seed: u64, dice: &mut Rng) -> String {
    let mut streams =
        ["interactiveUser", "nonInteractiveUser", "servicePrincipal", "managedIdentity"];
    dice.shuffle(&mut streams);
    let streams = &streams[..dice.usize(1..=3)];
    let mut text = format!(
        r#"
name = "chaos {seed}"
seed = {seed}
clock = {{ now = "2026-11-23T01:15:00Z" }}
limits = {{ largest_page = {page}, token_lifetime_seconds = {lifetime} }}
collect.environment = {{ HISTORY_DAYS = "{history}", WINDOW_MINUTES = "{window}", TARGET_RECORDS = "{target}", SIGN_IN_EVENT_TYPES = "{types}" }}
"#,
        history = dice.u32(3..=4),
        types = streams.join(","),
        page = dice.u32(4..40),
        lifetime = dice.u32(60..3600),
        window = [1440, 720, 360][dice.usize(0..3)],
        target = dice.u32(10..100),
    );
    for stream in streams {
        let per_day = dice.u32(0..40);
        let _ = write!(
            text,
            r#"
[[volume]]
stream = "{stream}"
from_day = -1
to_day = 1
per_day = {per_day}
late = {{ share = 0.1, up_to_minutes = 120 }}
changed = {{ share = 0.05, after_minutes = 90 }}
risk_copies = 0.03
repeated = 0.05
split_by_policy = 0.03
"#
        );
    }
    text += &draw::writer(dice);
    text + &draw::rates(dice, MOST_FAULTS)
}

//! Whatever order, size and form Graph's answers have, and wherever its links end: what it served
//! throughout is stored. `ORDERS_SEEDS=500` plays so many seeds, `ORDERS_SEED=7` a single one.

use crate::draw;
use chrono::{DateTime, Days, Utc};
use entratrail::collector::Run;
use entratrail_tests::audit::Audit;
use entratrail_tests::check::Check;
use entratrail_tests::simulated_time::block_on;
use entratrail_tests::states::States;
use entratrail_tests::world::World;
use fastrand::Rng;
use graph_simulator::{Faults, Scenario};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

/// Seeds that are played unless told otherwise.
const SEEDS: u64 = 100;
/// Seeds that are played at once.
const AT_ONCE: u64 = 2;
/// Of so many seeds one has its archive judged by the script of the format's description as well.
const CHECKED: u64 = 25;

/// Days on which Graph misbehaves, counted from the first run.
const BAD_DAYS: [u64; 3] = [0, 1, 2];
/// Days after those with a run each: every window has its last look on one of them.
const GOOD_DAYS: [u64; 3] = [3, 4, 6];
/// Share of the requests that fail at most.
const MOST_FAULTS: f64 = 0.1;

#[test]
fn nothing_that_graph_serves_throughout_is_left_out_in_any_order() {
    if let Ok(seed) = std::env::var("ORDERS_SEED") {
        return block_on(live_through(seed.parse().unwrap()));
    }
    let seeds = std::env::var("ORDERS_SEEDS").map_or(SEEDS, |seeds| seeds.parse().unwrap());
    std::thread::scope(|threads| {
        for first in 0..AT_ONCE {
            threads.spawn(move || {
                let seeds = (first..seeds).step_by(usize::try_from(AT_ONCE).unwrap());
                seeds.for_each(|seed| block_on(live_through(seed)));
            });
        }
    });
}

/// A week in the life of a tenant.
async fn live_through(seed: u64) {
    let mut dice = Rng::with_seed(seed);
    let world =
        World::start_in_folder(Scenario::from_toml(&tenant(seed, &mut dice)).unwrap()).await;
    let first: DateTime<Utc> = "2026-11-23T04:15:00Z".parse().unwrap();
    for day in BAD_DAYS {
        world.simulator.set_now(first + Days::new(day));
        let run = world.run().await;
        judge(seed, &world, run.as_ref().ok()).await;
    }
    world.simulator.set_faults(Faults::default());
    for day in GOOD_DAYS {
        world.simulator.set_now(first + Days::new(day));
        let run = world.run_until_done().await;
        judge(seed, &world, Some(&run)).await;
    }
    let audit = audit(&world).await;
    let unread: Vec<_> = world.unread(&audit).collect();
    assert!(
        unread.is_empty(),
        "seed {seed}: {} records are missing: {:?}",
        unread.len(),
        unread[0]
    );
    if seed.is_multiple_of(CHECKED) {
        check_by_script(seed, &world, &audit);
    }
}

/// A tenant whose Graph serves in drawn order and sizes, without faults.
const MANY_AUDITS: &str = r#"
name = "audits of one day in pages of any size"
remember_chains = true
clock = { now = "2026-11-23T04:15:00Z" }
limits = { requests_per_10s = 0, page_latency_ms = 0 }
[collect]
log = "directory-audits"
environment = { HISTORY_DAYS = "2", GRAPH_REQUESTS_PER_10S = "10000" }
[[volume]]
stream = "directoryAudits"
from_day = -1
to_day = -1
"#;

/// Reads a day of `per_day` audits in `order` twice; a short page, of one record, is among the
/// pages.
async fn read_twice(per_day: u32, order: &str) {
    let paging =
        format!("per_day = {per_day}\n[[paging]]\norder = \"{order}\"\nsizes = [1, 999, 1000]\n");
    let world =
        World::start_in_folder(Scenario::from_toml(&(MANY_AUDITS.to_owned() + &paging)).unwrap())
            .await;
    for now in ["2026-11-23T04:15:00Z", "2026-11-24T04:15:00Z"] {
        world.simulator.set_now(now.parse().unwrap());
        assert!(world.run().await.unwrap().error.is_none());
    }
    let audit = world.audit().await;
    audit.assert_sound();
    assert_eq!(audit.record_count(), usize::try_from(per_day).unwrap(), "{order}");
    let day = "2026-11-22".parse().unwrap();
    let states = States::of(&audit, "directory-audits", day);
    assert!(
        states
            .windows()
            .into_iter()
            .all(|window| window.0.date_naive() != day || states.is_verified(window))
    );
}

#[tokio::test(start_paused = true)]
async fn a_day_of_22_351_audits_by_arrival_ends_with_22_351_in_the_archive() {
    read_twice(22_351, "arrival").await;
}

#[tokio::test(start_paused = true)]
async fn a_day_of_audits_is_whole_in_every_order() {
    for order in ["newest", "oldest", "id", "random", "changing"] {
        read_twice(3_100, order).await;
    }
}

#[tokio::test(start_paused = true)]
async fn another_writer_on_half_of_the_pages_is_no_change_of_a_record() {
    for log in ["sign-ins", "directory-audits"] {
        another_writer(log).await;
    }
}

/// Ten days; from the second one on another writer of JSON writes half of Graph's answers.
async fn another_writer(log: &str) {
    let stream = if log == "sign-ins" { "interactiveUser" } else { "directoryAudits" };
    let world = World::start_in_folder(Scenario::from_toml(&format!(
        r#"
name = "two writers"
clock = {{ now = "2026-11-13T04:15:00Z" }}
limits = {{ requests_per_10s = 0, page_latency_ms = 0, largest_page = 20 }}
[collect]
log = "{log}"
environment = {{ HISTORY_DAYS = "5", GRAPH_REQUESTS_PER_10S = "10000", SIGN_IN_EVENT_TYPES = "interactiveUser" }}
[[volume]]
stream = "{stream}"
from_day = -5
to_day = 10
per_day = 60
[writer]
share = 0.5
from_day = 1
"#
    )).unwrap()).await;
    let first: DateTime<Utc> = "2026-11-13T04:15:00Z".parse().unwrap();
    for day in 0..10 {
        world.simulator.set_now(first + Days::new(day));
        assert!(world.run().await.unwrap().error.is_none());
    }
    let audit = world.audit().await;
    audit.assert_sound();
    let stream = &world.streams()[0];
    let oldest_day = first.date_naive() - Days::new(5);
    let states = States::of(&audit, stream, oldest_day);
    // The newest day was read once, and the oldest left the history after its first read.
    let mut closed = states.windows();
    closed.retain(|window| window.0 > first - Days::new(4) && window.1 < first + Days::new(8));
    assert!(closed.len() >= 10);
    for window in closed {
        assert_eq!(states.state(window), "verified", "{log} {window:?}");
    }
    assert!(audit.complete_rows(stream).all(|row| row["read"] == 1 || row["new"] == 0));
}

/// Asserts that hold after every run.
async fn judge(seed: u64, world: &World, run: Option<&Run>) {
    let audit = audit(world).await;
    let problems = &audit.problems;
    assert!(problems.is_empty(), "seed {seed}: {:#?}", &problems[..problems.len().min(5)]);
    let streams = world.streams();
    let states = |stream: &String| (stream.clone(), States::of(&audit, stream, oldest_day(world)));
    let states: BTreeMap<_, _> = streams.iter().map(states).collect();
    for window in
        run.into_iter().flat_map(|run| &run.report.windows).filter(|window| !window.has_failed())
    {
        let states = &states[window.stream];
        let state = states.state((window.start, window.end));
        assert_eq!(
            window.state.word() == "verified",
            state == "verified",
            "seed {seed}: {window:?}"
        );
    }
}

/// The audit against what every whole chain held, and against records that nobody served.
async fn audit(world: &World) -> Audit {
    let mut served = world.simulator.served();
    for record in &mut served {
        record.served_at.clear();
    }
    world.audit_against(&served).await
}

/// The script finds the archive sound, and the same windows verified.
fn check_by_script(seed: u64, world: &World, audit: &Audit) {
    let check = Check::of(&world.folder().unwrap().path(), world.simulator.now());
    assert!(check.problems.is_empty(), "seed {seed}: {:#?}", check.problems);
    let mut verified = BTreeSet::new();
    for stream in world.streams() {
        let states = States::of(audit, &stream, oldest_day(world));
        let windows = states.windows().into_iter().filter(|window| states.is_verified(*window));
        verified.extend(windows.map(|(start, end)| (stream.clone(), start, end)));
    }
    assert!(!verified.is_empty(), "seed {seed}");
    assert_eq!(check.windows_that_are("verified"), verified, "seed {seed}");
}

fn oldest_day(world: &World) -> chrono::NaiveDate {
    world.simulator.now().date_naive() - Days::new(6)
}

fn tenant(seed: u64, dice: &mut Rng) -> String {
    let mut streams =
        vec!["interactiveUser", "nonInteractiveUser", "servicePrincipal", "managedIdentity"];
    dice.shuffle(&mut streams);
    streams.truncate(dice.usize(1..=2));
    let is_audits = dice.bool();
    let log = if is_audits { "directory-audits" } else { "sign-ins" };
    let types = streams.join(",");
    if is_audits {
        streams = vec!["directoryAudits"];
    }
    let mut text = format!(
        r#"
name = "orders {seed}"
seed = {seed}
remember_chains = true
clock = {{ now = "2026-11-23T04:15:00Z" }}
limits = {{ largest_page = {page}, requests_per_10s = 0, page_latency_ms = {latency} }}
[collect]
log = "{log}"
environment = {{ HISTORY_DAYS = "6", LAST_LOOK_DAYS = "4", GRAPH_REQUESTS_PER_10S = "10000", WINDOW_MINUTES = "{window}", TARGET_RECORDS = "{target}", SIGN_IN_EVENT_TYPES = "{types}" }}
"#,
        page = dice.u32(3..12),
        latency = draw::one_of(dice, &[0, 20, 200]),
        window = draw::one_of(dice, &[1440, 1440, 1440, 360]),
        target = if dice.u8(0..50) == 0 { 20 } else { 50_000 },
    );
    for stream in streams {
        let (per_day, shape) = (
            draw::one_of(dice, &[0, 3, 12, 40]),
            draw::one_of(dice, &["office", "even", "burst", "shifted"]),
        );
        let shifts = if shape == "shifted" { "shift_hours = [0, 8, 16]\n" } else { "" };
        let _ = write!(
            text,
            r#"
[[volume]]
stream = "{stream}"
shape = "{shape}"
{shifts}from_day = -2
to_day = 1
per_day = {per_day}
late_by_hours = {{ share = 0.1, from = 1, up_to = 30 }}
changed = {{ share = 0.05, after_minutes = 300 }}
repeated = 0.05
"#
        );
        if !is_audits {
            text += "risk_copies = 0.03\n";
        }
        text += &draw::odd(dice, stream, -2..2);
    }
    text += &draw::paging(dice);
    text += &draw::writer(dice);
    text += &draw::rates(dice, MOST_FAULTS);
    text + &draw::chain_faults(dice)
}

//! Sixty days in the lives of tenants, with a run each day: what alarms, and what is stored in the
//! end. `WORLDS_SEED` plays a single seed of each.

use chrono::{DateTime, Days, TimeDelta, Utc};
use entratrail_tests::simulated_time::block_on;
use entratrail_tests::states::States;
use entratrail_tests::world::World;
use fastrand::Rng;
use graph_simulator::{CompletedChain, Scenario, Served};
use std::collections::BTreeSet;

/// Seeds of each kind of tenant; `WORLDS_SEEDS` asks for more.
const SEEDS: u64 = 2;
/// Days with a run.
const DAYS: u64 = 60;
/// Days that a reader without settings looks back.
const HISTORY_DAYS: u64 = 30;
/// Hours after which an unverified window is called open for too long.
const TOO_LONG: i64 = 5 * 24;

/// A kind of tenant.
#[derive(Debug, Default, Clone, Copy)]
struct Kind {
    name: &'static str,
    audits: bool,
    tenant: &'static str,
    volume: &'static str,
    faults: &'static str,
    /// Days without a run.
    outage: Option<(u64, u64)>,
    /// Days whose reads may be short: what they leave unproved may alarm.
    short: Option<(i64, i64)>,
}

/// Few records, early enough, on all days.
const BUSY: &str = "per_day = 6\nfrom_day = -30\nto_day = 60\n";
const QUIET: &str = "per_day = 1\nevery_days = 10\nfrom_day = -30\nto_day = 60\n";
const LATE: &str = "per_day = 5\nfrom_day = -30\nto_day = 60\nlate_by_hours = { share = 0.1, from \
                    = 24, up_to = 96 }\n";

#[test]
fn a_busy_tenant_with_p1_has_green_months() {
    play(Kind { name: "busy", volume: BUSY, ..Kind::default() });
}

#[test]
fn a_quiet_tenant_with_p1_has_green_months() {
    play(Kind { name: "quiet", volume: QUIET, ..Kind::default() });
}

#[test]
fn the_audits_of_a_free_tenant_are_green_with_the_default_settings() {
    play(Kind {
        name: "free",
        audits: true,
        volume: BUSY,
        tenant: "licence = \"Free\"\n",
        ..Kind::default()
    });
}

#[test]
fn a_brand_new_tenant_is_green() {
    let volume = "per_day = 5\nfrom_day = -1\nto_day = 60\n";
    play(Kind { name: "new", audits: true, volume, ..Kind::default() });
}

#[test]
fn a_retention_a_little_shorter_than_promised_alarms_nobody() {
    for tenant in ["retention_days = 7.0\n", "retention_days = 29.5\n"] {
        play(Kind { name: "short retention", volume: BUSY, tenant, ..Kind::default() });
    }
}

#[test]
fn records_that_come_one_to_four_days_late_are_stored() {
    play(Kind { name: "late", audits: true, volume: LATE, ..Kind::default() });
}

#[test]
fn an_outage_of_twelve_days_is_made_up_for() {
    play(Kind { name: "outage", volume: LATE, outage: Some((20, 32)), ..Kind::default() });
}

#[test]
fn reads_that_end_early_leave_nothing_out_for_good() {
    let faults =
        "[[faults.chain]]\nkind = \"ends_early\"\nshare = 0.4\nafter = 1\ndays = [10, 40]\n";
    play(Kind {
        name: "short reads",
        audits: true,
        volume: LATE,
        faults,
        short: Some((5, 50)),
        ..Kind::default()
    });
}

fn play(kind: Kind) {
    if let Ok(seed) = std::env::var("WORLDS_SEED") {
        return block_on(live_through(kind, seed.parse().unwrap()));
    }
    let seeds = std::env::var("WORLDS_SEEDS").map_or(SEEDS, |seeds| seeds.parse().unwrap());
    (0..seeds).for_each(|seed| block_on(live_through(kind, seed)));
}

async fn live_through(kind: Kind, seed: u64) {
    let name = kind.name;
    let world = World::start_in_folder(Scenario::from_toml(&tenant(kind, seed)).unwrap()).await;
    let first: DateTime<Utc> = "2026-09-01T04:15:00Z".parse().unwrap();
    let mut alarms = BTreeSet::new();
    for day in 0..DAYS {
        if kind.outage.is_some_and(|(from, to)| (from..to).contains(&day)) {
            continue;
        }
        world.simulator.set_now(first + Days::new(day));
        let run = world.run().await.unwrap();
        assert!(run.error.is_none(), "{name}, seed {seed}, day {day}: {:?}", run.error);
        let hours = run.vitals.oldest_unverified_hours.unwrap_or_default();
        if hours > TOO_LONG {
            alarms.insert(day);
        }
        if run.report.expired_windows() > 0 {
            alarms.insert(day);
        }
    }
    let audit = world.audit().await;
    audit.assert_sound();
    // Younger windows have their last look before them.
    let looked_at = world.simulator.now() - TimeDelta::days(7);
    let chains = world.simulator.chains();
    let is_owed =
        |record: &Served| record.time < looked_at && !was_last_read_short(record, &chains);
    let unread: Vec<_> = world.unread(&audit).filter(is_owed).collect();
    assert!(
        unread.is_empty(),
        "{name}, seed {seed}: {} are missing: {:?}",
        unread.len(),
        unread.first()
    );
    let allowed = |day: &u64| {
        let of_outage = kind.outage.is_some_and(|(from, to)| (from..to + 5).contains(day));
        let of_short = kind
            .short
            .is_some_and(|(from, to)| (from..=to).contains(&i64::try_from(*day).unwrap()));
        of_outage || of_short
    };
    let strange: Vec<_> = alarms.iter().filter(|day| !allowed(day)).collect();
    assert!(strange.is_empty(), "{name}, seed {seed}: alarms on days {strange:?}");
    check_end(kind, seed, &world, &audit);
}

/// Whether the last chain over the time of that record ended early, as Graph shows to nobody. Where
/// the reads before it ended at the same place, no reader can know of more.
fn was_last_read_short(record: &Served, chains: &[CompletedChain]) -> bool {
    let held = |chain: &&CompletedChain| {
        chain.from.is_none_or(|from| from <= record.time)
            && chain.to.is_none_or(|to| record.time <= to)
    };
    chains.iter().rfind(held).is_some_and(|chain| chain.ended_early)
}

/// In the end every closed window is verified, but those that Graph may have been dropping when the
/// archive began.
fn check_end(kind: Kind, seed: u64, world: &World, audit: &entratrail_tests::audit::Audit) {
    let now = world.simulator.now();
    let oldest_day = now.date_naive() - Days::new(HISTORY_DAYS);
    for stream in world.streams() {
        let states = States::of(audit, &stream, oldest_day);
        for window in states.windows().into_iter().filter(|window| window.1 + Days::new(10) < now) {
            let state = states.state(window);
            let is_right = ["verified", "before"].contains(&state);
            assert!(
                is_right || kind.short.is_some(),
                "{}, seed {seed}: {window:?} is {state}",
                kind.name
            );
        }
    }
}

fn tenant(kind: Kind, seed: u64) -> String {
    let mut dice = Rng::with_seed(seed);
    let Kind { name, audits, tenant, volume, faults, .. } = kind;
    let (log, stream) = if audits {
        ("directory-audits", "directoryAudits")
    } else {
        ("sign-ins", "interactiveUser")
    };
    let page = dice.u32(2..30);
    let remember_chains = kind.short.is_some();
    format!(
        r#"
name = "{name} {seed}"
seed = {seed}
remember_chains = {remember_chains}
clock = {{ now = "2026-09-01T04:15:00Z" }}
limits = {{ largest_page = {page}, requests_per_10s = 0, page_latency_ms = 0 }}
[tenant]
{tenant}
[collect]
log = "{log}"
environment = {{ GRAPH_REQUESTS_PER_10S = "10000", SIGN_IN_EVENT_TYPES = "interactiveUser" }}
[[volume]]
stream = "{stream}"
{volume}
{faults}
"#
    )
}

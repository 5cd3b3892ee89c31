//! Each daily run holds the archive against its ledgers, and makes tables again.

use chrono::{DateTime, TimeDelta, Utc};
use entratrail_tests::tables::table_key;
use entratrail_tests::world::World;
use graph_simulator::Scenario;
use serde_json::Value;

const TENANT: &str = r#"
name = "audits of three months"
clock = { now = "2026-09-01T01:15:00Z" }
[limits]
requests_per_10s = 0
[[volume]]
stream = "directoryAudits"
from_day = -2
to_day = 92
per_day = 20
[collect]
log = "directory-audits"
environment = { HISTORY_DAYS = "3", GRAPH_REQUESTS_PER_10S = "10000" }
"#;

/// An archive of three days, in a bucket and in a folder.
async fn worlds() -> [World; 2] {
    let scenario = || Scenario::from_toml(TENANT).unwrap();
    let worlds = [World::start(scenario()).await, World::start_in_folder(scenario()).await];
    for world in &worlds {
        world.run_until_done().await;
    }
    worlds
}

async fn raw_key(world: &World, day: &str) -> String {
    let objects = world.objects().await;
    objects.into_keys().find(|key| key.starts_with("raw/") && key.contains(day)).unwrap()
}

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

/// Runs daily until one names something, and returns the number of runs and what that one said.
async fn days_until_it_is_named(world: &World, name: &str) -> (u32, String) {
    for run in 1..=40 {
        world.simulator.set_now(world.simulator.now() + TimeDelta::days(1));
        let ended = world.run().await.unwrap();
        let said = ended.report.damaged.iter().find(|sentence| sentence.contains(name));
        if let Some(said) = said {
            return (run, said.clone());
        }
        assert!(ended.error.is_none(), "{:?}", ended.error);
    }
    panic!("{name} was not named in forty days");
}

#[tokio::test(start_paused = true)]
async fn a_table_that_is_gone_exchanged_or_damaged_is_made_again_by_the_next_run() {
    for world in worlds().await {
        let raw = raw_key(&world, "day=2026-08-31").await;
        let key = table_key(&raw);
        let neighbour = table_key(&raw_key(&world, "day=2026-08-30").await);
        let before = world.objects().await;
        let mut flipped = before[&key].clone();
        flipped[200] ^= 1;
        for damage in [None, Some(before[&neighbour].clone()), Some(flipped)] {
            match damage {
                None => world.remove(&key).await,
                Some(body) => world.put(&key, &body).await,
            }
            let run = world.run().await.unwrap();
            assert!(run.error.is_none(), "{:?}", run.error);
            assert_eq!(run.report.remade_tables, [key.as_str()], "{:?}", run.report.damaged);
            assert_eq!(world.objects().await[&key], before[&key]);
        }
        assert_eq!(world.run().await.unwrap().report.remade_tables, Vec::<String>::new());
        world.audit().await.assert_sound();
    }
}

#[tokio::test(start_paused = true)]
async fn an_object_of_an_old_day_that_is_gone_or_exchanged_is_named_within_thirty_days() {
    for world in worlds().await {
        let raw = raw_key(&world, "day=2026-08-31").await;
        let neighbour = world.objects().await[&raw_key(&world, "day=2026-08-30").await].clone();
        let own = world.objects().await[&raw].clone();
        world.simulator.set_now(at("2026-09-10T01:15:00Z"));
        world.run().await.unwrap();

        world.put(&raw, &neighbour).await;
        let (days, said) = days_until_it_is_named(&world, &raw).await;
        assert!(days <= 30 && said.contains("its SHA-256 differs"), "{days}: {said}");
        world.put(&raw, &own).await;

        world.remove(&raw).await;
        let (days, said) = days_until_it_is_named(&world, &raw).await;
        assert!(days <= 30 && said.contains("is gone"), "{days}: {said}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_table_of_an_old_day_is_made_again_within_thirty_days() {
    for world in worlds().await {
        let key = table_key(&raw_key(&world, "day=2026-08-31").await);
        let before = world.objects().await[&key].clone();
        world.simulator.set_now(at("2026-09-10T01:15:00Z"));
        world.run().await.unwrap();
        world.remove(&key).await;
        let mut remade = Vec::new();
        for _ in 0..30 {
            world.simulator.set_now(world.simulator.now() + TimeDelta::days(1));
            let run = world.run().await.unwrap();
            assert!(run.error.is_none(), "{:?}", run.error);
            remade.extend(run.report.remade_tables);
        }
        assert_eq!(remade, [key.as_str()]);
        assert_eq!(world.objects().await[&key], before);
    }
}

#[tokio::test(start_paused = true)]
async fn a_lost_ledger_of_an_old_day_is_made_again_and_named() {
    for (world, lost_on) in
        worlds().await.into_iter().zip(["2026-09-10T01:15:00Z", "2026-11-10T01:15:00Z"])
    {
        let key = "ledger/directory-audits/day=2026-08-31.ndjson";
        world.simulator.set_now(at(lost_on));
        world.run().await.unwrap();
        world.remove(key).await;
        let (days, said) = days_until_it_is_named(&world, key).await;
        assert!(days <= 30 && said.contains("lacked the entry"), "{days}: {said}");
        let ledger = world.objects().await[key].clone();
        let row: Value =
            serde_json::from_slice(ledger.split(|byte| *byte == b'\n').next().unwrap()).unwrap();
        assert!(row["error"].as_str().unwrap().contains("from the raw object alone"), "{row}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_archive_that_nobody_touched_is_never_found_damaged() {
    for world in worlds().await {
        for _ in 0..32 {
            world.simulator.set_now(world.simulator.now() + TimeDelta::days(1));
            let run = world.run().await.unwrap();
            assert!(run.error.is_none(), "{:?}", run.error);
            assert_eq!((run.report.damaged.len(), run.report.remade_tables.len()), (0, 0));
        }
    }
}

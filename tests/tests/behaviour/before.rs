//! An archive that version 0.1.0 made (`archives/0.1.0`): four runs of the tenant beside it. Its
//! rows have no `format`, and from the second day on it took records that another JSON writer wrote
//! for other records.

use chrono::{DateTime, Days, Utc};
use entratrail_tests::audit::{Audit, canonical};
use entratrail_tests::check::Check;
use entratrail_tests::folder::Folder;
use entratrail_tests::simulated_time::block_on;
use entratrail_tests::world::World;
use graph_simulator::Scenario;
use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader};
use std::path::Path;

/// Days that the archive is gone on with.
const DAYS: u64 = 10;

#[test]
fn an_archive_of_version_0_1_0_is_gone_on_with_and_raises_no_alarm() {
    block_on(go_on());
}

async fn go_on() {
    let archives = Path::new(env!("CARGO_MANIFEST_DIR")).join("archives/0.1.0");
    let scenario = Scenario::read(archives.join("tenant.toml")).unwrap();
    let world = World::start_in_folder(scenario).await;
    let folder = world.folder().unwrap();
    folder.unpack(&archives.join("archive.tar.gz"));
    let before = folder.objects();
    check(&world);
    let first: DateTime<Utc> = "2026-11-27T01:15:00Z".parse().unwrap();
    for day in 0..DAYS {
        world.simulator.set_now(first + Days::new(day));
        let run = world.run().await.unwrap();
        assert!(run.error.is_none(), "day {day}: {:?}", run.error);
        assert_eq!(run.report.expired_windows(), 0, "day {day}");
        let hours = run.vitals.oldest_unverified_hours.unwrap();
        assert!(hours <= 120, "day {day}: {hours} hours unverified");
    }
    check(&world);
    let after = folder.objects();
    for (key, body) in before.iter().filter(|(key, _)| !key.starts_with("tables/")) {
        assert!(after[key].starts_with(body), "{key} was not carried byte for byte");
    }
    assert_nothing_is_doubled_anew(folder, &before.keys().cloned().collect());
    let audit = Audit::of(&folder.objects());
    let unread: Vec<_> = world.unread(&audit).collect();
    assert!(unread.is_empty(), "{} records are missing", unread.len());
}

/// The script of the format's description finds nothing wrong.
fn check(world: &World) {
    let check = Check::of(&world.folder().unwrap().path(), world.simulator.now());
    assert!(check.problems.is_empty(), "{:#?}", check.problems);
}

/// The lines that the old version told apart stay; no version joins the archive for the second
/// time.
fn assert_nothing_is_doubled_anew(folder: &Folder, before: &BTreeSet<String>) {
    let objects = folder.objects();
    let raw = objects.iter().filter(|(key, _)| key.starts_with("raw/"));
    let (old, new): (Vec<_>, Vec<_>) = raw.partition(|(key, _)| before.contains(*key));
    let mut known = BTreeSet::new();
    let mut doubled = 0;
    for (key, body) in old.into_iter().chain(new) {
        for line in BufReader::new(flate2::read::MultiGzDecoder::new(&body[..])).lines() {
            let is_new = known.insert(canonical(&line.unwrap()));
            assert!(is_new || before.contains(key), "{key} holds a version that was stored before");
            doubled += u32::from(!is_new);
        }
    }
    assert!(doubled > 0, "the archive of before holds no doubled line");
}

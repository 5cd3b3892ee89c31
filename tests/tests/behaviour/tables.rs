//! Typed tables: every raw record is a row, whatever Graph serves, and a table can always be made
//! again.

use chrono::{DateTime, Utc};
use entratrail::archive::Archive;
use entratrail::clock::Clock;
use entratrail::log::{Log, Stream};
use entratrail_tests::tables::{expected, held, open, records, row_count, rows, table_key};
use entratrail_tests::world::World;
use graph_simulator::Scenario;
use parquet::file::metadata::{ColumnChunkMetaData, RowGroupMetaData};
use parquet::file::reader::FileReader as _;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// All kinds of sign-ins, all incidents.
const SIGN_INS: &str = r#"
name = "a tenant with tables"
clock = { now = "2026-11-23T01:15:00Z" }
[limits]
requests_per_10s = 0
largest_page = 100
[[volume]]
stream = "interactiveUser"
from_day = -2
to_day = -1
per_day = 400
risk_copies = 0.1
split_by_policy = 0.1
changed = { share = 0.1, after_minutes = 600 }
[[volume]]
stream = "nonInteractiveUser"
from_day = -1
to_day = -1
per_day = 300
[[volume]]
stream = "servicePrincipal"
from_day = -1
to_day = -1
per_day = 300
[[volume]]
stream = "managedIdentity"
from_day = -1
to_day = -1
per_day = 300
[collect.environment]
GRAPH_REQUESTS_PER_10S = "10000"
HISTORY_DAYS = "4"
"#;

const AUDITS: &str = r#"
name = "a tenant with tables"
clock = { now = "2026-11-23T01:15:00Z" }
[limits]
requests_per_10s = 0
largest_page = 100
[[volume]]
stream = "directoryAudits"
from_day = -2
to_day = -1
per_day = 600
[collect]
log = "directory-audits"
environment = { HISTORY_DAYS = "4", GRAPH_REQUESTS_PER_10S = "10000" }
"#;

/// The tenant of [`AUDITS`] with provisioning records in their place.
fn provisioning() -> String {
    AUDITS
        .replace("directoryAudits", "provisioning")
        .replace("directory-audits", "provisioning")
        .replace("per_day = 600", "per_day = 300")
}

type Objects = BTreeMap<String, Vec<u8>>;

fn of_kind<'a>(
    objects: &'a Objects,
    folder: &'a str,
) -> impl Iterator<Item = (&'a String, &'a Vec<u8>)> {
    objects.iter().filter(move |(key, _)| key.starts_with(folder))
}

/// Holds every table against its raw object, and returns the paths that are filled.
fn check_against_raw(objects: &Objects) -> BTreeSet<String> {
    let mut filled = BTreeSet::new();
    for (key, raw) in of_kind(objects, "raw/") {
        let (records, rows) = (records(raw).unwrap(), rows(&objects[&table_key(key)]).unwrap());
        assert_eq!(records.len(), rows.len(), "{key}");
        for (record, row) in records.iter().zip(&rows) {
            assert_eq!(row["other"], Value::Null, "{key}: {}", record["id"]);
            assert_eq!(held(row), expected(record), "{key}");
            add_paths("", &held(row), &mut filled);
        }
    }
    filled
}

fn add_paths(path: &str, value: &Value, paths: &mut BTreeSet<String>) {
    match value {
        Value::Object(members) => {
            for (key, value) in members {
                add_paths(&format!("{path}.{key}"), value, paths);
            }
        }
        Value::Array(elements) => {
            for element in elements {
                add_paths(&format!("{path}[]"), element, paths);
            }
        }
        _ => drop(paths.insert(path.to_owned())),
    }
}

#[tokio::test(start_paused = true)]
async fn every_field_of_every_record_is_in_its_column() {
    for (scenario, filled_at_least) in [(SIGN_INS, 100), (AUDITS, 20), (&provisioning(), 40)] {
        let world = World::of(scenario).await;
        let run = world.run_until_done().await;
        assert_eq!(run.report.unexpected_fields, 0);
        let filled = check_against_raw(&world.storage.objects().await);
        assert!(filled.len() >= filled_at_least, "{} paths: {filled:?}", filled.len());
    }
}

#[tokio::test(start_paused = true)]
async fn a_row_says_when_and_which_version_was_first_seen() {
    let world = World::of(SIGN_INS).await;
    world.run_until_done().await;
    world.simulator.set_now("2026-11-24T01:15:00Z".parse().unwrap());
    world.run_until_done().await;
    let (audit, objects) = (world.audit().await, world.storage.objects().await);
    let mut hashes = BTreeSet::new();
    for row in audit.complete_rows("interactiveUser").filter(|row| row["key"].is_string()) {
        let started_at: DateTime<Utc> = row["started_at"].as_str().unwrap().parse().unwrap();
        for version in rows(&objects[&table_key(row["key"].as_str().unwrap())]).unwrap() {
            let shown = started_at.format("%Y-%m-%d %H:%M:%S%.3f %:z").to_string();
            assert_eq!(version["first_seen"], shown);
            assert!(hashes.insert(version["content_hash"].as_str().unwrap().to_owned()));
        }
    }
    assert_eq!(hashes.len(), audit.versions["interactiveUser"].len());
}

/// Serves pages with something odd in every record, and returns the rows that show it and the
/// report's count.
async fn odd_rows(scenario: &str, kind: &str) -> (Vec<Value>, u64) {
    let world = World::of(&format!(
        "{scenario}\n[[faults.script]]\nkind = '{kind}'\nnth = 1\ntimes = 1000"
    ))
    .await;
    let run = world.run_until_done().await;
    world.audit().await.assert_sound();
    let objects = world.storage.objects().await;
    let rows = of_kind(&objects, "tables/").flat_map(|(_, body)| rows(body).unwrap());
    (rows.filter(|row| !row["other"].is_null()).collect(), run.report.unexpected_fields)
}

fn other(row: &Value) -> Value {
    row["other"].as_str().unwrap().parse().unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_field_of_another_type_is_null_kept_in_other_and_counted() {
    let (rows, counted) = odd_rows(SIGN_INS, "type_flip").await;
    assert!(!rows.is_empty() && counted == rows.len() as u64);
    for row in rows {
        assert_eq!((&row["status"], other(&row)), (&Value::Null, json!({"status": "Success"})));
    }
    let (rows, counted) = odd_rows(AUDITS, "type_flip").await;
    assert!(!rows.is_empty() && counted == rows.len() as u64);
    for row in rows {
        let initiator = json!({"initiatedBy": "Microsoft Graph"});
        assert_eq!((&row["initiated_by"], other(&row)), (&Value::Null, initiator));
    }
}

#[tokio::test(start_paused = true)]
async fn a_field_of_tomorrow_is_kept_in_other_and_counted() {
    for scenario in [SIGN_INS, AUDITS] {
        let (rows, counted) = odd_rows(scenario, "unknown_field").await;
        assert!(!rows.is_empty() && counted == rows.len() as u64);
        for row in rows {
            let score = json!({"passwordlessScore2027": {"value": 0.5, "notes": ["new", null]}});
            assert_eq!(other(&row), score);
        }
    }
}

/// Bytes of these columns and of the footer, which is all that a query of them reads.
fn bytes_to_scan(body: &[u8], columns: [&str; 3]) -> i64 {
    let file = open(body).unwrap();
    let groups = file.metadata().row_groups().iter();
    let chunks = groups
        .flat_map(RowGroupMetaData::columns)
        .filter(|chunk| columns.contains(&chunk.column_path().string().as_str()));
    let footer = u32::from_le_bytes(body[body.len() - 8..body.len() - 4].try_into().unwrap());
    chunks.map(ColumnChunkMetaData::compressed_size).sum::<i64>() + i64::from(footer)
}

#[tokio::test(start_paused = true)]
async fn three_columns_of_a_day_are_a_twentieth_of_its_raw_objects() {
    let world = World::of(&SIGN_INS.replace("per_day = 300", "per_day = 3000")).await;
    world.run_until_done().await;
    let objects = world.storage.objects().await;
    for (key, raw) in of_kind(&objects, "raw/").filter(|(key, _)| !key.contains("interactiveUser"))
    {
        for columns in [
            ["created_date_time", "user_principal_name", "status.error_code"],
            ["created_date_time", "ip_address", "location.country_or_region"],
        ] {
            let scanned = bytes_to_scan(&objects[&table_key(key)], columns);
            assert!(
                scanned * 20 <= i64::try_from(raw.len()).unwrap(),
                "{key}: {scanned} of {}",
                raw.len()
            );
        }
    }
}

/// Makes every table again that the ledger has on record.
async fn rebuild(archive: &Archive, log: Log) {
    for stream in Stream::all().into_iter().filter(|stream| stream.log() == log) {
        for day in archive.list(stream, chrono::NaiveDate::default()).await.unwrap().ledgers {
            for row in archive.ledger(stream, day).await.unwrap().0.reads_with_object() {
                let object = row.object().unwrap();
                archive.write_table(stream, object, row.started_at).await.unwrap();
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_table_that_is_made_again_has_the_same_bytes() {
    for (scenario, log) in [
        (SIGN_INS, Log::SignIns),
        (AUDITS, Log::DirectoryAudits),
        (&provisioning(), Log::Provisioning),
    ] {
        let world = World::of(scenario).await;
        world.run_until_done().await;
        let before = world.storage.objects().await;
        for (key, _) in of_kind(&before, "tables/") {
            world.storage.put(key, b"damaged").await;
        }
        rebuild(&world.storage.archive(), log).await;
        assert!(world.storage.objects().await == before);
    }
}

#[tokio::test(start_paused = true)]
async fn a_table_that_cannot_be_written_fails_its_window_and_the_next_run_repairs_it() {
    let world = World::start_in_folder(Scenario::from_toml(AUDITS).unwrap()).await;
    let key = "tables/directory_audits/day=2026-11-22/0000-2400.r1.parquet";
    let in_the_way = world.folder().unwrap().path().join(key).join("a folder with a file");
    std::fs::create_dir_all(&in_the_way).unwrap();
    let run = world.run().await.unwrap();
    let error = run.error.unwrap();
    assert_eq!(error.error_type(), "Archive");
    assert!(error.to_string().contains(key), "{error}");
    let failed = run.report.windows.iter().filter(|window| window.has_failed()).count();
    assert_eq!(failed, 1);

    std::fs::remove_dir_all(in_the_way.parent().unwrap()).unwrap();
    world.run_until_done().await;
    let audit = world.audit().await;
    audit.assert_sound();
    assert_eq!(world.unread(&audit).count(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_table_that_is_given_up_leaves_the_one_before() {
    let world = World::of(AUDITS).await;
    world.run_until_done().await;
    let archive = world.storage.archive();
    let day = "2026-11-22".parse().unwrap();
    let ledger = archive.ledger(Stream::DirectoryAudits, day).await.unwrap().0;
    let row = ledger.reads_with_object()[0].clone();
    let origin = row.origin.clone().unwrap();
    let stopped = archive
        .rebuild_table(Stream::DirectoryAudits, &row, None, origin, Clock::wall(), async {})
        .await;
    assert_eq!(stopped, Ok(None));
    assert_eq!(world.storage.open_uploads().await, 0);
    let objects = world.storage.objects().await;
    assert_eq!(row_count(&objects[&table_key(&row.object().unwrap().key)]), Ok(row.counts().new));
}

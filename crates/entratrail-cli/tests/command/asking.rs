//! Questions in SQL: what is printed, what is refused, and what becomes of objects that cannot be
//! read.

use crate::stage::{Ended, Stage, TENANT, plain_command, run};
use serde_json::{Value, json};
use std::io::Write as _;
use std::path::PathBuf;
use std::process::Stdio;

const BY_TYPE: &str =
    "SELECT event_type, count(*) AS sign_ins FROM sign_ins_latest GROUP BY 1 ORDER BY 1";

fn query(stage: &Stage, arguments: &[&str]) -> Ended {
    let archive = stage.archive();
    run(plain_command(&["query", "--archive", archive.to_str().unwrap()]).args(arguments))
}

fn rows(ended: &Ended) -> Vec<Value> {
    ended.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_are_printed_as_a_table_as_csv_and_as_json() {
    let stage = Stage::set(TENANT).await;
    stage.collect_all();
    let table = query(&stage, &[BY_TYPE]);
    assert_eq!(table.status, Some(0), "{}", table.stderr);
    let expected = "\
event_type        sign_ins
----------------  --------
interactiveUser        210
servicePrincipal        90
2 rows
";
    assert_eq!(table.stdout, expected);
    let csv = query(&stage, &[BY_TYPE, "--format", "csv"]);
    assert_eq!(csv.stdout, "event_type,sign_ins\ninteractiveUser,210\nservicePrincipal,90\n");
    let json_rows = rows(&query(&stage, &[BY_TYPE, "--format", "json"]));
    assert_eq!(json_rows[1], json!({"event_type": "servicePrincipal", "sign_ins": 90}));
    let nested = rows(&query(
        &stage,
        &["SELECT status, created_date_time FROM sign_ins LIMIT 1", "--format", "json"],
    ));
    assert!(nested[0]["status"]["error_code"].is_number(), "{nested:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_may_come_from_standard_input_or_be_saved_or_look_at_some_days_only() {
    let stage = Stage::set(TENANT).await;
    stage.collect_all();
    let archive = stage.archive();
    let mut command =
        plain_command(&["query", "--archive", archive.to_str().unwrap(), "--format", "csv", "-"]);
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(BY_TYPE.as_bytes()).unwrap();
    let ended = Ended::of(&child.wait_with_output().unwrap());
    assert!(ended.stdout.ends_with("servicePrincipal,90\n"), "{}{}", ended.stdout, ended.stderr);

    let list = run(&mut plain_command(&["query", "--list"]));
    assert!(list.stdout.lines().count() > 20);
    let saved = query(&stage, &["--saved", "Why do sign-ins fail?"]);
    assert_eq!(saved.status, Some(0), "{}", saved.stderr);
    query(&stage, &["--saved", "Who am I?"])
        .assert_complains(2, &["--saved holds, 9 characters", "query --list"]);

    let today = stage.simulator.now().date_naive();
    let yesterday = (today - chrono::Days::new(1)).to_string();
    let one_day = query(&stage, &[BY_TYPE, "--from", &yesterday, "--format", "csv"]);
    assert_eq!(one_day.stdout, "event_type,sign_ins\ninteractiveUser,70\nservicePrincipal,30\n");
    let no_day = query(&stage, &[BY_TYPE, "--to", "2020-01-01", "--format", "csv"]);
    assert_eq!(no_day.stdout, "event_type,sign_ins\n");
    let sql = "SELECT DISTINCT current_date AS today FROM sign_ins";
    let later = query(&stage, &[sql, "--today", "2030-05-06", "--format", "csv"]);
    assert_eq!(later.stdout, "today\n2030-05-06\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_question_is_refused_in_the_words_of_the_engine_with_the_tables_that_exist() {
    let stage = Stage::set(TENANT).await;
    stage.collect_all();
    query(&stage, &["SELECT * FROM signins"])
        .assert_complains(2, &["signins", "sign_ins_latest", "coverage"]);
    query(&stage, &["SELECT nothing FROM sign_ins"]).assert_complains(2, &["nothing", "reads"]);
    for sql in [
        "DROP TABLE sign_ins",
        "CREATE TABLE mine AS SELECT 1",
        "COPY (SELECT 1) TO '/tmp/mine.csv'",
        "INSERT INTO reads SELECT * FROM reads",
        "SET datafusion.execution.batch_size = 1",
        "CREATE EXTERNAL TABLE mine (a TEXT) STORED AS CSV LOCATION '/etc/passwd'",
    ] {
        query(&stage, &[sql]).assert_complains(2, &["there are the tables"]);
    }
    assert_eq!(run(&mut plain_command(&["query", "--archive", "x"])).status, Some(2));
    query(&stage, &["SELECT * FROM '/etc/passwd'"]).assert_complains(2, &["there are the tables"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_archive_has_the_tables_with_their_columns_and_no_row() {
    let folder = tempfile::tempdir().unwrap();
    let archive = folder.path().to_str().unwrap();
    for table in ["sign_ins", "directory_audits_latest", "provisioning", "reads", "coverage"] {
        let sql = format!("SELECT count(*) AS rows FROM {table}");
        let ended =
            run(&mut plain_command(&["query", "--archive", archive, "--format", "csv", &sql]));
        assert_eq!(
            (ended.status, ended.stdout.as_str()),
            (Some(0), "rows\n0\n"),
            "{table}: {}",
            ended.stderr
        );
    }
}

/// Newest version as the view of Athena defines it.
fn view(name: &str) -> String {
    let template = include_str!("../../../../template.yaml");
    let (_, rest) = template.split_once(&format!("Name: {name}\n")).unwrap();
    let (_, rest) = rest.split_once("\"originalSql\": \"").unwrap();
    rest.split_once("\", \"columns\"").unwrap().0.to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_newest_versions_are_those_that_the_view_of_athena_takes() {
    let volume = "per_day = 70\nrisk_copies = 0.3\nsplit_by_policy = 0.2\nrepeated = 0.2";
    let stage = Stage::set(&TENANT.replacen("per_day = 70", volume, 1)).await;
    stage.collect_all();
    let versions = |from: &str| {
        let sql = format!("SELECT id, content_hash FROM {from} ORDER BY id, content_hash");
        let ended = query(&stage, &[&sql, "--format", "json"]);
        assert_eq!(ended.status, Some(0), "{}", ended.stderr);
        rows(&ended)
    };
    let all = versions("sign_ins").len();
    for name in ["sign_ins_latest", "directory_audits_latest"] {
        let newest = versions(name);
        assert_eq!(newest, versions(&format!("({})", view(name))), "{name}");
        assert!(
            name != "sign_ins_latest" || newest.len() < all,
            "{all} versions and nothing superseded"
        );
    }
}

fn a_table(stage: &Stage) -> PathBuf {
    stage.files("tables/sign_ins/event_type=interactiveUser", ".parquet").remove(1)
}

/// Collects, has `tamper` change the tables, and expects the object named, the rest counted and
/// exit status 1.
async fn check_damage(tamper: impl FnOnce(&Stage), parts: &[&str]) {
    let stage = Stage::set(TENANT).await;
    stage.collect_all();
    tamper(&stage);
    let sum = "SELECT event_type, count(user_agent) >= 0 AS is_read, count(*) AS sign_ins FROM \
               sign_ins GROUP BY 1 ORDER BY 1";
    let ended = query(&stage, &[sum, "--format", "csv"]);
    ended.assert_complains(1, parts);
    let expected =
        "event_type,is_read,sign_ins\ninteractiveUser,true,140\nservicePrincipal,true,90\n";
    assert_eq!(ended.stdout, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn damaged_and_foreign_objects_are_named_and_left_out() {
    let half = |stage: &Stage| {
        let bytes = std::fs::read(a_table(stage)).unwrap();
        std::fs::write(a_table(stage), &bytes[..bytes.len() / 2]).unwrap();
    };
    check_damage(half, &["0000-2400.r1.parquet", "is damaged", "left out", "entratrail rebuild"])
        .await;
    let empty = |stage: &Stage| std::fs::write(a_table(stage), "").unwrap();
    check_damage(empty, &["0000-2400.r1.parquet", "is damaged"]).await;
    let exchange = |stage: &Stage| {
        let audits = stage.files("tables/directory_audits", ".parquet").remove(0);
        std::fs::copy(audits, a_table(stage)).unwrap();
    };
    check_damage(exchange, &["0000-2400.r1.parquet", "no table object of EntraTrail's"]).await;
    let scratch = |stage: &Stage| {
        let mut bytes = std::fs::read(a_table(stage)).unwrap();
        // The data is damaged, and the footer tells nothing of that.
        bytes[4..2000].fill(0xff);
        std::fs::write(a_table(stage), bytes).unwrap();
    };
    let stage = Stage::set(TENANT).await;
    stage.collect_all();
    scratch(&stage);
    // Rows of other objects come before the damage is met: they are printed once all the same.
    for (what, sound) in [("sign_ins WHERE event_type = 'interactiveUser'", 140), ("sign_ins", 230)]
    {
        let ended = query(&stage, &[&format!("SELECT * FROM {what}"), "--format", "json"]);
        assert_eq!(
            (ended.status, ended.stdout.lines().count()),
            (Some(1), sound),
            "{}",
            ended.stderr
        );
        ended.assert_complains(
            1,
            &["0000-2400.r1.parquet", "is not the table that the ledger has on record"],
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn files_beside_the_table_objects_are_named_and_left_out() {
    let stage = Stage::set(TENANT).await;
    stage.collect_all();
    let copy = a_table(&stage).with_file_name("copy.parquet");
    std::fs::copy(a_table(&stage), copy).unwrap();
    let ended = query(&stage, &["SELECT count(*) AS sign_ins FROM sign_ins", "--format", "csv"]);
    ended.assert_complains(1, &["copy.parquet", "is not EntraTrail's"]);
    assert_eq!(ended.stdout, "sign_ins\n300\n");
}

//! Trino, the engine that Athena is made of, gives the answers that `DataFusion` and `DuckDB` give,
//! with the types that the template declares, and reads no more days than a question asks for.
//! `cargo xtask athena` installs it and runs this.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use chrono::{Days, NaiveDate, Utc};
use entratrail::log::EventType;
use entratrail_questions::{Question, questions};
use serde::Deserialize;
use serde_json::Value;

use crate::archive::Collected;
use crate::catalogue::{Columns, checkout, columns, engine_type, python};
use crate::questions::{Answers, answers_of_duckdb, rows_of_the_command};
use crate::stories::{SETTINGS, told};

/// The answers of an archive.
#[derive(Deserialize)]
struct Asked {
    questions: Answers,
    types: BTreeMap<String, Columns>,
    /// Partitions that each question read of each table.
    partitions: BTreeMap<String, BTreeMap<String, BTreeSet<String>>>,
    tables: BTreeMap<String, Columns>,
    data_sets: BTreeMap<String, Columns>,
}

fn asked(archives: &[(&str, &Path)]) -> BTreeMap<String, Asked> {
    let work = tempfile::tempdir().expect("a temporary folder can be made");
    let engine = checkout().join(".trino");
    assert!(engine.join("java").is_file(), "Trino is missing: cargo xtask athena installs it");
    let settings = SETTINGS.iter().map(|(name, value)| format!("{name}={value}"));
    let named = archives.iter().map(|(name, archive)| format!("{name}={}", archive.display()));
    let words: Vec<String> = settings.chain(named).collect();
    let arguments = [engine.as_path(), work.path()].into_iter().chain(words.iter().map(Path::new));
    let output = python("trino.py", &arguments.collect::<Vec<_>>());
    assert_eq!(output["problems"], serde_json::json!([]));
    serde_json::from_value(output["archives"].clone()).expect("an answer for each archive")
}

#[tokio::test(flavor = "multi_thread")]
async fn athenas_engine_answers_as_the_others_do() {
    let busy = Collected::busy().await;
    let (mut made, _) = told();
    let archives = [("stories", made.write()), ("busy", busy.folder())];
    let asked = asked(&archives.each_ref().map(|(name, folder)| (*name, folder.as_path())));
    let mut wrong = Vec::new();
    for (name, folder) in &archives {
        let of_duckdb = answers_of_duckdb(folder, &SETTINGS);
        for question in questions() {
            let of_trino = &asked[*name].questions[&question.name];
            let of_datafusion = rows_of_the_command(folder, &question.name, &SETTINGS);
            for (engine, rows) in
                [("DuckDB", &of_duckdb[&question.name]), ("DataFusion", &of_datafusion)]
            {
                if of_trino != rows {
                    let id = &question.id;
                    wrong.push(format!("{name}: {id}: {engine} {rows:?}, Trino {of_trino:?}"));
                }
            }
            wrong.extend(foreign_partitions(&question, &asked[*name].partitions[&question.name]));
        }
        check_types(&asked[*name]);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Tables and views are as declared, and so is each column of a data set, whose rows `QuickSight`
/// casts otherwise.
fn check_types(asked: &Asked) {
    let template = python("template.py", &[]);
    for (name, described) in &asked.tables {
        let told = template["tables"][name].as_array().expect("a table has columns");
        let hidden = |column: &&Value| !column[0].as_str().unwrap_or_default().starts_with('$');
        let declared: Value = told.iter().filter(hidden).cloned().collect();
        let declared: Columns =
            columns(&declared).into_iter().map(|(name, of)| (name, engine_type(&of))).collect();
        // The engine quotes a member named like a function where it must, not where it describes.
        let unquoted = |columns: &Columns| -> Columns {
            columns.iter().map(|(name, of)| (name.clone(), of.replace('"', ""))).collect()
        };
        assert_eq!(unquoted(described), unquoted(&declared), "{name}");
    }
    for (name, found) in &asked.data_sets {
        let found: Columns = found
            .iter()
            .map(|(name, of)| (name.clone(), type_of_quicksight(of).to_owned()))
            .collect();
        assert_eq!(found, columns(&template["data_sets"][name]), "{name}");
    }
    for (question, found) in &asked.types {
        let names: BTreeSet<_> = found.iter().map(|(name, _)| name).collect();
        assert_eq!(names.len(), found.len(), "{question} has two columns of one name");
        let untold = |of: &str| of == "unknown" || of.starts_with("row") || of.starts_with("array");
        assert!(!found.iter().any(|(_, of)| untold(of)), "{question}: {found:?}");
    }
}

fn type_of_quicksight(of: &str) -> &'static str {
    match of {
        "bigint" | "integer" => "INTEGER",
        "double" => "DECIMAL",
        "boolean" => "BOOLEAN",
        "date" | "timestamp(3)" => "DATETIME",
        _ => "STRING",
    }
}

/// Days and streams that a question reads and does not name.
fn foreign_partitions(
    question: &Question,
    partitions: &BTreeMap<String, BTreeSet<String>>,
) -> Vec<String> {
    let days = question.sql.split("INTERVAL '").skip(1).filter_map(|rest| rest.split_once("' DAY"));
    let most = days.filter_map(|(days, _)| days.parse().ok()).max().unwrap_or(0);
    let first = Utc::now().date_naive() - Days::new(most);
    // As a value: as a column it may stand in the answer of a question that reads all of them.
    let is_named = |stream: &str| question.sql.contains(&format!("'{stream}'"));
    let names_streams = EventType::ALL.into_iter().any(|of| is_named(of.name()));
    let mut foreign = Vec::new();
    // The ledger has no partitions.
    for (table, partitions) in partitions.iter().filter(|(table, _)| *table != "ledger") {
        if partitions.is_empty() {
            foreign.push(format!("{} reads nothing of {table}", question.id));
        }
        for partition in partitions {
            let (stream, day) = partition.rsplit_once("day=").expect("a partition is a day");
            let day: NaiveDate = day.parse().expect("a partition is a day");
            let stream = stream.trim_start_matches("event_type=").trim_end_matches('/');
            let is_meant =
                is_named(stream) || (question.sql.contains("gateways") && stream.ends_with("User"));
            if day < first || (names_streams && !stream.is_empty() && !is_meant) {
                foreign.push(format!("{} reads {stream} of {day} in {table}", question.id));
            }
        }
    }
    foreign
}

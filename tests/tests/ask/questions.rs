//! Every question finds what was planted for it, and nothing in a week in which nothing happens.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use entratrail_questions::questions;
use entratrail_tests::stack::binary;
use serde_json::Value;

use crate::archive::Collected;
use crate::catalogue::python;
use crate::stories::told;

/// Questions with something that a row of their answer must hold: what the stories of the simulated
/// tenant planted.
const PLANTED: [(&str, &str); 29] = [
    ("Which countries do failed sign-ins come from?", "IS"),
    ("Which users fail to sign in most often?", "@contoso.example"),
    ("Why do sign-ins fail?", "Error validating credentials due to invalid username or password."),
    ("Which addresses try the passwords of many users?", "203.0.113.66"),
    ("Whose password was guessed?", "203.0.113.91"),
    ("Who was worn down by MFA prompts?", "203.0.113.90"),
    ("Who signed in from two places too far apart?", "203.0.113.151"),
    ("Which legacy protocols are still in use?", "Contoso VPN (legacy)"),
    ("Who entered an admin portal without MFA?", "Azure Portal"),
    ("Who signed in from a country for the first time?", "203.0.113.93"),
    ("Who signed in with a device for the first time?", "198.51.100.26"),
    ("Which conditional access policies stop whom?", "interactiveUser"),
    ("What would report-only policies do?", "CA"),
    ("Which sign-ins are risky?", "leakedCredentials"),
    ("Which guests sign in, and to what?", "#EXT#"),
    ("Which service principals come from a new address?", "203.0.113.94"),
    ("Which managed identities do something new?", "Azure Key Vault"),
    ("Who was given a role?", "Global Administrator"),
    ("Which applications were given consent?", "Mail Assistant Pro"),
    ("Who changed conditional access?", "CA001: Require MFA for all users"),
    ("Whose MFA methods were changed?", "Admin registered security info"),
    ("Which applications received new credentials?", "Contoso Expenses"),
    ("Who deleted many things at once?", "Delete user"),
    ("What did each administrator do?", "Add member to role"),
    ("What is missing in the archive?", "directory-audits"),
    ("How many records arrived late?", "interactiveUser"),
    ("Do the tables hold what the ledger promises?", "directory-audits"),
    ("Do the tables hold what the ledger promises?", "nonInteractiveUser"),
    ("Which applications may read mail, files or change the directory?", "Mail"),
];

pub(crate) type Answers = BTreeMap<String, Vec<Value>>;

/// The answers of `DuckDB` for an archive and for settings.
pub(crate) fn answers_of_duckdb(archive: &Path, settings: &[(&str, &str)]) -> Answers {
    let settings: Vec<_> = settings.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let arguments = settings.iter().map(Path::new).chain([archive]);
    asked(&arguments.collect::<Vec<_>>()).remove(0)
}

/// Every row of them, however many a question would show.
pub(crate) fn whole_answers_of_duckdb(archive: &Path) -> Answers {
    asked(&[Path::new("--without-limits"), archive]).remove(0)
}

/// The answers of `DuckDB` for a large archive, whose every row is not compared with what other
/// readers see.
pub(crate) fn answers_alone(archive: &Path) -> Answers {
    asked(&[Path::new("--answers-alone"), archive]).remove(0)
}

/// The answers of `DuckDB` for each archive.
fn answers(archives: &[&Collected]) -> Vec<Answers> {
    let folders: Vec<_> = archives.iter().map(|archive| archive.folder()).collect();
    asked(&folders.iter().map(AsRef::as_ref).collect::<Vec<&Path>>())
}

fn asked(folders: &[&Path]) -> Vec<Answers> {
    let output = python("answers.py", folders);
    assert_eq!(output["problems"], serde_json::json!([]));
    serde_json::from_value(output["archives"].clone()).expect("an answer for each archive")
}

#[tokio::test(flavor = "multi_thread")]
async fn every_question_finds_what_was_planted_and_nothing_where_nothing_happens() {
    let (calm, eventful) = tokio::join!(Collected::calm(), Collected::with_stories());
    let [of_calm, of_eventful] = &answers(&[&calm, &eventful])[..] else { panic!("two archives") };
    for (question, mark) in PLANTED {
        let rows = &of_eventful[question];
        assert!(rows.iter().any(|row| row.to_string().contains(mark)), "{question} {rows:?}");
    }
    for (question, rows) in of_calm {
        assert_eq!(rows, &Vec::<Value>::new(), "{question}");
    }
}

/// The rows of `entratrail query`, which asks with `DataFusion`.
pub(crate) fn rows_of_the_command(
    archive: &Path,
    question: &str,
    settings: &[(&str, &str)],
) -> Vec<Value> {
    let lines: Vec<_> = settings.iter().map(|(name, value)| format!("{name}={value}\n")).collect();
    let file = tempfile::NamedTempFile::new().expect("a temporary file can be made");
    std::fs::write(file.path(), lines.concat()).expect("the file is ours");
    let output = Command::new(binary("entratrail"))
        .args(["query", "--format", "json", "--saved", question, "--archive"])
        .arg(archive)
        .arg("--settings")
        .arg(file.path())
        .output()
        .expect("the command starts");
    assert!(output.status.success(), "{question}: {}", String::from_utf8_lossy(&output.stderr));
    let lines = String::from_utf8(output.stdout).expect("it is text");
    lines.lines().map(|line| serde_json::from_str(line).expect("a line is a row")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_question_has_the_same_answer_from_datafusion_and_duckdb() {
    let busy = Collected::busy().await;
    let folder = busy.folder();
    let of_duckdb = answers(&[&busy]).remove(0);
    let half_of_them = |half: &[String]| {
        for question in half {
            assert_eq!(
                rows_of_the_command(&folder, question, &[]),
                of_duckdb[question],
                "{question}"
            );
        }
    };
    let names: Vec<_> = of_duckdb.keys().cloned().collect();
    let (first, second) = names.split_at(names.len() / 2);
    std::thread::scope(|scope| {
        scope.spawn(|| half_of_them(first));
        half_of_them(second);
    });
}

#[test]
fn every_question_reads_no_more_than_its_days() {
    let questions = python("template.py", &[])["questions"].take();
    for (name, sql) in questions.as_object().unwrap() {
        let sql = sql.as_str().unwrap();
        assert!(sql.contains("\n-- scans: "), "{name}");
        let of = |view: &str| {
            sql.matches(&format!("FROM {view}\n")).count()
                + sql.matches(&format!("FROM {view} AS")).count()
                + sql.matches(&format!("JOIN {view} AS")).count()
        };
        let views = [
            "attempts",
            "audits",
            "directory_changes",
            "applied_policies",
            "reads",
            "coverage",
            "tables_and_ledger",
            "provisioning_latest",
            "session_events",
        ];
        let scans: usize = views.map(of).iter().sum();
        let bounds = sql.matches("day >= current_date - INTERVAL '").count();
        assert!(scans > 0 && bounds >= scans, "{name} reads every day there is");
    }
}

/// `DataFusion` keeps the left side of a join in memory: with a million sign-ins there, it has no
/// room for sorting them, and a join without an equality breaks off. Sums of sign-ins are few.
#[test]
fn a_join_with_settings_or_gateways_keeps_those_in_memory_and_not_the_sign_ins() {
    let (mut made, _) = told();
    let folder = made.write();
    let mut joins = 0;
    let is_joined =
        |sql: &str| ["JOIN settings", "JOIN gateways"].iter().any(|join| sql.contains(join));
    for question in questions().into_iter().filter(|question| is_joined(&question.sql)) {
        let mut command = Command::new(binary("entratrail"));
        command.args(["query", "--format", "json", "--archive"]).arg(&folder);
        let output = command.arg(format!("EXPLAIN {}", question.sql)).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let rows = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        let plans: Vec<_> = rows.filter(|row| row["plan_type"] == "physical_plan").collect();
        let lines: Vec<_> = plans[0]["plan"].as_str().unwrap().lines().collect();
        let depth = |line: &str| line.len() - line.trim_start().len();
        for (at, line) in lines.iter().enumerate() {
            let is_join = line.trim_start().starts_with("NestedLoopJoinExec")
                || line.trim_start().starts_with("HashJoinExec") && line.contains("on=[(address@");
            if !is_join {
                continue;
            }
            joins += 1;
            let (left, rest) = lines[at + 1..].split_first().unwrap();
            let below = rest.iter().take_while(|line| depth(line) > depth(left));
            let below = below.take_while(|line| !line.contains("AggregateExec"));
            let reads_files = |line: &&str| line.contains("file_groups");
            assert_eq!(below.copied().find(reads_files), None, "{}", question.id);
        }
    }
    assert!(joins > 0, "no question is joined with the settings or gateways");
}

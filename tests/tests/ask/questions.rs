//! Every question finds what was planted for it, and nothing in a week in which nothing happens.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use entratrail_tests::stack::binary;
use serde_json::Value;

use crate::archive::Collected;
use crate::catalogue::python;

/// Each question with something that a row of its answer must hold: what the stories of the simulated tenant planted.
const PLANTED: [(&str, &str); 26] = [
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
];

type Answers = BTreeMap<String, Vec<Value>>;

/// The answers of `DuckDB` for each archive.
fn answers(archives: &[&Collected]) -> Vec<Answers> {
    let folders: Vec<_> = archives.iter().map(|archive| archive.folder()).collect();
    let folders: Vec<&Path> = folders.iter().map(AsRef::as_ref).collect();
    let output = python("answers.py", &folders);
    assert_eq!(output["problems"], serde_json::json!([]));
    serde_json::from_value(output["archives"].clone()).expect("an answer for each archive")
}

#[tokio::test(flavor = "multi_thread")]
async fn every_question_finds_what_was_planted_and_nothing_where_nothing_happens() {
    let (calm, eventful) = tokio::join!(Collected::calm(), Collected::with_stories());
    let [of_calm, of_eventful] = &answers(&[&calm, &eventful])[..] else { panic!("two archives") };
    assert_eq!(of_eventful.len(), PLANTED.len());
    for (question, mark) in PLANTED {
        let rows = &of_eventful[question];
        assert!(rows.iter().any(|row| row.to_string().contains(mark)), "{question} {rows:?}");
        assert_eq!(of_calm[question], Vec::<Value>::new(), "{question}");
    }
}

/// The rows of `entratrail query`, which asks with `DataFusion`.
fn rows_of_the_command(archive: &Path, question: &str) -> Vec<Value> {
    let output = Command::new(binary("entratrail"))
        .args(["query", "--format", "json", "--saved", question, "--archive"])
        .arg(archive)
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
    let half_of_them = |half: &[(&str, &str)]| {
        for (question, _) in half {
            assert_eq!(rows_of_the_command(&folder, question), of_duckdb[*question], "{question}");
        }
    };
    let (first, second) = PLANTED.split_at(PLANTED.len() / 2);
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
        let scans =
            sql.matches("FROM sign_ins_latest").count() + sql.matches("FROM directory_changes").count();
        let bounds = sql.matches("WHERE day >= current_date - INTERVAL '").count();
        assert!(bounds > 0 && bounds >= scans, "{name} reads every day there is");
    }
}

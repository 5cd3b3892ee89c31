//! The report: what it holds, that it needs nothing else to be read, and how it looks in a browser.

use crate::stage::{Ended, Stage, TENANT, plain_command, run, with_little_room};
use local_aws::Tools;
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A tenant with incidents in its logs.
fn tenant() -> String {
    let stories =
        ["password_spray", "impossible_travel", "mfa_fatigue", "role_grant", "risky_consent"];
    let stories = stories.map(|kind| format!("[[story]]\nkind = \"{kind}\"\n"));
    format!("{TENANT}{}", stories.concat())
}

fn report(archive: &Path, arguments: &[&str]) -> Command {
    let mut command = plain_command(&["report", "--archive", archive.to_str().unwrap()]);
    command.args(arguments);
    command
}

/// The report of `stage` as a page, beside its archive.
fn page(stage: &Stage) -> (Ended, PathBuf) {
    let out = stage.archive().with_file_name("report.html");
    (run(&mut report(&stage.archive(), &["--out", out.to_str().unwrap()])), out)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_holds_findings_pictures_and_coverage_and_needs_nothing_else() {
    let stage = Stage::set(&tenant()).await;
    stage.collect_all();
    let (ended, out) = page(&stage);
    assert_eq!(ended.status, Some(0), "{}{}", ended.stdout, ended.stderr);
    assert!(ended.stdout.contains(out.to_str().unwrap()), "{}", ended.stdout);
    let page = std::fs::read_to_string(out).unwrap();
    for part in [
        "<!DOCTYPE html>",
        "Which addresses try the passwords of many users?",
        "Who was given a role?",
        "FROM attempts",
        "By hour and weekday",
        "of 3 days verified",
        &stage.simulator.scenario().tenant.id,
    ] {
        assert!(page.contains(part), "{part}");
    }
    for foreign in
        ["<script", "<iframe", "<img", "src=", "@import", "url(", "href=\"http", "href=\"//"]
    {
        assert!(!page.contains(foreign), "{foreign}");
    }
    assert!(!page.contains("not everything"), "a sound archive has no warning");
}

/// Everything is new since a day before the archive, and nothing since a day that is to come.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_new_comes_first_and_is_told_by_the_status() {
    let stage = Stage::set(&tenant()).await;
    stage.collect_all();
    let since =
        |day: &str| run(&mut report(&stage.archive(), &["--format", "json", "--new-since", day]));
    let all = since("2025-01-01");
    assert_eq!(all.status, Some(3), "{}", all.stderr);
    let told: Value = serde_json::from_str(&all.stdout).unwrap();
    let first = &told["questions"][0];
    assert_eq!((&first["severity"], &first["new"]), (&Value::from("high"), &first["found"]));
    let span = told["to"].as_str().unwrap();
    let none = since(span);
    assert_eq!(none.status, Some(0), "{}", none.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn json_says_the_same_to_machines() {
    let stage = Stage::set(&tenant()).await;
    stage.collect_all();
    let ended = run(&mut report(&stage.archive(), &["--format", "json"]));
    assert_eq!(ended.status, Some(0), "{}", ended.stderr);
    let report: Value = serde_json::from_str(&ended.stdout).unwrap();
    assert_eq!(report["problems"], Value::Array(Vec::new()));
    let questions = report["questions"].as_array().unwrap();
    let spray = questions
        .iter()
        .find(|asked| asked["name"] == "Which addresses try the passwords of many users?")
        .unwrap();
    assert_eq!((&spray["severity"], &spray["found"]), (&Value::from("high"), &Value::from(1)));
    assert!(spray["rows"][0]["users_tried"].as_u64().unwrap() >= 10, "{spray}");
    assert_eq!((&spray["techniques"][0], &spray["new"]), (&Value::from("T1110.003"), &Value::Null));
    assert!(report["figures"]["sign_ins"].as_u64().unwrap() >= 300, "{}", report["figures"]);
    let hours: u64 =
        report["hours"].as_array().unwrap().iter().map(|hour| hour["all"].as_u64().unwrap()).sum();
    assert_eq!(report["figures"]["sign_ins"], hours);
    assert_eq!(report["coverage"].as_array().unwrap().len(), 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_archive_gets_a_page_that_says_how_to_fill_it() {
    let folder = tempfile::tempdir().unwrap();
    let archive = folder.path().join("archive");
    std::fs::create_dir(&archive).unwrap();
    let out = folder.path().join("report.html");
    let ended = run(&mut report(&archive, &["--out", out.to_str().unwrap()]));
    assert_eq!(ended.status, Some(0), "{}", ended.stderr);
    let page = std::fs::read_to_string(out).unwrap();
    for part in
        ["There is nothing to report yet", "entratrail collect --archive", "entratrail rebuild"]
    {
        assert!(page.contains(part), "{part}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_read_is_in_the_page_and_in_the_exit_status() {
    let stage = Stage::set(&tenant()).await;
    stage.collect_all();
    let table = stage.files("tables/sign_ins/event_type=interactiveUser", ".parquet").remove(1);
    std::fs::write(&table, "PAR1 no more").unwrap();
    let ledger = stage.files("ledger/directory-audits", ".ndjson").remove(0);
    std::fs::write(&ledger, "{\"half a line").unwrap();
    let (ended, out) = page(&stage);
    ended.assert_complains(1, &[table.to_str().unwrap(), "damaged"]);
    ended.assert_complains(1, &[ledger.to_str().unwrap(), "damaged"]);
    let page = std::fs::read_to_string(out).unwrap();
    assert!(
        page.contains("Not everything could be read") && page.contains(table.to_str().unwrap())
    );
    assert!(page.contains("Why do sign-ins fail?"), "the rest is shown");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_cannot_be_written_is_named_and_the_old_one_stays() {
    let stage = Stage::set(TENANT).await;
    stage.collect_all();
    let nowhere = stage.archive().with_file_name("no/such/report.html");
    let to = |out: &Path| report(&stage.archive(), &["--out", out.to_str().unwrap()]);
    run(&mut to(&nowhere)).assert_complains(2, &["no/such/report.html", "folder does not exist"]);
    run(&mut to(&stage.archive())).assert_complains(2, &["it is a folder"]);
    let out = stage.archive().with_file_name("report.html");
    std::fs::write(&out, "the old one").unwrap();
    run(&mut with_little_room(&to(&out), 8)).assert_complains(2, &["report.html", "full"]);
    assert_eq!(std::fs::read_to_string(&out).unwrap(), "the old one");
    let mut left =
        std::fs::read_dir(out.parent().unwrap()).unwrap().map(|entry| entry.unwrap().path());
    assert!(left.all(|path| path.extension().is_none_or(|extension| extension != "part")));
    assert!(
        run(&mut report(&stage.archive(), &[])).stdout.starts_with("<!DOCTYPE html>"),
        "printed without --out"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_fits_a_phone_and_a_desktop_and_a_browser_has_nothing_to_complain_of() {
    let stage = Stage::set(&tenant()).await;
    stage.collect_all();
    // The name of the archive is hostile, as those of users may be.
    let archive = stage.archive().with_file_name("<img src=x onerror=alert(1)>");
    std::fs::rename(stage.archive(), &archive).unwrap();
    let out = archive.with_file_name("report.html");
    let ended = run(&mut report(&archive, &["--out", out.to_str().unwrap()]));
    assert_eq!(ended.status, Some(0), "{}", ended.stderr);
    let seen = photograph(&out);
    assert_eq!(seen.len(), 4, "two widths, by day and by night");
    for view in seen {
        for fault in ["complaints", "requests", "wide"] {
            assert_eq!(
                view[fault],
                Value::Array(Vec::new()),
                "{fault} at {}: {view}",
                view["width"]
            );
        }
        let picture = std::fs::read(view["pictures"][0].as_str().unwrap()).unwrap();
        assert!(
            picture.starts_with(b"\x89PNG") && picture.len() > 20_000,
            "the picture is empty: {view}"
        );
    }
    assert!(out.with_file_name("paper.pdf").metadata().unwrap().len() > 10_000);
}

/// Picture of the page in a browser. The pictures lie beside it.
fn photograph(page: &Path) -> Vec<Value> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let tools = Tools::Browser.path();
    let mut command = Command::new(Tools::Browser.program("node"));
    command.arg(root.join("tests/browser/photograph.mjs")).arg(page).arg(page.parent().unwrap());
    // A page is the same at any hour, and Chromium waits for ever where libfaketime is loaded.
    command.env_remove("LD_PRELOAD").env("BROWSER_TOOLS", &tools).env("TMPDIR", &tools);
    let ended = command.output().unwrap();
    let text = String::from_utf8_lossy(&ended.stdout);
    assert!(ended.status.success(), "{text}{}", String::from_utf8_lossy(&ended.stderr));
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

//! The provisioning logs, which are collected where somebody asks for them.

use crate::evidence::check_py;
use crate::stage::{Ended, Stage, TENANT, plain_command, run};
use serde_json::Value;

const PROVISIONED: &str = r#"
[[volume]]
stream = "provisioning"
from_day = -4
to_day = -1
per_day = 45
changed = { share = 0.2, after_minutes = 10 }
"#;

fn done(ended: &Ended) -> &str {
    assert_eq!(ended.status, Some(0), "{}{}", ended.stdout, ended.stderr);
    &ended.stdout
}

fn verified(stage: &Stage) -> Value {
    serde_json::from_str(done(&run(stage.verify().arg("--json")))).unwrap()
}

fn ask(stage: &Stage, sql: &str) -> String {
    let archive = stage.archive();
    let arguments = ["query", "--archive", archive.to_str().unwrap(), "--format", "csv", sql];
    done(&run(&mut plain_command(&arguments))).to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn provisioning_logs_are_collected_where_they_are_asked_for_and_change_nothing_else() {
    let stage = Stage::set(&format!("{TENANT}{PROVISIONED}")).await;
    let first = stage.collect_all();
    assert!(!first.stdout.contains("provisioning"), "{}", first.stdout);
    assert_eq!(ask(&stage, "SELECT count(*) AS rows FROM provisioning"), "rows\n0\n");
    let before = verified(&stage);
    assert_eq!((before["streams"].as_array().unwrap().len(), stage.files("raw", "").len()), (5, 9));

    let ended = run(stage.collect().args(["--log", "provisioning"]));
    assert!(done(&ended).contains("provisioning      3 windows read: 135 records, 135 new"));
    stage.assert_sound();
    let after = verified(&stage);
    let (streams, more) = after["streams"].as_array().unwrap().split_at(5);
    assert_eq!(streams, before["streams"].as_array().unwrap());
    assert_eq!((&more[0]["stream"], &more[0]["records"]), (&"provisioning".into(), &135.into()));

    let by_status = "SELECT count(*) AS rows, count(DISTINCT id) AS ids, count(service_principal.id) \
                     AS named, count(other) AS other FROM provisioning_latest";
    assert_eq!(ask(&stage, by_status), "rows,ids,named,other\n135,135,135,0\n");
    let promised = "SELECT count(*) AS reads, sum(promised_rows - table_rows) AS differ FROM \
                    tables_and_ledger WHERE stream = 'provisioning'";
    assert_eq!(ask(&stage, promised), "reads,differ\n3,0\n");
    assert_eq!(
        ask(&stage, "SELECT DISTINCT state FROM coverage WHERE stream = 'provisioning'"),
        "state\nbefore\n"
    );
    let archive = stage.archive();
    let rebuild = ["rebuild", "--archive", archive.to_str().unwrap(), "--streams", "provisioning"];
    done(&run(&mut plain_command(&rebuild)));
    stage.assert_sound();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_archive_that_began_without_them_is_sound_from_their_first_day_on() {
    let stage = Stage::set(&format!("{TENANT}{PROVISIONED}")).await;
    stage.collect_all();
    let archive = stage.archive();
    let archive = archive.to_str().unwrap();
    let late = ["collect", "--archive", archive, "--days", "1", "--log", "provisioning"];
    done(&run(&mut stage.command(&late)));
    assert_eq!(verified(&stage)["streams"][5]["days"].as_object().unwrap().len(), 1);

    // Whoever expects more of them says so.
    let first = (stage.simulator.now().date_naive() - chrono::Days::new(3)).to_string();
    let expected = format!("provisioning={first}");
    let ended = run(stage.verify().args(["--expect", &expected]));
    assert_eq!(ended.status, Some(1), "{}", ended.stdout);
    assert!(ended.stdout.contains(&format!("provisioning: no read covers {first}")));
}

#[tokio::test(flavor = "multi_thread")]
async fn their_signed_log_is_one_of_its_own() {
    let stage = Stage::set(&format!("{TENANT}{PROVISIONED}")).await;
    let outside = tempfile::tempdir().unwrap();
    let (key, verifier) = (outside.path().join("key"), outside.path().join("key.verifier"));
    let collect = |log: &str| {
        done(&run(stage.collect().args(["--log", log]).arg("--evidence-key").arg(&key)));
    };
    let judged = || {
        let mut script = check_py();
        script.arg(stage.archive()).arg("--key").arg(&verifier);
        [run(stage.verify().arg("--key").arg(&verifier)), run(&mut script)]
    };
    collect("both");
    for ended in judged() {
        done(&ended);
    }
    assert!(!stage.archive().join("proof/provisioning").exists());
    collect("all");
    for ended in judged() {
        assert!(done(&ended).contains("provisioning"), "{}", ended.stdout);
    }
    let record = ask(&stage, "SELECT max(id) AS id FROM provisioning");
    let (archive, out) = (stage.archive(), outside.path().join("proof"));
    let mut prove = plain_command(&["prove", "--archive", archive.to_str().unwrap(), "--id"]);
    prove.arg(record.lines().nth(1).unwrap()).arg("--key").arg(&verifier).arg("--out").arg(&out);
    assert!(done(&run(&mut prove)).contains("is in the signed log"));

    // Without its proof it is named, as each of the others is.
    std::fs::remove_dir_all(stage.archive().join("proof/provisioning")).unwrap();
    let [verify, script] = judged();
    assert_eq!(verify.status, Some(1), "{}{}", verify.stdout, verify.stderr);
    assert!(verify.stdout.contains("provisioning"), "{}", verify.stdout);
    assert!(done(&script).contains("provisioning: without a signed log"), "{}", script.stdout);
}

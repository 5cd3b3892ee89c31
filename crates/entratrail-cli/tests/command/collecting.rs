//! A collection leaves a whole archive, and the next one finds nothing to do.

use crate::stage::{Stage, TENANT, plain_command, run};
use serde_json::Value;

#[tokio::test(flavor = "multi_thread")]
async fn everything_is_collected_once_and_a_second_run_finds_nothing_to_do() {
    let stage = Stage::set(TENANT).await;
    let first = stage.collect_all();
    assert!(
        first.stdout.contains("sign-ins          12 windows read: 300 records, 300 new"),
        "{}",
        first.stdout
    );
    assert!(
        first.stdout.contains("directory-audits  3 windows read: 150 records"),
        "{}",
        first.stdout
    );
    stage.assert_sound();
    let before = stage.page_requests();
    let second = stage.collect_all();
    assert_eq!(second.stdout.matches("nothing is left to do").count(), 2, "{}", second.stdout);
    assert_eq!(stage.page_requests(), before);
    stage.assert_sound();
}

#[tokio::test(flavor = "multi_thread")]
async fn both_logs_share_one_limit() {
    let limited = TENANT.replace("requests_per_10s = 0", "requests_per_10s = 40");
    let stage = Stage::set(&limited).await;
    let ended = run(stage.collect().env("GRAPH_REQUESTS_PER_10S", "40"));
    assert_eq!(ended.status, Some(0), "{}", ended.stderr);
    assert_eq!(stage.simulator.counts().throttled, 0);
    stage.assert_sound();
}

#[tokio::test(flavor = "multi_thread")]
async fn streams_and_spans_are_read_as_asked() {
    let stage = Stage::set(TENANT).await;
    let yesterday = stage.simulator.now().date_naive().pred_opt().unwrap().to_string();
    let span = format!("{yesterday}T06:00:00Z");
    let ended = run(stage.collect().args(["--streams", "servicePrincipal,audits", "--quiet"]));
    assert_eq!((ended.status, ended.stdout.as_str(), ended.stderr.as_str()), (Some(0), "", ""));
    assert_eq!(stage.files("ledger", ".ndjson").len(), 6);

    let archive = stage.archive();
    let arguments = ["collect", "--archive", archive.to_str().unwrap(), "--json", "--log", "audit"];
    let ended = run(stage.command(&arguments).args(["--from", &yesterday, "--to", &span]));
    assert_eq!(ended.status, Some(0), "{}", ended.stderr);
    let report: Value = serde_json::from_str(&ended.stdout).unwrap();
    let windows = &report["runs"][0]["report"]["windows"];
    assert_eq!((windows[0]["read"].as_u64(), windows[0]["new"].as_u64()), (Some(2), Some(0)));
    assert_eq!(windows.as_array().unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_could_not_be_read_is_said_and_read_the_next_time() {
    let faults =
        "[[faults.script]]\nkind = 'permission_403'\nstream = 'directoryAudits'\ntimes = 100\n";
    let stage = Stage::set(&format!("{TENANT}{faults}")).await;
    let ended = run(&mut stage.collect());
    ended.assert_complains(1, &["directory-audits", "AuditLog.Read.All"]);
    stage.simulator.set_faults(graph_simulator::Faults::default());
    stage.collect_all();
    stage.assert_sound();
}

#[test]
fn wrong_use_is_answered_with_a_sentence_and_status_2() {
    let check = |arguments: &[&str], part: &str| {
        let ended = run(&mut plain_command(arguments));
        assert_eq!(ended.status, Some(2), "{arguments:?}");
        assert!(ended.stderr.contains(part), "{arguments:?}: {}", ended.stderr);
    };
    check(&["collect"], "--archive");
    check(
        &["collect", "--archive", "a", "--days", "31"],
        "invalid value '31' for '--days <N>': it must be a whole number from 1 to 30",
    );
    check(&["collect", "--archive", "a", "--from", "2026-10-24T06:03:00Z"], "5-minute boundary");
    check(&["collect", "--archive", "a", "--streams", "people"], "there is no such stream");
    check(&["collect", "--archive", "s3://bucket/folder"], "a bucket is an archive as a whole");
    check(
        &["collect", "--archive", "a", "--from", "2026-10-24", "--days", "3"],
        "cannot be used with",
    );
    check(&["collect", "--archive", "a", "--from", "2999-10-24"], "empty or lies in the future");
    check(&["verify", "--archive", "no/such/folder"], "there is no such folder");
    check(&["collect", "--archive", "a", "--client-secret", "x"], "--client-secret");
    assert!(!std::path::Path::new("a").exists());
}

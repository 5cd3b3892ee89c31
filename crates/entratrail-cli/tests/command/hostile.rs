//! Input that somebody else made, or that stands in the wrong place.

use crate::stage::{Stage, TENANT, plain_command, run};
use std::fs::File;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

const CLIENT_ID: &str = "5e1c0f5a-2b7d-4f3e-9a51-0b8f1d6c7e20";

/// Example of the specification: <https://pkg.go.dev/golang.org/x/mod/sumdb/note>.
const VERIFIER_KEY: &str = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW\n";

const SECRET: &str = "abc8Q~Zx7pQ.w3_kLm-9+vRt2Yb5Nc1Hd4Gf6J";

fn make_pipe(path: &Path) {
    assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
}

#[test]
fn a_secret_in_any_setting_or_argument_is_not_printed() {
    let folder = tempfile::tempdir().unwrap();
    let archive = folder.path().join("archive");
    let archive = archive.to_str().unwrap();
    let check = |command: &mut Command| {
        let ended = run(command);
        assert_eq!(ended.status, Some(2), "{}", ended.stderr);
        for piece in SECRET.as_bytes().windows(8).map(String::from_utf8_lossy) {
            let is_printed = ended.stdout.contains(&*piece) || ended.stderr.contains(&*piece);
            assert!(!is_printed, "{piece} in {}{}", ended.stdout, ended.stderr);
        }
    };
    for setting in ["GRAPH_URL", "LOGIN_URL", "WINDOW_MINUTES", "SETTLE_MINUTES", "CONCURRENCY"] {
        check(plain_command(&["collect", "--archive", archive]).env(setting, SECRET));
    }
    for part in ["ENTRATRAIL_TENANT_ID", "ENTRATRAIL_CLIENT_ID", "AZURE_CLIENT_ID"] {
        let mut command = plain_command(&["collect", "--archive", archive]);
        check(command.env("AZURE_TENANT_ID", "contoso.example").env(part, SECRET));
    }
    for words in [
        &["collect", "--archive", archive, "--tenant-id", SECRET][..],
        &["collect", "--archive", archive, "--days", SECRET],
        &["query", "--archive", archive, "--saved", SECRET],
        &["verify", SECRET],
        &[SECRET],
    ] {
        check(&mut plain_command(words));
    }
}

#[test]
fn a_pipe_a_folder_or_a_device_in_the_place_of_a_file_is_refused_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let [archive, pipe, key, report, proof] =
        ["archive", "pipe", "key", "report.html", "proof"].map(|name| folder.path().join(name));
    make_pipe(&pipe);
    std::fs::create_dir(&archive).unwrap();
    std::fs::write(&key, VERIFIER_KEY).unwrap();
    let [archive, key, report, proof] =
        [&archive, &key, &report, &proof].map(|path| path.to_str().unwrap());
    let person = ["--tenant-id", "contoso.example", "--client-id", CLIENT_ID];
    for file in [pipe.as_path(), folder.path(), Path::new("/dev/zero")] {
        for words in [
            &["collect", "--archive", archive, "--certificate"][..],
            &["query", "SELECT 1", "--archive", archive, "--settings"],
            &["report", "--archive", archive, "--out", report, "--settings"],
            &["verify", "--archive", archive, "--key"],
            &["verify", "--archive", archive, "--key", key, "--since"],
            &["verify", "--archive", archive, "--key", key, "--witnesses"],
            &["prove", "--archive", archive, "--id", "1", "--out", proof, "--key"],
            &["witness", key, "--archive", archive, "--key"],
            &["witness", "--archive", archive, "--key", key],
            &["check", archive, "--key"],
        ] {
            let mut command = plain_command(words);
            command.arg(file).env("ENTRATRAIL_CLIENT_SECRET", SECRET);
            command.args(if words[0] == "collect" { &person[..] } else { &[] });
            run(&mut command).assert_complains(2, &["no regular file"]);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pipe_in_the_place_of_the_key_signs_nothing_and_costs_no_record() {
    let stage = Stage::set(TENANT).await;
    let folder = tempfile::tempdir().unwrap();
    let pipe = folder.path().join("pipe");
    make_pipe(&pipe);
    let ended = run(stage.collect().arg("--evidence-key").arg(&pipe));
    assert!(ended.status.is_some(), "it waited for the pipe");
    assert!(ended.stdout.contains("no regular file"), "{}{}", ended.stdout, ended.stderr);
    assert!(!ended.stdout.contains("is signed"), "{}", ended.stdout);
    stage.assert_sound();
}

/// A proof comes from whoever wants to be believed.
#[test]
fn a_proof_whose_files_have_no_end_is_refused_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let key = folder.path().join("key");
    std::fs::write(&key, VERIFIER_KEY).unwrap();
    let record = folder.path().join("record.json");
    let check = |part: &str| {
        let ended = run(plain_command(&["check"]).arg(folder.path()).arg("--key").arg(&key));
        assert_eq!(ended.status, Some(1), "{}", ended.stderr);
        assert!(ended.stdout.starts_with("No: record.json could not be read"), "{}", ended.stdout);
        assert!(ended.stdout.contains(part), "{}", ended.stdout);
        std::fs::remove_file(&record).unwrap();
    };
    make_pipe(&record);
    check("no regular file");
    symlink("/dev/zero", &record).unwrap();
    check("no regular file");
    File::create(&record).unwrap().set_len(1 << 40).unwrap();
    check("more than 67108864 bytes");
}

#[test]
fn a_report_is_written_neither_through_a_link_nor_over_a_pipe() {
    let folder = tempfile::tempdir().unwrap();
    let archive = folder.path().join("archive");
    std::fs::create_dir(&archive).unwrap();
    let (precious, link, pipe) =
        (folder.path().join("precious"), folder.path().join("link"), folder.path().join("pipe"));
    std::fs::write(&precious, "kept").unwrap();
    symlink(&precious, &link).unwrap();
    make_pipe(&pipe);
    for out in [&link, &pipe] {
        let mut command = plain_command(&["report", "--archive"]);
        command.arg(&archive).arg("--out").arg(out);
        run(&mut command).assert_complains(2, &["a link, a pipe or a device"]);
    }
    assert_eq!(std::fs::read_to_string(&precious).unwrap(), "kept");
    assert!(link.is_symlink());
}

#[test]
fn sql_that_is_too_deep_is_refused_and_cells_are_made_safe() {
    let folder = tempfile::tempdir().unwrap();
    let query = |words: &[&str]| {
        let mut command = plain_command(&["query", "--archive"]);
        run(command.arg(folder.path()).args(words))
    };
    query(&[&format!("SELECT {}1", "1+".repeat(20_000))]).assert_complains(2, &["too deep"]);
    let deepest = query(&[&format!("SELECT {}1 AS n", "1+".repeat(1900)), "--format", "csv"]);
    assert_eq!(deepest.stdout, "n\n1901\n", "{}", deepest.stderr);

    let sql = "SELECT '=1+1' AS a, -1 AS b, chr(27) || 'x' || chr(8238) AS c";
    let safe = query(&[sql, "--format", "csv", "--safe-cells"]);
    assert_eq!(safe.stdout, "a,b,c\n'=1+1,-1,\\u{1b}x\\u{202e}\n", "{}", safe.stderr);
    let json = query(&[sql, "--format", "json"]);
    assert!(json.stdout.contains("\\u001bx\\u202e"), "{}", json.stdout);
    let table = query(&[sql]);
    assert!(table.stdout.contains("\\u{1b}x\\u{202e}"), "{}", table.stdout);
}

#[tokio::test(flavor = "multi_thread")]
async fn pipes_and_links_in_an_archive_are_named_and_neither_read_nor_written_through() {
    let stage = Stage::set(TENANT).await;
    stage.collect_all();
    let archive = stage.archive();
    let take_place = |file: &std::path::Path, put: &dyn Fn(&std::path::Path)| {
        let kept = file.with_file_name(".entratrail-kept");
        std::fs::rename(file, &kept).unwrap();
        put(file);
        let verified = run(&mut stage.verify());
        let name = file.strip_prefix(&archive).unwrap().to_str().unwrap();
        assert_eq!(verified.status, Some(1), "{name}: {}{}", verified.stdout, verified.stderr);
        assert!(verified.stdout.contains(name), "{name} in {}", verified.stdout);
        let mut query = plain_command(&["query", "SELECT count(*) FROM sign_ins", "--archive"]);
        assert!(run(query.arg(&archive)).status.is_some());
        std::fs::remove_file(file).unwrap();
        std::fs::rename(kept, file).unwrap();
    };
    let elsewhere = archive.with_file_name("elsewhere");
    for (folder, ending) in [("raw", ".gz"), ("tables", ".parquet"), ("ledger", ".ndjson")] {
        let file = stage.files(folder, ending).remove(0);
        std::fs::copy(&file, &elsewhere).unwrap();
        take_place(&file, &|file| make_pipe(file));
        take_place(&file, &|file| symlink(&elsewhere, file).unwrap());
    }

    // A day's folder that leads elsewhere: nothing is written there.
    let outside = archive.with_file_name("outside");
    std::fs::create_dir(&outside).unwrap();
    let last = stage.files("raw/sign-ins/event_type=interactiveUser", ".gz").pop().unwrap();
    let day = last.parent().unwrap();
    let name = day.file_name().unwrap().to_str().unwrap();
    std::fs::remove_dir_all(day).unwrap();
    std::fs::remove_file(
        stage.files("ledger/sign-ins/event_type=interactiveUser", ".ndjson").pop().unwrap(),
    )
    .unwrap();
    symlink(&outside, day).unwrap();
    let ended = run(&mut stage.collect());
    assert_eq!(ended.status, Some(2), "{}{}", ended.stdout, ended.stderr);
    assert!(ended.stderr.contains(name) && ended.stderr.contains("is a link"), "{}", ended.stderr);
    assert_eq!(std::fs::read_dir(&outside).unwrap().count(), 0);
}

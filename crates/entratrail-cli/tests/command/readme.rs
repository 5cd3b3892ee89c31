//! The commands of the README, in the order in which a reader would type them.

use crate::stage::{Stage, TENANT, run};
use std::path::{Path, PathBuf};
use std::process::Command;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The lines of code in the README that are typed into a shell, without their remarks.
fn commands() -> Vec<String> {
    let readme = std::fs::read_to_string(root().join("README.md")).unwrap();
    let code = readme.lines().filter_map(|line| line.strip_prefix("    "));
    let lines = code.map(|line| line.split("  #").next().unwrap().trim().to_owned());
    let starts = ["make ", "git ", "pip ", "cargo ", "./", "target/"];
    lines.filter(|line| starts.iter().any(|start| line.starts_with(start))).collect()
}

/// Expects that `command` ends well at the top of the project.
fn works(command: &str) {
    let ended = run(Command::new("bash").args(["-c", command]).current_dir(root()));
    assert_eq!(ended.status, Some(0), "{command}: {}{}", ended.stdout, ended.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_command_of_the_readme_does_what_it_says() {
    let person = "[tenant.person]\ninterval_seconds = 1\nthinks = 0\n";
    let stage = Stage::set(&format!("{TENANT}{person}")).await;
    let tools = std::fs::read_to_string(root().join("tests/deploy-requirements.txt")).unwrap();
    let mut count = 0;
    for line in commands() {
        let words: Vec<_> = line.split(' ').collect();
        match words.as_slice() {
            // They hold this test, so that only their parts can be run; CI runs one of them as a
            // whole.
            ["make", "demo" | "test"] => works(&format!("make --dry-run {}", words[1])),
            ["git", "clone", ..] => {}
            // The tools that the tests of the deployment install and use.
            ["pip", "install", packages @ ..] => {
                for package in packages {
                    assert!(
                        tools.lines().any(|line| line.starts_with(&format!("{package}=="))),
                        "{package}"
                    );
                }
            }
            // The deployment itself is played in `tests/tests/deploy`.
            ["./deploy.sh"] => works("./deploy.sh --help"),
            ["cargo", "build", "--release", "-p", package] => {
                assert_eq!(*package, env!("CARGO_PKG_NAME"));
            }
            ["target/release/entratrail", ..] => {
                let line =
                    line.replace("target/release/entratrail", env!("CARGO_BIN_EXE_entratrail"));
                let mut shell = Command::new("bash");
                shell.args(["-c", &line]).current_dir(stage.archive().parent().unwrap());
                let ended = run(stage.point(&mut shell));
                assert_eq!(ended.status, Some(0), "{line}: {}{}", ended.stdout, ended.stderr);
            }
            _ => panic!("nothing runs this command of the README: {line}"),
        }
        count += 1;
    }
    assert!(count >= 10, "the README was not understood");
    assert!(stage.archive().with_file_name("report.html").exists());
}

//! Runs that are killed, stopped, or that meet.

use crate::stage::{Ended, Stage, TENANT, run};
use graph_simulator::Faults;
use std::fs::File;
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// Serves twelve pages and no other, so that a run never ends by itself.
fn hanging() -> String {
    format!("{TENANT}[[faults.script]]\nkind = 'slow'\nnth = 13\ntimes = 1000\nseconds = 600\n")
}

/// Answers take a moment, so that there is something to interrupt.
fn slow() -> String {
    TENANT.replace("requests_per_10s = 0", "requests_per_10s = 0\npage_latency_ms = 40")
}

/// Starts the command and waits until it has asked for `pages` more pages, or has ended.
async fn start_and_wait(stage: &Stage, command: &mut Command, pages: usize) -> Child {
    let enough = stage.page_requests() + pages;
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    wait_for_pages(stage, &mut child, enough).await;
    child
}

async fn wait_for_pages(stage: &Stage, child: &mut Child, enough: usize) {
    while stage.page_requests() < enough && child.try_wait().unwrap().is_none() {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_run_is_carried_on_without_loss_or_double() {
    let mut dice = fastrand::Rng::with_seed(7);
    for _ in 0..8 {
        let stage = Stage::set(&slow()).await;
        for _ in 0..4 {
            let mut child = start_and_wait(&stage, &mut stage.collect(), dice.usize(1..16)).await;
            child.kill().unwrap();
            child.wait().unwrap();
        }
        stage.collect_all();
        stage.assert_sound();
        assert!(stage.files("", ".part").is_empty());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_killed_while_it_writes_leaves_half_a_file_that_the_next_one_removes() {
    let large = TENANT.replace("per_day = 70", "per_day = 12000").replace("= 20", "= 1000");
    // The last page of the first day does not come, so that its object stays half written.
    let hangs = "[[faults.script]]\nkind = 'slow'\nstream = 'interactiveUser'\nnth = 12\ntimes = \
                 1000\nseconds = 600\n";
    let stage = Stage::set(&format!("{large}{hangs}")).await;
    let mut child = stage.collect().spawn().unwrap();
    while stage.files("raw", ".part").is_empty() && child.try_wait().unwrap().is_none() {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(!stage.files("raw", ".part").is_empty());
    stage.simulator.set_faults(Faults::default());
    stage.collect_all();
    assert!(stage.files("", ".part").is_empty());
    stage.assert_sound();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_another_run_is_writing_is_left_alone() {
    let stage = Stage::set(&slow()).await;
    stage.collect_all();
    let temporary = stage.files("raw", ".gz")[0].with_file_name(".entratrail-1.part");
    std::fs::write(&temporary, "half an object of a run that goes on").unwrap();
    let other =
        File::options().append(true).open(stage.archive().join(".entratrail/in-use.lock")).unwrap();
    other.lock_shared().unwrap();
    stage.collect_all();
    assert!(temporary.exists());
    other.unlock().unwrap();
    stage.collect_all();
    assert!(!temporary.exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn ctrl_c_stops_cleanly_says_where_and_the_same_command_goes_on() {
    let stage = Stage::set(&hanging()).await;
    let child = start_and_wait(&stage, &mut stage.collect(), 12).await;
    interrupt(&child);
    let ended = Ended::of(&child.wait_with_output().unwrap());
    assert_eq!(ended.status, Some(1), "{}{}", ended.stdout, ended.stderr);
    assert!(ended.stderr.contains("stopping"), "{}", ended.stderr);
    assert!(ended.stdout.contains("stopped before "), "{}", ended.stdout);
    assert!(ended.stdout.contains("the same command goes on there"), "{}", ended.stdout);
    assert!(stage.files("", ".part").is_empty());
    let before = run(stage.verify().arg("--json")).stdout;
    assert!(!before.contains("\"wrong\""), "{before}");
    stage.simulator.set_faults(Faults::default());
    stage.collect_all();
    stage.assert_sound();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_ctrl_c_ends_at_once_and_the_next_run_goes_on() {
    let stage = Stage::set(&hanging()).await;
    // Nobody reads what it says at its end, so that it does not come to that.
    let (_unread, full) = std::io::pipe().unwrap();
    let mut filling = full.try_clone().unwrap();
    std::thread::spawn(move || while filling.write_all(&[b' '; 4096]).is_ok() {});
    let mut child = stage.collect().stdout(full).stderr(Stdio::piped()).spawn().unwrap();
    wait_for_pages(&stage, &mut child, 12).await;
    interrupt(&child);
    let mut said = BufReader::new(child.stderr.take().unwrap()).lines().map(Result::unwrap);
    assert!(said.any(|line| line.contains("stopping")));
    assert!(child.try_wait().unwrap().is_none(), "the first one ended it");
    interrupt(&child);
    assert_eq!(child.wait().unwrap().code(), Some(130));
    stage.simulator.set_faults(Faults::default());
    stage.collect_all();
    stage.assert_sound();
}

#[tokio::test(flavor = "multi_thread")]
async fn ctrl_c_before_the_first_page_leaves_nothing() {
    let silent = "[[faults.script]]\nkind = 'silence'\non = 'token'\nseconds = 600\n";
    let stage = Stage::set(&format!("{TENANT}{silent}")).await;
    let mut child = stage.collect().stderr(Stdio::piped()).spawn().unwrap();
    while stage.simulator.requests().is_empty() && child.try_wait().unwrap().is_none() {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    interrupt(&child);
    assert_eq!(Ended::of(&child.wait_with_output().unwrap()).status, Some(1));
    assert!(stage.files("raw", "").is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn two_processes_at_once_store_nothing_twice() {
    for windows in ["1440", "360"] {
        let stage = Stage::set(&slow()).await;
        let start = || {
            let mut command = stage.collect();
            command
                .env("WINDOW_MINUTES", windows)
                .arg("--quiet")
                .stderr(Stdio::piped())
                .spawn()
                .unwrap()
        };
        let both = [start(), start()];
        for child in both {
            let ended = Ended::of(&child.wait_with_output().unwrap());
            assert!(matches!(ended.status, Some(0 | 1)), "{}", ended.stderr);
        }
        let ended = run(stage.collect().env("WINDOW_MINUTES", windows));
        assert_eq!(ended.status, Some(0), "{}", ended.stderr);
        let ended = run(&mut stage.verify());
        assert_eq!(ended.status, Some(0), "{}", ended.stdout);
    }
}

fn interrupt(child: &Child) {
    let sent = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(sent.success());
}

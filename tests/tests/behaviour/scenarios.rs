//! Every file below `scenarios/` is a story with its expected outcome. A new behaviour is a new
//! file there.

use entratrail_tests::audit::Audit;
use entratrail_tests::states::{Bounds, States};
use entratrail_tests::world::{World, scheduled};
use graph_simulator::Scenario;
use graph_simulator::scenario::Expect;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// Plays all stories of a folder and names every one that ends otherwise than it says.
async fn play(folder: &str) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios").join(folder);
    let mut files: Vec<_> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(!files.is_empty());
    let mut wrong = Vec::new();
    for file in files {
        if let Err(why) = play_one(&file).await {
            wrong.push(format!("{}: {why}", file.file_name().unwrap().to_string_lossy()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test(start_paused = true)]
async fn complete_whatever_graph_does() {
    play("completeness").await;
}

#[tokio::test(start_paused = true)]
async fn patient_with_limits_and_failures() {
    play("faults").await;
}

#[tokio::test(start_paused = true)]
async fn refusals_are_explained() {
    play("refusals").await;
}

/// The result of the last run: its report or answer, or its error.
struct Ending {
    error: Option<String>,
    text: String,
    windows: Value,
}

async fn play_one(file: &PathBuf) -> Result<(), String> {
    let scenario = Scenario::read(file).map_err(|error| error.to_string())?;
    let expect = scenario.expect.clone();
    let runs = scenario.collect.runs.clone();
    let event =
        scenario.collect.event.as_ref().map_or_else(scheduled, |event| event.parse().unwrap());
    let world = World::start(scenario).await;
    let mut ending = None;
    for at in runs.iter().copied().map(Some).chain(runs.is_empty().then_some(None)) {
        if let Some(at) = at {
            world.simulator.set_now(at);
        }
        ending = Some(run_once(&world, &event).await);
    }
    let ending = ending.ok_or("it has no run")?;
    check_ending(&expect, &ending)?;
    check_archive(&world, &expect).await
}

async fn run_once(world: &World, event: &Value) -> Ending {
    let failed = |error: entratrail::error::Error| Ending {
        error: Some(error.error_type().to_owned()),
        text: error.to_string(),
        windows: Value::Null,
    };
    if event["check"] == json!(true) {
        let checks = world.collector().unwrap().check().await;
        return Ending { error: None, text: json!(checks).to_string(), windows: Value::Null };
    }
    match world.run_for(event, None).await {
        Err(error) => failed(error),
        Ok(run) => {
            let windows = json!(run.report.windows);
            let text = json!(run.report).to_string();
            match run.error {
                Some(error) => Ending { windows, ..failed(error) },
                None => Ending { error: None, text, windows },
            }
        }
    }
}

fn check_ending(expect: &Expect, ending: &Ending) -> Result<(), String> {
    if ending.error != expect.error {
        return Err(format!(
            "it ended with {:?} ({}), expected was {:?}",
            ending.error, ending.text, expect.error
        ));
    }
    for part in &expect.says {
        if !ending.text.contains(part) && !ending.windows.to_string().contains(part) {
            return Err(format!("it does not say \"{part}\": {}", ending.text));
        }
    }
    Ok(())
}

async fn check_archive(world: &World, expect: &Expect) -> Result<(), String> {
    let audit = world.audit().await;
    if let Some(problem) = audit.problems.first() {
        return Err(format!(
            "{} problems in the archive, such as: {problem}",
            audit.problems.len()
        ));
    }
    let unread = world.unread(&audit).count();
    if expect.complete && unread > 0 {
        return Err(format!("{unread} records are missing from the archive"));
    }
    let requests = world.page_requests() as u64;
    if expect.requests_at_most.is_some_and(|most| requests > most) {
        return Err(format!("{requests} page requests were sent"));
    }
    for (window, state) in &expect.states {
        let found = state_of(world, &audit, window);
        if found != *state {
            return Err(format!("{window} is {found}, expected was {state}"));
        }
    }
    for (window, reads) in &expect.reads {
        let found = rows_of(&audit, window).len();
        if found != *reads as usize {
            return Err(format!("{window} was read {found} times, expected was {reads}"));
        }
    }
    Ok(())
}

/// The complete reads of a window.
fn rows_of(audit: &Audit, window: &str) -> Vec<Value> {
    let (stream, (start, end)) = named(window);
    let is_it =
        |row: &&Value| row["window_start"] == json!(start) && row["window_end"] == json!(end);
    audit.complete_rows(stream).filter(is_it).cloned().collect()
}

/// The state of a window at the end of a story, by an independent judge.
fn state_of(world: &World, audit: &Audit, window: &str) -> &'static str {
    let days = world.setting("HISTORY_DAYS").map_or(30, |days| days.parse().unwrap());
    let oldest_day = world.simulator.now().date_naive() - chrono::Days::new(days);
    let (stream, bounds) = named(window);
    States::of(audit, stream, oldest_day).state(bounds)
}

/// The stream and the window that are written as `interactiveUser 2026-11-22 0000-2400`.
fn named(text: &str) -> (&str, Bounds) {
    let mut words = text.split(' ');
    let stream = words.next().unwrap();
    let day = words.next().unwrap().parse().unwrap();
    let window = entratrail::window::Window::named(day, words.next().unwrap()).unwrap();
    (stream, (window.start(), window.end()))
}

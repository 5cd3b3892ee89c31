//! Readers: the product beside what a user would pick instead, on the same tenants.

mod account;
mod ladder;
mod process;
mod sheet;
mod tool;
mod truth;

pub(crate) use sheet::Sheet;

use crate::{Failure, progress};
use account::{Account, Tally};
use chrono::NaiveDate;
use graph_simulator::{Scenario, Simulator};
use ladder::{Run, Rung};
use process::{Cost, Ending, How};
use std::collections::{BTreeMap, HashSet};
use std::time::Duration;
use tool::{Installed, Tool};
use truth::Truth;

/// Records of the clean days. A quick measurement stops after the first.
const CLEAN_RECORDS: [u32; 3] = [10_000, 100_000, 1_000_000];

/// What a reader came to on a rung.
#[derive(Debug)]
pub(crate) struct Played {
    account: Account,
    cost: Cost,
    /// What each run that did not end well said.
    reported: Vec<String>,
}

/// Plays every rung with every tool that can be installed.
pub(crate) async fn measure(is_quick: bool, patience: Duration) -> Result<Sheet, Failure> {
    progress("readers: installing the other ones");
    let tools: Vec<_> = Tool::ALL.into_iter().map(|tool| (tool, tool.install())).collect();
    let mut sheet = Sheet::new(patience);
    let sizes = CLEAN_RECORDS.into_iter().take(if is_quick { 1 } else { CLEAN_RECORDS.len() });
    for rung in sizes.map(Rung::clean).chain(Rung::ladder()) {
        sheet.begin(&rung);
        for (tool, installed) in &tools {
            match installed {
                Ok(installed) => {
                    progress(&format!("readers: {}, {}: {}", rung.name, rung.terms(), tool.title()));
                    sheet.enter(*tool, play(installed, &rung, patience).await?);
                }
                Err(why) => sheet.miss(*tool, why),
            }
        }
    }
    Ok(sheet)
}

/// One tool on one rung, on a simulator and with a place of its own.
async fn play(installed: &Installed, rung: &Rung, patience: Duration) -> Result<Played, Failure> {
    let simulator = Simulator::start(Scenario::from_toml(&rung.scenario())?).await?;
    let shelf = installed.shelf().await?;
    let (mut truth, mut cost, mut reported) = (Truth::default(), Cost::default(), Vec::new());
    let mut has_failed: BTreeMap<NaiveDate, bool> = BTreeMap::new();
    for run in rung.runs(simulator.now()) {
        simulator.set_now(run.at);
        let before: HashSet<_> = truth.look(&simulator, run.at).into_iter().collect();
        simulator.set_now(run.at);
        let (command, input) = installed.command(&shelf, &simulator, rung, &run)?;
        let ending = watch_one(command, &input, patience, &simulator, run)?;
        // What came or went while the run was under way is expected of nobody.
        for version in truth.look(&simulator, run.at).into_iter().filter(|version| before.contains(version)) {
            truth.expect(version);
        }
        cost = cost.and(ending.cost);
        has_failed.insert(run.day_before(), ending.how != How::Well);
        reported.extend(said(ending.how));
    }
    let has_memory = installed.tool == Tool::EntraTrail;
    let mut tally = Tally::new(&truth);
    shelf.enter_into(&mut tally)?;
    let account = tally.close(|day| {
        let run = if has_memory { has_failed.values().next_back() } else { has_failed.get(&day) };
        run.copied().unwrap_or_default()
    });
    Ok(Played { account, cost, reported })
}

/// Waits for a program without holding up what it talks to.
fn watch_one(
    command: std::process::Command,
    input: &[u8],
    patience: Duration,
    simulator: &Simulator,
    run: Run,
) -> Result<Ending, Failure> {
    let before = simulator.counts().pages;
    let is_to_die = || run.killed_after_pages.is_some_and(|pages| simulator.counts().pages >= before + pages);
    let ending = tokio::task::block_in_place(|| process::watch(command, input, patience, is_to_die))?;
    if run.killed_after_pages.is_some() && ending.how != How::Killed {
        return Err(format!("a reader that was to be killed ended otherwise: {:?}", ending.how).into());
    }
    Ok(ending)
}

/// How a run that did not end well is told.
fn said(how: How) -> Option<String> {
    match how {
        How::Well | How::Killed => None,
        How::Failed(message) => Some(message),
        How::BrokenOff => Some("broken off because it took too long".to_owned()),
    }
}

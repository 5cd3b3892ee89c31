//! Readers: the product beside what a user would pick instead, on the same tenants.

mod account;
mod ladder;
mod process;
mod sheet;
mod tool;
mod truth;

use crate::{Failure, progress};
use account::{Account, Tally};
use chrono::NaiveDate;
use graph_simulator::{Scenario, Simulator};
use ladder::{Run, Rung};
use process::{Cost, Ending, How};
use sheet::Sheet;
use std::collections::{BTreeMap, HashSet};
use std::time::Duration;
use tool::{Installed, Tool};
use truth::Truth;

/// Records of the clean days. A quick measurement stops after the first.
const CLEAN_RECORDS: [u32; 3] = [10_000, 100_000, 1_000_000];

/// Result of a reader on a rung.
#[derive(Debug)]
pub(crate) struct Played {
    account: Account,
    cost: Cost,
    /// Last words of each run that did not end well.
    reported: Vec<String>,
}

/// Plays every rung with every tool that can be installed, and prints what came of it. The result
/// names the rungs on which the product broke its promise.
pub(crate) async fn measure(is_quick: bool, patience: Duration) -> Result<Vec<String>, Failure> {
    progress("readers: installing the other ones");
    let tools: Vec<_> = Tool::ALL.into_iter().map(|tool| (tool, tool.install())).collect();
    println!("{}", sheet::introduction(patience));
    let sizes = CLEAN_RECORDS.into_iter().take(if is_quick { 1 } else { CLEAN_RECORDS.len() });
    let mut breaches = Vec::new();
    for rung in sizes.map(Rung::clean).chain(Rung::ladder()) {
        let mut sheet = Sheet::new(&rung);
        for (tool, installed) in &tools {
            match installed {
                Ok(installed) => {
                    progress(&format!(
                        "readers: {}, {}: {}",
                        rung.name,
                        rung.terms(),
                        tool.title()
                    ));
                    sheet.enter(*tool, &play(installed, &rung, patience).await?);
                }
                Err(why) => sheet.miss(*tool, why),
            }
        }
        println!("{sheet}");
        breaches.extend(sheet.is_breached.then_some(rung.name));
    }
    Ok(breaches)
}

/// One tool on one rung, on a simulator and with a place of its own.
async fn play(installed: &Installed, rung: &Rung, patience: Duration) -> Result<Played, Failure> {
    let simulator = Simulator::start(Scenario::from_toml(&rung.scenario())?).await?;
    let shelf = installed.shelf().await?;
    let mut truth = Truth::default();
    let mut cost = Cost::default();
    let mut reported = Vec::new();
    let mut has_failed: BTreeMap<NaiveDate, bool> = BTreeMap::new();
    for run in rung.runs(simulator.now()) {
        simulator.set_now(run.at);
        let before: HashSet<_> = truth.look(&simulator, run.at).into_iter().collect();
        simulator.set_now(run.at);
        let (command, input) = installed.command(&shelf, &simulator, rung, &run)?;
        let ending = watch_one(command, &input, patience, &simulator, run)?;
        // What came or went while the run was under way is expected of nobody.
        for version in
            truth.look(&simulator, run.at).into_iter().filter(|version| before.contains(version))
        {
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
    let ending = tokio::task::block_in_place(|| {
        process::watch(command, input, patience, || {
            run.killed_after_pages.is_some_and(|pages| simulator.counts().pages >= before + pages)
        })
    })?;
    if run.killed_after_pages.is_some() && ending.how != How::Killed {
        return Err(
            format!("a reader that was to be killed ended otherwise: {:?}", ending.how).into()
        );
    }
    Ok(ending)
}

/// Tells of a run that did not end well.
fn said(how: How) -> Option<String> {
    match how {
        How::Well | How::Killed => None,
        How::Failed(message) => Some(message),
        How::BrokenOff => Some("broken off because it took too long".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::{DateTime, Utc};
    use serde_json::Value;

    const TENANT: &str = "name = 'x'\n[clock]\nnow = \
                          '2026-11-23T01:15:00Z'\n[limits]\nlargest_page = 20\n[[volume]]\nstream \
                          = 'interactiveUser'\nper_day = 60\n";

    /// Follows next links without another thought, and keeps every record twice if told so.
    async fn account_of_a_plain_reader(trouble: &str, times: usize) -> Account {
        let scenario = Scenario::from_toml(&format!("{TENANT}{trouble}")).unwrap();
        let simulator = Simulator::start(scenario).await.unwrap();
        let now: DateTime<Utc> = simulator.now();
        let mut truth = Truth::default();
        for version in truth.look(&simulator, now) {
            truth.expect(version);
        }
        let source = tool::source(&simulator, &Run { at: now, killed_after_pages: None });
        let http = reqwest::Client::new();
        let token = crate::child::sign_on(&http, &source).await.unwrap();
        let mut link = Some(format!("{}/v1.0/auditLogs/signIns", simulator.url()));
        let mut tally = Tally::new(&truth);
        while let Some(next) = link {
            let body =
                http.get(next).bearer_auth(&token).send().await.unwrap().bytes().await.unwrap();
            let page: Value = serde_json::from_slice(&body).unwrap();
            for record in page["value"].as_array().into_iter().flatten() {
                for _ in 0..times {
                    tally.enter(record.to_string().as_bytes());
                }
            }
            link = page["@odata.nextLink"].as_str().map(str::to_owned);
        }
        tally.close(|_| false)
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_reader_of_a_clean_day_has_it_all_in_whatever_form_it_was_served() {
        let all = Account { kept: 60, ..Account::default() };
        assert_eq!(account_of_a_plain_reader("", 1).await, all);
        let flipped = "[[faults.script]]\nkind = 'type_flip'\nnth = 2";
        assert_eq!(account_of_a_plain_reader(flipped, 1).await, all);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_reader_that_ends_early_or_reads_twice_is_charged_with_it() {
        let short =
            account_of_a_plain_reader("[[faults.script]]\nkind = 'missing_link'\nnth = 2", 1).await;
        assert_eq!(short, Account { kept: 40, silently_lost: 20, ..Account::default() });
        let refused =
            account_of_a_plain_reader("[[faults.script]]\nkind = 'throttle_bare'\nnth = 3", 1)
                .await;
        assert_eq!(refused, Account { kept: 40, silently_lost: 20, ..Account::default() });
        let again =
            account_of_a_plain_reader("[[faults.script]]\nkind = 'repeated_link'\nnth = 2", 1)
                .await;
        assert_eq!(again, Account { kept: 60, doubled: 20, ..Account::default() });
        assert_eq!(account_of_a_plain_reader("", 2).await.doubled, 60);
    }
}

//! Evidence: what signing the history of the ledger adds to a run.

use crate::child::Outcome;
use crate::stage::{STREAM, Setting, Stage};
use crate::table::{Table, Target, as_float, megabytes};
use crate::{Failure, progress};
use tempfile::TempDir;

/// Runs of each kind, one after the other in turn.
const RUNS: usize = 3;
/// Multiple of the CPU time of a run without a key that one with a key may take.
const MOST_CPU: f64 = 1.15;
/// Multiple of its peak memory.
const MOST_MEMORY: f64 = 1.1;

/// Collects a large day, and twenty small ones of four streams, with a key that signs and without.
pub(crate) async fn measure() -> Result<Table, Failure> {
    let mut table = Table::new(
        "evidence: the same run with and without a key that signs, no limit, no latency; medians \
         of three",
    );
    let large = Setting::unlimited(vec![(STREAM, 100_000)], 1);
    compare(&mut table, "a day of 100,000", &large).await?;
    let small = Setting::unlimited(Setting::in_four_streams(1_000), 20);
    compare(&mut table, "twenty days of 1,000", &small).await?;
    Ok(table)
}

async fn compare(table: &mut Table, what: &str, setting: &Setting) -> Result<(), Failure> {
    let mut plain = Vec::new();
    let mut signed = Vec::new();
    for number in 1..=RUNS {
        progress(&format!("evidence: {what}, without and with a key, {number} of {RUNS}"));
        plain.push(Stage::new(setting.clone()).await?.collect().await?);
        let folder = TempDir::with_prefix("entratrail-bench-")?;
        let stage = Stage::new(setting.clone()).await?;
        signed.push(stage.collect_signed(&folder.path().join("key")).await?);
    }
    let without = median(plain.iter().map(microseconds_each));
    let with = median(signed.iter().map(microseconds_each));
    table.add(format!("{what}: CPU per record without"), format!("{without:.1} µs"));
    table.add(format!("{what}: CPU per record with"), format!("{with:.1} µs"));
    let target = Target::new("at most 15 %", with <= without * MOST_CPU);
    table.add_with_target(format!("{what}: more CPU"), more(with, without), target);
    let without = median(plain.iter().map(peak_megabytes));
    let with = median(signed.iter().map(peak_megabytes));
    table.add(format!("{what}: peak memory without"), format!("{without:.1} MB"));
    table.add(format!("{what}: peak memory with"), format!("{with:.1} MB"));
    let target = Target::new("at most 10 %", with <= without * MOST_MEMORY);
    table.add_with_target(format!("{what}: more memory"), more(with, without), target);
    Ok(())
}

/// CPU time per record.
fn microseconds_each(outcome: &Outcome) -> f64 {
    outcome.cpu_seconds * 1e6 / as_float(outcome.records)
}

fn peak_megabytes(outcome: &Outcome) -> f64 {
    megabytes(outcome.peak_bytes)
}

fn more(with: f64, without: f64) -> String {
    format!("{:.1} %", (with / without - 1.0) * 100.0)
}

fn median(figures: impl Iterator<Item = f64>) -> f64 {
    let mut figures: Vec<_> = figures.collect();
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}

//! Memory: the peak of a large run beside that of a small one.

use crate::stage::{STREAM, Setting, Stage};
use crate::table::{Table, Target, megabytes, thousands};
use crate::{Failure, progress};

/// As many as a window holds by default, so that each day is one.
const RECORDS_A_DAY: u32 = 50_000;
/// Share by which one peak may lie above the other.
const MOST_GROWTH: f64 = 1.1;
/// Megabytes that no run may exceed.
const MOST_MEGABYTES: f64 = 80.0;

/// Collects one day and twenty, in one stream and in four.
pub(crate) async fn measure() -> Result<Table, Failure> {
    let mut table = Table::new(
        "memory: days of 50,000 beta sign-ins, no limit, no latency; peak resident memory",
    );
    compare(&mut table, "in one stream", &[(STREAM, RECORDS_A_DAY)]).await?;
    compare(&mut table, "in four streams", &Setting::in_four_streams(RECORDS_A_DAY)).await?;
    Ok(table)
}

async fn compare(
    table: &mut Table,
    how: &str,
    streams: &[(&'static str, u32)],
) -> Result<(), Failure> {
    let mut peaks = Vec::new();
    for days in [1, 20] {
        let setting = Setting::unlimited(streams.to_vec(), days);
        let what = format!("{} records {how}", thousands(setting.records()));
        progress(&format!("memory: {what}"));
        let peak = megabytes(Stage::new(setting).await?.collect().await?.peak_bytes);
        let target = Target::new(format!("below {MOST_MEGABYTES} MB"), peak < MOST_MEGABYTES);
        table.add_with_target(what, format!("{peak:.1} MB"), target);
        peaks.push(peak);
    }
    let smallest = peaks.iter().copied().fold(f64::INFINITY, f64::min);
    let growth = peaks.iter().copied().fold(0.0, f64::max) / smallest;
    let target = Target::new("within 10 %", growth <= MOST_GROWTH);
    let what = format!("the larger above the smaller, {how}");
    table.add_with_target(what, format!("{:.1} %", (growth - 1.0) * 100.0), target);
    Ok(())
}

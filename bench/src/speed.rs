//! Speed: how much of what Graph's limit allows is read, where every page takes four seconds.

use crate::child::Outcome;
use crate::stage::{STREAM, Setting, Stage};
use crate::table::{Table, Target, as_float};
use crate::{Failure, progress};

/// Five requests in ten seconds, a thousand records each.
const MOST_RECORDS_A_SECOND: f64 = 500.0;
/// The share of it that a run must reach.
const SHARE: f64 = 0.95;

/// Reads a day of 100,000 sign-ins, as one stream and as four, and as one stream page after page.
pub(crate) async fn measure(factor: u32) -> Result<Table, Failure> {
    let mut table = Table::new(format!(
        "speed: a day of 100,000 beta sign-ins; 5 requests per 10 s, 4 s per page; time runs \
         {factor} times as fast"
    ));
    let four = Setting::in_four_streams(100_000);
    for (what, streams) in
        [("in one stream", vec![(STREAM, 100_000)]), ("in four streams, 25/60/10/5 %", four)]
    {
        progress(&format!("speed: {what}"));
        let outcome = Stage::new(setting(streams, factor)).await?.collect().await?;
        let is_met = records_a_second(outcome) >= SHARE * MOST_RECORDS_A_SECOND;
        table.add_with_target(what, shown(outcome), Target::new("at least 95 %", is_met));
    }
    progress("speed: page after page");
    let plain = Stage::new(setting(vec![(STREAM, 100_000)], factor)).await?.read_plainly().await?;
    table.add("a plain reader, page after page", shown(plain));
    Ok(table)
}

fn setting(records_per_day: Vec<(&'static str, u32)>, speed: u32) -> Setting {
    Setting { records_per_day, days: 1, requests_per_10s: Some(5), page_latency_ms: 4000, speed }
}

fn records_a_second(outcome: Outcome) -> f64 {
    as_float(outcome.records) / outcome.seconds
}

fn shown(outcome: Outcome) -> String {
    let speed = records_a_second(outcome);
    let share = 100.0 * speed / MOST_RECORDS_A_SECOND;
    let Outcome { requests, seconds, .. } = outcome;
    format!("{seconds:.0} s, {requests} requests, {speed:.0} records/s, {share:.1} % of the limit")
}

//! A report of bounded size, for answers and log lines that AWS would refuse or cut.

use super::{Report, WindowReport};
use serde::Serialize;
use std::collections::BTreeMap;

/// Windows, and objects that are not ours, of which a report tells. With the limits below it stays
/// under 256 KB, the smallest size that a log line, an event or a record of a failure may have; an
/// answer may have 6 MB. <https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html>
const MAX_LISTED: usize = 100;

/// Objects of the archive that are gone or differ, of which a report tells.
const MAX_DAMAGED: usize = 20;

/// Bytes of the reason why a window failed.
const MAX_ERROR_BYTES: usize = 600;

/// Bytes of the key of an object. Keys of our own are shorter.
const MAX_KEY_BYTES: usize = 200;

/// A report whose lists are cut and whose counts are exact.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct BoundedReport {
    #[serde(flatten)]
    report: Report,
    /// For each stream the number of its windows in each state; those that failed count as
    /// `failed`.
    window_counts: BTreeMap<&'static str, BTreeMap<&'static str, u64>>,
    /// Objects in the archive's folders that EntraTrail did not write.
    foreign_count: u64,
    /// Objects of the archive that are gone or are not the ones on record.
    damaged_count: u64,
    /// Table objects that were made again.
    remade_table_count: u64,
}

impl Report {
    /// Cuts the lists to their first hundred or twenty entries, windows that failed first, and
    /// counts what they held.
    pub fn bounded(mut self) -> BoundedReport {
        let mut window_counts: BTreeMap<_, BTreeMap<_, u64>> = BTreeMap::new();
        for window in &self.windows {
            *window_counts.entry(window.stream).or_default().entry(outcome(window)).or_default() +=
                1;
        }
        let foreign_count = self.foreign.len() as u64;
        self.windows.sort_by_key(|window| !window.has_failed());
        self.windows.truncate(MAX_LISTED);
        for error in self.windows.iter_mut().filter_map(|window| window.error.as_mut()) {
            cut(error, MAX_ERROR_BYTES);
        }
        self.foreign.truncate(MAX_LISTED);
        self.foreign.iter_mut().for_each(|key| cut(key, MAX_KEY_BYTES));
        if let Some(evidence) = &mut self.evidence {
            evidence.alarms.truncate(MAX_LISTED);
        }
        let damaged_count = self.damaged.len() as u64;
        self.damaged.truncate(MAX_DAMAGED);
        self.damaged.iter_mut().for_each(|sentence| cut(sentence, MAX_ERROR_BYTES));
        let remade_table_count = self.remade_tables.len() as u64;
        self.remade_tables.truncate(MAX_DAMAGED);
        BoundedReport {
            report: self,
            window_counts,
            foreign_count,
            damaged_count,
            remade_table_count,
        }
    }
}

fn outcome(window: &WindowReport) -> &'static str {
    if window.has_failed() { "failed" } else { window.state.word() }
}

/// Cuts `text` to at most that many bytes. Control characters go: they have no place in a log, and
/// take six bytes in JSON.
fn cut(text: &mut String, max_bytes: usize) {
    const ELLIPSIS: char = '…';
    if text.contains(char::is_control) {
        *text = text.replace(char::is_control, "\u{fffd}");
    }
    if text.len() > max_bytes {
        text.truncate(text.floor_char_boundary(max_bytes - ELLIPSIS.len_utf8()));
        text.push(ELLIPSIS);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::State;
    use crate::log::{EventType, Log, Stream};
    use serde_json::json;

    fn window(state: State, error: Option<String>) -> WindowReport {
        let stream = Stream::SignIns(EventType::NonInteractiveUser);
        let end = "2026-11-23T00:00:00Z".parse().unwrap();
        let unread = WindowReport::unread(
            stream,
            end - chrono::TimeDelta::days(1),
            end,
            4_000_000_000,
            state,
        );
        WindowReport { error, ..unread }
    }

    #[test]
    fn the_largest_report_fits_into_a_log_line_and_its_counts_are_exact() {
        let mut report = Report::new(Log::SignIns);
        for _ in 0..30_000 {
            report.add(window(State::Missing, None));
        }
        for _ in 0..4_560 {
            report.add(window(State::Open, Some("\"".repeat(10_000))));
        }
        report.foreign = vec!["\u{1}".repeat(1024); 80_000];
        report.damaged = vec!["\"".repeat(10_000); 80_000];
        report.remade_tables = vec!["x".repeat(120); 80_000];
        let bounded = json!(report.bounded());
        assert!(bounded.to_string().len() <= 250 * 1024, "{}", bounded.to_string().len());
        let counts = &bounded["windowCounts"]["nonInteractiveUser"];
        assert_eq!(counts, &json!({"missing": 30_000, "failed": 4_560}));
        assert_eq!(bounded["foreignCount"], 80_000);
        assert_eq!(
            (&bounded["damagedCount"], &bounded["remadeTableCount"]),
            (&json!(80_000), &json!(80_000))
        );
        assert_eq!(bounded["windows"].as_array().unwrap().len(), 100);
        assert_eq!(bounded["foreign"].as_array().unwrap().len(), 100);
    }

    #[test]
    fn windows_that_failed_come_first_and_small_reports_are_whole() {
        let mut report = Report::new(Log::SignIns);
        report.add(window(State::Verified, None));
        report.add(window(State::Open, Some("Graph did not answer".to_owned())));
        report.foreign = vec!["raw/sign-ins/notes.txt".to_owned()];
        let bounded = json!(report.bounded());
        assert_eq!(bounded["windows"][0]["error"], "Graph did not answer");
        assert_eq!(bounded["windows"][1]["state"], "verified");
        assert_eq!(bounded["foreign"], json!(["raw/sign-ins/notes.txt"]));
        assert_eq!(bounded["log"], "sign-ins");
    }

    #[test]
    fn text_is_cut_between_characters() {
        let mut text = "ä".repeat(10);
        cut(&mut text, 10);
        assert_eq!(text, "äää…");
    }
}

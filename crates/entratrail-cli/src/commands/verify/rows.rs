//! The contradictions between the rows of a ledger.

use chrono::NaiveDate;
use entratrail::ledger::{Counts, Ledger, ReadRow};
use entratrail::log::Stream;
use entratrail::object::{ledger_key, parse_raw_key};
use std::collections::BTreeMap;

/// A sentence for each contradiction in the ledger of that day.
pub(super) fn problems(
    stream: Stream,
    day: NaiveDate,
    ledger: &Ledger,
    address: impl Fn(&str) -> String,
) -> Vec<String> {
    let complete: Vec<_> = ledger.rows().filter(|row| row.is_complete()).collect();
    let mut problems = Vec::new();
    for row in &complete {
        problems.extend(of_row(stream, day, row));
        problems.extend(of_table(ledger, row));
    }
    problems.extend(doubled_objects(&complete));
    problems.extend(doubled_reads(&complete));
    problems.extend(lost_reads(&complete));
    problems.extend(disordered_reads(&complete));
    problems.extend(overlaps(&complete));
    let file = address(&ledger_key(stream, day));
    problems.into_iter().map(|problem| format!("{file}: {problem}")).collect()
}

fn of_row(stream: Stream, day: NaiveDate, row: &ReadRow) -> Vec<String> {
    let read = name(row);
    let mut problems = Vec::new();
    if row.window.day() != day {
        problems.push(format!("{read} belongs to {}", row.window.day()));
    }
    let counts = row.counts();
    let object = row.object().map(|object| object.key.as_str());
    // A number that another run took meanwhile is the next one, while the object keeps its name.
    let is_own = object
        .and_then(|key| parse_raw_key(stream, key))
        .is_some_and(|object| object.window == row.window && object.read <= row.read);
    match object {
        Some(_) if counts.new == 0 => {
            problems.push(format!("{read} names an object and nothing new"));
        }
        None if counts.new > 0 => {
            problems.push(format!("{read} has something new and names no object"));
        }
        Some(key) if !is_own => {
            problems.push(format!("{read} names {key}, which is not its own"));
        }
        _ => {}
    }
    if counts.served < counts.new || counts.new < counts.changed {
        let Counts { served, new, changed, .. } = counts;
        problems.push(format!(
            "{read} cannot have served {served}, of them {new} new, of them {changed} changed"
        ));
    }
    problems
}

/// A table has a row for each line of the raw object.
fn of_table(ledger: &Ledger, row: &ReadRow) -> Option<String> {
    let table = ledger.table_of(&row.object()?.key)?;
    let new = row.counts().new;
    (table.rows != new).then(|| {
        format!("{} brought {new} new, and its table has {} rows on record", name(row), table.rows)
    })
}

/// Reads that stand after a later one of the same window. Rows are only appended.
fn disordered_reads(complete: &[&ReadRow]) -> Vec<String> {
    let mut latest: BTreeMap<_, u32> = BTreeMap::new();
    let mut problems = Vec::new();
    for row in complete {
        let latest = latest.entry(row.window).or_default();
        if row.read < *latest {
            problems.push(format!("{} stands after read {latest}", name(row)));
        }
        *latest = row.read.max(*latest);
    }
    problems
}

/// Objects that two reads claim.
fn doubled_objects(complete: &[&ReadRow]) -> Vec<String> {
    let mut claims: BTreeMap<&str, u32> = BTreeMap::new();
    for object in complete.iter().filter_map(|row| row.object()) {
        *claims.entry(&object.key).or_default() += 1;
    }
    let doubled = claims.into_iter().filter(|(_, count)| *count > 1);
    doubled.map(|(key, count)| format!("{key} is named by {count} reads")).collect()
}

/// Reads that are there twice: of any two, one was added.
fn doubled_reads(complete: &[&ReadRow]) -> Vec<String> {
    let mut counts: BTreeMap<String, u32> = BTreeMap::new();
    for row in complete {
        *counts.entry(name(row)).or_default() += 1;
    }
    let doubled = counts.into_iter().filter(|(_, count)| *count > 1);
    doubled.map(|(read, count)| format!("{read} is on record {count} times")).collect()
}

/// Reads that must have been there, because later ones are. Not so where the ledger itself was lost
/// and made again from the objects, which know only of reads that brought something.
fn lost_reads(complete: &[&ReadRow]) -> Vec<String> {
    let mut reads = BTreeMap::new();
    for row in complete {
        let (numbers, is_made_again) = reads.entry(row.window).or_insert((Vec::new(), false));
        numbers.push(row.read);
        *is_made_again |= row.requests == 0 && row.object().is_some();
    }
    let mut problems = Vec::new();
    for (window, (numbers, _)) in reads.into_iter().filter(|(_, (_, is_made_again))| !is_made_again)
    {
        let last = numbers.iter().copied().max().unwrap_or(0);
        let removed = (1..last).filter(|number| !numbers.contains(number));
        problems.extend(removed.map(|removed| {
            format!(
                "read {removed} of {} is not on record, and read {last} is: a line was removed",
                window.name()
            )
        }));
    }
    problems
}

/// Minutes that two different windows claim.
fn overlaps(complete: &[&ReadRow]) -> Vec<String> {
    let mut windows: Vec<_> = complete.iter().map(|row| row.window).collect();
    windows.sort_unstable();
    windows.dedup();
    windows.sort_by_key(|window| (window.start(), std::cmp::Reverse(window.end())));
    let mut problems = Vec::new();
    let mut widest = None;
    for window in windows {
        if let Some(earlier) = widest.filter(|earlier| window.overlaps(*earlier)) {
            let one = earlier.name();
            let other = window.name();
            problems.push(format!("the minutes of {other} are covered twice, by {one} as well"));
        } else {
            widest = Some(window);
        }
    }
    problems
}

fn name(row: &ReadRow) -> String {
    format!("read {} of {}", row.read, row.window.name())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn row(read: u32, hours: (u32, u32), new: u64) -> Value {
        let at = |hour: u32| {
            if hour == 24 {
                "2026-11-21T00:00:00Z".to_owned()
            } else {
                format!("2026-11-20T{hour:02}:00:00Z")
            }
        };
        let name = format!("{:02}00-{:02}00", hours.0, hours.1);
        let key = format!("raw/directory-audits/day=2026-11-20/{name}.r{read}.ndjson.gz");
        json!({
            "window_start": at(hours.0), "window_end": at(hours.1), "read": read,
            "started_at": "2026-11-22T01:00:00Z", "finished_at": "2026-11-22T01:00:00Z", "status": "complete",
            "served": 10, "new": new, "changed": 0, "missing": 0, "key": (new > 0).then_some(key), "sha256": "x",
            "bytes": 5, "requests": 1, "retries": 0, "error": null
        })
    }

    fn check(rows: &[Value], parts: &[&str]) {
        let text = rows.iter().fold(String::new(), |text, row| text + &format!("{row}\n"));
        let ledger = Ledger::parse(text.as_bytes()).unwrap();
        let day = NaiveDate::from_ymd_opt(2026, 11, 20).unwrap();
        let problems = problems(Stream::DirectoryAudits, day, &ledger, str::to_owned);
        assert_eq!(problems.len(), parts.len(), "{problems:?}");
        for (problem, part) in problems.iter().zip(parts) {
            assert!(problem.contains(part), "{problem}");
        }
    }

    #[test]
    fn a_sound_ledger_has_no_problem() {
        check(&[row(1, (0, 24), 10), row(2, (0, 24), 0)], &[]);
        check(&[row(1, (0, 12), 10), row(1, (12, 24), 0)], &[]);
    }

    #[test]
    fn a_removed_and_a_doubled_line_are_found() {
        check(
            &[row(1, (0, 24), 10), row(3, (0, 24), 0)],
            &["read 2 of 0000-2400 is not on record"],
        );
        let twice = ["is named by 2 reads", "read 1 of 0000-2400 is on record 2 times"];
        check(&[row(1, (0, 24), 10), row(1, (0, 24), 10)], &twice);
    }

    #[test]
    fn a_ledger_made_again_from_objects_may_lack_reads() {
        let mut last = row(3, (0, 24), 2);
        last["requests"] = json!(0);
        check(&[row(1, (0, 24), 10), last], &[]);
    }

    #[test]
    fn minutes_that_two_windows_claim_are_named() {
        let rows = [row(1, (0, 24), 10), row(1, (6, 12), 10), row(1, (12, 18), 10)];
        check(&rows, &["0600-1200 are covered twice", "1200-1800 are covered twice"]);
    }

    #[test]
    fn a_row_must_name_its_own_object_and_count_right() {
        let mut other = row(1, (0, 24), 10);
        other["key"] = row(2, (0, 24), 10)["key"].clone();
        check(&[other], &["which is not its own"]);
        let mut wrong = row(1, (0, 24), 10);
        wrong["changed"] = json!(11);
        check(&[wrong], &["cannot have served"]);
    }
}

//! Completeness of the archive, as a mail tells it: the state of each stream's days, from the
//! ledger.

use chrono::NaiveDate;
use std::fmt::Write as _;

/// Asks for the state of the last 90 days of each stream. The view reads the ledger alone.
pub const SQL: &str = "\
SELECT stream,
  min(day) AS first_day,
  max(CASE WHEN state <> 'missing' THEN day END) AS last_day,
  count(*) AS days,
  count(CASE WHEN state = 'verified' THEN 1 END) AS verified,
  count(CASE WHEN state = 'open' THEN 1 END) AS open,
  count(CASE WHEN state = 'unstable' THEN 1 END) AS unstable,
  count(CASE WHEN state = 'missing' THEN 1 END) AS missing,
  count(CASE WHEN state = 'expired' THEN 1 END) AS expired,
  count(CASE WHEN state = 'before' THEN 1 END) AS before
FROM coverage
WHERE day >= current_date - INTERVAL '90' DAY
GROUP BY stream
ORDER BY stream";

/// States and their words, in the order in which a line has them.
const STATES: [(&str, &str); 6] = [
    ("verified", "proved complete"),
    ("open", "to be proved by a later read"),
    ("before", "from before the archive began"),
    ("unstable", "unstable"),
    ("missing", "not read"),
    ("expired", "expired unproved"),
];

/// Days of one stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stream {
    /// Its name, such as `interactiveUser`.
    pub name: String,
    /// Newest day of which something was read.
    pub last_day: Option<NaiveDate>,
    /// Whether every day is read, and none is unstable or expired.
    pub is_well: bool,
    /// Its days in one line.
    pub line: String,
}

/// The streams in an answer to [`SQL`].
pub fn streams(columns: &[String], rows: &[Vec<Option<String>>]) -> Vec<Stream> {
    rows.iter().map(|row| stream(&Values { columns, row })).collect()
}

/// A row of the answer with the names of its columns.
struct Values<'answer> {
    columns: &'answer [String],
    row: &'answer [Option<String>],
}

impl Values<'_> {
    fn text(&self, name: &str) -> Option<&str> {
        let place = self.columns.iter().position(|column| column == name)?;
        self.row.get(place)?.as_deref()
    }

    fn count(&self, name: &str) -> u64 {
        self.text(name).and_then(|count| count.parse().ok()).unwrap_or(0)
    }
}

fn stream(values: &Values<'_>) -> Stream {
    let name = values.text("stream").unwrap_or("(unknown)").to_owned();
    let last_day = values.text("last_day").and_then(|day| day.get(..10)?.parse().ok());
    let mut line = format!("{name}: {} days", values.count("days"));
    if let (Some(first), Some(last)) = (values.text("first_day"), last_day) {
        let _ = write!(line, " from {} to {last}", first.get(..10).unwrap_or(first));
    }
    let mut states = Vec::new();
    for (state, words) in STATES {
        let count = values.count(state);
        if count > 0 {
            states.push(format!("{count} {words}"));
        }
    }
    let _ = write!(line, ": {}", states.join(", "));
    let is_well = ["unstable", "missing", "expired"].iter().all(|state| values.count(state) == 0);
    Stream { name, last_day, is_well, line }
}

/// Streams of which `yesterday` was not read yet, so that no question could see it.
pub fn unread(streams: &[Stream], yesterday: NaiveDate) -> Vec<&str> {
    streams
        .iter()
        .filter(|stream| stream.last_day.is_none_or(|last| last < yesterday))
        .map(|stream| stream.name.as_str())
        .collect()
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// Answer with a stream that is well and one that is not.
    pub(crate) fn example() -> Vec<Stream> {
        let columns = ["stream", "first_day", "last_day", "days", "verified", "open", "missing"];
        let columns: Vec<_> = columns.map(str::to_owned).into();
        let row = |values: [&str; 7]| values.map(|value| Some(value.to_owned())).to_vec();
        let well = row(["directoryAudits", "2026-10-28", "2026-11-25", "29", "27", "2", "0"]);
        let behind = row(["interactiveUser", "2026-10-28", "2026-11-24", "29", "26", "2", "1"]);
        streams(&columns, &[well, behind])
    }

    #[test]
    fn a_stream_is_told_in_one_line_with_the_states_that_it_has() {
        let lines: Vec<_> =
            example().into_iter().map(|stream| (stream.is_well, stream.line)).collect();
        assert_eq!(
            lines,
            [
                (
                    true,
                    "directoryAudits: 29 days from 2026-10-28 to 2026-11-25: 27 proved complete, 2 \
                     to be proved by a later read"
                        .to_owned()
                ),
                (
                    false,
                    "interactiveUser: 29 days from 2026-10-28 to 2026-11-24: 26 proved complete, 2 \
                     to be proved by a later read, 1 not read"
                        .to_owned()
                ),
            ]
        );
    }

    #[test]
    fn a_stream_whose_yesterday_is_missing_is_named() {
        assert_eq!(unread(&example(), "2026-11-25".parse().unwrap()), ["interactiveUser"]);
        assert!(unread(&example(), "2026-11-24".parse().unwrap()).is_empty());
    }
}

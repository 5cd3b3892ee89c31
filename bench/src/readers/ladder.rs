//! The rungs that every reader is put through: clean days of several sizes, then one fault after
//! another.

use chrono::{DateTime, Days, NaiveDate, Utc};

/// Records a day and page size where something goes wrong: small days, many pages.
const RECORDS: u32 = 3_000;
const PAGE: u32 = 200;
const LARGEST_PAGE: u32 = 1_000;

/// One tenant, and the runs that each reader gets on it.
#[derive(Debug, Clone)]
pub(crate) struct Rung {
    /// Words for its peculiarity.
    pub(crate) name: String,
    records_per_day: u32,
    page: u32,
    /// More about the volume, and the tables after it, as in a scenario file.
    trouble: &'static str,
    runs: Runs,
}

/// Number of times that a reader is started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Runs {
    /// Once, on the morning after.
    Once,
    /// On this many mornings, one after the other.
    Daily(u32),
    /// Twice on the same morning.
    Twice,
    /// Killed after this many pages, and started again.
    Killed(u64),
}

/// One start of a reader.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Run {
    pub(crate) at: DateTime<Utc>,
    pub(crate) killed_after_pages: Option<u64>,
}

impl Run {
    /// Span that a reader without a memory is scheduled to read.
    pub(crate) fn day_before(&self) -> NaiveDate {
        self.at.date_naive() - Days::new(1)
    }
}

impl Rung {
    /// A day of so many records in which nothing goes wrong.
    pub(crate) fn clean(records_per_day: u32) -> Self {
        let name = "a day without any trouble".to_owned();
        Self { name, records_per_day, page: LARGEST_PAGE, trouble: "", runs: Runs::Once }
    }

    /// Everything that readers of Graph are known to fail at.
    pub(crate) fn ladder() -> Vec<Self> {
        FAULTS.iter().map(|(name, runs, trouble)| Self::faulty(name, *runs, trouble)).collect()
    }

    fn faulty(name: &str, runs: Runs, trouble: &'static str) -> Self {
        Self { name: name.to_owned(), records_per_day: RECORDS, page: PAGE, trouble, runs }
    }

    /// Records, pages and runs in words.
    pub(crate) fn terms(&self) -> String {
        let records = crate::table::thousands(self.records_per_day.into());
        let page = self.page;
        let page = crate::table::thousands(page.into());
        let runs = match self.runs {
            Runs::Once => "read once".to_owned(),
            Runs::Daily(days) => format!("read on {days} mornings"),
            Runs::Twice => "read twice on one morning".to_owned(),
            Runs::Killed(pages) => {
                format!("killed after {pages} pages of 0.2 s each, and read again")
            }
        };
        format!("{records} records a day, pages of {page}, {runs}")
    }

    /// The scenario that the simulator plays.
    pub(crate) fn scenario(&self) -> String {
        format!(
            "name = 'readers'\nremember_served = false\n[clock]\nnow = '2026-11-23T01:15:00Z'\n\
             [limits]\nrequests_per_10s = 0\nlargest_page = {}\npage_latency_ms = {}\n\
             [[volume]]\nstream = 'interactiveUser'\nfrom_day = -1\nto_day = {}\nper_day = {}\n{}",
            self.page,
            if matches!(self.runs, Runs::Killed(_)) { 200 } else { 0 },
            i64::from(self.days()) - 2,
            self.records_per_day,
            self.trouble,
        )
    }

    /// Number of days to read, the first one being the day before the scenario's own.
    pub(crate) fn days(&self) -> u32 {
        if let Runs::Daily(days) = self.runs { days } else { 1 }
    }

    /// The starts of a reader; `first` is the scenario's own time.
    pub(crate) fn runs(&self, first: DateTime<Utc>) -> Vec<Run> {
        let run = Run { at: first, killed_after_pages: None };
        match self.runs {
            Runs::Once => vec![run],
            Runs::Daily(days) => (0..days)
                .map(|day| Run { at: first + Days::new(day.into()), killed_after_pages: None })
                .collect(),
            Runs::Twice => vec![run, run],
            Runs::Killed(pages) => {
                vec![Run { killed_after_pages: Some(pages), ..run }, run]
            }
        }
    }
}

const FAULTS: [(&str, Runs, &str); 12] = [
    (
        "429 with Retry-After, twice in the middle",
        Runs::Once,
        "[[faults.script]]\nkind = 'throttle_seconds'\nnth = 4\ntimes = 2\nseconds = 2",
    ),
    (
        "429 without Retry-After, twice in the middle",
        Runs::Once,
        "[[faults.script]]\nkind = 'throttle_bare'\nnth = 4\ntimes = 2",
    ),
    (
        "503, twice in the middle",
        Runs::Once,
        "[[faults.script]]\nkind = 'unavailable'\nnth = 4\ntimes = 2\nseconds = 2",
    ),
    (
        "the connection is cut in the middle of two pages",
        Runs::Once,
        "[[faults.script]]\nkind = 'cut'\nnth = 4\ntimes = 2",
    ),
    (
        "the access token ends in the middle",
        Runs::Once,
        "[[faults.script]]\nkind = 'token_expired'\nnth = 5",
    ),
    (
        "a fifth of the records arrive up to three hours late",
        Runs::Daily(3),
        "shape = 'even'\nlate = { share = 0.2, from_minutes = 80, up_to_minutes = 180 }",
    ),
    (
        "three in ten records change ten hours later",
        Runs::Daily(3),
        "shape = 'even'\nchanged = { share = 0.3, after_minutes = 600 }",
    ),
    (
        "the first read ends early without an error",
        Runs::Daily(2),
        "[[faults.script]]\nkind = 'missing_link'\nnth = 4",
    ),
    (
        "a next link is the link just followed, once",
        Runs::Daily(2),
        "[[faults.script]]\nkind = 'repeated_link'\nnth = 4",
    ),
    ("the reader is killed and started again", Runs::Killed(3), ""),
    (
        "a member arrives as text instead of an object, on two pages",
        Runs::Once,
        "[[faults.script]]\nkind = 'type_flip'\nnth = 4\ntimes = 2",
    ),
    ("the reader is started twice", Runs::Twice, ""),
];

#[cfg(test)]
mod tests {
    use super::*;
    use graph_simulator::Scenario;

    #[test]
    fn every_rung_can_be_played() {
        for rung in Rung::ladder().into_iter().chain([Rung::clean(10)]) {
            let scenario = Scenario::from_toml(&rung.scenario());
            assert!(scenario.is_ok(), "{}: {scenario:?}", rung.name);
        }
    }

    #[test]
    fn each_day_is_read_by_a_reader_without_a_memory() {
        let first: DateTime<Utc> = "2026-11-23T01:15:00Z".parse().unwrap();
        for rung in Rung::ladder() {
            let mut days: Vec<_> = rung.runs(first).iter().map(Run::day_before).collect();
            days.dedup();
            assert_eq!(days.len(), rung.days() as usize, "{}", rung.name);
            assert_eq!(days[0].to_string(), "2026-11-22");
        }
    }
}

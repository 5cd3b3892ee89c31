//! Account of what a reader kept of a tenant: kept, doubled, lost.

use crate::readers::truth::{Content, Truth};
use chrono::NaiveDate;
use std::collections::HashSet;

/// The sum of it, in record versions.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Account {
    /// Expected versions that were kept.
    pub(crate) kept: u64,
    /// Those among them that were kept with another content than any page can show.
    pub(crate) altered: u64,
    /// Lines whose id and content were kept before.
    pub(crate) doubled: u64,
    /// Expected versions of days whose last run said that all went well.
    pub(crate) silently_lost: u64,
    /// Expected versions of days whose last run reported a failure.
    pub(crate) reported_lost: u64,
    /// Lines that are no record of this tenant.
    pub(crate) strange: u64,
}

/// An account that is still open.
#[derive(Debug)]
pub(crate) struct Tally<'truth> {
    truth: &'truth Truth,
    is_kept: Vec<bool>,
    altered: HashSet<Content>,
    doubled: u64,
    strange: u64,
}

impl<'truth> Tally<'truth> {
    pub(crate) fn new(truth: &'truth Truth) -> Self {
        let is_kept = vec![false; truth.versions()];
        Self { truth, is_kept, altered: HashSet::new(), doubled: 0, strange: 0 }
    }

    /// Enters one line of what the reader kept.
    pub(crate) fn enter(&mut self, line: &[u8]) {
        let Some(content) = Content::of(line) else {
            self.strange += 1;
            return;
        };
        if let Some(version) = self.truth.version(content) {
            self.doubled += u64::from(std::mem::replace(&mut self.is_kept[version], true));
        } else if self.truth.versions_of(content).is_empty() {
            self.strange += 1;
        } else {
            self.doubled += u64::from(!self.altered.insert(content));
        }
    }

    /// Draws the line. An altered content stands for one version of its id that is otherwise not
    /// kept.
    pub(crate) fn close(mut self, was_reported: impl Fn(NaiveDate) -> bool) -> Account {
        let mut account =
            Account { doubled: self.doubled, strange: self.strange, ..Account::default() };
        for content in &self.altered {
            let versions = self.truth.versions_of(*content).iter();
            let mut expected =
                versions.filter(|version| self.truth.expected_day(**version).is_some());
            if let Some(version) = expected.find(|version| !self.is_kept[**version]) {
                self.is_kept[*version] = true;
                account.altered += 1;
            }
        }
        for (version, is_kept) in self.is_kept.into_iter().enumerate() {
            match self.truth.expected_day(version) {
                Some(_) if is_kept => account.kept += 1,
                Some(day) if was_reported(day) => account.reported_lost += 1,
                Some(_) => account.silently_lost += 1,
                None => {}
            }
        }
        account
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use graph_simulator::OnFile;

    /// A tenant with these texts of versions on 22 and 23 November.
    fn truth(versions: &[&[&str]]) -> Truth {
        let mut truth = Truth::default();
        for (number, texts) in versions.iter().enumerate() {
            let time = if number < 2 { "2026-11-22T08:00:00Z" } else { "2026-11-23T08:00:00Z" };
            let texts = texts.iter().map(|text| (*text).to_owned()).collect();
            let version = truth.learn(&OnFile { time: time.parse().unwrap(), texts });
            truth.expect(version);
        }
        truth
    }

    fn account(truth: &Truth, lines: &[&str], was_reported: impl Fn(NaiveDate) -> bool) -> Account {
        let mut tally = Tally::new(truth);
        for line in lines {
            tally.enter(line.as_bytes());
        }
        tally.close(was_reported)
    }

    const ONE: &str = r#"{"id":"1","risk":"none"}"#;
    const ONE_CHANGED: &str = r#"{"id":"1","risk":"high"}"#;
    const TWO: &str = r#"{"id":"2","risk":"none"}"#;

    #[test]
    fn what_is_there_is_kept_whatever_the_order_of_its_members() {
        let truth = truth(&[&[ONE], &[TWO]]);
        let found = account(&truth, &[TWO, r#"{ "risk": "none", "id": "1" }"#], |_| false);
        assert_eq!(found, Account { kept: 2, ..Account::default() });
    }

    #[test]
    fn what_is_missing_is_silently_lost_unless_its_day_was_reported() {
        let truth = truth(&[&[ONE], &[TWO], &[r#"{"id":"3"}"#]]);
        let reported = |day: NaiveDate| day.to_string() == "2026-11-23";
        let expected =
            Account { kept: 1, silently_lost: 1, reported_lost: 1, ..Account::default() };
        assert_eq!(account(&truth, &[ONE], reported), expected);
    }

    #[test]
    fn the_same_content_again_is_doubled_and_another_content_is_not() {
        let truth = truth(&[&[ONE], &[ONE_CHANGED]]);
        let found = account(&truth, &[ONE, ONE_CHANGED, ONE, ONE], |_| false);
        assert_eq!(found, Account { kept: 2, doubled: 2, ..Account::default() });
    }

    #[test]
    fn a_changed_version_that_was_not_read_is_lost_although_its_id_is_there() {
        let truth = truth(&[&[ONE], &[ONE_CHANGED]]);
        let found = account(&truth, &[ONE], |_| false);
        assert_eq!(found, Account { kept: 1, silently_lost: 1, ..Account::default() });
    }

    #[test]
    fn any_text_that_a_page_may_show_counts_as_the_version() {
        let truth = truth(&[&[ONE, r#"{"id":"1","risk":"unknownFutureValue"}"#]]);
        let found = account(&truth, &[r#"{"id":"1","risk":"unknownFutureValue"}"#], |_| false);
        assert_eq!(found, Account { kept: 1, ..Account::default() });
    }

    #[test]
    fn an_altered_record_stands_for_one_version_of_its_id() {
        let truth = truth(&[&[ONE], &[ONE_CHANGED], &[TWO]]);
        let found =
            account(&truth, &[r#"{"id":"1","risk":""}"#, r#"{"id":"1","risk":""}"#, TWO], |_| {
                false
            });
        let expected =
            Account { kept: 2, altered: 1, doubled: 1, silently_lost: 1, ..Account::default() };
        assert_eq!(found, expected);
    }

    #[test]
    fn half_a_line_and_a_record_of_nobody_are_strange() {
        let truth = truth(&[&[ONE]]);
        let found = account(&truth, &[ONE, r#"{"id":"1","ri"#, r#"{"id":"9"}"#, "[]"], |_| false);
        assert_eq!(found, Account { kept: 1, strange: 3, ..Account::default() });
    }

    #[test]
    fn what_nobody_had_to_read_is_neither_kept_nor_lost() {
        let mut truth = truth(&[&[ONE]]);
        truth.learn(&OnFile {
            time: "2026-11-22T09:00:00Z".parse().unwrap(),
            texts: vec![TWO.to_owned()],
        });
        let found = account(&truth, &[ONE, TWO], |_| false);
        assert_eq!(found, Account { kept: 1, ..Account::default() });
    }
}

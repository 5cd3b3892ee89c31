//! The saved questions, the views that they read, and the data sets of `QuickSight`: one SQL file
//! each below `sql/`, with metadata on top.
//!
//! Everything else that tells of them is [generated]: the stack's part for Athena, documents, and
//! the views for `DuckDB`.

mod data_set;
pub mod generated;
mod header;
mod question;
mod view;

pub use data_set::DataSet;
pub use question::{Question, Severity};
pub use view::{SETTINGS, View, ViewColumn, with_settings};

include!(concat!(env!("OUT_DIR"), "/files.rs"));

/// Every saved question, in the order of their ids.
pub fn questions() -> Vec<Question> {
    QUESTIONS.iter().filter_map(|text| Question::read(text)).collect()
}

/// Every view; none needs a later one.
pub fn views() -> Vec<View> {
    view::in_order(VIEWS.iter().filter_map(|text| View::read(text)).collect())
}

/// Every data set of `QuickSight`, in the order of their ids.
pub fn data_sets() -> Vec<DataSet> {
    DATA_SETS.iter().filter_map(|text| DataSet::read(text)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    /// Questions about the ledger, which the alarms of the stack tell of.
    const OF_THE_LEDGER: [&str; 2] = ["coverage-gaps", "tables-against-ledger"];

    #[test]
    fn every_file_is_read() {
        assert_eq!(questions().len(), QUESTIONS.len());
        assert_eq!(views().len(), VIEWS.len());
        assert_eq!(data_sets().len(), DATA_SETS.len());
    }

    #[test]
    fn no_two_questions_share_an_id_or_a_name() {
        let questions = questions();
        let ids: BTreeSet<_> = questions.iter().map(|question| &question.id).collect();
        let names: BTreeSet<_> =
            questions.iter().map(|question| question.name.to_lowercase()).collect();
        assert_eq!((ids.len(), names.len()), (questions.len(), questions.len()));
    }

    #[test]
    fn what_looks_for_trouble_says_what_it_does_not_see() {
        for question in questions() {
            assert!(question.name.ends_with('?'), "{}", question.id);
            assert!(
                !question.scans.is_empty() && !question.summary.contains('"'),
                "{}",
                question.id
            );
            let is_said = !question.blind.is_empty() && !question.techniques.is_empty();
            let of_the_ledger = OF_THE_LEDGER.contains(&question.id.as_str());
            assert!(
                is_said || of_the_ledger || question.severity == Severity::Overview,
                "{}",
                question.id
            );
        }
    }

    #[test]
    fn what_is_high_or_medium_is_told_by_mail_and_nothing_else() {
        for question in questions() {
            let is_told = question.severity <= Severity::Medium
                && !OF_THE_LEDGER.contains(&question.id.as_str());
            assert_eq!(question.told.is_some(), is_told, "{}", question.id);
            assert_eq!(question.key.is_empty(), !is_told, "{}", question.id);
            let told = question.told.clone().unwrap_or_default();
            let columns = told.split('{').skip(1).map(|rest| rest.split('}').next().unwrap());
            for column in columns.chain(question.key.iter().map(String::as_str)) {
                let names_it = |line: &str| {
                    line.split(|c: char| !(c.is_alphanumeric() || c == '_'))
                        .any(|word| word == column)
                };
                assert!(
                    question.sql.lines().filter(|line| !line.starts_with("--")).any(names_it),
                    "{}: {column}",
                    question.id
                );
            }
        }
    }

    #[test]
    fn a_view_comes_after_those_that_it_reads() {
        let names: Vec<_> = views().into_iter().map(|view| view.name).collect();
        let place = |name: &str| names.iter().position(|other| other == name);
        assert!(place("reads") < place("coverage") && place("positions") < place("coverage"));
        assert!(place("directory_audits_latest") < place("directory_changes"));
    }
}

//! The memory of what was told: one small object, `findings/told.json`, changed only by who has
//! seen its latest version.

use crate::agenda::week_of;
use crate::finding::Finding;
use chrono::{DateTime, Days, NaiveDate, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Days for which a finding is remembered after it was last found: more than the longest that a
/// question looks back (90).
pub const KEPT_DAYS: u64 = 100;

/// Findings of one question that are remembered at most, those found last. With 57 questions the
/// object stays below 20 MB.
pub const MOST_KEPT: usize = 10_000;

/// Time after which a run that claimed findings is taken for dead: the longest that Lambda lets one
/// live, and a minute.
pub const CLAIM_LIVES: TimeDelta = TimeDelta::minutes(16);

/// Format of the object that this version writes.
const FORMAT: u32 = 1;

/// Findings that were told, and the run that is about to tell more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Told {
    format: u32,
    /// Monday of the week whose mail was sent last.
    #[serde(skip_serializing_if = "Option::is_none")]
    week: Option<NaiveDate>,
    /// Last day on which each question was answered, and its findings told.
    answered: BTreeMap<String, NaiveDate>,
    /// Day on which each finding was found last, by question and identity.
    findings: BTreeMap<String, BTreeMap<String, NaiveDate>>,
    /// Findings whose mail is on its way, by the run that sends it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    claims: BTreeMap<String, Claim>,
}

/// Findings that a run is about to tell.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Claim {
    at: DateTime<Utc>,
    is_weekly: bool,
    findings: BTreeMap<String, BTreeSet<String>>,
}

/// Findings that there are to tell.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct News {
    /// Findings that were never told, in the order in which they were found.
    pub findings: Vec<Finding>,
    /// Whether the mail of the week is due, which also says that all is well.
    pub is_weekly: bool,
    /// Questions with findings that another run is about to tell.
    pub withheld: BTreeSet<String>,
}

/// A run that looks for news.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// Its name, which a repetition of the same invocation keeps.
    pub id: String,
    /// Start of it.
    pub at: DateTime<Utc>,
}

impl Default for Told {
    fn default() -> Self {
        Self {
            format: FORMAT,
            week: None,
            answered: BTreeMap::new(),
            findings: BTreeMap::new(),
            claims: BTreeMap::new(),
        }
    }
}

impl Told {
    /// Reads the object; `None` where it is none, or of a later format.
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        serde_json::from_slice(bytes).ok().filter(|told: &Self| told.format == FORMAT)
    }

    /// The object, one line of JSON.
    pub fn to_bytes(&self) -> Vec<u8> {
        serde_json::json!(self).to_string().into_bytes()
    }

    /// Last day on which each question was answered.
    pub fn answered(&self) -> &BTreeMap<String, NaiveDate> {
        &self.answered
    }

    /// Findings that are remembered.
    pub fn count(&self) -> usize {
        self.findings.values().map(BTreeMap::len).sum()
    }

    /// What `run` has to tell of what it found.
    pub fn news(&self, found: &[Finding], run: &Run) -> News {
        let others: Vec<_> = self
            .claims
            .iter()
            .filter(|(id, claim)| **id != run.id && claim.lives(run.at))
            .collect();
        let mut news = News {
            is_weekly: self.week.is_none_or(|week| week < week_of(run.at.date_naive()))
                && !others.iter().any(|(_, claim)| claim.is_weekly),
            ..News::default()
        };
        for finding in found {
            if self
                .findings
                .get(&finding.question)
                .is_some_and(|told| told.contains_key(&finding.identity))
            {
                continue;
            }
            if others.iter().any(|(_, claim)| claim.holds(finding)) {
                news.withheld.insert(finding.question.clone());
            } else {
                news.findings.push(finding.clone());
            }
        }
        news
    }

    /// Announces that `run` is about to tell `news`.
    pub fn claim(&mut self, run: &Run, news: &News) {
        let mut findings: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for finding in &news.findings {
            findings.entry(finding.question.clone()).or_default().insert(finding.identity.clone());
        }
        self.claims.retain(|_, claim| claim.lives(run.at));
        self.claims
            .insert(run.id.clone(), Claim { at: run.at, is_weekly: news.is_weekly, findings });
    }

    /// Takes the claim of `run` back: nothing of it was told.
    pub fn release(&mut self, run: &Run) {
        self.claims.remove(&run.id);
    }

    /// Puts on record that `news` was told, that `found` is still found, and that `answered` were
    /// asked.
    pub fn record(
        &mut self,
        run: &Run,
        news: &News,
        found: &[Finding],
        answered: &BTreeSet<String>,
    ) {
        let today = run.at.date_naive();
        self.claims.remove(&run.id);
        for finding in &news.findings {
            self.findings
                .entry(finding.question.clone())
                .or_default()
                .insert(finding.identity.clone(), today);
        }
        for finding in found {
            let told = self.findings.get_mut(&finding.question);
            if let Some(day) = told.and_then(|told| told.get_mut(&finding.identity)) {
                *day = today.max(*day);
            }
        }
        for question in answered.difference(&news.withheld) {
            self.answered.insert(question.clone(), today);
        }
        if news.is_weekly {
            self.week = Some(week_of(today));
        }
        self.forget(today);
    }

    /// Drops what no question finds any more, and the oldest of what is too much to keep.
    fn forget(&mut self, today: NaiveDate) {
        let oldest = today - Days::new(KEPT_DAYS);
        for told in self.findings.values_mut() {
            told.retain(|_, day| *day >= oldest);
            let surplus = told.len().saturating_sub(MOST_KEPT);
            let mut by_day: Vec<_> =
                told.iter().map(|(identity, day)| (*day, identity.clone())).collect();
            by_day.sort_unstable();
            for (_, identity) in by_day.into_iter().take(surplus) {
                told.remove(&identity);
            }
        }
        self.findings.retain(|_, told| !told.is_empty());
        self.answered.retain(|_, day| *day >= oldest);
    }
}

impl Claim {
    fn lives(&self, now: DateTime<Utc>) -> bool {
        now - self.at < CLAIM_LIVES
    }

    fn holds(&self, finding: &Finding) -> bool {
        self.findings
            .get(&finding.question)
            .is_some_and(|claimed| claimed.contains(&finding.identity))
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use entratrail_questions::Severity;
    use proptest::prelude::*;

    pub(crate) fn finding(question: &str, identity: &str) -> Finding {
        Finding {
            question: question.to_owned(),
            severity: Severity::High,
            identity: identity.to_owned(),
            sentence: format!("{question} {identity}"),
        }
    }

    pub(crate) fn run(id: &str, at: &str) -> Run {
        Run { id: id.to_owned(), at: at.parse().unwrap() }
    }

    fn told(found: &[Finding], run: &Run) -> Told {
        let mut told = Told::default();
        let news = told.news(found, run);
        told.record(run, &news, found, &BTreeSet::from(["spray".to_owned()]));
        told
    }

    #[test]
    fn a_finding_is_news_once_and_the_week_is_told_once() {
        let first = run("a", "2026-11-26T05:00:00Z");
        let told = told(&[finding("spray", "1")], &first);
        let next = told.news(
            &[finding("spray", "1"), finding("spray", "2")],
            &run("b", "2026-11-27T05:00:00Z"),
        );
        assert_eq!((next.findings, next.is_weekly), (vec![finding("spray", "2")], false));
        assert!(told.news(&[], &run("c", "2026-11-30T05:00:00Z")).is_weekly);
        assert_eq!(Told::parse(&told.to_bytes()), Some(told));
    }

    #[test]
    fn what_is_found_again_is_remembered_and_what_is_gone_for_long_is_forgotten() {
        let found = [finding("spray", "stays"), finding("spray", "goes")];
        let mut told = told(&found, &run("a", "2026-07-01T05:00:00Z"));
        for (id, at) in [("b", "2026-09-01T05:00:00Z"), ("c", "2026-11-01T05:00:00Z")] {
            told.record(&run(id, at), &News::default(), &found[..1], &BTreeSet::new());
        }
        let news = told.news(&found, &run("d", "2026-11-02T05:00:00Z"));
        assert_eq!(news.findings, [finding("spray", "goes")]);
    }

    #[test]
    fn the_memory_of_a_question_is_bounded_and_the_oldest_goes_first() {
        let many: Vec<_> =
            (0..MOST_KEPT).map(|number| finding("spray", &format!("{number:016x}"))).collect();
        let mut told = told(&[finding("spray", "oldest")], &run("a", "2026-11-20T05:00:00Z"));
        let run = run("b", "2026-11-26T05:00:00Z");
        told.record(&run, &told.news(&many, &run), &many, &BTreeSet::new());
        assert_eq!(told.count(), MOST_KEPT);
        assert_eq!(told.news(&[finding("spray", "oldest")], &run).findings.len(), 1);
        let bytes = told.to_bytes().len();
        assert!(bytes * 57 < 20_000_000, "{bytes} bytes of one question");
    }

    #[test]
    fn a_question_with_findings_of_another_run_is_not_called_answered() {
        let (first, second) = (run("a", "2026-11-26T05:00:00Z"), run("b", "2026-11-26T05:00:01Z"));
        let found = [finding("spray", "1")];
        let mut told = Told::default();
        told.claim(&first, &told.news(&found, &first));
        let news = told.news(&found, &second);
        assert!(news.findings.is_empty() && !news.is_weekly);
        told.record(&second, &news, &found, &BTreeSet::from(["spray".to_owned()]));
        assert!(told.answered().is_empty());
        let later = run("c", "2026-11-26T06:00:00Z");
        assert_eq!(told.news(&found, &later).findings, found);
    }

    #[test]
    fn what_is_no_memory_is_not_guessed_at() {
        for bytes in [&b""[..], b"{}", br#"{"format":2,"answered":{},"findings":{}}"#] {
            assert_eq!(Told::parse(bytes), None);
        }
    }

    proptest! {
        #[test]
        fn whatever_is_found_each_day_is_told_once(days in proptest::collection::vec(proptest::collection::btree_set(0_u8..12, 0..8), 1..60)) {
            let mut told = Told::default();
            let mut counts = BTreeMap::new();
            let start: DateTime<Utc> = "2026-10-01T05:00:00Z".parse().unwrap();
            for (number, found) in days.iter().enumerate() {
                let at = start + TimeDelta::days(i64::try_from(number).unwrap());
                let run = Run { id: number.to_string(), at };
                let found: Vec<_> = found.iter().map(|number| finding("spray", &number.to_string())).collect();
                let news = told.news(&found, &run);
                for finding in &news.findings {
                    *counts.entry(finding.identity.clone()).or_insert(0) += 1;
                }
                told.record(&run, &news, &found, &BTreeSet::new());
            }
            let ever: BTreeSet<_> = days.iter().flatten().map(ToString::to_string).collect();
            prop_assert_eq!(counts.keys().cloned().collect::<BTreeSet<_>>(), ever);
            prop_assert!(counts.values().all(|count| *count == 1));
        }
    }
}

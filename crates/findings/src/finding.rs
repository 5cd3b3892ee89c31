//! A row of an answer as a finding: what makes it the same one tomorrow, and the sentence that a
//! person reads.

use entratrail::shown::visible;
use entratrail_questions::{Question, Severity};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

/// Characters of one value in a sentence; permissions and rules of groups can be pages long.
const MOST_SHOWN: usize = 120;

/// Answer to a question, as Athena gives it.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The question.
    pub question: Question,
    /// Names of the columns.
    pub columns: Vec<String>,
    /// Values as text, in the order of the columns; `None` where there is none.
    pub rows: Vec<Vec<Option<String>>>,
    /// Id of the query, under which the console shows it.
    pub execution_id: String,
}

/// Row of an answer that somebody should look at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Id of the question.
    pub question: String,
    /// Gravity of its question.
    pub severity: Severity,
    /// Identity: equal for rows that tell of one thing, whatever else in them changes.
    pub identity: String,
    /// Who, when and from where, in a sentence.
    pub sentence: String,
}

/// The findings of an answer, in its order, each once.
pub fn findings(answer: &Answer) -> Vec<Finding> {
    let mut known = BTreeSet::new();
    let findings = answer.rows.iter().map(|row| {
        let values: BTreeMap<_, _> = answer
            .columns
            .iter()
            .map(String::as_str)
            .zip(row.iter().map(|value| value.as_deref().unwrap_or("")))
            .collect();
        Finding {
            question: answer.question.id.clone(),
            severity: answer.question.severity,
            identity: identity(&answer.question, &values),
            sentence: sentence(answer.question.told.as_deref().unwrap_or(""), &values),
        }
    });
    findings.filter(|finding| known.insert(finding.identity.clone())).collect()
}

/// The first 64 bits of a hash over the question and the values of its key.
///
/// Lengths stand between them, so that no two lists of values are one text. 64 bits are enough: a
/// tenant would have to have millions of findings within months for two to meet.
fn identity(question: &Question, values: &BTreeMap<&str, &str>) -> String {
    let key = question.key.iter().map(|column| values.get(column.as_str()).copied().unwrap_or(""));
    let mut text = String::new();
    for value in std::iter::once(question.id.as_str()).chain(key) {
        let _ = write!(text, "{}:{value}", value.len());
    }
    let digest = entratrail::raw::sha256(text.as_bytes());
    digest[..16].to_owned()
}

/// `told` with values in the place of columns; parts in brackets only where all of theirs are
/// there.
fn sentence(told: &str, values: &BTreeMap<&str, &str>) -> String {
    let mut sentence = String::new();
    let mut rest = told;
    while let Some((before, part)) = rest.split_once('[') {
        sentence.push_str(&filled(before, values).0);
        let (part, after) = part.split_once(']').unwrap_or((part, ""));
        let (part, is_whole) = filled(part, values);
        if is_whole {
            sentence.push_str(&part);
        }
        rest = after;
    }
    sentence + &filled(rest, values).0
}

/// The text with its values, and whether it has all of them.
fn filled(text: &str, values: &BTreeMap<&str, &str>) -> (String, bool) {
    let mut filled = String::new();
    let mut is_whole = true;
    let mut rest = text;
    while let Some((before, part)) = rest.split_once('{') {
        let (column, after) = part.split_once('}').unwrap_or((part, ""));
        let value = values.get(column).copied().unwrap_or("");
        is_whole &= !value.is_empty();
        filled.push_str(before);
        filled.push_str(&if value.is_empty() { "(unknown)".to_owned() } else { shown(value) });
        rest = after;
    }
    filled.push_str(rest);
    (filled, is_whole)
}

/// A value for people: instants to the minute, numbers without a fraction of zero, nothing that a
/// mail program would obey or make a link of, and not too long. Applications and devices are named
/// by whoever makes them.
fn shown(value: &str) -> String {
    if let Some(minute) = minute_of(value) {
        return minute;
    }
    let value = value
        .strip_suffix(".0")
        .filter(|whole| whole.bytes().all(|b| b.is_ascii_digit()))
        .unwrap_or(value);
    let value = visible(value).replace("://", ":[//]");
    match value.char_indices().nth(MOST_SHOWN) {
        Some((end, _)) => format!("{}...", &value[..end]),
        None => value,
    }
}

/// `2026-11-26 10:15:20.123` as `2026-11-26 10:15 UTC`.
fn minute_of(value: &str) -> Option<String> {
    let (minute, rest) = value.split_at_checked(16)?;
    let instant = minute.replacen('T', " ", 1);
    chrono::NaiveDateTime::parse_from_str(&format!("{instant}:00"), "%Y-%m-%d %H:%M:%S").ok()?;
    rest.starts_with(':').then(|| format!("{instant} UTC"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn answer(question: &str, columns: &[&str], rows: &[&[&str]]) -> Answer {
        let question =
            entratrail_questions::questions().into_iter().find(|known| known.id == question);
        let value = |value: &&str| (!value.is_empty()).then(|| (*value).to_owned());
        Answer {
            question: question.unwrap(),
            columns: columns.iter().map(|column| (*column).to_owned()).collect(),
            rows: rows.iter().map(|row| row.iter().map(value).collect()).collect(),
            execution_id: "q".to_owned(),
        }
    }

    const SPRAY: [&str; 8] = [
        "ip_address",
        "day",
        "users_tried",
        "users_signed_in",
        "one_who_signed_in",
        "country",
        "first_at",
        "last_at",
    ];

    fn spray(tried: &str, who: &str, last_at: &str) -> Answer {
        let first = "2026-11-25 03:10:20.000";
        answer(
            "password-spray",
            &SPRAY,
            &[&["203.0.113.9", "2026-11-25", tried, "1", who, "NL", first, last_at]],
        )
    }

    #[test]
    fn a_row_is_told_in_a_sentence_with_who_when_and_where() {
        let found = findings(&spray("23", "ann@contoso.com", "2026-11-25 04:00:59.123"));
        assert_eq!(
            found[0].sentence,
            "203.0.113.9 (NL) tried the passwords of 23 users and got into 1, such as \
             ann@contoso.com, 2026-11-25 03:10 UTC to 2026-11-25 04:00 UTC"
        );
        let nobody = findings(&spray("23", "", "2026-11-25 04:00:59.123"));
        assert!(
            nobody[0].sentence.contains("got into 1, 2026-11-25 03:10 UTC"),
            "{}",
            nobody[0].sentence
        );
    }

    #[test]
    fn a_finding_stays_the_same_while_its_counts_grow_and_is_another_when_somebody_got_in() {
        let first = findings(&spray("23", "", "2026-11-25 04:00:59"));
        let later = findings(&spray("31", "", "2026-11-25 09:00:59"));
        let worse = findings(&spray("31", "ann@contoso.com", "2026-11-25 09:00:59"));
        assert_eq!(first[0].identity, later[0].identity);
        assert_ne!(first[0].identity, worse[0].identity);
    }

    #[test]
    fn rows_of_one_key_are_one_finding() {
        let columns = ["happened_at", "activity", "policy", "changed_by", "old_value"];
        let row = |value| {
            ["2026-11-25 03:10:20.000", "Update policy", "MFA for all", "ann@contoso.com", value]
        };
        let found =
            findings(&answer("conditional-access-changes", &columns, &[&row("a"), &row("b")]));
        assert_eq!(found.len(), 1);
    }

    #[test]
    fn a_hostile_name_is_shown_and_not_obeyed() {
        assert_eq!(
            shown("https://evil.example/\u{202e}\n"),
            "https:[//]evil.example/\\u{202e}\\u{a}"
        );
        assert_eq!(shown(&"x".repeat(500)).len(), MOST_SHOWN + 3);
        assert_eq!(shown("812.0"), "812");
        assert_eq!(shown("1.2.3.0"), "1.2.3.0");
        assert_eq!(shown("2026-11-25T03:10:20Z"), "2026-11-25 03:10 UTC");
    }

    #[test]
    fn every_sentence_reads_on_with_and_without_its_values() {
        for question in entratrail_questions::questions() {
            let Some(told) = &question.told else { continue };
            let columns: Vec<_> =
                told.split('{').skip(1).map(|rest| rest.split('}').next().unwrap_or("")).collect();
            let all = columns.iter().map(|column| (*column, "X")).collect();
            for values in [all, BTreeMap::new()] {
                let sentence = sentence(told, &values);
                let broken = ["  ", " ,", "{", "}", "[", "]", "()", "( "];
                assert!(
                    !broken.iter().any(|mark| sentence.contains(mark)),
                    "{}: {sentence}",
                    question.id
                );
            }
        }
    }

    proptest! {
        #[test]
        fn other_values_of_the_key_are_another_finding(one in "[a-c:0-9]{0,4}", two in "[a-c:0-9]{0,4}", other in "[a-c:0-9]{0,4}", last in "[a-c:0-9]{0,4}") {
            let columns = ["ip_address", "day", "one_who_signed_in"];
            let first = findings(&answer("password-spray", &columns, &[&[&one, &two, "x"]]));
            let second = findings(&answer("password-spray", &columns, &[&[&other, &last, "x"]]));
            prop_assert_eq!(first[0].identity == second[0].identity, (one, two) == (other, last));
        }

        #[test]
        fn no_value_breaks_a_sentence(value in any::<String>()) {
            let found = findings(&spray("23", &value, "2026-11-25 04:00:59"));
            prop_assert!(!found[0].sentence.contains(char::is_control));
            prop_assert!(found[0].sentence.chars().count() < 1_500);
        }
    }
}

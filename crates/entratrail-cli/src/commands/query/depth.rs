//! A bound on how deeply SQL may be nested: the engine walks it by recursion.

use entratrail::error::Error;

/// Operators and openings that a question may have. The longest saved question has a fraction of
/// that.
const MOST: usize = 2000;
/// Bytes that a question may have.
const LONGEST: usize = 1024 * 1024;

/// Words that join or open a part of a question; each may make it one level deeper.
const WORDS: [&str; 13] = [
    "and",
    "or",
    "not",
    "union",
    "except",
    "intersect",
    "case",
    "select",
    "join",
    "like",
    "between",
    "is",
    "in",
];

/// Refuses SQL that may be too deep for the engine.
pub(super) fn check(sql: &str) -> Result<(), Error> {
    if sql.len() <= LONGEST && parts(sql) <= MOST {
        return Ok(());
    }
    Err(Error::configuration(format!(
        "the SQL is too long or too deep: it may have {MOST} operators and {LONGEST} bytes"
    ))
    .with_remedy("ask in smaller parts, or list values with IN"))
}

/// Counts the parts of the SQL, which bound its depth. What stands in quotes or comments counts as
/// well: no question needs that much.
fn parts(sql: &str) -> usize {
    let signs = sql.chars().filter(|c| {
        c.is_ascii_punctuation() && !matches!(c, ',' | '.' | ';' | '_' | '\'' | '"' | ')' | ']')
    });
    let words = sql
        .split(|c: char| !c.is_ascii_alphanumeric() && c != '_')
        .filter(|word| WORDS.iter().any(|joint| word.eq_ignore_ascii_case(joint)));
    signs.count() + words.count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_overflow_the_stack_is_refused_and_every_saved_question_is_not() {
        assert!(check(&format!("SELECT {}1", "1+".repeat(20_000))).is_err());
        assert!(check(&vec!["SELECT 1"; 3000].join(" UNION ALL ")).is_err());
        assert!(check(&format!("SELECT {}1", "NOT ".repeat(3000))).is_err());
        assert!(check(&format!("SELECT {}1{}", "(".repeat(3000), ")".repeat(3000))).is_err());
        assert!(check(&format!("SELECT 1 WHERE 1 IN ({})", vec!["1"; 10_000].join(","))).is_ok());
        for question in entratrail_questions::questions() {
            assert!(check(&question.sql).is_ok(), "{}", question.name);
        }
    }
}

//! A question with the views of sign-ins written out above it, so that Athena reads half of the
//! bytes.
//!
//! Of two versions of a sign-in from one read, the views take the one with a risk, and of two
//! without one the smaller `content_hash`. That last word costs as much as everything else that
//! most questions read: a hash does not compress. A mail does without it, because either version
//! tells of the same sign-in.

use entratrail_questions::views;

/// Views that are written out; none needs a later one.
const WRITTEN_OUT: [&str; 3] = ["sign_ins_latest", "attempts", "gateways"];

/// End of the order in which versions come.
const LAST_WORD: &str = ", content_hash\n";

/// `sql` with each of these views that it reads in a WITH clause, which goes before the view of
/// that name.
pub fn with_cheap_views(sql: &str) -> String {
    let body_at =
        sql.lines().take_while(|line| line.starts_with("--")).map(|line| line.len() + 1).sum();
    let (comments, body) = sql.split_at(body_at);
    let known: Vec<_> =
        views().into_iter().filter(|view| WRITTEN_OUT.contains(&view.name.as_str())).collect();
    let mut read = body.to_owned();
    let mut clauses = Vec::new();
    for name in WRITTEN_OUT.iter().rev() {
        let Some(view) = known.iter().find(|view| view.name == *name && reads(&read, name)) else {
            continue;
        };
        read.push_str(&view.sql);
        clauses.push(format!("{name} AS (\n{}\n)", view.sql.replace(LAST_WORD, "\n")));
    }
    if clauses.is_empty() {
        return sql.to_owned();
    }
    clauses.reverse();
    format!("{comments}WITH {}\n{body}", clauses.join(",\n"))
}

fn reads(sql: &str, name: &str) -> bool {
    sql.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_')
        .any(|word| word == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_mailed_question_reads_the_hash_of_a_sign_in() {
        let mut cheaper = 0;
        for question in
            entratrail_questions::questions().iter().filter(|question| question.told.is_some())
        {
            let sql = with_cheap_views(&question.sql);
            let body = || sql.lines().filter(|line| !line.starts_with("--"));
            assert!(!body().any(|line| reads(line, "content_hash")), "{}", question.id);
            let own = question.sql.lines().find(|line| !line.starts_with("--")).unwrap();
            assert!(!own.starts_with("WITH"), "{} would need one clause of two", question.id);
            if reads(&question.sql, "attempts") {
                cheaper += 1;
                assert!(
                    body().next().unwrap().starts_with("WITH sign_ins_latest AS ("),
                    "{}",
                    question.id
                );
                assert!(body().any(|line| line.ends_with("attempts AS (")), "{}", question.id);
            }
            assert_eq!(
                reads(&question.sql, "gateways"),
                sql.contains("gateways AS (\n"),
                "{}",
                question.id
            );
        }
        assert!(cheaper > 20, "{cheaper}");
    }

    #[test]
    fn the_order_of_versions_keeps_everything_but_its_last_word() {
        let latest = views().into_iter().find(|view| view.name == "sign_ins_latest").unwrap();
        assert_eq!(
            latest.sql.matches(LAST_WORD).count(),
            1,
            "the view has another order: see what it costs"
        );
    }
}

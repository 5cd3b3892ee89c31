//! A question to Athena: started, waited for, and read page by page.

use aws_sdk_athena::Client;
use aws_sdk_athena::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_athena::types::{QueryExecution, QueryExecutionContext, QueryExecutionState, Row};
use chrono::{DateTime, Utc};
use entratrail::error::Error;
use std::time::Duration;

/// First and longest pause between two looks at a question that is under way.
const PAUSES: [Duration; 2] = [Duration::from_millis(250), Duration::from_secs(3)];

/// Pages of an answer, of a thousand rows each. No saved question has more than 400 rows.
const MOST_PAGES: usize = 10;

/// Characters of a word that came from Athena.
const LONGEST_WORD: usize = 60;

/// Workgroup and database to ask in.
#[derive(Debug, Clone)]
pub struct Athena {
    /// The client.
    pub client: Client,
    /// Name of the workgroup, which has the limits and keeps the answers.
    pub workgroup: String,
    /// Name of the database.
    pub database: String,
}

/// Rows of an answer.
#[derive(Debug, Clone)]
pub struct Rows {
    /// Names of the columns.
    pub columns: Vec<String>,
    /// Values as text, in the order of the columns.
    pub rows: Vec<Vec<Option<String>>>,
    /// Id of the query.
    pub execution_id: String,
    /// Bytes that are billed, where Athena says so: at least 10 MB on top of a small answer.
    pub scanned_bytes: u64,
}

impl Athena {
    /// Asks `sql` and waits for the answer until `stop_at`. `name` is the question in messages.
    pub async fn ask(&self, name: &str, sql: &str, stop_at: DateTime<Utc>) -> Result<Rows, Error> {
        let context = QueryExecutionContext::builder().database(&self.database).build();
        let request =
            self.client.start_query_execution().query_string(sql).work_group(&self.workgroup);
        let started = request.query_execution_context(context).send().await;
        let started = started.map_err(|error| refused(name, "start", &error))?;
        let id = started.query_execution_id.unwrap_or_default();
        let execution = self.wait(name, &id, stop_at).await?;
        let scanned = execution.statistics.and_then(|statistics| statistics.data_scanned_in_bytes);
        let (columns, rows) = self.rows(name, &id).await?;
        let scanned_bytes = scanned.and_then(|bytes| u64::try_from(bytes).ok()).unwrap_or(0);
        Ok(Rows { columns, rows, execution_id: id, scanned_bytes })
    }

    async fn wait(
        &self,
        name: &str,
        id: &str,
        stop_at: DateTime<Utc>,
    ) -> Result<QueryExecution, Error> {
        let [mut pause, longest] = PAUSES;
        loop {
            let answer = self.client.get_query_execution().query_execution_id(id).send().await;
            let answer = answer.map_err(|error| refused(name, "follow", &error))?;
            let execution =
                answer.query_execution.unwrap_or_else(|| QueryExecution::builder().build());
            let status = execution.status.clone();
            match status.as_ref().and_then(|status| status.state.as_ref()) {
                Some(QueryExecutionState::Succeeded) => return Ok(execution),
                Some(QueryExecutionState::Failed | QueryExecutionState::Cancelled) => {
                    let reason =
                        status.and_then(|status| status.state_change_reason).unwrap_or_default();
                    return Err(failed(name, id, &reason));
                }
                _ if Utc::now() >= stop_at => {
                    // It may end by itself meanwhile; an answer that nobody waits for costs the
                    // same.
                    drop(self.client.stop_query_execution().query_execution_id(id).send().await);
                    return Err(Error::incomplete(format!(
                        "Athena did not answer \"{name}\" before the time of the run was up (query \
                         {id})"
                    ))
                    .and("the next run asks again"));
                }
                _ => tokio::time::sleep(pause).await,
            }
            pause = longest.min(pause * 3 / 2);
        }
    }

    async fn rows(
        &self,
        name: &str,
        id: &str,
    ) -> Result<(Vec<String>, Vec<Vec<Option<String>>>), Error> {
        let mut columns = Vec::new();
        let mut rows = Vec::new();
        let mut next = None;
        for _ in 0..MOST_PAGES {
            let request =
                self.client.get_query_results().query_execution_id(id).set_next_token(next);
            let page = request.send().await.map_err(|error| refused(name, "read", &error))?;
            let set = page.result_set;
            let mut of_page =
                set.as_ref().and_then(|set| set.rows.clone()).unwrap_or_default().into_iter();
            if columns.is_empty() {
                let info =
                    set.and_then(|set| set.result_set_metadata).and_then(|about| about.column_info);
                columns = info.unwrap_or_default().into_iter().map(|column| column.name).collect();
                // The first row of the first page has the names once more.
                of_page.next();
            }
            rows.extend(of_page.map(values));
            next = page.next_token;
            if next.is_none() {
                return Ok((columns, rows));
            }
        }
        Err(Error::archive(format!(
            "the answer to \"{name}\" has more than {MOST_PAGES} pages (query {id})"
        ))
        .with_remedy("limit its rows in sql/questions"))
    }
}

fn values(row: Row) -> Vec<Option<String>> {
    row.data.unwrap_or_default().into_iter().map(|value| value.var_char_value).collect()
}

/// A call that Athena did not take.
fn refused<E: ProvideErrorMetadata, R>(name: &str, what: &str, error: &SdkError<E, R>) -> Error {
    let code = error.code().filter(|code| is_word(code)).unwrap_or("no answer");
    let tried = format!("Athena did not {what} the question \"{name}\" ({code})");
    match code {
        "TooManyRequestsException" | "ThrottlingException" => {
            Error::incomplete(format!("{tried}: others of this account ask at the same time"))
                .with_remedy("set FindingsSchedule to a quieter hour where this happens again")
                .and("the next run asks again")
        }
        "AccessDeniedException" => {
            Error::archive(format!("{tried}: the function's role may not use the workgroup"))
                .with_remedy(
                    "deploy again, and see that no policy of the organization denies Athena",
                )
        }
        "InvalidRequestException" => Error::archive(format!(
            "{tried}: the workgroup or database of the stack is gone or disabled"
        ))
        .with_remedy("deploy again"),
        _ => Error::archive(tried)
            .with_remedy("check region and network")
            .and("the next run asks again"),
    }
}

/// A question that Athena could not answer. Its reason may quote values of records, so only what is
/// known of it is told.
fn failed(name: &str, id: &str, reason: &str) -> Error {
    let said = reason.to_lowercase();
    let tried =
        format!("Athena could not answer \"{name}\" (query {id}, whose history says more): ");
    if said.contains("bytes scanned limit") {
        return Error::incomplete(format!("{tried}it reads more than ScanLimitMegabytes allows"))
            .with_remedy("raise that, or set FindingsDaily=high");
    }
    if said.contains("exhausted resources")
        || said.contains("timed out")
        || said.contains("throttl")
    {
        return Error::incomplete(format!("{tried}it ran out of resources"))
            .and("the next run asks again");
    }
    let word = reason.split([':', ' ']).next().filter(|word| is_word(word) && word.contains('_'));
    let word = word.map(|word| format!("{word}, ")).unwrap_or_default();
    let unanswered = |cause: &str| Error::archive(format!("{tried}{word}{cause}"));
    if said.contains("lake formation") {
        unanswered("AWS Lake Formation governs the catalogue").with_remedy(
            "grant the function's role DESCRIBE and SELECT on the tables, as docs/ask.md shows",
        )
    } else if said.contains("access denied")
        || said.contains("not authorized")
        || said.contains("accessdenied")
    {
        unanswered("the function's role may not read the archive or its catalogue")
            .with_remedy("deploy again, and see that no policy of bucket or key denies it")
    } else if said.contains("not_found")
        || said.contains("does not exist")
        || said.contains("stale")
    {
        unanswered("a table or view of the stack is gone or changed").with_remedy("deploy again")
    } else {
        unanswered("for a reason that may quote records")
            .with_remedy("ask it in the query editor, which shows the whole reason")
    }
}

fn is_word(text: &str) -> bool {
    (1..=LONGEST_WORD).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_says_what_to_do_and_quotes_no_record() {
        let check = |reason: &str, kind: &str, words: &str| {
            let error = failed("Which sign-ins are risky?", "id-1", reason);
            assert_eq!(error.error_type(), kind, "{error}");
            assert!(
                error.to_string().contains(words) && error.to_string().contains("id-1"),
                "{error}"
            );
            assert!(!error.to_string().contains("ann@contoso.com"), "{error}");
        };
        check("Bytes scanned limit was exceeded", "Incomplete", "ScanLimitMegabytes");
        check("Query exhausted resources at this scale factor", "Incomplete", "next run");
        check("Insufficient Lake Formation permission(s) on sign_ins", "Archive", "Lake Formation");
        check(
            "TABLE_NOT_FOUND: line 1:8: Table 'x' does not exist",
            "Archive",
            "TABLE_NOT_FOUND, a table",
        );
        check(
            "INVALID_CAST_ARGUMENT: Cannot cast 'ann@contoso.com' to bigint",
            "Archive",
            "INVALID_CAST_ARGUMENT, for a reason that may quote records; ask",
        );
        check("User: arn is not authorized to perform s3:GetObject", "Archive", "may not read");
        check("", "Archive", "query editor");
    }
}

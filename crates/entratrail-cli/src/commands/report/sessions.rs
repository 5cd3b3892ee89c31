//! Stories of sessions that findings name: what belongs to one session is read together, over
//! sign-ins and changes to the directory.

use super::asked::Asked;
use crate::sql::{Column, Row, Session};
use entratrail::error::Error;
use serde::Serialize;
use serde_json::Value;

/// Column in which a finding names a session.
const COLUMN: &str = "session_id";

/// Sessions that a report shows.
const MOST: usize = 5;

/// Events of a session that a report shows.
const MOST_EVENTS: usize = 20;

/// A session with what happened in it.
#[derive(Debug, Serialize)]
pub(super) struct SessionStory {
    pub(super) session: String,
    /// Questions whose findings name it.
    pub(super) findings: Vec<String>,
    pub(super) columns: Vec<Column>,
    /// The first of its events, the earliest before the others.
    pub(super) events: Vec<Row>,
    /// Number of its events.
    pub(super) found: usize,
}

impl SessionStory {
    /// The stories of the first sessions that `findings` name, the gravest finding first.
    pub(super) async fn all(
        archive: &Session,
        findings: impl Iterator<Item = &Asked>,
    ) -> Result<Vec<Self>, Error> {
        let mut stories = Vec::new();
        for (session, findings) in named(findings) {
            let answer = archive.ask(&sql(&session)).await?;
            let found = answer.rows.len();
            let events = answer.rows.into_iter().take(MOST_EVENTS).collect();
            stories.push(Self { session, findings, columns: answer.columns, events, found });
        }
        Ok(stories)
    }

    /// SQL that tells all of it.
    pub(super) fn sql(&self) -> String {
        sql(&self.session)
    }
}

/// Sessions with the questions that found them, the gravest first.
fn named<'asked>(findings: impl Iterator<Item = &'asked Asked>) -> Vec<(String, Vec<String>)> {
    let mut sessions: Vec<(String, Vec<String>)> = Vec::new();
    for asked in findings {
        let of_rows = asked.all.iter().filter_map(|row| row.get(COLUMN).and_then(Value::as_str));
        for session in of_rows.filter(|session| !session.is_empty()) {
            let question = asked.question.name.clone();
            match sessions.iter_mut().find(|(known, _)| known == session) {
                Some((_, findings)) if findings.contains(&question) => {}
                Some((_, findings)) => findings.push(question),
                None => sessions.push((session.to_owned(), vec![question])),
            }
        }
    }
    sessions.truncate(MOST);
    sessions
}

fn sql(session: &str) -> String {
    let literal = session.replace('\'', "''");
    format!(
        "SELECT happened_at, user_name, what, target, outcome, ip_address, country, \
         operating_system, device_id\n\
         FROM session_events\n\
         WHERE day >= current_date - INTERVAL '30' DAY AND session_id = '{literal}'\n\
         ORDER BY happened_at, id"
    )
}

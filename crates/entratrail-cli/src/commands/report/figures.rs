//! Counts of every report: the SQL behind its figures and pictures, and the answers as numbers.

use crate::date_range::DateRange;
use crate::sql::{Answer, Row};
use serde::Serialize;
use serde_json::Value;

/// The column with the sign-ins that failed.
const FAILED: &str = "count(*) FILTER (WHERE outcome = 'failure') AS failed";

/// A question of the report's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Picture {
    Totals,
    Hours,
    Countries,
    Applications,
    Users,
    Changes,
    Tenant,
}

impl Picture {
    pub(super) const ALL: [Self; 7] = [
        Self::Totals,
        Self::Hours,
        Self::Countries,
        Self::Applications,
        Self::Users,
        Self::Changes,
        Self::Tenant,
    ];

    /// The SQL, over the days of `range`.
    pub(super) fn sql(self, range: DateRange) -> String {
        let from = range.from.date_naive();
        let to = range.to.date_naive();
        let days = format!("day >= DATE '{from}' AND day < DATE '{to}'");
        match self {
            Self::Totals => format!(
                "SELECT count(*) AS sign_ins, {FAILED}, count(DISTINCT nullif(person, '')) AS \
                 users, count(DISTINCT nullif(app_id, '')) AS applications, count(DISTINCT \
                 nullif(location.country_or_region, '')) AS countries, count(*) FILTER (WHERE \
                 outcome = 'success' AND event_type = 'interactiveUser' AND \
                 authentication_requirement <> '') AS by_people, count(*) FILTER (WHERE outcome = \
                 'success' AND event_type = 'interactiveUser' AND authentication_requirement = \
                 'multiFactorAuthentication') AS with_mfa FROM attempts WHERE {days}"
            ),
            Self::Hours => format!(
                "SELECT date_trunc('hour', created_date_time) AS hour, count(*) AS total, {FAILED} \
                 FROM attempts WHERE {days} GROUP BY 1 ORDER BY 1"
            ),
            Self::Countries => top("location.country_or_region", &days, "total DESC"),
            Self::Applications => top("app_display_name", &days, "total DESC"),
            Self::Users => top("user_principal_name", &days, "failed DESC, total DESC"),
            Self::Changes => format!(
                "SELECT activity_display_name AS name, count(*) AS total, count(*) FILTER (WHERE \
                 result <> 'success') AS failed FROM directory_audits_latest WHERE {days} GROUP BY \
                 1 ORDER BY total DESC, name LIMIT 12"
            ),
            Self::Tenant => format!(
                "SELECT resource_tenant_id AS name, count(*) AS total FROM sign_ins_latest WHERE \
                 {days} AND resource_tenant_id <> '' GROUP BY 1 ORDER BY total DESC, name LIMIT 1"
            ),
        }
    }
}

/// The SQL that counts the sign-ins of each value of a column, the first twelve in that order.
fn top(column: &str, days: &str, order: &str) -> String {
    format!(
        "SELECT {column} AS name, count(*) AS total, {FAILED} FROM attempts WHERE {days} AND \
         {column} <> '' GROUP BY 1 ORDER BY {order}, name LIMIT 12"
    )
}

/// The totals of the span.
#[derive(Debug, Default, Serialize)]
pub(super) struct Figures {
    pub(super) sign_ins: u64,
    pub(super) failed: u64,
    pub(super) users: u64,
    pub(super) applications: u64,
    pub(super) countries: u64,
    /// Successful sign-ins of people, with a prompt, as far as Graph says which factors they
    /// needed.
    pub(super) by_people: u64,
    /// Those of them that had to pass a second factor.
    pub(super) with_mfa: u64,
}

/// So many of a kind, and how many of them failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Counted {
    pub(super) name: String,
    pub(super) all: u64,
    pub(super) failed: u64,
}

impl Figures {
    pub(super) fn of(answer: &Answer) -> Self {
        let Some(row) = answer.rows.first() else { return Self::default() };
        Self {
            sign_ins: number(row, "sign_ins"),
            failed: number(row, "failed"),
            users: number(row, "users"),
            applications: number(row, "applications"),
            countries: number(row, "countries"),
            by_people: number(row, "by_people"),
            with_mfa: number(row, "with_mfa"),
        }
    }
}

/// The rows of an answer as counts, named by their column `name`.
pub(super) fn counts(answer: &Answer, name: &str) -> Vec<Counted> {
    answer
        .rows
        .iter()
        .map(|row| Counted {
            name: row.get(name).and_then(Value::as_str).unwrap_or_default().to_owned(),
            all: number(row, "total"),
            failed: number(row, "failed"),
        })
        .collect()
}

fn number(row: &Row, name: &str) -> u64 {
    row.get(name).and_then(Value::as_u64).unwrap_or(0)
}

//! A scenario: what a tenant holds, how Graph misbehaves, and what a reader should make of it.

mod odd;
mod outcome;
mod paging;
mod tenant;
mod volume;

use std::path::Path;

use chrono::{DateTime, Days, NaiveDate, NaiveTime, TimeDelta, Utc};
use serde::Deserialize;

pub use odd::{Odd, OddKind};
pub use outcome::{Collect, Expect, Log};
pub use paging::{Boundary, EmptyPages, Order, Paging, PartOfChain, Writer};
pub use tenant::{
    AppState, Federation, Licence, Person, PersonAnswer, Presence, SecretState, Tenant,
};
pub use volume::{Changed, Late, LateByHours, Shape, Story, StoryKind, Volume};

use crate::error::Error;
use crate::fault::Faults;

/// A whole scenario file.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// The story in one line.
    pub name: String,
    /// A paragraph that a security engineer can read.
    #[serde(default)]
    pub description: String,
    /// Everything random follows from it.
    #[serde(default = "default_seed")]
    pub seed: u64,
    /// Whether ordinary records are such that nothing stands out: everybody succeeds, from where
    /// they always are.
    #[serde(default)]
    pub calm: bool,
    /// Whether [`crate::Simulator::served`] is kept: switch it off for a million records.
    #[serde(default = "yes")]
    pub remember_served: bool,
    /// Whether [`crate::Simulator::chains`] is kept; every chain is then a snapshot.
    #[serde(default)]
    pub remember_chains: bool,
    /// Start and speed of simulated time.
    #[serde(default)]
    pub clock: ClockStart,
    /// The directory and its application.
    #[serde(default)]
    pub tenant: Tenant,
    /// Limits and delays of the service.
    #[serde(default)]
    pub limits: Limits,
    /// Background records.
    #[serde(default)]
    pub volume: Vec<Volume>,
    /// Odd records among them.
    #[serde(default)]
    pub odd: Vec<Odd>,
    /// Incidents planted among them.
    #[serde(default)]
    pub story: Vec<Story>,
    /// Layout of chains of pages; absent: the usual one.
    #[serde(default)]
    pub paging: Vec<Paging>,
    /// Another writer of JSON; absent: there is only one.
    pub writer: Option<Writer>,
    /// Faults to inject.
    #[serde(default)]
    pub faults: Faults,
    /// Instructions of a test for the reader: parsed and handed on only.
    #[serde(default)]
    pub collect: Collect,
    /// Results that a test expects of the reader: parsed and handed on only.
    #[serde(default)]
    pub expect: Expect,
}

/// The `[clock]` table.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClockStart {
    /// First instant of simulated time; absent: the wall clock.
    pub now: Option<DateTime<Utc>>,
    /// Simulated seconds per real second, up to 10,000; with 0 time passes only when it is set.
    #[serde(default = "one")]
    pub speed: u32,
}

/// The `[limits]` table.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Requests per sliding 10 simulated seconds; 0: no limit.
    pub requests_per_10s: usize,
    /// Simulated time that each page takes.
    pub page_latency_ms: u32,
    /// Seconds for which an access token is accepted.
    pub token_lifetime_seconds: u32,
    /// Largest page, and the size of a page when `$top` is absent.
    pub largest_page: usize,
    /// Value of `Retry-After` in a 429 by the limit.
    pub retry_after_seconds: u32,
    /// The form of that header.
    pub retry_after: RetryAfter,
    /// The form of the numbers in the answers of the token and the device code endpoint.
    pub token_numbers: TokenNumbers,
}

/// Forms of a number in an answer of the login endpoints.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TokenNumbers {
    /// `3599`
    Number,
    /// `"3599"`
    Text,
    /// The member is missing.
    Absent,
}

/// The forms of `Retry-After` on a 429.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RetryAfter {
    /// A number of seconds.
    Seconds,
    /// An HTTP date.
    Date,
    /// No header.
    None,
}

impl TokenNumbers {
    /// The number in this form, unless it is left out.
    pub(crate) fn value(self, number: u32) -> Option<serde_json::Value> {
        match self {
            Self::Number => Some(number.into()),
            Self::Text => Some(number.to_string().into()),
            Self::Absent => None,
        }
    }
}

impl Scenario {
    /// Parses a scenario and refuses what cannot be played.
    pub fn from_toml(text: &str) -> Result<Self, Error> {
        let scenario: Self = toml::from_str(text)?;
        scenario.check()?;
        Ok(scenario)
    }

    /// Reads a scenario file.
    pub fn read(path: impl AsRef<Path>) -> Result<Self, Error> {
        let path = path.as_ref();
        let text = std::fs::read_to_string(path)
            .map_err(|source| Error::Read { path: path.to_path_buf(), source })?;
        Self::from_toml(&text)
    }

    /// The built-in tenant: some days of Contoso, with every story in them and no faults.
    pub fn default_tenant() -> Result<Self, Error> {
        Self::from_toml(include_str!("../scenarios/contoso.toml"))
    }

    /// Some days of Contoso in which nothing happens.
    pub fn calm_tenant() -> Result<Self, Error> {
        Self::from_toml(include_str!("../scenarios/contoso-calm.toml"))
    }

    /// The tenant as it is on `today`, when the days of the scenario are counted from `day_zero`:
    /// what happened keeps its date, and what goes on today goes on.
    #[must_use]
    pub fn as_of(mut self, today: NaiveDate, day_zero: NaiveDate) -> Self {
        let passed = (today - day_zero).num_days();
        let passed = i32::try_from(passed).unwrap_or(i32::MAX);
        for day in self.volume.iter_mut().map(|volume| &mut volume.from_day) {
            *day = day.saturating_sub(passed);
        }
        for day in self.story.iter_mut().map(|story| &mut story.day) {
            *day = day.saturating_sub(passed);
        }
        self
    }

    /// When a daily reader last began that is done by `now`, although its time flies: a quarter of
    /// an hour before, but never so early that yesterday, of which Graph still serves records for
    /// an hour, is not due.
    pub fn last_daily_read(now: DateTime<Utc>) -> DateTime<Utc> {
        let due = now.date_naive().and_time(NaiveTime::MIN).and_utc() + TimeDelta::hours(1);
        due.max(now - TimeDelta::minutes(15))
    }

    /// Midnight (UTC) of the day that lies `day` days after the day of `now`.
    pub(crate) fn midnight(now: DateTime<Utc>, day: i32) -> DateTime<Utc> {
        let today = now.date_naive();
        let days = Days::new(day.unsigned_abs().into());
        let date =
            if day < 0 { today.checked_sub_days(days) } else { today.checked_add_days(days) };
        date.unwrap_or(today).and_time(NaiveTime::MIN).and_utc()
    }

    fn check(&self) -> Result<(), Error> {
        if self.clock.speed > 10_000 {
            return Err(Error::impossible("clock.speed must be 0 to 10000"));
        }
        if !(1..=5000).contains(&self.limits.largest_page) {
            return Err(Error::impossible("limits.largest_page must be 1 to 5000"));
        }
        if self.volume.len() > usize::from(u16::MAX - 2) {
            return Err(Error::impossible("there are more than 65533 volumes"));
        }
        if self.remember_chains && !self.remember_served {
            return Err(Error::impossible("remember_chains needs remember_served"));
        }
        if self.tenant.retention_days.is_some_and(|days| !(0.0..=400.0).contains(&days)) {
            return Err(Error::impossible("tenant.retention_days must be 0 to 400"));
        }
        self.volume.iter().try_for_each(Volume::check)?;
        self.odd.iter().try_for_each(Odd::check)?;
        self.paging.iter().try_for_each(Paging::check)?;
        self.writer.iter().try_for_each(Writer::check)?;
        self.faults.check()
    }
}

impl Default for ClockStart {
    fn default() -> Self {
        Self { now: None, speed: 1 }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            requests_per_10s: 5,
            page_latency_ms: 0,
            token_lifetime_seconds: 3599,
            largest_page: 1000,
            retry_after_seconds: 10,
            retry_after: RetryAfter::Seconds,
            token_numbers: TokenNumbers::Number,
        }
    }
}

fn default_seed() -> u64 {
    7
}

fn yes() -> bool {
    true
}

fn one() -> u32 {
    1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_tenants_are_valid() {
        assert!(Scenario::default_tenant().unwrap().story.len() >= 5);
        assert!(Scenario::calm_tenant().unwrap().story.is_empty());
    }

    #[test]
    fn unknown_keys_are_refused_everywhere() {
        for text in [
            "name = 'x'\nsped = 1",
            "name = 'x'\n[clock]\nspede = 1",
            "name = 'x'\n[tenant]\nlicense = 'P1'",
            "name = 'x'\n[tenant.federation]\nsub = 'x'",
            "name = 'x'\n[limits]\nrequests = 1",
            "name = 'x'\n[[volume]]\nstream = 'interactiveUser'\nper_hour = 1",
            "name = 'x'\n[[volume]]\nstream = 'interactiveUser'\nlate = { shares = 1 }",
            "name = 'x'\n[[story]]\nkind = 'role_grant'\nwhen = 1",
            "name = 'x'\n[faults]\nrate = 1",
            "name = 'x'\n[faults]\nrates = { fire = 0.5 }",
            "name = 'x'\n[[faults.script]]\nkind = 'cut'\nnumber = 1",
            "name = 'x'\n[collect]\nlogs = 'sign-ins'",
            "name = 'x'\n[expect]\nerrors = 'x'",
        ] {
            assert!(Scenario::from_toml(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_daily_read_never_begins_before_yesterday_is_due() {
        let begun = |now: &str| Scenario::last_daily_read(now.parse().unwrap()).to_rfc3339();
        assert_eq!(begun("2026-11-23T00:05:00Z"), "2026-11-23T01:00:00+00:00");
        assert_eq!(begun("2026-11-23T09:00:00Z"), "2026-11-23T08:45:00+00:00");
    }

    #[test]
    fn days_are_counted_from_the_scenarios_own_day() {
        let now = "2026-11-23T01:15:00Z".parse().unwrap();
        assert_eq!(Scenario::midnight(now, -1).to_rfc3339(), "2026-11-22T00:00:00+00:00");
    }
}

//! The content of a tenant's logs: background volume and planted stories.

use chrono::{DateTime, Utc};
use serde::Deserialize;

use crate::error::Error;
use crate::scenario::Log;
use crate::stream::Stream;

/// One `[[volume]]` table: ordinary records of one stream.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Volume {
    /// The stream that the records belong to.
    pub stream: Stream,
    /// First day, counted from the day of the scenario's `now`.
    #[serde(default = "yesterday")]
    pub from_day: i32,
    /// Last day, inclusive.
    #[serde(default = "yesterday")]
    pub to_day: i32,
    /// Records per day.
    #[serde(default)]
    pub per_day: u32,
    /// Only every so many days, from the first on, has records.
    #[serde(default = "one")]
    pub every_days: u32,
    /// Digits of the fraction of every record time, 0 to 7; absent: mixed.
    pub fraction_digits: Option<u8>,
    /// Smallest size of a record: smaller ones are filled up.
    #[serde(default)]
    pub record_bytes: u32,
    /// Further records at exactly these times; the digits of the fraction are kept.
    #[serde(default)]
    pub at: Vec<String>,
    /// Hours of the day, `[from, to)`.
    #[serde(default = "whole_day")]
    pub hours: (u8, u8),
    /// Distribution of the records over the hours.
    #[serde(default)]
    pub shape: Shape,
    /// Hours by which the offices of a `shifted` shape work later; each has an equal share of the
    /// records.
    #[serde(default = "three_continents")]
    pub shift_hours: Vec<i8>,
    /// Some become visible later than their time.
    pub late: Option<Late>,
    /// Some become visible hours or days later than their time.
    pub late_by_hours: Option<LateByHours>,
    /// Some are replaced by new content under the same id.
    pub changed: Option<Changed>,
    /// Share that gets a second record under the same id, with risk added.
    #[serde(default)]
    pub risk_copies: f64,
    /// Share that is served twice, the second time some minutes away.
    #[serde(default)]
    pub repeated: f64,
    /// Share that is split into two records which differ in their policies.
    #[serde(default)]
    pub split_by_policy: f64,
}

/// Distributions of records over the day.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Shape {
    /// Most of them between 8 and 18 o'clock.
    #[default]
    Office,
    /// An equal number each hour.
    Even,
    /// Half of them within ten minutes of the opening hours, the others evenly.
    Burst,
    /// Office hours in several time zones at once.
    Shifted,
}

/// Late arrival of a share of the records.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Late {
    /// Share of the records, 0 to 1.
    pub share: f64,
    /// The longest delay; most are much shorter unless `from_minutes` says otherwise.
    pub up_to_minutes: u32,
    /// The shortest delay.
    #[serde(default = "one")]
    pub from_minutes: u32,
}

/// Late arrival of a share of the records, the delay drawn evenly from a range.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LateByHours {
    /// Share of the records, 0 to 1.
    pub share: f64,
    /// The shortest delay.
    pub from: u32,
    /// The longest delay.
    pub up_to: u32,
}

/// Later change of a share of the records.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Changed {
    /// Share of the records, 0 to 1.
    pub share: f64,
    /// When the new content replaces the old, counted from the record's time.
    pub after_minutes: u32,
}

/// One `[[story]]` table.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Story {
    /// Kind of the incident.
    pub kind: StoryKind,
    /// The day, counted from the day of the scenario's `now`.
    #[serde(default = "yesterday")]
    pub day: i32,
    /// When it starts; absent: an instant that follows from the seed.
    pub at: Option<DateTime<Utc>>,
}

/// The incidents that can be planted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StoryKind {
    /// One address tries one password on many users, and gets in once.
    PasswordSpray,
    /// One user signs in from two continents within the hour.
    ImpossibleTravel,
    /// Many refused prompts, then one that is accepted.
    MfaFatigue,
    /// A user becomes Global Administrator.
    RoleGrant,
    /// A user consents to an application that reads and writes mail.
    RiskyConsent,
    /// Many wrong passwords of one user, then the right one.
    BruteForce,
    /// A user reads mail by a protocol without a second factor.
    LegacyProtocol,
    /// A user enters the Azure portal with just a password.
    PortalWithoutMfa,
    /// A user signs in from a country they never came from.
    NewCountry,
    /// A user signs in with a device they never used.
    NewDevice,
    /// A conditional access policy refuses a user.
    PolicyRefusal,
    /// A policy in report-only mode would have refused a user.
    ReportOnlyRefusal,
    /// Somebody signs in with leaked credentials.
    RiskySignIn,
    /// A guest of another tenant signs in.
    Guest,
    /// The credential of an application is used from a new address.
    WorkloadMoves,
    /// A managed identity reads a key vault for the first time.
    ManagedIdentityRoams,
    /// A conditional access policy is switched off.
    PolicyChange,
    /// An administrator registers an MFA method for somebody else.
    MfaMethodChange,
    /// An application receives a secret.
    NewCredential,
    /// Somebody deletes many users within minutes.
    MassDeletion,
}

impl Volume {
    pub(super) fn check(&self) -> Result<(), Error> {
        let stream = self.stream.name();
        if self.from_day > self.to_day {
            return Err(Error::impossible(format!("a volume of {stream} ends before it starts")));
        }
        if self.hours.0 >= self.hours.1 || self.hours.1 > 24 {
            return Err(Error::impossible(format!(
                "the hours of a volume of {stream} must lie in 0 to 24"
            )));
        }
        let copies = self.risk_copies + self.split_by_policy;
        if self.stream.log() != Log::SignIns && copies > 0.0 {
            return Err(Error::impossible(format!(
                "records of {stream} have neither risk copies nor policies"
            )));
        }
        let changed = self.changed.map_or(0.0, |changed| changed.share);
        let late = self.late.map_or(0.0, |late| late.share);
        if !(0.0..=1.0).contains(&(copies + self.repeated + changed))
            || !(0.0..=1.0).contains(&late)
        {
            return Err(Error::impossible(format!(
                "the shares of a volume of {stream} must add up to at most 1"
            )));
        }
        if self.late_by_hours.is_some_and(|late| {
            !(0.0..=1.0).contains(&late.share) || late.from > late.up_to || late.up_to > 24 * 365
        }) {
            return Err(Error::impossible(format!(
                "late_by_hours of a volume of {stream} is no share with a range"
            )));
        }
        if self.every_days == 0 || self.shift_hours.is_empty() || self.fraction_digits > Some(7) {
            return Err(Error::impossible(format!(
                "a volume of {stream} needs every_days from 1, shift_hours, and fraction_digits up \
                 to 7"
            )));
        }
        match self.at.iter().find(|literal| crate::ticks::parse(literal).is_none()) {
            Some(literal) => Err(Error::impossible(format!("{literal} is not a time"))),
            None => Ok(()),
        }
    }
}

fn yesterday() -> i32 {
    -1
}

fn three_continents() -> Vec<i8> {
    vec![-9, 0, 8]
}

fn whole_day() -> (u8, u8) {
    (0, 24)
}

fn one() -> u32 {
    1
}

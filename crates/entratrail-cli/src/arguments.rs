//! Arguments that several commands have.

use crate::date_range::DateRange;
use chrono::{DateTime, Days, NaiveDate, Utc};
use clap::Args;
use entratrail::log::{EventType, Log, Stream};
use entratrail::request::parse_instant;
use entratrail::window::midnight;

/// Help of `--settings`.
pub(crate) const SETTINGS_HELP: &str = "File with lines NAME=VALUE: BreakGlassAccounts, TrustedNetworks, ImportantApplications, \
     each a list with commas";

/// The record time to work on.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct DateRangeArguments {
    /// The last so many days, 1 to 30
    #[arg(long, value_name = "N", value_parser = days, conflicts_with = "from")]
    pub(crate) days: Option<u16>,
    /// From this day or instant on (UTC), read or not: 2026-10-24, or 2026-10-24T06:05:00Z on a
    /// 5-minute boundary
    #[arg(long, value_name = "WHEN", value_parser = instant)]
    pub(crate) from: Option<DateTime<Utc>>,
    /// Up to this day or instant, which is not included; now where it is absent
    #[arg(long, value_name = "WHEN", value_parser = instant, requires = "from")]
    pub(crate) to: Option<DateTime<Utc>>,
}

/// The days to look at.
#[derive(Debug, Clone, Copy, Default, Args)]
pub(crate) struct DayArguments {
    /// Only from this day on (UTC), such as 2026-10-24
    #[arg(long, value_name = "DAY")]
    pub(crate) from: Option<NaiveDate>,
    /// Only up to this day, which is not included
    #[arg(long, value_name = "DAY")]
    pub(crate) to: Option<NaiveDate>,
    /// The day that questions take for today, where they look back from it
    #[arg(long, value_name = "DAY")]
    pub(crate) today: Option<NaiveDate>,
}

#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct OutputArguments {
    /// Show neither progress nor summary
    #[arg(long)]
    pub(crate) quiet: bool,
    /// Print the reports as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

impl DateRangeArguments {
    /// The record time that is asked for at `now`, if any is.
    pub(crate) fn range(self, now: DateTime<Utc>) -> Option<DateRange> {
        let from = match (self.from, self.days) {
            (Some(from), _) => from,
            (None, Some(days)) => midnight(now.date_naive() - Days::new(days.into())),
            (None, None) => return None,
        };
        Some(DateRange { from, to: self.to.unwrap_or(DateRange::ALL.to) })
    }
}

impl DayArguments {
    /// The days to look at.
    pub(crate) fn range(self) -> DateRange {
        DateRange::of_days(self.from, self.to)
    }

    /// The first instant of the day that is taken for today.
    pub(crate) fn now(self) -> Option<DateTime<Utc>> {
        self.today.map(midnight)
    }
}

fn days(text: &str) -> Result<u16, String> {
    let days = text.parse().ok().filter(|days| (1..=30).contains(days));
    days.ok_or_else(|| "it must be a whole number from 1 to 30".to_owned())
}

/// The stream of that name.
pub(crate) fn stream(text: &str) -> Result<Stream, String> {
    if ["audits", "audit", Log::DirectoryAudits.name()].contains(&text) {
        return Ok(Stream::DirectoryAudits);
    }
    if text == Log::Provisioning.name() {
        return Ok(Stream::Provisioning);
    }
    EventType::parse(text).map(Stream::SignIns).ok_or_else(|| {
        format!(
            "there is no such stream; there are {}, audits and provisioning",
            EventType::ALL.map(EventType::name).join(", ")
        )
    })
}

fn instant(text: &str) -> Result<DateTime<Utc>, String> {
    parse_instant(text).ok_or_else(|| {
        "it must be a date such as 2026-10-24, or an RFC 3339 instant on a 5-minute boundary such \
         as 2026-10-24T06:05:00Z"
            .to_owned()
    })
}

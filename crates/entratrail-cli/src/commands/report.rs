//! `entratrail report`: what the archive says of a span, as one page that opens without a network.

pub(crate) mod arguments;
mod asked;
mod calendar;
mod content;
mod figures;
mod named;
mod page;
mod sessions;
mod write;

use crate::archive_location::ArchiveLocation;
use crate::arguments::DayArguments;
use crate::date_range::DateRange;
use crate::sql::Session;
use crate::sql::settings::Settings;
use crate::status::Status;
use crate::terminal::output::{print_error, print_line};
use arguments::{ReportArguments, ReportFormat};
use asked::Findings;
use chrono::{DateTime, Days, NaiveDate, Utc};
use content::Report;
use entratrail::error::Error;
use entratrail::shown::{visible_json, visible_lines};
use entratrail::window::midnight;
use std::path::Path;

/// Days that a report is about, unless others are asked for.
const USUAL_DAYS: u64 = 30;

/// Makes the report that `arguments` ask for.
pub(crate) async fn report(arguments: &ReportArguments) -> Result<Status, Error> {
    if let Some(out) = arguments.out.as_deref() {
        write::check_place(out)?;
    }
    let settings = Settings::read(arguments.settings.as_deref())?;
    let before = before(arguments, &settings).await?;
    let mut report = make(&arguments.archive, arguments.days, &settings).await?;
    if let Some(before) = &before {
        report.mark_new(before);
    }
    let text = match arguments.format {
        ReportFormat::Html => visible_lines(&page::of(&report).into_string()).into_owned(),
        ReportFormat::Json => {
            visible_json(&serde_json::json!(report).to_string()).into_owned() + "\n"
        }
    };
    match arguments.out.as_deref() {
        Some(out) => {
            write::whole(out, &text)?;
            print_line(&format!("{} {}", report.summary(), out.display()));
        }
        None => print_line(text.trim_end()),
    }
    Ok(match conclude(&report) {
        Status::AllDone if report.has_news() => Status::NewFindings,
        status => status,
    })
}

/// Findings of the archive as it was when the day of `--new-since` began.
async fn before(
    arguments: &ReportArguments,
    settings: &Settings,
) -> Result<Option<Findings>, Error> {
    let Some(since) = arguments.new_since else { return Ok(None) };
    let now = midnight(since);
    let days = DateRange::of_days(None, Some(since));
    let archive = Session::open(&arguments.archive, days, now, settings).await?;
    Findings::of(&archive).await.map(Some)
}

/// Makes the usual report of the archive at `location` as a page at `out`.
pub(crate) async fn write_page(location: &ArchiveLocation, out: &Path) -> Result<Status, Error> {
    let report = make(location, DayArguments::default(), &Settings::default()).await?;
    write::whole(out, &visible_lines(&page::of(&report).into_string()))?;
    Ok(conclude(&report))
}

fn conclude(report: &Report) -> Status {
    report.problems.iter().for_each(|problem| print_error(problem));
    if report.problems.is_empty() { Status::AllDone } else { Status::SomethingLeft }
}

/// Asks the archive at `location` about `days`.
async fn make(
    location: &ArchiveLocation,
    days: DayArguments,
    settings: &Settings,
) -> Result<Report, Error> {
    let made_at = Utc::now();
    // Questions look back from today, and today is the end of what the report is about.
    let limit = DateRange::of_days(None, days.to);
    let archive = Session::open(location, limit, made_at, settings).await?;
    let span = archive.span();
    let last = span.map(|(_, last)| midnight(last + Days::new(1)));
    let today = days.now().or(last).map_or(made_at, |today| today.min(made_at));
    let to = days.to.unwrap_or_else(|| end_of(today));
    let usual = to - Days::new(USUAL_DAYS);
    let from = days.from.unwrap_or_else(|| span.map_or(usual, |(first, _)| first.max(usual)));
    if from >= to {
        return Err(Error::configuration(format!("the days from {from} to {to} are none"))
            .with_remedy("name a later --to, which is exclusive, or an earlier --from"));
    }
    let range = DateRange::of_days(Some(from), Some(to));
    Report::of(&archive.at(today), location, range, made_at).await
}

/// The day after the last that has begun by `today`.
fn end_of(today: DateTime<Utc>) -> NaiveDate {
    let day = today.date_naive();
    if today == midnight(day) { day } else { day + Days::new(1) }
}

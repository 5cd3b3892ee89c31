//! Arguments of `entratrail report`.

use crate::archive_location::ArchiveLocation;
use crate::arguments::{DayArguments, SETTINGS_HELP};
use chrono::NaiveDate;
use clap::{Args, ValueEnum};
use std::path::PathBuf;

#[derive(Debug, Args)]
pub(crate) struct ReportArguments {
    /// The archive: a folder or a bucket
    #[arg(long, value_name = "FOLDER|s3://BUCKET")]
    pub(crate) archive: ArchiveLocation,
    /// The file to write; its folder must exist
    #[arg(long, value_name = "FILE", required_if_eq("format", "html"))]
    pub(crate) out: Option<PathBuf>,
    /// A page for people, or JSON for machines, which is printed unless --out names a file
    #[arg(long, value_enum, default_value_t = ReportFormat::Html)]
    pub(crate) format: ReportFormat,
    /// Mark findings that were not there when this day began (UTC), show them first, and exit with
    /// 3 if there are any
    #[arg(long, value_name = "DAY")]
    pub(crate) new_since: Option<NaiveDate>,
    #[arg(long, value_name = "FILE", help = SETTINGS_HELP)]
    pub(crate) settings: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) days: DayArguments,
}

/// The form of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ReportFormat {
    Html,
    Json,
}

//! Arguments of `entratrail verify`.

use crate::archive_location::ArchiveLocation;
use crate::arguments::{DateRangeArguments, stream};
use chrono::NaiveDate;
use clap::Args;
use entratrail::log::Stream;
use std::path::PathBuf;

#[derive(Debug, Args)]
pub(crate) struct VerifyArguments {
    /// The archive: a folder or a bucket
    #[arg(long, value_name = "FOLDER|s3://BUCKET")]
    pub(crate) archive: ArchiveLocation,
    #[command(flatten)]
    pub(crate) range: DateRangeArguments,
    /// Streams that must be there, each with the first day that must be:
    /// interactiveUser=2026-01-03,audits=2026-01-03. Without a day, from the first that any stream
    /// has; always up to the last settled day
    #[arg(long, value_name = "STREAM[=DAY]", value_delimiter = ',', value_parser = expected)]
    #[arg(conflicts_with_all = ["days", "from"])]
    pub(crate) expect: Vec<Expected>,
    /// Check the signed log with the verifier keys in this file, one a line
    #[arg(long, value_name = "FILE")]
    pub(crate) key: Option<PathBuf>,
    /// With --key: a checkpoint kept from earlier, which the log must extend
    #[arg(long, value_name = "CHECKPOINT", requires = "key")]
    pub(crate) since: Vec<PathBuf>,
    /// With --key: check what witnesses have signed with the keys in this file, one a line
    #[arg(long, value_name = "FILE", requires = "key")]
    pub(crate) witnesses: Option<PathBuf>,
    /// Print the result as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// A stream that an archive must have.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Expected {
    pub(crate) stream: Stream,
    /// First day that it must have.
    pub(crate) since: Option<NaiveDate>,
}

fn expected(text: &str) -> Result<Expected, String> {
    let (name, day) = text.split_once('=').map_or((text, None), |(name, day)| (name, Some(day)));
    let since = match day {
        Some(day) => {
            let day = day.parse();
            Some(day.map_err(|_| "after = comes a day such as 2026-01-03".to_owned())?)
        }
        None => None,
    };
    Ok(Expected { stream: stream(name)?, since })
}

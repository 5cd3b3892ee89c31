//! Arguments of `entratrail rebuild`.

use crate::archive_location::ArchiveLocation;
use crate::arguments::{DateRangeArguments, OutputArguments, stream};
use clap::Args;
use entratrail::log::Stream;

pub(crate) const TABLE_OBJECTS_HELP: &str = "\
Every read that stored records has a table object, below tables/; docs/tables.md describes the columns. The same raw records
make the same bytes, so to rebuild what is there changes nothing. A raw object that is damaged, or not the one on record, is
named and left out.
";

#[derive(Debug, Args)]
pub(crate) struct RebuildArguments {
    /// The archive: a folder or a bucket
    #[arg(long, value_name = "FOLDER|s3://BUCKET")]
    pub(crate) archive: ArchiveLocation,
    #[command(flatten)]
    pub(crate) range: DateRangeArguments,
    /// Only these streams: interactiveUser, nonInteractiveUser, servicePrincipal, managedIdentity,
    /// audits, provisioning
    #[arg(long, value_delimiter = ',', value_parser = stream)]
    pub(crate) streams: Vec<Stream>,
    #[command(flatten)]
    pub(crate) output: OutputArguments,
}

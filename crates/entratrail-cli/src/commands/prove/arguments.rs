//! Arguments of `entratrail prove`.

use crate::archive_location::ArchiveLocation;
use clap::Args;
use std::path::PathBuf;

#[derive(Debug, Args)]
pub(crate) struct ProveArguments {
    /// The archive: a folder or a bucket
    #[arg(long, value_name = "FOLDER|s3://BUCKET")]
    pub(crate) archive: ArchiveLocation,
    /// The member id of the record; of its versions the one that was stored last is shown
    #[arg(long, value_name = "RECORD")]
    pub(crate) id: String,
    /// The verifier keys, one a line
    #[arg(long, value_name = "FILE")]
    pub(crate) key: PathBuf,
    /// The folder to write, which must not exist
    #[arg(long, value_name = "FOLDER")]
    pub(crate) out: PathBuf,
}

//! Arguments of `entratrail witness`.

use crate::archive_location::ArchiveLocation;
use clap::Args;
use std::path::PathBuf;

/// Text below the help.
pub(crate) const WITNESS_HELP: &str = "\
A note is the checkpoint as a witness gives it back, with its signature below. What is not this log's checkpoint is refused;
signatures of witnesses that are not known are kept and shown as such. verify --witnesses shows who saw which size, and when.
";

#[derive(Debug, Args)]
pub(crate) struct WitnessArguments {
    /// Signed notes: checkpoints with the signatures of witnesses
    #[arg(value_name = "NOTE", required = true)]
    pub(crate) notes: Vec<PathBuf>,
    /// The archive: a folder or a bucket
    #[arg(long, value_name = "FOLDER|s3://BUCKET")]
    pub(crate) archive: ArchiveLocation,
    /// The verifier keys, one a line
    #[arg(long, value_name = "FILE")]
    pub(crate) key: PathBuf,
    /// Keys of witnesses, one a line: a wrong signature of one of them is refused
    #[arg(long, value_name = "FILE")]
    pub(crate) witnesses: Option<PathBuf>,
}

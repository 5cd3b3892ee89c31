//! Arguments of `entratrail check`.

use clap::Args;
use std::path::PathBuf;

#[derive(Debug, Args)]
pub(crate) struct CheckArguments {
    /// The folder that prove has written
    #[arg(value_name = "FOLDER")]
    pub(crate) folder: PathBuf,
    /// The verifier keys, one a line, from somebody who is trusted
    #[arg(long, value_name = "FILE")]
    pub(crate) key: PathBuf,
    /// Keys of witnesses, one a line, to check what they have signed with
    #[arg(long, value_name = "FILE")]
    pub(crate) witnesses: Option<PathBuf>,
}

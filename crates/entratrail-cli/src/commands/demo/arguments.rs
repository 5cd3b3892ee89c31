//! Arguments of `entratrail demo`.

use clap::Args;
use std::path::PathBuf;

#[derive(Debug, Args)]
pub(crate) struct DemoArguments {
    /// Folder for the archive of the made-up tenant
    #[arg(long, value_name = "DIR", default_value = "entratrail-demo")]
    pub(crate) folder: PathBuf,
}

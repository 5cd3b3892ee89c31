//! Arguments of `entratrail query`.

use crate::archive_location::ArchiveLocation;
use crate::arguments::{DayArguments, SETTINGS_HELP};
use clap::{Args, ValueEnum};
use std::path::PathBuf;

pub(crate) const TABLES_HELP: &str = "\
Tables: sign_ins, directory_audits and provisioning with every version of every record; sign_ins_latest,
directory_audits_latest and provisioning_latest with the newest one; directory_changes, applied_policies, reads, coverage.
Their columns are Microsoft's names in snake case:
  entratrail query --archive FOLDER \"SELECT day, count(*) FROM sign_ins_latest GROUP BY day ORDER BY day\"
  entratrail query --archive FOLDER \"DESCRIBE sign_ins\"
";

#[derive(Debug, Args)]
pub(crate) struct QueryArguments {
    /// The SQL; - reads it from standard input
    #[arg(required_unless_present_any = ["saved", "list"])]
    pub(crate) sql: Option<String>,
    /// The archive: a folder or a bucket
    #[arg(long, value_name = "FOLDER|s3://BUCKET", required_unless_present = "list")]
    pub(crate) archive: Option<ArchiveLocation>,
    /// Ask a saved question by its name or its id
    #[arg(long, value_name = "QUESTION", conflicts_with = "sql")]
    pub(crate) saved: Option<String>,
    /// Print the names of the saved questions
    #[arg(long, conflicts_with_all = ["sql", "saved"])]
    pub(crate) list: bool,
    /// Form in which to print the rows
    #[arg(long, value_enum, default_value_t = Format::Table)]
    pub(crate) format: Format,
    /// With --format csv: write text so that a spreadsheet takes none of it for a formula
    #[arg(long)]
    pub(crate) safe_cells: bool,
    #[arg(long, value_name = "FILE", help = SETTINGS_HELP)]
    pub(crate) settings: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) days: DayArguments,
}

/// Form in which rows are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// An aligned table
    Table,
    /// Comma-separated values, nested ones as JSON
    Csv,
    /// A JSON object on each line
    Json,
}

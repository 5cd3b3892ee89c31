//! The command line. No secret is ever an argument, because others can read those.

use crate::commands::check::arguments::CheckArguments;
use crate::commands::collect::arguments::{CREDENTIALS_HELP, CollectArguments};
use crate::commands::demo::arguments::DemoArguments;
use crate::commands::prove::arguments::ProveArguments;
use crate::commands::query::arguments::{QueryArguments, TABLES_HELP};
use crate::commands::rebuild::arguments::{RebuildArguments, TABLE_OBJECTS_HELP};
use crate::commands::report::arguments::ReportArguments;
use crate::commands::verify::arguments::VerifyArguments;
use crate::commands::witness::arguments::{WITNESS_HELP, WitnessArguments};
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Parser, Subcommand};
use entratrail::shown::describe;
use std::ffi::OsString;

/// Archives a Microsoft Entra ID tenant's sign-in and audit logs, and proves that nothing is
/// missing
#[derive(Debug, Parser)]
#[command(name = "entratrail", version, after_help = EXIT_STATUS)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
}

const EXIT_STATUS: &str = "Exit status: 0 all done, nothing wrong; 1 something could not be read, \
                           was left or is wrong; 2 wrong use, or nothing could be done";

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Read what is due from Microsoft Graph into the archive
    #[command(after_help = CREDENTIALS_HELP)]
    Collect(CollectArguments),
    /// Check every object of the archive against the ledger, changing nothing
    Verify(VerifyArguments),
    /// Write what shows to anybody that one record is in the archive's signed log
    Prove(ProveArguments),
    /// Check a folder that prove has written, without the archive
    Check(CheckArguments),
    /// Keep what witnesses have signed of the archive's signed log
    #[command(after_help = WITNESS_HELP)]
    Witness(WitnessArguments),
    /// Make the typed tables of the archive again from its raw records
    #[command(after_help = TABLE_OBJECTS_HELP)]
    Rebuild(RebuildArguments),
    /// Ask the archive anything in SQL
    #[command(after_help = TABLES_HELP)]
    Query(QueryArguments),
    /// Write what the archive says as one page that opens without a network
    Report(ReportArguments),
    /// Collect and verify a made-up tenant on this machine: no tenant, no AWS account
    Demo(DemoArguments),
}

impl Arguments {
    /// Reads the command line. What it holds in the wrong place is described, not quoted: it may be
    /// a secret.
    pub(crate) fn read(words: impl IntoIterator<Item = OsString>) -> Result<Self, clap::Error> {
        Self::try_parse_from(words).map_err(described)
    }
}

/// Whether a word has the form of a flag, which no secret has: `--client-secret`.
fn is_a_flag(word: &str) -> bool {
    word.len() <= 24
        && word
            .strip_prefix("--")
            .is_some_and(|name| name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-'))
}

fn described(mut error: clap::Error) -> clap::Error {
    let is_unknown = error.kind() == ErrorKind::UnknownArgument;
    // With any other error, the argument is the name of one of ours.
    let foreign = if is_unknown { ContextKind::InvalidArg } else { ContextKind::InvalidValue };
    for kind in [foreign, ContextKind::InvalidSubcommand] {
        if let Some(ContextValue::String(value)) = error.get(kind)
            && !is_a_flag(value)
        {
            // Both put quotes around what they show.
            let description = ContextValue::String(describe(value).trim_matches('"').to_owned());
            error.insert(kind, description);
        }
    }
    // It repeats what was given.
    error.remove(ContextKind::Suggested);
    error
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn the_definition_is_sound_and_knows_no_secret() {
        let mut command = Arguments::command();
        command.clone().debug_assert();
        for part in command.get_subcommands_mut() {
            assert!(!part.render_long_help().to_string().contains("--client-secret"));
        }
    }

    #[test]
    fn a_secret_in_any_place_of_the_command_line_is_not_quoted() {
        const SECRET: &str = "abc8Q~Zx7pQ.w3_kLm-9+vRt2Yb5Nc1Hd4Gf6J";
        let places = [
            "?",
            "--?",
            "verify ?",
            "verify --archive a ?",
            "verify --archive a --?",
            "verify --archive a --?=1",
            "verify --archive a --from ?",
            "verify --archive a --days ?",
            "verify --archive s3://?/x",
            "verify --json=?",
            "collect --archive a --log ?",
            "collect --archive a --streams ?",
            "collect --archive a --streams=audits,?",
            "query --archive a --format ?",
            "query --archive a --today ? x",
            "query --archive a x ?",
            "report --archive a --format ?",
            "report --archive a --to ?",
            "rebuild --archive a --streams ?",
        ];
        for place in places {
            let line = place.replace('?', SECRET);
            let words =
                ["entratrail"].into_iter().chain(line.split_whitespace()).map(OsString::from);
            let text = Arguments::read(words).unwrap_err().to_string();
            let pieces: Vec<_> =
                SECRET.as_bytes().windows(8).map(String::from_utf8_lossy).collect();
            assert!(!pieces.iter().any(|piece| text.contains(&**piece)), "{place}: {text}");
        }
    }
}

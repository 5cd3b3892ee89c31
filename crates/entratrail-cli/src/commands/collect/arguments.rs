//! Arguments of `entratrail collect`.

use crate::archive_location::ArchiveLocation;
use crate::arguments::{DateRangeArguments, OutputArguments, stream};
use clap::{Args, ValueEnum};
use entratrail::log::{EventType, Log, Stream};
use std::path::PathBuf;

pub(crate) const CREDENTIALS_HELP: &str = "\
Credentials: the environment variables ENTRATRAIL_TENANT_ID, ENTRATRAIL_CLIENT_ID and ENTRATRAIL_CLIENT_SECRET (or those
that start with AZURE_); what is missing is asked for on a terminal. --certificate takes the place of the secret, and
--sign-in that of the whole app registration.

Ctrl-C stops cleanly, and the same command goes on later; a second Ctrl-C ends at once.
GRAPH_URL and LOGIN_URL name the hosts of a national cloud; WINDOW_MINUTES, SETTLE_MINUTES, TARGET_RECORDS, CONCURRENCY and
GRAPH_REQUESTS_PER_10S have the meaning that they have for the functions.
";

#[derive(Debug, Args)]
pub(crate) struct CollectArguments {
    /// The archive: a folder, made where there is none, or a bucket
    #[arg(long, value_name = "FOLDER|s3://BUCKET")]
    pub(crate) archive: ArchiveLocation,
    #[command(flatten)]
    pub(crate) range: DateRangeArguments,
    /// Log to read
    #[arg(long, value_enum, default_value_t = Logs::Both)]
    pub(crate) log: Logs,
    /// Only these streams: interactiveUser, nonInteractiveUser, servicePrincipal, managedIdentity,
    /// audits, provisioning
    #[arg(long, value_delimiter = ',', conflicts_with = "log", value_parser = stream)]
    pub(crate) streams: Vec<Stream>,
    #[command(flatten)]
    pub(crate) credential: CredentialArguments,
    /// Sign the history of the ledger with the private key in this file, made where there is none
    #[arg(long, value_name = "FILE")]
    pub(crate) evidence_key: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) output: OutputArguments,
}

#[derive(Debug, Args)]
pub(crate) struct CredentialArguments {
    /// Sign in as a person, with a code on a page of Microsoft's: needs no app registration
    #[arg(long)]
    pub(crate) sign_in: bool,
    /// Certificate and RSA private key of the app registration, both as PEM in one file
    #[arg(long, value_name = "FILE", conflicts_with = "sign_in")]
    pub(crate) certificate: Option<PathBuf>,
    /// Directory (tenant) id, or a verified domain of the tenant
    #[arg(long, value_name = "ID")]
    pub(crate) tenant_id: Option<String>,
    /// Application (client) id
    #[arg(long, value_name = "ID")]
    pub(crate) client_id: Option<String>,
}

/// The logs of a tenant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Logs {
    /// Sign-ins of people, applications and managed identities
    SignIns,
    /// Changes to the directory
    Audit,
    /// Accounts and groups that provisioning jobs carry from one system to another
    Provisioning,
    /// Sign-ins and changes to the directory
    Both,
    /// All three
    All,
}

impl CollectArguments {
    /// The logs that are wanted, and of the sign-ins which event types.
    pub(crate) fn wanted(&self) -> (Vec<Log>, Vec<EventType>) {
        if self.streams.is_empty() {
            let logs = match self.log {
                Logs::SignIns => vec![Log::SignIns],
                Logs::Audit => vec![Log::DirectoryAudits],
                Logs::Provisioning => vec![Log::Provisioning],
                Logs::Both => Log::USUAL.to_vec(),
                Logs::All => Log::ALL.to_vec(),
            };
            return (logs, EventType::ALL.to_vec());
        }
        let mut logs: Vec<_> = self.streams.iter().map(|stream| stream.log()).collect();
        let mut event_types: Vec<_> =
            self.streams.iter().filter_map(|stream| stream.event_type()).collect();
        logs.sort_unstable();
        logs.dedup();
        event_types.sort_unstable();
        event_types.dedup();
        (logs, event_types)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command_line::{Arguments, Command};
    use clap::Parser as _;

    fn wanted(line: &str) -> (Vec<Log>, Vec<EventType>) {
        let words =
            ["entratrail", "collect", "--archive", "a"].into_iter().chain(line.split_whitespace());
        match Arguments::try_parse_from(words).unwrap().command {
            Command::Collect(arguments) => arguments.wanted(),
            _ => unreachable!(),
        }
    }

    #[test]
    fn streams_decide_which_logs_are_read() {
        assert_eq!(wanted("").0, Log::USUAL);
        assert_eq!(wanted("--log all").0, Log::ALL);
        for line in ["--log provisioning", "--streams provisioning"] {
            assert_eq!(wanted(line).0, [Log::Provisioning], "{line}");
        }
        assert_eq!(wanted("--log audit"), (vec![Log::DirectoryAudits], EventType::ALL.to_vec()));
        let two = wanted("--streams audits,servicePrincipal");
        assert_eq!(
            two,
            (vec![Log::SignIns, Log::DirectoryAudits], vec![EventType::ServicePrincipal])
        );
        assert_eq!(wanted("--streams audits"), (vec![Log::DirectoryAudits], vec![]));
    }
}

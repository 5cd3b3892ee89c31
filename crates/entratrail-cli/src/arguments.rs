//! The command line. No secret is ever an argument, because others can read those.

use crate::place::Place;
use crate::session::Days;
use chrono::{DateTime, NaiveDate, Utc};
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Args, Parser, Subcommand, ValueEnum};
use entratrail::log::{EventType, Log, Stream};
use entratrail::request::parse_instant;
use entratrail::shown::describe;
use entratrail::window::midnight;
use std::ffi::OsString;
use std::path::PathBuf;
use std::str::FromStr;

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

const CREDENTIALS: &str = "\
Credentials: the environment variables ENTRATRAIL_TENANT_ID, ENTRATRAIL_CLIENT_ID and ENTRATRAIL_CLIENT_SECRET (or those
that start with AZURE_); what is missing is asked for on a terminal. --certificate takes the place of the secret, and
--sign-in that of the whole app registration.

Ctrl-C stops cleanly, and the same command goes on later; a second Ctrl-C ends at once.
GRAPH_URL and LOGIN_URL name the hosts of a national cloud; WINDOW_MINUTES, SETTLE_MINUTES, TARGET_RECORDS, CONCURRENCY and
GRAPH_REQUESTS_PER_10S have the meaning that they have for the functions.
";

const TABLES: &str = "\
Tables: sign_ins, directory_audits and provisioning with every version of every record, sign_ins_latest,
directory_audits_latest and provisioning_latest with the newest one, directory_changes, applied_policies, reads, coverage. Their columns are Microsoft's names in snake case:
  entratrail query --archive FOLDER \"SELECT day, count(*) FROM sign_ins_latest GROUP BY day ORDER BY day\"
  entratrail query --archive FOLDER \"DESCRIBE sign_ins\"
";

const REBUILD: &str = "\
Every read that stored records has a table object, below tables/; docs/tables.md describes the columns. The same raw records
make the same bytes, so to rebuild what is there changes nothing. A raw object that is damaged, or not the one on record, is
named and left out.
";

const WITNESS: &str = "\
A note is the checkpoint as a witness gives it back, with its signature below. What is not this log's checkpoint is refused;
signatures of witnesses that are not known are kept and shown as such. verify --witnesses shows who saw which size, and when.
";

const SETTINGS: &str = "File with lines NAME=VALUE: BreakGlassAccounts, TrustedNetworks, \
                        ImportantApplications, each a list with commas";

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Read what is due from Microsoft Graph into the archive
    #[command(after_help = CREDENTIALS)]
    Collect(CollectArguments),
    /// Check every object of the archive against the ledger, changing nothing
    Verify(VerifyArguments),
    /// Write what shows to anybody that one record is in the archive's signed log
    Prove(ProveArguments),
    /// Check a folder that prove has written, without the archive
    Check(CheckArguments),
    /// Keep what witnesses have signed of the archive's signed log
    #[command(after_help = WITNESS)]
    Witness(WitnessArguments),
    /// Make the typed tables of the archive again from its raw records
    #[command(after_help = REBUILD)]
    Rebuild(RebuildArguments),
    /// Ask the archive anything in SQL
    #[command(after_help = TABLES)]
    Query(QueryArguments),
    /// Write what the archive says as one page that opens without a network
    Report(ReportArguments),
    /// Collect and verify a made-up tenant on this machine: no tenant, no AWS account
    Demo(DemoArguments),
}

#[derive(Debug, Args)]
pub(crate) struct CollectArguments {
    /// The archive: a folder, made where there is none, or a bucket
    #[arg(long, value_name = "FOLDER|s3://BUCKET")]
    pub(crate) archive: Place,
    #[command(flatten)]
    pub(crate) span: SpanArguments,
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

#[derive(Debug, Args)]
pub(crate) struct VerifyArguments {
    /// The archive: a folder or a bucket
    #[arg(long, value_name = "FOLDER|s3://BUCKET")]
    pub(crate) archive: Place,
    #[command(flatten)]
    pub(crate) span: SpanArguments,
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

#[derive(Debug, Args)]
pub(crate) struct ProveArguments {
    /// The archive: a folder or a bucket
    #[arg(long, value_name = "FOLDER|s3://BUCKET")]
    pub(crate) archive: Place,
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

#[derive(Debug, Args)]
pub(crate) struct WitnessArguments {
    /// Signed notes: checkpoints with the signatures of witnesses
    #[arg(value_name = "NOTE", required = true)]
    pub(crate) notes: Vec<PathBuf>,
    /// The archive: a folder or a bucket
    #[arg(long, value_name = "FOLDER|s3://BUCKET")]
    pub(crate) archive: Place,
    /// The verifier keys, one a line
    #[arg(long, value_name = "FILE")]
    pub(crate) key: PathBuf,
    /// Keys of witnesses, one a line: a wrong signature of one of them is refused
    #[arg(long, value_name = "FILE")]
    pub(crate) witnesses: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct RebuildArguments {
    /// The archive: a folder or a bucket
    #[arg(long, value_name = "FOLDER|s3://BUCKET")]
    pub(crate) archive: Place,
    #[command(flatten)]
    pub(crate) span: SpanArguments,
    /// Only these streams: interactiveUser, nonInteractiveUser, servicePrincipal, managedIdentity,
    /// audits, provisioning
    #[arg(long, value_delimiter = ',', value_parser = stream)]
    pub(crate) streams: Vec<Stream>,
    #[command(flatten)]
    pub(crate) output: OutputArguments,
}

#[derive(Debug, Args)]
pub(crate) struct QueryArguments {
    /// The SQL; - reads it from standard input
    #[arg(required_unless_present_any = ["saved", "list"])]
    pub(crate) sql: Option<String>,
    /// The archive: a folder or a bucket
    #[arg(long, value_name = "FOLDER|s3://BUCKET", required_unless_present = "list")]
    pub(crate) archive: Option<Place>,
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
    #[arg(long, value_name = "FILE", help = SETTINGS)]
    pub(crate) settings: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) days: DayArguments,
}

#[derive(Debug, Args)]
pub(crate) struct ReportArguments {
    /// The archive: a folder or a bucket
    #[arg(long, value_name = "FOLDER|s3://BUCKET")]
    pub(crate) archive: Place,
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
    #[arg(long, value_name = "FILE", help = SETTINGS)]
    pub(crate) settings: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) days: DayArguments,
}

/// The days to look at.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct DayArguments {
    /// Only from this day on (UTC), such as 2026-10-24
    #[arg(long, value_name = "DAY")]
    pub(crate) from: Option<NaiveDate>,
    /// Only up to this day, which is not included
    #[arg(long, value_name = "DAY")]
    pub(crate) to: Option<NaiveDate>,
    /// The day that questions take for today, where they look back from it
    #[arg(long, value_name = "DAY")]
    pub(crate) today: Option<NaiveDate>,
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

/// The form of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ReportFormat {
    Html,
    Json,
}

#[derive(Debug, Args)]
pub(crate) struct DemoArguments {
    /// Folder for the archive of the made-up tenant
    #[arg(long, value_name = "DIR", default_value = "entratrail-demo")]
    pub(crate) folder: PathBuf,
}

/// A span of record time.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct SpanArguments {
    /// The last so many days, 1 to 30
    #[arg(long, value_name = "N", value_parser = days, conflicts_with = "from")]
    pub(crate) days: Option<u16>,
    /// From this day or instant on (UTC), read or not: 2026-10-24, or 2026-10-24T06:05:00Z on a
    /// 5-minute boundary
    #[arg(long, value_name = "WHEN", value_parser = instant)]
    pub(crate) from: Option<DateTime<Utc>>,
    /// Up to this day or instant, which is not included; now where it is absent
    #[arg(long, value_name = "WHEN", value_parser = instant, requires = "from")]
    pub(crate) to: Option<DateTime<Utc>>,
}

#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct OutputArguments {
    /// Show neither progress nor summary
    #[arg(long)]
    pub(crate) quiet: bool,
    /// Print the reports as JSON
    #[arg(long)]
    pub(crate) json: bool,
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

impl DayArguments {
    /// The days to look at.
    pub(crate) fn days(self) -> Days {
        Days { from: self.from, to: self.to }
    }

    /// The first instant of the day that is taken for today.
    pub(crate) fn now(self) -> Option<DateTime<Utc>> {
        self.today.map(midnight)
    }
}

fn days(text: &str) -> Result<u16, String> {
    let days = text.parse().ok().filter(|days| (1..=30).contains(days));
    days.ok_or_else(|| "it must be a whole number from 1 to 30".to_owned())
}

fn stream(text: &str) -> Result<Stream, String> {
    if ["audits", "audit", Log::DirectoryAudits.name()].contains(&text) {
        return Ok(Stream::DirectoryAudits);
    }
    if text == Log::Provisioning.name() {
        return Ok(Stream::Provisioning);
    }
    EventType::parse(text).map(Stream::SignIns).ok_or_else(|| {
        format!(
            "there is no such stream; there are {}, audits and provisioning",
            EventType::ALL.map(EventType::name).join(", ")
        )
    })
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

fn instant(text: &str) -> Result<DateTime<Utc>, String> {
    parse_instant(text).ok_or_else(|| {
        "it must be a date such as 2026-10-24, or an RFC 3339 instant on a 5-minute boundary such \
         as 2026-10-24T06:05:00Z"
            .to_owned()
    })
}

impl FromStr for Place {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.strip_prefix("s3://").map(|bucket| bucket.trim_end_matches('/')) {
            None if text.is_empty() => {
                Err("it must name a folder, or a bucket as s3://BUCKET".to_owned())
            }
            None => Ok(Self::Folder(text.into())),
            Some(bucket) if bucket.is_empty() || bucket.contains('/') => {
                Err("a bucket is an archive as a whole: s3:// and its name, nothing more"
                    .to_owned())
            }
            Some(bucket) => Ok(Self::Bucket(bucket.to_owned())),
        }
    }
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

    #[test]
    fn streams_decide_which_logs_are_read() {
        let wanted = |line: &str| {
            let words = ["entratrail", "collect", "--archive", "a"]
                .into_iter()
                .chain(line.split_whitespace());
            match Arguments::try_parse_from(words).unwrap().command {
                Command::Collect(arguments) => arguments.wanted(),
                _ => unreachable!(),
            }
        };
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

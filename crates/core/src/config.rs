//! Every environment variable of a function, validated. Nothing else reads the environment.

use crate::error::Error;
use crate::log::EventType;
use crate::plan::PlanSettings;
use crate::shown::describe;
use crate::window::WindowLength;
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use std::fmt::Display;
use std::ops::RangeInclusive;
use std::str::FromStr;
use url::{Host, Url};

/// The settings of a function. Each field names its variable; the template parameter has the same
/// words.
#[derive(Debug, Clone)]
pub struct Config {
    /// Bucket of the archive.
    pub bucket: BucketSettings,
    /// `PARAMETER_PREFIX`, required: the SSM path below which the credential lies, e.g.
    /// `/entratrail`.
    pub parameter_prefix: String,
    /// `CREDENTIAL`: `secret`, `certificate` or `federated`.
    pub credential: CredentialKind,
    /// Settings of a run.
    pub run: RunSettings,
    /// `STOP_BEFORE_DEADLINE_SECONDS`: when a run stops starting work and hands over.
    pub stop_before_deadline: TimeDelta,
    /// `CREDENTIAL_EXPIRES`: the day on which the client secret ends. Entra tells it to people
    /// only.
    pub secret_expires: Option<NaiveDate>,
    /// `EVIDENCE`: who signs the log of the ledger: `none`, `parameter` or `kms`, with the key of
    /// `EVIDENCE_KMS_KEY`.
    pub evidence: EvidenceKind,
}

/// Settings of the archive's bucket, which every function has.
#[derive(Debug, Clone)]
pub struct BucketSettings {
    /// `ARCHIVE_BUCKET`, required.
    pub name: String,
    /// `ARCHIVE_ENCRYPTION`: the encryption that each write names, for a bucket whose policy
    /// demands that.
    pub encryption: Option<Encryption>,
    /// Whether `AWS_ENDPOINT_URL` or `AWS_ENDPOINT_URL_S3` redirects S3, to an emulator or a proxy;
    /// such endpoints want the bucket in the path, not in the host name.
    pub has_own_endpoint: bool,
}

/// Settings of a run that do not depend on where it runs.
#[derive(Debug, Clone)]
pub struct RunSettings {
    /// Settings of the requests to Graph.
    pub graph: GraphSettings,
    /// `SIGN_IN_EVENT_TYPES`: comma list of the sign-ins that are read.
    pub event_types: Vec<EventType>,
    /// Settings of the plan.
    pub plan: PlanSettings,
    /// `TARGET_RECORDS`: records that a window is to hold at most, roughly.
    pub target_records: u64,
    /// `EVIDENCE_TIME_STAMP_URL`: the service of RFC 3161 that stamps checkpoints of a signed log.
    pub time_stamps: Option<Url>,
}

/// Addresses of Graph and Entra, and the pace of requests.
#[derive(Debug, Clone)]
pub struct GraphSettings {
    /// `GRAPH_URL`: the Graph host of the tenant's cloud.
    pub graph_url: Url,
    /// `LOGIN_URL`: the login host of the tenant's cloud.
    pub login_url: Url,
    /// `CONCURRENCY`: windows in flight at once, and requests in flight at once.
    pub concurrency: usize,
    /// `GRAPH_REQUESTS_PER_10S`: the limit that all of them share.
    pub requests_per_10s: usize,
}

/// Kind of credential that proves to Entra who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CredentialKind {
    /// A client secret.
    Secret,
    /// A certificate.
    Certificate,
    /// A token of the function's own role.
    Federated,
}

/// Who signs the log of the ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EvidenceKind {
    /// Nobody: there is no log.
    None,
    /// A key in Parameter Store.
    Parameter,
    /// The KMS key with that ARN.
    Kms(String),
}

/// An encryption of S3 as a write names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Encryption {
    /// S3's own keys.
    S3,
    /// The KMS key with that ARN.
    Key(String),
}

impl Config {
    /// Reads the variables through `lookup`.
    pub fn read(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, Error> {
        let variables = Variables::new(&lookup);
        Ok(Self {
            bucket: variables.bucket()?,
            parameter_prefix: variables.parameter_prefix()?,
            credential: variables.credential()?,
            run: RunSettings::read(&lookup)?,
            stop_before_deadline: variables.stop_before_deadline()?,
            secret_expires: variables.day("CREDENTIAL_EXPIRES")?,
            evidence: variables.evidence()?,
        })
    }
}

impl RunSettings {
    /// Reads the variables through `lookup`.
    pub fn read(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, Error> {
        let variables = Variables::new(&lookup);
        Ok(Self {
            graph: GraphSettings {
                graph_url: variables.host("GRAPH_URL", "https://graph.microsoft.com")?,
                login_url: variables.host("LOGIN_URL", "https://login.microsoftonline.com")?,
                concurrency: variables.number("CONCURRENCY", 4, 1..=16)?,
                requests_per_10s: variables.number("GRAPH_REQUESTS_PER_10S", 5, 1..=10_000)?,
            },
            event_types: variables.event_types()?,
            plan: PlanSettings {
                history_days: variables.number("HISTORY_DAYS", 30, 1..=30)?,
                window_length: variables.window_length()?,
                settle: TimeDelta::minutes(variables.number("SETTLE_MINUTES", 30, 0..=1440)?),
                last_look: variables.last_look()?,
                only_days: None,
            },
            target_records: variables.number("TARGET_RECORDS", 50_000, 1..=1_000_000)?,
            time_stamps: variables.time_stamps()?,
        })
    }
}

impl Config {
    /// Days until the client secret ends, where somebody has noted when.
    pub fn secret_days_left(&self, now: DateTime<Utc>) -> Option<i64> {
        self.secret_expires.map(|day| (day - now.date_naive()).num_days())
    }
}

/// The environment of a function, and the rules for what it may hold.
#[expect(
    missing_debug_implementations,
    reason = "it holds a function, and values that nobody should print"
)]
pub struct Variables<'lookup>(&'lookup dyn Fn(&str) -> Option<String>);

impl<'lookup> Variables<'lookup> {
    /// Variables as `lookup` knows them.
    pub fn new(lookup: &'lookup dyn Fn(&str) -> Option<String>) -> Self {
        Self(lookup)
    }

    /// The value of a variable that must be set; `meaning` says to what.
    pub fn required(&self, name: &str, meaning: &str) -> Result<String, Error> {
        let value = self.0(name).filter(|value| !value.trim().is_empty());
        value.ok_or_else(|| {
            Error::configuration(format!("the environment variable {name} is not set"))
                .with_remedy(format!("it must hold {meaning}"))
        })
    }

    /// The value of a variable, or the default where it is not set.
    pub fn or(&self, name: &str, default: &str) -> String {
        self.0(name).unwrap_or_else(|| default.to_owned())
    }

    /// `STOP_BEFORE_DEADLINE_SECONDS`, from 1 to 840.
    pub fn stop_before_deadline(&self) -> Result<TimeDelta, Error> {
        Ok(TimeDelta::seconds(self.number("STOP_BEFORE_DEADLINE_SECONDS", 60, 1..=840)?))
    }

    /// Settings of the archive's bucket.
    pub fn bucket(&self) -> Result<BucketSettings, Error> {
        Ok(BucketSettings {
            name: self.required("ARCHIVE_BUCKET", "the name of the archive's bucket")?,
            encryption: self.encryption()?,
            has_own_endpoint: self.0("AWS_ENDPOINT_URL")
                .or(self.0("AWS_ENDPOINT_URL_S3"))
                .is_some(),
        })
    }

    fn encryption(&self) -> Result<Option<Encryption>, Error> {
        const NAME: &str = "ARCHIVE_ENCRYPTION";
        let value = self.or(NAME, "");
        match value.as_str() {
            "" => Ok(None),
            "s3" => Ok(Some(Encryption::S3)),
            arn if is_key_arn(arn) => Ok(Some(Encryption::Key(arn.to_owned()))),
            _ => Err(malformed(NAME, &value, "s3, the ARN of a KMS key, or nothing")),
        }
    }

    fn parameter_prefix(&self) -> Result<String, Error> {
        const NAME: &str = "PARAMETER_PREFIX";
        let allowed = "an SSM path that starts with a slash, e.g. /entratrail";
        let prefix = self.required(NAME, allowed)?;
        let trimmed = prefix.trim_end_matches('/');
        if trimmed.starts_with('/') {
            Ok(trimmed.to_owned())
        } else {
            Err(malformed(NAME, &prefix, allowed))
        }
    }

    fn credential(&self) -> Result<CredentialKind, Error> {
        let value = self.or("CREDENTIAL", "secret");
        match value.as_str() {
            "secret" => Ok(CredentialKind::Secret),
            "certificate" => Ok(CredentialKind::Certificate),
            "federated" => Ok(CredentialKind::Federated),
            _ => Err(malformed("CREDENTIAL", &value, "secret, certificate or federated")),
        }
    }

    fn evidence(&self) -> Result<EvidenceKind, Error> {
        let value = self.or("EVIDENCE", "none");
        match value.as_str() {
            "none" => Ok(EvidenceKind::None),
            "parameter" => Ok(EvidenceKind::Parameter),
            "kms" => self.evidence_key().map(EvidenceKind::Kms),
            _ => Err(malformed("EVIDENCE", &value, "none, parameter or kms")),
        }
    }

    fn evidence_key(&self) -> Result<String, Error> {
        const NAME: &str = "EVIDENCE_KMS_KEY";
        let allowed = "the ARN of a KMS key of spec ECC_NIST_EDWARDS25519";
        let value = self.required(NAME, allowed)?;
        if is_key_arn(&value) { Ok(value) } else { Err(malformed(NAME, &value, allowed)) }
    }

    /// Plain http will do: only a hash goes there, and the answer is signed.
    fn time_stamps(&self) -> Result<Option<Url>, Error> {
        const NAME: &str = "EVIDENCE_TIME_STAMP_URL";
        let value = self.or(NAME, "");
        let url = Url::parse(&value).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
        match url {
            _ if value.is_empty() => Ok(None),
            Some(url) => Ok(Some(url)),
            None => Err(malformed(
                NAME,
                &value,
                "the address of a time-stamp service, http:// or https://",
            )),
        }
    }

    fn day(&self, name: &str) -> Result<Option<NaiveDate>, Error> {
        let Some(value) = self.0(name) else { return Ok(None) };
        let day = value.parse().map(Some);
        day.map_err(|_| malformed(name, &value, "a day such as 2027-05-31"))
    }

    /// A URL that a token may be sent to: TLS, or a loopback address for tests.
    fn host(&self, name: &str, default: &str) -> Result<Url, Error> {
        let value = self.or(name, default);
        Url::parse(&value)
            .ok()
            .filter(|url| is_safe(url) && is_bare(url) && url.has_host())
            .ok_or_else(|| {
                malformed(
                    name,
                    &value,
                    "https:// and a host name (plain http only to a loopback \
                                     address), e.g. https://graph.microsoft.us",
                )
            })
    }

    fn number<N>(&self, name: &str, default: N, range: RangeInclusive<N>) -> Result<N, Error>
    where
        N: FromStr + PartialOrd + Display + Copy,
    {
        let Some(value) = self.0(name) else { return Ok(default) };
        let number = value.parse().ok().filter(|number| range.contains(number));
        let allowed = format!("a whole number from {} to {}", range.start(), range.end());
        number.ok_or_else(|| malformed(name, &value, &allowed))
    }

    fn last_look(&self) -> Result<Option<TimeDelta>, Error> {
        let days = self.number("LAST_LOOK_DAYS", 5, 0..=30)?;
        Ok((days > 0).then(|| TimeDelta::days(days)))
    }

    fn window_length(&self) -> Result<WindowLength, Error> {
        let value = self.or("WINDOW_MINUTES", "1440");
        let length = value.parse().ok().and_then(WindowLength::new);
        length.ok_or_else(|| {
            let lengths = WindowLength::MINUTES.map(|minutes| minutes.to_string()).join(", ");
            malformed("WINDOW_MINUTES", &value, &format!("one of {lengths}"))
        })
    }

    fn event_types(&self) -> Result<Vec<EventType>, Error> {
        const NAME: &str = "SIGN_IN_EVENT_TYPES";
        let names = EventType::ALL.map(EventType::name).join(",");
        let value = self.or(NAME, &names);
        let mut event_types: Vec<_> =
            value.split(',').filter_map(|name| EventType::parse(name.trim())).collect();
        let is_whole = event_types.len() == value.split(',').count();
        event_types.sort_unstable();
        event_types.dedup();
        if is_whole && event_types.len() == value.split(',').count() {
            return Ok(event_types);
        }
        Err(malformed(NAME, &value, &format!("a comma list of {names}, each at most once")))
    }
}

/// Whether nobody else can read what is sent there.
fn is_safe(url: &Url) -> bool {
    let is_loopback = match url.host() {
        Some(Host::Domain(domain)) => domain == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    };
    url.scheme() == "https" || url.scheme() == "http" && is_loopback
}

/// Whether a URL names no more than a scheme and a host.
fn is_bare(url: &Url) -> bool {
    let has_person = !url.username().is_empty() || url.password().is_some();
    let has_more = url.query().is_some() || url.fragment().is_some() || url.path() != "/";
    !has_person && !has_more
}

fn is_key_arn(value: &str) -> bool {
    value.starts_with("arn:") && value.contains(":kms:") && value.contains(":key/")
}

/// The refusal of a value, which it describes and does not quote.
pub fn malformed(name: &str, value: &str, allowed: &str) -> Error {
    Error::configuration(format!("the environment variable {name} holds {}", describe(value)))
        .with_remedy(format!("allowed is {allowed}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(variables: &[(&str, &str)]) -> Result<Config, Error> {
        let required = [("ARCHIVE_BUCKET", "archive"), ("PARAMETER_PREFIX", "/entratrail/")];
        let value = |name: &str| {
            let set = variables.iter().chain(&required).find(|(key, _)| *key == name);
            set.map(|(_, value)| (*value).to_owned()).filter(|value| value != "(unset)")
        };
        Config::read(value)
    }

    #[test]
    fn only_bucket_and_prefix_are_required() {
        let config = read(&[]).unwrap();
        assert_eq!(config.parameter_prefix, "/entratrail");
        assert_eq!(config.run.event_types, EventType::ALL);
        assert_eq!((config.run.plan.history_days, config.run.target_records), (30, 50_000));
        assert_eq!(config.run.graph.graph_url.as_str(), "https://graph.microsoft.com/");
    }

    #[test]
    fn a_malformed_variable_is_named_with_a_description_of_what_it_holds_and_what_is_allowed() {
        let check = |name: &str, value: &str, allowed: &str| {
            let error = read(&[(name, value)]).unwrap_err();
            assert_eq!(error.error_type(), "Configuration");
            let text = error.to_string();
            assert!(text.contains(name) && text.contains(allowed), "{text}");
            let is_quoted = value.len() < 8 && text.contains(value);
            assert!(value == "(unset)" || is_quoted || text.contains(&describe(value)), "{text}");
            assert!(value.len() < 8 || !text.contains(value), "{text}");
        };
        check("ARCHIVE_BUCKET", "(unset)", "bucket");
        check("ARCHIVE_BUCKET", "", "bucket");
        check("PARAMETER_PREFIX", "abc8Q~the.secret.value", "starts with a slash");
        check("CREDENTIAL", "password", "secret, certificate or federated");
        check("GRAPH_URL", "http://graph.microsoft.com", "https://");
        check("GRAPH_URL", "graph.microsoft.com", "https://");
        check("LOGIN_URL", "https://user@login.microsoftonline.com", "https://");
        check("HISTORY_DAYS", "31", "1 to 30");
        check("HISTORY_DAYS", "0", "1 to 30");
        check("WINDOW_MINUTES", "90", "1440, 720, 360, 180, 60, 30, 15, 5");
        check("SETTLE_MINUTES", "-5", "0 to 1440");
        check("LAST_LOOK_DAYS", "31", "0 to 30");
        check("TARGET_RECORDS", "many", "1 to 1000000");
        check("CONCURRENCY", "", "1 to 16");
        check("SIGN_IN_EVENT_TYPES", "interactiveUser,guest", "interactiveUser,nonInteractiveUser");
        check("SIGN_IN_EVENT_TYPES", "interactiveUser,interactiveUser", "at most once");
        check("SIGN_IN_EVENT_TYPES", "", "comma list");
        check("ARCHIVE_ENCRYPTION", "kms", "s3, the ARN of a KMS key");
        check("EVIDENCE", "yes", "none, parameter or kms");
        check("EVIDENCE_TIME_STAMP_URL", "freetsa.org", "http:// or https://");
        check("CREDENTIAL_EXPIRES", "31.5.2027", "a day such as 2027-05-31");
    }

    #[test]
    fn a_signature_of_kms_names_its_key() {
        let key = "arn:aws:kms:eu-central-1:123456789012:key/8d0c";
        let config = read(&[("EVIDENCE", "kms"), ("EVIDENCE_KMS_KEY", key)]).unwrap();
        assert_eq!(config.evidence, EvidenceKind::Kms(key.to_owned()));
        for key in [&[][..], &[("EVIDENCE_KMS_KEY", "alias/mine")]] {
            let variables = [&[("EVIDENCE", "kms")], key].concat();
            let error = read(&variables).unwrap_err().to_string();
            assert!(
                error.contains("EVIDENCE_KMS_KEY") && error.contains("ECC_NIST_EDWARDS25519"),
                "{error}"
            );
        }
    }

    #[test]
    fn the_end_of_a_secret_is_counted_in_days() {
        let now = "2027-05-01T23:00:00Z".parse().unwrap();
        let days_left = |day| read(&[("CREDENTIAL_EXPIRES", day)]).unwrap().secret_days_left(now);
        assert_eq!((days_left("2027-05-31"), days_left("2027-04-30")), (Some(30), Some(-1)));
        assert_eq!(read(&[]).unwrap().secret_days_left(now), None);
    }

    #[test]
    fn plain_http_is_for_loopback_only() {
        for url in [
            "http://127.0.0.1:8080",
            "http://localhost:1",
            "http://[::1]:9",
            "https://graph.microsoft.us",
        ] {
            assert!(read(&[("GRAPH_URL", url)]).is_ok(), "{url}");
        }
    }
}

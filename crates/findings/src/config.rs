//! Every environment variable of the function, validated. Nothing else reads the environment.

use crate::mail::Place;
use chrono::TimeDelta;
use entratrail::config::{BucketSettings, Variables, malformed};
use entratrail::error::Error;
use entratrail_questions::Severity;

/// The settings of the function. Each field names its variable.
#[derive(Debug, Clone)]
pub struct Config {
    /// Bucket of the archive, which also holds what was told.
    pub bucket: BucketSettings,
    /// `QUERY_WORKGROUP`, required: the workgroup of Athena. It is named like the stack.
    pub workgroup: String,
    /// `QUERY_DATABASE`, required: the database with the tables of the archive.
    pub database: String,
    /// `TOPIC_ARN`, required: the topic that mails.
    pub topic: String,
    /// `FINDINGS_DAILY`: `high`, or `medium` to ask for these every day too.
    pub daily: Severity,
    /// `CONSOLE_HOST`: the console that links lead to.
    pub console: String,
    /// `STOP_BEFORE_DEADLINE_SECONDS`: when a run stops waiting for answers.
    pub stop_before_deadline: TimeDelta,
}

impl Config {
    /// Reads the variables through `lookup`.
    pub fn read(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, Error> {
        let variables = Variables::new(&lookup);
        Ok(Self {
            bucket: variables.bucket()?,
            workgroup: variables
                .required("QUERY_WORKGROUP", "the name of the workgroup in Athena")?,
            database: variables.required("QUERY_DATABASE", "the name of the database in Athena")?,
            topic: variables.required("TOPIC_ARN", "the ARN of the topic that mails")?,
            daily: daily(&variables)?,
            console: variables.or("CONSOLE_HOST", "console.aws.amazon.com"),
            stop_before_deadline: variables.stop_before_deadline()?,
        })
    }

    /// The stack, as a mail names it.
    pub fn place(&self, account: &str, region: &str) -> Place {
        Place {
            stack: self.workgroup.clone(),
            account: account.to_owned(),
            region: region.to_owned(),
            console: self.console.clone(),
        }
    }
}

fn daily(variables: &Variables<'_>) -> Result<Severity, Error> {
    const NAME: &str = "FINDINGS_DAILY";
    let value = variables.or(NAME, "high");
    let allowed = [Severity::High, Severity::Medium];
    let known = allowed.into_iter().find(|severity| severity.name() == value);
    known.ok_or_else(|| malformed(NAME, &value, "high or medium"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(name: &str, value: &str) -> Result<Config, Error> {
        let required = [
            ("ARCHIVE_BUCKET", "archive"),
            ("QUERY_WORKGROUP", "entratrail"),
            ("QUERY_DATABASE", "entratrail"),
            ("TOPIC_ARN", "arn:aws:sns:eu-central-1:111122223333:mails"),
        ];
        Config::read(|asked| {
            let default =
                required.iter().find(|(known, _)| *known == asked).map(|(_, value)| *value);
            (asked == name).then_some(value).or(default).map(str::to_owned)
        })
    }

    #[test]
    fn four_variables_are_required_and_the_threshold_is_high() {
        assert_eq!(read("", "").unwrap().daily, Severity::High);
        assert_eq!(read("FINDINGS_DAILY", "medium").unwrap().daily, Severity::Medium);
        for name in ["ARCHIVE_BUCKET", "QUERY_WORKGROUP", "QUERY_DATABASE", "TOPIC_ARN"] {
            let error = read(name, "").unwrap_err();
            assert!(
                error.error_type() == "Configuration" && error.to_string().contains(name),
                "{error}"
            );
        }
        assert!(read("FINDINGS_DAILY", "low").unwrap_err().to_string().contains("high or medium"));
    }
}

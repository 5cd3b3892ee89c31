//! A run as an AWS Lambda function: from an event to a report or an error, and on to the next
//! invocation.

use crate::archive::{Archive, Bucket, Operator};
use crate::check::{Check, Checks};
use crate::clock::Clock;
use crate::collector::{Collector, Run};
use crate::config::Config;
use crate::error::Error;
use crate::log::Log;
use crate::metrics;
use crate::parameters::Identity;
use crate::request::{Collect, MOST_HOPS, Request};
use aws_sdk_lambda::error::ProvideErrorMetadata as _;
use aws_sdk_lambda::primitives::Blob;
use aws_sdk_lambda::types::InvocationType;
use chrono::{DateTime, TimeDelta, Utc};
use lambda_runtime::{Context, LambdaEvent};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::UNIX_EPOCH;
use tracing_subscriber::filter::LevelFilter;

/// The function for one log.
#[derive(Debug)]
pub struct Function {
    log: Log,
    /// Settings of the environment, or the reason why they cannot be used: then every invocation
    /// fails with that.
    setup: Result<Setup, Error>,
}

/// Time for which a chain of invocations is left to read before it reports how old what is not
/// verified has become. A first run takes a day where a month is large, and has nothing to report
/// of windows that it has not come to.
const QUIET_PROGRESS: TimeDelta = TimeDelta::hours(48);

#[derive(Debug)]
struct Setup {
    config: Config,
    identity: Identity,
    bucket: Bucket,
    lambda: aws_sdk_lambda::Client,
}

/// Serves `log` until Lambda ends the process.
pub async fn serve(log: Log) -> Result<(), lambda_runtime::Error> {
    start_log();
    let function = Function::new(log, |name| std::env::var(name).ok()).await;
    // In a box: what answers an invocation is too large a future for the stack.
    lambda_runtime::run(lambda_runtime::service_fn(|event| Box::pin(function.handle(event)))).await
}

/// Writes the lines of the log to standard output, in the format and from the level that Lambda's
/// advanced logging controls set: `AWS_LAMBDA_LOG_FORMAT` and `AWS_LAMBDA_LOG_LEVEL`.
pub fn start_log() {
    let level = std::env::var("AWS_LAMBDA_LOG_LEVEL").ok().and_then(|level| level.parse().ok());
    let format = std::env::var("AWS_LAMBDA_LOG_FORMAT").unwrap_or_default();
    let lines = tracing_subscriber::fmt()
        .with_max_level(level.unwrap_or(LevelFilter::INFO))
        .with_target(false)
        .without_time();
    if format.eq_ignore_ascii_case("json") {
        lines.json().init();
    } else {
        lines.init();
    }
}

impl Function {
    /// Reads the settings through `lookup`. Sends nothing yet.
    pub async fn new(log: Log, lookup: impl Fn(&str) -> Option<String>) -> Self {
        let setup = match Config::read(lookup) {
            Ok(config) => Ok(Setup::new(config).await),
            Err(error) => Err(error),
        };
        if let Err(error) = &setup {
            tracing::error!(log = log.name(), "{error}");
        }
        Self { log, setup }
    }

    /// Answers one invocation.
    pub async fn handle(&self, event: LambdaEvent<Value>) -> Result<Value, Error> {
        let setup = self.setup.as_ref().map_err(Clone::clone)?;
        match Request::parse(&event.payload)? {
            Request::Check => Ok(json!(setup.check(self.log, &event.context).await)),
            Request::Collect(collect) => setup.collect(self.log, &collect, &event.context).await,
        }
    }
}

impl Setup {
    async fn new(config: Config) -> Self {
        let aws = aws_config::load_from_env().await;
        let s3 = aws_sdk_s3::config::Builder::from(&aws)
            .force_path_style(config.has_own_s3_endpoint)
            .build();
        let s3 = aws_sdk_s3::Client::from_conf(s3);
        let bucket = Bucket::new(s3, config.archive_bucket.clone(), Operator::Function);
        let bucket = match &config.archive_encryption {
            Some(encryption) => bucket.encrypted(encryption.clone()),
            None => bucket,
        };
        Self {
            bucket,
            identity: Identity::new(&aws),
            lambda: aws_sdk_lambda::Client::new(&aws),
            config,
        }
    }

    async fn collector(&self, log: Log, context: &Context) -> Result<Collector, Error> {
        let application = self.identity.application(&self.config).await?;
        let archive = Archive::in_bucket(self.bucket(context));
        Collector::new(log, self.config.run.clone(), application, archive, Clock::wall())
    }

    /// The bucket of the account in which the function runs, and no other of that name.
    fn bucket(&self, context: &Context) -> Bucket {
        let bucket = self.bucket.clone();
        match account_in(&context.invoked_function_arn) {
            Some(account) => bucket.owned_by(account.to_owned()),
            None => bucket,
        }
    }

    async fn check(&self, log: Log, context: &Context) -> Checks {
        let checks = match self.collector(log, context).await {
            Ok(collector) => collector.check().await,
            Err(error) => Checks::new(log, vec![Check::new("credential", Err(error))]),
        };
        match self.identity.signer(&self.config).await {
            None => checks,
            Some(Ok(signer)) => checks.with(Check::new("evidence", signer.try_out(log).await)),
            Some(Err(error)) => checks.with(Check::new("evidence", Err(error))),
        }
    }

    async fn collect(
        &self,
        log: Log,
        collect: &Collect,
        context: &Context,
    ) -> Result<Value, Error> {
        let started_at = Utc::now();
        let stop_at = self.stop_at(context, started_at)?;
        let signer = self.identity.signer(&self.config).await.map(|signer| signer.map(Arc::new));
        let collector = self.collector(log, context).await?.signed_by(signer);
        let mut run = collector.run(collect, Some(stop_at)).await?;
        let days_left = &mut run.vitals.credential_days_left;
        *days_left = days_left.or(self.config.secret_days_left(started_at));
        if run.ran_out_of_time {
            self.hand_over(&mut run, collect, context, started_at).await;
        }
        if collect.span.is_some() {
            run.vitals.succeeded = None;
        }
        // A plan is asked for every few seconds by whoever watches a run, and its report is the
        // answer.
        if collect.is_dry_run {
            tracing::info!(log = log.name(), windows = run.report.remaining_windows, "planned");
            return answer(run.error, json!(run.report.bounded()));
        }
        let metrics =
            metrics::line(&run.report, run.vitals, &context.env_config.function_name, Utc::now());
        let report = json!(run.report.bounded());
        metrics::print(&report);
        metrics::print(&metrics);
        answer(run.error, report)
    }

    /// Time at which to stop, so that what is in flight can be given up before Lambda ends the
    /// process.
    fn stop_at(&self, context: &Context, now: DateTime<Utc>) -> Result<DateTime<Utc>, Error> {
        let deadline = context.deadline().duration_since(UNIX_EPOCH).unwrap_or_default();
        let deadline =
            DateTime::UNIX_EPOCH + chrono::TimeDelta::from_std(deadline).unwrap_or_default();
        let stop_at = deadline - self.config.stop_before_deadline;
        if stop_at > now {
            return Ok(stop_at);
        }
        Err(Error::Configuration(format!(
            "the function's timeout leaves {} s, and STOP_BEFORE_DEADLINE_SECONDS holds \"{}\"; \
             allowed is less than the timeout",
            (deadline - now).num_seconds(),
            self.config.stop_before_deadline.num_seconds()
        )))
    }

    /// Has the next invocation go on where this one stopped; what failed in this one is tried again
    /// there. An invocation that got nothing done does not, because the next one would not either.
    async fn hand_over(
        &self,
        run: &mut Run,
        collect: &Collect,
        context: &Context,
        started_at: DateTime<Utc>,
    ) {
        let left = run.report.remaining_windows;
        if run.report.read_windows() == 0 {
            run.vitals.succeeded = Some(false);
            run.error.get_or_insert_with(|| {
                Error::Incomplete(format!(
                    "not one window could be read before the time ran out, and {left} are left; \
                     raise the function's timeout or lower TARGET_RECORDS"
                ))
            });
            return;
        }
        run.error = self.invoke_next(left, collect, context, started_at).await.err();
        run.vitals.succeeded = Some(run.error.is_none() && run.report.failed_windows() == 0);
        if run.error.is_none()
            && started_at - collect.asked_at.unwrap_or(started_at) < QUIET_PROGRESS
        {
            run.vitals.oldest_unverified_hours = None;
        }
    }

    async fn invoke_next(
        &self,
        left: u64,
        collect: &Collect,
        context: &Context,
        started_at: DateTime<Utc>,
    ) -> Result<(), Error> {
        let Some(event) = collect.next_event(started_at) else {
            return Err(Error::Incomplete(format!(
                "{left} windows are left after {MOST_HOPS} invocations in a row; the next \
                 scheduled run goes on with them"
            )));
        };
        let request = self.lambda.invoke().function_name(&context.env_config.function_name);
        let request =
            request.invocation_type(InvocationType::Event).payload(Blob::new(event.to_string()));
        request.send().await.map(drop).map_err(|error| {
            Error::Incomplete(format!(
                "time ran out with {left} windows left, and the function could not start itself \
                 again ({}); allow its role lambda:InvokeFunction on itself; the next scheduled \
                 run goes on",
                error.code().unwrap_or("no answer")
            ))
        })
    }
}

fn answer(error: Option<Error>, report: Value) -> Result<Value, Error> {
    match error {
        None => Ok(report),
        Some(error) => Err(error),
    }
}

/// The account in the ARN of a function.
pub fn account_in(function_arn: &str) -> Option<&str> {
    let account = function_arn.strip_prefix("arn:")?.split(':').nth(3)?;
    let is_account = account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit());
    is_account.then_some(account)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_function_knows_its_account_in_every_partition() {
        let check = |arn, account| assert_eq!(account_in(arn), account, "{arn}");
        check("arn:aws:lambda:eu-central-1:111122223333:function:x:$LATEST", Some("111122223333"));
        check("arn:aws-eusc:lambda:eusc-de-east-1:111122223333:function:x", Some("111122223333"));
        check("function-arn", None);
        check("arn:aws:lambda:eu-central-1:me:function:x", None);
        check("", None);
    }
}

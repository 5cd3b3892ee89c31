//! A run as an AWS Lambda function: from an event to a report or an error, and on to the next invocation.

use crate::archive::Archive;
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
use chrono::{DateTime, Utc};
use lambda_runtime::{Context, LambdaEvent};
use serde_json::{Value, json};
use std::time::UNIX_EPOCH;

/// The function for one log.
#[derive(Debug)]
pub struct Function {
    log: Log,
    /// What the environment says, or why it cannot be used: then every invocation fails with that.
    setup: Result<Setup, Error>,
}

#[derive(Debug)]
struct Setup {
    config: Config,
    identity: Identity,
    archive: Archive,
    lambda: aws_sdk_lambda::Client,
}

/// Serves `log` until Lambda ends the process.
pub async fn serve(log: Log) -> Result<(), lambda_runtime::Error> {
    lambda_runtime::tracing::init_default_subscriber();
    let function = Function::new(log, |name| std::env::var(name).ok()).await;
    // In a box: what answers an invocation is too large a future for the stack.
    lambda_runtime::run(lambda_runtime::service_fn(|event| Box::pin(function.handle(event)))).await
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
            Request::Check => Ok(json!(setup.check(self.log).await)),
            Request::Collect(collect) => setup.collect(self.log, &collect, &event.context).await,
        }
    }
}

impl Setup {
    async fn new(config: Config) -> Self {
        let aws = aws_config::load_from_env().await;
        let s3 = aws_sdk_s3::config::Builder::from(&aws).force_path_style(config.has_own_s3_endpoint).build();
        Self {
            archive: Archive::new(aws_sdk_s3::Client::from_conf(s3), config.archive_bucket.clone()),
            identity: Identity { ssm: aws_sdk_ssm::Client::new(&aws), sts: aws_sdk_sts::Client::new(&aws) },
            lambda: aws_sdk_lambda::Client::new(&aws),
            config,
        }
    }

    async fn collector(&self, log: Log) -> Result<Collector, Error> {
        let application = self.identity.application(&self.config).await?;
        Collector::new(log, self.config.run.clone(), application, self.archive.clone(), Clock::wall())
    }

    async fn check(&self, log: Log) -> Checks {
        match self.collector(log).await {
            Ok(collector) => collector.check().await,
            Err(error) => Checks::new(log, vec![Check::new("credential", Err(error))]),
        }
    }

    async fn collect(&self, log: Log, collect: &Collect, context: &Context) -> Result<Value, Error> {
        let started_at = Utc::now();
        let stop_at = self.stop_at(context, started_at)?;
        let collector = self.collector(log).await?;
        let mut run = collector.run(collect, Some(stop_at)).await?;
        let days_left = &mut run.vitals.credential_days_left;
        *days_left = days_left.or(self.config.secret_days_left(started_at));
        if run.ran_out_of_time {
            self.hand_over(&mut run, collect, context, started_at).await;
        }
        metrics::print_report(&run.report);
        if !collect.is_dry_run {
            metrics::print(&run.report, run.vitals, &context.env_config.function_name, Utc::now());
        }
        match run.error {
            None => Ok(json!(run.report)),
            Some(error) => Err(error),
        }
    }

    /// When to stop, so that what is in flight can be given up before Lambda ends the process.
    fn stop_at(&self, context: &Context, now: DateTime<Utc>) -> Result<DateTime<Utc>, Error> {
        let deadline = context.deadline().duration_since(UNIX_EPOCH).unwrap_or_default();
        let deadline = DateTime::UNIX_EPOCH + chrono::TimeDelta::from_std(deadline).unwrap_or_default();
        let stop_at = deadline - self.config.stop_before_deadline;
        if stop_at > now {
            return Ok(stop_at);
        }
        Err(Error::Configuration(format!(
            "the function's timeout leaves {} s, and STOP_BEFORE_DEADLINE_SECONDS holds \"{}\"; allowed is less than the \
             timeout",
            (deadline - now).num_seconds(),
            self.config.stop_before_deadline.num_seconds()
        )))
    }

    /// Has the next invocation go on where this one stopped; what failed in this one is tried again there. An
    /// invocation that got nothing done does not, because the next one would not either.
    async fn hand_over(
        &self,
        run: &mut Run,
        collect: &Collect,
        context: &Context,
        started_at: DateTime<Utc>,
    ) {
        let left = run.report.remaining_windows;
        if run.report.read_windows() == 0 {
            run.vitals.succeeded = false;
            run.error.get_or_insert_with(|| {
                Error::Incomplete(format!(
                    "not one window could be read before the time ran out, and {left} are left; raise the function's \
                     timeout or lower TARGET_RECORDS"
                ))
            });
            return;
        }
        run.error = self.invoke_next(left, collect, context, started_at).await.err();
        run.vitals.succeeded = run.error.is_none() && run.report.failed_windows() == 0;
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
                "{left} windows are left after {MOST_HOPS} invocations in a row; the next scheduled run goes on with them"
            )));
        };
        let request = self.lambda.invoke().function_name(&context.env_config.function_name);
        let request = request.invocation_type(InvocationType::Event).payload(Blob::new(event.to_string()));
        request.send().await.map(drop).map_err(|error| {
            Error::Incomplete(format!(
                "time ran out with {left} windows left, and the function could not start itself again ({}); allow its role \
                 lambda:InvokeFunction on itself; the next scheduled run goes on",
                error.code().unwrap_or("no answer")
            ))
        })
    }
}

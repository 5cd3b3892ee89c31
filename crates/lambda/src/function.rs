//! A run as an AWS Lambda function: from an event to a report or an error, and on to the next
//! invocation.

use crate::parameters::Identity;
use crate::{bucket, metrics, shell};
use aws_sdk_lambda::error::ProvideErrorMetadata as _;
use aws_sdk_lambda::primitives::Blob;
use aws_sdk_lambda::types::InvocationType;
use chrono::{DateTime, TimeDelta, Utc};
use entratrail::archive::{Archive, Bucket};
use entratrail::check::{Check, Checks};
use entratrail::clock::Clock;
use entratrail::collector::{Collector, Run};
use entratrail::config::Config;
use entratrail::error::Error;
use entratrail::log::Log;
use entratrail::request::{Collect, MOST_HOPS, Request};
use lambda_runtime::{Context, LambdaEvent};
use serde_json::{Value, json};
use std::sync::Arc;

/// Time for which a chain of invocations is left to read before it reports how old what is not
/// verified has become. A first run takes a day where a month is large, and has nothing to report
/// of windows that it has not come to.
const QUIET_PROGRESS: TimeDelta = TimeDelta::hours(48);

/// The function for one log.
#[derive(Debug)]
struct Function {
    log: Log,
    config: Config,
    identity: Identity,
    bucket: Bucket,
    lambda: aws_sdk_lambda::Client,
}

/// Serves `log` until Lambda ends the process.
pub async fn serve(log: Log) -> Result<(), lambda_runtime::Error> {
    shell::serve(
        Some(log.name()),
        async || Ok(Function::new(log, Config::read(shell::variable)?).await),
        Function::answer,
    )
    .await
}

impl Function {
    async fn new(log: Log, config: Config) -> Self {
        let aws = aws_config::load_from_env().await;
        Self {
            log,
            bucket: bucket::open(&aws, &config.bucket),
            identity: Identity::new(&aws),
            lambda: aws_sdk_lambda::Client::new(&aws),
            config,
        }
    }

    /// Answers one invocation.
    async fn answer(&self, event: LambdaEvent<Value>) -> Result<Value, Error> {
        match Request::parse(&event.payload)? {
            Request::Check => Ok(json!(self.check(&event.context).await)),
            Request::Collect(collect) => self.collect(&collect, &event.context).await,
        }
    }

    async fn collector(&self, context: &Context) -> Result<Collector, Error> {
        let application = self.identity.application(&self.config).await?;
        let archive = Archive::in_bucket(bucket::of_own_account(&self.bucket, context));
        Collector::new(self.log, self.config.run.clone(), application, archive, Clock::wall())
    }

    async fn check(&self, context: &Context) -> Checks {
        let checks = match self.collector(context).await {
            Ok(collector) => collector.check().await,
            Err(error) => Checks::new(self.log, vec![Check::new("credential", Err(error))]),
        };
        match self.identity.signer(&self.config).await {
            None => checks,
            Some(Ok(signer)) => checks.with(Check::new("evidence", signer.try_out(self.log).await)),
            Some(Err(error)) => checks.with(Check::new("evidence", Err(error))),
        }
    }

    async fn collect(&self, collect: &Collect, context: &Context) -> Result<Value, Error> {
        let started_at = Utc::now();
        let stop_at = self.stop_at(context, started_at)?;
        let signer = self.identity.signer(&self.config).await.map(|signer| signer.map(Arc::new));
        let collector = self.collector(context).await?.signed_by(signer);
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
            tracing::info!(
                log = self.log.name(),
                windows = run.report.remaining_windows,
                "planned"
            );
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
        let deadline = shell::deadline(context);
        let stop_at = deadline - self.config.stop_before_deadline;
        if stop_at > now {
            return Ok(stop_at);
        }
        Err(Error::configuration(format!(
            "the function's timeout leaves {} s, and STOP_BEFORE_DEADLINE_SECONDS holds \"{}\"",
            (deadline - now).num_seconds(),
            self.config.stop_before_deadline.num_seconds()
        ))
        .with_remedy("allowed is less than the timeout"))
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
                Error::incomplete(format!(
                    "not one window could be read before the time ran out, and {left} are left"
                ))
                .with_remedy("raise the function's timeout or lower TARGET_RECORDS")
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
            return Err(Error::incomplete(format!(
                "{left} windows are left after {MOST_HOPS} invocations in a row; the next \
                 scheduled run goes on with them"
            )));
        };
        let request = self.lambda.invoke().function_name(&context.env_config.function_name);
        let request =
            request.invocation_type(InvocationType::Event).payload(Blob::new(event.to_string()));
        request.send().await.map(drop).map_err(|error| {
            Error::incomplete(format!(
                "time ran out with {left} windows left, and the function could not start itself \
                 again ({})",
                error.code().unwrap_or("no answer")
            ))
            .with_remedy("allow its role lambda:InvokeFunction on itself")
            .and("the next scheduled run goes on")
        })
    }
}

fn answer(error: Option<Error>, report: Value) -> Result<Value, Error> {
    match error {
        None => Ok(report),
        Some(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_lambda_events::event::eventbridge::EventBridgeEvent;

    #[test]
    fn the_event_of_a_schedule_is_one_to_aws_and_to_the_function() {
        let event: Value =
            serde_json::from_str(include_str!("../../../events/scheduled.json")).unwrap();
        let known: EventBridgeEvent = serde_json::from_value(event.clone()).unwrap();
        assert_eq!((&*known.source, &*known.detail_type), ("aws.events", "Scheduled Event"));
        assert!(matches!(Request::parse(&event), Ok(Request::Collect(Collect { span: None, .. }))));
    }
}

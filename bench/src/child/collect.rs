//! The product's run, wired as the functions wire it.

use super::{Outcome, Source};
use crate::Failure;
use entratrail::archive::Archive;
use entratrail::collector::Collector;
use entratrail::config::Config;
use entratrail::graph::credential::{Application, Credential};
use entratrail::graph::kept_in::KeptIn;
use entratrail::log::Log;
use entratrail::request::Request;
use serde_json::json;
use std::time::Duration;

/// Collects the span of `source` into the bucket that the environment names.
pub(super) async fn collect(source: &Source) -> Result<Outcome, Failure> {
    let clock = source.clock();
    let config = Config::read(|name| std::env::var(name).ok())?;
    let aws = aws_config::load_from_env().await;
    let s3 = aws_sdk_s3::config::Builder::from(&aws).force_path_style(config.has_own_s3_endpoint).build();
    let archive = Archive::new(aws_sdk_s3::Client::from_conf(s3), config.archive_bucket.clone());
    let application = Application {
        tenant_id: source.tenant_id.clone(),
        client_id: source.client_id.clone(),
        credential: Credential::Secret(source.client_secret.clone().into()),
        kept_in: KeptIn::Parameters,
    };
    let collector = Collector::new(Log::SignIns, config.run, application, archive, clock)?;
    let Request::Collect(span) = Request::parse(&json!({"from": source.first_day, "to": source.end_day}))?
    else {
        return Err("a span is no request to collect".into());
    };
    let run = collector.run(&span, None).await?;
    match run.error {
        Some(error) => Err(error.into()),
        None => Ok(Outcome {
            records: run.report.new,
            seconds: Duration::from_millis(run.report.duration_ms).as_secs_f64(),
            ..Outcome::default()
        }),
    }
}

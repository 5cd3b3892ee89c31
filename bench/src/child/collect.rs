//! The product's run, wired as the functions wire it.

use super::{Outcome, Source};
use crate::Failure;
use entratrail::archive::{Archive, Bucket, Operator};
use entratrail::collector::Collector;
use entratrail::config::Config;
use entratrail::entra::credential::{Application, Credential};
use entratrail::entra::credential_source::CredentialSource;
use entratrail::evidence::signer::Signer;
use entratrail::log::Log;
use entratrail::request::Request;
use serde_json::Value;
use std::sync::Arc;
use std::time::Duration;

/// Collects what `event` asks for into the bucket that the environment names.
pub(super) async fn collect(source: &Source, event: &Value) -> Result<Outcome, Failure> {
    let clock = source.clock();
    let config = Config::read(|name| std::env::var(name).ok())?;
    let archive = open_archive(&config).await;
    let application = Application {
        tenant_id: source.tenant_id.clone(),
        client_id: source.client_id.clone(),
        credential: Credential::Secret(source.client_secret.clone().into()),
        source: CredentialSource::Parameters,
    };
    let signer = source.evidence_key.as_deref().map(Signer::in_file).transpose()?;
    let collector = Collector::new(Log::SignIns, config.run, application, archive, clock)?
        .signed_by(signer.map(|signer| Ok(Arc::new(signer))));
    let Request::Collect(request) = Request::parse(event)? else {
        return Err("the event is no request to collect".into());
    };
    let run = collector.run(&request, None).await?;
    match run.error {
        Some(error) => Err(error.into()),
        None => Ok(Outcome {
            records: run.report.new,
            requests: run.report.requests,
            seconds: Duration::from_millis(run.report.duration_ms).as_secs_f64(),
            ..Outcome::default()
        }),
    }
}

/// The archive in the bucket that the environment names.
pub(super) async fn open_archive(config: &Config) -> Archive {
    let aws = aws_config::load_from_env().await;
    let s3 = aws_sdk_s3::config::Builder::from(&aws)
        .force_path_style(config.bucket.has_own_endpoint)
        .build();
    let client = aws_sdk_s3::Client::from_conf(s3);
    Archive::in_bucket(Bucket::new(client, config.bucket.name.clone(), Operator::Function))
}

//! The whole product on one machine: compiled functions behind a real Lambda Runtime API, S3, SSM
//! and KMS, all played by the AWS emulator that `cargo xtask tools emulator` installs.
//!
//! One emulator serves a whole test process; every [`Stack`] is an AWS account of its own in it, so
//! tests that run at the same time may use the same names.

#![expect(
    clippy::expect_used,
    clippy::missing_panics_doc,
    reason = "a test ends at the first thing that is not as it should be"
)]

mod clock;
mod emulator;
mod function;
#[cfg(test)]
mod tests;
mod tools;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use aws_config::retry::RetryConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_s3::config::Credentials;
use aws_sdk_s3::types::CreateBucketConfiguration;
use aws_sdk_ssm::types::ParameterType;
use serde_json::{Value, json};

pub use clock::{bare_command, wait_past_midnight};
use emulator::Emulator;
pub use emulator::Mode;
pub use function::{Function, FunctionError, Invocation, binary};
pub use tools::Tools;

const REGION: &str = "eu-central-1";

/// An AWS account of one test; dropping it ends the functions that still run in it.
#[derive(Debug)]
pub struct Stack {
    emulator: &'static Emulator,
    account: String,
    config: SdkConfig,
    s3: aws_sdk_s3::Client,
    lambda: aws_sdk_lambda::Client,
    http: reqwest::Client,
    key_id: String,
}

impl Stack {
    /// Opens a new account, starting the emulator if this is the first one of the process.
    pub async fn start() -> Self {
        static EMULATOR: OnceLock<Emulator> = OnceLock::new();
        let mut stack = Self::open(EMULATOR.get_or_init(|| Emulator::start(Mode::Open))).await;
        let key = stack
            .call("kms", "TrentService.CreateKey", &json!({}))
            .await
            .expect("the emulator makes a key");
        stack.key_id = key["KeyMetadata"]["KeyId"].as_str().expect("a key has an id").into();
        stack
    }

    /// Starts an emulator that is reached over TLS and enforces policies. Only the command lines
    /// that [`Stack::operator_environment`] is for are let in.
    pub async fn start_strict() -> Self {
        static EMULATOR: OnceLock<Emulator> = OnceLock::new();
        Self::open(EMULATOR.get_or_init(|| Emulator::start(Mode::Strict))).await
    }

    async fn open(emulator: &'static Emulator) -> Self {
        static ACCOUNTS: AtomicU64 = AtomicU64::new(100_000_000_000);
        let account = ACCOUNTS.fetch_add(1, Ordering::Relaxed).to_string();
        let config = aws_config::defaults(BehaviorVersion::latest())
            .endpoint_url(&emulator.endpoint)
            .region(Region::from_static(REGION))
            .credentials_provider(Credentials::new(&account, "test", None, None, "stack"))
            .retry_config(RetryConfig::disabled()) // a call that a test makes is made once
            .load()
            .await;
        let s3 = aws_sdk_s3::Client::new(&config);
        let lambda = aws_sdk_lambda::Client::new(&config);
        let http = reqwest::Client::new();
        Self { emulator, account, config, s3, lambda, http, key_id: String::new() }
    }

    /// Variables that the command lines of AWS and SAM need to work as the owner of this account.
    pub fn operator_environment(&self) -> Vec<(&'static str, String)> {
        let mut environment = vec![
            ("AWS_ENDPOINT_URL", self.endpoint().to_owned()),
            ("AWS_ACCESS_KEY_ID", self.account.clone()),
            ("AWS_SECRET_ACCESS_KEY", "test".to_owned()),
            ("AWS_REGION", REGION.to_owned()),
            ("AWS_DEFAULT_REGION", REGION.to_owned()),
        ];
        if self.endpoint().starts_with("https") {
            environment.push(("AWS_CA_BUNDLE", self.emulator.certificate().display().to_string()));
        }
        environment
    }

    /// The emails to people of this account, oldest first.
    pub fn mails(&self) -> Vec<String> {
        let entries =
            std::fs::read_dir(self.emulator.mail_folder()).into_iter().flatten().flatten();
        let own = entries.map(|entry| entry.path()).filter(|path| {
            path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(&self.account))
        });
        let mut own: Vec<_> = own.collect();
        own.sort();
        own.iter().map(|path| std::fs::read_to_string(path).expect("a mail is text")).collect()
    }

    /// Value of `AWS_ENDPOINT_URL` inside the functions.
    pub fn endpoint(&self) -> &str {
        &self.emulator.endpoint
    }

    /// The id of the account, which is its access key id as well.
    pub fn account(&self) -> &str {
        &self.account
    }

    /// For clients of services that this harness has no words for; its calls are not retried.
    pub fn config(&self) -> &SdkConfig {
        &self.config
    }

    /// Creates an empty bucket and returns its whole name: the one namespace that all accounts
    /// share is theirs.
    pub async fn create_bucket(&self, name: &str) -> String {
        let name = format!("{name}-{}", self.account);
        let place = CreateBucketConfiguration::builder().location_constraint(REGION.into()).build();
        let request = self.s3.create_bucket().bucket(&name).create_bucket_configuration(place);
        request.send().await.expect("the emulator creates the bucket");
        name
    }

    /// Stores or replaces a `SecureString`, encrypted with a KMS key of this account.
    pub async fn put_secure_parameter(&self, name: &str, value: &str) {
        let request =
            aws_sdk_ssm::Client::new(&self.config).put_parameter().name(name).value(value);
        let request =
            request.r#type(ParameterType::SecureString).key_id(&self.key_id).overwrite(true);
        request.send().await.expect("the emulator stores the parameter");
    }

    /// Everything in a bucket.
    pub async fn objects(&self, bucket: &str) -> BTreeMap<String, Vec<u8>> {
        let mut objects = BTreeMap::new();
        let mut pages = self.s3.list_objects_v2().bucket(bucket).into_paginator().send();
        while let Some(page) = pages.next().await {
            for object in page.expect("the emulator lists the bucket").contents.unwrap_or_default()
            {
                let key = object.key.expect("every object has a key");
                let body = self.object(bucket, &key).await;
                objects.insert(key, body);
            }
        }
        objects
    }

    /// Creates the function from a compiled binary, or replaces the one of that name.
    ///
    /// Besides `environment` it sees only what Lambda sets and `AWS_ENDPOINT_URL`, nothing of the
    /// test's own.
    pub async fn deploy_function(
        &self,
        name: &str,
        binary: &Path,
        environment: &[(&str, &str)],
        timeout_seconds: i32,
        memory_mb: i32,
    ) -> Function<'_> {
        let function = self.function(name);
        function.deploy(binary, environment, timeout_seconds, memory_mb).await;
        function
    }

    /// A function that is there already, be it deployed by a template or by an earlier call.
    pub fn function(&self, name: &str) -> Function<'_> {
        Function::new(self, name)
    }

    /// One operation of a service that speaks JSON, such as `events` and `AWSEvents.PutRule`,
    /// without a client crate; an answer that is an error is `Err`.
    pub async fn call(
        &self,
        service: &str,
        operation: &str,
        request: &Value,
    ) -> Result<Value, Value> {
        let credential = format!("{}/20261101/{REGION}/{service}/aws4_request", self.account);
        let request = self
            .http
            .post(self.endpoint())
            .header(
                "Authorization",
                format!(
                    "AWS4-HMAC-SHA256 \
                                              Credential={credential}"
                ),
            ) // read, but not verified
            .header("Content-Type", "application/x-amz-json-1.1")
            .header("X-Amz-Target", operation)
            .body(request.to_string());
        let answer = request.send().await.expect("the emulator answers");
        let succeeded = answer.status().is_success();
        let body = answer.bytes().await.expect("its answer arrives whole");
        let body = if body.is_empty() {
            Value::Null
        } else {
            serde_json::from_slice(&body).expect("its answer is JSON")
        };
        if succeeded { Ok(body) } else { Err(body) }
    }

    async fn object(&self, bucket: &str, key: &str) -> Vec<u8> {
        let answer = self.s3.get_object().bucket(bucket).key(key).send().await;
        let body = answer.expect("the emulator serves what it lists").body;
        body.collect().await.expect("the body arrives whole").to_vec()
    }
}

impl Drop for Stack {
    fn drop(&mut self) {
        self.emulator.kill_functions(&[("AWS_ACCESS_KEY_ID", &self.account)]);
    }
}

//! EntraTrail as an operator has it: a tenant, an AWS account with a bucket and parameters, and
//! compiled functions.

use std::collections::BTreeMap;

use entratrail_tests::audit::Audit;
use entratrail_tests::stack::{
    Function, FunctionError, Invocation, Stack, binary, wait_past_midnight,
};
use graph_simulator::{RequestKind, Scenario, Served, Simulator};
use serde_json::Value;

use crate::days::{day, midnight};

/// The function that reads the sign-ins; its binary has the same name.
pub(crate) const SIGN_IN_LOGS: &str = "sign-in-logs";
/// The function that reads the directory audits.
pub(crate) const AUDIT_LOGS: &str = "audit-logs";
/// The function that reads the provisioning logs.
pub(crate) const PROVISIONING_LOGS: &str = "provisioning-logs";
/// Days that the functions look back, unless a test says otherwise.
pub(crate) const HISTORY_DAYS: i64 = 3;

/// A tenant with something in every stream on each of the last four days, and several pages a day
/// in the larger ones.
pub(crate) const OFFICE: &str = r#"
name = "four days of a small office"
[limits]
requests_per_10s = 0
largest_page = 50
[[volume]]
stream = "interactiveUser"
from_day = -4
per_day = 60
risk_copies = 0.05
repeated = 0.05
split_by_policy = 0.05
[[volume]]
stream = "nonInteractiveUser"
from_day = -4
per_day = 120
[[volume]]
stream = "servicePrincipal"
from_day = -4
per_day = 20
[[volume]]
stream = "managedIdentity"
from_day = -4
per_day = 5
[[volume]]
stream = "directoryAudits"
from_day = -4
per_day = 40
"#;

/// Environment variables of a function.
pub(crate) type Settings = BTreeMap<&'static str, String>;

/// Everything that a story needs.
#[derive(Debug)]
pub(crate) struct Installation {
    pub(crate) stack: Stack,
    pub(crate) tenant: Simulator,
    pub(crate) bucket: String,
}

impl Installation {
    /// An empty archive and parameters that fit the tenant of `scenario`.
    pub(crate) async fn of(scenario: &str) -> Self {
        wait_past_midnight();
        let scenario = Scenario::from_toml(scenario).expect("the scenario is well formed");
        let tenant = Simulator::start(scenario).await.expect("the scenario can be played");
        let stack = Stack::start().await;
        let bucket = stack.create_bucket("archive").await;
        let installation = Self { stack, tenant, bucket };
        installation.store_parameters().await;
        installation
    }

    /// Stores the parameters that fit the tenant.
    pub(crate) async fn store_parameters(&self) {
        let tenant = &self.tenant.scenario().tenant;
        self.store_parameter("tenant-id", &tenant.id).await;
        self.store_parameter("client-id", &tenant.client_id).await;
        self.store_parameter("client-secret", &tenant.client_secret).await;
    }

    /// Stores one of the parameters that the functions read.
    pub(crate) async fn store_parameter(&self, name: &str, value: &str) {
        self.stack.put_secure_parameter(&format!("/entratrail/{name}"), value).await;
    }

    /// The variables that a function has unless a test says otherwise.
    pub(crate) fn settings(&self) -> Settings {
        let url = self.tenant.url();
        let variables = [
            ("ARCHIVE_BUCKET", self.bucket.as_str()),
            ("PARAMETER_PREFIX", "/entratrail"),
            ("GRAPH_URL", url),
            ("LOGIN_URL", url),
            ("SETTLE_MINUTES", "0"), // yesterday is due at any hour
            ("GRAPH_REQUESTS_PER_10S", "10000"),
            ("STOP_BEFORE_DEADLINE_SECONDS", "5"),
        ];
        let mut settings: Settings = variables.map(|(name, value)| (name, value.to_owned())).into();
        settings.insert("HISTORY_DAYS", HISTORY_DAYS.to_string());
        settings
    }

    /// Deploys one of the two functions.
    pub(crate) async fn deploy(&self, name: &str) -> Function<'_> {
        self.deploy_with(name, &[]).await
    }

    /// Deploys a function with some variables changed.
    pub(crate) async fn deploy_with(
        &self,
        name: &str,
        changes: &[(&'static str, &str)],
    ) -> Function<'_> {
        let mut settings = self.settings();
        settings.extend(changes.iter().map(|(name, value)| (*name, (*value).to_owned())));
        self.deploy_as(name, &settings, 60).await
    }

    /// Deploys a function with exactly these variables.
    pub(crate) async fn deploy_as(
        &self,
        name: &str,
        settings: &Settings,
        timeout_seconds: i32,
    ) -> Function<'_> {
        let settings: Vec<_> =
            settings.iter().map(|(name, value)| (*name, value.as_str())).collect();
        self.stack.deploy_function(name, &binary(name), &settings, timeout_seconds, 256).await
    }

    /// Runs a function and expects it to succeed.
    pub(crate) async fn run(&self, function: &Function<'_>, event: &Value) -> Value {
        let answer = self.invoke(function, event).await;
        assert_eq!(answer.error, None, "{}", answer.log_tail);
        answer.payload
    }

    /// Runs a function and expects it to fail.
    pub(crate) async fn fail(&self, function: &Function<'_>, event: &Value) -> FunctionError {
        let answer = self.invoke(function, event).await;
        answer.error.unwrap_or_else(|| panic!("it was to fail, but returned {}", answer.payload))
    }

    /// Runs a function, and sees to it that neither answer nor log gives anything away.
    pub(crate) async fn invoke(&self, function: &Function<'_>, event: &Value) -> Invocation {
        let answer = function.invoke(event).await;
        self.assert_keeps_secrets(&answer.payload.to_string());
        self.assert_keeps_secrets(&answer.log_tail);
        answer
    }

    /// Everything in the bucket.
    pub(crate) async fn objects(&self) -> BTreeMap<String, Vec<u8>> {
        self.stack.objects(&self.bucket).await
    }

    /// Puts an object into the bucket as somebody else would.
    pub(crate) async fn put_object(&self, key: &str, body: &[u8]) {
        let s3 = aws_sdk_s3::Client::new(self.stack.config());
        let request = s3.put_object().bucket(&self.bucket).key(key).body(body.to_vec().into());
        request.send().await.expect("the emulator stores the object");
    }

    /// Multipart uploads that were begun and neither completed nor given up.
    pub(crate) async fn unfinished_uploads(&self) -> usize {
        let s3 = aws_sdk_s3::Client::new(self.stack.config());
        let answer = s3.list_multipart_uploads().bucket(&self.bucket).send().await;
        answer.expect("the emulator lists uploads").uploads().len()
    }

    /// The audit of the bucket against everything that the tenant ever served.
    pub(crate) async fn audit(&self) -> Audit {
        Audit::of(&self.objects().await).against(&self.tenant.served())
    }

    /// Page requests so far.
    pub(crate) fn page_requests(&self) -> usize {
        self.tenant.requests().iter().filter(|line| line.kind == RequestKind::Page).count()
    }

    /// Records that a perfect reader would find in the days that the functions look back, of
    /// `streams`.
    pub(crate) fn visible(&self, is_wanted: impl Fn(&str) -> bool) -> Vec<Served> {
        let mut visible = self.tenant.visible();
        let (first, end) = (midnight(day(HISTORY_DAYS)), midnight(day(0)));
        visible.retain(|record| is_wanted(record.stream) && (first..end).contains(&record.time));
        visible
    }
}

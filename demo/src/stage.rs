//! The two sides of the demo: Contoso behind a simulated Graph, and the functions in an AWS on this
//! machine.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use chrono::Utc;
use graph_simulator::{RequestKind, Scenario, Simulator};
use local_aws::{Function, Invocation, Stack, binary};
use serde_json::{Value, json};

use crate::folder::{self, Folder};
use crate::progress::{ProgressLine, announcement, summary};
use crate::table::{complete_reads, thousands};

const HISTORY_DAYS: &str = "3";

/// Everything that runs while the demo does.
#[derive(Debug)]
pub(crate) struct Stage {
    tenant: Simulator,
    stack: Stack,
    bucket: String,
}

impl Stage {
    /// Starts both sides and puts back what the last run archived.
    pub(crate) async fn set(folder: &Folder) -> Self {
        let started = Instant::now();
        let stack = Stack::start().await;
        println!(
            "AWS is up       S3, SSM, KMS and Lambda, played by MiniStack ({:.1} s)",
            started.elapsed().as_secs_f64()
        );
        let scenario = Scenario::default_tenant().expect("the built-in tenant is valid");
        let scenario = scenario.as_of(Utc::now().date_naive(), folder.first_day);
        let tenant = Simulator::start(scenario).await.expect("the built-in tenant can be played");
        println!(
            "Contoso is up   Microsoft Graph at {}, five requests in ten seconds as in real life",
            tenant.url()
        );
        let bucket = stack.create_bucket("entratrail-demo").await;
        let stage = Self { tenant, stack, bucket };
        stage.store_parameters().await;
        stage.put_back(folder).await;
        stage
    }

    /// Everything in the bucket.
    pub(crate) async fn objects(&self) -> BTreeMap<String, Vec<u8>> {
        self.stack.objects(&self.bucket).await
    }

    /// Runs a function as the daily schedule would; says how it goes, and whether it went well.
    pub(crate) async fn run(&self, name: &str) -> bool {
        let function = self.deploy(name).await;
        let plan = function.invoke(&json!({"dryRun": true})).await.payload;
        let due = plan["windows"].as_array().map_or(0, Vec::len);
        println!("\n{name}");
        if plan.get("windows").is_some() {
            println!("  {}", announcement(due));
        }
        let before = complete_reads(&self.objects().await);
        let answer = self.invoke(&function, due).await;
        if let Some(error) = answer.error {
            println!("  failed ({}): {}", error.error_type, error.error_message);
            return false;
        }
        println!("  {}", summary(&answer.payload));
        let read = answer.payload["windows"].as_array().map_or(0, Vec::len);
        let picked_up = complete_reads(&self.objects().await).saturating_sub(before + read);
        if picked_up > 0 {
            println!(
                "  {picked_up} reads that the ledger had lost were put on record again, from their \
                 objects"
            );
        }
        for key in
            answer.payload["foreign"].as_array().into_iter().flatten().filter_map(Value::as_str)
        {
            println!("  {key} is not EntraTrail's, and was left alone");
        }
        true
    }

    async fn store_parameters(&self) {
        let tenant = &self.tenant.scenario().tenant;
        let parameters = [
            ("tenant-id", &tenant.id),
            ("client-id", &tenant.client_id),
            ("client-secret", &tenant.client_secret),
        ];
        for (name, value) in parameters {
            self.stack.put_secure_parameter(&format!("/entratrail/{name}"), value).await;
        }
    }

    async fn put_back(&self, folder: &Folder) {
        let objects = folder.load();
        let s3 = aws_sdk_s3::Client::new(self.stack.config());
        for (key, body) in &objects {
            let request = s3.put_object().bucket(&self.bucket).key(key).body(body.clone().into());
            request.send().await.unwrap_or_else(|_| {
                panic!("{key} could not be put back; remove .demo and start again")
            });
        }
        let found = match objects.len() {
            0 => "empty, because this is the first run".to_owned(),
            count => format!("holds the {count} objects of {}", folder::ARCHIVE),
        };
        println!("The bucket      {found}");
    }

    async fn deploy(&self, name: &str) -> Function<'_> {
        let url = self.tenant.url();
        let environment = [
            ("ARCHIVE_BUCKET", self.bucket.as_str()),
            ("PARAMETER_PREFIX", "/entratrail"),
            ("GRAPH_URL", url),
            ("LOGIN_URL", url),
            ("HISTORY_DAYS", HISTORY_DAYS),
            ("SETTLE_MINUTES", "0"), // the demo is the same at any hour
        ];
        self.stack.deploy_function(name, &binary(name), &environment, 300, 256).await
    }

    /// Runs the function and shows every second how far it is.
    async fn invoke(&self, function: &Function<'_>, due: usize) -> Invocation {
        let scheduled =
            json!({"detail-type": "Scheduled Event", "source": "aws.events", "detail": {}});
        let reads = complete_reads(&self.objects().await);
        let records = self.tenant.counts().records;
        let requests = self.page_requests();
        let started = Instant::now();
        let mut invocation = std::pin::pin!(function.invoke(&scheduled));
        let mut second = tokio::time::interval(Duration::from_secs(1));
        let mut line = ProgressLine::default();
        second.tick().await;
        loop {
            tokio::select! {
                answer = &mut invocation => {
                    line.clear();
                    return answer;
                }
                _ = second.tick() => {}
            }
            let done = complete_reads(&self.objects().await).saturating_sub(reads);
            let records = thousands(self.tenant.counts().records - records);
            let requests = self.page_requests() - requests;
            line.show(
                &format!("{done} of {due} windows, {records} records, {requests} requests"),
                started,
            );
        }
    }

    fn page_requests(&self) -> usize {
        self.tenant.requests().iter().filter(|line| line.kind == RequestKind::Page).count()
    }
}

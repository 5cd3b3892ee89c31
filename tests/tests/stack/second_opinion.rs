//! Objects of several parts in moto, an S3 that shares nothing with the emulator of the other
//! tests.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use aws_config::{BehaviorVersion, Region};
use aws_sdk_s3::config::Credentials;
use aws_sdk_s3::types::CreateBucketConfiguration;
use entratrail_tests::stack::{Tools, bare_command, binary, wait_past_midnight};
use graph_simulator::{Scenario, Simulator};

const ACCOUNT: &str = "123456789012";
const REGION: &str = "eu-central-1";
const BUCKET: &str = "archive";

/// A day that no window is cut of, whose raw object and table object have three parts and more.
const LARGE_DAY: &str = r#"
name = "a day in one window"
[limits]
requests_per_10s = 0
[[volume]]
stream = "nonInteractiveUser"
from_day = -1
to_day = -1
per_day = 60000
"#;

/// A server that ends with its standard input, which is ours.
#[derive(Debug)]
struct Moto {
    server: Child,
    endpoint: String,
    s3: aws_sdk_s3::Client,
}

impl Moto {
    async fn start() -> Self {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/stack/strict-moto.py");
        let mut python = Command::new(Tools::Deploy.program("python"));
        python.arg("-B").arg(script);
        python.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut server = python.spawn().expect("Python starts");
        let mut endpoint = String::new();
        let stdout = server.stdout.take().expect("it has a standard output");
        BufReader::new(stdout).read_line(&mut endpoint).expect("it prints its address");
        let endpoint = endpoint.trim().to_owned();
        let config = aws_config::defaults(BehaviorVersion::latest())
            .endpoint_url(&endpoint)
            .region(Region::from_static(REGION))
            .credentials_provider(Credentials::new(ACCOUNT, "test", None, None, "moto"))
            .load()
            .await;
        let s3 = aws_sdk_s3::Client::from_conf(
            aws_sdk_s3::config::Builder::from(&config).force_path_style(true).build(),
        );
        Self { server, endpoint, s3 }
    }

    async fn create_bucket(&self) {
        let place = CreateBucketConfiguration::builder().location_constraint(REGION.into()).build();
        let request = self.s3.create_bucket().bucket(BUCKET).create_bucket_configuration(place);
        request.send().await.expect("moto creates the bucket");
    }

    /// Number of parts of the only object below `prefix`.
    async fn parts_of(&self, prefix: &str) -> usize {
        let listed = self.s3.list_objects_v2().bucket(BUCKET).prefix(prefix).send().await;
        let objects = listed.expect("moto lists the bucket").contents.unwrap_or_default();
        assert_eq!(objects.len(), 1, "{objects:?}");
        let tag = objects[0].e_tag().expect("an object has a tag").trim_matches('"').to_owned();
        tag.split_once('-').map_or(1, |(_, parts)| parts.parse().expect("parts are counted"))
    }

    /// The command on the archive there, with the credential of the tenant.
    fn entratrail(&self, tenant: &Simulator, words: &[&str]) -> Output {
        let mut entratrail = bare_command(binary("entratrail"));
        let credential = &tenant.scenario().tenant;
        entratrail.args(words).args(["--archive", &format!("s3://{BUCKET}")]).envs([
            ("AWS_ENDPOINT_URL", self.endpoint.as_str()),
            ("AWS_ACCESS_KEY_ID", ACCOUNT),
            ("AWS_SECRET_ACCESS_KEY", "test"),
            ("AWS_REGION", REGION),
            ("ENTRATRAIL_TENANT_ID", &credential.id),
            ("ENTRATRAIL_CLIENT_ID", &credential.client_id),
            ("ENTRATRAIL_CLIENT_SECRET", &credential.client_secret),
            ("GRAPH_URL", tenant.url()),
            ("LOGIN_URL", tenant.url()),
            ("SETTLE_MINUTES", "0"), // yesterday is due at any hour
            ("GRAPH_REQUESTS_PER_10S", "10000"),
            ("SIGN_IN_EVENT_TYPES", "nonInteractiveUser"),
            ("TARGET_RECORDS", "1000000"),
        ]);
        entratrail.output().expect("the command starts")
    }
}

impl Drop for Moto {
    fn drop(&mut self) {
        drop(self.server.stdin.take());
        drop(self.server.wait());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn objects_of_three_parts_are_written_to_moto_and_read_back() {
    wait_past_midnight();
    let moto = Moto::start().await;
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/local-aws/src/refusals.py");
    let mut refusals = Command::new(Tools::Emulator.program("python"));
    let refused = refusals.arg(script).args([&moto.endpoint, ACCOUNT, "large_objects"]).output();
    let refused = refused.expect("Python starts");
    assert!(refused.status.success(), "{}", String::from_utf8_lossy(&refused.stderr));

    moto.create_bucket().await;
    let scenario = Scenario::from_toml(LARGE_DAY).expect("the scenario is well formed");
    let tenant = Simulator::start(scenario).await.expect("the scenario can be played");
    for words in [["collect", "--days", "1"].as_slice(), &["verify"], &["collect", "--days", "1"]] {
        let ended = moto.entratrail(&tenant, words);
        assert!(ended.status.success(), "{words:?}: {}", String::from_utf8_lossy(&ended.stderr));
    }
    for prefix in ["raw/", "tables/"] {
        let parts = moto.parts_of(prefix).await;
        assert!(parts >= 3, "{prefix}: {parts}");
    }
    let uploads = moto.s3.list_multipart_uploads().bucket(BUCKET).send().await;
    assert_eq!(uploads.expect("moto lists uploads").uploads.unwrap_or_default().len(), 0);
}

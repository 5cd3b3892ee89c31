//! A bucket that is asked for without credentials, or with a profile that gives none.

use std::fs;

use tempfile::TempDir;

use crate::stage::{Stage, TENANT, run};

/// A profile that takes a role with a code from a device, and one of single sign-on.
const PROFILES: &str = "[profile base]
region = eu-central-1
[profile mfa]
role_arn = arn:aws:iam::123456789012:role/reader
source_profile = base
mfa_serial = arn:aws:iam::123456789012:mfa/somebody
region = eu-central-1
[profile sso]
sso_session = company
sso_account_id = 123456789012
sso_role_name = reader
region = eu-central-1
[sso-session company]
sso_region = eu-central-1
sso_start_url = https://company.awsapps.com/start
";

const KEYS: &str = "[base]
aws_access_key_id = AKIAEXAMPLE
aws_secret_access_key = simulated-secret
";

#[tokio::test(flavor = "multi_thread")]
async fn who_has_no_credentials_is_told_how_to_get_some() {
    let stage = Stage::set(TENANT).await;
    let home = TempDir::new().unwrap();
    fs::create_dir(home.path().join(".aws")).unwrap();
    fs::write(home.path().join(".aws/config"), PROFILES).unwrap();
    fs::write(home.path().join(".aws/credentials"), KEYS).unwrap();
    let report = home.path().join("report.html").display().to_string();
    for profile in [None, Some("mfa"), Some("sso"), Some("no-such-profile")] {
        for words in [["verify"].as_slice(), &["collect"], &["report", "--out", &report]] {
            let mut command = stage.command(words);
            command
                .args(["--archive", "s3://archive"])
                .env("HOME", home.path())
                .env("AWS_REGION", "eu-central-1")
                .env("AWS_EC2_METADATA_DISABLED", "true") // no machine of AWS lends its own
                .env("AWS_ENDPOINT_URL", "http://127.0.0.1:9") // nobody listens there
                .envs(profile.map(|profile| ("AWS_PROFILE", profile)));
            let ended = run(&mut command);
            let said = &ended.stderr;
            assert_ne!(ended.status, Some(0), "{words:?} {profile:?}: {said}");
            let advice = "for a profile with single sign-on or MFA run aws configure export-";
            assert!(said.contains(advice), "{words:?} {profile:?}: {said}");
            assert!(!said.contains("simulated"), "{words:?} {profile:?}: {said}");
        }
    }
}

//! A bucket that is asked for without credentials, or with a profile that gives none.

use std::fs;

use tempfile::TempDir;

use crate::stage::{plain_command, run};

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

const KEYS: &str = "[base]\naws_access_key_id = AKIAEXAMPLE\naws_secret_access_key = simulated-secret\n";

#[test]
fn who_has_no_credentials_is_told_how_to_get_some() {
    let home = TempDir::new().unwrap();
    fs::create_dir(home.path().join(".aws")).unwrap();
    fs::write(home.path().join(".aws/config"), PROFILES).unwrap();
    fs::write(home.path().join(".aws/credentials"), KEYS).unwrap();
    for profile in [None, Some("mfa"), Some("sso"), Some("no-such-profile")] {
        for command in ["verify", "collect", "report"] {
            let mut entratrail = plain_command(&[command, "--archive", "s3://archive"]);
            if command == "report" {
                entratrail.arg("--out").arg(home.path().join("report.html"));
            }
            entratrail
                .env("HOME", home.path())
                .env("AWS_REGION", "eu-central-1")
                .env("AWS_EC2_METADATA_DISABLED", "true") // no machine of AWS lends its own
                .env("AWS_ENDPOINT_URL", "http://127.0.0.1:9") // nobody listens there
                .env("ENTRATRAIL_TENANT_ID", "0b1a7c2e-1111-4222-8333-444455556666")
                .env("ENTRATRAIL_CLIENT_ID", "0b1a7c2e-1111-4222-8333-444455556666")
                .env("ENTRATRAIL_CLIENT_SECRET", "simulated~secret")
                .envs(profile.map(|profile| ("AWS_PROFILE", profile)));
            let ended = run(&mut entratrail);
            let said = &ended.stderr;
            assert_eq!(ended.status, Some(2), "{command} {profile:?}: {said}");
            let advice = "for a profile with single sign-on or MFA run aws configure export-credentials";
            assert!(said.contains(advice) && !said.contains("simulated"), "{command} {profile:?}: {said}");
        }
    }
}

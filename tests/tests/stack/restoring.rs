//! Bringing back what somebody deleted or replaced, as docs/operate.md tells, in a bucket with the
//! archive's policy.

use aws_sdk_s3::types::{BucketVersioningStatus, VersioningConfiguration};
use serde_json::json;

use crate::days::{day, midnight};
use crate::events::event;
use crate::installation::{AUDIT_LOGS, Installation, OFFICE};

async fn keep_versions_and_refuse_replacement(
    installation: &Installation,
    s3: &aws_sdk_s3::Client,
) {
    let bucket = &installation.bucket;
    let versioning =
        VersioningConfiguration::builder().status(BucketVersioningStatus::Enabled).build();
    let request = s3.put_bucket_versioning().bucket(bucket).versioning_configuration(versioning);
    request.send().await.unwrap();
    let policy = json!({"Version": "2012-10-17", "Statement": [{
        "Effect": "Deny", "Principal": "*", "Action": "s3:PutObject",
        "Resource": format!("arn:aws:s3:::{bucket}/raw/*"),
        "Condition": {"Null": {"s3:if-none-match": "true"}, "Bool": {"s3:ObjectCreationOperation": "true"}},
    }]});
    s3.put_bucket_policy().bucket(bucket).policy(policy.to_string()).send().await.unwrap();
}

#[tokio::test]
async fn a_deleted_raw_object_comes_back_when_its_delete_marker_goes() {
    let installation = Installation::of(OFFICE).await;
    let s3 = aws_sdk_s3::Client::new(installation.stack.config());
    keep_versions_and_refuse_replacement(&installation, &s3).await;
    let function = installation.deploy(AUDIT_LOGS).await;
    installation.run(&function, &event("scheduled")).await;
    let before = installation.objects().await;
    let key = before.keys().find(|key| key.starts_with("raw/")).unwrap().clone();

    let over =
        s3.put_object().bucket(&installation.bucket).key(&key).body(b"forged".to_vec().into());
    assert!(over.send().await.is_err(), "nobody may write over a raw object");
    let deleted = s3.delete_object().bucket(&installation.bucket).key(&key).send().await.unwrap();
    let from = key.split("day=").nth(1).unwrap().split('/').next().unwrap().to_owned();
    let span = json!({"from": from, "to": midnight(day(0))});
    let error = installation.fail(&function, &span).await;
    assert_eq!(error.error_type, "Archive", "{}", error.error_message);
    assert!(error.error_message.contains(&key), "{}", error.error_message);
    assert!(error.error_message.contains("docs/operate.md, Restoring"), "{}", error.error_message);

    let marker = deleted.version_id.expect("the bucket keeps versions");
    let request = s3.delete_object().bucket(&installation.bucket).key(&key).version_id(marker);
    request.send().await.unwrap();
    assert_eq!(installation.objects().await[&key], before[&key]);
    installation.run(&function, &span).await;
    installation.audit().await.assert_sound();
}

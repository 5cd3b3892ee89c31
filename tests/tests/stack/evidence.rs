//! Functions that sign the history of the ledger: with a key in Parameter Store, and with one in
//! KMS.

use aws_sdk_ssm::types::ParameterType;
use entratrail::archive::{Archive, Bucket, Operator};
use entratrail::evidence::audit::SignedLog;
use entratrail::evidence::note::VerifierKey;
use entratrail::log::Log;
use serde_json::{Value, json};

use crate::events::event;
use crate::installation::{AUDIT_LOGS, Installation, OFFICE};

const ID: &str = "0123456789abcdef0123456789abcdef";
const LOG: Log = Log::DirectoryAudits;
const ORIGIN: &str = "entratrail/0123456789abcdef0123456789abcdef/directory-audits";
const MEMORY: &str = "/entratrail/evidence-signed-directory-audits";

/// Key of that spec in KMS, and the ARN of it.
async fn key(installation: &Installation, spec: &str) -> (String, String) {
    let request = json!({"KeySpec": spec, "KeyUsage": "SIGN_VERIFY"});
    let made = installation.stack.call("kms", "TrentService.CreateKey", &request).await.unwrap();
    let text = |name: &str| made["KeyMetadata"][name].as_str().unwrap().to_owned();
    (text("KeyId"), text("Arn"))
}

/// Verifier key that an outsider makes of what KMS tells of a key.
async fn verifier_key(installation: &Installation, arn: &str) -> VerifierKey {
    use base64::Engine as _;
    let request = json!({"KeyId": arn});
    let answer =
        installation.stack.call("kms", "TrentService.GetPublicKey", &request).await.unwrap();
    let encoded = answer["PublicKey"].as_str().unwrap();
    let encoded = base64::engine::general_purpose::STANDARD.decode(encoded).unwrap();
    VerifierKey::new(ORIGIN, &encoded[encoded.len() - 32..])
}

/// Log of the bucket, read with that key alone.
async fn signed(installation: &Installation, key: VerifierKey) -> SignedLog {
    let s3 = aws_sdk_s3::config::Builder::from(installation.stack.config())
        .force_path_style(true)
        .build();
    let s3 = aws_sdk_s3::Client::from_conf(s3);
    let archive =
        Archive::in_bucket(Bucket::new(s3, installation.bucket.clone(), Operator::Function));
    let signed = SignedLog::read(&archive, LOG, &[key]).await.unwrap().unwrap();
    let check = signed.check_ledgers(&archive).await.unwrap();
    assert_eq!((check.problems, check.pending), (vec![], 0));
    signed
}

async fn memory(installation: &Installation) -> String {
    let ssm = aws_sdk_ssm::Client::new(installation.stack.config());
    let answer = ssm.get_parameter().name(MEMORY).send().await.unwrap();
    answer.parameter.unwrap().value.unwrap()
}

fn evidence_of(checks: &Value) -> &Value {
    checks["checks"].as_array().unwrap().iter().find(|check| check["name"] == "evidence").unwrap()
}

#[tokio::test]
async fn a_key_in_kms_signs_and_never_leaves_it() {
    let installation = Installation::of(OFFICE).await;
    installation.store_parameter("evidence-id", ID).await;
    let (id, arn) = key(&installation, "ECC_NIST_EDWARDS25519").await;
    let settings = [("EVIDENCE", "kms"), ("EVIDENCE_KMS_KEY", arn.as_str())];
    let function = installation.deploy_with(AUDIT_LOGS, &settings).await;
    let checks = installation.run(&function, &event("check")).await;
    assert_eq!(evidence_of(&checks)["ok"], true, "{checks}");
    let report = installation.run(&function, &event("scheduled")).await;
    assert_eq!(
        (&report["evidence"]["waiting"], &report["evidence"]["alarms"]),
        (&json!(0), &json!([]))
    );
    let verifier = verifier_key(&installation, &arn).await;
    let log = signed(&installation, verifier.clone()).await;
    assert_eq!(report["evidence"]["checkpoint"], log.note);
    assert_eq!(memory(&installation).await, log.tree.to_lines());

    // A key that cannot be used costs no record: rows wait, and are signed once it can.
    let call = async |operation: &str| {
        installation.stack.call("kms", operation, &json!({"KeyId": id})).await.unwrap();
    };
    call("TrentService.DisableKey").await;
    let checks = installation.run(&function, &event("check")).await;
    let evidence = evidence_of(&checks);
    assert_eq!(
        (&evidence["ok"], &evidence["error_type"]),
        (&json!(false), &json!("Parameters")),
        "{checks}"
    );
    let span = event("span");
    let late = installation.run(&function, &span).await;
    assert!(late["evidence"]["waiting"].as_u64().unwrap() > 0, "{late}");
    assert!(late["evidence"]["delayed"].as_str().unwrap().contains(&arn), "{late}");
    call("TrentService.EnableKey").await;
    let report = installation.run(&function, &span).await;
    assert_eq!(report["evidence"]["waiting"], 0, "{report}");
    assert!(signed(&installation, verifier).await.tree.size > log.tree.size);
}

#[tokio::test]
async fn a_key_in_kms_of_another_spec_is_refused_and_named() {
    let installation = Installation::of(OFFICE).await;
    installation.store_parameter("evidence-id", ID).await;
    let (_, arn) = key(&installation, "ECC_NIST_P256").await;
    let settings = [("EVIDENCE", "kms"), ("EVIDENCE_KMS_KEY", arn.as_str())];
    let function = installation.deploy_with(AUDIT_LOGS, &settings).await;
    let checks = installation.run(&function, &event("check")).await;
    let answer = evidence_of(&checks)["answer"].as_str().unwrap();
    assert!(answer.contains(&arn) && answer.contains("ECC_NIST_EDWARDS25519"), "{answer}");
}

#[tokio::test]
async fn a_key_in_a_parameter_signs_and_its_memory_shows_a_log_that_was_rolled_back() {
    let installation = Installation::of(OFFICE).await;
    installation.store_parameter("evidence-id", ID).await;
    let pair = aws_lc_rs::signature::Ed25519KeyPair::generate().unwrap();
    let pem = pem_of(pair.to_pkcs8v1().unwrap().as_ref());
    installation.store_parameter("evidence-key", &pem).await;
    let function = installation.deploy_with(AUDIT_LOGS, &[("EVIDENCE", "parameter")]).await;
    let report = installation.run(&function, &event("scheduled")).await;
    let public = aws_lc_rs::signature::KeyPair::public_key(&pair);
    let log = signed(&installation, VerifierKey::new(ORIGIN, public.as_ref())).await;
    assert_eq!(report["evidence"]["checkpoint"], log.note);
    assert_eq!(memory(&installation).await, log.tree.to_lines());

    // Whoever can only write the bucket takes the log back; the memory shows it, and nothing is
    // signed.
    let ssm = aws_sdk_ssm::Client::new(installation.stack.config());
    let longer =
        format!("{}\n{}", log.tree.size + 1, log.tree.to_lines().split_once('\n').unwrap().1);
    let request = ssm.put_parameter().name(MEMORY).value(longer).overwrite(true);
    request.r#type(ParameterType::String).send().await.unwrap();
    let failure = installation.fail(&function, &event("scheduled")).await;
    assert_eq!(failure.error_type, "Archive");
    assert!(failure.error_message.contains("rolled back"), "{}", failure.error_message);
    assert_eq!(
        memory(&installation).await.lines().next().unwrap(),
        (log.tree.size + 1).to_string()
    );
}

fn pem_of(key: &[u8]) -> String {
    use base64::Engine as _;
    let encoded = base64::engine::general_purpose::STANDARD.encode(key);
    format!("-----BEGIN PRIVATE KEY-----\n{encoded}\n-----END PRIVATE KEY-----\n")
}

//! A stack that signs the history of its ledger from the first run on.

use entratrail::archive::{Archive, Bucket, Operator as Role};
use entratrail::evidence::audit::SignedLog;
use entratrail::evidence::note::VerifierKey;
use entratrail::log::Log;
use serde_json::{Value, json};

use crate::operator::Operator;

/// Verifier keys that a deployment has shown.
fn shown(output: &str) -> Vec<VerifierKey> {
    let lines = output.lines().filter_map(|line| line.strip_prefix("  entratrail/"));
    lines.map(|rest| VerifierKey::parse(&format!("entratrail/{rest}")).unwrap()).collect()
}

fn with_evidence(options: Vec<String>, kind: &str) -> Vec<String> {
    let mut options = options;
    options.extend(["--set".to_owned(), format!("Evidence={kind}")]);
    options
}

/// Number of entries of each log in the bucket, read with these keys alone and held against the
/// ledger.
async fn entries(operator: &Operator, keys: &[VerifierKey]) -> Vec<u64> {
    let s3 =
        aws_sdk_s3::config::Builder::from(operator.stack.config()).force_path_style(true).build();
    let s3 = aws_sdk_s3::Client::from_conf(s3);
    let bucket = operator.output("entratrail", "ArchiveBucket").await;
    let archive = Archive::in_bucket(Bucket::new(s3, bucket, Role::Function));
    let mut entries = Vec::new();
    for log in Log::USUAL {
        let signed = SignedLog::read(&archive, log, keys).await.unwrap().unwrap();
        let check = signed.check_ledgers(&archive).await.unwrap();
        assert_eq!((check.problems, check.pending), (vec![], 0), "{}", log.name());
        entries.push(signed.tree.size);
    }
    entries
}

async fn stored(operator: &Operator) -> Value {
    let query = "sort(Parameters[?contains(Name, 'evidence')].Name)";
    operator.aws(&["ssm", "describe-parameters", "--query", query]).await
}

#[tokio::test]
async fn a_key_in_kms_signs_from_the_first_run_and_its_role_may_do_no_more() {
    let operator = Operator::strict().await;
    let options = with_evidence(operator.first_options(), "kms");
    let first = operator.deploy(&options).await.done();
    let keys = shown(&first);
    assert_eq!(keys.len(), 2, "{first}");
    let place = |part: &str| first.find(part).unwrap_or_else(|| panic!("{part} is not in {first}"));
    assert!(place("Keep these verifier keys") < place("records were new"), "{first}");
    assert!(first.contains("ok      evidence: works"), "{first}");
    let arn = operator.output("entratrail", "EvidenceKeyArn").await;
    let spec = ["kms", "describe-key", "--key-id", &arn, "--query", "KeyMetadata.KeySpec"];
    assert_eq!(operator.aws(&spec).await, "ECC_NIST_EDWARDS25519");

    let status = operator.deploy(&["--status"]).await.done();
    assert_eq!(status.matches("  signed log: ").count(), 2, "{status}");
    assert!(status.contains("entratrail-SignInLogsUnsigned"), "{status}");

    // Deployed again, the same key is shown.
    let package = operator.package().display().to_string();
    let again = operator.deploy(&["--yes", "--package", &package]).await.done();
    assert_eq!(shown(&again), keys);
    assert!(again.contains("You should have kept"), "{again}");
}

#[tokio::test]
async fn a_key_in_parameter_store_is_made_once_and_stays_with_the_archive() {
    let operator = Operator::new().await;
    let options = with_evidence(operator.first_options(), "parameter");
    let first = operator.deploy(&options).await.done();
    let keys = shown(&first);
    let made = entries(&operator, &keys).await;
    assert!(made.iter().all(|&entries| entries > 0), "{made:?}");
    let status = operator.deploy(&["--status"]).await.done();
    for entries in made {
        assert!(
            status.contains(&format!("signed log: {entries} entries of entratrail/")),
            "{status}"
        );
    }

    let package = operator.package().display().to_string();
    let again = operator.deploy(&["--yes", "--package", &package]).await.done();
    assert_eq!(shown(&again), keys);
    assert!(!again.contains("Stored"), "{again}");

    let gone = operator.deploy(&["--uninstall", "--yes"]).await.done();
    assert!(gone.contains("Kept what signs its history"), "{gone}");
    assert!(gone.contains("--set Evidence=parameter"), "{gone}");
    let names = ["id", "key", "signed-directory-audits", "signed-sign-ins"];
    assert_eq!(
        stored(&operator).await,
        json!(names.map(|name| format!("/entratrail/evidence-{name}")))
    );
}

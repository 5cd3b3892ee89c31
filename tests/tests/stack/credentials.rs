//! The credentials that are no secret: a certificate, and a token of the function's own role.

use std::process::Command;

use entratrail_tests::stack::Tools;
use graph_simulator::RequestKind;
use serde_json::Value;

use crate::events::event;
use crate::installation::{AUDIT_LOGS, Installation, OFFICE};

/// Makes a certificate for 20 days and its RSA key, both as PEM, with the library that the
/// emulator's KMS needs too.
const MAKE_CERTIFICATE: &str = r#"
import datetime
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
key = rsa.generate_private_key(65537, 2048)
name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "entratrail")])
now = datetime.datetime.now(datetime.timezone.utc)
certificate = (x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    .serial_number(x509.random_serial_number()).not_valid_before(now)
    .not_valid_after(now + datetime.timedelta(days=20, hours=1)).sign(key, hashes.SHA256()))
pem = serialization.Encoding.PEM
plain = serialization.NoEncryption()
print(certificate.public_bytes(pem).decode(), key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain).decode())
"#;

/// A certificate and its private key, as one text.
fn make_certificate() -> String {
    let made = Command::new(Tools::Emulator.program("python"))
        .args(["-c", MAKE_CERTIFICATE])
        .output()
        .unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    String::from_utf8(made.stdout).unwrap()
}

fn certificate_alone(pem: &str) -> &str {
    const END: &str = "-----END CERTIFICATE-----\n";
    &pem[..pem.find(END).unwrap() + END.len()]
}

#[tokio::test]
async fn a_certificate_opens_the_tenant_once_it_is_registered_and_its_last_days_are_counted() {
    let installation = Installation::of(OFFICE).await;
    let pem = make_certificate();
    installation.store_parameter("client-certificate", &pem).await;
    let function = installation.deploy_with(AUDIT_LOGS, &[("CREDENTIAL", "certificate")]).await;
    let error = installation.fail(&function, &event("scheduled")).await;
    assert_eq!(error.error_type, "Credentials", "{}", error.error_message);
    assert!(error.error_message.contains("AADSTS700027"), "{}", error.error_message);

    installation.tenant.register_certificate(certificate_alone(&pem)).unwrap();
    let report = installation.run(&function, &event("scheduled")).await;
    assert_eq!(report["new"], installation.tenant.served().len());
    installation.audit().await.assert_sound();

    let log = function.log_after(2).await;
    installation.assert_keeps_secrets(&log);
    let mut metrics = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    assert_eq!(metrics.next_back().unwrap()["CredentialDaysLeft"], 20);
}

#[tokio::test]
async fn a_certificate_that_cannot_be_used_is_refused_before_entra_is_asked() {
    let installation = Installation::of(OFFICE).await;
    let pem = make_certificate();
    let function = installation.deploy_with(AUDIT_LOGS, &[("CREDENTIAL", "certificate")]).await;
    for (stored, part) in [
        (certificate_alone(&pem), "no PRIVATE KEY block"),
        (pem.strip_prefix(certificate_alone(&pem)).unwrap(), "no CERTIFICATE block"),
        ("thumbprint 4E:71:A0", "no CERTIFICATE block"),
    ] {
        installation.store_parameter("client-certificate", stored).await;
        let error = installation.fail(&function, &event("scheduled")).await;
        assert_eq!(error.error_type, "Parameters", "{}", error.error_message);
        assert!(error.error_message.contains(part), "{}", error.error_message);
    }
    assert!(installation.tenant.requests().is_empty());
}

/// A function whose AWS Security Token Service is the simulator: its tokens are signed as those of
/// AWS, while the emulator's are not.
async fn deploy_federated(installation: &Installation) -> entratrail_tests::stack::Function<'_> {
    let changes =
        [("CREDENTIAL", "federated"), ("AWS_ENDPOINT_URL_STS", installation.tenant.url())];
    installation.deploy_with(AUDIT_LOGS, &changes).await
}

#[tokio::test]
async fn a_role_that_entra_trusts_needs_no_secret_at_all() {
    let installation = Installation::of(OFFICE).await;
    let ssm = aws_sdk_ssm::Client::new(installation.stack.config());
    ssm.delete_parameter().name("/entratrail/client-secret").send().await.unwrap();
    let function = deploy_federated(&installation).await;
    let report = installation.run(&function, &event("scheduled")).await;
    assert_eq!(report["new"], installation.tenant.served().len());
    installation.audit().await.assert_sound();
    let tokens = installation.tenant.requests();
    assert_eq!(tokens.iter().filter(|line| line.kind == RequestKind::WebIdentityToken).count(), 1);
}

#[tokio::test]
async fn federation_that_is_off_or_does_not_match_is_told_apart() {
    for (federation, part) in [
        ("enabled = false", "enable-outbound-web-identity-federation"),
        ("error = 'AccessDenied'", "sts:GetWebIdentityToken"),
        ("role = 'arn:aws:iam::123456789012:role/Log-Reader'", "letter by letter"),
        ("audience = 'api://another'", "letter by letter"),
    ] {
        let installation =
            Installation::of(&format!("{OFFICE}\n[tenant.federation]\n{federation}")).await;
        let function = deploy_federated(&installation).await;
        let error = installation.fail(&function, &event("scheduled")).await;
        assert_eq!(error.error_type, "Credentials", "{federation}: {}", error.error_message);
        assert!(error.error_message.contains(part), "{federation}: {}", error.error_message);
    }
}

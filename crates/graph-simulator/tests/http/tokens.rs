//! Who gets an access token, and for how long.

use base64::Engine as _;

use crate::reader::{DAY, Reader};

#[tokio::test]
async fn entra_names_what_is_wrong_with_a_token_request() {
    let reader = Reader::of("").await;
    for (name, value, status, code) in [
        ("client_secret", "wrong", 401, 7_000_215),
        ("client_secret", "", 401, 7_000_218),
        ("client_id", "0b1a7c2e-0000-4000-8000-000000000000", 400, 700_016),
        ("scope", "https://graph.microsoft.com/User.Read", 400, 70011),
        ("tenant", "0b1a7c2e-0000-4000-8000-000000000000", 400, 90002),
        ("tenant", "contoso", 400, 900_023),
        ("grant_type", "password", 400, 70003),
    ] {
        let reply = reader.ask_token(&[(name, value)]).await;
        assert_eq!(
            (reply.status, reply.body["error_codes"][0].as_u64()),
            (status, Some(code)),
            "{name}={value}"
        );
        let description = reply.body["error_description"].as_str().unwrap();
        assert!(description.starts_with(&format!("AADSTS{code}: ")), "{description}");
    }
    let expired = Reader::of("[tenant]\nsecret_state = 'expired'").await;
    assert_eq!(expired.ask_token(&[]).await.body["error_codes"][0], 7_000_222);
}

#[tokio::test]
async fn a_person_signs_in_by_device_code_in_their_own_time() {
    let mut reader = Reader::of("[tenant.person]\nthinks = 1\ninterval_seconds = 5").await;
    let url = format!("{}/organizations/oauth2/v2.0", reader.simulator.url());
    let client = ("client_id", "14d82eec-204b-4c2f-b7e8-296a70dab67e");
    let scope = ("scope", "https://graph.microsoft.com/AuditLog.Read.All offline_access");
    let code = reader.post(&format!("{url}/devicecode"), &[client, scope]).await;
    assert_eq!((code.status, code.body["interval"].as_u64()), (200, Some(5)));
    let device_code = code.body["device_code"].as_str().unwrap();
    let grant = ("grant_type", "urn:ietf:params:oauth:grant-type:device_code");
    let token = format!("{url}/token");
    let ask = async || reader.post(&token, &[client, grant, ("device_code", device_code)]).await;
    assert_eq!(ask().await.body["error"], "authorization_pending");
    assert_eq!(ask().await.body["error"], "slow_down");
    reader.simulator.set_now(reader.simulator.now() + chrono::TimeDelta::seconds(6));
    let granted = ask().await;
    assert_eq!(granted.status, 200, "{}", granted.body);
    let refresh_token = granted.body["refresh_token"].as_str().unwrap();
    let refresh =
        [client, scope, ("grant_type", "refresh_token"), ("refresh_token", refresh_token)];
    let refreshed = reader.post(&token, &refresh).await;
    assert_eq!(refreshed.status, 200);
    reader.token = refreshed.body["access_token"].as_str().unwrap().to_owned();
    assert_eq!(reader.first("v1.0/auditLogs/signIns", DAY).await.status, 200);
}

#[tokio::test]
async fn a_person_may_decline_be_late_or_lack_a_role() {
    let check = async |person: &str, seconds: i64, error: &str| {
        let reader = Reader::of(&format!("[tenant.person]\nthinks = 0\n{person}")).await;
        let url = format!("{}/contoso.example/oauth2/v2.0", reader.simulator.url());
        let client = ("client_id", "14d82eec-204b-4c2f-b7e8-296a70dab67e");
        let scope = ("scope", "https://graph.microsoft.com/AuditLog.Read.All");
        let code = reader.post(&format!("{url}/devicecode"), &[client, scope]).await;
        reader.simulator.set_now(reader.simulator.now() + chrono::TimeDelta::seconds(seconds));
        let grant = ("grant_type", "urn:ietf:params:oauth:grant-type:device_code");
        let device_code = ("device_code", code.body["device_code"].as_str().unwrap());
        let answer = reader.post(&format!("{url}/token"), &[client, grant, device_code]).await;
        assert_eq!(answer.body["error"], error, "{person}");
    };
    check("answer = 'declines'", 5, "authorization_declined").await;
    check("answer = 'never'", 5, "authorization_pending").await;
    check("answer = 'accepts'", 901, "expired_token").await;
}

#[tokio::test]
async fn an_access_token_ends_in_simulated_time() {
    let mut reader = Reader::of("").await;
    assert_eq!(reader.first("v1.0/auditLogs/signIns", DAY).await.status, 200);
    reader.simulator.set_now("2026-11-23T03:00:00Z".parse().unwrap());
    let refused = reader.first("v1.0/auditLogs/signIns", DAY).await;
    assert_eq!(refused.error().1, "InvalidAuthenticationToken");
    assert!(refused.headers.contains_key("www-authenticate"));
    reader.renew().await;
    assert_eq!(reader.first("v1.0/auditLogs/signIns", DAY).await.status, 200);
}

#[tokio::test]
async fn a_federated_token_is_issued_and_accepted_once_the_credential_is_known() {
    let reader = Reader::of("[tenant.federation]\npropagating_seconds = 120").await;
    let url = reader.simulator.url().to_owned();
    let fields = [
        ("Action", "GetWebIdentityToken"),
        ("Version", "2011-06-15"),
        ("Audience.member.1", "api://AzureADTokenExchange"),
        ("SigningAlgorithm", "RS256"),
    ];
    let answer = reader.post(&url, &fields).await;
    let xml = answer.body.as_str().unwrap();
    let assertion = xml.split("<WebIdentityToken>").nth(1).unwrap().split('<').next().unwrap();
    let credential = [
        ("client_secret", ""),
        ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
        ("client_assertion", assertion),
    ];
    assert_eq!(reader.ask_token(&credential).await.body["error_codes"][0], 70021);
    reader.simulator.set_now("2026-11-23T01:18:00Z".parse().unwrap());
    assert_eq!(reader.ask_token(&credential).await.status, 200);
    let forged = assertion.replace(assertion.rsplit('.').next().unwrap(), "AAAA");
    let forged = [credential[0], credential[1], ("client_assertion", forged.as_str())];
    assert_eq!(reader.ask_token(&forged).await.body["error_codes"][0], 700_027);
    let keys = reader.get("/.well-known/jwks.json").await.body;
    assert!(keys["keys"][0]["n"].is_string() && keys["keys"][0]["kid"].is_string(), "{keys}");
}

#[tokio::test]
async fn a_federated_subject_is_compared_with_its_case() {
    let scenario = "[tenant.federation]\nrole = 'arn:aws:iam::123456789012:role/Log-Reader'";
    let reader = Reader::of(scenario).await;
    let fields = [
        ("Action", "GetWebIdentityToken"),
        ("Audience.member.1", "api://AzureADTokenExchange"),
        ("SigningAlgorithm", "RS256"),
    ];
    let answer = reader.post(reader.simulator.url(), &fields).await;
    let assertion = answer.body.as_str().unwrap().split("<WebIdentityToken>").nth(1).unwrap();
    let credential = [
        ("client_secret", ""),
        ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
        ("client_assertion", assertion.split('<').next().unwrap()),
    ];
    assert_eq!(reader.ask_token(&credential).await.body["error_codes"][0], 7_002_138);
}

#[tokio::test]
async fn a_certificate_signs_for_its_application_only_when_registered() {
    let reader = Reader::of("").await;
    let key = rcgen::KeyPair::generate_rsa_for(&rcgen::PKCS_RSA_SHA256, rcgen::RsaKeySize::_2048)
        .unwrap();
    let certificate = rcgen::CertificateParams::new(vec!["log-reader".to_owned()]).unwrap();
    let certificate = certificate.self_signed(&key).unwrap();
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, certificate.der());
    let mut header = jsonwebtoken::Header::new(jsonwebtoken::Algorithm::PS256);
    header.x5t_s256 = Some(base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(digest));
    let tenant = &reader.simulator.scenario().tenant;
    let now = reader.simulator.now().timestamp();
    let claims = serde_json::json!({
        "aud": format!("{}/{}/oauth2/v2.0/token", reader.simulator.url(), tenant.id),
        "iss": tenant.client_id, "sub": tenant.client_id, "jti": "one",
        "nbf": now, "iat": now, "exp": now + 300,
    });
    let signing = jsonwebtoken::EncodingKey::from_rsa_pem(key.serialize_pem().as_bytes()).unwrap();
    let assertion = jsonwebtoken::encode(&header, &claims, &signing).unwrap();
    let credential = [
        ("client_secret", ""),
        ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
        ("client_assertion", assertion.as_str()),
    ];
    assert_eq!(reader.ask_token(&credential).await.body["error_codes"][0], 700_027);
    reader.simulator.register_certificate(&certificate.pem()).unwrap();
    assert_eq!(reader.ask_token(&credential).await.status, 200);
    reader.simulator.set_now("2026-11-23T02:00:00Z".parse().unwrap());
    assert_eq!(reader.ask_token(&credential).await.body["error_codes"][0], 700_024);
}

//! Secrets that somebody pastes into the wrong place: no message quotes them.

use crate::config::Config;
use crate::entra::certificate::Certificate;
use crate::entra::credential_source::CredentialSource;
use crate::request::Request;
use proptest::prelude::*;

/// Trials of the suite; `SECRET_TRIALS=10000 cargo test -p entratrail no_refusal` makes more.
fn trials() -> u32 {
    std::env::var("SECRET_TRIALS").map_or(1_000, |trials| trials.parse().unwrap())
}

/// Secrets of every kind that people paste.
fn secret() -> impl Strategy<Value = String> {
    prop_oneof![
        "[A-Za-z0-9]{3}8Q~[A-Za-z0-9._~-]{34}",
        "[A-Za-z0-9+/]{43}=",
        "eyJ[A-Za-z0-9_-]{80,90}\\.eyJ[A-Za-z0-9_-]{80,90}\\.[A-Za-z0-9_-]{86}",
        "0\\.A[A-Za-z0-9_-]{120}",
        "-----BEGIN PRIVATE KEY-----\n[A-Za-z0-9+/]{64}\n[A-Za-z0-9+/]{64}\n-----END PRIVATE \
         KEY-----",
        "[0-9a-f]{32}x",
        "[ -~]{16,40}",
    ]
}

/// The text of every refusal that a value brings, wherever it is pasted.
fn refusals(value: &str) -> Vec<String> {
    const SETTINGS: [&str; 12] = [
        "PARAMETER_PREFIX",
        "CREDENTIAL",
        "CREDENTIAL_EXPIRES",
        "ARCHIVE_ENCRYPTION",
        "STOP_BEFORE_DEADLINE_SECONDS",
        "GRAPH_URL",
        "LOGIN_URL",
        "HISTORY_DAYS",
        "WINDOW_MINUTES",
        "SIGN_IN_EVENT_TYPES",
        "LAST_LOOK_DAYS",
        "TARGET_RECORDS",
    ];
    let settings = SETTINGS.iter().map(|&name| {
        let config = Config::read(|asked| match asked {
            _ if asked == name => Some(value.to_owned()),
            "ARCHIVE_BUCKET" => Some("archive".to_owned()),
            "PARAMETER_PREFIX" => Some("/entratrail".to_owned()),
            _ => None,
        });
        config.err()
    });
    let events = [
        serde_json::json!(value),
        serde_json::json!({"from": value, "to": "2026-10-25"}),
        serde_json::json!({"from": "2026-10-24", "to": value}),
        serde_json::json!({"check": value}),
        serde_json::json!({value: true}),
    ];
    let events = events.iter().map(|event| Request::parse(event).err());
    let mut errors: Vec<_> = settings.chain(events).flatten().collect();
    for source in [CredentialSource::Parameters, CredentialSource::Environment] {
        errors.extend(source.check_tenant_id(value).err());
        errors.extend(source.check_client_id(value).err());
        errors.extend(Certificate::from_pem(value, source).err());
    }
    errors.iter().map(ToString::to_string).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(trials()))]

    #[test]
    fn no_refusal_quotes_eight_characters_of_a_secret(secret in secret()) {
        // What a message says of every value is its own words, such as a tag of PEM.
        let own = refusals("?").concat() + "-----BEGIN PRIVATE KEY----- -----END PRIVATE \
                                            KEY-----";
        let shown = refusals(&secret).join("\n");
        for piece in secret.as_bytes().windows(8).map(|piece| std::str::from_utf8(piece).unwrap()) {
            prop_assert!(own.contains(piece) || !shown.contains(piece), "{:?} in {}", piece, shown);
        }
    }
}

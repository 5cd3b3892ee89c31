//! Environment variables and parameters: what is missing or wrong is named, and nothing is tried.

use crate::events::event;
use crate::installation::{AUDIT_LOGS, Installation, OFFICE, SIGN_IN_LOGS};

#[tokio::test]
async fn a_malformed_variable_is_named_with_what_it_holds_and_what_is_allowed() {
    let installation = Installation::of(OFFICE).await;
    for (name, value, allowed) in [
        ("PARAMETER_PREFIX", "entratrail", "starts with a slash"),
        ("CREDENTIAL", "password", "secret, certificate or federated"),
        ("GRAPH_URL", "http://graph.microsoft.com", "https://"),
        ("SIGN_IN_EVENT_TYPES", "interactive", "interactiveUser,nonInteractiveUser"),
        ("HISTORY_DAYS", "31", "1 to 30"),
        ("WINDOW_MINUTES", "90", "1440, 720, 360, 180, 60, 30, 15, 5"),
        ("STOP_BEFORE_DEADLINE_SECONDS", "a minute", "whole number"),
    ] {
        let function = installation.deploy_with(SIGN_IN_LOGS, &[(name, value)]).await;
        let error = installation.fail(&function, &event("scheduled")).await;
        assert_eq!(error.error_type, "Configuration", "{name}: {}", error.error_message);
        // What may be a misplaced secret is described.
        let held =
            if value.len() < 8 { value.to_owned() } else { format!("{} characters", value.len()) };
        for part in [name, &held, allowed] {
            assert!(error.error_message.contains(part), "{name}: {}", error.error_message);
        }
    }
    assert!(installation.objects().await.is_empty());
    assert!(installation.tenant.requests().is_empty());
}

#[tokio::test]
async fn a_required_variable_that_is_missing_is_named() {
    let installation = Installation::of(OFFICE).await;
    for name in ["ARCHIVE_BUCKET", "PARAMETER_PREFIX"] {
        let mut settings = installation.settings();
        settings.remove(name);
        let function = installation.deploy_as(AUDIT_LOGS, &settings, 60).await;
        for event_name in ["scheduled", "check", "dry-run"] {
            let error = installation.fail(&function, &event(event_name)).await;
            assert_eq!(error.error_type, "Configuration", "{}", error.error_message);
            assert!(error.error_message.contains(name), "{}", error.error_message);
        }
    }
    assert!(installation.tenant.requests().is_empty());
}

#[tokio::test]
async fn a_deadline_margin_beyond_the_timeout_is_refused_in_words() {
    let installation = Installation::of(OFFICE).await;
    let margin = ("STOP_BEFORE_DEADLINE_SECONDS", "60");
    let function = installation.deploy_with(AUDIT_LOGS, &[margin]).await;
    let error = installation.fail(&function, &event("scheduled")).await;
    assert_eq!(error.error_type, "Configuration", "{}", error.error_message);
    assert!(
        error.error_message.contains("STOP_BEFORE_DEADLINE_SECONDS"),
        "{}",
        error.error_message
    );
}

#[tokio::test]
async fn a_parameter_that_cannot_be_right_is_named_without_its_secret() {
    let installation = Installation::of(OFFICE).await;
    let function = installation.deploy(AUDIT_LOGS).await;
    let guid = "7d3f9c1a-52b8-4e06-9a4d-c81e6f0b2d35";
    for (name, wrong, part) in [
        ("tenant-id", "contoso", "a GUID, or a verified domain"),
        ("client-id", "the application", "a GUID"),
        ("client-secret", guid, "the id of a client secret"),
        ("client-secret", " ", "is empty"),
    ] {
        installation.store_parameters().await;
        installation.store_parameter(name, wrong).await;
        let error = installation.fail(&function, &event("scheduled")).await;
        assert_eq!(error.error_type, "Parameters", "{}", error.error_message);
        assert!(error.error_message.contains(name), "{}", error.error_message);
        assert!(error.error_message.contains(part), "{}", error.error_message);
        assert!(!error.error_message.contains(guid), "{}", error.error_message);
    }
    assert!(installation.objects().await.is_empty());
    assert!(installation.tenant.requests().is_empty());
}

#[tokio::test]
async fn a_parameter_that_does_not_exist_is_named_with_its_path() {
    let installation = Installation::of(OFFICE).await;
    let prefix = ("PARAMETER_PREFIX", "/somewhere/else/");
    let function = installation.deploy_with(AUDIT_LOGS, &[prefix]).await;
    let error = installation.fail(&function, &event("scheduled")).await;
    assert_eq!(error.error_type, "Parameters", "{}", error.error_message);
    assert!(error.error_message.contains("/somewhere/else/tenant-id"), "{}", error.error_message);
    assert!(error.error_message.contains("does not exist"), "{}", error.error_message);
}

//! The token endpoint: client credentials by secret, certificate or federated assertion; sign-ins
//! of people.

use crate::entra::aadsts::Refusal;
use crate::entra::login_request::{self, LoginRequest};
use crate::entra::{assertion, device_code};
use crate::fault::{Fault, FaultKind, Occasion, Target};
use crate::http::answer::Answer;
use crate::http::form::Form;
use crate::http::generic_fault;
use crate::scenario::{Presence, SecretState, Tenant};
use crate::state::{State, lock};
use crate::ticks::PER_SECOND;

const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// Answers `POST /{tenant}/oauth2/v2.0/token`.
pub(crate) fn answer(state: &State, request: &LoginRequest) -> Answer {
    let occasion = Occasion {
        target: Target::Token,
        streams: &[],
        follows_link: false,
        has_more: false,
        address: 0,
    };
    let fault = lock(&state.faults).choose(&occasion);
    if let Some(answer) = fault.and_then(|fault| strike(state, fault, &request.form)) {
        return answer;
    }
    let now = state.clock.now();
    let mut answer = match grant(state, request) {
        Ok(grantee) => granted(state, now, grantee),
        Err(refusal) => refusal.answer(&state.scenario.tenant, now),
    };
    if let Some(fault) = fault {
        answer = generic_fault::weaken(answer, fault);
    }
    answer
}

/// Answers `GET /{tenant}/v2.0/.well-known/openid-configuration`, which tells whether a tenant
/// exists.
pub(crate) fn describe_tenant(state: &State, base: &str, tenant: &str) -> Answer {
    let known = &state.scenario.tenant;
    match login_request::check_tenant(known, tenant) {
        Ok(()) => Answer::json(
            200,
            &serde_json::json!({
                "issuer": format!("{base}/{}/v2.0", known.id),
                "token_endpoint": format!("{base}/{tenant}/oauth2/v2.0/token"),
            }),
        ),
        Err(refusal) => refusal.answer(known, state.clock.now()),
    }
}

/// Whose token it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Grantee {
    Application,
    Person,
}

fn granted(state: &State, now: i64, grantee: Grantee) -> Answer {
    let seconds = state.scenario.limits.token_lifetime_seconds;
    let ends = now + i64::from(seconds) * PER_SECOND;
    let mut body = serde_json::json!({ "token_type": "Bearer" });
    for name in ["expires_in", "ext_expires_in"] {
        if let Some(value) = state.scenario.limits.token_numbers.value(seconds) {
            body[name] = value;
        }
    }
    if grantee == Grantee::Application {
        body["access_token"] = lock(&state.tokens).issue(ends).into();
    } else {
        body["access_token"] = lock(&state.tokens).issue_to_person(ends).into();
        body["refresh_token"] = device_code::refresh_token(state).into();
        body["scope"] = "AuditLog.Read.All Directory.Read.All".into();
    }
    Answer::json(200, &body)
}

/// Who asks decides what is looked at.
fn grant(state: &State, request: &LoginRequest) -> Result<Grantee, Refusal> {
    match request.form.get("grant_type") {
        Some("urn:ietf:params:oauth:grant-type:device_code") => {
            device_code::check_code(state, request).map(|()| Grantee::Person)
        }
        Some("refresh_token") => {
            device_code::check_refresh_token(state, request).map(|()| Grantee::Person)
        }
        _ => check_application(state, request).map(|()| Grantee::Application),
    }
}

/// Decides in the order in which Entra looks: tenant, application, scope, credential.
fn check_application(state: &State, request: &LoginRequest) -> Result<(), Refusal> {
    let known = &state.scenario.tenant;
    request.check_tenant(known)?;
    if request.require("grant_type")? != "client_credentials" {
        return Err(Refusal::UnsupportedGrant);
    }
    let client_id = request.require("client_id")?;
    if known.app_state == Presence::Missing || client_id != known.client_id {
        return Err(Refusal::UnknownApplication(client_id.to_owned()));
    }
    let scope = request.require("scope")?;
    let own = format!("{}/.default", request.base);
    if scope != own && scope != "https://graph.microsoft.com/.default" {
        return Err(Refusal::BadScope(scope.to_owned()));
    }
    let form = &request.form;
    match (form.get("client_assertion"), form.get("client_secret")) {
        (Some(assertion), _) if form.get("client_assertion_type") == Some(ASSERTION_TYPE) => {
            check_assertion(state, &request.base, assertion, client_id)
        }
        (None, Some(secret)) => check_secret(known, secret),
        _ => Err(Refusal::NoCredential),
    }
}

fn check_secret(known: &Tenant, secret: &str) -> Result<(), Refusal> {
    match known.secret_state {
        _ if secret != known.client_secret => Err(Refusal::WrongSecret),
        SecretState::Expired => Err(Refusal::ExpiredSecret),
        SecretState::Valid => Ok(()),
    }
}

/// An assertion is the application's own if it says so; otherwise it must come from a trusted
/// issuer.
fn check_assertion(
    state: &State,
    base: &str,
    assertion: &str,
    client_id: &str,
) -> Result<(), Refusal> {
    let now_seconds = state.clock.now() / PER_SECOND;
    let claims = assertion::claims(assertion).ok_or(Refusal::MalformedAssertion)?;
    let header = jsonwebtoken::decode_header(assertion).map_err(|_| Refusal::MalformedAssertion)?;
    if claims.iss == client_id || header.x5t_s256.is_some() {
        let tenant = &state.scenario.tenant;
        let audiences: Vec<String> = ["https://login.microsoftonline.com", base]
            .into_iter()
            .flat_map(|host| {
                [&tenant.id, &tenant.domain].map(|name| format!("{host}/{name}/oauth2/v2.0/token"))
            })
            .collect();
        return assertion::check_own(
            assertion,
            client_id,
            &audiences,
            &lock(&state.certificates),
            now_seconds,
        );
    }
    let federation = &state.scenario.tenant.federation;
    assertion::check_federated(
        assertion,
        federation,
        &state.url,
        &state.issuer.verifying,
        now_seconds,
    )?;
    if is_propagating(state) { Err(claims.no_match()) } else { Ok(()) }
}

/// A new federated credential is unknown at first, then known in some attempts only.
fn is_propagating(state: &State) -> bool {
    let spread = i64::from(state.scenario.tenant.federation.propagating_seconds) * PER_SECOND;
    let age = state.clock.now() - state.started;
    let mut tokens = lock(&state.tokens);
    tokens.federated_attempts += 1;
    age < spread && (age < spread / 2 || tokens.federated_attempts.is_multiple_of(2))
}

fn strike(state: &State, fault: Fault, form: &Form) -> Option<Answer> {
    let tenant = &state.scenario.tenant;
    let now = state.clock.now();
    let answer = match fault.kind {
        FaultKind::TokenServerError => generic_fault::server_error(state, fault),
        FaultKind::TokenTransient => Refusal::Transient.answer(tenant, now),
        FaultKind::TokenThrottled
        | FaultKind::ThrottleBare
        | FaultKind::ThrottleDate
        | FaultKind::ThrottleSeconds => Refusal::Throttled
            .answer(tenant, now)
            .retry_after(generic_fault::retry_after(state, fault)),
        FaultKind::Federation70021 => {
            let claims = assertion::claims(form.get("client_assertion")?)?;
            claims.no_match().answer(tenant, now)
        }
        _ => return generic_fault::replace(state, fault, None),
    };
    Some(answer.because_of(fault.kind))
}

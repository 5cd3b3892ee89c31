//! The token endpoint: client credentials by secret, certificate or federated assertion; sign-ins
//! of people.

use crate::aadsts::Refusal;
use crate::answer::Answer;
use crate::assertion;
use crate::fault::{Fault, FaultKind, Occasion, Target};
use crate::form::Form;
use crate::generic_fault;
use crate::person;
use crate::scenario::{Presence, SecretState, Tenant};
use crate::ticks::PER_SECOND;
use crate::world::{World, lock};

const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// Answers `POST /{tenant}/oauth2/v2.0/token`.
pub(crate) fn answer(world: &World, base: &str, tenant: &str, form: &Form) -> Answer {
    let occasion = Occasion {
        target: Target::Token,
        streams: &[],
        follows_link: false,
        has_more: false,
        address: 0,
    };
    let fault = lock(&world.faults).choose(&occasion);
    if let Some(answer) = fault.and_then(|fault| strike(world, fault, form)) {
        return answer;
    }
    let now = world.clock.now();
    let mut answer = match grant(world, base, tenant, form) {
        Ok(grantee) => granted(world, now, grantee),
        Err(refusal) => refusal.answer(&world.scenario.tenant, now),
    };
    if let Some(fault) = fault {
        answer = generic_fault::weaken(answer, fault);
    }
    answer
}

/// Answers `GET /{tenant}/v2.0/.well-known/openid-configuration`, which tells whether a tenant
/// exists.
pub(crate) fn describe_tenant(world: &World, base: &str, tenant: &str) -> Answer {
    let known = &world.scenario.tenant;
    match check_tenant(known, tenant) {
        Ok(()) => Answer::json(
            200,
            &serde_json::json!({
                "issuer": format!("{base}/{}/v2.0", known.id),
                "token_endpoint": format!("{base}/{tenant}/oauth2/v2.0/token"),
            }),
        ),
        Err(refusal) => refusal.answer(known, world.clock.now()),
    }
}

/// Whose token it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Grantee {
    Application,
    Person,
}

fn granted(world: &World, now: i64, grantee: Grantee) -> Answer {
    let seconds = world.scenario.limits.token_lifetime_seconds;
    let ends = now + i64::from(seconds) * PER_SECOND;
    let mut body = serde_json::json!({ "token_type": "Bearer" });
    for name in ["expires_in", "ext_expires_in"] {
        if let Some(value) = world.scenario.limits.token_numbers.value(seconds) {
            body[name] = value;
        }
    }
    if grantee == Grantee::Application {
        body["access_token"] = lock(&world.tokens).issue(ends).into();
    } else {
        body["access_token"] = lock(&world.tokens).issue_to_person(ends).into();
        body["refresh_token"] = person::refresh_token(world).into();
        body["scope"] = "AuditLog.Read.All Directory.Read.All".into();
    }
    Answer::json(200, &body)
}

/// Who asks decides what is looked at.
fn grant(world: &World, base: &str, tenant: &str, form: &Form) -> Result<Grantee, Refusal> {
    match form.get("grant_type") {
        Some("urn:ietf:params:oauth:grant-type:device_code") => {
            person::check_code(world, base, tenant, form).map(|()| Grantee::Person)
        }
        Some("refresh_token") => {
            person::check_refresh_token(world, base, tenant, form).map(|()| Grantee::Person)
        }
        _ => check_application(world, base, tenant, form).map(|()| Grantee::Application),
    }
}

/// Decides in the order in which Entra looks: tenant, application, scope, credential.
fn check_application(world: &World, base: &str, tenant: &str, form: &Form) -> Result<(), Refusal> {
    let known = &world.scenario.tenant;
    check_tenant(known, tenant)?;
    if require(form, "grant_type")? != "client_credentials" {
        return Err(Refusal::UnsupportedGrant);
    }
    let client_id = require(form, "client_id")?;
    if known.app_state == Presence::Missing || client_id != known.client_id {
        return Err(Refusal::UnknownApplication(client_id.to_owned()));
    }
    let scope = require(form, "scope")?;
    let own = format!("{base}/.default");
    if scope != own && scope != "https://graph.microsoft.com/.default" {
        return Err(Refusal::BadScope(scope.to_owned()));
    }
    match (form.get("client_assertion"), form.get("client_secret")) {
        (Some(assertion), _) if form.get("client_assertion_type") == Some(ASSERTION_TYPE) => {
            check_assertion(world, base, assertion, client_id)
        }
        (None, Some(secret)) => check_secret(known, secret),
        _ => Err(Refusal::NoCredential),
    }
}

pub(crate) fn require<'a>(form: &'a Form, name: &'static str) -> Result<&'a str, Refusal> {
    form.get(name).ok_or(Refusal::MissingParameter(name))
}

pub(crate) fn check_tenant(known: &Tenant, asked: &str) -> Result<(), Refusal> {
    let is_known =
        asked.eq_ignore_ascii_case(&known.id) || asked.eq_ignore_ascii_case(&known.domain);
    if is_known && known.tenant_state == Presence::Present {
        return Ok(());
    }
    let looks_like_guid =
        asked.len() == 36 && asked.bytes().all(|byte| byte == b'-' || byte.is_ascii_hexdigit());
    if looks_like_guid || asked.contains('.') {
        Err(Refusal::UnknownTenant(asked.to_owned()))
    } else {
        Err(Refusal::MalformedTenant(asked.to_owned()))
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
    world: &World,
    base: &str,
    assertion: &str,
    client_id: &str,
) -> Result<(), Refusal> {
    let now_seconds = world.clock.now() / PER_SECOND;
    let claims = assertion::claims(assertion).ok_or(Refusal::MalformedAssertion)?;
    let header = jsonwebtoken::decode_header(assertion).map_err(|_| Refusal::MalformedAssertion)?;
    if claims.iss == client_id || header.x5t_s256.is_some() {
        let tenant = &world.scenario.tenant;
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
            &lock(&world.certificates),
            now_seconds,
        );
    }
    let federation = &world.scenario.tenant.federation;
    assertion::check_federated(
        assertion,
        federation,
        &world.url,
        &world.issuer.verifying,
        now_seconds,
    )?;
    if is_propagating(world) {
        Err(Refusal::NoFederatedMatch { claims: Box::new(claims) })
    } else {
        Ok(())
    }
}

/// A new federated credential is unknown at first, then known in some attempts only.
fn is_propagating(world: &World) -> bool {
    let spread = i64::from(world.scenario.tenant.federation.propagating_seconds) * PER_SECOND;
    let age = world.clock.now() - world.started;
    let mut tokens = lock(&world.tokens);
    tokens.federated_attempts += 1;
    age < spread && (age < spread / 2 || tokens.federated_attempts.is_multiple_of(2))
}

fn strike(world: &World, fault: Fault, form: &Form) -> Option<Answer> {
    let tenant = &world.scenario.tenant;
    let now = world.clock.now();
    let answer = match fault.kind {
        FaultKind::TokenServerError => generic_fault::server_error(world, fault),
        FaultKind::TokenTransient => Refusal::Transient.answer(tenant, now),
        FaultKind::TokenThrottled
        | FaultKind::ThrottleBare
        | FaultKind::ThrottleDate
        | FaultKind::ThrottleSeconds => Refusal::Throttled
            .answer(tenant, now)
            .retry_after(generic_fault::retry_after(world, fault)),
        FaultKind::Federation70021 => {
            let claims = assertion::claims(form.get("client_assertion")?)?;
            Refusal::NoFederatedMatch { claims: Box::new(claims) }.answer(tenant, now)
        }
        _ => return generic_fault::replace(world, fault, None),
    };
    Some(answer.because_of(fault.kind))
}

//! The sign-in of a person by device code, and the refresh token that it brings.

use std::collections::{HashMap, HashSet};

use crate::aadsts::Refusal;
use crate::answer::Answer;
use crate::form::Form;
use crate::guid;
use crate::scenario::{PersonAnswer, Tenant};
use crate::ticks::PER_SECOND;
use crate::token::{check_tenant, require};
use crate::world::{World, lock};

/// Microsoft Graph Command Line Tools, a public client that every tenant knows.
const COMMAND_LINE_TOOLS: &str = "14d82eec-204b-4c2f-b7e8-296a70dab67e";
/// The tenant of whoever signs in.
const ANY_TENANT: [&str; 2] = ["organizations", "common"];
const CODE_LIFETIME_SECONDS: u32 = 900;

/// Sign-ins that were begun, and refresh tokens that were given out.
#[derive(Debug, Default)]
pub(crate) struct SignIns {
    codes: HashMap<String, Begun>,
    refresh_tokens: HashSet<String>,
}

/// A sign-in that waits for its person.
#[derive(Debug)]
struct Begun {
    at: i64,
    asked: u32,
    last_asked: Option<i64>,
}

/// Answers `POST /{tenant}/oauth2/v2.0/devicecode`.
pub(crate) fn code(world: &World, base: &str, tenant: &str, form: &Form) -> Answer {
    let now = world.clock.now();
    if let Err(refusal) = check(world, base, tenant, form) {
        return refusal.answer(&world.scenario.tenant, now);
    }
    let device_code = guid::random();
    let user_code: String =
        guid::random().to_uppercase().chars().filter(|c| *c != '-').take(9).collect();
    let page = "https://microsoft.com/devicelogin";
    let numbers = world.scenario.limits.token_numbers;
    let mut body = serde_json::json!({
        "user_code": user_code,
        "device_code": device_code,
        "verification_uri": page,
        "message": format!("To sign in, use a web browser to open the page {page} and enter the \
                            code {user_code} to authenticate."),
    });
    let interval = world.scenario.tenant.person.interval_seconds;
    for (name, number) in [("expires_in", CODE_LIFETIME_SECONDS), ("interval", interval)] {
        if let Some(value) = numbers.value(number) {
            body[name] = value;
        }
    }
    lock(&world.sign_ins).codes.insert(device_code, Begun { at: now, asked: 0, last_asked: None });
    Answer::json(200, &body)
}

/// Whether the person behind a device code has signed in by now.
pub(crate) fn check_code(
    world: &World,
    base: &str,
    tenant: &str,
    form: &Form,
) -> Result<(), Refusal> {
    check_client(&world.scenario.tenant, tenant, form)?;
    if form.get("scope").is_some() {
        check_scope(base, form)?;
    }
    let person = &world.scenario.tenant.person;
    let now = world.clock.now();
    let mut sign_ins = lock(&world.sign_ins);
    let begun =
        sign_ins.codes.get_mut(require(form, "device_code")?).ok_or(Refusal::UnknownCode)?;
    let interval = i64::from(person.interval_seconds) * PER_SECOND;
    let is_too_soon = begun.last_asked.is_some_and(|last| now - last < interval);
    begun.last_asked = Some(now);
    begun.asked += 1;
    if now - begun.at > i64::from(CODE_LIFETIME_SECONDS) * PER_SECOND {
        return Err(Refusal::CodeExpired);
    }
    match person.answer {
        _ if is_too_soon => Err(Refusal::AskedTooSoon),
        PersonAnswer::Never => Err(Refusal::Pending),
        _ if begun.asked <= person.thinks => Err(Refusal::Pending),
        PersonAnswer::Declines => Err(Refusal::Declined),
        PersonAnswer::Accepts => Ok(()),
    }
}

/// Whether a refresh token is one of ours, and still good.
pub(crate) fn check_refresh_token(
    world: &World,
    base: &str,
    tenant: &str,
    form: &Form,
) -> Result<(), Refusal> {
    check(world, base, tenant, form)?;
    let is_known = lock(&world.sign_ins).refresh_tokens.contains(require(form, "refresh_token")?);
    if is_known && world.scenario.tenant.person.may_refresh {
        Ok(())
    } else {
        Err(Refusal::StaleRefreshToken)
    }
}

/// A new refresh token.
pub(crate) fn refresh_token(world: &World) -> String {
    let token = format!("0.{}.{}", guid::random(), guid::random());
    lock(&world.sign_ins).refresh_tokens.insert(token.clone());
    token
}

fn check(world: &World, base: &str, tenant: &str, form: &Form) -> Result<(), Refusal> {
    check_client(&world.scenario.tenant, tenant, form)?;
    check_scope(base, form)
}

fn check_client(known: &Tenant, tenant: &str, form: &Form) -> Result<(), Refusal> {
    if !ANY_TENANT.contains(&tenant) {
        check_tenant(known, tenant)?;
    }
    let client_id = require(form, "client_id")?;
    let is_known = client_id == COMMAND_LINE_TOOLS || client_id == known.client_id;
    if is_known { Ok(()) } else { Err(Refusal::UnknownApplication(client_id.to_owned())) }
}

/// Permissions of Graph by name, and those that any sign-in may ask for.
fn check_scope(base: &str, form: &Form) -> Result<(), Refusal> {
    let scope = require(form, "scope")?;
    let is_valid = |scope: &str| {
        let permission = scope
            .strip_prefix(base)
            .or_else(|| scope.strip_prefix("https://graph.microsoft.com"))
            .map_or(scope, |rest| rest.trim_start_matches('/'));
        let plain = ["offline_access", "openid", "profile", "email"];
        plain.contains(&permission) || permission.split('.').count() >= 2
    };
    if scope.split(' ').all(is_valid) { Ok(()) } else { Err(Refusal::BadScope(scope.to_owned())) }
}

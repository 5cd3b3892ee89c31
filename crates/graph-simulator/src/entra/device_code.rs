//! The sign-in of a person by device code, and the refresh token that it brings.

use crate::entra::aadsts::Refusal;
use crate::entra::login_request::LoginRequest;
use crate::guid;
use crate::http::answer::Answer;
use crate::scenario::{PersonAnswer, Tenant};
use crate::state::device_codes::DeviceCode;
use crate::state::{State, lock};
use crate::ticks::PER_SECOND;

/// Microsoft Graph Command Line Tools, a public client that every tenant knows.
const COMMAND_LINE_TOOLS: &str = "14d82eec-204b-4c2f-b7e8-296a70dab67e";
/// The tenant of whoever signs in.
const ANY_TENANT: [&str; 2] = ["organizations", "common"];
const CODE_LIFETIME_SECONDS: u32 = 900;

/// Answers `POST /{tenant}/oauth2/v2.0/devicecode`.
pub(crate) fn answer(state: &State, request: &LoginRequest) -> Answer {
    let now = state.clock.now();
    if let Err(refusal) = check(state, request) {
        return refusal.answer(&state.scenario.tenant, now);
    }
    let device_code = guid::random();
    let user_code: String =
        guid::random().to_uppercase().chars().filter(|c| *c != '-').take(9).collect();
    let page = "https://microsoft.com/devicelogin";
    let numbers = state.scenario.limits.token_numbers;
    let mut body = serde_json::json!({
        "user_code": user_code,
        "device_code": device_code,
        "verification_uri": page,
        "message": format!("To sign in, use a web browser to open the page {page} and enter the \
                            code {user_code} to authenticate."),
    });
    let interval = state.scenario.tenant.person.interval_seconds;
    for (name, number) in [("expires_in", CODE_LIFETIME_SECONDS), ("interval", interval)] {
        if let Some(value) = numbers.value(number) {
            body[name] = value;
        }
    }
    let waiting = DeviceCode { begun_at: now, asked: 0, last_asked: None };
    lock(&state.device_codes).codes.insert(device_code, waiting);
    Answer::json(200, &body)
}

/// Whether the person behind a device code has signed in by now.
pub(crate) fn check_code(state: &State, request: &LoginRequest) -> Result<(), Refusal> {
    check_client(&state.scenario.tenant, request)?;
    if request.form.get("scope").is_some() {
        check_scope(request)?;
    }
    let person = &state.scenario.tenant.person;
    let now = state.clock.now();
    let mut device_codes = lock(&state.device_codes);
    let waiting =
        device_codes.codes.get_mut(request.require("device_code")?).ok_or(Refusal::UnknownCode)?;
    let interval = i64::from(person.interval_seconds) * PER_SECOND;
    let is_too_soon = waiting.last_asked.is_some_and(|last| now - last < interval);
    waiting.last_asked = Some(now);
    waiting.asked += 1;
    if now - waiting.begun_at > i64::from(CODE_LIFETIME_SECONDS) * PER_SECOND {
        return Err(Refusal::CodeExpired);
    }
    match person.answer {
        _ if is_too_soon => Err(Refusal::AskedTooSoon),
        PersonAnswer::Never => Err(Refusal::Pending),
        _ if waiting.asked <= person.thinks => Err(Refusal::Pending),
        PersonAnswer::Declines => Err(Refusal::Declined),
        PersonAnswer::Accepts => Ok(()),
    }
}

/// Whether a refresh token is one of ours, and still good.
pub(crate) fn check_refresh_token(state: &State, request: &LoginRequest) -> Result<(), Refusal> {
    check(state, request)?;
    let token = request.require("refresh_token")?;
    let is_known = lock(&state.device_codes).refresh_tokens.contains(token);
    if is_known && state.scenario.tenant.person.may_refresh {
        Ok(())
    } else {
        Err(Refusal::StaleRefreshToken)
    }
}

/// A new refresh token.
pub(crate) fn refresh_token(state: &State) -> String {
    let token = format!("0.{}.{}", guid::random(), guid::random());
    lock(&state.device_codes).refresh_tokens.insert(token.clone());
    token
}

fn check(state: &State, request: &LoginRequest) -> Result<(), Refusal> {
    check_client(&state.scenario.tenant, request)?;
    check_scope(request)
}

fn check_client(known: &Tenant, request: &LoginRequest) -> Result<(), Refusal> {
    if !ANY_TENANT.contains(&request.tenant.as_str()) {
        request.check_tenant(known)?;
    }
    let client_id = request.require("client_id")?;
    let is_known = client_id == COMMAND_LINE_TOOLS || client_id == known.client_id;
    if is_known { Ok(()) } else { Err(Refusal::UnknownApplication(client_id.to_owned())) }
}

/// Permissions of Graph by name, and those that any sign-in may ask for.
fn check_scope(request: &LoginRequest) -> Result<(), Refusal> {
    let scope = request.require("scope")?;
    for name in scope.split(' ') {
        let permission = name
            .strip_prefix(&request.base)
            .or_else(|| name.strip_prefix("https://graph.microsoft.com"))
            .map_or(name, |rest| rest.trim_start_matches('/'));
        let is_plain = ["offline_access", "openid", "profile", "email"].contains(&permission);
        if !is_plain && permission.split('.').count() < 2 {
            return Err(Refusal::BadScope(scope.to_owned()));
        }
    }
    Ok(())
}

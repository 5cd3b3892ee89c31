//! The one action of AWS STS that federation needs: `GetWebIdentityToken`.

use crate::fault::{Occasion, Target};
use crate::guid;
use crate::http::answer::Answer;
use crate::http::form::Form;
use crate::http::generic_fault;
use crate::state::{State, lock};
use crate::ticks::{self, PER_SECOND};

const NAMESPACE: &str = "https://sts.amazonaws.com/doc/2011-06-15/";

/// A refusal in the words of STS.
struct StsError {
    code: String,
    message: String,
}

/// Answers `POST /` with `Action=GetWebIdentityToken`.
pub(crate) fn answer(state: &State, form: &Form) -> Answer {
    let occasion = Occasion {
        target: Target::WebIdentityToken,
        streams: &[],
        follows_link: false,
        has_more: false,
        address: 0,
    };
    let fault = lock(&state.faults).choose(&occasion);
    if let Some(answer) = fault.and_then(|fault| generic_fault::replace(state, fault, None)) {
        return answer;
    }
    let answer = match token(state, form) {
        Ok((token, expiration)) => {
            let body = format!(
                "<GetWebIdentityTokenResponse \
                 xmlns=\"{NAMESPACE}\"><GetWebIdentityTokenResult><WebIdentityToken>{token}</WebIdentityToken><Expiration>{expiration}</Expiration></GetWebIdentityTokenResult><ResponseMetadata><RequestId>{}</RequestId></ResponseMetadata></GetWebIdentityTokenResponse>",
                guid::random()
            );
            Answer::new(200, "text/xml", body)
        }
        Err(refusal) => refusal.answer(),
    };
    match fault {
        Some(fault) => generic_fault::weaken(answer, fault),
        None => answer,
    }
}

fn token(state: &State, form: &Form) -> Result<(String, String), StsError> {
    let federation = &state.scenario.tenant.federation;
    if form.get("Action") != Some("GetWebIdentityToken") {
        return Err(StsError::new("InvalidAction", "Could not find operation for this action."));
    }
    if !federation.enabled {
        let message = "Outbound web identity federation is not enabled for this account.";
        return Err(StsError::new("OutboundWebIdentityFederationDisabledException", message));
    }
    if let Some(code) = &federation.error {
        return Err(StsError::new(code, "The request was refused by the scenario."));
    }
    let audiences: Vec<String> = (1..=10)
        .map_while(|number| form.get(&format!("Audience.member.{number}")).map(str::to_owned))
        .collect();
    let seconds: i64 = form.get("DurationSeconds").unwrap_or("300").parse().unwrap_or(0);
    let problem = match form.get("SigningAlgorithm") {
        _ if audiences.is_empty() => Some("Audience must have at least one member"),
        None => Some("SigningAlgorithm must not be null"),
        Some("RS256") if (60..=3600).contains(&seconds) => None,
        Some("RS256") => Some("DurationSeconds must be between 60 and 3600"),
        Some(_) => Some("Only RS256 is simulated"),
    };
    if let Some(problem) = problem {
        return Err(StsError::new("ValidationError", problem));
    }
    let now = state.clock.now() / PER_SECOND;
    let role = federation.role.as_ref().unwrap_or(&federation.subject);
    let token = state
        .issuer
        .sign(role, &audiences, now, seconds)
        .ok_or_else(|| StsError::new("InternalFailure", "The token could not be signed."))?;
    Ok((token, ticks::text((now + seconds) * PER_SECOND, 0)))
}

impl StsError {
    fn new(code: &str, message: &str) -> Self {
        Self { code: code.to_owned(), message: message.to_owned() }
    }

    fn answer(&self) -> Answer {
        let body = format!(
            "<ErrorResponse \
             xmlns=\"{NAMESPACE}\"><Error><Type>Sender</Type><Code>{}</Code><Message>{}</Message></Error><RequestId>{}</RequestId></ErrorResponse>",
            self.code,
            self.message,
            guid::random()
        );
        let status = if self.code == "InternalFailure" { 500 } else { 400 };
        Answer::new(status, "text/xml", body)
    }
}

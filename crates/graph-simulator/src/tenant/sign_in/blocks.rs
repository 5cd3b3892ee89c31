//! The objects and lists inside a sign-in.

use std::io::Write as _;

use super::SignIn;
use crate::stream::Stream;
use crate::tenant::contoso::LOCATIONS;
use crate::tenant::directory::{CALM_RESULTS, Directory, FAILURE, USUAL_RESULTS};
use crate::tenant::template::put;
use crate::ticks;

const METHODS: [(&str, &str, &str); 4] = [
    ("Previously satisfied", "", "First factor requirement satisfied by claim in the token"),
    ("Password", "Password Hash Sync", "Correct password"),
    (
        "Mobile app notification",
        "Microsoft Authenticator (\\\"Phone\\\")",
        "MFA completed in Azure AD",
    ),
    ("Passkey (device-bound)", "YubiKey 5 series", "MFA successfully completed"),
];

pub(super) fn status(out: &mut Vec<u8>, it: &mut SignIn, _: &Directory) {
    let outcome = it.outcome;
    write!(
        out,
        r#"{{"errorCode":{},"failureReason":"{}","additionalDetails":"#,
        outcome.code, outcome.reason
    )
    .unwrap_or_default();
    match outcome.details {
        Some(details) => write!(out, r#""{details}"}}"#).unwrap_or_default(),
        None => put(out, "null}"),
    }
}

pub(super) fn device(out: &mut Vec<u8>, it: &mut SignIn, directory: &Directory) {
    match it.random.u8(..100) {
        0 => put(out, "null"),
        _ => put(out, directory.device(it.form.version, it.user, it.client)),
    }
}

/// Mostly a city with coordinates; sometimes null, empty or without a place, as Graph serves them.
pub(super) fn location(out: &mut Vec<u8>, it: &mut SignIn, _: &Directory) {
    let place = &LOCATIONS[it.place];
    match it.random.u8(..100) {
        0 if it.address.is_none() => put(out, "null"),
        1 if it.address.is_none() => {
            put(out, r#"{"city":null,"state":null,"countryOrRegion":null,"geoCoordinates":{}}"#);
        }
        _ => write!(
            out,
            r#"{{"city":"{}","state":"{}","countryOrRegion":"{}","geoCoordinates":{{"altitude":null,"latitude":{:.5},"longitude":{:.5}}}}}"#,
            place.city, place.state, place.country, place.latitude, place.longitude
        )
        .unwrap_or_default(),
    }
}

/// The whole member with its comma: without a Policy permission Graph leaves it out.
pub(super) fn policies(out: &mut Vec<u8>, it: &mut SignIn, directory: &Directory) {
    if !directory.shows_policies {
        return;
    }
    put(out, r#""appliedConditionalAccessPolicies":["#);
    let results = if directory.is_calm { CALM_RESULTS } else { USUAL_RESULTS };
    let first_result = it.first_result.or((it.outcome.access == "failure").then_some(FAILURE));
    for number in 0..it.policies {
        if number > 0 {
            out.push(b',');
        }
        let draw =
            it.policy_results.rotate_right(4 * u32::try_from(number).unwrap_or_default()) & 15;
        let usual = results[usize::try_from(draw).unwrap_or_default()];
        let result = first_result.filter(|_| number == 0).unwrap_or(usual);
        put(out, directory.policy(it.form, it.first_policy + number, result));
    }
    put(out, "],");
}

pub(super) fn networks(out: &mut Vec<u8>, it: &mut SignIn, _: &Directory) {
    let network = LOCATIONS[it.place].network;
    if !network.is_empty() {
        write!(out, r#"{{"networkType":"trustedNamedLocation","networkNames":["{network}"]}}"#)
            .unwrap_or_default();
    }
}

pub(super) fn steps(out: &mut Vec<u8>, it: &mut SignIn, _: &Directory) {
    for step in 0..it.steps {
        if step > 0 {
            out.push(b',');
        }
        let (method, detail, result) = METHODS[(it.user + step) % METHODS.len()];
        put(out, r#"{"authenticationStepDateTime":""#);
        let seconds = i64::try_from(step).unwrap_or_default() * 7 * ticks::PER_SECOND;
        ticks::write(out, it.time + seconds, 0);
        write!(
            out,
            r#"","authenticationMethod":"{method}","authenticationMethodDetail":"{detail}","succeeded":{},"authenticationStepResultDetail":"{result}","authenticationStepRequirement":"{}"}}"#,
            it.outcome.code == 0,
            if step == 0 { "Primary authentication" } else { "" },
        )
        .unwrap_or_default();
    }
}

pub(super) fn managed_identity(out: &mut Vec<u8>, it: &mut SignIn, _: &Directory) {
    if it.stream == Stream::ManagedIdentity {
        put(out, r#"{"msiType":"systemAssigned","associatedResourceId":"/subscriptions/"#);
        it.write_fresh_guid(out);
        put(
            out,
            r#"/resourcegroups/prod/providers/Microsoft.Compute/virtualMachines/vm-prod-weu-01","federatedTokenId":"","federatedTokenIssuer":""}"#,
        );
    } else {
        put(out, r#"{"msiType":"none","associatedResourceId":"","federatedTokenId":""#);
        it.write_fresh_guid(out);
        put(out, r#"","federatedTokenIssuer":"https://0f1e2d3c.tokens.sts.global.api.aws"}"#);
    }
}

//! The values that a sign-in writes at the places of its template.

use std::io::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::{SignIn, blocks};
use crate::stream::Stream;
use crate::tenant::contoso::{CLIENTS, LOCATIONS, USERS, WORKLOADS};
use crate::tenant::directory::Directory;
use crate::tenant::template::{WriteField, put};
use crate::{guid, ticks};

/// Every place by its name.
pub(super) const FIELDS: &[(&str, WriteField<SignIn>)] = &[
    ("id", |out, it, _| guid::write(out, it.id)),
    ("time", |out, it, _| ticks::write(out, it.time, it.digits)),
    ("user_name", |out, it, _| put(out, USERS[it.user].name)),
    ("user_principal_name", principal_name),
    ("user_id", |out, it, directory| put(out, &directory.user_ids[it.user])),
    ("app_id", |out, it, _| put(out, it.application.id)),
    ("app_name", |out, it, _| put(out, it.application.name)),
    ("workload_id", |out, it, _| put(out, WORKLOADS[it.workload].id)),
    ("workload_name", |out, it, _| put(out, WORKLOADS[it.workload].name)),
    ("workload_principal", |out, it, directory| {
        put(out, &directory.principal(WORKLOADS[it.workload].name));
    }),
    ("address", address),
    ("client_app", |out, it, _| put(out, CLIENTS[it.client].used)),
    ("user_agent", |out, it, _| put(out, CLIENTS[it.client].agent)),
    ("correlation", |out, it, _| guid::write(out, it.correlation)),
    ("access", |out, it, _| put(out, it.outcome.access)),
    ("original_request", |out, it, _| guid::write(out, it.id)),
    ("is_interactive", |out, it, _| {
        put(out, if it.stream == Stream::InteractiveUser { "true" } else { "false" });
    }),
    ("processing_time", |out, it, _| number(out, it.random.u32(40..900))),
    ("risk_detail", risk_detail),
    ("risk_level", |out, it, directory| {
        put(out, if directory.shows_risk { it.risk.level } else { "hidden" });
    }),
    ("risk_state", |out, it, _| put(out, it.risk.state)),
    ("risk_events", |out, it, _| put(out, it.risk.events)),
    ("resource_name", |out, it, _| put(out, it.resource.name)),
    ("resource_id", |out, it, _| put(out, it.resource.id)),
    ("resource_principal", |out, it, directory| put(out, &directory.principal(it.resource.id))),
    ("tenant", |out, _, directory| put(out, &directory.tenant)),
    ("requirement", |out, it, _| {
        put(
            out,
            if it.steps > 1 { "multiFactorAuthentication" } else { "singleFactorAuthentication" },
        );
    }),
    ("sign_in_identifier", |out, it, directory| {
        if it.stream == Stream::InteractiveUser {
            principal_name(out, it, directory);
        }
    }),
    ("user_type", |out, it, _| put(out, if it.is_guest { "guest" } else { "member" })),
    ("home_tenant", |out, it, directory| {
        put(out, if it.is_guest { PARTNER_TENANT } else { &directory.tenant });
    }),
    ("event_type", |out, it, _| put(out, it.stream.name())),
    ("system_number", |out, it, _| number(out, LOCATIONS[it.place].system_number)),
    ("token_identifier", token_identifier),
    ("incoming_token", incoming_token),
    ("session", |out, it, directory| put(out, &session(it, directory))),
    ("guid", |out, it, _| it.write_fresh_guid(out)),
    ("status", blocks::status),
    ("device", blocks::device),
    ("location", blocks::location),
    ("policies", blocks::policies),
    ("scopes", |out, it, _| put(out, SCOPES[it.random.usize(..SCOPES.len())])),
    ("library", |out, it, _| {
        let minor = it.random.u32(50..70);
        let patch = it.random.u32(0..5);
        write!(out, "4.{minor}.{patch}.0").unwrap_or_default();
    }),
    ("networks", blocks::networks),
    ("steps", blocks::steps),
    ("credential_type", |out, it, _| {
        let own = ["clientSecret", "certificate", "federatedIdentityCredential"][it.workload % 3];
        put(out, if it.stream == Stream::ManagedIdentity { "managedIdentity" } else { own });
    }),
    ("managed_identity", blocks::managed_identity),
];

/// Home tenant of guests.
const PARTNER_TENANT: &str = "6f2d1a0b-3c8e-4e4f-8b62-1c9a2e7d8f31";

const SCOPES: [&str; 4] = [
    r#"[\"openid\",\"profile\",\"User.Read\"]"#,
    r#"[\"Mail.Read\",\"Calendars.ReadWrite\",\"offline_access\",\"openid\"]"#,
    r#"[\"Files.ReadWrite.All\",\"Sites.Read.All\",\"User.ReadBasic.All\",\"profile\"]"#,
    r#"[\"user_impersonation\"]"#,
];

fn number(out: &mut Vec<u8>, number: u32) {
    write!(out, "{number}").unwrap_or_default();
}

/// A session lasts a day.
fn session(it: &SignIn, directory: &Directory) -> String {
    let day = it.time.div_euclid(ticks::PER_DAY).cast_unsigned();
    guid::of(&[directory.seed, 0x5E55, it.user as u64, it.client as u64, day])
}

fn principal_name(out: &mut Vec<u8>, it: &mut SignIn, _: &Directory) {
    put(out, USERS[it.user].local);
    put(
        out,
        if it.is_guest { "_fabrikam.example#EXT#@contoso.example" } else { "@contoso.example" },
    );
}

/// An address of the place's network; one in 200 is redacted as in cross-tenant sign-ins. A
/// workload has one of its own.
fn address(out: &mut Vec<u8>, it: &mut SignIn, _: &Directory) {
    if let Some(address) = it.address {
        return put(out, address);
    }
    if matches!(it.stream, Stream::ServicePrincipal | Stream::ManagedIdentity) {
        return write!(out, "192.0.2.{}", 10 + it.workload).unwrap_or_default();
    }
    let prefix = LOCATIONS[it.place].prefix;
    put(out, prefix);
    if prefix.ends_with(':') {
        write!(out, "{:x}:{:x}", it.random.u16(1..), it.random.u16(1..)).unwrap_or_default();
    } else if it.random.u8(..200) == 0 {
        put(out, "XXX");
    } else {
        number(out, it.random.u32(1..255));
    }
}

fn risk_detail(out: &mut Vec<u8>, it: &mut SignIn, directory: &Directory) {
    let detail = if directory.shows_risk { it.risk.detail } else { "hidden" };
    let masked = it.form.masked && detail.starts_with("m365D");
    put(out, if masked { "unknownFutureValue" } else { detail });
}

/// Base64 of the text of the request id, as Entra makes it.
fn token_identifier(out: &mut Vec<u8>, it: &mut SignIn, _: &Directory) {
    let mut id = Vec::with_capacity(36);
    guid::write(&mut id, it.id);
    let mut encoded = [0; 48];
    let length = STANDARD.encode_slice(&id, &mut encoded).unwrap_or_default();
    out.extend_from_slice(&encoded[..length]);
}

fn incoming_token(out: &mut Vec<u8>, it: &mut SignIn, _: &Directory) {
    let future = if it.form.masked { "unknownFutureValue" } else { "refreshToken" };
    match it.random.u8(..8) {
        0 => put(out, "primaryRefreshToken,saml20"),
        1..3 => put(out, "primaryRefreshToken"),
        3..6 => put(out, future),
        _ => put(out, "none"),
    }
}

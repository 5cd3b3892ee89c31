//! The kinds of faults, and the form in which a scenario asks for them.

mod alteration;
mod chain;
mod plan;

use std::collections::BTreeMap;

use serde::Deserialize;

pub(crate) use alteration::Alteration;
pub(crate) use chain::{ChainBreak, ChainOccasion};
pub use chain::{ChainFault, ChainFaultKind};
pub(crate) use plan::{Fault, FaultPlan, Occasion};

use crate::error::Error;
use crate::stream::Stream;

/// Everything that can go wrong with an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultKind {
    /// 429 with `Retry-After` in seconds.
    ThrottleSeconds,
    /// 429 with `Retry-After` as a date.
    ThrottleDate,
    /// 429 without the header.
    ThrottleBare,
    /// 503, with `Retry-After` every second time or where `seconds` is given.
    Unavailable,
    /// 500, 502 or 504 with an empty, JSON or HTML body, in turn.
    ServerError,
    /// The connection is closed in the middle of the body.
    Cut,
    /// A whole answer whose JSON ends too early.
    TruncatedJson,
    /// A whole answer whose gzip is damaged.
    BrokenGzip,
    /// 200 with a page for people.
    #[serde(rename = "html_200")]
    Html200,
    /// No byte for `seconds` (60), then the connection is closed.
    Silence,
    /// The right answer after `seconds` (20).
    Slow,
    /// 401, and the access token is worthless from now on.
    TokenExpired,
    /// 400 `Invalid Skip Token` for a next link that is in order.
    RefusedLink,
    /// The next link is the link just requested.
    RepeatedLink,
    /// The next link names another host.
    ForeignLink,
    /// The next link names another port over plain http.
    PlainLink,
    /// A full page without a next link although there is more.
    MissingLink,
    /// Records outside the asked span are mixed in.
    IgnoredFilter,
    /// 403: no premium licence.
    #[serde(rename = "licence_403")]
    Licence403,
    /// 403: a permission is missing.
    #[serde(rename = "permission_403")]
    Permission403,
    /// No records, but a next link; nothing is lost.
    EmptyPage,
    /// Fewer records than asked for, with a next link.
    ShortPage,
    /// More records than asked for: 1,040 instead of 1,000.
    OversizedPage,
    /// Advice of the service beside `value`.
    Tips,
    /// A member that no documentation names, in every record.
    UnknownField,
    /// A declared object arrives as text, in every record.
    TypeFlip,
    /// 400 `UnknownError` for a request that is in order: the next try may succeed.
    #[serde(rename = "passing_400")]
    Passing400,
    /// `Content-Encoding: GZIP`, in capitals.
    GzipInCapitals,
    /// `Content-Encoding: x-gzip`.
    XGzip,
    /// A byte order mark in front of the body.
    ByteOrderMark,
    /// The page is followed by `bytes` (300,000,000) of white space, which gzip makes small.
    GzipBomb,
    /// `Content-Length` says twice what follows.
    LongLength,
    /// `Content-Length` says half of what follows.
    ShortLength,
    /// 400 `Invalid filter clause` for a filter that is in order.
    InvalidFilter,
    /// 404: the collection does not exist here.
    NotFound,
    /// The token endpoint fails with a 5xx.
    TokenServerError,
    /// AADSTS90033.
    TokenTransient,
    /// AADSTS90055.
    TokenThrottled,
    /// AADSTS70021 although the federated credential matches.
    #[serde(rename = "federation_70021")]
    Federation70021,
}

/// The endpoints that a scripted fault can strike.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    /// The token endpoint.
    Token,
    /// A collection below `auditLogs`.
    Page,
    /// `GetWebIdentityToken`.
    WebIdentityToken,
}

/// The `[faults]` table.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Faults {
    /// Share of the page requests that suffer each kind, seeded.
    pub rates: BTreeMap<FaultKind, f64>,
    /// Faults at exact places; they come before the rates.
    pub script: Vec<ScriptedFault>,
    /// Fault that the first request of every address below `auditLogs` suffers, once.
    /// Scripts come before it.
    pub first_call: Option<FaultKind>,
    /// Faults of whole chains; the first that fits a chain decides.
    pub chain: Vec<ChainFault>,
}

/// One `[[faults.script]]` table.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScriptedFault {
    /// Kind of the fault.
    pub kind: FaultKind,
    /// Endpoint that suffers; absent: the one that the kind is made for.
    pub on: Option<Target>,
    /// Only requests that ask for this stream.
    pub stream: Option<Stream>,
    /// First request that suffers, counted from 1 among those that the script fits.
    #[serde(default = "one")]
    pub nth: u64,
    /// Number of requests in a row that suffer.
    #[serde(default = "one")]
    pub times: u64,
    /// Length of a wait, or the value of `Retry-After`.
    pub seconds: Option<u32>,
    /// Status of an answer whose kind has several.
    pub status: Option<u16>,
    /// Size of a gzip bomb once it is unpacked.
    pub bytes: Option<u64>,
}

impl Faults {
    pub(crate) fn check(&self) -> Result<(), Error> {
        let total: f64 = self.rates.values().sum();
        if !(0.0..=1.0).contains(&total) || self.rates.values().any(|rate| *rate < 0.0) {
            return Err(Error::Impossible(
                "the rates of faults must add up to at most 1".to_owned(),
            ));
        }
        let scripted = self.script.iter().map(|script| (script.kind, script.on));
        let kinds = self.rates.keys().chain(&self.first_call);
        for (kind, on) in scripted.chain(kinds.map(|kind| (*kind, Some(Target::Page)))) {
            if !kind.can_strike(on.unwrap_or(kind.usual_target())) {
                return Err(Error::Impossible(format!("{kind:?} cannot happen on {on:?}")));
            }
        }
        if self.script.iter().any(|script| script.nth == 0) {
            return Err(Error::Impossible("nth counts from 1".to_owned()));
        }
        if self.chain.iter().any(|fault| fault.after == 0 || !(0.0..=1.0).contains(&fault.share)) {
            let reason = "a fault of chains strikes after at least one page, a share of 0 to 1";
            return Err(Error::Impossible(reason.to_owned()));
        }
        Ok(())
    }

    /// Every way in which a page may show a record; the first is as it is on file.
    pub(crate) fn alterations(&self) -> Vec<Alteration> {
        let scripted = self.script.iter().map(|script| script.kind);
        let kinds = scripted.chain(self.rates.keys().copied()).chain(self.first_call);
        let mut alterations: Vec<_> =
            std::iter::once(Alteration::None).chain(kinds.map(FaultKind::alteration)).collect();
        alterations.sort_unstable();
        alterations.dedup();
        alterations
    }
}

impl FaultKind {
    /// Returns the change that it makes to the records of a page.
    pub(crate) fn alteration(self) -> Alteration {
        match self {
            Self::UnknownField => Alteration::UnknownField,
            Self::TypeFlip => Alteration::TypeFlip,
            _ => Alteration::None,
        }
    }

    fn usual_target(self) -> Target {
        match self {
            Self::TokenServerError
            | Self::TokenTransient
            | Self::TokenThrottled
            | Self::Federation70021 => Target::Token,
            _ => Target::Page,
        }
    }

    /// Whether an endpoint can suffer this kind at all.
    fn can_strike(self, target: Target) -> bool {
        let anywhere = matches!(
            self,
            Self::ThrottleSeconds
                | Self::ThrottleDate
                | Self::ThrottleBare
                | Self::Unavailable
                | Self::ServerError
                | Self::Cut
                | Self::Html200
                | Self::Silence
                | Self::Slow
        );
        anywhere || self.usual_target() == target
    }

    /// Whether the fault would be noticed: a page without a next link cannot lose it.
    fn suits(self, occasion: &Occasion<'_>) -> bool {
        match self {
            Self::RefusedLink => occasion.follows_link,
            Self::RepeatedLink
            | Self::ForeignLink
            | Self::PlainLink
            | Self::MissingLink
            | Self::OversizedPage => occasion.has_more,
            _ => true,
        }
    }
}

fn one() -> u64 {
    1
}

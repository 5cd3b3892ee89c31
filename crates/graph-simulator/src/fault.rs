//! What goes wrong: the kinds of faults, and the choice of one for a request.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::error::Error;
use crate::guid;
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
}

/// One `[[faults.script]]` table.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScriptedFault {
    /// What goes wrong.
    pub kind: FaultKind,
    /// Which endpoint; absent: the one that the kind is made for.
    pub on: Option<Target>,
    /// Only requests that ask for this stream.
    pub stream: Option<Stream>,
    /// First request that suffers, counted from 1 among those that the script fits.
    #[serde(default = "one")]
    pub nth: u64,
    /// How many in a row.
    #[serde(default = "one")]
    pub times: u64,
    /// Length of a wait, or the value of `Retry-After`.
    pub seconds: Option<u32>,
    /// Status of an answer whose kind has several.
    pub status: Option<u16>,
}

/// A fault that was chosen for a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) kind: FaultKind,
    pub(crate) seconds: Option<u32>,
    pub(crate) status: Option<u16>,
}

/// What a choice depends on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Occasion<'a> {
    pub(crate) target: Target,
    pub(crate) streams: &'a [Stream],
    /// Whether the request follows a next link.
    pub(crate) follows_link: bool,
    /// Whether the page that is due has a next link.
    pub(crate) has_more: bool,
}

/// The faults of a running simulator and how often each script has been passed.
#[derive(Debug)]
pub(crate) struct FaultPlan {
    faults: Faults,
    passed: Vec<u64>,
    seed: u64,
    pages: u64,
}

impl Faults {
    pub(crate) fn check(&self) -> Result<(), Error> {
        let total: f64 = self.rates.values().sum();
        if !(0.0..=1.0).contains(&total) || self.rates.values().any(|rate| *rate < 0.0) {
            return Err(Error::Impossible("the rates of faults must add up to at most 1".to_owned()));
        }
        let scripted = self.script.iter().map(|script| (script.kind, script.on));
        for (kind, on) in scripted.chain(self.rates.keys().map(|kind| (*kind, Some(Target::Page)))) {
            if !kind.can_strike(on.unwrap_or(kind.usual_target())) {
                return Err(Error::Impossible(format!("{kind:?} cannot happen on {on:?}")));
            }
        }
        if self.script.iter().any(|script| script.nth == 0) {
            return Err(Error::Impossible("nth counts from 1".to_owned()));
        }
        Ok(())
    }
}

impl FaultPlan {
    pub(crate) fn new(faults: Faults, seed: u64) -> Self {
        Self { passed: vec![0; faults.script.len()], faults, seed, pages: 0 }
    }

    /// The fault that this request suffers, if any.
    pub(crate) fn choose(&mut self, occasion: &Occasion<'_>) -> Option<Fault> {
        let mut chosen = None;
        for (script, passed) in self.faults.script.iter().zip(&mut self.passed) {
            if script.fits(occasion) {
                *passed += 1;
                let struck = *passed >= script.nth && *passed - script.nth < script.times;
                if struck && chosen.is_none() {
                    chosen =
                        Some(Fault { kind: script.kind, seconds: script.seconds, status: script.status });
                }
            }
        }
        chosen.or_else(|| self.draw(occasion))
    }

    fn draw(&mut self, occasion: &Occasion<'_>) -> Option<Fault> {
        if occasion.target != Target::Page || self.faults.rates.is_empty() {
            return None;
        }
        self.pages += 1;
        let mut left = fastrand::Rng::with_seed(guid::mix(&[self.seed, self.pages, 0xFA17])).f64();
        for (kind, rate) in &self.faults.rates {
            left -= rate;
            if left < 0.0 {
                return kind.suits(occasion).then_some(Fault { kind: *kind, seconds: None, status: None });
            }
        }
        None
    }
}

impl ScriptedFault {
    fn fits(&self, occasion: &Occasion<'_>) -> bool {
        self.on.unwrap_or(self.kind.usual_target()) == occasion.target
            && self.stream.is_none_or(|stream| occasion.streams.contains(&stream))
            && self.kind.suits(occasion)
    }
}

impl FaultKind {
    fn usual_target(self) -> Target {
        match self {
            Self::TokenServerError | Self::TokenTransient | Self::TokenThrottled | Self::Federation70021 => {
                Target::Token
            }
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

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(text: &str) -> FaultPlan {
        FaultPlan::new(toml::from_str(text).unwrap(), 7)
    }

    fn page(follows_link: bool) -> Occasion<'static> {
        Occasion { target: Target::Page, streams: &[Stream::InteractiveUser], follows_link, has_more: true }
    }

    #[test]
    fn a_script_strikes_the_nth_fitting_request_so_many_times() {
        let mut plan = plan("[[script]]\nkind = 'refused_link'\nnth = 2\ntimes = 2");
        let struck: Vec<bool> = [false, true, true, false, true, true]
            .into_iter()
            .map(|follows_link| plan.choose(&page(follows_link)).is_some())
            .collect();
        assert_eq!(struck, [false, false, true, false, true, false]);
    }

    #[test]
    fn a_script_leaves_other_streams_and_endpoints_alone() {
        let mut plan = plan("[[script]]\nkind = 'cut'\nstream = 'managedIdentity'\ntimes = 9");
        assert_eq!(plan.choose(&page(false)), None);
        assert_eq!(plan.choose(&Occasion { target: Target::Token, ..page(false) }), None);
        assert!(plan.choose(&Occasion { streams: &[Stream::ManagedIdentity], ..page(false) }).is_some());
    }

    #[test]
    fn a_fault_that_its_endpoint_cannot_suffer_is_refused() {
        for text in [
            "[[script]]\nkind = 'missing_link'\non = 'token'",
            "[[script]]\nkind = 'token_transient'\non = 'page'",
            "rates = { token_transient = 0.1 }",
            "rates = { cut = 0.6, slow = 0.6 }",
        ] {
            assert!(toml::from_str::<Faults>(text).unwrap().check().is_err(), "{text}");
        }
    }

    #[test]
    fn rates_are_kept_and_repeat_with_the_seed() {
        let count = || {
            let mut plan = plan("rates = { cut = 0.1, server_error = 0.2 }");
            (0..5000).filter(|_| plan.choose(&page(false)).is_some()).count()
        };
        assert_eq!(count(), count());
        assert!((1350..1650).contains(&count()), "{}", count());
    }
}

//! Access tokens: random strings with an end.

use std::collections::{HashMap, HashSet};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// Access tokens and the moment each becomes worthless.
#[derive(Debug, Default)]
pub(crate) struct AccessTokens {
    ends: HashMap<String, i64>,
    of_people: HashSet<String>,
    /// Number of federated assertions that have been presented.
    pub(crate) federated_attempts: u64,
}

/// Why a bearer token is not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BadToken {
    Missing,
    Unknown,
    Expired,
}

impl AccessTokens {
    /// A new token that is good until `ends`.
    pub(crate) fn issue(&mut self, ends: i64) -> String {
        let bytes: Vec<u8> = std::iter::repeat_with(|| fastrand::u8(..)).take(240).collect();
        let token = URL_SAFE_NO_PAD.encode(bytes);
        self.ends.insert(token.clone(), ends);
        token
    }

    /// A new token of a person, good until `ends`.
    pub(crate) fn issue_to_person(&mut self, ends: i64) -> String {
        let token = self.issue(ends);
        self.of_people.insert(token.clone());
        token
    }

    /// Whether a token is a person's, not an application's.
    pub(crate) fn is_of_person(&self, bearer: Option<&str>) -> bool {
        bearer.is_some_and(|bearer| self.of_people.contains(bearer))
    }

    /// Whether a bearer token is good at this moment.
    pub(crate) fn check(&self, bearer: Option<&str>, now: i64) -> Result<(), BadToken> {
        let ends = self.ends.get(bearer.ok_or(BadToken::Missing)?).ok_or(BadToken::Unknown)?;
        if now < *ends { Ok(()) } else { Err(BadToken::Expired) }
    }

    /// Makes a token worthless.
    pub(crate) fn end(&mut self, bearer: &str) {
        if let Some(ends) = self.ends.get_mut(bearer) {
            *ends = i64::MIN;
        }
    }
}

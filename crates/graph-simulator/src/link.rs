//! Next links: written as Graph writes them, and remembered so that an altered one is refused.

use std::collections::HashMap;
use std::fmt::Write as _;

use crate::filter::Filter;
use crate::guid;
use crate::stream::{ApiVersion, Stream};
use crate::timeline::Position;

/// What a collection request asks for, apart from where to go on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Query {
    pub(crate) version: ApiVersion,
    pub(crate) audits: bool,
    pub(crate) filter: Filter,
    pub(crate) top: usize,
    pub(crate) descending: bool,
    /// The options as they were sent, without the skip token.
    pub(crate) options: Vec<(String, String)>,
}

/// A link that was handed out.
#[derive(Clone, Debug)]
pub(crate) struct Issued {
    path_and_query: String,
    pub(crate) query: Query,
    pub(crate) after: Option<Position>,
}

/// Every link handed out so far, by its skip token.
#[derive(Debug, Default)]
pub(crate) struct Links {
    issued: HashMap<String, Issued>,
}

impl Query {
    pub(crate) fn streams(&self) -> &[Stream] {
        &self.filter.streams
    }
}

impl Links {
    /// Path and query of the link that goes on after this position. The same position has the same link, unless
    /// `salt` tells them apart.
    pub(crate) fn issue(&mut self, query: &Query, after: Option<Position>, salt: u64) -> String {
        let token = token(query, after, salt);
        let path_and_query = encoded(query, &token);
        let issued = Issued { path_and_query: path_and_query.clone(), query: query.clone(), after };
        self.issued.insert(token, issued);
        path_and_query
    }

    /// What a link stands for, if it is byte for byte one that was handed out.
    pub(crate) fn follow(&self, token: &str, path_and_query: &str) -> Option<&Issued> {
        self.issued.get(token).filter(|issued| issued.path_and_query == path_and_query)
    }
}

fn token(query: &Query, after: Option<Position>, salt: u64) -> String {
    let mut numbers = vec![salt, u64::from(query.audits), query.top as u64, u64::from(query.descending)];
    numbers.extend(
        query.options.iter().flat_map(|(name, value)| name.bytes().chain(value.bytes())).map(u64::from),
    );
    numbers.extend(after.iter().flat_map(Position::numbers));
    format!("{}_1", guid::of(&numbers).replace('-', ""))
}

/// The collection in lower case and the options in reverse order: as in Graph's own samples, the link is no copy
/// of the request.
fn encoded(query: &Query, token: &str) -> String {
    let collection = if query.audits { "directoryaudits" } else { "signins" };
    let mut link = format!("/{}/auditLogs/{collection}?", query.version.segment());
    for (name, value) in query.options.iter().rev() {
        link.push_str(&escaped(name));
        link.push('=');
        link.push_str(&escaped(value));
        link.push('&');
    }
    link.push_str("$skiptoken=");
    link.push_str(token);
    link
}

/// Percent-encodes with lower-case digits and `+` for a blank.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    for byte in text.bytes() {
        match byte {
            b' ' => out.push('+'),
            b'A'..=b'Z'
            | b'a'..=b'z'
            | b'0'..=b'9'
            | b'$'
            | b'-'
            | b'_'
            | b'.'
            | b'!'
            | b'*'
            | b'('
            | b')' => {
                out.push(char::from(byte));
            }
            _ => write!(out, "%{byte:02x}").unwrap_or_default(),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn query() -> Query {
        let filter =
            "createdDateTime ge 2026-11-22T00:00:00Z and signInEventTypes/any(t: t eq 'managedIdentity')";
        Query {
            version: ApiVersion::Beta,
            audits: false,
            filter: Filter::parse(filter, ApiVersion::Beta, false).unwrap(),
            top: 10,
            descending: true,
            options: vec![("$filter".to_owned(), filter.to_owned()), ("$top".to_owned(), "10".to_owned())],
        }
    }

    #[test]
    fn links_are_reordered_and_encoded_as_graph_does_it() {
        let link = Links::default().issue(&query(), None, 0);
        let expected = "/beta/auditLogs/signins?$top=10&$filter=createdDateTime+ge+2026-11-22T00%3a00%3a00Z+and+\
                        signInEventTypes%2fany(t%3a+t+eq+%27managedIdentity%27)&$skiptoken=";
        assert_eq!(link.split_inclusive("$skiptoken=").next(), Some(expected));
    }

    #[test]
    fn a_link_altered_in_one_byte_is_unknown() {
        let mut links = Links::default();
        let link = links.issue(&query(), None, 0);
        let token = link.rsplit('=').next().unwrap().to_owned();
        assert!(links.follow(&token, &link).is_some());
        assert!(links.follow(&token, &link.replace("%3a", "%3A")).is_none());
        assert!(links.follow(&token, &link.replace("signins", "signIns")).is_none());
        assert!(links.follow("0", &link).is_none());
    }

    #[test]
    fn the_same_position_has_the_same_link() {
        let mut links = Links::default();
        assert_eq!(links.issue(&query(), None, 0), links.issue(&query(), None, 0));
        assert_ne!(links.issue(&query(), None, 0), links.issue(&query(), None, 1));
    }
}

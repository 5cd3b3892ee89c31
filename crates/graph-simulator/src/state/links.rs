//! Next links: written as Graph writes them, and remembered so that an altered one is refused.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::Arc;

use crate::guid;
use crate::state::chain::Chain;
use crate::state::query::Query;
use crate::tenant::timeline::Position;

/// Place in the answer to a query at which a page begins.
#[derive(Clone, Debug)]
pub(crate) enum PageStart {
    /// Right after a position in the order of the stream; absent: at its beginning.
    After(Option<Position>),
    /// Inside a chain that was laid out, some records into one of its pages.
    InChain { chain: Arc<Chain>, number: usize, skipped: usize },
}

/// A link that was handed out.
#[derive(Clone, Debug)]
pub(crate) struct Issued {
    path_and_query: String,
    pub(crate) query: Query,
    pub(crate) place: PageStart,
}

/// An option that a link may carry: characters that a client likes to encode or to decode.
const RAW_OPTION: &str = "&$marker='a'+%2b[%27]%5b0%5D";

/// Every link handed out so far, by its skip token.
#[derive(Debug, Default)]
pub(crate) struct Links {
    issued: HashMap<String, Issued>,
    /// Chains that began, by their query.
    begun: HashMap<u64, u64>,
    /// Chains that served both versions of a record, by the number of their layout.
    doubled: HashMap<usize, u32>,
}

impl Links {
    /// Path and query of the link that goes on at this place. The same place has the same link,
    /// unless `salt` tells them apart.
    pub(crate) fn issue(&mut self, query: &Query, place: PageStart, salt: u64) -> String {
        let token = token(query, &place, salt);
        let mut path_and_query = encoded(query, &token);
        if matches!(&place, PageStart::InChain { chain, .. } if chain.raw_links) {
            path_and_query.push_str(RAW_OPTION);
        }
        let issued = Issued { path_and_query: path_and_query.clone(), query: query.clone(), place };
        self.issued.insert(token, issued);
        path_and_query
    }

    /// A number for a chain that begins: it follows from the query and from how often that was
    /// asked before, so that chains that run side by side do not disturb each other's.
    pub(crate) fn begin_chain(&mut self, query: &Query, seed: u64) -> u64 {
        let asked = guid::mix(&numbers(query));
        let before = self.begun.entry(asked).or_default();
        *before += 1;
        guid::mix(&[seed, asked, *before])
    }

    /// Whether one more chain of the layout with this number may serve both versions of its changed
    /// records.
    pub(crate) fn doubles(&mut self, layout: usize, most: u32) -> bool {
        let doubled = self.doubled.entry(layout).or_default();
        *doubled += 1;
        *doubled <= most
    }

    /// Finds the query and the place of a link, if it is byte for byte one that was handed out.
    pub(crate) fn follow(&self, token: &str, path_and_query: &str) -> Option<&Issued> {
        self.issued.get(token).filter(|issued| issued.path_and_query == path_and_query)
    }
}

fn token(query: &Query, place: &PageStart, salt: u64) -> String {
    let mut numbers = numbers(query);
    numbers.push(salt);
    match place {
        PageStart::After(after) => numbers.extend(after.iter().flat_map(Position::numbers)),
        PageStart::InChain { chain, number, skipped } => {
            numbers.extend([chain.number, *number as u64, *skipped as u64]);
        }
    }
    format!("{}_1", guid::of(&numbers).replace('-', ""))
}

fn numbers(query: &Query) -> Vec<u64> {
    let own =
        [query.log as u64, query.version as u64, query.top as u64, u64::from(query.descending)];
    let options = query.options.iter().flat_map(|(name, value)| name.bytes().chain(value.bytes()));
    own.into_iter().chain(options.map(u64::from)).collect()
}

/// The collection in lower case and the options in reverse order: as in Graph's own samples, the
/// link is no copy of the request.
fn encoded(query: &Query, token: &str) -> String {
    let collection = query.log.collection().to_ascii_lowercase();
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
    use crate::scenario::Log;
    use crate::state::query::Filter;
    use crate::stream::{ApiVersion, Stream};

    fn query() -> Query {
        let filter = "createdDateTime ge 2026-11-22T00:00:00Z and signInEventTypes/any(t: t eq \
                      'managedIdentity')";
        Query {
            version: ApiVersion::Beta,
            log: Log::SignIns,
            filter: Filter { streams: vec![Stream::ManagedIdentity], ..Filter::all(Log::SignIns) },
            top: 10,
            descending: true,
            options: vec![
                ("$filter".to_owned(), filter.to_owned()),
                ("$top".to_owned(), "10".to_owned()),
            ],
        }
    }

    #[test]
    fn links_are_reordered_and_encoded_as_graph_does_it() {
        let link = Links::default().issue(&query(), PageStart::After(None), 0);
        let expected = "/beta/auditLogs/signins?$top=10&$filter=createdDateTime+ge+2026-11-22T00%3a00%3a00Z+and+\
                        signInEventTypes%2fany(t%3a+t+eq+%27managedIdentity%27)&$skiptoken=";
        assert_eq!(link.split_inclusive("$skiptoken=").next(), Some(expected));
    }

    #[test]
    fn a_link_altered_in_one_byte_is_unknown() {
        let mut links = Links::default();
        let link = links.issue(&query(), PageStart::After(None), 0);
        let token = link.rsplit('=').next().unwrap().to_owned();
        assert!(links.follow(&token, &link).is_some());
        assert!(links.follow(&token, &link.replace("%3a", "%3A")).is_none());
        assert!(links.follow(&token, &link.replace("signins", "signIns")).is_none());
        assert!(links.follow("0", &link).is_none());
    }

    #[test]
    fn the_same_position_has_the_same_link() {
        let mut links = Links::default();
        assert_eq!(
            links.issue(&query(), PageStart::After(None), 0),
            links.issue(&query(), PageStart::After(None), 0)
        );
        assert_ne!(
            links.issue(&query(), PageStart::After(None), 0),
            links.issue(&query(), PageStart::After(None), 1)
        );
    }
}

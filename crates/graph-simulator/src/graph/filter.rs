//! The `$filter` clauses that the audit logs understand: a span of time, and on beta the event
//! types.

use crate::scenario::Log;
use crate::state::query::Filter;
use crate::stream::{ApiVersion, Stream};
use crate::ticks;

/// A clause that Graph answers with `Invalid filter clause`.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct InvalidFilter;

/// Parses a clause for the collection of a log.
pub(crate) fn parse(clause: &str, version: ApiVersion, log: Log) -> Result<Filter, InvalidFilter> {
    let tokens = tokens(clause)?;
    let lambdas = version == ApiVersion::Beta && log == Log::SignIns;
    let field = log.time_field();
    let mut parser = Parser { tokens: &tokens, field, lambdas, filter: Filter::all(log) };
    parser.conjunction()?;
    if parser.tokens.is_empty() { Ok(parser.filter) } else { Err(InvalidFilter) }
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Token {
    Open,
    Close,
    Colon,
    Word(String),
    Text(String),
}

struct Parser<'a> {
    tokens: &'a [Token],
    field: &'static str,
    lambdas: bool,
    filter: Filter,
}

impl Parser<'_> {
    fn conjunction(&mut self) -> Result<(), InvalidFilter> {
        self.term()?;
        while self.takes_word("and") {
            self.term()?;
        }
        Ok(())
    }

    fn term(&mut self) -> Result<(), InvalidFilter> {
        if self.takes(&Token::Open) {
            self.conjunction()?;
            return self.expect(&Token::Close);
        }
        let name = self.word()?;
        match name.split_once('/') {
            None if name.eq_ignore_ascii_case(self.field) => self.comparison(),
            Some(("signInEventTypes", "any")) if self.lambdas => self.event_types(),
            _ => Err(InvalidFilter),
        }
    }

    fn comparison(&mut self) -> Result<(), InvalidFilter> {
        let operator = self.word()?;
        let time = ticks::parse(&self.word()?).ok_or(InvalidFilter)?;
        let filter = &mut self.filter;
        match operator.as_str() {
            "ge" => filter.from = filter.from.max(time),
            "le" => filter.to = filter.to.min(time),
            "eq" => (filter.from, filter.to) = (filter.from.max(time), filter.to.min(time)),
            "gt" => filter.meant_from = filter.meant_from.max(time + 1),
            "lt" => filter.meant_to = filter.meant_to.min(time - 1),
            _ => return Err(InvalidFilter),
        }
        Ok(())
    }

    /// `(t: t eq 'a' or t ne 'b')`
    fn event_types(&mut self) -> Result<(), InvalidFilter> {
        self.expect(&Token::Open)?;
        let variable = self.word()?;
        self.expect(&Token::Colon)?;
        let mut wanted = Vec::new();
        loop {
            if self.word()? != variable {
                return Err(InvalidFilter);
            }
            wanted.extend(self.event_type()?);
            if !self.takes_word("or") {
                break;
            }
        }
        self.expect(&Token::Close)?;
        self.filter.streams =
            Stream::SIGN_INS.into_iter().filter(|stream| wanted.contains(stream)).collect();
        Ok(())
    }

    fn event_type(&mut self) -> Result<Vec<Stream>, InvalidFilter> {
        let operator = self.word()?;
        let Some(Token::Text(name)) = self.next() else { return Err(InvalidFilter) };
        let named = Stream::sign_in(&name);
        match operator.as_str() {
            "eq" => Ok(named.into_iter().collect()),
            "ne" => {
                Ok(Stream::SIGN_INS.into_iter().filter(|stream| Some(*stream) != named).collect())
            }
            _ => Err(InvalidFilter),
        }
    }

    fn next(&mut self) -> Option<Token> {
        let (first, rest) = self.tokens.split_first()?;
        self.tokens = rest;
        Some(first.clone())
    }

    fn word(&mut self) -> Result<String, InvalidFilter> {
        match self.next() {
            Some(Token::Word(word)) => Ok(word),
            _ => Err(InvalidFilter),
        }
    }

    fn takes(&mut self, token: &Token) -> bool {
        let found = self.tokens.first() == Some(token);
        if found {
            self.tokens = &self.tokens[1..];
        }
        found
    }

    fn takes_word(&mut self, word: &str) -> bool {
        self.takes(&Token::Word(word.to_owned()))
    }

    fn expect(&mut self, token: &Token) -> Result<(), InvalidFilter> {
        if self.takes(token) { Ok(()) } else { Err(InvalidFilter) }
    }
}

/// Cuts a clause at blanks, parentheses, quotes, and the colon of a lambda (not the colons of a
/// time).
fn tokens(clause: &str) -> Result<Vec<Token>, InvalidFilter> {
    let mut found = Vec::new();
    let mut rest = clause.trim_start();
    while let Some(first) = rest.chars().next() {
        let (token, length) = match first {
            '(' => (Token::Open, 1),
            ')' => (Token::Close, 1),
            ':' => (Token::Colon, 1),
            '\'' => {
                let end = rest[1..].find('\'').ok_or(InvalidFilter)?;
                (Token::Text(rest[1..=end].to_owned()), end + 2)
            }
            _ => {
                let is_time = first.is_ascii_digit();
                let end = rest
                    .find(|c: char| {
                        c.is_whitespace() || "()'".contains(c) || (c == ':' && !is_time)
                    })
                    .unwrap_or(rest.len());
                (Token::Word(rest[..end].to_owned()), end)
            }
        };
        found.push(token);
        rest = rest[length..].trim_start();
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FROM: &str = "2026-11-22T00:00:00Z";
    const TO: &str = "2026-11-23T00:00:00.0000001Z";

    fn sign_ins(clause: &str) -> Result<Filter, InvalidFilter> {
        parse(clause, ApiVersion::Beta, Log::SignIns)
    }

    #[test]
    fn a_span_is_understood_in_all_its_forms() {
        let expected = (ticks::parse(FROM).unwrap(), ticks::parse(TO).unwrap());
        for clause in [
            format!("createdDateTime ge {FROM} and createdDateTime le {TO}"),
            format!("(createdDateTime ge {FROM}) and (createdDateTime le {TO})"),
            format!("(createdDateTime ge {FROM} and (createdDateTime le {TO}))"),
            format!("  createdDateTime le {TO} and createdDateTime ge {FROM} "),
        ] {
            let filter = sign_ins(&clause).unwrap();
            assert_eq!((filter.from, filter.to), expected, "{clause}");
            assert_eq!(filter.streams, [Stream::InteractiveUser]);
        }
    }

    #[test]
    fn event_types_are_chosen_by_the_lambda() {
        use Stream::{InteractiveUser, ManagedIdentity, NonInteractiveUser, ServicePrincipal};
        for (clause, streams) in [
            ("signInEventTypes/any(t: t eq 'servicePrincipal')", vec![ServicePrincipal]),
            (
                "(signInEventTypes/any(t: t ne 'interactiveUser'))",
                vec![NonInteractiveUser, ServicePrincipal, ManagedIdentity],
            ),
            (
                "signInEventTypes/any(t: t eq 'interactiveUser' or t eq 'nonInteractiveUser')",
                vec![InteractiveUser, NonInteractiveUser],
            ),
            ("createdDateTime ge 2026-11-22 and signInEventTypes/any(x:x eq 'nobody')", vec![]),
        ] {
            assert_eq!(sign_ins(clause).unwrap().streams, streams, "{clause}");
        }
    }

    #[test]
    fn greater_and_less_are_read_but_not_applied() {
        let filter =
            sign_ins(&format!("createdDateTime gt {FROM} and createdDateTime lt {TO}")).unwrap();
        assert_eq!((filter.from, filter.to), (i64::MIN, i64::MAX));
        assert!(!filter.means(ticks::parse(FROM).unwrap()));
        assert!(filter.means(ticks::parse(FROM).unwrap() + 1));
    }

    #[test]
    fn anything_else_is_invalid() {
        for clause in [
            "",
            "createdDateTime",
            "createdDateTime ge '2026-11-22T00:00:00Z'",
            "createdDateTime ne 2026-11-22T00:00:00Z",
            "activityDateTime ge 2026-11-22T00:00:00Z",
            "createdDateTime ge 2026-11-22T00:00:00Z and",
            "createdDateTime ge 2026-11-22T00:00:00Z or createdDateTime le 2026-11-22T00:00:00Z",
            "(createdDateTime ge 2026-11-22T00:00:00Z",
            "createdDateTime ge 2026-11-22T00:00:00Z)",
            "signInEventTypes/any(t: u eq 'managedIdentity')",
            "signInEventTypes/any(t: t eq 'managedIdentity'",
            "signInEventTypes/all(t: t eq 'managedIdentity')",
            "userId eq '1",
        ] {
            assert_eq!(sign_ins(clause), Err(InvalidFilter), "{clause}");
        }
    }

    #[test]
    fn the_lambda_is_unknown_outside_of_beta_sign_ins() {
        let clause = "signInEventTypes/any(t: t eq 'managedIdentity')";
        assert_eq!(parse(clause, ApiVersion::V1, Log::SignIns), Err(InvalidFilter));
        for log in [Log::DirectoryAudits, Log::Provisioning] {
            assert_eq!(parse(clause, ApiVersion::Beta, log), Err(InvalidFilter));
        }
    }
}

//! The collections below `auditLogs`: who may read, what was asked, which records come back.

use crate::fault::{Fault, FaultKind, Occasion, Target};
use crate::graph::filter::{self, InvalidFilter};
use crate::graph::page::Page;
use crate::graph::request::PageRequest;
use crate::graph::{layout, page_body};
use crate::http::answer::Answer;
use crate::http::generic_fault;
use crate::scenario::{Licence, Log, RetryAfter};
use crate::state::access_tokens::BadToken;
use crate::state::links::PageStart;
use crate::state::query::{Filter, Query};
use crate::state::{State, lock};
use crate::tenant::timeline::Selection;
use crate::{guid, ticks};

/// Answers one request for a page.
pub(crate) fn answer(state: &State, request: &PageRequest) -> Answer {
    let latency = f64::from(state.scenario.limits.page_latency_ms) / 1000.0;
    let answer = match admitted(state, request).and_then(|()| understood(state, request)) {
        Ok((query, place)) => page(state, request, &query, place),
        Err(refusal) => *refusal,
    };
    answer.after(latency)
}

/// Token first, then the limit, then permission and licence.
fn admitted(state: &State, request: &PageRequest) -> Result<(), Box<Answer>> {
    let ids = &request.ids;
    let clock = &state.clock;
    let now = state.clock.now();
    if let Err(bad) = lock(&state.tokens).check(request.bearer.as_deref(), now) {
        let message = match bad {
            BadToken::Missing => "Access token is empty.",
            BadToken::Unknown => "IDX14100: JWT is not well formed, there are no dots (.).",
            BadToken::Expired => "Lifetime validation failed, the token is expired.",
        };
        return Err(Box::new(Answer::unauthorized(message, ids, clock)));
    }
    if !lock(&state.limiter).admits(now) {
        let limits = &state.scenario.limits;
        let retry_after = match limits.retry_after {
            RetryAfter::Seconds => Some(limits.retry_after_seconds.to_string()),
            RetryAfter::Date => {
                Some(generic_fault::http_date(now, i64::from(limits.retry_after_seconds)))
            }
            RetryAfter::None => None,
        };
        return Err(Box::new(generic_fault::throttled(state, ids, retry_after)));
    }
    let tenant = &state.scenario.tenant;
    if lock(&state.tokens).is_of_person(request.bearer.as_deref()) && !tenant.person.has_role {
        let code = "Authentication_RequestFromUnsupportedUserRole";
        return Err(Box::new(Answer::graph_error(
            403,
            code,
            "User is not in the allowed roles",
            ids,
            clock,
        )));
    }
    if !tenant.has_permission("AuditLog.Read.All") {
        return Err(Box::new(generic_fault::no_permission(ids, state)));
    }
    let is_unlicensed = || tenant.licence == Licence::Free || licence_is_unknown(state);
    if request.log.needs_licence() && is_unlicensed() {
        return Err(Box::new(generic_fault::no_licence(ids, state)));
    }
    Ok(())
}

/// Without `Directory.Read.All` the licence can only be read from a cache: about 30 % of the
/// requests miss it.
fn licence_is_unknown(state: &State) -> bool {
    let request = lock(&state.journal).requests.len() as u64;
    !state.scenario.tenant.has_permission("Directory.Read.All")
        && guid::mix(&[state.scenario.seed, request, 0x11CE]) % 10 < 3
}

/// Reads the query of a request and the place at which its page begins.
fn understood(state: &State, request: &PageRequest) -> Result<(Query, PageStart), Box<Answer>> {
    let query = request.path_and_query.split_once('?').map_or("", |(_, query)| query);
    let options: Vec<(String, String)> =
        url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    if let Some(token) = option(&options, "$skiptoken") {
        let links = lock(&state.links);
        let issued = links.follow(token, &request.path_and_query);
        let message = if token.is_empty() {
            "Invalid Skip Token, skip token is null"
        } else {
            "Invalid Skip Token"
        };
        return issued
            .map(|issued| (issued.query.clone(), issued.place.clone()))
            .ok_or_else(|| refused(state, request, "", message));
    }
    for (name, word) in
        [("$select", "Select"), ("$skip", "Skip"), ("$expand", "Expand"), ("$apply", "Apply")]
    {
        if option(&options, name).is_some() {
            let message = format!(
                "Query option '{word}' is not allowed. To allow it, set the 'AllowedQueryOptions' \
                 property on EnableQueryAttribute or QueryValidationSettings."
            );
            return Err(refused(state, request, "BadRequest", &message));
        }
    }
    let filter = filter(state, request, option(&options, "$filter"))
        .map_err(|InvalidFilter| refused(state, request, "BadRequest", "Invalid filter clause"))?;
    let top =
        top(option(&options, "$top"), state.scenario.limits.largest_page).ok_or_else(|| {
            refused(state, request, "BadRequest", "Invalid value for $top query option")
        })?;
    let descending = descending(option(&options, "$orderby"), request.log)
        .ok_or_else(|| refused(state, request, "BadRequest", "Invalid orderby clause"))?;
    let version = request.version;
    let log = request.log;
    Ok((Query { version, log, filter, top, descending, options }, PageStart::After(None)))
}

fn option<'a>(options: &'a [(String, String)], name: &str) -> Option<&'a str> {
    options
        .iter()
        .find(|(known, _)| known.eq_ignore_ascii_case(name))
        .map(|(_, value)| value.as_str())
}

fn refused(state: &State, request: &PageRequest, code: &str, message: &str) -> Box<Answer> {
    Box::new(Answer::graph_error(400, code, message, &request.ids, &state.clock))
}

/// A bound more than 90 days back is as invalid as a quoted one.
fn filter(
    state: &State,
    request: &PageRequest,
    clause: Option<&str>,
) -> Result<Filter, InvalidFilter> {
    let Some(clause) = clause else { return Ok(Filter::all(request.log)) };
    let filter = filter::parse(clause, request.version, request.log)?;
    let is_bounded = filter.from > i64::MIN;
    if is_bounded && filter.from < state.clock.now() - 90 * ticks::PER_DAY {
        Err(InvalidFilter)
    } else {
        Ok(filter)
    }
}

fn top(value: Option<&str>, largest: usize) -> Option<usize> {
    let Some(value) = value else { return Some(largest) };
    value.parse::<usize>().ok().filter(|top| *top > 0).map(|top| top.min(largest))
}

/// Directory audits come oldest first, all else newest first, unless the caller says otherwise.
fn descending(value: Option<&str>, log: Log) -> Option<bool> {
    let field = log.time_field();
    let Some(value) = value else { return Some(log.is_newest_first()) };
    let mut words = value.split_whitespace();
    let named = words.next().is_some_and(|word| word.eq_ignore_ascii_case(field));
    match words.next() {
        _ if !named => None,
        None | Some("asc") => Some(false),
        Some("desc") => Some(true),
        Some(_) => None,
    }
}

/// Selects the records, lets the fault plan have its way, and writes what is left.
fn page(state: &State, request: &PageRequest, query: &Query, place: PageStart) -> Answer {
    let now = state.clock.now();
    let after = if let PageStart::After(after) = place { after } else { None };
    let most = query.top + query.top.div_ceil(25);
    let due = query.top;
    let selection = Selection {
        streams: query.streams(),
        from: query.filter.from,
        to: query.filter.to,
        after,
        descending: query.descending,
        now,
        oldest: state.oldest(now),
        limit: most + 1,
    };
    let (found, has_more) = if let PageStart::InChain { chain, number, .. } = &place {
        if chain.refuses(*number) {
            return refused(state, request, "", "Invalid Skip Token")
                .because_of(FaultKind::RefusedLink);
        }
        (Vec::new(), chain.follow(*number).is_link())
    } else {
        let found = state.records.timeline.select(&selection);
        let has_more = found.len() > due;
        (found, has_more)
    };
    let occasion = Occasion {
        target: Target::Page,
        streams: query.streams(),
        follows_link: request.path_and_query.contains("$skiptoken="),
        has_more,
        address: request
            .path_and_query
            .bytes()
            .fold(0, |sum, byte| guid::mix(&[sum, u64::from(byte)])),
    };
    let fault = lock(&state.faults).choose(&occasion);
    if let Some(answer) = fault.and_then(|fault| strike(state, request, fault)) {
        return answer;
    }
    let kind = fault.map(|fault| fault.kind);
    let begins = matches!(place, PageStart::After(None)) && !occasion.follows_link;
    let mut page = match place {
        PageStart::InChain { chain, number, skipped } => {
            Page::of_chain(chain, number, skipped, kind)
        }
        PageStart::After(_) if begins && layout::is_wanted(state, query) => {
            let whole = Selection { limit: usize::MAX, ..selection };
            Page::of_chain(layout::chain(state, query, &whole), 0, 0, kind)
        }
        PageStart::After(after) => Page::new(state, found, query, after, kind),
    };
    if let Some(fault) = fault.filter(|fault| fault.kind == FaultKind::GzipBomb) {
        page.inflate(fault.bytes.unwrap_or(300_000_000));
    }
    if kind == Some(FaultKind::IgnoredFilter) {
        page.mix_in_strangers(state, &selection);
    }
    let answer = page_body::written(state, request, query, &page);
    match fault {
        Some(fault) => generic_fault::weaken(answer, fault).because_of(fault.kind),
        None => match page.chain_fault() {
            Some(kind) => answer.because_of(kind),
            None => answer,
        },
    }
}

fn strike(state: &State, request: &PageRequest, fault: Fault) -> Option<Answer> {
    if fault.kind == FaultKind::TokenExpired {
        lock(&state.tokens).end(request.bearer.as_deref().unwrap_or_default());
        let message = "Lifetime validation failed, the token is expired.";
        return Some(
            Answer::unauthorized(message, &request.ids, &state.clock).because_of(fault.kind),
        );
    }
    generic_fault::replace(state, fault, Some(&request.ids))
}

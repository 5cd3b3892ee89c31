//! The collections below `auditLogs`: who may read, what was asked, which records come back.

use crate::access::BadToken;
use crate::answer::{Answer, Ids};
use crate::fault::{Fault, FaultKind, Occasion, Target};
use crate::filter::{Filter, InvalidFilter};
use crate::generic_fault;
use crate::guid;
use crate::layout;
use crate::link::{Place, Query};
use crate::page::{self, Page};
use crate::scenario::{Licence, Log, RetryAfter};
use crate::stream::ApiVersion;
use crate::ticks;
use crate::timeline::Selection;
use crate::world::{World, lock};

/// A request for a page.
#[derive(Clone, Debug)]
pub(crate) struct PageRequest {
    pub(crate) version: ApiVersion,
    pub(crate) log: Log,
    pub(crate) path_and_query: String,
    pub(crate) bearer: Option<String>,
    pub(crate) prefer: bool,
    pub(crate) gzip: bool,
    pub(crate) host: String,
    pub(crate) ids: Ids,
}

/// Answers one request for a page.
pub(crate) fn answer(world: &World, request: &PageRequest) -> Answer {
    let latency = f64::from(world.scenario.limits.page_latency_ms) / 1000.0;
    let answer = match admitted(world, request).and_then(|()| understood(world, request)) {
        Ok((query, place)) => page(world, request, &query, place),
        Err(refusal) => *refusal,
    };
    answer.after(latency)
}

/// Token first, then the limit, then permission and licence.
fn admitted(world: &World, request: &PageRequest) -> Result<(), Box<Answer>> {
    let ids = &request.ids;
    let clock = &world.clock;
    let now = world.clock.now();
    if let Err(bad) = lock(&world.tokens).check(request.bearer.as_deref(), now) {
        let message = match bad {
            BadToken::Missing => "Access token is empty.",
            BadToken::Unknown => "IDX14100: JWT is not well formed, there are no dots (.).",
            BadToken::Expired => "Lifetime validation failed, the token is expired.",
        };
        return Err(Box::new(Answer::unauthorized(message, ids, clock)));
    }
    if !lock(&world.limiter).admits(now) {
        let limits = &world.scenario.limits;
        let retry_after = match limits.retry_after {
            RetryAfter::Seconds => Some(limits.retry_after_seconds.to_string()),
            RetryAfter::Date => {
                Some(generic_fault::http_date(now, i64::from(limits.retry_after_seconds)))
            }
            RetryAfter::None => None,
        };
        return Err(Box::new(generic_fault::throttled(world, ids, retry_after)));
    }
    let tenant = &world.scenario.tenant;
    if lock(&world.tokens).is_of_person(request.bearer.as_deref()) && !tenant.person.has_role {
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
        return Err(Box::new(generic_fault::no_permission(ids, world)));
    }
    let is_unlicensed = || tenant.licence == Licence::Free || licence_is_unknown(world);
    if request.log.needs_licence() && is_unlicensed() {
        return Err(Box::new(generic_fault::no_licence(ids, world)));
    }
    Ok(())
}

/// Without `Directory.Read.All` the licence can only be read from a cache: about 30 % of the
/// requests miss it.
fn licence_is_unknown(world: &World) -> bool {
    let request = lock(&world.journal).requests.len() as u64;
    !world.scenario.tenant.has_permission("Directory.Read.All")
        && guid::mix(&[world.scenario.seed, request, 0x11CE]) % 10 < 3
}

/// Reads the query of a request and the place at which its page begins.
fn understood(world: &World, request: &PageRequest) -> Result<(Query, Place), Box<Answer>> {
    let refuse = |code: &str, message: &str| {
        Box::new(Answer::graph_error(400, code, message, &request.ids, &world.clock))
    };
    let query = request.path_and_query.split_once('?').map_or("", |(_, query)| query);
    let options: Vec<(String, String)> =
        url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    let option = |name: &str| {
        options
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    };
    if let Some(token) = option("$skiptoken") {
        let links = lock(&world.links);
        let issued = links.follow(token, &request.path_and_query);
        let message = if token.is_empty() {
            "Invalid Skip Token, skip token is null"
        } else {
            "Invalid Skip Token"
        };
        return issued
            .map(|issued| (issued.query.clone(), issued.place.clone()))
            .ok_or_else(|| refuse("", message));
    }
    for (name, word) in
        [("$select", "Select"), ("$skip", "Skip"), ("$expand", "Expand"), ("$apply", "Apply")]
    {
        if option(name).is_some() {
            let message = format!(
                "Query option '{word}' is not allowed. To allow it, set the 'AllowedQueryOptions' \
                 property on EnableQueryAttribute or QueryValidationSettings."
            );
            return Err(refuse("BadRequest", &message));
        }
    }
    let filter = filter(world, request, option("$filter"))
        .map_err(|InvalidFilter| refuse("BadRequest", "Invalid filter clause"))?;
    let top = top(option("$top"), world.scenario.limits.largest_page)
        .ok_or_else(|| refuse("BadRequest", "Invalid value for $top query option"))?;
    let descending = descending(option("$orderby"), request.log)
        .ok_or_else(|| refuse("BadRequest", "Invalid orderby clause"))?;
    let version = request.version;
    let log = request.log;
    Ok((Query { version, log, filter, top, descending, options }, Place::After(None)))
}

/// A bound more than 90 days back is as invalid as a quoted one.
fn filter(
    world: &World,
    request: &PageRequest,
    clause: Option<&str>,
) -> Result<Filter, InvalidFilter> {
    let Some(clause) = clause else { return Ok(Filter::all(request.log)) };
    let filter = Filter::parse(clause, request.version, request.log)?;
    let is_bounded = filter.from > i64::MIN;
    if is_bounded && filter.from < world.clock.now() - 90 * ticks::PER_DAY {
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
fn page(world: &World, request: &PageRequest, query: &Query, place: Place) -> Answer {
    let now = world.clock.now();
    let after = if let Place::After(after) = place { after } else { None };
    let most = query.top + query.top.div_ceil(25);
    let due = query.top;
    let selection = Selection {
        streams: query.streams(),
        from: query.filter.from,
        to: query.filter.to,
        after,
        descending: query.descending,
        now,
        oldest: world.oldest(now),
        limit: most + 1,
    };
    let (found, has_more) = if let Place::Page { chain, number, .. } = &place {
        if chain.refuses(*number) {
            let refused =
                Answer::graph_error(400, "", "Invalid Skip Token", &request.ids, &world.clock);
            return refused.because_of(FaultKind::RefusedLink);
        }
        (Vec::new(), chain.follow(*number).is_link())
    } else {
        let found = world.records.timeline.select(&selection);
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
    let fault = lock(&world.faults).choose(&occasion);
    if let Some(answer) = fault.and_then(|fault| strike(world, request, fault)) {
        return answer;
    }
    let kind = fault.map(|fault| fault.kind);
    let begins = matches!(place, Place::After(None)) && !occasion.follows_link;
    let mut page = match place {
        Place::Page { chain, number, skipped } => Page::of_chain(chain, number, skipped, kind),
        Place::After(_) if begins && layout::is_wanted(world, query) => {
            let whole = Selection { limit: usize::MAX, ..selection };
            Page::of_chain(layout::chain(world, query, &whole), 0, 0, kind)
        }
        Place::After(after) => Page::new(world, found, query, after, kind),
    };
    if let Some(fault) = fault.filter(|fault| fault.kind == FaultKind::GzipBomb) {
        page.inflate(fault.bytes.unwrap_or(300_000_000));
    }
    if kind == Some(FaultKind::IgnoredFilter) {
        page.mix_in_strangers(world, &selection);
    }
    let answer = page::written(world, request, query, &page);
    match fault {
        Some(fault) => generic_fault::weaken(answer, fault).because_of(fault.kind),
        None => match page.chain_fault() {
            Some(kind) => answer.because_of(kind),
            None => answer,
        },
    }
}

fn strike(world: &World, request: &PageRequest, fault: Fault) -> Option<Answer> {
    if fault.kind == FaultKind::TokenExpired {
        lock(&world.tokens).end(request.bearer.as_deref().unwrap_or_default());
        let message = "Lifetime validation failed, the token is expired.";
        return Some(
            Answer::unauthorized(message, &request.ids, &world.clock).because_of(fault.kind),
        );
    }
    generic_fault::replace(world, fault, Some(&request.ids))
}

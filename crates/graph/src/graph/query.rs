//! Requests to Graph: the first link of a span, and the links that may be followed.

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use entratrail_core::error::Error;
use entratrail_core::log::{GraphVersion, Stream};
use http::Uri;
use url::Url;
use url::form_urlencoded;

/// Spans are not halved below this.
const SHORTEST: TimeDelta = TimeDelta::minutes(5);

/// Records on a page at most. <https://learn.microsoft.com/graph/api/signin-list>
pub const FULL_PAGE: u16 = 1000;

/// A half-open span of record time that is asked for with one query: a window, or a part of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// Its first instant.
    pub start: DateTime<Utc>,
    /// The first instant after it.
    pub end: DateTime<Utc>,
}

impl Span {
    /// At most `count` spans of whole minutes that make up this one.
    pub fn slices(self, count: u32) -> Vec<Self> {
        let minutes = u32::try_from((self.end - self.start).num_minutes()).unwrap_or(u32::MAX);
        let count = count.clamp(1, minutes.max(1));
        let mut slices = Vec::new();
        let mut rest = self;
        for index in 1..count {
            let minute = u64::from(minutes) * u64::from(index) / u64::from(count);
            let cut = self.start + TimeDelta::minutes(i64::try_from(minute).unwrap_or(i64::MAX));
            slices.push(Self { end: cut, ..rest });
            rest.start = cut;
        }
        slices.push(rest);
        slices
    }

    /// Its two halves; `None` where it is too short.
    pub fn halves(self) -> Option<Vec<Self>> {
        (self.end - self.start > SHORTEST).then(|| self.slices(2))
    }

    /// Whether it owns a record of that time.
    pub fn contains(self, time: DateTime<Utc>) -> bool {
        self.start <= time && time < self.end
    }

    /// Whole seconds from its start to its end.
    pub fn seconds(self) -> u64 {
        u64::try_from((self.end - self.start).num_seconds()).unwrap_or(0)
    }
}

/// Collection of Graph in which one stream is asked for.
#[derive(Debug, Clone)]
pub struct Collection {
    /// The configured Graph host, e.g. `https://graph.microsoft.com`.
    pub graph_url: Url,
    /// The version that serves the stream.
    pub version: GraphVersion,
    /// The stream.
    pub stream: Stream,
}

impl Collection {
    /// The link of one record of `span`, for a check of permissions and licence.
    pub fn probe_link(&self, span: Span) -> String {
        self.link(span, 1)
    }

    /// The link of the first page of `span` with at most `top` records a page.
    ///
    /// Only `ge` and `le` are documented for the time fields and both include their bound, so a
    /// record exactly at the end is served too; it belongs to the span that starts there.
    /// <https://learn.microsoft.com/graph/api/resources/signin>
    pub fn link(&self, span: Span, top: u16) -> String {
        let field = self.stream.log().time_field();
        let time =
            format!("{field} ge {} and {field} le {}", literal(span.start), literal(span.end));
        let filter = match (self.version, self.stream) {
            (GraphVersion::Beta, Stream::SignIns(event_type)) => {
                format!("{time} and signInEventTypes/any(t: t eq '{}')", event_type.name())
            }
            _ => time,
        };
        let base = self.graph_url.as_str().trim_end_matches('/');
        let version = self.version.path();
        let collection = self.stream.log().collection();
        let filter: String = form_urlencoded::byte_serialize(filter.as_bytes()).collect();
        format!(
            "{base}/{version}/auditLogs/{collection}?$filter={}&$top={top}",
            filter.replace('+', "%20")
        )
    }

    /// Checks that a link which Graph gave stays on the configured host, so that the token goes
    /// nowhere else, and that it can be asked for byte for byte. What is checked is what is sent.
    pub fn check_link(&self, link: &str) -> Result<(), Error> {
        let target = link.parse::<Uri>().ok().filter(|uri| {
            let is_plain = link.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'#');
            is_plain && uri.authority().is_some_and(|authority| !authority.as_str().contains('@'))
        });
        let host = self.graph_url.host_str().unwrap_or_default();
        let Some(target) = target else {
            return Err(Error::graph(
                "Graph gave a next link that is no plain URL, so that the rest of its answer \
                 cannot be asked for",
            )
            .with_remedy(format!("check that no proxy rewrites the answers of {host}")));
        };
        let port = target.port_u16().or(match target.scheme_str() {
            Some("https") => Some(443),
            Some("http") => Some(80),
            _ => None,
        });
        let stays = target.scheme_str() == Some(self.graph_url.scheme())
            && target.host().is_some_and(|name| name.eq_ignore_ascii_case(host))
            && port == self.graph_url.port_or_known_default();
        if stays {
            return Ok(());
        }
        Err(Error::graph(format!(
            "Graph gave a next link that leaves {host}; it was not followed, because the access \
             token must go to no other host"
        ))
        .with_remedy("check GRAPH_URL and that no proxy rewrites the answers"))
    }
}

fn literal(instant: DateTime<Utc>) -> String {
    instant.to_rfc3339_opts(SecondsFormat::Secs, true)
}

#[cfg(test)]
mod tests {
    use super::*;
    use entratrail_core::log::EventType;

    fn span(start: &str, end: &str) -> Span {
        Span { start: start.parse().unwrap(), end: end.parse().unwrap() }
    }

    fn collection(version: GraphVersion) -> Collection {
        let stream = Stream::SignIns(EventType::ServicePrincipal);
        Collection {
            graph_url: Url::parse("https://graph.microsoft.com").unwrap(),
            version,
            stream,
        }
    }

    #[test]
    fn the_first_link_asks_with_inclusive_bounds_and_the_event_type() {
        let link = collection(GraphVersion::Beta)
            .link(span("2026-11-22T00:00:00Z", "2026-11-23T00:00:00Z"), FULL_PAGE);
        assert_eq!(
            link,
            "https://graph.microsoft.com/beta/auditLogs/signIns?$filter=createdDateTime%20ge%202026-11-22T00%3A00%3A00Z\
             %20and%20createdDateTime%20le%202026-11-23T00%3A00%3A00Z%20and%20signInEventTypes%2Fany%28t%3A%20t%20eq%20\
             %27servicePrincipal%27%29&$top=1000"
        );
        assert!(Url::parse(&link).is_ok_and(|url| url.as_str() == link));
    }

    #[test]
    fn the_token_goes_to_the_configured_host_only() {
        let collection = collection(GraphVersion::V1);
        assert!(
            collection
                .check_link("https://graph.microsoft.com/v1.0/auditLogs/signIns?$skiptoken=x")
                .is_ok()
        );
        assert!(
            collection.check_link("https://GRAPH.microsoft.com:443/beta?a='%23+%2b[x]").is_ok()
        );
        for link in [
            "http://graph.microsoft.com/v1.0/auditLogs/signIns",
            "https://graph.microsoft.com:8443/v1.0",
            "https://graph.microsoft.com.example.net/v1.0",
            "https://graph.microsoft.com@example.net/v1.0",
            "https://user:secret@graph.microsoft.com/v1.0/auditLogs/signIns",
            "https://graph.microsoft.com/v1.0/auditLogs/signIns#there",
            "https://graph.microsoft.com/v1.0/auditLogs/signIns?a=b c",
            "https://graph.microsoft.com/v1.0/auditLogs/signIns?a=\u{e9}",
            "/v1.0/auditLogs/signIns",
            "",
        ] {
            assert!(collection.check_link(link).is_err(), "{link}");
        }
    }

    #[test]
    fn slices_cover_the_span_once() {
        let day = span("2026-11-22T00:00:00Z", "2026-11-23T00:00:00Z");
        for count in 1..=9 {
            let slices = day.slices(count);
            assert_eq!(slices.len(), count as usize);
            assert_eq!((slices[0].start, slices.last().unwrap().end), (day.start, day.end));
            assert!(
                slices
                    .windows(2)
                    .all(|pair| pair[0].end == pair[1].start && pair[0].start < pair[0].end)
            );
        }
        assert!(span("2026-11-22T00:00:00Z", "2026-11-22T00:05:00Z").halves().is_none());
    }
}

//! The event that starts a run, parsed.

use crate::error::Error;
use crate::shown::describe;
use crate::window::midnight;
use chrono::{DateTime, NaiveDate, Utc};
use serde::Deserialize;
use serde_json::{Value, json};

/// Invocations that may follow one another for one event: four days of reading. A first run of 45
/// million records takes a hundred.
pub const MOST_HOPS: u32 = 400;

/// Request to a function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Request {
    /// Read, or only plan.
    Collect(Collect),
    /// Try the credential, each stream and the bucket.
    Check,
}

/// A request to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Collect {
    /// The span to read; everything that is due where there is none.
    pub span: Option<(DateTime<Utc>, DateTime<Utc>)>,
    /// Whether only the plan is wanted.
    pub is_dry_run: bool,
    /// Number of invocations before this one for the same event.
    pub hop: u32,
    /// Start of the first of them; `None` in that one.
    pub asked_at: Option<DateTime<Utc>>,
    event: Value,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct ManualEvent {
    from: Option<String>,
    to: Option<String>,
    #[serde(default)]
    dry_run: bool,
    #[serde(default)]
    check: bool,
    #[serde(default)]
    hop: u32,
    asked_at: Option<DateTime<Utc>>,
}

impl Request {
    /// Reads an event.
    pub fn parse(event: &Value) -> Result<Self, Error> {
        if is_scheduled(event) {
            let hop = event["hop"].as_u64().and_then(|hop| u32::try_from(hop).ok()).unwrap_or(0);
            let asked_at = event["askedAt"].as_str().and_then(|instant| instant.parse().ok());
            return Ok(Self::Collect(Collect {
                span: None,
                is_dry_run: false,
                hop,
                asked_at,
                event: event.clone(),
            }));
        }
        let manual: ManualEvent =
            serde_json::from_value(event.clone()).map_err(|_| unknown_form())?;
        let span = match (&manual.from, &manual.to) {
            (Some(from), Some(to)) => Some(span(from, to)?),
            (None, None) => None,
            _ => return Err(unknown_form()),
        };
        match (span, manual.dry_run, manual.check) {
            (None, false, true) => Ok(Self::Check),
            (None, false, false) | (_, _, true) => Err(unknown_form()),
            (span, is_dry_run, false) => {
                let ManualEvent { hop, asked_at, .. } = manual;
                Ok(Self::Collect(Collect { span, is_dry_run, hop, asked_at, event: event.clone() }))
            }
        }
    }
}

impl Collect {
    /// A request for everything that is due, or for a span; both bounds on a 5-minute boundary.
    pub fn asked_by_hand(span: Option<(DateTime<Utc>, DateTime<Utc>)>) -> Self {
        Self { span, is_dry_run: false, hop: 0, asked_at: None, event: Value::Null }
    }

    /// The event that makes the next invocation go on where this one stopped: the same one, with
    /// the hop. `None` after the last hop.
    pub fn next_event(&self, now: DateTime<Utc>) -> Option<Value> {
        let hop = self.hop.saturating_add(1);
        let mut event = self.event.clone();
        let members = event.as_object_mut().filter(|_| hop <= MOST_HOPS)?;
        members.insert("hop".to_owned(), json!(hop));
        members.insert("askedAt".to_owned(), json!(self.asked_at.unwrap_or(now)));
        Some(event)
    }
}

/// Whether EventBridge sent the event by a schedule.
/// <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-events-structure.html>
fn is_scheduled(event: &Value) -> bool {
    event["source"] == "aws.events"
        && event["detail-type"] == "Scheduled Event"
        && event.get("detail").is_some()
}

fn span(from: &str, to: &str) -> Result<(DateTime<Utc>, DateTime<Utc>), Error> {
    let start = instant("from", from)?;
    let end = instant("to", to)?;
    if start < end {
        return Ok((start, end));
    }
    Err(Error::event(format!(
        "the event asks for the span from {} to {}, which is empty: \"to\" is exclusive and must \
         lie after \"from\"",
        start.to_rfc3339(),
        end.to_rfc3339()
    )))
}

/// The instant of a date, or of an RFC 3339 text, on a 5-minute boundary.
pub fn parse_instant(text: &str) -> Option<DateTime<Utc>> {
    let date = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok().map(midnight);
    let instant =
        date.or_else(|| DateTime::parse_from_rfc3339(text).ok().map(|instant| instant.to_utc()));
    instant
        .filter(|instant| instant.timestamp() % 300 == 0 && instant.timestamp_subsec_nanos() == 0)
}

fn instant(member: &str, text: &str) -> Result<DateTime<Utc>, Error> {
    parse_instant(text).ok_or_else(|| {
        Error::event(format!("\"{member}\" of the event holds {}", describe(text))).with_remedy(
            "it must be a date such as 2026-10-24, or an RFC 3339 instant on a 5-minute boundary \
             such as 2026-10-24T06:05:00Z",
        )
    })
}

fn unknown_form() -> Error {
    Error::event(
        "the event is none of the forms that this function knows: an EventBridge scheduled event; \
         {\"from\": \"2026-10-24\", \"to\": \"2026-10-25\"} with dates or RFC 3339 instants on a \
         5-minute boundary, \"to\" exclusive; {\"dryRun\": true}, alone or with \"from\" and \
         \"to\"; {\"check\": true}",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scheduled() -> Value {
        json!({"version": "0", "id": "x", "detail-type": "Scheduled \
                                                          Event", "source": "aws.events", "account": "123456789012",
            "time": "2026-11-23T01:15:00Z", "region": "eu-central-1", "resources": ["arn:aws:events:eu-central-1:123456789012:rule/x"],
            "detail": {}})
    }

    fn collect(event: &Value) -> Collect {
        match Request::parse(event) {
            Ok(Request::Collect(collect)) => collect,
            other => panic!("{event}: {other:?}"),
        }
    }

    #[test]
    fn every_form_is_understood() {
        assert_eq!(collect(&scheduled()).span, None);
        let span = collect(&json!({"from": "2026-10-24", "to": "2026-10-25T02:05:00+02:00"}))
            .span
            .unwrap();
        assert_eq!(span.0.to_rfc3339(), "2026-10-24T00:00:00+00:00");
        assert_eq!(span.1.to_rfc3339(), "2026-10-25T00:05:00+00:00");
        assert!(collect(&json!({"dryRun": true})).is_dry_run);
        assert!(
            collect(&json!({"dryRun": true, "from": "2026-10-24", "to": "2026-10-25"}))
                .span
                .is_some()
        );
        assert_eq!(Request::parse(&json!({"check": true})), Ok(Request::Check));
    }

    #[test]
    fn anything_else_is_answered_with_the_forms() {
        for event in [
            json!({}),
            json!(null),
            json!([]),
            json!("run"),
            json!({"from": "2026-10-24"}),
            json!({"dryRun": false}),
            json!({"check": false}),
            json!({"check": true, "dryRun": true}),
            json!({"dryrun": true}),
            json!({"from": 1, "to": 2}),
            json!({"source": "aws.s3", "detail-type": "Object Created", "detail": {}}),
        ] {
            let error = Request::parse(&event).unwrap_err();
            assert_eq!(error.error_type(), "Event", "{event}");
            assert!(error.to_string().contains("{\"check\": true}"), "{event}");
        }
    }

    #[test]
    fn an_unusable_span_is_named() {
        let check = |from: &str, to: &str, part: &str| {
            let text = Request::parse(&json!({"from": from, "to": to})).unwrap_err().to_string();
            assert!(text.contains(part), "{text}");
        };
        check("2026-10-25", "2026-10-25", "empty");
        check("2026-10-26", "2026-10-25", "empty");
        check("2026-10-24T06:03:00Z", "2026-10-25", "\"from\"");
        check("2026-10-24", "2026-10-25T00:00:00.5Z", "\"to\"");
        check("2026-02-30", "2026-10-25", "10 characters");
        check("yesterday", "2026-10-25", "9 characters");
        check("now", "2026-10-25", "\"now\"");
    }

    #[test]
    fn a_run_hands_over_the_same_event_at_most_four_hundred_times() {
        let started = "2026-11-23T01:15:00Z".parse().unwrap();
        let mut hops = 0;
        let mut event = scheduled();
        while let Some(next) = collect(&event).next_event(started + chrono::TimeDelta::hours(hops))
        {
            event = next;
            hops += 1;
        }
        assert_eq!(hops, 400);
        let last = collect(&event);
        assert_eq!((last.hop, last.asked_at), (400, Some(started)));
    }
}

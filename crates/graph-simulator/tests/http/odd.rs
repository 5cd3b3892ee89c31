//! Odd records, odd answers, and what a test can learn of the chains that were followed.

use std::io::Read as _;

use chrono::{DateTime, Utc};
use graph_simulator::{FaultKind, Served, Stream};
use serde_json::Value;

use crate::reader::{DAY, Reader, first_link, get_raw};

const PATH: &str = "v1.0/auditLogs/signIns";
const NEXT_DAY: &str =
    "createdDateTime ge 2026-11-23T00:00:00Z and createdDateTime le 2026-11-24T00:00:00Z";

fn day(per_day: u32, tables: &str) -> String {
    format!(
        "[limits]\nrequests_per_10s = 0\n[[volume]]\nstream = 'interactiveUser'\nper_day = \
         {per_day}\n{tables}"
    )
}

fn odd(kind: &str, more: &str) -> String {
    day(9, &format!("[[odd]]\nkind = '{kind}'\nstream = 'interactiveUser'\n{more}"))
}

/// Versions that were served, without the nine ordinary ones of the day.
fn odd_ones(reader: &Reader) -> Vec<Served> {
    let known: Vec<Served> = reader.simulator.served();
    known.into_iter().filter(|served| is_odd(&served.json)).collect()
}

fn is_odd(json: &str) -> bool {
    let Ok(record) = serde_json::from_str::<Value>(json) else { return true };
    let time = record["createdDateTime"].as_str().unwrap_or_default();
    record.get("again").is_some()
        || record.get("note").is_some()
        || record.get("added0").is_some()
        || record.get("filling").is_some()
        || !time.starts_with("2026-11-22T")
        || !time.ends_with('Z')
}

#[tokio::test]
async fn a_record_without_a_readable_time_comes_among_the_others() {
    for (kind, time) in [
        ("no_time", Value::Null),
        ("null_time", Value::Null),
        ("local_time", "11/22/2026 12:00:00 PM".into()),
        ("no_zone", "2026-11-22T12:00:00".into()),
        ("year_one", "0001-01-01T00:00:00Z".into()),
        ("null_record", Value::Null),
    ] {
        let reader = Reader::of(&odd(kind, "")).await;
        let read = reader.read(PATH, DAY).await;
        assert_eq!(read.len(), 10, "{kind}");
        let strange = read.iter().find(|record| is_odd(&record.to_string())).unwrap();
        assert_eq!(strange["createdDateTime"], time, "{kind}");
        assert_eq!(strange.is_null(), kind == "null_record");
        assert_eq!(
            strange.get("createdDateTime").is_none(),
            ["no_time", "null_record"].contains(&kind)
        );
        let served = odd_ones(&reader);
        assert_eq!(served.len(), 1, "{kind}");
        assert_eq!(
            served[0].time,
            "2026-11-22T12:00:00Z".parse::<DateTime<Utc>>().unwrap(),
            "{kind}"
        );
    }
}

#[tokio::test]
async fn a_record_outside_of_the_span_is_served_by_both_windows_and_belongs_to_one() {
    for (kind, more, other, time) in [
        ("hours_outside", "day = 0\nat = '2026-11-23T01:00:00Z'", NEXT_DAY, "2026-11-22T19:00:00Z"),
        ("just_outside", "day = -1", DAY, "2026-11-23T00:00:00.2999999Z"),
    ] {
        let reader = Reader::of(&odd(kind, more)).await;
        let time: DateTime<Utc> = time.parse().unwrap();
        let said = |records: &[Value]| {
            let times = records.iter().map(|record| record["createdDateTime"].as_str().unwrap());
            times.filter(|said| said.parse::<DateTime<Utc>>().unwrap() == time).count()
        };
        assert_eq!(said(&reader.read(PATH, other).await), 1, "{kind}");
        let is_it = |served: &Served| served.time == time;
        assert_eq!(
            reader.simulator.served().into_iter().filter(is_it).count(),
            0,
            "{kind}: not asked for"
        );
        let own = if other == DAY { NEXT_DAY } else { DAY };
        assert_eq!(said(&reader.read(PATH, own).await), 1, "{kind}");
        assert_eq!(reader.simulator.served().into_iter().filter(is_it).count(), 1, "{kind}");
        assert_eq!(reader.simulator.visible().into_iter().filter(is_it).count(), 1, "{kind}");
    }
}

#[tokio::test]
async fn a_byte_that_is_no_utf8_is_inside_a_string() {
    let reader = Reader::of(&odd("invalid_utf8", "")).await;
    let answer = get_raw(&reader, &first_link(PATH, DAY)).await;
    let place = answer.windows(5).position(|window| window == b"caf\xe9\"");
    assert!(place.is_some());
    assert!(odd_ones(&reader)[0].json.contains("caf\u{fffd}"));
}

#[tokio::test]
async fn members_are_many_or_come_again_and_again() {
    let many = Reader::of(&odd("many_members", "")).await;
    let read = many.read(PATH, DAY).await;
    assert!(read.iter().any(|record| record.as_object().unwrap().len() > 5000));
    let again = Reader::of(&odd("repeated_member", "size = 3000")).await;
    let answer = get_raw(&again, &first_link(PATH, DAY)).await;
    assert_eq!(String::from_utf8_lossy(&answer).matches("\"again\":").count(), 3000);
}

#[tokio::test]
async fn one_record_is_larger_than_32_megabytes() {
    let reader = Reader::of(&odd("large", "")).await;
    assert_eq!(reader.read(PATH, DAY).await.len(), 10);
    let size = reader.simulator.served().iter().map(|served| served.json.len()).max();
    assert_eq!(size, Some(33_000_000));
}

#[tokio::test]
async fn a_page_of_262_megabytes_leaves_as_a_small_gzip() {
    let reader =
        Reader::with_keys("remember_served = false\n", &day(1000, "record_bytes = 262144")).await;
    let path = first_link(PATH, DAY).replace("%24top=50", "%24top=1000");
    let body = reader.get_compressed(&path).await;
    assert!(body.len() < 20_000_000, "{}", body.len());
    let mut decoder = flate2::read::GzDecoder::new(body.as_slice());
    let unpacked = std::io::copy(&mut decoder, &mut std::io::sink()).unwrap();
    assert!(unpacked >= 262_144_000, "{unpacked}");
}

#[tokio::test]
async fn a_gzip_bomb_is_a_small_answer_and_a_large_page() {
    let reader =
        Reader::of(&day(9, "[[faults.script]]\nkind = 'gzip_bomb'\nbytes = 50_000_000")).await;
    let body = reader.get_compressed(&first_link(PATH, DAY)).await;
    assert!(body.len() < 500_000, "{}", body.len());
    let mut text = String::new();
    flate2::read::GzDecoder::new(body.as_slice()).read_to_string(&mut text).unwrap();
    assert!(text.len() > 50_000_000);
    assert_eq!(serde_json::from_str::<Value>(&text).unwrap()["value"].as_array().unwrap().len(), 9);
}

#[tokio::test]
async fn a_length_that_lies_spoils_the_answer() {
    for kind in ["long_length", "short_length"] {
        let reader = Reader::of(&day(9, &format!("[[faults.script]]\nkind = '{kind}'"))).await;
        let answer = get_raw(&reader, &first_link(PATH, DAY)).await;
        let text = String::from_utf8_lossy(&answer).into_owned();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        let said = head.to_lowercase();
        let said = said.split("content-length: ").nth(1).unwrap().lines().next().unwrap();
        let said: usize = said.parse().unwrap();
        match kind {
            "long_length" => assert!(body.len() < said, "{} of {said}", body.len()),
            _ => assert!(body.len() <= said && serde_json::from_str::<Value>(body).is_err()),
        }
        assert_eq!(reader.simulator.served().len(), 0, "{kind}");
        assert_eq!(reader.read(PATH, DAY).await.len(), 9, "{kind}");
    }
}

#[tokio::test]
async fn codings_in_other_spellings_and_a_byte_order_mark_are_in_order() {
    for (kind, coding) in
        [("gzip_in_capitals", "GZIP"), ("x_gzip", "x-gzip"), ("byte_order_mark", "gzip")]
    {
        let reader = Reader::of(&day(9, &format!("[faults]\nrates = {{ {kind} = 1.0 }}"))).await;
        let body = reader.get_compressed(&first_link(PATH, DAY)).await;
        let mut text = String::new();
        flate2::read::GzDecoder::new(body.as_slice()).read_to_string(&mut text).unwrap();
        assert_eq!(text.starts_with('\u{feff}'), kind == "byte_order_mark");
        assert!(text.trim_start_matches('\u{feff}').starts_with("{\"@odata.context\""));
        let headers = reader.get_headers(&first_link(PATH, DAY)).await;
        assert_eq!(headers.get("content-encoding").unwrap(), coding);
        assert_eq!(reader.simulator.served().len(), 9, "{kind}");
    }
}

#[tokio::test]
async fn the_first_call_of_each_link_passes_with_a_400() {
    let reader = Reader::of(&day(120, "[faults]\nfirst_call = 'passing_400'")).await;
    let mut url = format!("{}{}", reader.simulator.url(), first_link(PATH, DAY));
    let mut read = 0;
    loop {
        assert_eq!(
            reader.try_get(&url).await.unwrap().error(),
            (400, "UnknownError", "Unsupported Query.")
        );
        let page = reader.try_get(&url).await.unwrap();
        read += page.body["value"].as_array().unwrap().len();
        let Some(next) = page.body["@odata.nextLink"].as_str() else { break };
        url = next.to_owned();
    }
    assert_eq!(read, 120);
    let faults = reader
        .simulator
        .requests()
        .iter()
        .filter(|line| line.fault == Some(FaultKind::Passing400))
        .count();
    assert_eq!(faults, 3);
}

#[tokio::test]
async fn one_event_type_is_refused_and_the_others_are_served() {
    let text =
        "[[faults.script]]\nkind = 'permission_403'\nstream = 'managedIdentity'\ntimes = 1_000_000";
    let reader = Reader::of(&day(9, text)).await;
    for (stream, status) in
        [("managedIdentity", 403), ("interactiveUser", 200), ("managedIdentity", 403)]
    {
        let filter = format!("{DAY} and signInEventTypes/any(t: t eq '{stream}')");
        assert_eq!(
            reader.first("beta/auditLogs/signIns", &filter).await.status,
            status,
            "{stream}"
        );
    }
}

#[tokio::test]
async fn numbers_of_the_login_endpoints_are_numbers_text_or_absent() {
    for (form, expected) in
        [("number", Some(Value::from(3599))), ("text", Some("3599".into())), ("absent", None)]
    {
        let reader = Reader::of(&format!("[limits]\ntoken_numbers = '{form}'")).await;
        let token = reader.ask_token(&[]).await.body;
        assert_eq!(token.get("expires_in"), expected.as_ref(), "{form}");
        assert_eq!(token.get("ext_expires_in"), expected.as_ref(), "{form}");
        assert_eq!(reader.first(PATH, DAY).await.status, 200, "{form}");
    }
}

#[tokio::test]
async fn a_chain_counts_once_it_was_followed_to_its_end() {
    let reader = Reader::with_keys("remember_chains = true\n", &day(120, "")).await;
    let first = reader.first(PATH, DAY).await;
    let second = reader.try_get(first.body["@odata.nextLink"].as_str().unwrap()).await.unwrap();
    assert_eq!(reader.simulator.chains().len(), 0);
    let last = second.body["@odata.nextLink"].as_str().unwrap();
    for _ in 0..2 {
        reader.try_get(last).await.unwrap();
        assert_eq!(reader.simulator.chains().len(), 1, "asking once more makes no second chain");
    }
    let chain = &reader.simulator.chains()[0];
    assert_eq!((chain.streams.as_slice(), chain.served.len()), (&["interactiveUser"][..], 120));
    assert_eq!(chain.from, Some("2026-11-22T00:00:00Z".parse().unwrap()));
    assert!(chain.started_at <= chain.finished_at);
}

#[tokio::test]
async fn served_throughout_is_what_every_completed_chain_held() {
    let text = "[[faults.chain]]\nkind = 'ends_early'\nafter = 2\nchains = 1\n[[paging]]\norder = \
                'random'";
    let reader = Reader::with_keys("remember_chains = true\n", &day(120, text)).await;
    let bounds: [DateTime<Utc>; 2] =
        ["2026-11-22T00:00:00Z", "2026-11-23T00:00:00Z"].map(|time| time.parse().unwrap());
    let throughout =
        || reader.simulator.served_throughout(Stream::InteractiveUser, bounds[0], bounds[1]);
    assert_eq!(throughout().len(), 0, "nothing was asked for");
    assert_eq!(reader.read(PATH, DAY).await.len(), 100, "a short read");
    assert_eq!(throughout().len(), 100);
    assert_eq!(reader.read(PATH, DAY).await.len(), 120);
    assert_eq!(throughout().len(), 100, "twenty were missing once");
    let morning =
        "createdDateTime ge 2026-11-22T00:00:00Z and createdDateTime le 2026-11-22T09:00:00Z";
    reader.read(PATH, morning).await;
    assert_eq!(throughout().len(), 100, "a chain of half a day says nothing of the other half");
    let ended_early: Vec<_> =
        reader.simulator.chains().iter().map(|chain| chain.ended_early).collect();
    assert_eq!(ended_early, [true, false, false]);
}

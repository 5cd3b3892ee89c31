//! The effects of scripted faults, and what they leave alone.

use std::io::{Read as _, Write as _};

use crate::reader::{DAY, Reader, first_link};

#[tokio::test]
async fn spoiled_pages_do_not_count_as_served() {
    for kind in ["cut", "truncated_json", "broken_gzip", "html_200", "silence"] {
        let scenario = format!(
            "[limits]\nrequests_per_10s = 0\n[[volume]]\nstream = 'interactiveUser'\nper_day = 60\n\
             [[faults.script]]\nkind = '{kind}'\nseconds = 1"
        );
        let reader = Reader::of(&scenario).await;
        let url =
            format!("{}{}", reader.simulator.url(), first_link("v1.0/auditLogs/signIns", DAY));
        let spoiled = reader.try_get(&url).await;
        assert!(spoiled.is_err() || spoiled.is_ok_and(|reply| reply.body.is_string()), "{kind}");
        assert_eq!(reader.simulator.served().len(), 0, "{kind}");
        assert_eq!(reader.simulator.counts().faults, 1, "{kind}");
        assert_eq!(reader.read("v1.0/auditLogs/signIns", DAY).await.len(), 60, "{kind}");
        assert_eq!(reader.simulator.served().len(), 60, "{kind}");
    }
}

#[tokio::test]
async fn links_are_spoiled_as_the_script_says() {
    for (kind, spoiled) in [
        ("repeated_link", "%24filter="),
        ("foreign_link", "https://graph.example.net/v1.0/auditLogs/signins?"),
        ("plain_link", "http://127.0.0.1:9/v1.0/auditLogs/signins?"),
    ] {
        let scenario = format!(
            "[[volume]]\nstream = 'interactiveUser'\nper_day = 60\n[[faults.script]]\nkind = \
             '{kind}'"
        );
        let reply = Reader::of(&scenario).await.first("v1.0/auditLogs/signIns", DAY).await;
        let next = reply.body["@odata.nextLink"].as_str().unwrap_or_default();
        assert!(next.contains(spoiled), "{kind}: {next}");
    }
}

#[tokio::test]
async fn page_sizes_vary_without_losing_records() {
    for kind in ["empty_page", "short_page", "oversized_page", "tips", "slow"] {
        let scenario = format!(
            "[limits]\nrequests_per_10s = 0\n[[volume]]\nstream = 'interactiveUser'\nper_day = \
             170\n[[faults.script]]\nkind = '{kind}'\nnth = 2\nseconds = 1"
        );
        let reader = Reader::of(&scenario).await;
        assert_eq!(reader.read("v1.0/auditLogs/signIns", DAY).await.len(), 170, "{kind}");
        assert_eq!(reader.simulator.served().len(), 170, "{kind}");
    }
}

#[tokio::test]
async fn records_that_were_not_asked_for_do_not_count_as_served() {
    let volume = "[[volume]]\nstream = 'interactiveUser'\nfrom_day = -3\nper_day = 20\n";
    let reader = Reader::of(&format!("{volume}[[faults.script]]\nkind = 'ignored_filter'")).await;
    assert_eq!(
        reader.first("v1.0/auditLogs/signIns", DAY).await.body["value"].as_array().unwrap().len(),
        23
    );
    assert_eq!(reader.simulator.served().len(), 20);

    let reader = Reader::of(volume).await;
    let filter =
        "createdDateTime gt 2026-11-22T00:00:00Z and createdDateTime lt 2026-11-23T00:00:00Z";
    assert_eq!(
        reader.first("v1.0/auditLogs/signIns", filter).await.body["value"]
            .as_array()
            .unwrap()
            .len(),
        50
    );
    assert!((18..=20).contains(&reader.simulator.served().len()));
}

#[tokio::test]
async fn altered_records_are_versions_of_their_own() {
    for kind in ["unknown_field", "type_flip"] {
        let scenario = format!(
            "[[volume]]\nstream = 'interactiveUser'\nper_day = 20\n[[faults.script]]\nkind = \
             '{kind}'"
        );
        let reader = Reader::of(&scenario).await;
        reader.read("beta/auditLogs/signIns", DAY).await;
        reader.read("beta/auditLogs/signIns", DAY).await;
        assert_eq!(reader.simulator.served().len(), 40, "{kind}");
    }
}

#[tokio::test]
async fn a_cut_answer_has_a_beginning_and_a_silent_one_has_none() {
    for (kind, has_bytes) in [("cut", true), ("silence", false)] {
        let scenario = format!(
            "[[volume]]\nstream = 'interactiveUser'\nper_day = 60\n[[faults.script]]\nkind = \
             '{kind}'\nseconds = 0"
        );
        let reader = Reader::of(&scenario).await;
        let address = reader.simulator.url().trim_start_matches("http://").to_owned();
        let mut connection = std::net::TcpStream::connect(&address).unwrap();
        let path = first_link("v1.0/auditLogs/signIns", DAY);
        let token = &reader.token;
        let request = format!(
            "GET {path} HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {token}\r\n\r\n"
        );
        connection.write_all(request.as_bytes()).unwrap();
        let mut answer = Vec::new();
        connection.read_to_end(&mut answer).unwrap_or_default();
        assert_eq!(!answer.is_empty(), has_bytes, "{kind}");
        assert!(!answer.ends_with(b"0\r\n\r\n"), "{kind}");
    }
}

#[tokio::test]
async fn scripted_refusals_strike_token_and_page_alike() {
    let scenario = "[[faults.script]]\nkind = 'token_transient'\nnth = 2\n[[faults.script]]\nkind \
                    = 'throttle_date'\n[[faults.script]]\nkind = 'token_expired'\nnth = 2";
    let reader = Reader::of(scenario).await;
    assert_eq!(reader.ask_token(&[]).await.body["error_codes"][0], 90033);
    let throttled = reader.first("v1.0/auditLogs/signIns", DAY).await;
    let retry_after = throttled.headers.get("retry-after").unwrap().to_str().unwrap();
    assert_eq!(throttled.status, 429);
    // Ten seconds after the request; the clock stands still.
    assert!(retry_after.starts_with("Mon, 23 Nov 2026 01:15:1"), "{retry_after}");
    assert_eq!(reader.first("v1.0/auditLogs/signIns", DAY).await.status, 401);
    assert_eq!(
        reader.first("v1.0/auditLogs/signIns", DAY).await.status,
        401,
        "the token really is worthless"
    );
}

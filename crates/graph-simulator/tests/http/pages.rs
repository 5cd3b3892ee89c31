//! The records that come back, their order, and who gets them.

use graph_simulator::{ApiVersion, RequestKind, Served, Stream};
use serde_json::Value;

use crate::reader::{DAY, Reader, Reply, UNLIMITED};

/// Records of a stream and a day, as JSON values in a comparable order.
fn of_day(served: Vec<Served>, stream: &str, day: &str) -> Vec<String> {
    let mut found: Vec<String> = served
        .into_iter()
        .filter(|served| served.stream == stream && served.time.to_rfc3339().starts_with(day))
        .map(|served| served.json.to_string())
        .collect();
    found.sort_unstable();
    found
}

#[tokio::test]
async fn the_pages_of_a_day_are_what_is_visible_of_it() {
    let streams = ["interactiveUser", "nonInteractiveUser", "servicePrincipal", "managedIdentity"];
    let mut scenario = UNLIMITED.to_owned();
    for stream in streams {
        let volume = format!(
            "[[volume]]\nstream = '{stream}'\nfrom_day = -2\nto_day = 0\nper_day = 180\nrepeated = \
             0.1\nchanged = {{ share = 0.1, after_minutes = 90 }}\nlate = {{ share = 0.2, \
             up_to_minutes = 900 }}\n"
        );
        scenario.push_str(&volume);
    }
    let reader = Reader::of(&scenario).await;
    for stream in streams {
        let filter = format!("{DAY} and signInEventTypes/any(t: t eq '{stream}')");
        let mut records: Vec<Value> = reader.read("beta/auditLogs/signIns", &filter).await;
        let times: Vec<&str> =
            records.iter().map(|record| record["createdDateTime"].as_str().unwrap()).collect();
        assert!(times.first() > times.last(), "newest first");
        records
            .retain(|record| record["createdDateTime"].as_str().unwrap().starts_with("2026-11-22"));
        let mut read: Vec<String> = records.iter().map(Value::to_string).collect();
        read.sort_unstable();
        read.dedup();
        let visible: Vec<String> = of_day(reader.simulator.visible(), stream, "2026-11-22");
        let mut visible: Vec<String> = visible
            .iter()
            .map(|json| serde_json::from_str::<Value>(json).unwrap().to_string())
            .collect();
        visible.sort_unstable();
        assert_eq!(read.len(), visible.len(), "{stream}");
        assert_eq!(read, visible);
        let served = of_day(reader.simulator.served(), stream, "2026-11-22");
        assert_eq!(served, of_day(reader.simulator.visible(), stream, "2026-11-22"));
    }
}

#[tokio::test]
async fn audits_come_oldest_first_unless_asked_otherwise() {
    let reader = Reader::of("[[volume]]\nstream = 'directoryAudits'\nper_day = 20").await;
    let time = |reply: &Reply, index: usize| {
        reply.body["value"][index]["activityDateTime"].as_str().unwrap().to_owned()
    };
    let oldest = reader.get("/v1.0/auditLogs/directoryAudits").await;
    assert!(time(&oldest, 0) < time(&oldest, 19));
    let newest =
        reader.get("/beta/AUDITLOGS/directoryaudits?$orderby=activityDateTime%20desc").await;
    assert!(time(&newest, 0) > time(&newest, 19));
}

#[tokio::test]
async fn records_that_arrive_during_a_read_do_not_shift_its_pages() {
    let scenario = "[limits]\nrequests_per_10s = 0\n[[volume]]\nstream = \
                    'interactiveUser'\nper_day = 300\nlate = { share = 0.5, from_minutes = 120, \
                    up_to_minutes = 4000 }";
    let reader = Reader::of(scenario).await;
    let mut reply = reader.first("v1.0/auditLogs/signIns", DAY).await;
    let before = reader.simulator.visible().len();
    reader.simulator.set_now("2026-11-23T01:55:00Z".parse().unwrap());
    let mut ids = Vec::new();
    loop {
        let page = reply.body["value"].as_array().unwrap().clone();
        ids.extend(page.iter().map(|record| record["id"].as_str().unwrap().to_owned()));
        let Some(next) = reply.body["@odata.nextLink"].as_str() else { break };
        reply = reader.try_get(next).await.unwrap();
    }
    let read = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(read, ids.len(), "no record twice");
    assert!(read >= before && reader.simulator.visible().len() > before);
}

#[tokio::test]
async fn a_next_link_altered_in_one_byte_is_refused() {
    let reader = Reader::of("[[volume]]\nstream = 'interactiveUser'\nper_day = 120").await;
    let reply = reader.first("v1.0/auditLogs/signIns", DAY).await;
    let next = reply.body["@odata.nextLink"].as_str().unwrap();
    assert!(next.contains(
        "/v1.0/auditLogs/signins?$top=50&$filter=createdDateTime+ge+2026-11-22T00%3a00%3a00Z"
    ));
    let refused = reader.try_get(&next.replace("%3a", "%3A")).await.unwrap();
    assert_eq!(refused.error(), (400, "", "Invalid Skip Token"));
    assert_eq!(reader.try_get(next).await.unwrap().status, 200);
}

#[tokio::test]
async fn bad_queries_are_refused_in_graphs_words() {
    let reader = Reader::of(UNLIMITED).await;
    for (path, message) in [
        (
            "/v1.0/auditLogs/signIns?$filter=createdDateTime%20ge%20%272026-11-22T00:00:00Z%27",
            "Invalid filter clause",
        ),
        (
            "/v1.0/auditLogs/directoryAudits?$filter=createdDateTime%20ge%202026-11-22",
            "Invalid filter clause",
        ),
        (
            "/v1.0/auditLogs/signIns?$filter=signInEventTypes/any(t:%20t%20eq%20%27managedIdentity%27)",
            "Invalid filter clause",
        ),
        (
            "/v1.0/auditLogs/signIns?$filter=createdDateTime%20ge%202026-01-01",
            "Invalid filter clause",
        ),
        ("/v1.0/auditLogs/signIns?$skiptoken=", "Invalid Skip Token, skip token is null"),
    ] {
        assert_eq!(reader.get(path).await.error().2, message, "{path}");
    }
    let select = reader.get("/beta/auditLogs/signIns?$select=id").await;
    assert!(select.error().2.starts_with("Query option 'Select' is not allowed."));
    assert_eq!(reader.get("/v1.0/auditLogs/provisioning").await.status, 404);
}

#[tokio::test]
async fn the_sixth_request_within_ten_seconds_waits() {
    let reader = Reader::of("[[volume]]\nstream = 'interactiveUser'\nper_day = 5").await;
    for _ in 0..5 {
        assert_eq!(reader.first("v1.0/auditLogs/signIns", DAY).await.status, 200);
    }
    let refused = reader.first("v1.0/auditLogs/signIns", DAY).await;
    assert_eq!(
        (refused.status, refused.headers.get("retry-after").unwrap().as_bytes()),
        (429, &b"10"[..])
    );
    reader.simulator.set_now("2026-11-23T01:15:30Z".parse().unwrap());
    assert_eq!(reader.first("v1.0/auditLogs/signIns", DAY).await.status, 200);
    assert_eq!(reader.simulator.counts().throttled, 1);
}

#[tokio::test]
async fn licence_permission_and_retention_decide_what_is_served() {
    let free = Reader::of(
        "[tenant]\nlicence = 'Free'\n[[volume]]\nstream = 'directoryAudits'\nfrom_day = \
         -9\nper_day = 10",
    )
    .await;
    let refused = free.first("v1.0/auditLogs/signIns", DAY).await;
    assert_eq!(refused.error().1, "Authentication_RequestFromNonPremiumTenantOrB2CTenant");
    let audits = free.get("/v1.0/auditLogs/directoryAudits").await.body;
    assert!(
        (60..=70).contains(&audits["value"].as_array().unwrap().len()),
        "seven days to the second"
    );

    let blind = Reader::of("[tenant]\npermissions = ['Directory.Read.All']").await;
    let refused = blind.first("v1.0/auditLogs/signIns", DAY).await;
    assert_eq!(refused.error().1, "Authentication_MSGraphPermissionMissing");
}

#[tokio::test]
async fn policies_are_left_out_without_a_policy_permission() {
    let scenario = "[tenant]\npermissions = ['AuditLog.Read.All', 'Directory.Read.All']\n\
                    [[volume]]\nstream = 'interactiveUser'\nper_day = 5";
    let reply = Reader::of(scenario).await.first("beta/auditLogs/signIns", DAY).await;
    assert_eq!(reply.body["value"].as_array().unwrap().len(), 5);
    assert!(reply.body["value"][0].get("appliedConditionalAccessPolicies").is_none());
}

#[tokio::test]
async fn every_request_is_on_record() {
    let reader = Reader::of("[[volume]]\nstream = 'interactiveUser'\nper_day = 5").await;
    reader.first("v1.0/auditLogs/signIns", DAY).await;
    let requests = reader.simulator.requests();
    let kinds: Vec<RequestKind> = requests.iter().map(|request| request.kind).collect();
    assert_eq!(kinds, [RequestKind::Token, RequestKind::Page]);
    assert!(requests[1].prefer && requests[1].had_bearer && requests[1].status == 200);
    assert!(!requests[0].had_bearer);
}

#[tokio::test]
async fn whatever_a_page_shows_is_a_text_of_a_record_on_file() {
    let scenario = "[limits]\nrequests_per_10s = 0\nlargest_page = 10\n[[volume]]\nstream = \
                    'interactiveUser'\nper_day = 40\nrisk_copies = 0.5\n[[faults.script]]\nkind = \
                    'type_flip'\nnth = 2\n[[faults.script]]\nkind = 'unknown_field'\nnth = 3";
    let reader = Reader::of(scenario).await;
    let parsed = |text: &String| serde_json::from_str::<Value>(text).unwrap();
    let mut on_file = Vec::new();
    reader.simulator.each_on_file(Stream::InteractiveUser, ApiVersion::V1, |version| {
        on_file.push(version.clone());
    });
    let visible = reader.simulator.visible_in(ApiVersion::V1);
    let mut as_filed: Vec<&str> = on_file.iter().map(|version| version.texts[0].as_str()).collect();
    let mut as_visible: Vec<&str> = visible.iter().map(|served| &*served.json).collect();
    as_filed.sort_unstable();
    as_visible.sort_unstable();
    assert!(visible.len() > 40, "{}", visible.len());
    as_filed.dedup(); // a change may show in beta alone
    assert_eq!(as_filed, as_visible);
    let texts: Vec<Value> = on_file.iter().flat_map(|version| &version.texts).map(parsed).collect();
    let read = reader.read("v1.0/auditLogs/signIns", DAY).await;
    assert_eq!(read.len(), on_file.len());
    assert!(read.iter().all(|record| texts.contains(record)));
    let as_on_file =
        on_file.iter().filter(|version| read.contains(&parsed(&version.texts[0]))).count();
    assert_eq!(as_on_file, on_file.len() - 20, "two pages were altered");
}

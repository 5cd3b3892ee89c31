//! Records encoded and read back.

use super::encoder::{Encoded, TableEncoder};
use crate::log::Log;
use crate::record::RecordReader;
use bytes::Bytes;
use chrono::DateTime;
use parquet::file::reader::{FileReader as _, SerializedFileReader};
use proptest::prelude::*;
use serde_json::{Value, json};

fn encoded(log: Log, lines: &[String]) -> (Vec<u8>, Encoded) {
    let mut encoder = TableEncoder::new(log, DateTime::UNIX_EPOCH).unwrap();
    let mut bytes = Vec::new();
    for line in lines {
        encoder.push(&RecordReader::new(log.time_field()).read(line.as_bytes()), line.as_bytes());
        bytes.extend(encoder.take_part().unwrap_or_default());
    }
    let (rest, summary) = encoder.finish().unwrap();
    bytes.extend(rest);
    (bytes, summary)
}

fn open(bytes: Vec<u8>) -> SerializedFileReader<Bytes> {
    SerializedFileReader::new(Bytes::from(bytes)).unwrap()
}

/// The row of one sign-in.
fn row_of(line: &[u8]) -> Value {
    let mut encoder = TableEncoder::new(Log::SignIns, DateTime::UNIX_EPOCH).unwrap();
    encoder.push(&RecordReader::new(Log::SignIns.time_field()).read(line), line);
    let file = open(encoder.finish().unwrap().0);
    file.get_row_iter(None).unwrap().next().unwrap().unwrap().to_json_value()
}

fn rows(log: Log, lines: &[String]) -> Vec<Value> {
    let file = open(encoded(log, lines).0);
    file.get_row_iter(None).unwrap().map(|row| row.unwrap().to_json_value()).collect()
}

/// Encodes a sign-in, and expects these columns, of which `other` is given as JSON.
fn check(record: &str, columns: &Value) {
    let row = rows(Log::SignIns, &[record.to_owned()]).remove(0);
    for (name, expected) in columns.as_object().unwrap() {
        let found = match &row[name] {
            Value::String(text) if name == "other" => text.parse().unwrap(),
            found => found.clone(),
        };
        assert_eq!(found, *expected, "{name} of {record}");
    }
}

#[test]
fn values_become_what_is_declared() {
    check(
        r#"{"id":"a\u00fc\n","isInteractive":true,"autonomousSystemNumber":4294967295,"riskEventTypes_v2":["x",null]}"#,
        &json!({"id": "aü\n", "is_interactive": true, "autonomous_system_number": 4_294_967_295_u64,
               "risk_event_types_v2": ["x", null], "other": null, "user_id": null}),
    );
    check(
        r#"{ "location" : {"geoCoordinates":{"latitude":-1e1}} , "status":{"errorCode":-5}}"#,
        &json!({"location": {"city": null, "state": null, "country_or_region": null,
               "geo_coordinates": {"altitude": null, "latitude": -10.0, "longitude": null}},
               "status": {"error_code": -5, "failure_reason": null, "additional_details": null}}),
    );
    check(
        r##"{"appliedEventListeners":[{"handlerResult":{"@odata.type":"#x","a":[1]}}]}"##,
        &json!({"applied_event_listeners": [{"event_type": null, "executed_listener_id": null,
               "handler_result": r##"{"@odata.type":"#x","a":[1]}"##}], "other": null}),
    );
    check(
        r#"{"conditionalAccessAudiences":["a\u00fc",{"applicationId":"b","audienceReasons":"none"},null]}"#,
        &json!({"conditional_access_audiences":
               ["aü", r#"{"applicationId":"b","audienceReasons":"none"}"#, null], "other": null}),
    );
}

#[test]
fn times_have_any_number_of_digits_and_any_offset() {
    for (served, shown) in [
        ("2026-03-13T19:15:41Z", "2026-03-13 19:15:41.000 +00:00"),
        ("2026-03-13T19:15:41.6Z", "2026-03-13 19:15:41.600 +00:00"),
        ("2026-03-13T19:15:41.6195839Z", "2026-03-13 19:15:41.619 +00:00"),
        ("2026-03-13T19:15:41.619583999Z", "2026-03-13 19:15:41.619 +00:00"),
        // Cut, not rounded, so that no time leaves its day; a leap second neither.
        ("2026-03-13T23:59:59.9999999Z", "2026-03-13 23:59:59.999 +00:00"),
        ("2026-12-31T23:59:60.5Z", "2026-12-31 23:59:59.999 +00:00"),
        ("1969-12-31T23:59:59.9999Z", "1969-12-31 23:59:59.999 +00:00"),
        ("2026-03-14T00:45:41+05:30", "2026-03-13 19:15:41.000 +00:00"),
        ("0001-01-01T00:00:00Z", "0001-01-01 00:00:00.000 +00:00"),
    ] {
        check(
            &json!({"createdDateTime": served}).to_string(),
            &json!({"created_date_time": shown, "other": null}),
        );
    }
}

#[test]
fn what_has_another_type_is_null_and_in_other_under_its_path() {
    for (record, other) in [
        (r#"{"createdDateTime":"yesterday"}"#, json!({"createdDateTime": "yesterday"})),
        (r#"{"createdDateTime":17}"#, json!({"createdDateTime": 17})),
        (r#"{"userId":5}"#, json!({"userId": 5})),
        (r#"{"userId":["a"]}"#, json!({"userId": ["a"]})),
        (r#"{"isInteractive":"true"}"#, json!({"isInteractive": "true"})),
        (r#"{"status":{"errorCode":2147483648}}"#, json!({"status.errorCode": 2_147_483_648_u64})),
        (r#"{"status":{"errorCode":1.0}}"#, json!({"status.errorCode": 1.0})),
        (r#"{"status":[]}"#, json!({"status": []})),
        (r#"{"riskEventTypes_v2":{"a":1}}"#, json!({"riskEventTypes_v2": {"a": 1}})),
        (r#"{"conditionalAccessAudiences":"a"}"#, json!({"conditionalAccessAudiences": "a"})),
        (r#"{"riskEventTypes_v2":["a",5]}"#, json!({"riskEventTypes_v2[1]": 5})),
        (
            r#"{"location":{"geoCoordinates":{"latitude":1e999}},"new":{}}"#,
            json!({"location.geoCoordinates.latitude": null, "new": {}}),
        ),
        (r#"{"userAgent":"\ud800"}"#, json!({"userAgent": null})),
        (r#"{"we \"quote\"":null}"#, json!({"we \"quote\"": null})),
    ] {
        let row = rows(Log::SignIns, &[record.to_owned()]).remove(0);
        let text = row["other"].as_str().unwrap();
        let keys = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
        match text.parse::<Value>() {
            Ok(found) => assert_eq!(found, other, "{record}"),
            // What only a tolerant reader takes stands there as it was served.
            Err(_) => {
                assert!(
                    keys(&other).iter().all(|key| text.contains(&json!(key).to_string())),
                    "{text}"
                );
            }
        }
    }
    let (_, encoded) = encoded(Log::SignIns, &[r#"{"userId":5,"new":1,"id":"a"}"#.to_owned()]);
    assert_eq!((encoded.rows, encoded.unexpected_fields), (1, 2));
}

#[test]
fn bytes_that_are_no_text_are_shown_as_replacement_characters() {
    let line =
        b"{\"id\":\"a\xff\",\"userAgent\":\"\\n\xc3\",\"new\xfe\":\"\xed\xa0\xbd\",\"new\xfd\":1,\
        \"appliedEventListeners\":[{\"handlerResult\":\"\xff\"}]}";
    let row = row_of(line);
    assert_eq!(row["id"], "a\u{fffd}");
    assert_eq!(row["user_agent"], "\n\u{fffd}");
    assert_eq!(row["applied_event_listeners"][0]["handler_result"], "\"\u{fffd}\"");
    let other: Value = row["other"].as_str().unwrap().parse().unwrap();
    assert_eq!(other, json!({"new\u{fffd}": "\u{fffd}\u{fffd}\u{fffd}", "new\u{fffd}#2": 1}));
}

#[test]
fn a_line_that_is_no_object_is_a_row_with_the_columns_of_the_archive_alone() {
    for line in ["null", "[]", "17", "\"text\"", "false"] {
        let row = row_of(line.as_bytes());
        let filled = row.as_object().unwrap().iter().filter(|(_, value)| !value.is_null());
        let names: Vec<_> = filled.map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["content_hash", "first_seen", "other"], "{line}");
        assert_eq!(row["other"].as_str().unwrap(), format!("{{\"\":{line}}}"));
    }
}

#[test]
fn the_case_of_a_key_does_not_count_and_of_two_the_first_does() {
    let record = r#"{"targetResources":[{"Type":"Group","type":"Role"},{"type":"User"}]}"#;
    let row = rows(Log::DirectoryAudits, &[record.to_owned()]).remove(0);
    let kinds: Vec<_> =
        row["target_resources"].as_array().unwrap().iter().map(|one| &one["type"]).collect();
    assert_eq!(kinds, ["Group", "User"]);
    assert_eq!(row["other"], r#"{"targetResources[0].type":"Role"}"#);
    check(
        r#"{"id":"a","id":"b","ID":5,"id":"c"}"#,
        &json!({"id": "a", "other": {"id": "b", "ID": 5, "id#2": "c"}}),
    );
}

#[test]
fn a_key_is_known_however_it_is_written() {
    check(
        r#"{"\u0069d":"a","status":{"\u0065rrorCode":7}}"#,
        &json!({"id": "a", "other": null, "status": {"error_code": 7, "failure_reason": null, "additional_details": null}}),
    );
}

/// Each copy of a member is looked up once: 20,000 of them took minutes when each looked at all
/// before it.
#[test]
fn thousands_of_copies_of_a_member_are_all_kept() {
    let members: Vec<_> = (0..20_000).map(|number| format!(r#""x":{number}"#)).collect();
    let row = rows(Log::SignIns, &[format!("{{{},\"x#7\":0}}", members.join(","))]).remove(0);
    let other: Value = row["other"].as_str().unwrap().parse().unwrap();
    assert_eq!(other.as_object().unwrap().len(), 20_001);
    assert_eq!(
        (&other["x"], &other["x#20000"], &other["x#7#2"]),
        (&json!(0), &json!(19_999), &json!(0))
    );
}

#[test]
fn a_row_says_which_version_it_is() {
    let record = r#"{"id":"a"}"#;
    let version = RecordReader::new("createdDateTime").read(record.as_bytes()).version.to_string();
    check(
        record,
        &json!({"content_hash": version, "first_seen": "1970-01-01 00:00:00.000 +00:00"}),
    );
}

#[test]
fn rows_keep_their_order_over_batches_and_row_groups() {
    let unlike = |index: u64| {
        let bytes = index.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_le_bytes();
        let bytes = bytes.iter().cycle().zip(0u8..=255);
        bytes.fold(String::new(), |text, (byte, salt)| text + &format!("{:02x}", byte ^ salt))
    };
    let lines: Vec<_> = (0..40_000)
        .map(|index| json!({"id": index.to_string(), "userAgent": unlike(index)}).to_string())
        .collect();
    let (bytes, encoded) = encoded(Log::DirectoryAudits, &lines);
    assert_eq!(encoded.rows, 40_000);
    let file = open(bytes);
    assert!(file.num_row_groups() > 1);
    let ids =
        file.get_row_iter(None).unwrap().map(|row| row.unwrap().to_json_value()["id"].clone());
    assert!(ids.enumerate().all(|(index, id)| id.as_str() == Some(&index.to_string())));
}

fn any_json() -> impl Strategy<Value = Value> {
    let key = prop::sample::select(vec![
        "id",
        "createdDateTime",
        "status",
        "errorCode",
        "location",
        "geoCoordinates",
        "latitude",
        "appliedConditionalAccessPolicies",
        "riskEventTypes_v2",
        "isInteractive",
        "new",
    ]);
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,6}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 40, 5, move |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::hash_map(key.clone().prop_map(str::to_owned), inner, 0..8)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn no_record_fails_a_table(records in proptest::collection::vec(any_json(), 1..8)) {
        let lines: Vec<_> = records.iter().map(Value::to_string).collect();
        let rows = rows(Log::SignIns, &lines);
        prop_assert_eq!(rows.len(), lines.len());
        for (record, row) in records.iter().zip(rows) {
            let is_text = record["id"].is_string();
            prop_assert_eq!(if is_text { &record["id"] } else { &Value::Null }, &row["id"]);
            if let Some(other) = row["other"].as_str() {
                prop_assert!(other.parse::<Value>().is_ok());
            }
        }
    }
}

/// A provisioning record of the shape that Microsoft's samples have, with an old connector's words.
const PROVISIONED: &str = r#"{"id":"5e6f","activityDateTime":"2026-05-04T03:00:54Z","tenantId":"5e1c","jobId":"aws.5e1c","cycleId":"7081","changeId":"8192","provisioningAction":"create","durationInMilliseconds":3236,"provisioningStatusInfo":{"status":"failure","errorInformation":{"errorCode":"ContosoEntryConflict","reason":"Conflict (409)","additionalDetails":null,"errorCategory":"nonServiceFailure","recommendedAction":null}},"provisioningSteps":[{"name":"EntryImport","provisioningStepType":"Import","status":"success","description":"Retrieved item","details":{"a.b":"3","Key":"1","key":"2"}}],"modifiedProperties":[{"displayName":"Roles","oldValue":null,"newValue":"a,b, c"}],"servicePrincipal":{"id":"a3b4","displayName":"Contoso"},"sourceSystem":{"id":"b4c5","displayName":"Contoso","details":{}},"targetSystem":null,"initiatedBy":{"initiatingType":"system","id":"","displayName":"Azure AD Provisioning Service"},"sourceIdentity":{"identityType":"RolesCompound","id":"f809","displayName":"","details":null},"targetIdentity":null}"#;

#[test]
fn a_provisioning_record_is_in_its_columns_whoever_wrote_it() {
    let row = rows(Log::Provisioning, &[PROVISIONED.to_owned()]).remove(0);
    assert_eq!(row["other"], Value::Null);
    assert_eq!(row["activity_date_time"], "2026-05-04 03:00:54.000 +00:00");
    assert_eq!(row["duration_in_milliseconds"], 3236);
    assert_eq!(row["initiated_by"]["initiating_type"], "system");
    assert_eq!(row["initiated_by"]["initiator_type"], Value::Null);
    let step = &row["provisioning_steps"][0];
    assert_eq!(step["provisioning_step_type"], "Import");
    assert_eq!(step["details"], r#"{"a.b":"3","Key":"1","key":"2"}"#);
    assert_eq!(row["source_system"]["details"], "{}");
    assert_eq!(row["target_system"], Value::Null);
    let error = &row["provisioning_status_info"]["error_information"];
    assert_eq!(error["error_code"], "ContosoEntryConflict");
}

#[test]
fn what_microsoft_once_documented_otherwise_is_in_other() {
    let collection = r#"[{"id":"a3b4","displayName":"Contoso"}]"#;
    let object = collection.trim_matches(['[', ']']);
    let record = PROVISIONED.replace(object, collection).replace("3236", "3236.5");
    let row = rows(Log::Provisioning, &[record]).remove(0);
    assert_eq!(row["service_principal"], Value::Null);
    assert_eq!(row["duration_in_milliseconds"], Value::Null);
    let other: Value = row["other"].as_str().unwrap().parse().unwrap();
    let collection: Value = collection.parse().unwrap();
    assert_eq!(other, json!({"servicePrincipal": collection, "durationInMilliseconds": 3236.5}));
}

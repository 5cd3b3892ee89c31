//! Rules of AWS that no emulator can hold against the template, held against its text.

use std::collections::BTreeSet;

use entratrail::parameters::AUDIENCES;
use serde_json::{Map, Value, json};

use crate::upgrade::NAMES;

fn resources(template: &Value) -> &Map<String, Value> {
    template["Resources"].as_object().unwrap()
}

fn of_type<'template>(
    template: &'template Value,
    kind: &str,
) -> Vec<(&'template str, &'template Value)> {
    let resources = resources(template).iter().filter(|(_, resource)| resource["Type"] == kind);
    resources.map(|(name, resource)| (name.as_str(), &resource["Properties"])).collect()
}

/// Every value that a list or a single one holds, whichever way conditions turn out.
fn each(value: &Value) -> Vec<&Value> {
    match value {
        Value::Array(values) => values.iter().flat_map(each).collect(),
        Value::Object(members) if members.contains_key("Fn::If") => {
            members["Fn::If"].as_array().unwrap()[1..].iter().flat_map(each).collect()
        }
        Value::Object(members)
            if members.contains_key("Ref") && members["Ref"] == "AWS::NoValue" =>
        {
            Vec::new()
        }
        _ => vec![value],
    }
}

fn statements(policy: &Value) -> Vec<&Value> {
    each(&policy["Statement"])
}

fn allowed_services(statement: &Value) -> Vec<&str> {
    let services = each(&statement["Principal"]["Service"]);
    let services = services.into_iter().filter(|_| statement["Effect"] == "Allow");
    services.filter_map(Value::as_str).collect()
}

/// EventBridge sends no source to a topic or to its key:
/// <https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html>. CloudWatch does, and is
/// held to its account.
pub(crate) fn mails_reach_the_topic(template: &Value) {
    let resources = resources(template);
    let own_account = json!({"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}});
    for policy in [
        &resources["Key"]["Properties"]["KeyPolicy"],
        &resources["FailureTopicPolicy"]["Properties"]["PolicyDocument"],
    ] {
        let mut seen = BTreeSet::new();
        for statement in statements(policy) {
            for service in allowed_services(statement) {
                match service {
                    "events.amazonaws.com" => {
                        assert_eq!(statement.get("Condition"), None, "{statement}");
                    }
                    "cloudwatch.amazonaws.com" => assert_eq!(statement["Condition"], own_account),
                    other => panic!("{other} has no business there"),
                }
                seen.insert(service.to_owned());
            }
        }
        assert_eq!(seen.len(), 2, "{policy}");
    }
    let topic_key = &resources["FailureTopic"]["Properties"]["KmsMasterKeyId"];
    assert_eq!(
        topic_key,
        &json!({"Fn::If": ["MakesKey", {"Ref": "Key"}, {"Ref": "AWS::NoValue"}]})
    );
}

/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes-enforce.html>
pub(crate) fn raw_objects_are_never_replaced(template: &Value) {
    let policy = &resources(template)["ArchivePolicy"];
    for member in ["DeletionPolicy", "UpdateReplacePolicy"] {
        assert!(
            policy[member].as_str().unwrap().starts_with("Retain"),
            "the policy goes before the bucket"
        );
    }
    let denied = |folder: &str| {
        let folder = format!("${{Archive.Arn}}/{folder}/*");
        let statements = statements(&policy["Properties"]["PolicyDocument"]).into_iter();
        let mut denied = statements.filter(|statement| {
            statement["Effect"] == "Deny"
                && statement["Action"] == "s3:PutObject"
                && statement["Resource"]["Fn::Sub"] == folder.as_str()
        });
        let statement = denied.next().unwrap_or_else(|| panic!("nothing is denied in {folder}"));
        assert_eq!(statement["Principal"], "*");
        statement["Condition"].clone()
    };
    let creates = json!({"s3:ObjectCreationOperation": "true"});
    assert_eq!(denied("raw"), json!({"Null": {"s3:if-none-match": "true"}, "Bool": creates}));
    let no_header = json!({"s3:if-none-match": "true", "s3:if-match": "true"});
    assert_eq!(denied("ledger"), json!({"Null": no_header, "Bool": creates}));
}

pub(crate) fn roles_write_under_a_condition(template: &Value) {
    for (role, conditional) in [("SignInLogsRole", 3), ("AuditLogsRole", 3), ("FindingsRole", 2)] {
        let policies = resources(template)[role]["Properties"]["Policies"].as_array().unwrap();
        let statements: Vec<_> =
            policies.iter().flat_map(|policy| statements(&policy["PolicyDocument"])).collect();
        let mut writes = 0;
        for statement in statements {
            let actions: Vec<_> =
                each(&statement["Action"]).into_iter().filter_map(Value::as_str).collect();
            if actions.iter().any(|action| action.starts_with("s3:")) {
                let owner = &statement["Condition"]["StringEquals"]["aws:ResourceAccount"];
                assert_eq!(owner, &json!({"Ref": "AWS::AccountId"}), "{statement}");
            }
            assert!(
                !actions
                    .iter()
                    .any(|action| action.starts_with("s3:Delete") || action.contains('*'))
            );
            let resources = statement["Resource"].to_string();
            let folders = ["/raw/", "/ledger/", "/checks/", "/findings/"];
            let is_kept = folders.iter().any(|folder| resources.contains(folder));
            if is_kept && actions.contains(&"s3:PutObject") {
                writes += 1;
                let condition = &statement["Condition"];
                let limits = [
                    &condition["Null"]["s3:if-none-match"],
                    &condition["Null"]["s3:if-match"],
                    &condition["Bool"]["s3:ObjectCreationOperation"],
                ];
                assert_eq!(
                    limits.iter().filter(|limit| **limit == "false").count(),
                    1,
                    "{statement}"
                );
                let replaces = limits[1] == "false";
                assert!(!(replaces && resources.contains("/raw/")), "{statement}");
            }
        }
        assert_eq!(writes, conditional, "{role}");
    }
}

pub(crate) fn archive_and_key_outlive_the_stack(template: &Value) {
    let resources = resources(template);
    for name in ["Archive", "ArchivePolicy", "Key", "EvidenceKey"] {
        assert_eq!(resources[name]["DeletionPolicy"], "RetainExceptOnCreate", "{name}");
        assert_eq!(resources[name]["UpdateReplacePolicy"], "Retain", "{name}");
    }
    let archive = &resources["Archive"]["Properties"];
    assert_eq!(archive["VersioningConfiguration"]["Status"], "Enabled");
    let blocked = archive["PublicAccessBlockConfiguration"].as_object().unwrap();
    assert_eq!(blocked.len(), 4);
    assert!(blocked.values().all(|is_blocked| is_blocked == true), "{blocked:?}");
    let policy = statements(&resources["ArchivePolicy"]["Properties"]["PolicyDocument"]);
    let is_for_tls = |statement: &&&Value| {
        statement["Effect"] == "Deny"
            && statement["Action"] == "s3:*"
            && statement["Condition"] == json!({"Bool": {"aws:SecureTransport": "false"}})
    };
    let everything = json!([{"Fn::GetAtt": ["Archive", "Arn"]}, {"Fn::Sub": "${Archive.Arn}/*"}]);
    let tls = policy.iter().find(is_for_tls).expect("the archive is read over TLS alone");
    assert_eq!((&tls["Principal"], &tls["Resource"]), (&json!("*"), &everything));
}

pub(crate) fn no_version_of_a_raw_object_ends(template: &Value) {
    let rules = &resources(template)["Archive"]["Properties"]["LifecycleConfiguration"]["Rules"];
    let mut ending = BTreeSet::new();
    for rule in rules.as_array().unwrap() {
        assert!(
            !rule.as_object().unwrap().keys().any(|member| member.starts_with("Expiration")),
            "{rule}"
        );
        if rule.get("NoncurrentVersionExpiration").is_some() {
            ending.insert(rule["Prefix"].as_str().expect("it holds for the whole bucket"));
        }
    }
    assert_eq!(ending, BTreeSet::from(["findings/", "ledger/", "tables/"]));
}

pub(crate) fn every_audience_of_the_code_is_allowed(template: &Value) {
    for role in ["SignInLogsRole", "AuditLogsRole"] {
        let policies = resources(template)[role]["Properties"]["Policies"].as_array().unwrap();
        let statements = policies.iter().flat_map(|policy| statements(&policy["PolicyDocument"]));
        let token = statements
            .into_iter()
            .find(|statement| statement["Action"] == "sts:GetWebIdentityToken");
        let condition = &token.unwrap()["Condition"];
        let allowed = each(&condition["ForAllValues:StringEquals"]["sts:IdentityTokenAudience"]);
        let allowed: Vec<_> = allowed.into_iter().filter_map(Value::as_str).collect();
        assert_eq!(allowed, AUDIENCES, "{role}");
        assert_eq!(condition["Null"]["sts:IdentityTokenAudience"], "false", "{role}");
    }
}

/// Since 414, Trino takes a description for the comment by which it knows a view.
pub(crate) fn a_view_has_an_owner_and_no_description(template: &Value) {
    let tables = of_type(template, "AWS::Glue::Table");
    let views =
        tables.iter().filter(|(_, table)| table["TableInput"]["TableType"] == "VIRTUAL_VIEW");
    let mut count = 0;
    for (name, view) in views {
        let view = &view["TableInput"];
        assert_eq!(view.get("Description"), None, "{name}");
        assert_eq!(view["Owner"], "entratrail", "{name}");
        assert_eq!(view["PartitionKeys"], json!([]), "{name}");
        assert_eq!(view["StorageDescriptor"]["Location"], "", "{name}");
        count += 1;
    }
    assert!(count >= 7, "{count}");
}

pub(crate) fn two_stacks_of_one_account_share_no_name(template: &Value) {
    let resources = resources(template);
    let names = NAMES.map(|(_, member)| member);
    for (logical, resource) in resources {
        // A saved question has a name that others may have too.
        let is_question = resource["Type"] == "AWS::Athena::NamedQuery";
        for name in names.iter().filter_map(|name| resource["Properties"].get(name)) {
            let is_own = name.to_string().contains("AWS::StackName");
            assert!(is_own || is_question, "{logical} is called {name}");
        }
    }
    let dashboard = &resources["Dashboard"]["Properties"]["DashboardName"]["Fn::Sub"];
    assert_eq!(dashboard, "${AWS::StackName}-${AWS::Region}");
    let database = &resources["Database"]["Properties"]["DatabaseInput"]["Name"]["Fn::If"];
    assert_eq!(database[0], "NamesDatabase");
    // A stack of an earlier version keeps the database that it has.
    assert_eq!(database[2], json!({"Ref": "AWS::NoValue"}));
    let pattern = template["Parameters"]["DatabaseName"]["AllowedPattern"].as_str().unwrap();
    assert_eq!(pattern, "^([a-z][a-z0-9_]{0,127})?$");
}

/// Alarms that mail when they clear: those that say of the archive itself that it is whole again.
pub(crate) fn alarms_are_quiet_at_first(template: &Value) {
    let topic = json!([{"Ref": "FailureTopic"}]);
    for (name, alarm) in of_type(template, "AWS::CloudWatch::Alarm") {
        assert_eq!(alarm["AlarmActions"], topic, "{name}");
        let clears = name.ends_with("Missing") || name.ends_with("Unverified");
        assert_eq!(alarm.get("OKActions").is_some(), clears, "{name}");
        let warm_up = &alarm["WarmUpConfiguration"];
        let is_dead_man = alarm["TreatMissingData"] == "breaching";
        assert_eq!(is_dead_man, name.ends_with("Missing"), "{name}");
        assert_eq!(
            warm_up["OnlyStartEvaluatingAfterWarmUpPeriodEnds"] == true,
            is_dead_man,
            "{name}"
        );
        assert_eq!(warm_up["WarmUpPeriodDurationInMinutes"] == 2880, is_dead_man, "{name}");
    }
}

pub(crate) fn every_rule_that_mails_is_watched_by_an_alarm(template: &Value) {
    let rules: BTreeSet<_> =
        of_type(template, "AWS::Events::Rule").into_iter().map(|(name, _)| name).collect();
    let alarms = of_type(template, "AWS::CloudWatch::Alarm").into_iter();
    let watching = alarms.filter(|(_, alarm)| alarm["MetricName"] == "FailedInvocations");
    let watched = watching.map(|(_, alarm)| {
        assert_eq!(alarm["Namespace"], "AWS/Events");
        assert_eq!(alarm["Dimensions"][0]["Name"], "RuleName");
        alarm["Dimensions"][0]["Value"]["Ref"].as_str().unwrap()
    });
    assert_eq!(watched.collect::<BTreeSet<_>>(), rules);
}

/// `Findings=off` leaves out every part of it, and nothing else.
pub(crate) fn the_findings_can_be_left_out_as_a_whole(template: &Value) {
    let is_on = json!({"Fn::Equals": [{"Ref": "Findings"}, "on"]});
    assert_eq!(template["Conditions"]["TellsFindings"], is_on);
    for part in ["Resources", "Outputs"] {
        for (name, value) in template[part].as_object().unwrap() {
            let is_part = name.starts_with("Findings");
            assert_eq!(value["Condition"] == "TellsFindings", is_part, "{name}");
        }
    }
}

/// Athena takes about five new ones a second.
pub(crate) fn saved_questions_are_made_four_at_a_time(template: &Value) {
    let is_question = |name: &str| resources(template)[name]["Type"] == "AWS::Athena::NamedQuery";
    let questions = resources(template).iter().filter(|(name, _)| is_question(name));
    let first =
        questions.clone().filter(|(_, question)| question.get("DependsOn").is_none()).count();
    assert_eq!(first, 4);
    let mut followed = BTreeSet::new();
    for (name, question) in questions {
        let Some(before) = question["DependsOn"].as_str() else { continue };
        assert!(is_question(before), "{name}");
        assert!(followed.insert(before), "two questions wait for {before}");
    }
}

pub(crate) fn every_partition_has_a_console(template: &Value) {
    let partitions: Vec<_> =
        template["Mappings"]["Console"].as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(partitions, ["aws", "aws-cn", "aws-eusc", "aws-us-gov"]);
    assert_eq!(template["Outputs"]["QuickSightLink"]["Condition"], "KnowsQuickSightLink");
}

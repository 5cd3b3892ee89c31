//! Every rule about the text of the template: the template keeps it, and each way to break it is
//! seen.

use std::panic::catch_unwind;

use serde_json::{Value, json};

use crate::files::template;
use crate::{files, privileges, template as rules, upgrade};

/// A rule ends a test where the template breaks it.
type Rule = fn(&Value);

/// A place in the template, and what stands there instead; nothing where it is taken away.
#[derive(Debug)]
struct Change {
    path: String,
    instead: Option<Value>,
}

fn with(start: &str, rest: &str, value: impl Into<Value>) -> Change {
    Change { path: format!("{start}/{rest}"), instead: Some(value.into()) }
}

fn without(start: &str, rest: &str) -> Change {
    Change { path: format!("{start}/{rest}"), instead: None }
}

const KEY: &str = "Resources/Key/Properties/KeyPolicy/Statement";

fn own_account() -> Value {
    json!({"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}})
}

/// Each rule with the changes that break it.
fn table() -> Vec<(Rule, Vec<Change>)> {
    vec![
        (rules::mails_reach_the_topic, broken_mails()),
        (rules::raw_objects_are_never_replaced, broken_bucket_policy()),
        (rules::roles_write_under_a_condition, broken_writes()),
        (privileges::the_roles_allow_what_the_functions_do_and_nothing_else, broken_privileges()),
        (
            privileges::the_role_of_findings_asks_and_mails_and_nothing_else,
            broken_role_of_findings(),
        ),
        (rules::the_findings_can_be_left_out_as_a_whole, broken_leaving_out()),
        (
            rules::the_provisioning_logs_are_off_by_default_and_left_out_as_a_whole,
            broken_provisioning(),
        ),
        (privileges::no_role_reaches_beyond_its_own_log_and_parameters, broken_limits()),
        (rules::archive_and_key_outlive_the_stack, broken_retention()),
        (rules::no_version_of_a_raw_object_ends, broken_life_cycle()),
        (files::current_objects_never_end, broken_life_of_objects()),
        (rules::every_audience_of_the_code_is_allowed, broken_audiences()),
        (rules::a_view_has_an_owner_and_no_description, broken_views()),
        (rules::two_stacks_of_one_account_share_no_name, broken_names()),
        (rules::alarms_are_quiet_at_first, broken_alarms()),
        (rules::every_rule_that_mails_is_watched_by_an_alarm, broken_watch()),
        (files::every_alarm_tells_what_to_do_and_clears_by_itself, broken_advice()),
        (rules::saved_questions_are_made_four_at_a_time, broken_lanes()),
        (rules::every_partition_has_a_console, broken_consoles()),
        (files::every_parameter_is_explained_limited_and_in_a_group, broken_parameters()),
        (files::every_variable_of_the_functions_is_set, broken_variables()),
        (upgrade::an_update_loses_nothing, broken_upgrades()),
    ]
}

fn broken_mails() -> Vec<Change> {
    const TOPIC: &str = "Resources/FailureTopicPolicy/Properties/PolicyDocument/Statement";
    vec![
        with(KEY, "MailsOfRules/Condition", own_account()),
        with(TOPIC, "RulesPublish/Condition", own_account()),
        without(KEY, "MailsOfAlarms/Condition"),
        without(TOPIC, "AlarmsPublish/Condition"),
        without(KEY, "MailsOfRules"),
        without(TOPIC, "AlarmsPublish"),
        with(KEY, "MailsOfAlarms/Principal/Service", "lambda.amazonaws.com"),
        with("Resources/FailureTopic", "Properties/KmsMasterKeyId", json!({"Ref": "Other"})),
    ]
}

fn broken_bucket_policy() -> Vec<Change> {
    const POLICY: &str = "Resources/ArchivePolicy/Properties/PolicyDocument/Statement";
    vec![
        without("Resources", "ArchivePolicy/UpdateReplacePolicy"),
        with("Resources", "ArchivePolicy/DeletionPolicy", "Delete"),
        without(POLICY, "RawObjectsAreNeverReplaced"),
        with(POLICY, "RawObjectsAreNeverReplaced/Effect", "Allow"),
        without(POLICY, "RawObjectsAreNeverReplaced/Condition/Null"),
        without(POLICY, "RawObjectsAreNeverReplaced/Condition/Bool"),
        with(POLICY, "RawObjectsAreNeverReplaced/Condition/Null/s3:if-match", "true"),
        with(POLICY, "RawObjectsAreNeverReplaced/Principal", json!({"AWS": "*"})),
        without(POLICY, "LedgersAreReplacedByTheirReaders/Condition/Null/s3:if-match"),
        without(POLICY, "LedgersAreReplacedByTheirReaders"),
    ]
}

const SIGN_INS: &str =
    "Resources/SignInLogsRole/Properties/Policies/archive/PolicyDocument/Statement";
const AUDITS: &str = "Resources/AuditLogsRole/Properties/Policies/archive/PolicyDocument/Statement";
const FINDINGS: &str =
    "Resources/FindingsRole/Properties/Policies/archive/PolicyDocument/Statement";
const RUN: &str = "Resources/AuditLogsRole/Properties/Policies/run/PolicyDocument/Statement";

fn broken_writes() -> Vec<Change> {
    vec![
        without(SIGN_INS, "CreateItsObjects/Condition/Null"),
        without(AUDITS, "SendParts/Condition/Bool"),
        without(AUDITS, "ReplaceItsLedger/Condition/Null"),
        with(SIGN_INS, "ReplaceItsLedger/Resource", "arn:aws:s3:::bucket/raw/sign-ins/*"),
        without(SIGN_INS, "ReadItsLog/Condition"),
        without(AUDITS, "WriteItsTable/Condition/StringEquals"),
        with(AUDITS, "AbortItsUploads/Action", "s3:DeleteObject"),
        with(AUDITS, "WriteItsTable/Action", "s3:*"),
        without(SIGN_INS, "SendParts"),
        without(FINDINGS, "CreateItsMemory/Condition/Null"),
        without(FINDINGS, "ReplaceItsMemory/Condition/Null"),
        without(FINDINGS, "ReadItsMemory/Condition"),
        without(FINDINGS, "ReadTheCheckpoints/Condition"),
    ]
}

fn broken_privileges() -> Vec<Change> {
    vec![
        without(RUN, "WriteItsLog"),
        with(RUN, "ReadItsParameters/Action", "ssm:GetParametersByPath"),
        without(AUDITS, "AbortItsUploads"),
        with(SIGN_INS, "ReadItsLog/Action", "s3:GetObjectVersion"),
        with(
            RUN,
            "SignItsCheckpoints/Action",
            json!(["kms:Sign", "kms:GetPublicKey", "kms:Verify"]),
        ),
    ]
}

fn broken_role_of_findings() -> Vec<Change> {
    const POLICIES: &str = "Resources/FindingsRole/Properties/Policies";
    const ARCHIVE: &str = "archive/PolicyDocument/Statement";
    const ASK: &str = "ask/PolicyDocument/Statement";
    vec![
        without(POLICIES, &format!("{ASK}/AskInItsWorkgroup")),
        with(POLICIES, &format!("{ASK}/AskInItsWorkgroup/Action"), "athena:*"),
        with(POLICIES, &format!("{ASK}/AskInItsWorkgroup/Resource"), "*"),
        with(POLICIES, &format!("{ASK}/ReadTheCatalogue/Resource"), "*"),
        with(POLICIES, &format!("{ARCHIVE}/ReadTablesAndLedger/Resource"), "arn:aws:s3:::bucket/*"),
        with(
            POLICIES,
            &format!("{ARCHIVE}/CreateItsMemory/Resource"),
            "arn:aws:s3:::bucket/ledger/*",
        ),
        without(POLICIES, &format!("{ARCHIVE}/ReadTheCheckpoints")),
        with(
            POLICIES,
            &format!("{ARCHIVE}/ReadTheCheckpoints/Resource"),
            "arn:aws:s3:::${Bucket}/proof/sign-ins/checkpoints/12",
        ),
        with(POLICIES, &format!("{ARCHIVE}/ReplaceItsMemory/Action"), "s3:DeleteObject"),
        with(POLICIES, "run/PolicyDocument/Statement/SendMails/Resource", "*"),
        without(POLICIES, "run/PolicyDocument/Statement/UseTheKey"),
    ]
}

fn broken_leaving_out() -> Vec<Change> {
    vec![
        without("Resources", "FindingsFunction/Condition"),
        without("Resources", "FindingsMissing/Condition"),
        without("Resources", "FindingsCrashMail/Condition"),
        without("Outputs", "FindingsLogGroup/Condition"),
        with("Conditions", "TellsFindings/Fn::Equals/1", "off"),
    ]
}

fn broken_provisioning() -> Vec<Change> {
    vec![
        with("Parameters", "Provisioning/Default", "daily"),
        with("Conditions", "CollectsProvisioning/Fn::Equals/1", "off"),
        without("Conditions", "SignsEvidenceOfProvisioning/Fn::And/0"),
        without("Resources", "ProvisioningLogs/Condition"),
        with("Resources", "ProvisioningLogsUnsigned/Condition", "SignsEvidence"),
        without("Resources", "ProvisioningLogsExpired"),
        without("Outputs", "ProvisioningLogGroup/Condition"),
    ]
}

fn broken_limits() -> Vec<Change> {
    const OTHER: &str = "arn:aws:s3:::bucket/raw/sign-ins/*";
    vec![
        with(AUDITS, "ReadItsLog/Resource", OTHER),
        with(AUDITS, "WriteItsTable/Resource", "arn:aws:s3:::bucket/*"),
        with(RUN, "ReadItsParameters/Resource", "arn:aws:ssm:::parameter/*"),
        with(RUN, "UseTheKey/Resource", "*"),
        with(RUN, "SignItsCheckpoints/Resource", "*"),
        with(RUN, "ContinueInANewInvocation/Resource", "*"),
    ]
}

fn broken_retention() -> Vec<Change> {
    const ARCHIVE: &str = "Resources/Archive/Properties";
    vec![
        without("Resources", "Archive/DeletionPolicy"),
        with("Resources", "Archive/UpdateReplacePolicy", "Delete"),
        with("Resources", "Key/DeletionPolicy", "Delete"),
        without("Resources", "Key/UpdateReplacePolicy"),
        with("Resources", "EvidenceKey/DeletionPolicy", "Delete"),
        with("Resources", "Archive/Properties/VersioningConfiguration/Status", "Suspended"),
        with(ARCHIVE, "PublicAccessBlockConfiguration/BlockPublicPolicy", false),
        without("Resources", "ArchivePolicy/Properties/PolicyDocument/Statement/TlsOnly"),
    ]
}

const LIFE: &str = "Resources/Archive/Properties/LifecycleConfiguration/Rules";

fn broken_life_cycle() -> Vec<Change> {
    vec![
        without(LIFE, "replaced-versions/Prefix"),
        with(LIFE, "replaced-versions/Prefix", "raw/"),
        with(LIFE, "raw-to-cheaper-storage/ExpirationInDays", json!(3650)),
        with(LIFE, "raw-to-cheaper-storage/NoncurrentVersionExpiration", json!({})),
    ]
}

fn broken_life_of_objects() -> Vec<Change> {
    let ends = with(LIFE, "replaced-tables/ExpirationDate", "2036-01-01");
    vec![ends, without(LIFE, "unfinished-uploads")]
}

fn broken_audiences() -> Vec<Change> {
    const TOKEN: &str = "ProveWhoItIs/Condition";
    const ALLOWED: &str = "ForAllValues:StringEquals/sts:IdentityTokenAudience";
    vec![
        without(RUN, &format!("{TOKEN}/{ALLOWED}/1")),
        with(RUN, &format!("{TOKEN}/{ALLOWED}/0"), "api://AnyAudience"),
        without(RUN, &format!("{TOKEN}/Null")),
        without(RUN, "ProveWhoItIs"),
    ]
}

fn broken_views() -> Vec<Change> {
    const VIEW: &str = "Resources/SignInsLatest/Properties/TableInput";
    vec![
        with(VIEW, "Description", "The newest version of each sign-in"),
        without(VIEW, "Owner"),
        without(VIEW, "PartitionKeys"),
        without(VIEW, "StorageDescriptor/Location"),
    ]
}

fn broken_names() -> Vec<Change> {
    const DATABASE: &str = "Resources/Database/Properties/DatabaseInput/Name";
    vec![
        with("Resources", "Dashboard/Properties/DashboardName", json!({"Ref": "AWS::StackName"})),
        with("Resources", "Database/Properties/DatabaseInput/Name", "entratrail"),
        with(DATABASE, "Fn::If/2", "entratrail"),
        with("Parameters", "DatabaseName/AllowedPattern", "^[A-Za-z-]*$"),
        with("Resources", "Workgroup/Properties/Name", "entratrail"),
        with("Resources", "KeyAlias/Properties/AliasName", "alias/entratrail"),
        with("Resources", "SignInLogs/Properties/FunctionName", "sign-in-logs"),
        with("Resources", "FailureTopic/Properties/TopicName", "failures"),
    ]
}

fn broken_alarms() -> Vec<Change> {
    vec![
        without("Resources", "SignInLogsMissing/Properties/WarmUpConfiguration"),
        with(
            "Resources",
            "AuditLogsMissing/Properties/WarmUpConfiguration/WarmUpPeriodDurationInMinutes",
            json!(60),
        ),
        without("Resources", "SignInLogsMissing/Properties/OKActions"),
        with("Resources", "SignInLogsMissing/Properties/TreatMissingData", "missing"),
        with("Resources/SignInLogsThrottled", "Properties/OKActions", json!([])),
        with("Resources", "AuditLogsUnverified/Properties/AlarmActions", json!([])),
        with("Resources", "AuditLogsExpired/Properties/TreatMissingData", "breaching"),
    ]
}

fn broken_watch() -> Vec<Change> {
    const ALARM: &str = "Resources/SignInLogsCrashMailUndelivered/Properties";
    vec![
        without("Resources", "SignInLogsCrashMailUndelivered"),
        with(ALARM, "Dimensions/0/Value", json!({"Ref": "AuditLogsCrashMail"})),
        with(ALARM, "Namespace", "EntraTrail"),
        with(ALARM, "MetricName", "Invocations"),
    ]
}

fn broken_advice() -> Vec<Change> {
    const WORDS: &str = "Resources/SignInLogsThrottled/Properties/AlarmDescription";
    vec![
        with(WORDS, "Fn::Sub", "Graph told sign-in-logs to slow down. Clears by itself."),
        with(WORDS, "Fn::Sub", "Graph told it to slow down. Do: lower GraphRequestsPer10s."),
        without("Resources", "CredentialExpiring/Condition"),
        without("Resources", "SignInLogsExpired"),
    ]
}

fn broken_lanes() -> Vec<Change> {
    vec![
        without("Resources", "CoverageGaps/DependsOn"),
        with("Resources", "CoverageGaps/DependsOn", "Workgroup"),
    ]
}

fn broken_consoles() -> Vec<Change> {
    vec![without("Mappings", "Console/aws-eusc"), without("Outputs", "QuickSightLink/Condition")]
}

fn broken_parameters() -> Vec<Change> {
    vec![
        with("Parameters", "HistoryDays/Description", "Days"),
        without("Parameters", "HistoryDays/MinValue"),
        without("Parameters", "TargetRecords/Default"),
        without("Parameters", "AlarmEmail/ConstraintDescription"),
        without("Metadata", "AWS::CloudFormation::Interface/ParameterGroups/0/Parameters/0"),
    ]
}

fn broken_variables() -> Vec<Change> {
    vec![without("Globals", "Function/Environment/Variables/HISTORY_DAYS")]
}

fn broken_upgrades() -> Vec<Change> {
    vec![
        without("Resources", "FailureTopic"),
        with("Resources", "Key/Type", "AWS::KMS::ReplicaKey"),
        with("Resources", "Workgroup/Properties/Name", "another"),
        with("Resources", "SignInLogs/Properties/FunctionName", "another"),
        without("Parameters", "SavedQuestions"),
        with(
            "Resources",
            "AnotherAlias",
            json!({"Type": "AWS::KMS::Alias",
                "Properties": {"AliasName": {"Fn::Sub": "alias/${AWS::StackName}"}}}),
        ),
    ]
}

/// The place of a path: names of members, numbers of elements, or what an element is called.
/// Conditions are taken for what they hold.
fn place<'template>(value: &'template mut Value, step: &str) -> &'template mut Value {
    let Value::Array(elements) = value else {
        return value.get_mut(step).unwrap_or_else(|| panic!("the template has no {step} there"));
    };
    let place = number_of(elements, step);
    let element = &mut elements[place];
    if element.get("Fn::If").is_some() { &mut element["Fn::If"][1] } else { element }
}

fn number_of(elements: &[Value], step: &str) -> usize {
    let is_called = |element: &Value| {
        let element = element.get("Fn::If").map_or(element, |branches| &branches[1]);
        ["Sid", "Id", "PolicyName"].iter().any(|name| element[*name] == step)
    };
    let named = step.parse().ok().or_else(|| elements.iter().position(is_called));
    named.unwrap_or_else(|| panic!("the template has no {step} there"))
}

fn changed(template: &Value, change: &Change) -> Value {
    let Change { path, instead } = change;
    let mut changed = template.clone();
    let (parents, last) = path.rsplit_once('/').expect("a path has several steps");
    let parent = parents.split('/').fold(&mut changed, place);
    match (parent, instead) {
        (Value::Object(members), Some(value)) => {
            members.insert(last.to_owned(), value.clone());
        }
        (Value::Object(members), None) => {
            assert!(members.remove(last).is_some(), "the template has no {path}");
        }
        (Value::Array(elements), instead) => {
            let number = number_of(elements, last);
            match instead {
                Some(value) => elements[number] = value.clone(),
                None => drop(elements.remove(number)),
            }
        }
        (other, _) => panic!("{path} lies in {other}"),
    }
    assert_ne!(&changed, template, "{path} is as it was");
    changed
}

#[test]
fn the_template_keeps_every_rule_and_each_way_to_break_one_is_seen() {
    let template = template();
    let mut unseen = Vec::new();
    for (rule, changes) in table() {
        rule(&template);
        assert!(!changes.is_empty());
        for change in changes {
            let wrong = changed(&template, &change);
            if catch_unwind(|| rule(&wrong)).is_ok() {
                unseen.push(change);
            }
        }
    }
    assert!(unseen.is_empty(), "no rule sees these changes: {unseen:#?}");
}

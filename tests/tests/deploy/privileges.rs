//! Least privilege: what the functions call and what their roles allow, compared both ways.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::operator::checkout;
use entratrail::log::Log;

/// The crates that a function of the collector is made of, and that may call AWS.
const LIBRARY: [&str; 3] = ["entratrail", "archive", "lambda"];

/// The AWS clients of the library, by the names of their fields.
const CLIENTS: [&str; 5] = ["s3", "ssm", "sts", "lambda", "kms"];

/// Permissions that a call needs, as IAM names them.
const NEEDS: [(&str, &[&str]); 14] = [
    ("s3.get_object", &["s3:GetObject"]),
    ("s3.head_object", &["s3:GetObject"]),
    ("s3.put_object", &["s3:PutObject"]),
    ("s3.create_multipart_upload", &["s3:PutObject"]),
    ("s3.upload_part", &["s3:PutObject"]),
    ("s3.complete_multipart_upload", &["s3:PutObject"]),
    ("s3.abort_multipart_upload", &["s3:AbortMultipartUpload"]),
    ("s3.list_objects_v2", &["s3:ListBucket"]),
    ("ssm.get_parameter", &["ssm:GetParameter"]),
    ("ssm.put_parameter", &["ssm:PutParameter"]),
    ("sts.get_web_identity_token", &["sts:GetWebIdentityToken"]),
    ("lambda.invoke", &["lambda:InvokeFunction"]),
    ("kms.get_public_key", &["kms:GetPublicKey"]),
    ("kms.sign", &["kms:Sign"]),
];

/// The clients of the function that mails findings, and the calls of them; it writes its memory
/// through the library.
const CLIENTS_OF_FINDINGS: [&str; 2] = ["client", "sns"];
const CALLS_OF_FINDINGS: [(&str, &str); 5] = [
    ("client.get_query_execution", "athena:GetQueryExecution"),
    ("client.get_query_results", "athena:GetQueryResults"),
    ("client.start_query_execution", "athena:StartQueryExecution"),
    ("client.stop_query_execution", "athena:StopQueryExecution"),
    ("sns.publish", "sns:Publish"),
];

/// What it needs beyond its calls and [`DONE_BY_AWS`].
const MORE_FOR_FINDINGS: [(&str, &str); 11] = [
    ("glue:GetDatabase", "Athena looks the tables up for whoever asks"),
    ("glue:GetPartitions", "the same"),
    ("glue:GetTable", "the same"),
    ("glue:GetTables", "the same"),
    ("s3:AbortMultipartUpload", "Athena writes results, where ResultsBucket is set"),
    ("s3:GetBucketLocation", "Athena finds the bucket for whoever asks"),
    ("s3:GetObject", "Athena reads tables and ledger, the function its memory and checkpoints"),
    ("s3:ListBucket", "Athena lists tables and ledger"),
    ("s3:ListBucketMultipartUploads", "Athena writes results, where ResultsBucket is set"),
    ("s3:ListMultipartUploadParts", "the same"),
    ("s3:PutObject", "the function writes its memory"),
];

/// Permissions that services use in the name of the role, without a call in the code.
const DONE_BY_AWS: [(&str, &str); 5] = [
    ("kms:Decrypt", "SSM and S3 decrypt for the reader"),
    ("kms:GenerateDataKey", "S3 encrypts for the writer"),
    ("logs:CreateLogStream", "Lambda writes what the function prints"),
    ("logs:PutLogEvents", "Lambda writes what the function prints"),
    ("events:PutEvents", "Lambda reports failed invocations"),
];

fn rust_files(folder: &Path, found: &mut Vec<String>) {
    for entry in fs::read_dir(folder).expect("the library is there").flatten() {
        let path = entry.path();
        if path.is_dir() {
            rust_files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(fs::read_to_string(path).expect("source is text"));
        }
    }
}

/// Every call of one of these AWS clients in crates, as `client.operation`.
fn calls(crates: &[&str], clients: &[&str]) -> BTreeSet<String> {
    let mut sources = Vec::new();
    for name in crates {
        rust_files(&checkout().join("crates").join(name).join("src"), &mut sources);
    }
    let mut calls = BTreeSet::new();
    for source in sources {
        let dense: String = source.split_whitespace().collect();
        for client in clients {
            for (at, _) in dense.match_indices(&format!("{client}.")) {
                let is_field = !dense[..at]
                    .ends_with(|before: char| before.is_alphanumeric() || before == '_');
                let rest = &dense[at + client.len() + 1..];
                let operation: String = rest
                    .chars()
                    .take_while(|c| c.is_ascii_lowercase() || *c == '_' || *c == '2')
                    .collect();
                if is_field && rest[operation.len()..].starts_with("()") && operation != "clone" {
                    calls.insert(format!("{client}.{operation}"));
                }
            }
        }
    }
    calls
}

/// The SDKs of AWS services on which a crate stands.
fn clients_of(name: &str) -> Vec<String> {
    let manifest = checkout().join("crates").join(name).join("Cargo.toml");
    let manifest = fs::read_to_string(manifest).expect("the crate is there");
    let clients = manifest.lines().filter(|line| line.starts_with("aws-sdk-"));
    clients.map(str::to_owned).collect()
}

/// Action and resource of every statement that a role can have, whichever way conditions turn out.
fn allowed(role: &Value) -> BTreeMap<String, Vec<Value>> {
    let mut allowed: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    let policies = role["Properties"]["Policies"].as_array().expect("a role has policies");
    for statement in
        policies.iter().flat_map(|policy| policy["PolicyDocument"]["Statement"].as_array().unwrap())
    {
        // Of two branches, one is no statement.
        let branches =
            statement.get("Fn::If").and_then(Value::as_array).map(|branches| &branches[1..]);
        let found =
            branches.and_then(|branches| branches.iter().find(|one| one.get("Sid").is_some()));
        let statement = found.unwrap_or(statement);
        assert_eq!(statement["Effect"], "Allow");
        let actions = &statement["Action"];
        for action in actions.as_array().cloned().unwrap_or_else(|| vec![actions.clone()]) {
            allowed
                .entry(action.as_str().unwrap().to_owned())
                .or_default()
                .push(statement["Resource"].clone());
        }
    }
    allowed
}

pub(crate) fn the_roles_allow_what_the_functions_do_and_nothing_else(template: &Value) {
    let needs: BTreeMap<&str, &[&str]> = NEEDS.into();
    let calls = calls(&LIBRARY, &CLIENTS);
    assert_eq!(
        calls.iter().map(String::as_str).collect::<Vec<_>>(),
        needs.keys().copied().collect::<Vec<_>>()
    );
    let mut needed: BTreeSet<&str> =
        needs.values().flat_map(|actions| actions.iter().copied()).collect();
    needed.extend(DONE_BY_AWS.map(|(action, _)| action));
    for role in ["SignInLogsRole", "AuditLogsRole", "ProvisioningLogsRole"] {
        let allowed = allowed(&template["Resources"][role]);
        assert_eq!(allowed.keys().map(String::as_str).collect::<BTreeSet<_>>(), needed, "{role}");
    }
    let clients: BTreeSet<_> = LIBRARY.iter().flat_map(|name| clients_of(name)).collect();
    assert_eq!(
        clients.len(),
        CLIENTS.len(),
        "a client of another service: name it in CLIENTS, and what its calls need in NEEDS"
    );
}

/// The role of the function that mails findings reads what it asks about, and writes its memory
/// alone.
pub(crate) fn the_role_of_findings_asks_and_mails_and_nothing_else(template: &Value) {
    let calls = calls(&["findings"], &CLIENTS_OF_FINDINGS);
    assert_eq!(
        calls.iter().map(String::as_str).collect::<Vec<_>>(),
        CALLS_OF_FINDINGS.map(|(call, _)| call)
    );
    let allowed = allowed(&template["Resources"]["FindingsRole"]);
    let needed = CALLS_OF_FINDINGS.map(|(_, action)| action).into_iter();
    let needed =
        needed.chain(MORE_FOR_FINDINGS.iter().chain(&DONE_BY_AWS).map(|(action, _)| *action));
    assert_eq!(
        allowed.keys().map(String::as_str).collect::<BTreeSet<_>>(),
        needed.collect::<BTreeSet<_>>()
    );
    let clients = clients_of("findings");
    assert_eq!(clients.len(), 2, "a client of another service: {clients:?}");
    for (action, resources) in allowed {
        let resources = serde_json::to_string(&resources).unwrap();
        let folders: &[&str] = match action.as_str() {
            "s3:GetObject" => &["}/tables/*", "}/ledger/*", "${ResultsBucket}/*"],
            "s3:PutObject" | "s3:AbortMultipartUpload" | "s3:ListMultipartUploadParts" => {
                &["${ResultsBucket}/*"]
            }
            "glue:GetDatabase" | "glue:GetPartitions" | "glue:GetTable" | "glue:GetTables" => {
                &["table/${Database}/*"]
            }
            _ => &[],
        };
        let own: usize = folders.iter().map(|folder| resources.matches(folder).count()).sum();
        assert_eq!(
            (resources.matches('*').count(), own),
            (folders.len(), folders.len()),
            "{action} on {resources}"
        );
        // Of the signed logs the latest checkpoint alone, and to read.
        let checkpoints: usize = Log::ALL
            .map(|log| resources.matches(&format!("}}/proof/{}/checkpoint\"", log.name())).count())
            .iter()
            .sum();
        let wanted = if action == "s3:GetObject" { Log::ALL.len() } else { 0 };
        assert_eq!(
            (checkpoints, resources.matches("/proof").count()),
            (wanted, wanted),
            "{action} on {resources}"
        );
        let is_write = action == "s3:PutObject";
        assert_eq!(
            is_write,
            resources.matches("/findings/told.json").count() == 2,
            "{action} on {resources}"
        );
    }
}

pub(crate) fn no_role_reaches_beyond_its_own_log_and_parameters(template: &Value) {
    for (role, log, other) in [
        ("SignInLogsRole", "sign-ins", "audit"),
        ("AuditLogsRole", "directory-audits", "sign-in"),
        ("ProvisioningLogsRole", "provisioning", "audit"),
    ] {
        for (action, resources) in allowed(&template["Resources"][role]) {
            let resources = serde_json::to_string(&resources).unwrap();
            assert!(!resources.contains(other), "{role} may {action} on {resources}");
            match action.as_str() {
                "s3:GetObject" | "s3:PutObject" | "s3:AbortMultipartUpload" => {
                    let raw = format!("/raw/{log}/*");
                    let ledger = format!("/ledger/{log}/*");
                    let table = format!("/tables/{}/*", log.replace('-', "_"));
                    let check = format!("/checks/{log}/*");
                    let proof = format!("/proof/{log}/*");
                    let folders = match action.as_str() {
                        "s3:GetObject" => vec![raw, ledger, table, proof],
                        "s3:PutObject" => vec![raw, ledger, table, check, proof],
                        _ => vec![raw, table, check],
                    };
                    assert!(folders.iter().all(|folder| resources.contains(folder)), "{resources}");
                    let own = folders.iter().map(|folder| resources.matches(folder).count());
                    assert_eq!(resources.matches("/*").count(), own.sum::<usize>(), "{resources}");
                }
                // The only wildcard alone; the reason stands in the template, and the audience
                // limits it.
                "sts:GetWebIdentityToken" => assert_eq!(resources, r#"["*"]"#),
                _ => assert!(!resources.contains('*'), "{role} may {action} on {resources}"),
            }
        }
    }
    let policies = template["Resources"]["AuditLogsRole"]["Properties"]["Policies"].to_string();
    assert!(
        policies.contains("sts:IdentityTokenAudience")
            && policies.contains("api://AzureADTokenExchange")
    );
}

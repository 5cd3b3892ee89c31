//! The stack's part for each log that is collected only where somebody asks for it: the part of the
//! directory audits in other words, under a condition.

use super::camel;
use entratrail_records::log::Log;

/// Beginning of the names of the resources that are taken as the pattern.
const PATTERN: &str = "AuditLogs";

/// Resources of each optional log: function, log group, role, rules that mail, alarms.
pub(super) fn resources(template: &str) -> String {
    let pattern = pattern(template);
    Log::ALL
        .into_iter()
        .filter(|log| log.is_optional())
        .flat_map(|log| pattern.iter().map(move |resource| in_words_of(log, resource)))
        .collect()
}

/// The resources of the directory audits, each as its lines without comments.
fn pattern(template: &str) -> Vec<Vec<&str>> {
    let mut resources: Vec<Vec<&str>> = Vec::new();
    let mut is_inside = false;
    for line in template.lines() {
        if line.starts_with("  ") && line[2..].starts_with(|c: char| c.is_ascii_alphabetic()) {
            is_inside = line[2..].starts_with(PATTERN);
            if is_inside {
                resources.push(Vec::new());
            }
        }
        is_inside &= line.is_empty() || line.starts_with(' ');
        let is_text = !line.trim().is_empty() && !line.trim_start().starts_with('#');
        if let Some(resource) = resources.last_mut().filter(|_| is_inside && is_text) {
            resource.push(line);
        }
    }
    resources
}

/// The line of a resource that exists only where a condition of the log holds.
fn condition(beginning: &str, camel: &str) -> String {
    format!("    Condition: {beginning}{camel}\n")
}

/// A resource of `log`, which exists only where the parameter of its name says so.
fn in_words_of(log: Log, resource: &[&str]) -> String {
    let name = log.name();
    let camel = camel(name, '-');
    let is_conditional = resource.iter().any(|line| line.starts_with("    Condition: "));
    let mut text = String::new();
    for line in resource {
        if let Some(own) = line.strip_prefix("    Condition: ") {
            text.push_str(&condition(&format!("{own}Of"), &camel));
        } else {
            text.push_str(line);
            text.push('\n');
        }
        if line.starts_with("    Type: ") && !is_conditional {
            text.push_str(&condition("Collects", &camel));
        }
    }
    [
        ("directory audit logs", format!("{name} logs")),
        ("directory-audits", name.to_owned()),
        ("directory_audits", log.table().to_owned()),
        ("audit-logs", format!("{name}-logs")),
        ("AuditLogs", format!("{camel}Logs")),
        ("AuditSchedule", format!("{camel}Schedule")),
    ]
    .into_iter()
    .fold(text, |text, (word, other)| text.replace(word, &other))
        + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_resource_is_copied_in_other_words_and_under_a_condition() {
        let template = "\
Parameters:
  AuditSchedule:
    Type: String
Resources:
  AuditLogsLog:
    Type: AWS::Logs::LogGroup
    Properties:
      # A remark.
      Name: audit-logs of directory-audits, directory audit logs

  # Of the next one.
  Other:
    Type: AWS::Logs::LogGroup
  AuditLogsUnsigned:
    Type: AWS::CloudWatch::Alarm
    Condition: SignsEvidence
Outputs:
  AuditFunction:
    Value: !Ref AuditLogs
";
        assert_eq!(
            resources(template),
            "  ProvisioningLogsLog:
    Type: AWS::Logs::LogGroup
    Condition: CollectsProvisioning
    Properties:
      Name: provisioning-logs of provisioning, provisioning logs

  ProvisioningLogsUnsigned:
    Type: AWS::CloudWatch::Alarm
    Condition: SignsEvidenceOfProvisioning

"
        );
    }
}

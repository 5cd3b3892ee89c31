"""Prints, as JSON, the mail that the template's rules make of each record of a failure: those of failures.json for the functions
that read Graph, those of failures-findings.json for the one that mails findings.

Usage: render-mails.py TEMPLATE
"""

import json
import re
import sys
from pathlib import Path

from cfnlint.decode.cfn_yaml import load

VALUES = {
    "AWS::StackName": "entratrail",
    "AWS::AccountId": "111122223333",
    "AWS::Region": "eu-central-1",
    "AWS::Partition": "aws",
    "HistoryDays": "30",
    "Console": "console.aws.amazon.com",
    "SignInLogsLog": "entratrail-SignInLogsLog-Xy12",
    "FindingsLog": "entratrail-FindingsLog-Xy12",
    "FindingsFunction.Arn": "arn:aws:lambda:eu-central-1:111122223333:function:entratrail-findings",
    "AuditLogsLog": "entratrail-AuditLogsLog-Xy12",
    "ProvisioningLogsLog": "entratrail-ProvisioningLogsLog-Xy12",
    "SignInLogs.Arn": "arn:aws:lambda:eu-central-1:111122223333:function:entratrail-sign-in-logs",
    "AuditLogs.Arn": "arn:aws:lambda:eu-central-1:111122223333:function:entratrail-audit-logs",
    "ProvisioningLogs.Arn": "arn:aws:lambda:eu-central-1:111122223333:function:entratrail-provisioning-logs",
}


def substituted(value):
    """A Fn::Sub or Fn::GetAtt as CloudFormation resolves it."""
    if isinstance(value, dict) and "Fn::GetAtt" in value:
        attribute = value["Fn::GetAtt"]
        return VALUES[attribute if isinstance(attribute, str) else ".".join(attribute)]
    if isinstance(value, dict) and "Fn::Sub" in value:
        text = value["Fn::Sub"]
        text = text if isinstance(text, str) else text[0]
        return re.sub(r"\$\{([A-Za-z:.]+)\}", lambda name: VALUES[name[1]], text)
    return value


def matches(pattern, value, is_present=True):
    """Whether EventBridge would let the value through: the forms that the template uses."""
    if isinstance(pattern, dict):
        value = value if isinstance(value, dict) else {}
        return all(matches(rule, value.get(name), name in value) for name, rule in pattern.items())
    for rule in map(substituted, pattern):
        if isinstance(rule, dict) and "anything-but" in rule and is_present and value not in rule["anything-but"]:
            return True
        if isinstance(rule, dict) and rule.get("exists") is False and not is_present:
            return True
        if is_present and rule == value:
            return True
    return False


def looked_up(event, path):
    for step in path.removeprefix("$.").split("."):
        event = event.get(step, "") if isinstance(event, dict) else ""
    return str(event)


def rendered(rule, event):
    transformer = rule["Targets"][0]["InputTransformer"]
    paths = transformer["InputPathsMap"]
    return re.sub(
        r"<([a-z]+)>", lambda name: looked_up(event, paths[name[1]]), substituted(transformer["InputTemplate"])
    )


def event_of(function, failure):
    response = {} if failure is None else {"responsePayload": failure}
    return {
        "source": "lambda",
        "detail-type": "Lambda Function Invocation Result - Failure",
        "time": "2026-11-23T01:37:12Z",
        "detail": {
            "requestContext": {
                "requestId": "8d1b0c9e-3f6a-4f57-9a0e-5a7c2f1e6b34",
                "functionArn": VALUES[f"{function}.Arn"] + ":$LATEST",
                "condition": "EventAgeExceeded" if failure is None else "RetriesExhausted",
                "approximateInvokeCount": 0 if failure is None else 2,
            },
            **response,
        },
    }


def main():
    template = load(sys.argv[1])
    resources = template["Resources"].values()
    rules = [r["Properties"] for r in resources if r["Type"] == "AWS::Events::Rule"]
    mails = {}
    for function, log, file in [
        ("SignInLogs", "sign-ins", "failures"),
        ("AuditLogs", "audits", "failures"),
        ("ProvisioningLogs", "provisioning", "failures"),
        ("FindingsFunction", "findings", "failures-findings"),
    ]:
        failures = json.loads(Path(__file__).with_name(f"{file}.json").read_text())
        for name, failure in failures.items():
            event = event_of(function, failure)
            fitting = [rule for rule in rules if matches(rule["EventPattern"], event)]
            if len(fitting) != 1:
                sys.exit(f"{len(fitting)} rules mail {name} of {function}, where it must be one")
            mails[f"{name}-{log}"] = rendered(fitting[0], event)
    print(json.dumps(mails))


main()

#!/usr/bin/env python3
"""Says in words what a change set would do, and runs it.

Exit status of `list`: 0 the change set can be run; 3 it removes or replaces something.
"""

import argparse
import collections

import aws
import stack as stacks
from program import Refused, count, run, say

#: What people call the resources.
KINDS = {
    "AWS::Athena::NamedQuery": ("saved question", "saved questions"),
    "AWS::Athena::WorkGroup": ("Athena workgroup", "Athena workgroups"),
    "AWS::CloudWatch::Alarm": ("alarm", "alarms"),
    "AWS::CloudWatch::Dashboard": ("dashboard", "dashboards"),
    "AWS::Events::Rule": ("rule", "rules"),
    "AWS::Glue::Database": ("database", "databases"),
    "AWS::Glue::Table": ("table or view", "tables and views"),
    "AWS::IAM::Role": ("role", "roles"),
    "AWS::KMS::Alias": ("alias of the key", "aliases of keys"),
    "AWS::KMS::Key": ("key", "keys"),
    "AWS::Lambda::EventInvokeConfig": ("setting of retries", "settings of retries"),
    "AWS::Lambda::Function": ("function", "functions"),
    "AWS::Lambda::Permission": ("permission", "permissions"),
    "AWS::Logs::LogGroup": ("log of a function", "logs of functions"),
    "AWS::S3::Bucket": ("bucket", "buckets"),
    "AWS::S3::BucketPolicy": ("bucket policy", "bucket policies"),
    "AWS::SNS::Subscription": ("subscription", "subscriptions"),
    "AWS::SNS::Topic": ("topic", "topics"),
    "AWS::SNS::TopicPolicy": ("topic policy", "topic policies"),
}

NEW = "new"
CHANGED = "changed in place"
REPLACED = "replaced by a new one"
REMOVED = "removed"
KEPT = "no longer used, but kept"
ORDER = (NEW, CHANGED, REPLACED, REMOVED, KEPT)

#: Of these nothing may ever be lost.
PRECIOUS = ("AWS::S3::Bucket", "AWS::KMS::Key")


class Change:
    """One resource of a change set."""

    def __init__(self, answer):
        self.name = answer.get("LogicalResourceId", "")
        self.type = answer.get("ResourceType", "")
        self.policy = answer.get("PolicyAction", "")
        self.effect = self.effect_of(answer.get("Action", ""), answer.get("Replacement", ""))

    def effect_of(self, action, replacement):
        """What happens to it."""
        if action == "Add" or action == "Import":
            return NEW
        if action == "Remove":
            # The template has always kept bucket and key; not every CloudFormation says so.
            policy = self.policy or ("Retain" if self.type in PRECIOUS else "Delete")
            return KEPT if policy.startswith("Retain") else REMOVED
        # "Conditional" becomes known only while it happens; most often nothing is replaced.
        return REPLACED if replacement == "True" else CHANGED


def changes(name, change_set):
    """Every change of a change set."""
    answer = aws.call("cloudformation", "describe-change-set", "--stack-name", name,
                      "--change-set-name", change_set)
    return [Change(one["ResourceChange"]) for one in answer.get("Changes") or []
            if "ResourceChange" in one]


def lines(found):
    """The changes in words: counted where they are new, named where they touch what is there."""
    said = []
    for effect in ORDER:
        by_type = collections.OrderedDict()
        for change in found:
            if change.effect == effect:
                by_type.setdefault(change.type, []).append(change.name)
        for kind, names in by_type.items():
            one, many = KINDS.get(kind, (kind, kind))
            line = "  %s: %s" % (effect, count(len(names), one, many))
            named = effect != NEW and len(names) <= 8
            said.append(line + (" (%s)" % ", ".join(names) if named else ""))
    return said


def check_precious(found):
    """Refuses a change that would delete an archive or a key."""
    for change in found:
        if change.type in PRECIOUS and "Delete" in change.policy:
            raise Refused("this would delete the %s %s for good, which an update never does: leave"
                          " the settings of the archive and its key as they are"
                          % (KINDS[change.type][0], change.name))


def is_harmless(found):
    """Whether nothing that is there goes."""
    return all(change.effect in (NEW, CHANGED) for change in found)


def propose(name, log):
    """Lists the change set that a log of sam names; returns whether to ask first, or None where
    there is nothing to change."""
    change_set = stacks.change_set_of(log)
    if change_set is None:
        if "No changes to deploy" in log or "is up to date" in log:
            return None
        raise Refused("the deployment was refused, and nothing was changed: %s"
                      % stacks.refusal_of(log))
    found = changes(name, change_set)
    try:
        check_precious(found)
    except Refused:
        stacks.discard(name, change_set)
        raise
    say("What changes:")
    for line in lines(found):
        say(line)
    return not is_harmless(found)


def main():
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--stack", required=True, help="name of the stack")
    parser.add_argument("action", choices=["list", "run", "discard"])
    parser.add_argument("log", help="what sam deploy --no-execute-changeset printed")
    options = parser.parse_args()
    with open(options.log, errors="replace") as file:
        log = file.read()
    change_set = stacks.change_set_of(log)
    if options.action == "list":
        asks = aws.failing(propose, options.stack, log)
        if asks is None:
            say("The stack is as it should be; nothing to change")
        return 3 if asks else 0
    if options.action == "discard":
        if change_set is not None:
            aws.failing(stacks.discard, options.stack, change_set)
    elif change_set is not None:
        stacks.execute(options.stack, change_set)
    return 0


if __name__ == "__main__":
    run(main)

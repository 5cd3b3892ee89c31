#!/usr/bin/env python3
"""The stack as CloudFormation knows it: what its state allows, and how it is changed or removed."""

import argparse
import re

import aws
from program import PROGRESS, Failed, Refused, pauses, run, say

#: The functions that read Graph, each with its log, as the folder of the signed log is named.
LOGS = {"sign-in-logs": "sign-ins", "audit-logs": "directory-audits",
        "provisioning-logs": "provisioning"}
#: The function that mails findings.
FINDINGS = "findings"
#: How the outputs of a stack that are about a function begin.
OUTPUTS = {"sign-in-logs": "SignIn", "audit-logs": "Audit", "provisioning-logs": "Provisioning",
           FINDINGS: "Findings"}
#: Every program of a package.
FUNCTIONS = tuple(OUTPUTS)
#: Those that a stack can be without.
OPTIONAL = ("provisioning-logs", FINDINGS)

NEW = "new"
UPDATE = "update"
REMOVE_FIRST = "remove-first"
ROLL_BACK_FIRST = "roll-back-first"
FINISH_REMOVAL = "finish-removal"
BUSY = "busy"

#: What a deployment does with a stack in each state. A state that is not named and does not end in
#: _IN_PROGRESS can be updated.
DEPLOYMENTS = {
    # Made by a change set that was never run: the stack is empty.
    "REVIEW_IN_PROGRESS": NEW,
    "DELETE_COMPLETE": NEW,
    # Left by a first deployment that failed; CloudFormation lets such a stack only be deleted.
    "ROLLBACK_COMPLETE": REMOVE_FIRST,
    "ROLLBACK_FAILED": REMOVE_FIRST,
    "CREATE_FAILED": REMOVE_FIRST,
    "UPDATE_ROLLBACK_FAILED": ROLL_BACK_FIRST,
    "UPDATE_FAILED": ROLL_BACK_FIRST,
    "DELETE_FAILED": FINISH_REMOVAL,
}

NEVER_FINISHED = ("ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "CREATE_FAILED")


class Stack:
    """A stack that is there."""

    def __init__(self, name, answer):
        self.name = name
        self.status = answer.get("StackStatus", "")
        self.id = answer.get("StackId", name)
        self.parameters = {
            parameter["ParameterKey"]: parameter.get("ParameterValue", "")
            for parameter in answer.get("Parameters") or []
        }
        self.outputs = {
            output["OutputKey"]: output.get("OutputValue", "")
            for output in answer.get("Outputs") or []
        }

    def log_group(self, function):
        """The log group of a function."""
        return self.outputs.get(OUTPUTS[function] + "LogGroup", "")

    def functions(self):
        """The functions that this stack has."""
        return tuple(function for function in FUNCTIONS if function not in OPTIONAL
                     or self.outputs.get(OUTPUTS[function] + "Function"))

    def collectors(self):
        """The functions of this stack that read Graph."""
        return tuple(function for function in self.functions() if function in LOGS)

    def resources(self):
        """What the stack made: type and physical id by logical id."""
        answer = aws.call("cloudformation", "describe-stack-resources", "--stack-name", self.name)
        return {
            resource["LogicalResourceId"]: (
                resource.get("ResourceType", ""), resource.get("PhysicalResourceId", ""))
            for resource in answer.get("StackResources") or []
            if resource.get("ResourceStatus") != "DELETE_COMPLETE"
        }


def read(name):
    """The stack, or None where there is none. Every other error of AWS is raised."""
    answer = aws.call_if_there("cloudformation", "describe-stacks", "--stack-name", name)
    stacks = (answer or {}).get("Stacks") or []
    return Stack(name, stacks[0]) if stacks else None


def deployment(status):
    """What a deployment does with a stack in this state; `status` is empty where there is none."""
    if not status:
        return NEW
    busy = BUSY if status.endswith("_IN_PROGRESS") else UPDATE
    return DEPLOYMENTS.get(status, busy)


def deployable(stack):
    """The way in which this stack is deployed, or a refusal."""
    way = deployment(stack.status if stack else "")
    if way == BUSY:
        raise Refused("the stack %s is being changed by somebody else (%s); try again when that is"
                      " done" % (stack.name, stack.status))
    if way == FINISH_REMOVAL:
        raise Refused("the stack %s was to be removed, and that failed half-way (DELETE_FAILED):"
                      " finish it with --uninstall, then deploy again" % stack.name)
    return way


def needed(name):
    """The stack of an action that looks after one, or a refusal."""
    stack = aws.refusing(read, name)
    if stack is None or stack.status == "DELETE_COMPLETE":
        raise Refused('there is no stack "%s" in this account and region: deploy it first, or name'
                      " another with --stack" % name)
    if stack.status == "REVIEW_IN_PROGRESS":
        raise Refused('there is no stack "%s" yet: its first deployment was cut off'
                      " (REVIEW_IN_PROGRESS); run ./deploy.sh again" % name)
    if stack.status in NEVER_FINISHED:
        raise Refused('the first deployment of the stack "%s" failed (%s): run ./deploy.sh again,'
                      " which removes the remains first" % (name, stack.status))
    if stack.status.startswith("DELETE_"):
        raise Refused('the stack "%s" is being removed (%s)' % (name, stack.status))
    return stack


def describe_failure(name, since=None):
    """The first resource that failed in the newest change of the stack, in one sentence."""
    events = aws.call("cloudformation", "describe-stack-events", "--stack-name", name)
    failure = None
    for event in events.get("StackEvents") or []:  # newest first
        if since is not None and event.get("EventId") in since:
            break
        reason = event.get("ResourceStatusReason", "")
        if event.get("ResourceStatus", "").endswith("_FAILED") and "cancelled" not in reason:
            failure = "%s: %s" % (event.get("LogicalResourceId"), reason or "no reason given")
    return failure


def event_ids(name):
    """The events that are there already, so that an earlier failure is not taken for this one's."""
    events = aws.call_if_there(
        "cloudformation", "describe-stack-events", "--stack-name", name, "--max-items", "100")
    return {event.get("EventId") for event in (events or {}).get("StackEvents") or []}


def settle(name, gone_is_done=False):
    """Waits until nothing changes any more; returns the status, empty where the stack is gone."""
    status = ""
    for _ in pauses(5):
        try:
            stack = read(name)
            if stack is None:
                return ""
            status = stack.status
            if not status.endswith("_IN_PROGRESS"):
                return status
            PROGRESS.show(resources_done(stack, gone_is_done))
        except aws.AwsError as error:
            if error.kind not in (aws.THROTTLED, aws.UNREACHABLE):
                raise Failed("%s; the change of the stack goes on in AWS (%s)" % (error, status))


def resources_done(stack, removal):
    """How far the change is."""
    resources = aws.call("cloudformation", "describe-stack-resources", "--stack-name", stack.name)
    states = [one.get("ResourceStatus", "") for one in resources.get("StackResources") or []]
    done = sum(state.endswith("_COMPLETE") and (state.startswith("DELETE") or not removal)
               for state in states)
    return "  %d of %d resources are done" % (done, len(states))


def execute(name, change_set):
    """Runs a change set and waits; a failure has been rolled back by CloudFormation."""
    before = event_ids(name)
    aws.failing(aws.call, "cloudformation", "execute-change-set", "--change-set-name", change_set,
                "--stack-name", name)
    status = aws.failing(settle, name)
    if status in ("CREATE_COMPLETE", "UPDATE_COMPLETE"):
        return
    reason = aws.failing(describe_failure, name, before) or "an unknown reason (%s)" % status
    if status == "UPDATE_ROLLBACK_FAILED":
        raise Failed("the deployment failed because of %s, and so did its rollback (%s): run"
                     " ./deploy.sh again, which continues the rollback" % (reason, status))
    raise Failed("the deployment was rolled back, because of %s" % reason)


def discard(name, change_set):
    """Deletes a change set that is not wanted, and the empty stack that it made."""
    aws.call_if_there("cloudformation", "delete-change-set", "--change-set-name", change_set,
                      "--stack-name", name)
    stack = read(name)
    if stack is not None and stack.status == "REVIEW_IN_PROGRESS":
        aws.call("cloudformation", "delete-stack", "--stack-name", name)


def remove(name):
    """Removes the stack and waits until it is gone."""
    before = aws.failing(event_ids, name)
    aws.failing(aws.call, "cloudformation", "delete-stack", "--stack-name", name)
    status = aws.failing(settle, name, True)
    if status and status != "DELETE_COMPLETE":
        reason = aws.failing(describe_failure, name, before) or "see the CloudFormation console"
        raise Failed("the stack %s could not be removed (%s): %s; put that right and run the same"
                     " command again" % (name, status, reason))


def roll_back(stack):
    """Brings a stack whose update was left half-way back to where it was before."""
    operation = "rollback-stack" if stack.status == "UPDATE_FAILED" else "continue-update-rollback"
    say("The last change of %s stopped half-way (%s); bringing it back first"
        % (stack.name, stack.status))
    before = aws.failing(event_ids, stack.name)
    aws.failing(aws.call, "cloudformation", operation, "--stack-name", stack.name)
    status = aws.failing(settle, stack.name)
    if status != "UPDATE_ROLLBACK_COMPLETE":
        reason = aws.failing(describe_failure, stack.name, before) or status
        raise Failed("the stack %s could not be brought back (%s): put right %s, then run"
                     " ./deploy.sh again" % (stack.name, status, reason))


def clear_way(name):
    """Leaves a stack that can be deployed, whatever an earlier deployment left."""
    stack = aws.refusing(read, name)
    way = deployable(stack)
    if way == REMOVE_FIRST:
        say("Removing what a first deployment that failed has left (%s)" % stack.status)
        remove(name)
    elif way == ROLL_BACK_FIRST:
        roll_back(stack)


def change_set_of(log):
    """The change set that `sam deploy --no-execute-changeset` made, or None where it made none."""
    found = re.findall(r"arn:[a-z-]+:cloudformation:[^\s]*:changeSet/[^\s]+", log)
    return found[-1] if found else None


def refusal_of(log):
    """Why `sam deploy` made no change set: the last line that names an error."""
    lines = [line.strip() for line in log.splitlines() if line.strip()]
    named = [line for line in lines if re.search(r"error|fail|reason", line, re.IGNORECASE)]
    return (named or lines or ["sam said nothing"])[-1][:500]


def next_lines(stack, region, is_first):
    """What a person does next."""
    same = "./deploy.sh --stack %s --region %s" % (stack.name, region)
    outputs = stack.outputs
    steps = []
    if is_first:
        steps.append("Open the link in the mail from AWS to %s; before that, no failure mail"
                     " arrives." % stack.parameters.get("AlarmEmail", ""))
    steps.append("%s --status           last runs, coverage, alarms" % same)
    if outputs.get("DashboardLink"):
        steps.append("Dashboard: %s" % outputs["DashboardLink"])
    if outputs.get("QueryEditorLink"):
        steps.append("Questions: %s, workgroup %s" % (
            outputs["QueryEditorLink"], outputs.get("QueryWorkgroup", "")))
    yield ""
    logs = "all three" if "provisioning-logs" in stack.functions() else "both"
    yield ("Done. The archive is s3://%s; %s logs are read every day from now on."
           % (outputs.get("ArchiveBucket", ""), logs))
    for number, step in enumerate(steps, 1):
        yield "  %d. %s" % (number, step)


def main():
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--stack", required=True, help="name of the stack")
    actions = parser.add_subparsers(dest="action", required=True)
    actions.add_parser("need", help="refuse unless the stack is there and was finished once")
    actions.add_parser("clear-way", help="remove or roll back what stands in a deployment's way")
    value = actions.add_parser("value", help="print a parameter or an output of the stack")
    value.add_argument("name")
    steps = actions.add_parser("next", help="say what a person does next")
    steps.add_argument("had_stack", choices=["true", "false"], help="whether this was an update")
    steps.add_argument("--region", required=True)
    values = parser.parse_args()
    if values.action == "need":
        needed(values.stack)
    elif values.action == "clear-way":
        clear_way(values.stack)
    elif values.action == "next":
        is_first = values.had_stack == "false"
        for line in next_lines(needed(values.stack), values.region, is_first):
            say(line)
    else:
        stack = needed(values.stack)
        print(stack.outputs.get(values.name, stack.parameters.get(values.name, "")))


if __name__ == "__main__":
    run(main)

#!/usr/bin/env python3
"""Shows how a stack is doing: last runs, what is left to read, coverage, mails, alarms."""

import argparse
import datetime
import tempfile
import time

import answers
import aws
import functions
import stack as stacks
import subscriptions
from program import count, note, run, say

WEEK = 7 * 24 * 3600
RUNS = 10


def days_ago(days):
    """A day as an event names it."""
    today = datetime.datetime.now(datetime.timezone.utc).date()
    return str(today - datetime.timedelta(days))


def show_runs(stack, function):
    """The last runs of a function."""
    say("")
    say("%s, runs of the last 7 days:" % function)
    answer = aws.call_if_there(
        "logs", "filter-log-events", "--log-group-name", stack.log_group(function), "--start-time",
        int((time.time() - WEEK) * 1000), "--filter-pattern", '"remainingWindows"')
    events = (answer or {}).get("events") or []
    reports = answers.reports(events)
    for milliseconds, report in reports[-RUNS:]:
        for line in answers.run_lines(report, milliseconds):
            say(line)
    cut = answers.unreadable(events)
    if cut:
        say("  %s too long to be read here" % count(cut, "report was", "reports were"))
    if not reports and not cut:
        say("  none")


def show_coverage(stack, function):
    """What is due now, and what is known of the whole history."""
    name = "%s-%s" % (stack.name, function)
    try:
        due = functions.invoke(name, {"dryRun": True})["remainingWindows"]
        say("  due now: %s" % (count(due, "window") if due else "nothing"))
        days = int(stack.parameters.get("HistoryDays") or 30)
        plan = {"dryRun": True, "from": days_ago(days), "to": days_ago(0)}
        report = functions.invoke(name, plan)
    except functions.FunctionFailed as error:
        say("  %s" % error)
        return
    counts = answers.coverage(report)
    is_short = answers.is_cut(report)
    say("  coverage of the last %d days%s:"
        % (days, ", as far as it is listed" if is_short else ""))
    for line in answers.coverage_lines(report):
        say(line)
    if not counts:
        say("    none")


def show_evidence(stack, function):
    """The latest checkpoint of the signed log of a function, where there is one."""
    if stack.parameters.get("Evidence", "none") == "none":
        return
    key = "proof/%s/checkpoint" % stacks.LOGS[function]
    with tempfile.NamedTemporaryFile() as file:
        answer = aws.call_if_there("s3api", "get-object", "--bucket",
                                   stack.outputs.get("ArchiveBucket", ""), "--key", key, file.name)
        lines = file.read().decode(errors="replace").split("\n")
    if answer is None or len(lines) < 3:
        say("  signed log: no checkpoint yet")
        return
    say("  signed log: %s of %s, published %s" % (
        count(int(lines[1]) if lines[1].isdigit() else 0, "entry", "entries"), lines[0],
        answer.get("LastModified", "")))
    say("    root %s" % lines[2])


def show_findings(stack):
    """The last runs of the function that mails findings."""
    say("")
    if stacks.FINDINGS not in stack.functions():
        say("findings: not told (Findings=off)")
        return
    say("findings, runs of the last 7 days:")
    answer = aws.call_if_there(
        "logs", "filter-log-events", "--log-group-name", stack.log_group(stacks.FINDINGS),
        "--start-time", int((time.time() - WEEK) * 1000), "--filter-pattern", '"scannedBytes"')
    lines = answers.findings_lines((answer or {}).get("events") or [])
    for line in lines[-RUNS:] or ["  none"]:
        say(line)


def show_mails(stack):
    """Whether anybody is told."""
    say("")
    say("Mails:")
    say("  %s" % subscriptions.report(stack)[1])


def show_alarms(stack):
    """The state of each alarm."""
    say("")
    say("Alarms:")
    answer = aws.call("cloudwatch", "describe-alarms", "--alarm-name-prefix", stack.name + "-")
    for alarm in answer.get("MetricAlarms") or []:
        say("  %-18s %s" % (alarm["StateValue"], alarm["AlarmName"]))


def show(name):
    """Everything. What cannot be seen is said, and the rest is shown all the same."""
    stack = stacks.needed(name)
    say("Stack %s: %s; archive s3://%s"
        % (name, stack.status, stack.outputs.get("ArchiveBucket", "")))
    hidden = 0
    parts = [(part, (stack, function)) for function in stack.collectors()
             for part in (show_runs, show_coverage, show_evidence)]
    for part, arguments in parts + [
            (show_findings, (stack,)), (show_mails, (stack,)), (show_alarms, (stack,))]:
        try:
            part(*arguments)
        except aws.AwsError as error:
            if error.kind in (aws.EXPIRED, aws.NO_CREDENTIALS):
                raise
            note(str(error))
            hidden += 1
    return 1 if hidden else 0


def main():
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--stack", required=True, help="name of the stack")
    return aws.failing(show, parser.parse_args().stack)


if __name__ == "__main__":
    run(main)

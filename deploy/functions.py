#!/usr/bin/env python3
"""Starts the functions and says what they answer: checks, plans, runs."""

import argparse
import datetime
import json
import os
import tempfile
import time

import answers
import aws
import stack as stacks
import subscriptions
from program import PROGRESS, Failed, count, note, pauses, run, say

#: Seconds between looks at a run that goes on in AWS.
LOOK_EVERY = 15
#: Seconds without any progress after which nobody waits any longer. One invocation may take 900
#: without finishing a window, and Lambda repeats a failed one after 60.
PATIENCE = 1200
#: Times that a look may fail before it is taken for serious.
FAILED_LOOKS = 20
#: Looks for Entra to accept what was just entered there: half an hour.
CREDENTIAL_LOOKS = 120

SCHEDULED = os.path.join(
    os.path.dirname(os.path.abspath(__file__)), "..", "events", "scheduled.json")


class FunctionFailed(Exception):
    """A function answered with an error; the text is its own sentence."""


def now():
    """The present instant as events name it."""
    return datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def payload(event, folder):
    """An event as both versions of the AWS command line take it."""
    path = os.path.join(folder, "event.json")
    with open(path, "w") as file:
        json.dump(event, file)
    return "fileb://%s" % path


def invoke(name, event):
    """Runs a function to its end and returns its answer. Only for what takes seconds: many networks
    cut a connection that is silent for some minutes."""
    with tempfile.TemporaryDirectory() as folder:
        answer = os.path.join(folder, "answer.json")
        status = aws.call(
            "lambda", "invoke", "--function-name", name, "--cli-read-timeout", 330, "--payload",
            payload(event, folder), answer, attempts=1)
        with open(answer) as file:
            text = file.read()
    body = json.loads(text) if text.strip() else {}
    if status.get("FunctionError"):
        raise FunctionFailed(body.get("errorMessage") or "the function ended without a reason")
    return body


def start(name, event):
    """Starts a function and does not wait for it."""
    with tempfile.TemporaryDirectory() as folder:
        aws.call("lambda", "invoke", "--function-name", name, "--invocation-type", "Event",
                 "--payload", payload(event, folder), os.path.join(folder, "answer.json"))


def check(stack):
    """Prints what works, and returns whether everything does."""
    works = True
    for function in stack.functions():
        say("%s:" % function)
        try:
            answer = invoke("%s-%s" % (stack.name, function), {"check": True})
        except FunctionFailed as error:
            say("  FAILED  %s" % error)
            works = False
            continue
        for line in answers.check_lines(answer):
            say(line)
        works = works and answer.get("ok") is True
    return works


def check_all(name):
    """The check of --check: the functions, and whether mails arrive."""
    stack = stacks.needed(name)
    works = check(stack)
    is_in, said = subscriptions.report(stack)
    say("mails:")
    say("  %-6s  %s" % ("ok" if is_in == subscriptions.CONFIRMED else "FAILED", said))
    if not works or is_in != subscriptions.CONFIRMED:
        raise Failed("not everything works; the lines marked FAILED say what")


def await_credential(stack):
    """Waits until Entra accepts what was just entered there."""
    say("Waiting for Entra to accept it; Ctrl-C stops waiting, and ./deploy.sh --check continues")
    collectors = stacks.needed(stack).collectors()
    for _ in range(CREDENTIAL_LOOKS):
        refusals = [refusal for refusal in map(
            lambda function: credential_refusal("%s-%s" % (stack, function)), collectors)
            if refusal]
        if not refusals:
            PROGRESS.end()
            return
        PROGRESS.show("  not yet (%s)" % refusals[0][:100])
        time.sleep(LOOK_EVERY)
    raise Failed("Entra still refuses: %s" % refusals[0])


def credential_refusal(name):
    """Why Entra refuses the credential of a function; nothing where it does not."""
    try:
        checks = invoke(name, {"check": True}).get("checks") or []
    except FunctionFailed as error:
        return str(error)
    return next((one["answer"] for one in checks if one["name"] == "credential" and not one["ok"]),
                "")


class Watch:
    """A run that goes on in AWS: what is left, and what its log says."""

    def __init__(self, stack, function, plan):
        self.stack = stack
        self.name = "%s-%s" % (stack.name, function)
        self.group = stack.log_group(function)
        self.plan = plan
        self.since = int(time.time() * 1000) - 60_000
        self.earlier = {identity(event) for event in self.events()}

    def events(self):
        """What the log has of reports since a minute before the start; clocks differ."""
        answer = aws.call(
            "logs", "filter-log-events", "--log-group-name", self.group, "--start-time", self.since,
            "--filter-pattern", '"remainingWindows"')
        return answer.get("events") or []

    def reports(self):
        """Reports of this run."""
        new = [event for event in self.events() if identity(event) not in self.earlier]
        return [report for _, report in answers.reports(new)]

    def left(self):
        """Windows that are left."""
        return invoke(self.name, self.plan)["remainingWindows"]


def identity(event):
    """A log event's own id."""
    return event.get("eventId") or (event.get("timestamp"), event.get("message"))


def run_all(name, span):
    """Reads what is due, or a span, with one function after the other: they share Graph's limit."""
    stack = stacks.needed(name)
    for function in stack.collectors():
        run_function(stack, function, span)


def run_function(stack, function, span):
    """Starts one function and watches until nothing is left."""
    say("%s: reading" % function)
    if span:
        event = {"from": span[0], "to": span[1], "askedAt": now()}
        plan = dict(event, dryRun=True)
    else:
        with open(SCHEDULED) as file:
            event = json.load(file)
        plan = {"dryRun": True}
    watch = Watch(stack, function, plan)
    try:
        left = watch.left()
    except FunctionFailed as error:
        raise Failed("%s: %s" % (function, error))
    # A run that is started and not waited for cannot say that Entra refuses it.
    refusal = credential_refusal(watch.name)
    if refusal:
        raise Failed("%s: %s" % (function, refusal))
    if left == 0 and not span:
        say("  nothing is left to read")
        return
    PROGRESS.show("  %s left" % count(left, "window"))
    start(watch.name, event)
    new = follow(watch, function, left)
    PROGRESS.end()
    say("  %snothing is left to read" % ("" if new is None else "%d records were new; " % new))


def follow(watch, function, left):
    """Watches a run to its end; returns how many records were new, as far as its log says so."""
    moved_at = time.monotonic()
    seen = 0
    failed_looks = 0
    looks_after_end = 0
    for _ in pauses(LOOK_EVERY):
        try:
            left_now = watch.left() if left else 0
            reports = watch.reports()
            failed_looks = 0
        except (aws.AwsError, FunctionFailed) as error:
            failed_looks += 1
            give_up_looking(function, error, failed_looks)
            continue
        if left_now != left or len(reports) != seen:
            moved_at, left, seen = time.monotonic(), left_now, len(reports)
        if left == 0:
            # The last ledger row is written a moment before the run reports, and logs take a while.
            looks_after_end += 1
            if reports and reports[-1]["remainingWindows"] == 0 or looks_after_end > 3:
                return sum(one.get("new", 0) for one in reports) if reports else None
        PROGRESS.show("  %s left" % count(left, "window"))
        stop_on_failures(function, reports)
        if time.monotonic() - moved_at > PATIENCE:
            raise Failed("%s: %s left, and nothing has moved for %d minutes; ./deploy.sh --status"
                         " says more, and the next daily run continues"
                         % (function, count(left, "window"), PATIENCE // 60))


def stop_on_failures(function, reports):
    """Fails once Lambda's second attempt has read no more than the first: nobody tries a third time
    before the next day."""
    if len(reports) < 2 or reports[-1]["remainingWindows"] != reports[-2]["remainingWindows"]:
        return
    failed = answers.failed_windows(reports[-1])
    if failed:
        raise Failed("%s: %s from %s could not be read: %s" % (
            function, failed[0]["stream"], failed[0]["start"], failed[0]["error"]))
    raise Failed("%s: two runs in a row read nothing, and %s left; ./deploy.sh --check says why"
                 % (function, count(reports[-1]["remainingWindows"], "window")))


def give_up_looking(function, error, failed_looks):
    """Says what becomes of a run that cannot be watched any more; returns where looking goes on."""
    kind = getattr(error, "kind", "")
    if kind in (aws.EXPIRED, aws.NO_CREDENTIALS):
        raise Failed("your AWS credentials have expired, so nobody watches any more; reading goes"
                     " on in AWS (%s), and ./deploy.sh --status shows it once you have new ones"
                     % function)
    if failed_looks >= FAILED_LOOKS or kind == aws.DENIED:
        raise Failed("%s goes on in AWS, but it cannot be watched (%s); ./deploy.sh --status shows"
                     " it" % (function, error))
    if failed_looks == 1:
        note("one look at %s failed (%s); still watching" % (function, error))


def main():
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--stack", required=True, help="name of the stack")
    actions = parser.add_subparsers(dest="action", required=True)
    actions.add_parser("check", help="say what works, and whether mails arrive")
    actions.add_parser("try", help="say what works in the functions alone")
    actions.add_parser("await-credential", help="wait until Entra accepts the credential")
    runs = actions.add_parser("run", help="read what is due, or a span")
    runs.add_argument("span", nargs="*", help="FROM and TO, which is not read itself")
    options = parser.parse_args()
    if options.action == "run":
        aws.failing(run_all, options.stack, options.span)
    elif options.action == "check":
        aws.failing(check_all, options.stack)
    elif options.action == "await-credential":
        aws.failing(await_credential, options.stack)
    elif not aws.failing(check, stacks.needed(options.stack)):
        raise Failed("not everything works; the lines marked FAILED say what")


if __name__ == "__main__":
    run(main)

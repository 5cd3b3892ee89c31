#!/usr/bin/env python3
"""Tries in the account itself what no emulator can promise, and says plainly what passed.

It leaves one marked object of two parts, checks/self-test, in the archive, and one failure mail.
Nothing that is archived is touched. Questions cost what they scan: some cents at most.
"""

import argparse
import datetime
import hashlib
import json
import os
import tempfile
import time

import aws
import functions
import stack as stacks
import subscriptions
from program import PROGRESS, Failed, count, pauses, run, say

KEY = "checks/self-test"
#: S3 takes no part below 5 MiB but the last.
PARTS = (5 * 1024 * 1024, 1024)
#: Questions that Athena is asked at once; an account may run 20.
AT_ONCE = 5
QUESTION_PATIENCE = 600
#: Lambda repeats a failed run after a minute; metrics of SNS come some minutes later.
MAIL_PATIENCE = 600


class Fault(Exception):
    """What did not pass, in one sentence."""


class Unseen(Exception):
    """What only a person can see, in one sentence."""


def part(number):
    """A part that is the same each time, so that what is read back can be compared."""
    block = hashlib.sha256(b"EntraTrail self-test, part %d" % number).digest()
    return (block * (PARTS[number - 1] // len(block) + 1))[:PARTS[number - 1]]


def object_of_two_parts(stack, account, _):
    """An object of two parts is written once, with checksums, and read back."""
    place = ("--bucket", stack.outputs["ArchiveBucket"], "--key", KEY)
    owner = ("--expected-bucket-owner", account)
    begun = aws.call("s3api", "create-multipart-upload", *place, *owner, "--checksum-algorithm",
                     "CRC32", "--metadata", "written-by=entratrail-self-test")
    upload = (*place, *owner, "--upload-id", begun["UploadId"])
    there = False
    try:
        with tempfile.TemporaryDirectory() as folder:
            complete(upload, folder)
    except aws.AwsError as error:
        aws.call("s3api", "abort-multipart-upload", *upload)
        there = error.code == "PreconditionFailed" or "(412)" in error.text
        if not there:
            raise
    read_back(place + owner)
    if there:
        return "was there from an earlier test, was not written again, and reads back the same"
    return "was written and reads back the same"


def complete(upload, folder):
    """Uploads the parts and completes the object, unless there is one already."""
    done = []
    for number in range(1, len(PARTS) + 1):
        path = os.path.join(folder, "part")
        with open(path, "wb") as file:
            file.write(part(number))
        answer = aws.call("s3api", "upload-part", *upload, "--part-number", number, "--body", path,
                          "--checksum-algorithm", "CRC32")
        done.append({"PartNumber": number, "ETag": answer["ETag"],
                     "ChecksumCRC32": answer.get("ChecksumCRC32")})
    path = os.path.join(folder, "parts.json")
    with open(path, "w") as file:
        json.dump({"Parts": [{k: v for k, v in one.items() if v} for one in done]}, file)
    aws.call("s3api", "complete-multipart-upload", *upload, "--multipart-upload", "file://" + path,
             "--if-none-match", "*")


def read_back(place):
    """Reads the object and compares it."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "object")
        aws.call("s3api", "get-object", *place, path)
        if not os.path.exists(path):
            raise Fault("S3 gave nothing back")
        with open(path, "rb") as file:
            read = file.read()
    if read != b"".join(part(number) for number in range(1, len(PARTS) + 1)):
        raise Fault("what was read back is not what was written")


def failure_mail(stack, _, patience):
    """A run that fails ends as a mail."""
    topic, address = subscriptions.address_of(stack)
    is_in = subscriptions.state(topic, address)
    if is_in != subscriptions.CONFIRMED:
        raise Fault(subscriptions.words(is_in, address))
    topic_name = topic.split(":")[-1]
    rules = [physical for kind, physical in stack.resources().values()
             if kind == "AWS::Events::Rule"]
    since = datetime.datetime.now(datetime.timezone.utc)
    # CloudWatch counts by the minute, and this one may have seen other mails.
    before = mails(rules, topic_name, since)
    functions.start("%s-audit-logs" % stack.name, {"selfTest": True})
    deadline = time.monotonic() + patience
    for _ in pauses(15):
        delivered, failed = mails(rules, topic_name, since)
        if failed > before[1]:
            raise Fault("EventBridge or SNS could not deliver the mail: look at the policies of the"
                        " topic %s and of its key" % topic)
        if delivered > before[0]:
            return "SNS has delivered a mail to %s; it names the failure \"Event\"" % address
        if time.monotonic() > deadline:
            raise Unseen("SNS has not counted a delivery yet: a mail that names the failure"
                         " \"Event\" of %s-audit-logs must be at %s within five minutes"
                         % (stack.name, address))
        PROGRESS.show("  waiting for the mail")


def mails(rules, topic, since):
    """How many mails SNS delivered since then, and how many it or EventBridge could not."""
    failed = [metric("AWS/Events", "FailedInvocations", "RuleName", rule, since) for rule in rules]
    failed.append(metric("AWS/SNS", "NumberOfNotificationsFailed", "TopicName", topic, since))
    delivered = metric("AWS/SNS", "NumberOfNotificationsDelivered", "TopicName", topic, since)
    return delivered, sum(failed)


def metric(namespace, name, dimension, value, since):
    """The sum of a metric since then."""
    until = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(minutes=1)
    answer = aws.call(
        "cloudwatch", "get-metric-statistics", "--namespace", namespace, "--metric-name", name,
        "--dimensions", "Name=%s,Value=%s" % (dimension, value), "--statistics", "Sum", "--period",
        60, "--start-time", since.strftime("%Y-%m-%dT%H:%M:00Z"), "--end-time",
        until.strftime("%Y-%m-%dT%H:%M:00Z"))
    return sum(point.get("Sum", 0) for point in answer.get("Datapoints") or [])


def saved_questions(stack, _, __):
    """Every saved question is answered."""
    listed = aws.call("athena", "list-named-queries", "--work-group",
                      stack.outputs["QueryWorkgroup"]).get("NamedQueryIds") or []
    questions = []
    for first in range(0, len(listed), 50):
        answer = aws.call("athena", "batch-get-named-query", "--named-query-ids",
                          *listed[first:first + 50])
        questions += [(one["Name"], one["QueryString"]) for one in answer.get("NamedQueries") or []]
    if not questions:
        return "there are none (SavedQuestions=false)"
    return "%s answered" % ask_all(stack, questions)


def views(stack, _, __):
    """Every view can be selected from."""
    answer = aws.call("glue", "get-tables", "--database-name", stack.outputs["QueryDatabase"])
    names = [table["Name"] for table in answer.get("TableList") or []
             if table.get("TableType") == "VIRTUAL_VIEW"]
    if not names:
        raise Fault("the database %s has no views" % stack.outputs["QueryDatabase"])
    questions = [(name, 'SELECT * FROM "%s" LIMIT 1' % name) for name in sorted(names)]
    return "%s read" % ask_all(stack, questions, "view")


def ask_all(stack, questions, noun="question"):
    """Asks Athena some questions at a time; the first ones that fail are named."""
    failed = []
    for first in range(0, len(questions), AT_ONCE):
        PROGRESS.show("  %d of %s" % (first, count(len(questions), noun)))
        asked = [(name, start_question(stack, text))
                 for name, text in questions[first:first + AT_ONCE]]
        failed += ["%s: %s" % (name, why) for name, why in
                   ((name, why_failed(execution)) for name, execution in asked) if why]
    if failed:
        raise Fault("%s of %d failed; %s" % (
            count(len(failed), noun), len(questions), "; ".join(failed[:3])))
    return count(len(questions), noun)


def start_question(stack, text):
    """Starts a question and returns its id."""
    answer = aws.call("athena", "start-query-execution", "--work-group",
                      stack.outputs["QueryWorkgroup"], "--query-execution-context",
                      "Database=%s" % stack.outputs["QueryDatabase"], "--query-string", text)
    return answer["QueryExecutionId"]


def why_failed(execution):
    """Why a question failed; nothing where it was answered."""
    deadline = time.monotonic() + QUESTION_PATIENCE
    pause = pauses(5)
    while True:
        answer = aws.call("athena", "get-query-execution", "--query-execution-id", execution)
        status = answer["QueryExecution"]["Status"]
        if status["State"] == "SUCCEEDED":
            return ""
        if status["State"] in ("FAILED", "CANCELLED"):
            return status.get("StateChangeReason", status["State"])[:300]
        if time.monotonic() > deadline:
            return "no answer within %d minutes" % (QUESTION_PATIENCE // 60)
        next(pause)


def functions_work(stack, _, __):
    """Every function reaches what it needs: Entra, Graph, the archive, Athena."""
    if not functions.check(stack):
        raise Fault("the lines marked FAILED say what")
    return "all %d work" % len(stack.functions())


TESTS = (
    ("functions", functions_work),
    ("object of two parts", object_of_two_parts),
    ("failure mail", failure_mail),
    ("saved questions", saved_questions),
    ("views", views),
)


def test(name, account, patience):
    """Runs every test, whatever became of the ones before it; returns how many did not pass."""
    stack = stacks.needed(name)
    faults = unseen = 0
    results = []
    for title, one in TESTS:
        try:
            results.append("  ok      %s: %s" % (title, one(stack, account, patience)))
        except Unseen as error:
            unseen += 1
            results.append("  LOOK    %s: %s" % (title, error))
        except (Fault, aws.AwsError, KeyError) as error:
            if getattr(error, "kind", "") in (aws.EXPIRED, aws.NO_CREDENTIALS):
                raise
            faults += 1
            said = "the answer of AWS lacks %s" % error if isinstance(error, KeyError) else error
            results.append("  FAILED  %s: %s" % (title, said))
        say(results[-1])
    say("%d of %d passed%s" % (len(TESTS) - faults - unseen, len(TESTS),
                               ", %d to be looked at" % unseen if unseen else ""))
    if faults:
        raise Failed("%s did not pass; the lines marked FAILED say why" % count(faults, "test"))


def main():
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--stack", required=True, help="name of the stack")
    parser.add_argument("--account", required=True, help="the account that it is in")
    parser.add_argument("--patience", type=int, default=MAIL_PATIENCE,
                        help="seconds to wait for the mail (%(default)s)")
    options = parser.parse_args()
    aws.failing(test, options.stack, options.account, options.patience)


if __name__ == "__main__":
    run(main)

"""Runs are started and watched with patience; mails, change sets and self-tests in words."""

import json
import time
import unittest
from unittest import mock

import stub
from stub import TOPIC, Account

import answers
import aws
import changes
import functions
import self_test
import subscriptions
from program import Failed, Refused


def report(left, new=0, error=None, windows=1):
    """A run as a function prints it."""
    one = {"stream": "interactiveUser", "start": "2026-11-20T00:00:00Z", "state": "open",
           "error": error}
    return {"log": "sign-ins", "windows": [one] * windows, "new": new, "changed": 0, "requests": 3,
            "remainingWindows": left, "durationMs": 1000}


def events(*lines):
    """Log events with these lines."""
    return [{"eventId": str(n), "timestamp": 1_700_000_000_000 + n, "message": json.dumps(line)}
            for n, line in enumerate(lines)]


class FakeWatch:
    """What is left at each look, and the reports by then; a look may fail."""

    def __init__(self, *looks):
        self.looks = list(looks)
        self.seen = []

    def left(self):
        look = self.looks[0] if len(self.looks) == 1 else self.looks.pop(0)
        if isinstance(look, Exception):
            raise look
        self.seen = look[1]
        return look[0]

    def reports(self):
        return self.seen


class Watching(unittest.TestCase):
    """A run in AWS, watched from here."""

    def follow(self, *looks, **clock):
        steps = iter(range(0, 10**6, clock.get("step", 15)))
        with mock.patch.object(time, "sleep"), mock.patch.object(time, "monotonic",
                                                                 lambda: next(steps)):
            return functions.follow(FakeWatch(*looks), "sign-in-logs", 9)

    def failure(self, *looks, **clock):
        with self.assertRaises(Failed) as failure:
            self.follow(*looks, **clock)
        return str(failure.exception)

    def test_new_records_of_every_invocation_are_counted(self):
        self.assertEqual(self.follow((5, []), (2, [report(2, 10)]),
                                     (0, [report(2, 10), report(0, 7)])), 17)

    def test_a_log_that_comes_late_is_waited_for_and_then_done_without(self):
        self.assertEqual(self.follow((0, []), (0, []), (0, [report(0, 3)])), None)

    def test_failed_looks_are_tolerated(self):
        timeout = aws.AwsError("lambda invoke", "Read timeout on endpoint URL")
        throttled = aws.AwsError("logs filter-log-events", stub.THROTTLED)
        self.assertEqual(self.follow(timeout, throttled, functions.FunctionFailed("x"),
                                     (0, [report(0, 3)])), 3)

    def test_expired_credentials_end_the_watch_and_not_the_run(self):
        expired = aws.AwsError("lambda invoke", stub.EXPIRED)
        self.assertIn("reading goes on in AWS", self.failure((5, []), expired))

    def test_looks_that_always_fail_end_the_watch(self):
        self.assertIn("--status shows", self.failure(aws.AwsError("lambda invoke", "Read timeout")))

    def test_what_fails_twice_is_named(self):
        failed = report(1, error="Graph answered 500")
        sentence = self.failure((1, [failed]), (1, [failed, failed]))
        self.assertIn("interactiveUser from 2026-11-20T00:00:00Z could not be read: Graph answered"
                      " 500", sentence)

    def test_one_failure_that_the_second_attempt_heals_is_none(self):
        failed = report(1, error="Graph answered 500")
        self.assertEqual(self.follow((1, [failed]), (0, [failed, report(0, 4)])), 4)

    def test_nothing_that_moves_is_not_waited_for_without_end(self):
        self.assertIn("nothing has moved for 20 minutes", self.failure((5, [])))


class Starting(Account):
    """Starting."""

    def test_a_run_is_started_and_not_waited_for(self):
        self.answers("cloudformation describe-stacks", stub.stack())
        self.answers("logs filter-log-events", {"events": []},
                     {"events": events(report(0, 5))}, {"events": []},
                     {"events": events(report(0, 5))})
        ok = {"status": {"StatusCode": 200}, "payload": {"remainingWindows": 3}}
        check = {"status": {"StatusCode": 200}, "payload": {"ok": True, "checks": []}}
        done = {"status": {"StatusCode": 200}, "payload": {"remainingWindows": 0}}
        for function in ("sign-in-logs", "audit-logs"):
            name = "lambda invoke --function-name entratrail-%s " % function
            self.answers(name + "--cli-read-timeout", ok, check, done)
            self.answers(name + "--invocation-type Event",
                         {"status": {"StatusCode": 202}, "payload": {}})
        status, output = self.program("functions", "--stack", "entratrail", "run")
        self.assertEqual(status, 0, output)
        self.assertEqual(output.count("5 records were new; nothing is left to read"), 2)
        started = [one for one in self.calls("lambda invoke") if "--invocation-type Event" in one]
        self.assertEqual(len(started), 2)


class Reading(unittest.TestCase):
    """What functions print, read."""

    def test_reports_are_told_from_plans_and_other_lines(self):
        plan = dict(report(1), requests=0)
        found = answers.reports(events(report(0, 5), plan, {"level": "INFO"}, [1], "text"))
        self.assertEqual([one["new"] for _, one in found], [5])

    def test_runs_that_looked_for_findings_are_lines(self):
        run = {"asked": 23, "unanswered": ["Which sign-ins are risky?"], "new": 2, "mailed": True,
               "scannedBytes": 230000000}
        (line,) = answers.findings_lines(events(run, report(0), "text"))
        self.assertIn("23 questions, 1 not answered, 2 findings new, mailed, 230 MB read", line)

    def test_a_report_that_was_cut_is_counted_and_not_a_crash(self):
        text = json.dumps(report(0))[:80]
        self.assertEqual(answers.reports([{"message": text, "timestamp": 1}]), [])
        self.assertEqual(answers.unreadable([{"message": text}]), 1)

    def test_counts_of_a_bounded_report_are_exact(self):
        bounded = dict(report(34_560, windows=100), windowCounts={
            "interactiveUser": {"missing": 30_000, "failed": 4_560}})
        self.assertEqual(answers.coverage_lines(bounded),
                         ["    interactiveUser      4560 failed, 30000 missing"])
        self.assertIn("30000 windows read, 4560 failed", answers.run_lines(bounded, 0)[0])
        self.assertFalse(answers.is_cut(bounded))
        self.assertTrue(answers.is_cut(report(34_560, windows=100)))


class Mails(Account):
    """The subscription of the alarm address."""

    def prepare(self, arn):
        self.answers("cloudformation describe-stacks", stub.stack())
        found = [{"Endpoint": "Ops@example.com", "SubscriptionArn": arn}] if arn else []
        self.answers("sns list-subscriptions-by-topic", {"Subscriptions": found})
        self.answers("sns subscribe", {"SubscriptionArn": "pending confirmation"})
        self.answers("sns publish", {"MessageId": "1"})

    def test_each_state_is_said_and_only_a_lost_one_is_made_again(self):
        for arn, words, again in ((TOPIC + ":1", "", 0), ("PendingConfirmation", "not opened", 0),
                                  ("Deleted", "Subscribed", 1), (None, "Subscribed", 1)):
            self.setUp()
            self.prepare(arn)
            status, output = self.program("subscriptions", "--stack", "entratrail", "ensure")
            self.assertEqual(status, 0, output)
            self.assertIn(words, output)
            self.assertEqual(len(self.calls("sns subscribe")), again)

    def test_a_test_mail_is_sent_only_where_it_can_arrive(self):
        for arn, expected in ((TOPIC + ":1", 0), ("PendingConfirmation", 2), (None, 2)):
            self.setUp()
            self.prepare(arn)
            status, output = self.script("--test-mail")
            self.assertEqual(status, expected, output)
            self.assertEqual(len(self.calls("sns publish")), 1 if expected == 0 else 0)

    def test_check_says_whether_mails_arrive(self):
        answer = {"status": {"StatusCode": 200}, "payload": {"ok": True, "checks": [
            {"name": "bucket", "ok": True, "answer": "works"}]}}
        for arn, expected in ((TOPIC + ":1", 0), ("PendingConfirmation", 1), (None, 1)):
            self.setUp()
            self.prepare(arn)
            self.answers("lambda invoke", answer)
            status, output = self.script("--check")
            self.assertEqual(status, expected, output)
            self.assertIn("mails:", output)


class Changes(Account):
    """Change sets in words."""

    def change(self, action, kind, name="X", **facts):
        return {"ResourceChange": dict(facts, Action=action, ResourceType=kind,
                                       LogicalResourceId=name)}

    def test_they_are_counted_by_what_happens(self):
        found = [changes.Change(one["ResourceChange"]) for one in (
            self.change("Add", "AWS::CloudWatch::Alarm"),
            self.change("Add", "AWS::CloudWatch::Alarm"),
            self.change("Modify", "AWS::Lambda::Function", "SignInLogs", Replacement="False"),
            self.change("Modify", "AWS::Glue::Table", "Coverage", Replacement="True"),
            self.change("Remove", "AWS::Events::Rule", "Old", PolicyAction="Delete"),
            self.change("Remove", "AWS::KMS::Key", "Key", PolicyAction="Retain"))]
        self.assertEqual(changes.lines(found), [
            "  new: 2 alarms", "  changed in place: 1 function (SignInLogs)",
            "  replaced by a new one: 1 table or view (Coverage)", "  removed: 1 rule (Old)",
            "  no longer used, but kept: 1 key (Key)"])
        self.assertFalse(changes.is_harmless(found))
        self.assertTrue(changes.is_harmless(found[:3]))

    def test_archive_and_key_are_never_deleted_by_an_update(self):
        for action, facts in (("Remove", {"PolicyAction": "Delete"}),
                              ("Modify", {"PolicyAction": "ReplaceAndDelete",
                                          "Replacement": "True"})):
            for kind in changes.PRECIOUS:
                with self.assertRaises(Refused):
                    changes.check_precious([changes.Change(
                        self.change(action, kind, **facts)["ResourceChange"])])

    def list_of(self, log, *found):
        path = self.folder + "/log"
        with open(path, "w") as file:
            file.write(log)
        self.answers("cloudformation describe-change-set", {"Changes": list(found)})
        return self.program("changes", "--stack", "entratrail", "list", path)

    def test_what_goes_is_asked_about_and_what_is_refused_is_said(self):
        log = "Changeset created. arn:aws:cloudformation:eu-central-1:1:changeSet/a/b\n"
        rule = "AWS::Events::Rule"
        for one, expected in ((self.change("Add", rule), 0), (self.change("Remove", rule), 3)):
            status, output = self.list_of(log, one)
            self.assertEqual(status, expected, output)
            self.assertIn("What changes:", output)
        self.assertEqual(self.list_of("No changes to deploy. Stack x is up to date")[0], 0)
        status, output = self.list_of("Error: Failed to create changeset: Rule OneKey failed")
        self.assertEqual(status, 2, output)
        self.assertIn("Rule OneKey failed", output)


class SelfTests(Account):
    """What is tried in a real account."""

    def prepare(self):
        self.answers("cloudformation describe-stacks", stub.stack(outputs={
            "QueryWorkgroup": "entratrail", "QueryDatabase": "entratrail"}))
        self.answers("cloudformation describe-stack-resources", stub.resources(
            ("AWS::Events::Rule", "rule")))
        self.answers("lambda invoke", {"status": {"StatusCode": 200}, "payload": {
            "ok": True, "checks": []}})
        self.answers("sns list-subscriptions-by-topic", {"Subscriptions": [
            {"Endpoint": "ops@example.com", "SubscriptionArn": TOPIC + ":1"}]})
        self.answers("cloudwatch get-metric-statistics", {})
        self.counts("SNS", "NumberOfNotificationsDelivered", 1, 2)
        self.answers("athena list-named-queries", {"NamedQueryIds": ["1"]})
        self.answers("athena batch-get-named-query", {"NamedQueries": [
            {"Name": "Who?", "QueryString": "SELECT 1"}]})
        self.answers("athena start-query-execution", {"QueryExecutionId": "1"})
        self.answers("athena get-query-execution", {"QueryExecution": {"Status": {
            "State": "SUCCEEDED"}}})
        self.answers("glue get-tables", {"TableList": [
            {"Name": "coverage", "TableType": "VIRTUAL_VIEW"}]})
        self.answers("s3api", {"UploadId": "u", "ETag": "e", "ChecksumCRC32": "c"})

    def counts(self, service, metric, *sums):
        """What a metric shows, one look after the other."""
        self.answers("cloudwatch get-metric-statistics --namespace AWS/%s --metric-name %s"
                     % (service, metric), *({"Datapoints": [{"Sum": one}]} for one in sums))

    def run_it(self):
        return self.program("self_test", "--stack", "entratrail", "--account", stub.ACCOUNT,
                            "--patience", "0")

    def test_each_result_is_said_and_one_fault_does_not_hide_the_others(self):
        self.prepare()
        self.answers("athena get-query-execution", {"QueryExecution": {"Status": {
            "State": "FAILED", "StateChangeReason": "line 1: no such column"}}})
        self.answers("s3api create-multipart-upload", stub.DENIED)
        status, output = self.run_it()
        self.assertEqual(status, 1, output)
        for line in ("  ok      functions", "  FAILED  object of two parts: aws s3api",
                     "  ok      failure mail: SNS has delivered",
                     "  FAILED  saved questions: 1 question of 1 failed; Who?: line 1",
                     "  FAILED  views: 1 view of 1 failed; coverage: line 1", "2 of 5 passed"):
            self.assertIn(line, output)

    def test_an_object_from_an_earlier_test_is_compared_and_not_written_again(self):
        self.prepare()
        self.answers("s3api complete-multipart-upload", stub.error("PreconditionFailed"))
        status, output = self.run_it()
        self.assertEqual(status, 1, output)  # the stub serves no object to compare
        self.assertEqual(len(self.calls("s3api abort-multipart-upload")), 1)
        self.assertIn("--if-none-match *", self.calls("s3api complete-multipart-upload")[0])

    def test_a_mail_that_is_not_delivered_is_a_fault_and_one_not_seen_is_looked_for(self):
        for counted, words in (
                ((("Events", "FailedInvocations", 0, 1),), "FAILED  failure mail: EventBridge"),
                ((("SNS", "NumberOfNotificationsFailed", 0, 1),), "FAILED  failure mail: Event"),
                ((), "LOOK    failure mail"),
                # Others of the same minute are no answer.
                ((("SNS", "NumberOfNotificationsDelivered", 1, 1),
                  ("Events", "FailedInvocations", 1, 1)), "LOOK    failure mail")):
            self.setUp()
            self.prepare()
            self.counts("SNS", "NumberOfNotificationsDelivered", 0)
            for metric in counted:
                self.counts(*metric)
            self.assertIn(words, self.run_it()[1])

    def test_parts_are_as_long_as_s3_wants_them(self):
        self.assertEqual([len(self_test.part(1)), len(self_test.part(2))], [5 * 1024 * 1024, 1024])


if __name__ == "__main__":
    unittest.main()

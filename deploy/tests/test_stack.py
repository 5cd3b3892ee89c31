"""Every state of a stack, and every failure of AWS told apart from "there is none"."""

import unittest

import stub
from stub import Account, error

import aws
import stack as stacks

#: The whole list of CloudFormation's API reference, StackStatus.
STATES = {
    "CREATE_COMPLETE": "update", "CREATE_FAILED": "remove-first", "CREATE_IN_PROGRESS": "busy",
    "DELETE_COMPLETE": "new", "DELETE_FAILED": "finish-removal", "DELETE_IN_PROGRESS": "busy",
    "IMPORT_COMPLETE": "update", "IMPORT_IN_PROGRESS": "busy", "IMPORT_ROLLBACK_COMPLETE": "update",
    "IMPORT_ROLLBACK_FAILED": "update", "IMPORT_ROLLBACK_IN_PROGRESS": "busy",
    "REVIEW_IN_PROGRESS": "new", "ROLLBACK_COMPLETE": "remove-first",
    "ROLLBACK_FAILED": "remove-first", "ROLLBACK_IN_PROGRESS": "busy", "UPDATE_COMPLETE": "update",
    "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS": "busy", "UPDATE_FAILED": "roll-back-first",
    "UPDATE_IN_PROGRESS": "busy", "UPDATE_ROLLBACK_COMPLETE": "update",
    "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS": "busy",
    "UPDATE_ROLLBACK_FAILED": "roll-back-first", "UPDATE_ROLLBACK_IN_PROGRESS": "busy",
}

ACTIONS = ("--check", "--status", "--run", "--update-secret", "--test-mail", "--self-test")


class States(Account):
    """States."""

    def test_each_state_has_its_way_of_deploying(self):
        self.assertEqual({state: stacks.deployment(state) for state in STATES}, STATES)
        self.assertEqual(stacks.deployment(""), "new")

    def review(self, *arguments, **options):
        self.answers("ssm describe-parameters", {"Parameters": []})
        return self.program("review", "--stack", "entratrail", "--account", stub.ACCOUNT,
                            "--region", stub.REGION, *arguments, **options)

    def test_an_interrupted_first_deployment_is_begun_again(self):
        self.answers("cloudformation describe-stacks", stub.stack("REVIEW_IN_PROGRESS"))
        status, output = self.review()
        self.assertEqual(status, 0, output)
        self.assertIn("has_stack=false", output)

    def test_a_change_by_somebody_else_is_left_alone(self):
        self.answers("cloudformation describe-stacks", stub.stack("UPDATE_IN_PROGRESS"))
        for status, output in (self.review(), self.script("--uninstall")):
            self.assertEqual(status, 2, output)
            self.assertIn("somebody else (UPDATE_IN_PROGRESS)", output)

    def test_a_removal_that_failed_is_finished_first(self):
        self.answers("cloudformation describe-stacks", stub.stack("DELETE_FAILED"))
        status, output = self.review()
        self.assertEqual(status, 2, output)
        self.assertIn("--uninstall", output)

    def test_remains_of_a_first_deployment_are_removed_before_the_next(self):
        self.answers("cloudformation describe-stacks", stub.stack("ROLLBACK_COMPLETE"),
                     stub.stack("DELETE_IN_PROGRESS"), stub.NO_STACK)
        self.answers("cloudformation describe-stack-events", {"StackEvents": []})
        self.answers("cloudformation describe-stack-resources", stub.resources())
        self.answers("cloudformation delete-stack", {})
        status, output = self.program("stack", "--stack", "entratrail", "clear-way")
        self.assertEqual(status, 0, output)
        self.assertEqual(len(self.calls("cloudformation delete-stack")), 1)

    def test_a_rollback_that_failed_is_continued(self):
        self.answers("cloudformation describe-stacks", stub.stack("UPDATE_ROLLBACK_FAILED"),
                     stub.stack("UPDATE_ROLLBACK_IN_PROGRESS"),
                     stub.stack("UPDATE_ROLLBACK_COMPLETE"))
        self.answers("cloudformation describe-stack-events", {"StackEvents": []})
        self.answers("cloudformation describe-stack-resources", stub.resources())
        self.answers("cloudformation continue-update-rollback", {})
        status, output = self.program("stack", "--stack", "entratrail", "clear-way")
        self.assertEqual(status, 0, output)
        self.assertEqual(len(self.calls("cloudformation continue-update-rollback")), 1)
        self.assertEqual(self.calls("cloudformation delete-stack"), [])

    def test_only_does_not_exist_means_that_there_is_no_stack(self):
        self.answers("cloudformation describe-stacks", stub.NO_STACK)
        for action in ACTIONS + ("--uninstall",):
            self.answers("ssm describe-parameters", {"Parameters": []})
            status, output = self.script(action)
            self.assertEqual(status, 2, output)
            self.assertIn('there is no stack "entratrail"', output)

    def test_expired_denied_and_throttled_are_told_apart_from_no_stack(self):
        for failure, words in ((stub.EXPIRED, "credentials have expired"),
                               (stub.DENIED, "may not do that"),
                               (stub.THROTTLED, "slow down")):
            self.answers("cloudformation describe-stacks", failure)
            self.answers("ssm describe-parameters", {"Parameters": []})
            for action in ACTIONS + ("--uninstall",):
                status, output = self.script(action)
                self.assertEqual(status, 2, output)
                self.assertIn(words, output)
                self.assertNotIn("no stack", output)
            status, output = self.review()
            self.assertEqual(status, 2, output)
            self.assertIn(words, output)

    def test_an_error_of_the_parameter_store_is_not_nothing_stored(self):
        self.answers("cloudformation describe-stacks", stub.stack())
        for failure, words in ((stub.EXPIRED, "expired"), (stub.DENIED, "may not do that"),
                               (stub.THROTTLED, "slow down")):
            self.answers("ssm describe-parameters", failure)
            status, output = self.program("review", "--stack", "entratrail", "--account",
                                          stub.ACCOUNT, "--region", stub.REGION)
            self.assertEqual(status, 2, output)
            self.assertIn(words, output)

    def test_what_was_never_finished_cannot_be_looked_after(self):
        for state in ("REVIEW_IN_PROGRESS", "ROLLBACK_COMPLETE", "CREATE_FAILED"):
            self.answers("cloudformation describe-stacks", stub.stack(state))
            for action in ACTIONS:
                status, output = self.script(action)
                self.assertEqual(status, 2, output)
                self.assertIn("run ./deploy.sh again", output)

    def test_identities_are_refused_in_one_sentence(self):
        for failure, words in (
                (stub.EXPIRED, "have expired"),
                ("Unable to locate credentials. You can configure", "has no credentials"),
                ('Could not connect to the endpoint URL: "x"', "cannot be reached"),
                (error("InvalidClientTokenId"), "does not accept")):
            self.answers("sts get-caller-identity", failure)
            status, output = self.program("identity")
            self.assertEqual(status, 2, output)
            self.assertIn(words, output)
            self.assertEqual(len(output.strip().splitlines()), 1)


class Mfa(Account):
    """A profile with MFA is asked for its code once."""

    def environment(self):
        environment = super().environment()
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            del environment[name]
        return dict(environment, AWS_PROFILE="with-mfa")

    def check(self, serial, exported):
        self.answers("configure get mfa_serial", serial)
        self.answers("configure export-credentials", exported)
        self.answers("cloudformation describe-stacks", stub.NO_STACK)
        return self.script("--check")

    def test_the_code_is_asked_for_once_and_every_call_has_the_session(self):
        exported = "AWS_ACCESS_KEY_ID=ASIAX\nAWS_SECRET_ACCESS_KEY=x\nAWS_SESSION_TOKEN=session"
        status, output = self.check({"text": "arn:aws:iam::123456789012:mfa/x"},
                                    {"text": exported})
        self.assertIn("there is no stack", output)
        self.assertEqual(status, 2, output)
        self.assertEqual(len(self.calls("configure export-credentials")), 1)
        self.assertEqual(self.tokens("sts get-caller-identity"), ["session"])
        self.assertEqual(self.tokens("cloudformation describe-stacks"), ["session"])

    def test_a_command_line_that_cannot_export_them_is_named(self):
        status, output = self.check({"text": "arn:aws:iam::123456789012:mfa/x"},
                                    "aws: error: argument subcommand: Invalid choice")
        self.assertEqual(status, 2, output)
        self.assertIn("the MFA profile gives no credentials: update the AWS CLI", output)

    def test_a_profile_without_mfa_is_left_to_the_command_line(self):
        status, output = self.check("", {"text": "AWS_SESSION_TOKEN=session"})
        self.assertEqual(status, 2, output)
        self.assertEqual(self.calls("configure export-credentials"), [])
        self.assertEqual(self.tokens("sts get-caller-identity"), [None])


class Failures(unittest.TestCase):
    """Failures of the command line and of the services."""

    def test_each_has_its_kind(self):
        for text, kind in (
                (error("ExpiredTokenException"), aws.EXPIRED),
                (error("RequestExpired"), aws.EXPIRED),
                ("Error when retrieving token from sso: Token has expired", aws.EXPIRED),
                ("The SSO session associated with this profile has expired", aws.EXPIRED),
                (error("UnrecognizedClientException"), aws.NO_CREDENTIALS),
                ("Unable to locate credentials", aws.NO_CREDENTIALS),
                (error("AccessDeniedException"), aws.DENIED),
                (error("403", "HeadBucket", "Forbidden"), aws.DENIED),
                (error("ThrottlingException"), aws.THROTTLED),
                (error("TooManyRequestsException"), aws.THROTTLED),
                (error("404", "HeadBucket", "Not Found"), aws.MISSING),
                (stub.NO_STACK, aws.MISSING),
                ("Read timeout on endpoint URL", aws.UNREACHABLE),
                (error("InternalFailure"), aws.OTHER)):
            self.assertEqual(aws.kind_of(text), kind, text)

    def test_the_change_set_is_found_in_what_sam_prints(self):
        arn = "arn:aws:cloudformation:eu-central-1:1:changeSet/a/b"
        log = "Changeset created successfully. %s\n" % arn
        self.assertEqual(stacks.change_set_of(log), arn)
        self.assertIsNone(stacks.change_set_of("No changes to deploy"))


if __name__ == "__main__":
    unittest.main()

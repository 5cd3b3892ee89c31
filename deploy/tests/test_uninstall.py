"""Uninstalling removes what the stack made, and nothing else."""

import unittest

import stub
from stub import BUCKET, KEY, Account, error

COMPANY_KEY = "arn:aws:kms:eu-central-1:123456789012:key/company-wide"
NO_LOCK = error("ObjectLockConfigurationNotFoundError", "GetObjectLockConfiguration")


def locked(mode):
    """What get-object-lock-configuration answers."""
    rule = {"DefaultRetention": {"Mode": mode, "Days": 30}}
    return {"ObjectLockConfiguration": {"ObjectLockEnabled": "Enabled", "Rule": rule}}


class Uninstalling(Account):
    """From a stack to nothing but the archive, or to nothing."""

    def prepare(self, parameters=None, outputs=None, made=None, lock=NO_LOCK, states=None):
        there = stub.stack(parameters=parameters, outputs=outputs)
        self.answers("cloudformation describe-stacks", *(states or (there, there, stub.NO_STACK)))
        self.answers("cloudformation describe-stack-resources", made or stub.resources(
            ("AWS::S3::Bucket", BUCKET), ("AWS::KMS::Key", KEY.split("/")[1])))
        self.answers("cloudformation describe-stack-events", {"StackEvents": []})
        self.answers("cloudformation delete-stack", {})
        self.answers("ssm describe-parameters", stub.stored("tenant-id", "client-secret"))
        self.answers("ssm delete-parameter", {})
        self.answers("s3api get-object-lock-configuration", lock)
        self.answers("s3api list-object-versions", {"Versions": [
            {"Key": "raw/a", "VersionId": "1"}]}, {})
        self.answers("s3api delete-objects", {})
        self.answers("s3api delete-bucket", {})
        self.answers("kms schedule-key-deletion", {})

    def test_the_archive_stays_unless_it_is_named(self):
        self.prepare()
        status, output = self.script("--uninstall")
        self.assertEqual(status, 0, output)
        self.assertIn("Kept the archive s3://%s and its key %s" % (BUCKET, KEY), output)
        self.assertEqual(self.calls("s3api delete") + self.calls("kms schedule"), [])
        self.assertEqual(len(self.calls("ssm delete-parameter")), 2)

    def test_a_key_that_the_stack_made_goes_and_is_named_before(self):
        self.prepare()
        status, output = self.script("--uninstall", "--delete-archive", BUCKET)
        self.assertEqual(status, 0, output)
        self.assertIn("AND EVERY LOG in %s AND THE KEY %s" % (BUCKET, KEY), output)
        self.assertEqual(len(self.calls("kms schedule-key-deletion --key-id %s" % KEY)), 1)

    def test_a_key_that_was_given_to_the_stack_stays(self):
        for parameters, outputs in (
                ({"CreateKey": "false", "ExistingKeyArn": COMPANY_KEY}, {"KeyArn": COMPANY_KEY}),
                ({"CreateKey": "true", "ExistingKeyArn": COMPANY_KEY}, {"KeyArn": COMPANY_KEY}),
                ({"CreateKey": "true", "ExistingKeyArn": ""}, {"KeyArn": COMPANY_KEY}),
                ({"CreateKey": "false", "BucketEncryption": "s3"}, {"KeyArn": "aws"})):
            self.setUp()
            self.prepare(parameters, outputs)
            status, output = self.script("--uninstall", "--delete-archive", BUCKET)
            self.assertEqual(status, 0, output)
            self.assertEqual(self.calls("kms schedule-key-deletion"), [])
            self.assertNotIn("AND THE KEY", output)
            self.assertIn("Deleted the archive", output)

    def test_a_bucket_that_the_stack_did_not_make_stays(self):
        self.prepare({"ExistingBucket": BUCKET})
        status, output = self.script("--uninstall", "--delete-archive", BUCKET)
        self.assertEqual(status, 2, output)
        self.assertIn("was there before the stack", output)
        self.prepare(made=stub.resources(("AWS::S3::Bucket", "another")))
        status, output = self.script("--uninstall", "--delete-archive", BUCKET)
        self.assertEqual(status, 2, output)
        self.assertEqual(self.calls("cloudformation delete") + self.calls("s3api delete"), [])

    def test_another_bucket_is_not_deleted(self):
        self.prepare()
        status, output = self.script("--uninstall", "--delete-archive", "other-bucket")
        self.assertEqual(status, 2, output)
        self.assertIn('names "other-bucket", and the archive is "%s"' % BUCKET, output)
        self.assertEqual(self.calls("cloudformation delete"), [])

    def test_object_lock_is_looked_at_before_anything_goes(self):
        for mode, options, words in (
                ("GOVERNANCE", (), "add --bypass-object-lock"),
                ("COMPLIANCE", (), "nobody can delete it"),
                ("COMPLIANCE", ("--bypass-object-lock",), "nobody can delete it")):
            self.setUp()
            self.prepare(lock=locked(mode))
            status, output = self.script("--uninstall", "--delete-archive", BUCKET, *options)
            self.assertEqual(status, 2, output)
            self.assertIn(words, output)
            self.assertEqual(self.calls("cloudformation delete") + self.calls("s3api delete"), [])

    def test_governance_is_bypassed_where_that_is_asked_for(self):
        self.prepare(lock=locked("GOVERNANCE"))
        status, output = self.script("--uninstall", "--delete-archive", BUCKET,
                                     "--bypass-object-lock")
        self.assertEqual(status, 0, output)
        self.assertIn("Object Lock is bypassed", output)
        self.assertEqual(["--bypass-governance-retention" in call
                          for call in self.calls("s3api delete-objects")], [True])

    def test_an_archive_that_cannot_be_emptied_leaves_the_stack_to_try_again_with(self):
        self.prepare()
        self.answers("s3api delete-objects", {"Errors": [
            {"Code": "AccessDenied", "Message": "Access Denied"}]})
        status, output = self.script("--uninstall", "--delete-archive", BUCKET)
        self.assertEqual(status, 1, output)
        self.assertIn("repeat the same command", output)
        self.assertEqual(self.calls("cloudformation delete-stack"), [])

    def test_a_removal_that_failed_is_finished(self):
        self.prepare(states=(stub.stack("DELETE_FAILED"), stub.stack("DELETE_FAILED"),
                             stub.NO_STACK))
        status, output = self.script("--uninstall")
        self.assertEqual(status, 0, output)
        self.assertIn("Removed the stack", output)

    def test_a_stack_that_does_not_go_is_named_with_what_holds_it(self):
        self.prepare(states=(stub.stack(), stub.stack(), stub.stack("DELETE_FAILED")))
        self.answers("cloudformation describe-stack-events", {"StackEvents": []}, {"StackEvents": [
            {"EventId": "2", "ResourceStatus": "DELETE_FAILED", "LogicalResourceId": "Workgroup",
             "ResourceStatusReason": "it is not empty"}]})
        status, output = self.script("--uninstall")
        self.assertEqual(status, 1, output)
        self.assertIn("Workgroup: it is not empty", output)
        self.assertEqual(self.calls("ssm delete-parameter"), [])

    def test_parameters_that_an_interrupted_removal_left_go(self):
        self.prepare(states=(stub.NO_STACK,))
        status, output = self.script("--uninstall")
        self.assertEqual(status, 0, output)
        self.assertEqual(len(self.calls("ssm delete-parameter")), 2)
        self.assertEqual(self.calls("cloudformation delete-stack"), [])

    def test_a_parameter_of_another_program_stays(self):
        self.prepare()
        self.answers("ssm describe-parameters", stub.stored("client-id", Type="String"))
        status, output = self.script("--uninstall")
        self.assertEqual(status, 0, output)
        self.assertEqual(self.calls("ssm delete-parameter"), [])

    def test_the_empty_stack_of_an_interrupted_deployment_goes(self):
        empty = {"Stacks": [{"StackName": "entratrail", "StackStatus": "REVIEW_IN_PROGRESS"}]}
        self.prepare(states=(empty, empty, stub.NO_STACK))
        self.answers("ssm describe-parameters", {"Parameters": []})
        status, output = self.script("--uninstall")
        self.assertEqual(status, 0, output)
        self.assertEqual(len(self.calls("cloudformation delete-stack")), 1)


if __name__ == "__main__":
    unittest.main()

"""A bucket and a key that were there before the stack are looked at first."""

import json
import unittest

import stub
from stub import BUCKET, KEY, Account, error

OTHER_KEY = "arn:aws:kms:eu-central-1:123456789012:key/other"


class Buckets(Account):
    """Buckets."""

    def prepare(self, head=None):
        self.answers("s3api head-bucket", head or {"BucketRegion": "eu-central-1"})
        self.answers("s3api get-bucket-encryption", error(
            "ServerSideEncryptionConfigurationNotFoundError"))
        self.answers("s3api get-bucket-versioning", {"Status": "Enabled"})
        self.answers("s3api get-object-lock-configuration", error(
            "ObjectLockConfigurationNotFoundError"))
        self.answers("s3api get-bucket-policy", error("NoSuchBucketPolicy"))

    def review(self, key="", *options):
        return self.program("bucket", "--account", stub.ACCOUNT, "--region", stub.REGION, "--key",
                            key, *options, BUCKET)

    def test_a_bucket_that_fits_is_taken_without_a_word(self):
        self.prepare()
        self.assertEqual(self.review(), (0, ""))
        self.assertIn("--expected-bucket-owner 123456789012", self.calls("s3api head-bucket")[0])

    def test_a_bucket_of_another_region_is_refused(self):
        self.prepare({"BucketRegion": "eu-west-1"})
        status, output = self.review()
        self.assertEqual(status, 2, output)
        self.assertIn("--region eu-west-1", output)

    def test_the_region_is_found_where_the_command_line_does_not_say_it(self):
        for location, region in ((None, "us-east-1"), ("EU", "eu-west-1"),
                                 ("ap-south-1", "ap-south-1")):
            self.setUp()
            self.prepare({"": ""})
            self.answers("s3api get-bucket-location", {"LocationConstraint": location})
            status, output = self.review()
            self.assertEqual(status, 2, output)
            self.assertIn("lies in %s" % region, output)

    def test_a_bucket_of_somebody_else_or_of_nobody_is_refused(self):
        for failure, words in ((error("403", "HeadBucket", "Forbidden"), "somebody else"),
                               (error("404", "HeadBucket", "Not Found"), "there is no bucket"),
                               (stub.EXPIRED, "expired"), (stub.THROTTLED, "slow down")):
            self.prepare(failure)
            status, output = self.review()
            self.assertEqual(status, 2, output)
            self.assertIn(words, output)

    def encrypted_with(self, key, algorithm="aws:kms"):
        rule = {"ApplyServerSideEncryptionByDefault": {
            "SSEAlgorithm": algorithm, "KMSMasterKeyID": key}}
        self.answers("s3api get-bucket-encryption",
                     {"ServerSideEncryptionConfiguration": {"Rules": [rule]}})

    def test_the_key_of_a_bucket_must_be_given_to_the_stack(self):
        self.prepare()
        self.answers("kms describe-key", {"KeyMetadata": {"Arn": OTHER_KEY}})
        for named in (OTHER_KEY, "alias/ours", "other"):
            for algorithm in ("aws:kms", "aws:kms:dsse"):
                self.encrypted_with(named, algorithm)
                status, output = self.review()
                self.assertEqual(status, 2, output)
                self.assertIn("--set CreateKey=false --set ExistingKeyArn=%s" % OTHER_KEY, output)
                self.assertEqual(self.review(OTHER_KEY), (0, ""))

    def test_keys_of_aws_need_not_be_given(self):
        self.prepare()
        for key in ("", "arn:aws:kms:eu-central-1:123456789012:alias/aws/s3"):
            self.encrypted_with(key)
            self.assertEqual(self.review(), (0, ""))

    def test_a_policy_that_demands_the_header_of_encryption_is_seen(self):
        header = "s3:x-amz-server-side-encryption"
        for action, condition, is_refused in (
                ("s3:PutObject", {"Null": {header: "true"}}, True),
                (["s3:GetObject", "s3:PutObject"], {"StringNotEquals": {header: "aws:kms"}}, True),
                ("s3:*", {"StringNotEquals": {header + "-aws-kms-key-id": KEY}}, True),
                ("s3:PutObject", {"StringNotEqualsIfExists": {header: "aws:kms"}}, False),
                ("s3:PutObject", {"Bool": {"aws:SecureTransport": "false"}}, False),
                ("s3:GetObject", {"Null": {header: "true"}}, False)):
            self.setUp()
            self.prepare()
            statement = {"Effect": "Deny", "Principal": "*", "Action": action,
                         "Resource": "arn:aws:s3:::x/*", "Condition": condition}
            self.answers("s3api get-bucket-policy",
                         {"Policy": json.dumps({"Statement": [statement]})})
            status, output = self.review()
            self.assertEqual(status, 2 if is_refused else 0, output)
            self.assertEqual("--set NameEncryption=true" in output, is_refused, output)
            self.assertEqual(self.review("", "--names-encryption"), (0, ""))
            statement["Effect"] = "Allow"
            self.answers("s3api get-bucket-policy", {"Policy": json.dumps(
                {"Statement": statement})})
            self.assertEqual(self.review(), (0, ""))

    def test_a_policy_that_may_not_be_read_is_mentioned(self):
        self.prepare()
        self.answers("s3api get-bucket-policy", stub.DENIED)
        status, output = self.review()
        self.assertEqual(status, 0, output)
        self.assertIn("may not be read by you", output)

    def test_what_its_owner_should_know_is_said(self):
        self.prepare()
        self.answers("s3api get-bucket-versioning", {})
        self.answers("s3api get-object-lock-configuration", {"ObjectLockConfiguration": {
            "ObjectLockEnabled": "Enabled",
            "Rule": {"DefaultRetention": {"Mode": "COMPLIANCE", "Years": 1}}}})
        status, output = self.review()
        self.assertEqual(status, 0, output)
        self.assertIn("is not versioned", output)
        self.assertIn("Object Lock (compliance, 1 year)", output)


class Keys(Account):
    """The key of what is stored stays; one that cannot be used is refused."""

    def review(self, parameters=None, outputs=None, *settings, **options):
        present = options.get("stack", stub.stack(parameters=parameters, outputs=outputs))
        self.answers("cloudformation describe-stacks", present)
        self.answers("ssm describe-parameters", stub.stored("tenant-id"))
        self.answers("kms describe-key", options.get("key", {"KeyMetadata": {
            "Arn": OTHER_KEY, "KeyState": "Enabled"}}))
        return self.program("review", "--stack", "entratrail", "--account", stub.ACCOUNT,
                            "--region", stub.REGION, stdin="\n".join(settings) + "\n")

    def test_the_key_of_a_running_stack_is_neither_turned_off_nor_exchanged(self):
        for settings in (("CreateKey=false", "BucketEncryption=s3"),
                         ("CreateKey=false", "ExistingKeyArn=" + OTHER_KEY)):
            status, output = self.review(None, None, *settings)
            self.assertEqual(status, 2, output)
            self.assertIn("ExistingKeyArn=%s" % KEY, output)
        given = {"CreateKey": "false", "ExistingKeyArn": OTHER_KEY}
        status, output = self.review(given, {"KeyArn": OTHER_KEY}, "CreateKey=true",
                                     "ExistingKeyArn=")
        self.assertEqual(status, 2, output)

    def test_a_key_may_be_kept_handed_over_and_given_to_a_stack_without_one(self):
        without = {"CreateKey": "false", "BucketEncryption": "s3"}
        for parameters, outputs, settings in (
                (None, None, ("MemorySize=512",)),
                (None, None, ("CreateKey=false", "ExistingKeyArn=" + KEY)),
                (without, {"KeyArn": "aws"}, ("CreateKey=true",)),
                (without, {"KeyArn": "aws"}, ("ExistingKeyArn=" + OTHER_KEY,))):
            status, output = self.review(parameters, outputs, *settings)
            self.assertEqual(status, 0, output)
            self.assertIn("has_stack=true", output)
            self.assertIn("stored= tenant-id ", output)

    def test_a_key_that_is_not_there_or_not_enabled_is_refused(self):
        settings = ("CreateKey=false", "ExistingKeyArn=" + OTHER_KEY)
        for key, words in ((error("NotFoundException"), "there is no key"),
                           ({"KeyMetadata": {"KeyState": "PendingDeletion"}}, "PendingDeletion"),
                           (stub.DENIED, "may not do that")):
            status, output = self.review(None, None, *settings, stack=stub.NO_STACK, key=key)
            self.assertEqual(status, 2, output)
            self.assertIn(words, output)

    def test_object_lock_is_not_taken_back(self):
        status, output = self.review({"ObjectLockDays": "30"}, None, "ObjectLockDays=0")
        self.assertEqual(status, 2, output)
        self.assertIn("cannot be switched off", output)
        status, output = self.review({"ObjectLockDays": "30"}, None, "ObjectLockDays=7")
        self.assertEqual(status, 0, output)

    def test_settings_that_exclude_each_other_are_refused_in_words(self):
        for settings, words in (
                (("CreateKey=false",), "BucketEncryption=key needs a key"),
                (("ExistingKeyArn=" + OTHER_KEY,), "would make another"),
                (("Credential=federated", "CredentialExpires=2027-05-31"), "secrets only"),
                (("GraphUrl=https://graph.microsoft.us",), "belong together"),
                (("SignInSchedule=rate(1 day)", "AuditSchedule=rate(1 day)"), "must differ"),
                (("ExistingBucket=x-y-z", "ObjectLockDays=3"), "that the stack makes")):
            status, output = self.review(None, None, *settings, stack=stub.NO_STACK)
            self.assertEqual(status, 2, output)
            self.assertIn(words, output)


if __name__ == "__main__":
    unittest.main()

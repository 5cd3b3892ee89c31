#!/usr/bin/env python3
"""Looks at a bucket that was there before the stack, before anything is created."""

import argparse
import json

import aws
from program import Refused, count, note, run

NO_LOCK = ("ObjectLockConfigurationNotFoundError", "NoSuchObjectLockConfiguration")


class Bucket:
    """A bucket of this account and what its settings say."""

    def __init__(self, name, account):
        self.name = name
        self.owner = ("--bucket", name, "--expected-bucket-owner", account)

    def ask(self, operation):
        """One setting; an empty answer where it is not set."""
        try:
            return aws.call("s3api", operation, *self.owner)
        except aws.AwsError as error:
            if error.kind == aws.MISSING or error.code in NO_LOCK:
                return {}
            raise

    def region(self):
        """The region in which it lies."""
        head = aws.call("s3api", "head-bucket", *self.owner)
        if head.get("BucketRegion"):
            return head["BucketRegion"]
        location = self.ask("get-bucket-location").get("LocationConstraint")
        return {None: "us-east-1", "": "us-east-1", "EU": "eu-west-1"}.get(location, location)

    def lock(self):
        """Its Object Lock: mode (empty where there is none) and what is retained by default."""
        lock = self.ask("get-object-lock-configuration").get("ObjectLockConfiguration") or {}
        if lock.get("ObjectLockEnabled") != "Enabled":
            return "", ""
        rule = (lock.get("Rule") or {}).get("DefaultRetention") or {}
        if rule.get("Days"):
            return rule.get("Mode", ""), count(int(rule["Days"]), "day")
        if rule.get("Years"):
            return rule.get("Mode", ""), count(int(rule["Years"]), "year")
        return "ON REQUEST", "what was locked one by one"

    def key(self):
        """The KMS key of its default encryption, as it is named there; empty for AWS's own."""
        answer = self.ask("get-bucket-encryption").get("ServerSideEncryptionConfiguration") or {}
        for rule in answer.get("Rules") or []:
            default = rule.get("ApplyServerSideEncryptionByDefault") or {}
            if default.get("SSEAlgorithm", "").startswith("aws:kms"):
                key = default.get("KMSMasterKeyID", "")
                return "" if key.endswith("alias/aws/s3") else key
        return ""

    def demands_encryption(self):
        """Whether its policy denies a write that names no encryption."""
        try:
            policy = json.loads(self.ask("get-bucket-policy").get("Policy") or "{}")
        except aws.AwsError as error:
            if error.kind != aws.DENIED:
                raise
            note('the policy of the bucket "%s" may not be read by you: where it refuses writes'
                 " that name no encryption, add --set NameEncryption=true" % self.name)
            return False
        statements = policy.get("Statement") or []
        return any(denies_plain_writes(statement) for statement in
                   (statements if isinstance(statements, list) else [statements]))

    def is_versioned(self):
        """Whether replaced objects can be restored."""
        return self.ask("get-bucket-versioning").get("Status") == "Enabled"


def denies_plain_writes(statement):
    """Whether a statement denies a write without the header of encryption.

    An absent header is `Null`, and differs from every value unless the operator ends in IfExists.
    """
    actions = statement.get("Action") or []
    actions = actions if isinstance(actions, list) else [actions]
    if statement.get("Effect") != "Deny" or not any(
            action in ("*", "s3:*", "s3:Put*", "s3:PutObject") for action in actions):
        return False
    for operator, tested in (statement.get("Condition") or {}).items():
        for header, value in tested.items():
            if not header.lower().startswith("s3:x-amz-server-side-encryption"):
                continue
            if operator == "Null" and str(value).lower() == "true":
                return True
            if operator in ("StringNotEquals", "StringNotLike", "StringNotEqualsIgnoreCase"):
                return True
    return False


def key_arn(key):
    """The ARN of a key that may be named by its id or alias."""
    if ":key/" in key:
        return key
    answer = aws.call("kms", "describe-key", "--key-id", key)
    return answer["KeyMetadata"]["Arn"]


def review(name, account, region, existing_key, names_encryption):
    """Refuses a bucket that the functions could not write; says what its owner should know."""
    bucket = Bucket(name, account)
    try:
        lies_in = bucket.region()
    except aws.AwsError as error:
        raise Refused(why_unusable(name, error))
    if lies_in != region:
        raise Refused('the bucket "%s" lies in %s and this stack in %s: deploy with --region %s, or'
                      " use a bucket in %s" % (name, lies_in, region, lies_in, region))
    key = bucket.key()
    if key:
        key = key_arn(key)
        if key != existing_key:
            raise Refused(
                'the bucket "%s" encrypts with the key %s, which the functions could not use: add'
                " --set CreateKey=false --set ExistingKeyArn=%s" % (name, key, key))
    if not names_encryption and bucket.demands_encryption():
        raise Refused('the policy of the bucket "%s" refuses writes that name no encryption: add'
                      " --set NameEncryption=true" % name)
    if not bucket.is_versioned():
        note('the bucket "%s" is not versioned: what is replaced or deleted by mistake cannot be'
             " restored there" % name)
    mode, time = bucket.lock()
    if mode:
        note('the bucket "%s" has Object Lock (%s, %s): nothing in it can be deleted before that'
             % (name, mode.lower(), time))


def why_unusable(name, error):
    """Why a bucket cannot be used, in one sentence."""
    if error.kind == aws.DENIED:
        return ('the bucket "%s" belongs to somebody else, or you may not use it: name one of this'
                " account" % name)
    if error.kind == aws.MISSING:
        return 'there is no bucket "%s": leave ExistingBucket empty to have one made' % name
    return 'the bucket "%s" cannot be used: %s' % (name, error)


def main():
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--account", required=True, help="the account that must own it")
    parser.add_argument("--region", required=True, help="the region of the stack")
    parser.add_argument("--key", default="", help="ARN of the key that the stack is given")
    parser.add_argument("--names-encryption", action="store_true",
                        help="the functions will name the encryption of each write")
    parser.add_argument("bucket")
    values = parser.parse_args()
    aws.refusing(review, values.bucket, values.account, values.region, values.key,
                 values.names_encryption)


if __name__ == "__main__":
    run(main)

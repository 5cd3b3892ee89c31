#!/usr/bin/env python3
"""Looks at everything that a deployment would meet, before anything is created or changed.

Prints facts as lines of NAME=value. Settings come as lines of NAME=value on standard input.
"""

import argparse
import sys

import aws
import bucket
import parameters as parameter_store
import stack as stacks
from program import Refused, run
from settings import in_effect, pairs_from, template_parameters


def key_after(stack, effective):
    """The key after the deployment: an ARN, `aws`, or `new`."""
    if effective("ExistingKeyArn"):
        return effective("ExistingKeyArn")
    if effective("CreateKey") != "true":
        return parameter_store.AWS_KEY
    has_own = stack and stack.parameters.get("CreateKey") == "true"
    return stack.outputs.get("KeyArn", "new") if has_own else "new"


def review_key(stack, effective):
    """Refuses to take away the key of what is stored, and a key that cannot be used."""
    before = stack.outputs.get("KeyArn", "") if stack else ""
    after = key_after(stack, effective)
    if before not in ("", parameter_store.AWS_KEY) and after != before:
        raise Refused(
            "the archive and the parameters of %s are encrypted with the key %s, and nothing could"
            " read them without it: leave the key as it is, or hand it over with --set"
            " CreateKey=false --set ExistingKeyArn=%s" % (stack.name, before, before))
    named = effective("ExistingKeyArn")
    if named and named != before:
        answer = aws.call_if_there("kms", "describe-key", "--key-id", named)
        if answer is None:
            raise Refused("there is no key %s in this region: check ExistingKeyArn" % named)
        state = answer["KeyMetadata"].get("KeyState", "Enabled")
        if state != "Enabled":
            raise Refused("the key %s cannot be used (%s): enable it, or name another in"
                          " ExistingKeyArn" % (named, state))


def review_rules(effective):
    """Refuses settings that exclude each other, as the Rules of the template do later."""
    has_key = effective("CreateKey") == "true" or effective("ExistingKeyArn")
    for is_wrong, sentence in (
            (effective("BucketEncryption") == "key" and not has_key,
             "BucketEncryption=key needs a key: set CreateKey=true, name one in ExistingKeyArn, or"
             " set BucketEncryption=s3"),
            (effective("CreateKey") == "true" and effective("ExistingKeyArn"),
             "ExistingKeyArn names a key, and CreateKey=true would make another: set"
             " CreateKey=false"),
            (effective("CredentialExpires") and effective("Credential") != "secret",
             "CredentialExpires is for client secrets only: set it to nothing with --set"
             " CredentialExpires="),
            (bool(effective("GraphUrl")) != bool(effective("LoginUrl")),
             "GraphUrl and LoginUrl belong together: a national cloud has a host of its own for"
             " both"),
            (effective("SignInSchedule") == effective("AuditSchedule"),
             "SignInSchedule and AuditSchedule must differ: both logs share Graph's limit"),
            (effective("Provisioning") == "daily" and effective("ProvisioningSchedule") in (
                effective("SignInSchedule"), effective("AuditSchedule")),
             "ProvisioningSchedule must differ from SignInSchedule and AuditSchedule: all logs"
             " share Graph's limit"),
            (effective("ExistingBucket") and effective("ObjectLockDays") != "0",
             "ObjectLockDays concerns the bucket that the stack makes: set it to 0, and lock the"
             " bucket of ExistingBucket yourself")):
        if is_wrong:
            raise Refused(sentence)


def review_lock(stack, effective):
    """Refuses to take back what S3 does not take back."""
    before = stack.parameters.get("ObjectLockDays", "0") if stack else "0"
    if before not in ("", "0") and effective("ObjectLockDays") == "0":
        raise Refused("Object Lock cannot be switched off again: leave ObjectLockDays at %s, or"
                      " lower it for objects to come" % before)


def main():
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--stack", required=True, help="name of the stack")
    parser.add_argument("--account", required=True, help="the account it is deployed to")
    parser.add_argument("--region", required=True, help="the region it is deployed to")
    options = parser.parse_args()
    overrides = dict(pairs_from(sys.stdin))
    for fact in aws.refusing(facts, options, overrides):
        print("%s=%s" % fact)


def facts(options, overrides):
    """What deploy.sh has to know, after everything was found in order."""
    known = template_parameters()
    stack = stacks.read(options.stack)
    way = stacks.deployable(stack)
    present = stack if way in (stacks.UPDATE, stacks.ROLL_BACK_FIRST) else None

    def effective(name):
        stored = present.parameters if present else {}
        return in_effect(name, overrides, stored, known)

    review_rules(effective)
    review_key(present, effective)
    review_lock(present, effective)
    if effective("ExistingBucket"):
        bucket.review(effective("ExistingBucket"), options.account, options.region,
                      effective("ExistingKeyArn"), effective("NameEncryption") == "true")
    # A new database has its stack's name, in lower case; one that is there keeps its own.
    database = "" if present else options.stack.lower().replace("-", "_")
    if "DatabaseName" not in known or effective("DatabaseName"):
        database = ""
    stored = parameter_store.described(options.stack)
    parameter_store.foreign(options.stack, stored)
    return [
        ("has_stack", "true" if present else "false"),
        ("architecture", effective("Architecture")),
        ("credential", effective("Credential")),
        ("login_url", effective("LoginUrl")),
        ("database", database),
        ("stored", " %s " % " ".join(stored)),
    ]


if __name__ == "__main__":
    run(main)

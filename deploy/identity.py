#!/usr/bin/env python3
"""Says on standard error who is asking AWS, and prints the id of the account."""

import argparse
import os
import sys

import aws
from program import Refused, run


def identity():
    """Account and ARN of the credentials, or a refusal."""
    region = os.environ.get("AWS_REGION", "")
    try:
        answer = aws.call("sts", "get-caller-identity")
    except aws.AwsError as error:
        if "Unable to locate credentials" in error.text:
            raise Refused("the AWS CLI has no credentials: run aws configure, or aws sso login")
        if error.kind == aws.EXPIRED:
            raise Refused("your AWS credentials have expired: get new ones (aws sso login, or your"
                          " usual way) and repeat")
        if error.kind == aws.UNREACHABLE:
            raise Refused('AWS cannot be reached in "%s": is that a region of your account, and is'
                          " the network up?" % region)
        raise Refused("AWS does not accept these credentials: %s" % error)
    return answer["Account"], answer["Arn"]


def main():
    """The command line."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    account, arn = identity()
    print("AWS account %s, region %s, as %s" % (account, os.environ.get("AWS_REGION", ""), arn),
          file=sys.stderr)
    print(account)


if __name__ == "__main__":
    run(main)

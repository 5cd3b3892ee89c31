"""Prints a SAM template as JSON: as it is, or, with --plain, as the CloudFormation template that SAM makes of it.

Usage: transform.py [--plain] TEMPLATE
"""

import json
import os
import sys

from cfnlint.decode.cfn_yaml import load
from samtranslator.translator.transform import transform


class NoManagedPolicies:
    def load(self):
        return {}


def main():
    template = load(sys.argv[-1])
    if "--plain" in sys.argv:
        os.environ.setdefault("AWS_DEFAULT_REGION", "eu-central-1")
        for resource in template["Resources"].values():
            if resource["Type"] == "AWS::Serverless::Function":
                resource["Properties"]["CodeUri"] = "s3://bucket/code.zip"
        template = transform(template, {}, NoManagedPolicies())
    print(json.dumps(template))


main()

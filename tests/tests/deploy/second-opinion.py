"""Creates the stack of a plain CloudFormation template (standard input) in moto, and prints what came of it as JSON."""

import json
import sys

import boto3
from moto import mock_aws

PARAMETERS = {
    "AlarmEmail": "ops@example.com",
    # moto knows no alarms, and the dashboard names theirs.
    "CreateDashboard": "false",
}


@mock_aws
def main():
    place = {"LocationConstraint": "eu-central-1"}
    s3 = boto3.client("s3")
    s3.create_bucket(Bucket="bucket", CreateBucketConfiguration=place)
    s3.put_object(Bucket="bucket", Key="code.zip", Body=b"")
    cloudformation = boto3.client("cloudformation")
    cloudformation.create_stack(
        StackName="entratrail",
        TemplateBody=sys.stdin.read(),
        Capabilities=["CAPABILITY_IAM"],
        Parameters=[{"ParameterKey": name, "ParameterValue": value} for name, value in PARAMETERS.items()],
    )
    stack = cloudformation.describe_stacks(StackName="entratrail")["Stacks"][0]
    resources = cloudformation.describe_stack_resources(StackName="entratrail")["StackResources"]
    # What moto does not know it lists without a type.
    resources = [resource for resource in resources if "ResourceType" in resource]
    functions = boto3.client("lambda").list_functions()["Functions"]
    bucket = next(r["PhysicalResourceId"] for r in resources if r["ResourceType"] == "AWS::S3::Bucket")
    encryption = s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"][0]
    print(json.dumps({
        "encryption": encryption["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"],
        "status": stack["StackStatus"],
        "kinds": sorted({resource["ResourceType"] for resource in resources}),
        "functions": sorted(function["FunctionName"] for function in functions),
    }))


main()

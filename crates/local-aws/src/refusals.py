"""Asks an emulator for what AWS refuses, and ends at the first thing that it takes.

Usage: refusals.py ENDPOINT ACCOUNT [RULES ...]
"""

import json
import sys

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

ENDPOINT, ACCOUNT, *CHOSEN = sys.argv[1:]
BUCKET = f"refusals-{ACCOUNT}"
REGION = "eu-central-1"
PART = 5 * 1024 * 1024


def client(service, region=REGION):
    return boto3.client(
        service,
        endpoint_url=ENDPOINT,
        region_name=region,
        aws_access_key_id=ACCOUNT,
        aws_secret_access_key="test",
        config=Config(retries={"max_attempts": 1}),
    )


s3, ssm, kms, sns = client("s3"), client("ssm"), client("kms"), client("sns")


def refused(code, call, **arguments):
    try:
        call(**arguments)
    except ClientError as error:
        assert error.response["Error"]["Code"] == code, f"{code} was to come, not {error}"
        return
    sys.exit(f"{call.__name__} {list(arguments)} was to be refused with {code}")


def upload(first, algorithm=None, names_checksums=True):
    options = {"Bucket": BUCKET, "Key": "object"}
    begun = {"ChecksumAlgorithm": algorithm} if algorithm else {}
    options["UploadId"] = s3.create_multipart_upload(Bucket=BUCKET, Key="object", **begun)["UploadId"]
    parts = []
    for number, body in enumerate([b"x" * first, b"y"], 1):
        sent = s3.upload_part(PartNumber=number, Body=body, ChecksumAlgorithm="CRC32", **options)
        checksum = {"ChecksumCRC32": sent["ChecksumCRC32"]} if names_checksums else {}
        parts.append({"PartNumber": number, "ETag": sent["ETag"], **checksum})
    s3.complete_multipart_upload(MultipartUpload={"Parts": parts}, **options)


def large_objects():
    refused("InvalidPart", upload, first=PART)
    refused("EntityTooSmall", upload, first=PART - 1, algorithm="CRC32")
    upload(first=PART, algorithm="CRC32")
    upload(first=PART, names_checksums=False)


def buckets():
    put = {"Bucket": BUCKET, "Key": "object", "Body": b""}
    refused("AccessDenied", s3.put_object, ExpectedBucketOwner="999999999999", **put)
    s3.put_object(ExpectedBucketOwner=ACCOUNT, **put)
    s3.put_bucket_policy(Bucket=BUCKET, Policy=json.dumps({
        "Version": "2012-10-17",
        "Statement": [{
            "Effect": "Deny",
            "Principal": "*",
            "Action": "s3:PutObject",
            "Resource": f"arn:aws:s3:::{BUCKET}/raw/*",
            "Condition": {
                "Null": {"s3:if-none-match": "true"},
                "Bool": {"s3:ObjectCreationOperation": "true"},
            },
        }],
    }))
    put["Key"] = "raw/object"
    refused("AccessDenied", s3.put_object, **put)
    s3.put_object(IfNoneMatch="*", **put)
    source = f"{BUCKET}/object"
    refused("AccessDenied", s3.copy_object, Bucket=BUCKET, Key="raw/copy", CopySource=source)
    s3.create_multipart_upload(Bucket=BUCKET, Key="raw/large")


def parameters():
    secure = {"Name": "/refusals/certificate", "Type": "SecureString"}
    refused("ValidationException", ssm.put_parameter, Value="x" * 4097, **secure)
    ssm.put_parameter(Value="x" * 4097, Tier="Intelligent-Tiering", **secure)
    refused("AccessDeniedException", ssm.put_parameter, Name="/aws-logs/x", Value="x", Type="String")
    refused("ValidationException", ssm.put_parameter, Name="/ssm/x", Value="x", Type="String")


def keys():
    key = kms.create_key()["KeyMetadata"]["Arn"]
    ssm.put_parameter(Name="/refusals/secret", Value="x", Type="SecureString", KeyId=key)
    stored = {"Bucket": BUCKET, "Key": "encrypted"}
    s3.put_object(ServerSideEncryption="aws:kms", SSEKMSKeyId=key, Body=b"x", **stored)
    s3.get_object(**stored)
    kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=7)
    refused("KMS.DisabledException", s3.get_object, **stored)
    refused("InvalidKeyId", ssm.get_parameter, Name="/refusals/secret", WithDecryption=True)


def subscriptions():
    topic = sns.create_topic(Name="refusals")["TopicArn"]

    def subscribe(address):
        sns.subscribe(TopicArn=topic, Protocol="email", Endpoint=address)
        listed = sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]
        found = [one["SubscriptionArn"] for one in listed if one["Endpoint"] == address]
        return found[0].startswith(topic) if found else None

    assert subscribe("ops@example.com") is True
    assert subscribe("unread@example.com") is False
    assert subscribe("lost@example.com") is None
    assert subscribe("lost@example.com") is True


s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
for rules in (large_objects, buckets, parameters, keys, subscriptions):
    if not CHOSEN or rules.__name__ in CHOSEN:
        rules()

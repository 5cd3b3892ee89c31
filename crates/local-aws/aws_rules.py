"""Refusals of AWS that MiniStack does not know: each with the page that states it. Importing this module puts them in
force. Nothing here makes anything work that would not without it."""

import contextvars
import json
import re

from ministack import app
from ministack.core import iam_actions, iam_evaluator
from ministack.core.responses import error_response_json, get_account_id, get_region
from ministack.core.router import extract_access_key_id
from ministack.services import cloudwatch, cloudwatch_logs, eventbridge, kms, lambda_svc, s3, sns, ssm
from ministack.services.cloudformation import provisioners

SMALLEST_PART = 5 * 1024 * 1024
LARGEST_STANDARD_PARAMETER = 4096
LARGEST_ANSWER = 6_291_556
LARGEST_ASYNCHRONOUS_EVENT = 256 * 1024
LARGEST_LOG_EVENT = 1024 * 1024

requester = contextvars.ContextVar("requester", default="")


# S3 -------------------------------------------------------------------------------------------------------------


def refuse_parts(upload, body):
    """https://docs.aws.amazon.com/AmazonS3/latest/API/API_CompletedPart.html: a part's checksum counts only in an upload
    that was begun with its algorithm. https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html: every part but
    the last has 5 MiB or more."""
    text = body.decode(errors="replace")
    algorithm = upload.get("checksum_algorithm")
    for named in re.findall(r"<Checksum([A-Z0-9]+)>", text):
        if named != algorithm:
            return s3._error("InvalidPart", "One or more of the specified parts could not be found.", 400)
    numbers = sorted(int(number) for number in re.findall(r"<PartNumber>(\d+)</PartNumber>", text))
    sizes = [upload["parts"][number]["size"] for number in numbers if number in upload["parts"]]
    if any(size < SMALLEST_PART for size in sizes[:-1]):
        return s3._error("EntityTooSmall", "Your proposed upload is smaller than the minimum allowed size", 400)
    return None


def refuse_owner(bucket, headers):
    """https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-owner-condition.html"""
    expected = headers.get("x-amz-expected-bucket-owner")
    if not expected or expected == (s3._bucket_owner_account(bucket) or expected):
        return None
    return s3._error("AccessDenied", "Access Denied", 403, f"/{bucket}")


def write_context(headers, query):
    """https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes-enforce.html: the parts of an upload create
    no object and carry no condition."""
    is_part = "partNumber" in query or "uploads" in query
    context = {"s3:ObjectCreationOperation": "false" if is_part else "true"}
    for name in ("if-match", "if-none-match"):
        if headers.get(name):
            context[f"s3:{name}"] = headers[name]
    return context


def refuse_by_bucket_policy(method, bucket, key, headers, query):
    """What a bucket's policy denies, nobody may, also where MiniStack asks for no permissions."""
    record = s3._buckets.get(bucket)
    policy = s3._bucket_policies.get(bucket)
    if not record or not policy or not key or method not in ("PUT", "POST"):
        return None
    context = iam_evaluator.EvalContext(
        principal_arn=f"arn:aws:iam::{get_account_id()}:root",
        principal_type="Root",
        principal_account=get_account_id(),
        action="s3:PutObject",
        resource_arn=f"arn:aws:s3:::{bucket}/{key}",
        region=get_region(),
        secure_transport=True,
        service_context={name.lower(): value for name, value in write_context(headers, query).items()},
    )
    if iam_evaluator.evaluate_resource_policy(policy, context).decision != "Deny":
        return None
    return s3._error("AccessDenied", "Access Denied with an explicit deny in a resource-based policy", 403)


def refuse_key(key_id, action):
    """https://docs.aws.amazon.com/kms/latest/developerguide/key-state.html: a disabled key, or one that is to be deleted,
    serves nobody. https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html: whoever reads or writes
    needs the key as well, the one with which the thing was encrypted. The words of the refusal, or None."""
    if not key_id or "aws/" in key_id:
        return None
    key = kms._resolve_key(key_id)
    if key is None:
        return "KMS.NotFoundException", f"Key {key_id} does not exist"
    if key["KeyState"] != "Enabled":
        return "KMS.DisabledException", f"{key['Arn']} is {key['KeyState']}"
    if not app.AUTH:
        return None
    principal = iam_evaluator.resolve_principal(requester.get(), get_account_id())
    if isinstance(principal, iam_evaluator.AuthError) or principal.policies is None:
        return None
    context = iam_evaluator.EvalContext(
        principal_arn=principal.arn,
        principal_type=principal.type,
        principal_account=principal.account,
        action=action,
        resource_arn=key["Arn"],
        region=get_region(),
        principal_keys=principal.keys,
    )
    if iam_evaluator.evaluate(context, principal.policies, *principal.limits).decision == "Allow":
        return None
    return "AccessDenied", f"{principal.arn} is not authorized to perform {action} on {key['Arn']}"


def refuse_object_key(method, bucket, key, headers, query):
    if not key or method not in ("GET", "PUT", "POST"):
        return None
    name = "x-amz-server-side-encryption-aws-kms-key-id"
    if method == "GET":
        record = (s3._buckets.get(bucket) or {"objects": {}})["objects"].get(key) or {}
        refusal = refuse_key(record.get("preserved_headers", {}).get(name), "kms:Decrypt")
    elif "uploadId" in query:
        return None
    else:
        default = s3._bucket_default_sse_headers(bucket) if s3._buckets.get(bucket) else {}
        refusal = refuse_key(headers.get(name) or default.get(name), "kms:GenerateDataKey")
    return refusal and s3._error(refusal[0], refusal[1], 403 if refusal[0] == "AccessDenied" else 400)


dispatch_s3 = s3._dispatch


def strict_s3(method, bucket, key, headers, body, query):
    requester.set(extract_access_key_id(headers, query) or "")
    refusal = (
        refuse_owner(bucket, headers)
        or refuse_by_bucket_policy(method, bucket, key, headers, query)
        or refuse_object_key(method, bucket, key, headers, query)
    )
    upload = s3._multipart_uploads.get(s3._qp(query, "uploadId"))
    if not refusal and method == "POST" and upload:
        refusal = refuse_parts(upload, body)
    return refusal or dispatch_s3(method, bucket, key, headers, body, query)


context_of_s3 = iam_actions.s3_service_context


def context_of_writes(action, query, path="", headers=None):
    context = context_of_s3(action, query, path, headers)
    if action == "s3:PutObject":
        context = {**context, **write_context(headers or {}, query or {})}
    return context


# Mails ----------------------------------------------------------------------------------------------------------


def service_may(policy, service, action, resource, conditions):
    context = iam_evaluator.EvalContext(
        principal_arn="*",
        principal_type="Service",
        principal_account="",
        action=action,
        resource_arn=resource,
        region=get_region(),
        secure_transport=True,
        service_context=conditions,
    )
    return iam_evaluator.evaluate_resource_policy(policy, context, service=service).decision == "Allow"


def may_publish(topic_arn, service, conditions):
    """Whether the topic's policy and its key's let the service in, with what it says of itself in a request."""
    topic = sns._topic_by_arn_any_scope(topic_arn)
    attributes = topic["attributes"] if topic else {}
    if not service_may(attributes.get("Policy"), service, "sns:Publish", topic_arn, conditions):
        return False
    key_id = attributes.get("KmsMasterKeyId")
    if not key_id:
        return True
    key = kms._resolve_key(key_id)
    return bool(key) and key["KeyState"] == "Enabled" and all(
        service_may(key.get("Policy"), service, action, key["Arn"], conditions)
        for action in ("kms:GenerateDataKey", "kms:Decrypt")
    )


create_topic = provisioners._sns_create
update_topic = provisioners._sns_update


def keep_key(topic_arn, properties):
    """MiniStack's stacks forget the key of a topic."""
    topic = sns._topics.get(topic_arn)
    if topic:
        topic["attributes"]["KmsMasterKeyId"] = properties.get("KmsMasterKeyId", "")


def create_topic_with_key(logical_id, properties, stack_name):
    created = create_topic(logical_id, properties, stack_name)
    keep_key(created[0], properties)
    return created


def update_topic_with_key(physical_id, old_properties, properties, *rest, **options):
    updated = update_topic(physical_id, old_properties, properties, *rest, **options)
    keep_key(physical_id, properties)
    return updated


invoke_target = eventbridge._invoke_target


def invoke_target_of_topic(target, event, rule, view=None):
    """EventBridge says nothing of its source to an SNS topic or its key, so a condition on that never holds, and the
    delivery fails without a word but for a metric.

    https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html
    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-resource-based.html
    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-monitoring.html
    """
    arn = target.get("Arn", "")
    if ":sns:" in arn and not may_publish(arn, "events.amazonaws.com", {}):
        name = rule.get("Name", "") if isinstance(rule, dict) else str(rule)
        cloudwatch.record_metric("AWS/Events", "FailedInvocations", 1, "Count", {"RuleName": name})
        evaluate_alarms("FailedInvocations", name)
        return None
    return invoke_target(target, event, rule, view)


def evaluate_alarms(metric, value):
    """The alarms on a metric with this dimension. MiniStack looks at alarms where somebody puts a metric, and not at
    dimensions."""
    for alarm in list(cloudwatch._alarms.values()):
        if alarm.get("MetricName") == metric and value in [one["Value"] for one in alarm.get("Dimensions") or []]:
            cloudwatch._evaluate_alarm(alarm)


act_on_alarm = cloudwatch._dispatch_alarm_actions


def act_where_allowed(alarm, old_state, new_state, reason):
    """An alarm names its account and itself. https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html"""
    said = {"aws:sourceaccount": get_account_id(), "aws:sourcearn": alarm.get("AlarmArn", "")}
    members = ("AlarmActions", "OKActions", "InsufficientDataActions")
    allowed = {
        member: [arn for arn in alarm.get(member) or [] if may_publish(arn, "cloudwatch.amazonaws.com", said)]
        for member in members
    }
    return act_on_alarm({**alarm, **allowed}, old_state, new_state, reason)


# Who has not opened the link in the mail of SNS yet, and whose subscription SNS has deleted since, be it because of that
# or after a click on "unsubscribe". A stack knows nothing of either.
# https://docs.aws.amazon.com/sns/latest/dg/sns-email-notifications.html
# https://aws.amazon.com/about-aws/whats-new/2023/05/
UNREAD = "unread"
LOST = "lost"
lost_once = set()


def settle(topic_arn, endpoint):
    """Everybody opens the link at once, but for addresses that begin with one of the words above."""
    topic = sns._topic_by_arn_any_scope(topic_arn)
    own = [one for one in topic["subscriptions"] if one["endpoint"] == endpoint] if topic else []
    for subscription in own:
        if endpoint.startswith(UNREAD):
            subscription["confirmed"] = False
            subscription["attributes"]["PendingConfirmation"] = "true"
        if endpoint.startswith(LOST) and (topic_arn, endpoint) not in lost_once:
            lost_once.add((topic_arn, endpoint))
            topic["subscriptions"].remove(subscription)


create_subscription = provisioners._sns_sub_create
subscribe = sns._subscribe
list_subscriptions = sns._list_subscriptions_by_topic
list_all_subscriptions = sns._list_subscriptions


def create_and_settle(logical_id, props, stack_name):
    created = create_subscription(logical_id, props, stack_name)
    settle(props.get("TopicArn", ""), props.get("Endpoint", ""))
    return created


def subscribe_and_settle(params):
    answer = subscribe(params)
    settle(sns._p(params, "TopicArn"), sns._p(params, "Endpoint"))
    return answer


def with_pending(answer):
    """What is not confirmed has no ARN yet."""
    status, headers, body = answer
    text = body.decode() if isinstance(body, bytes) else body
    pending = [one["arn"] for topic in sns._topics.values() for one in topic["subscriptions"] if not one.get("confirmed")]
    for arn in pending:
        text = text.replace(f"<SubscriptionArn>{arn}<", "<SubscriptionArn>PendingConfirmation<")
    return status, headers, text.encode() if isinstance(body, bytes) else text


# Parameters -----------------------------------------------------------------------------------------------------

put_parameter = ssm._put_parameter
show_parameter = ssm._get_parameter
handle_ssm = ssm.handle_request


def put_small_parameter(data):
    """https://docs.aws.amazon.com/systems-manager/latest/userguide/parameter-store-advanced-parameters.html"""
    value = data.get("Value", "")
    tier = data.get("Tier") or ssm._default_tier(data, value, ssm._parameters.get(data.get("Name")))
    if tier == "Standard" and len(value) > LARGEST_STANDARD_PARAMETER:
        return error_response_json(
            "ValidationException",
            "Standard tier parameters support a maximum parameter value of 4096 characters. To create a larger "
            "parameter value, upgrade the parameter to use the advanced-parameter tier.",
            400,
        )
    refusal = refuse_key(data.get("KeyId"), "kms:Encrypt") if data.get("Type") == "SecureString" else None
    if refusal and refusal[0] != "AccessDenied":
        return error_response_json("InvalidKeyId", refusal[1], 400)
    return put_parameter(data)


def show_decrypted_parameter(data):
    """https://docs.aws.amazon.com/kms/latest/developerguide/services-parameter-store.html: a parameter stays encrypted with
    the key with which it was stored."""
    parameter = ssm._parameters.get(data.get("Name"))
    if parameter and parameter["Type"] == "SecureString" and data.get("WithDecryption"):
        refusal = refuse_key(parameter.get("KeyId"), "kms:Decrypt")
        if refusal:
            code = "AccessDeniedException" if refusal[0] == "AccessDenied" else "InvalidKeyId"
            return error_response_json(code, refusal[1], 400)
    return show_parameter(data)


async def handle_ssm_of_requester(method, path, headers, body, query):
    requester.set(extract_access_key_id(headers, query) or "")
    return await handle_ssm(method, path, headers, body, query)


# Functions ------------------------------------------------------------------------------------------------------

invoke = lambda_svc._invoke
append_log_events = cloudwatch_logs._append_log_events


async def invoke_within_limits(name, event, headers, *rest, **options):
    """https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html"""
    kind = headers.get("x-amz-invocation-type") or headers.get("X-Amz-Invocation-Type") or "RequestResponse"
    if kind == "Event" and len(json.dumps(event)) > LARGEST_ASYNCHRONOUS_EVENT:
        words = f"Request must be smaller than {LARGEST_ASYNCHRONOUS_EVENT} bytes for the InvokeFunction operation"
        return error_response_json("RequestEntityTooLargeException", words, 413)
    answer = await invoke(name, event, headers, *rest, **options)
    status, answered, body = answer
    if isinstance(body, (bytes, str)) and len(body) > LARGEST_ANSWER:
        error = {
            "errorType": "Function.ResponseSizeTooLarge",
            "errorMessage": f"Response payload size exceeded maximum allowed payload size ({LARGEST_ANSWER} bytes).",
        }
        return status, {**answered, "X-Amz-Function-Error": "Unhandled"}, json.dumps(error).encode()
    return answer


def append_cut_events(stream, events):
    """https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/cloudwatch_limits_cwl.html"""
    for event in events:
        event["message"] = event["message"][:LARGEST_LOG_EVENT]
    return append_log_events(stream, events)


s3._dispatch = strict_s3
iam_actions.s3_service_context = context_of_writes
eventbridge._invoke_target = invoke_target_of_topic
cloudwatch._dispatch_alarm_actions = act_where_allowed
provisioners._RESOURCE_HANDLERS["AWS::SNS::Topic"]["create"] = create_topic_with_key
provisioners._RESOURCE_HANDLERS["AWS::SNS::Topic"]["update"] = update_topic_with_key
provisioners._RESOURCE_HANDLERS["AWS::SNS::Subscription"]["create"] = create_and_settle
provisioners._sns_sub_create = create_and_settle  # by this name MiniStack replaces one
# https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-sns-subscription.html
provisioners._REPLACING_PROPERTIES["AWS::SNS::Subscription"] = ("Endpoint", "Protocol", "TopicArn")
sns._subscribe = subscribe_and_settle
sns._list_subscriptions_by_topic = lambda params: with_pending(list_subscriptions(params))
sns._list_subscriptions = lambda params: with_pending(list_all_subscriptions(params))
ssm._put_parameter = put_small_parameter
ssm._get_parameter = show_decrypted_parameter
ssm.handle_request = handle_ssm_of_requester
lambda_svc._invoke = invoke_within_limits
cloudwatch_logs._append_log_events = append_cut_events

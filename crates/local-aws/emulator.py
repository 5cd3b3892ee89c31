"""MiniStack with what the failure mails need and it does not have: asynchronous failure destinations on an event bus,
and emails that can be read (each one a file in the folder MAIL_FOLDER, as SNS would send it). With accounts that leave
each other's functions alone, with change sets that leave out what a condition leaves out, with an Athena that answers
(athena.py), and with the refusals of AWS in aws_rules.py."""

import fcntl
import json
import os
import select
import sys
import termios
import threading
import time
import uuid
from pathlib import Path

import athena  # noqa: F401: its import puts it in force
import aws_rules  # noqa: F401: the same
from ministack.app import main
from ministack.core.lambda_runtime import ProvidedWorker
from ministack.core.responses import get_account_id, get_region
from ministack.services import cloudwatch, eventbridge, lambda_svc, sns
from ministack.services.cloudformation import changesets

deliver_failure = lambda_svc._route_async_failure
deliver_message = sns._fanout
stop_environments = lambda_svc.invalidate_worker
resolve_template = changesets._resolve_props_for_diff
output = threading.Lock()


def report_failure(target, function_name, event, result):
    """Lambda's record of a failed asynchronous invocation, put on the event bus where the destination is one.

    https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html
    """
    if ":event-bus/" not in target:
        return deliver_failure(target, function_name, event, result)
    function = lambda_svc._functions[function_name]
    arn = function["config"]["FunctionArn"]
    settings = (function.get("event_invoke_configs") or {}).get("$LATEST") or {}
    attempts = settings.get("MaximumRetryAttempts")
    record = {
        "version": "1.0",
        "timestamp": time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime()),
        "requestContext": {
            "requestId": str(uuid.uuid4()),
            "functionArn": f"{arn}:$LATEST",
            "condition": "RetriesExhausted",
            "approximateInvokeCount": 1 + (2 if attempts is None else int(attempts)),
        },
        "requestPayload": event,
        "responseContext": {"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"},
        "responsePayload": result.get("body") if isinstance(result.get("body"), dict) else {},
    }
    eventbridge._dispatch_event({
        "EventId": str(uuid.uuid4()),
        "EventBusName": target.rsplit("/", 1)[1],
        "Source": "lambda",
        "DetailType": "Lambda Function Invocation Result - Failure",
        "Account": get_account_id(),
        "Region": get_region(),
        "Time": time.time(),
        "Resources": [target, f"{arn}:$LATEST"],
        "Detail": json.dumps(record),
    })


def send_message(topic_arn, message_id, message, subject, *rest, **options):
    """https://docs.aws.amazon.com/sns/latest/dg/sns-monitoring-using-cloudwatch.html: deliveries are counted."""
    deliver_message(topic_arn, message_id, message, subject, *rest, **options)
    topic = sns._topic_by_arn_any_scope(topic_arn) or {"subscriptions": []}
    for subscription in topic["subscriptions"]:
        if subscription.get("protocol") == "email" and subscription.get("confirmed"):
            sender = topic.get("attributes", {}).get("DisplayName") or "AWS Notifications"
            write_mail(sender, subscription["endpoint"], subject or "AWS Notification Message", message)
            name = {"TopicName": topic_arn.rsplit(":", 1)[1]}
            cloudwatch.record_metric("AWS/SNS", "NumberOfNotificationsDelivered", 1, "Count", name)


def write_mail(sender, receiver, subject, message):
    folder = Path(os.environ["MAIL_FOLDER"])
    folder.mkdir(parents=True, exist_ok=True)
    mail = f"From: {sender} <no-reply@sns.amazonaws.com>\nTo: {receiver}\nSubject: {subject}\n\n{message}\n"
    # A reader must never see half of it.
    draft = folder / f".{uuid.uuid4()}"
    draft.write_text(mail)
    draft.rename(folder / f"{get_account_id()}-{time.time_ns()}.txt")


def stop_own_environments(function_name, qualifier=None, account=None, region=None):
    """A function that is created or changed ends its running environments. Without an account, MiniStack ends those of
    every function of that name: a check in one test's account failed when another test deployed its own stack."""
    stop_environments(function_name, qualifier, account or get_account_id(), region or get_region())


def pump_output(worker, stream, lines):
    """Takes what a function prints from its pipe to `lines`, so that with `output` held nothing is on its way."""
    unfinished = []
    printed_something = select.poll()
    printed_something.register(stream)
    while True:
        printed_something.poll()
        with output:
            printed = os.read(stream.fileno(), 1 << 16)
            ended = b"\n" if unfinished and not printed else b""
            for part in (printed + ended).splitlines(keepends=True):
                unfinished.append(part)
                if part.endswith(b"\n"):
                    if lines.full():
                        lines.get_nowait()
                    lines.put_nowait(b"".join(unfinished).decode(errors="replace").rstrip("\r\n"))
                    unfinished = []
            if not printed:
                return stream.close()


def drain_output(worker, **waits):
    """All that the function printed before it answered. MiniStack waits a quarter of a second for it at most, and 5 ms
    for the next line: on a busy machine lines were missing."""
    while True:
        with output:
            stream = worker._proc.stdout if worker._proc else None
            if stream is None or stream.closed or waiting_bytes(stream) == 0:
                return worker._drain_stderr()
        time.sleep(0.001)


def waiting_bytes(pipe):
    return int.from_bytes(fcntl.ioctl(pipe, termios.FIONREAD, bytes(4)), sys.byteorder)


def resolve_without_what_is_left_out(template, parameters, *stack):
    """A resource whose condition is false is none.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/conditions-section-structure.html
    """
    resolved = resolve_template(template, parameters, *stack)
    conditions = changesets._evaluate_conditions(template, parameters) if template else {}
    resources = resolved.get("Resources", {})
    for name in [name for name, resource in resources.items() if not conditions.get(resource.get("Condition"), True)]:
        del resources[name]
    return resolved


changesets._resolve_props_for_diff = resolve_without_what_is_left_out
ProvidedWorker._pump_output = pump_output
ProvidedWorker._drain_stderr_bounded = drain_output
lambda_svc._route_async_failure = report_failure
lambda_svc.invalidate_worker = stop_own_environments
sns._fanout = send_message

if __name__ == "__main__":
    sys.exit(main())

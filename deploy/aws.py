"""Calls the AWS command line and tells its failures apart."""

import json
import os
import re
import subprocess

from program import Failed, Refused

EXPIRED = "expired"
NO_CREDENTIALS = "no credentials"
DENIED = "denied"
THROTTLED = "throttled"
MISSING = "missing"
UNREACHABLE = "unreachable"
OTHER = "other"

#: Codes and words of the services and of the command line itself, in the order of trying.
SIGNS = (
    (EXPIRED, r"Expired|TokenRefreshRequired|token .*expired|session .*(expired|invalid)|from sso"),
    (NO_CREDENTIALS, r"Unable to locate credentials|InvalidClientTokenId|UnrecognizedClient"
     r"|InvalidAccessKeyId|SignatureDoesNotMatch|AuthFailure|InvalidSignature|Partial credentials"
     r"|config profile .* could not be found|NoCredential|MissingAuthenticationToken"),
    (THROTTLED, r"Throttl|TooManyRequests|RequestLimitExceeded|SlowDown|Rate exceeded"),
    (DENIED, r"AccessDenied|Unauthorized|AuthorizationError|NotAuthorized|Forbidden|\(403\)"),
    (UNREACHABLE, r"Could not connect|[Tt]imeout|timed out|Connection was closed|ConnectionClosed"
     r"|EndpointConnectionError|SSL validation|Could not resolve|Failed to connect"),
    (MISSING, r"does not exist|NotFound|NoSuch|NonExist|Not Found|\(404\)"),
)

ADVICE = {
    EXPIRED: "the AWS credentials have expired: get new ones (aws sso login, or your usual way) and"
    " repeat",
    NO_CREDENTIALS: "AWS does not know these credentials: run aws configure, or aws sso login",
    THROTTLED: "AWS asks to slow down: repeat in a minute",
    DENIED: "your AWS user or role may not do that: have the action allowed, or use another"
    " profile",
    UNREACHABLE: "AWS cannot be reached: check the network and the region",
}


class AwsError(Exception):
    """A call that the command line or the service refused."""

    def __init__(self, call, text):
        self.call = call
        self.text = text
        code = re.search(r"An error occurred \(([^)]+)\)", text)
        self.code = code.group(1) if code else ""
        self.kind = kind_of(text)
        super().__init__(self.sentence())

    def sentence(self):
        """What was tried, what came back, what to do next."""
        lines = [line.strip() for line in self.text.splitlines() if line.strip()]
        said = lines[-1][:400] if lines else "no answer"
        if self.kind in ADVICE:
            return "aws %s: %s (%s)" % (self.call, ADVICE[self.kind], said.rstrip("."))
        return "aws %s: %s" % (self.call, said)


def kind_of(text):
    """The kind of a failure, by what the command line printed."""
    return next((kind for kind, signs in SIGNS if re.search(signs, text)), OTHER)


def call(service, operation, *arguments, **options):
    """Calls an operation; returns its whole answer. `stdin` is what file:///dev/stdin reads."""
    command = ["aws", service, operation, *map(str, arguments), "--output", "json"]
    stdin = options.get("stdin")
    environment = dict(os.environ, AWS_PAGER="")
    if "attempts" in options:
        environment["AWS_MAX_ATTEMPTS"] = str(options["attempts"])
    done = subprocess.run(
        command,
        input=stdin.encode() if stdin is not None else None,
        stdin=subprocess.DEVNULL if stdin is None else None,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment,
    )
    if done.returncode != 0:
        said = done.stderr.decode(errors="replace") or done.stdout.decode(errors="replace")
        raise AwsError("%s %s" % (service, operation), said)
    output = done.stdout.decode(errors="replace").strip()
    return json.loads(output) if output else {}


def call_if_there(service, operation, *arguments, **options):
    """The answer, or None where the service says that there is no such thing."""
    try:
        return call(service, operation, *arguments, **options)
    except AwsError as error:
        if error.kind == MISSING:
            return None
        raise


def refusing(action, *arguments):
    """Runs `action` before anything was changed: an error of AWS refuses."""
    try:
        return action(*arguments)
    except AwsError as error:
        raise Refused(str(error))


def failing(action, *arguments):
    """Runs `action` on the way: an error of AWS fails."""
    try:
        return action(*arguments)
    except AwsError as error:
        raise Failed(str(error))

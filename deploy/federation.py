#!/usr/bin/env python3
"""Sets up a credential without a secret: this AWS account tells Entra which function is asking."""

import argparse
import re
import subprocess

import aws
import stack as stacks
from program import Failed, Refused, run, say

#: The audience that a federated credential expects, by the last part of the host that signs on. The
#: ones of the national clouds are named by Microsoft's client libraries.
AUDIENCES = {"us": "api://AzureADTokenExchangeUSGov", "cn": "api://AzureADTokenExchangeChina"}
AUDIENCE = "api://AzureADTokenExchange"

#: The first version of each line of the AWS command line that knows outbound federation.
FIRST_VERSIONS = {1: (1, 43, 0), 2: (2, 32, 0)}


def audience(login_url):
    """The audience for a cloud."""
    host = re.sub(r"^https?://", "", login_url).split("/")[0].split(":")[0]
    return AUDIENCES.get(host.split(".")[-1], AUDIENCE)


def check_version(said):
    """Refuses a command line that is too old, by what `aws --version` prints."""
    found = re.search(r"aws-cli/(\d+)\.(\d+)\.(\d+)", said)
    if not found:
        return
    version = tuple(map(int, found.groups()))
    needed = FIRST_VERSIONS.get(version[0])
    if needed and version < needed:
        raise Refused("the AWS CLI is version %s, and outbound federation needs %s: update it"
                      % (".".join(map(str, version)), ".".join(map(str, needed))))


def installed():
    """What the installed command line says of its version."""
    done = subprocess.run(["aws", "--version"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return done.stdout.decode(errors="replace")


def enable():
    """Lets this account give out tokens."""
    try:
        aws.call("iam", "enable-outbound-web-identity-federation")
    except aws.AwsError as error:
        if "FeatureEnabled" not in error.text:
            raise Failed("outbound federation could not be enabled: %s" % error)


def issuer():
    """The issuer of the account's tokens."""
    try:
        answer = aws.call("iam", "get-outbound-web-identity-federation-info")
    except aws.AwsError as error:
        if error.kind in (aws.EXPIRED, aws.NO_CREDENTIALS, aws.DENIED, aws.THROTTLED):
            raise
        raise Failed("this AWS account gives out no tokens yet: repeat with --enable-federation"
                     " (%s)" % error)
    return answer["IssuerIdentifier"]


def print_credentials(name):
    """What to enter in Entra."""
    stack = stacks.needed(name)
    from_account = issuer()
    roles = ["%sRole" % stacks.OUTPUTS[function] for function in stack.collectors()]
    say("Enter %s federated credentials in Entra: App registrations, your application,"
        " Certificates & secrets," % {2: "two", 3: "three"}[len(roles)])
    say('Federated credentials, Add credential, scenario "Other issuer":')
    for role in roles:
        say("    Issuer    %s" % from_account)
        say("    Type      Explicit subject identifier")
        say("    Value     %s" % stack.outputs.get(role, ""))
        say("    Name      %s-%s" % (name, role.lower()))
        say("    Audience  %s" % audience(stack.parameters.get("LoginUrl", "")))
        say()


def main():
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--stack", required=True, help="name of the stack")
    actions = parser.add_subparsers(dest="action", required=True)
    prepares = actions.add_parser("prepare", help="look before anything is created")
    prepares.add_argument("enables", choices=["true", "false"],
                          help="whether the account is to be let give out tokens")
    actions.add_parser("print", help="print what to enter in Entra")
    options = parser.parse_args()
    if options.action == "prepare":
        check_version(installed())
        if options.enables == "true":
            aws.failing(enable)
        aws.failing(issuer)
    else:
        aws.failing(print_credentials, options.stack)


if __name__ == "__main__":
    run(main)

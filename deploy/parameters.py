#!/usr/bin/env python3
"""The parameters below /STACK: stored encrypted, moved to another key, removed.

A secret comes by standard input and stays in memory; no process list and no file shows it.
"""

import argparse
import re
import sys

import aws
import stack as stacks
from program import Failed, Refused, describe, run, say
from settings import GUID

NAMES = ("tenant-id", "client-id", "client-secret", "client-certificate")
#: What signs the history of the ledger: it stays with the archive.
EVIDENCE = ("evidence-id", "evidence-key")
#: What the functions remember of it, not encrypted.
EVIDENCE_MEMORY = tuple("evidence-signed-%s" % log for log in stacks.LOGS.values())

#: The standard tier of Parameter Store takes 4,096 characters, the advanced one 8,192.
STANDARD_LENGTH = 4096
LONGEST = 8192
AWS_KEY = "aws"


class Stored:
    """What is stored of one parameter, apart from its value."""

    def __init__(self, answer):
        self.type = answer.get("Type", "")
        self.key = key_id(answer.get("KeyId", ""))
        self.tier = answer.get("Tier", "Standard")


def key_id(key):
    """A key in one form, whether it was named by ARN, id or alias."""
    if key in ("", AWS_KEY) or key.endswith("alias/aws/ssm"):
        return AWS_KEY
    return key.split(":key/")[-1]


def described(stack, names=NAMES + EVIDENCE):
    """The parameters of a stack that are there, by name."""
    paths = ["/%s/%s" % (stack, name) for name in names]
    wanted = "Key=Name,Option=Equals,Values=%s" % ",".join(paths)
    answer = aws.call("ssm", "describe-parameters", "--parameter-filters", wanted)
    found = {parameter["Name"]: Stored(parameter) for parameter in answer.get("Parameters") or []}
    return {name: found[path] for name, path in zip(names, paths) if path in found}


def values(stack, names):
    """The values of stored parameters, decrypted."""
    if not names:
        return {}
    paths = ["/%s/%s" % (stack, name) for name in names]
    answer = aws.call("ssm", "get-parameters", "--with-decryption", "--names", *paths)
    found = {one["Name"]: one["Value"] for one in answer.get("Parameters") or []}
    return {name: found[path] for name, path in zip(names, paths) if path in found}


def foreign(stack, stored):
    """Refuses parameters under our names that another program must have made."""
    for name, parameter in stored.items():
        if parameter.type != "SecureString":
            raise Refused("the parameter /%s/%s is there already and is a %s, which EntraTrail"
                          " never makes: choose another name with --stack, or remove it"
                          % (stack, name, parameter.type))


def check_secret(name, value):
    """Refuses what cannot be a client secret, or a certificate with its key."""
    if not value:
        raise Refused("the client secret is missing: type it, pipe it, or name its file in"
                      " --secret-file")
    if name == "client-certificate":
        check_certificate(value)
    elif re.fullmatch(GUID, value):
        raise Refused("that is the secret's id; the value is the other column in Entra, shown only"
                      " once: make a new secret and copy its value")
    elif re.search(r"\s", value):
        raise Refused("the client secret holds spaces or line breaks, which none does: copy its"
                      " value alone")
    elif len(value) > STANDARD_LENGTH:
        raise Refused("the client secret has %s, which none has: copy its value alone"
                      % describe(value))


def check_certificate(value):
    """Refuses what is no PEM of a certificate and a private key, or too long for the store."""
    if "-----BEGIN CERTIFICATE-----" not in value:
        raise Refused("the file of --secret-file holds no certificate in PEM form")
    if not re.search(r"-----BEGIN [A-Z ]*PRIVATE KEY-----", value):
        raise Refused("the file of --secret-file holds no private key in PEM form: it needs the"
                      " certificate and its key")
    if "ENCRYPTED" in value:
        raise Refused("the private key in the file of --secret-file is encrypted, and a function"
                      " cannot ask for its password: decrypt it with openssl pkey first")
    if len(value) > LONGEST:
        raise Refused("certificate and key have %d characters together, and the parameter store"
                      " takes %d: leave the chain out, or use a key of 2048 bits"
                      % (len(value), LONGEST))


def store(stack, name, value, key):
    """Stores a value, if there is one, unless it is stored already under that key."""
    if not value:
        return
    before = described(stack)
    foreign(stack, before)
    there = before.get(name)
    if there and there.key == key_id(key) and values(stack, [name]).get(name) == value:
        return
    put(stack, name, value, key, there)
    say("Stored /%s/%s, encrypted" % (stack, name))


def check_new(stack, name, value):
    """Refuses to overwrite what no stack of this name can have made."""
    stored = described(stack)
    foreign(stack, stored)
    if value and name in stored and values(stack, [name]).get(name) != value:
        raise Refused("the parameter /%s/%s is there already with another value, and there is no"
                      " stack %s that could have made it: choose another name with --stack, or"
                      " remove it (aws ssm delete-parameter --name /%s/%s)"
                      % (stack, name, stack, stack, name))


def put(stack, name, value, key, there):
    """Writes one parameter."""
    options = []
    if len(value) > STANDARD_LENGTH or (there and there.tier != "Standard"):
        options += ["--tier", "Intelligent-Tiering"]
    if len(value) > STANDARD_LENGTH:
        say("/%s/%s has more than %s characters: AWS charges about 0.05 dollars a month for it"
            % (stack, name, format(STANDARD_LENGTH, ",")))
    if key_id(key) != AWS_KEY:
        options += ["--key-id", key]
    elif there and there.key != AWS_KEY:
        options += ["--key-id", "alias/aws/ssm"]
    try:
        aws.call("ssm", "put-parameter", "--name", "/%s/%s" % (stack, name), "--type",
                 "SecureString", "--overwrite", *options, "--value", "file:///dev/stdin",
                 stdin=value)
    except aws.AwsError as error:
        raise Failed("/%s/%s could not be stored: %s" % (stack, name, error))


def rekey(stack, key):
    """Stores again, under this key, what is stored under another one."""
    before = described(stack)
    foreign(stack, before)
    stale = [name for name, parameter in before.items() if parameter.key != key_id(key)]
    for name, value in values(stack, stale).items():
        put(stack, name, value, key, before[name])
        say("Stored /%s/%s again, encrypted with the stack's present key" % (stack, name))


def create(stack, name, value, key):
    """Stores a value where there is none of that name; returns whether there was none."""
    options = [] if key_id(key) == AWS_KEY else ["--key-id", key]
    try:
        aws.call("ssm", "put-parameter", "--name", "/%s/%s" % (stack, name), "--type",
                 "SecureString", *options, "--value", "file:///dev/stdin", stdin=value)
    except aws.AwsError as error:
        if error.code == "ParameterAlreadyExists":
            return False
        raise Failed("/%s/%s could not be stored: %s" % (stack, name, error))
    say("Stored /%s/%s, encrypted" % (stack, name))
    return True


def remove(stack):
    """Removes the credential of the stack; parameters of other programs stay."""
    removed = 0
    for name, parameter in described(stack, NAMES).items():
        if parameter.type == "SecureString":
            aws.call_if_there("ssm", "delete-parameter", "--name", "/%s/%s" % (stack, name))
            removed += 1
    return removed


def remove_evidence(stack):
    """Removes what signed the history of an archive that is gone."""
    for name in EVIDENCE + EVIDENCE_MEMORY:
        aws.call_if_there("ssm", "delete-parameter", "--name", "/%s/%s" % (stack, name))


def main():
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--stack", required=True, help="name of the stack")
    actions = parser.add_subparsers(dest="action", required=True)
    checks = actions.add_parser("check", help="refuse what cannot be this secret (standard input)")
    checks.add_argument("name", choices=NAMES)
    news = actions.add_parser("check-new", help="refuse to overwrite what no stack can have made")
    news.add_argument("name", choices=NAMES)
    stores = actions.add_parser("store", help="store the value on standard input")
    stores.add_argument("name", choices=NAMES)
    rekeys = actions.add_parser("rekey", help="store again what another key encrypts")
    for one in (stores, rekeys):
        one.add_argument("--key", required=True, help="ARN of the key, or aws")
    options = parser.parse_args()
    if options.action == "check":
        check_secret(options.name, sys.stdin.read().strip())
    elif options.action == "check-new":
        aws.refusing(check_new, options.stack, options.name, sys.stdin.read().strip())
    elif options.action == "store":
        aws.failing(store, options.stack, options.name, sys.stdin.read().strip(), options.key)
    else:
        aws.failing(rekey, options.stack, options.key)


if __name__ == "__main__":
    run(main)

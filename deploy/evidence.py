#!/usr/bin/env python3
"""The key that signs the history of the ledger: made where there is none, never replaced, and shown
in the form that others check signatures with (docs/evidence.md)."""

import argparse
import base64
import hashlib
import os
import re
import secrets
import sys
import uuid

import aws
import parameters
import stack as stacks
from program import Failed, run, say

DOCS = os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "docs")
#: What stands before the 32 bytes of a private key (RFC 8410, PKCS#8 in DER), and of a public one.
PRIVATE_START = bytes.fromhex("302e020100300506032b657004220420")
SEED_START = bytes.fromhex("04220420")
PUBLIC_START = bytes.fromhex("302a300506032b6570032100")


def new_key():
    """A private key as the functions read it: PKCS#8 in PEM."""
    encoded = base64.b64encode(PRIVATE_START + secrets.token_bytes(32)).decode()
    return "-----BEGIN PRIVATE KEY-----\n%s\n-----END PRIVATE KEY-----\n" % encoded


def public_of(pem):
    """The public part of the first private key in a text; RFC 8032, part 5.1.5."""
    first = re.search(r"-----BEGIN PRIVATE KEY-----([A-Za-z0-9+/=\s]+)-----END", pem)
    encoded = base64.b64decode(first.group(1)) if first else b""
    place = encoded.find(SEED_START)
    if place < 0:
        raise Failed("the parameter evidence-key holds no Ed25519 key as PEM (PKCS#8)")
    sys.path.append(DOCS)
    import check  # the arithmetic of Ed25519, which Python lacks
    seed = encoded[place + len(SEED_START):][:32]
    number = int.from_bytes(hashlib.sha512(seed).digest()[:32], "little")
    number = number & ~7 & ((1 << 254) - 1) | 1 << 254
    x, y = check.times(number, check.BASE)
    return (y | (x & 1) << 255).to_bytes(32, "little")


def public_in_kms(arn):
    """The public part of a key in KMS."""
    answer = aws.call("kms", "get-public-key", "--key-id", arn)
    encoded = base64.b64decode(answer.get("PublicKey", ""))
    if not encoded.startswith(PUBLIC_START):
        raise Failed("the KMS key %s is not of spec ECC_NIST_EDWARDS25519" % arn)
    return encoded[len(PUBLIC_START):]


def verifier_key(name, public):
    """A key with its name and id, as https://c2sp.org/signed-note has it."""
    key = b"\1" + public
    key_id = hashlib.sha256(name.encode() + b"\n" + key).hexdigest()[:8]
    return "%s+%s+%s" % (name, key_id, base64.b64encode(key).decode())


def ensure(stack, key):
    """Makes what is lacking to sign, and shows the verifier keys; nothing where nobody signs."""
    there = stacks.needed(stack)
    kind = there.parameters.get("Evidence", "none")
    if kind == "none":
        return
    made = parameters.create(stack, "evidence-id", uuid.uuid4().hex, key)
    if kind == "parameter":
        made = parameters.create(stack, "evidence-key", new_key(), key) or made
    stored = parameters.values(stack, parameters.EVIDENCE)
    if kind == "parameter":
        public = public_of(stored["evidence-key"])
    else:
        public = public_in_kms(there.outputs["EvidenceKeyArn"])
    say("The history of the ledger is signed. %s these verifier keys where nobody who can write the"
        " archive can change them:" % ("Keep" if made else "You should have kept"))
    for log in map(stacks.LOGS.get, there.collectors()):
        name = "entratrail/%s/%s" % (stored["evidence-id"].strip(), log)
        say("  %s" % verifier_key(name, public))


def main():
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--stack", required=True, help="name of the stack")
    parser.add_argument("--key", required=True, help="ARN of the key of parameters, or aws")
    options = parser.parse_args()
    aws.failing(ensure, options.stack, options.key)


if __name__ == "__main__":
    run(main)

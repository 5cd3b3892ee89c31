#!/usr/bin/env python3
"""Makes a certificate, stores it with its key, and shows what to upload in Entra.

The private key stays in memory; only the certificate, which is public, becomes a file.
"""

import argparse
import subprocess

import aws
import parameters
from program import Failed, run, say

DAYS = 730


def openssl(arguments, stdin=""):
    """What OpenSSL prints."""
    done = subprocess.run(["openssl", *arguments], input=stdin.encode(), stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE)
    if done.returncode != 0:
        said = done.stderr.decode(errors="replace").strip().splitlines() or ["no reason given"]
        raise Failed("OpenSSL made no certificate: %s" % said[-1])
    return done.stdout.decode()


def make(name):
    """A certificate and its private key, in PEM form."""
    key = openssl(["genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"])
    certificate = openssl(["req", "-x509", "-new", "-sha256", "-days", str(DAYS), "-subj",
                           "/CN=%s" % name, "-key", "/dev/stdin"], key)
    return certificate, key


def main():
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--stack", required=True, help="name of the stack")
    parser.add_argument("--key", required=True, help="ARN of the key that encrypts it, or aws")
    options = parser.parse_args()
    certificate, key = make(options.stack)
    aws.failing(parameters.store, options.stack, "client-certificate",
                certificate.strip() + "\n" + key.strip(), options.key)
    path = "%s-certificate.pem" % options.stack
    with open(path, "w") as file:
        file.write(certificate)
    say("Made a certificate, valid for two years: %s" % path)
    say("Upload it in Entra now: App registrations, your application, Certificates & secrets,"
        " Certificates, Upload certificate")
    for line in certificate.splitlines():
        say("    %s" % line)


if __name__ == "__main__":
    run(main)

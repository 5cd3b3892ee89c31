"""The key that signs the history of the ledger: made once, never replaced, shown as others need it."""

import base64
import unittest

import stub
from stub import KEY, Account, error

import evidence

#: RFC 8032, part 7.1, test 2: a private key and its public one.
SEED = bytes.fromhex("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb")
PUBLIC = bytes.fromhex("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c")
ID = "0123456789abcdef0123456789abcdef"
KMS_KEY = "arn:aws:kms:eu-central-1:123456789012:key/signs"
THERE = error("ParameterAlreadyExists", "PutParameter", "The parameter already exists")


def pem(key):
    """A private key in the form that OpenSSL writes."""
    encoded = base64.b64encode(key).decode()
    return "-----BEGIN PRIVATE KEY-----\n%s\n-----END PRIVATE KEY-----\n" % encoded


class Keys(unittest.TestCase):
    """Forms of keys."""

    def test_the_public_part_is_that_of_the_private_key(self):
        self.assertEqual(evidence.public_of(pem(evidence.PRIVATE_START + SEED)), PUBLIC)
        before = pem(evidence.PRIVATE_START + bytes(32))
        both = pem(evidence.PRIVATE_START + SEED) + before
        self.assertEqual(evidence.public_of(both), PUBLIC, "the first key signs")

    def test_a_verifier_key_is_what_other_programs_of_the_format_write(self):
        known = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
        public = base64.b64decode(known.split("+", 2)[2])[1:]
        self.assertEqual(evidence.verifier_key("PeterNeumann", public), known)

    def test_new_keys_differ(self):
        self.assertNotEqual(evidence.new_key(), evidence.new_key())
        self.assertEqual(len(evidence.public_of(evidence.new_key())), 32)


class Ensuring(Account):
    """What a deployment does."""

    more_outputs = {}

    def ensure(self, kind, stored=None):
        key = stored or pem(evidence.PRIVATE_START + SEED)
        outputs = dict({"EvidenceKeyArn": KMS_KEY}, **self.more_outputs)
        self.answers("cloudformation describe-stacks",
                     stub.stack(parameters={"Evidence": kind}, outputs=outputs))
        self.answers("ssm get-parameters", {"Parameters": [
            {"Name": "/entratrail/evidence-id", "Value": ID},
            {"Name": "/entratrail/evidence-key", "Value": key}]})
        return self.program("evidence", "--stack", "entratrail", "--key", KEY)

    def shown(self, output):
        """The verifier keys that were shown."""
        return [line.strip() for line in output.splitlines() if line.startswith("  entratrail/")]

    def expected(self, logs=("sign-ins", "directory-audits")):
        return [evidence.verifier_key("entratrail/%s/%s" % (ID, log), PUBLIC) for log in logs]

    def test_nothing_is_made_where_nobody_signs(self):
        self.assertEqual(self.ensure("none"), (0, ""))
        self.assertEqual(self.calls("ssm"), [])

    def test_key_and_id_are_made_by_standard_input_and_the_verifier_keys_shown(self):
        self.answers("ssm put-parameter", {"Version": 1})
        status, output = self.ensure("parameter")
        self.assertEqual(status, 0, output)
        made = self.calls("ssm put-parameter")
        self.assertEqual(len(made), 2)
        for call in made:
            self.assertIn("--type SecureString --key-id " + KEY, call)
            self.assertNotIn("--overwrite", call)
            self.assertNotIn("PRIVATE", call)
        self.assertNotIn("PRIVATE", output)
        self.assertIn("Keep these verifier keys", output)
        self.assertEqual(self.shown(output), self.expected())

    def test_a_log_that_is_collected_too_has_a_verifier_key_too(self):
        self.more_outputs = {"ProvisioningFunction": "entratrail-provisioning-logs"}
        self.answers("ssm put-parameter", {"Version": 1})
        status, output = self.ensure("parameter")
        self.assertEqual(status, 0, output)
        self.assertEqual(self.shown(output), self.expected(evidence.stacks.LOGS.values()))

    def test_a_key_that_is_there_stays(self):
        self.answers("ssm put-parameter", THERE)
        status, output = self.ensure("parameter")
        self.assertEqual(status, 0, output)
        self.assertNotIn("Stored", output)
        self.assertIn("You should have kept these verifier keys", output)
        self.assertEqual(self.shown(output), self.expected())

    def test_a_key_in_kms_is_made_by_the_stack_and_shown(self):
        self.answers("ssm put-parameter", {"Version": 1})
        encoded = base64.b64encode(evidence.PUBLIC_START + PUBLIC).decode()
        self.answers("kms get-public-key --key-id " + KMS_KEY, {"PublicKey": encoded})
        status, output = self.ensure("kms")
        self.assertEqual(status, 0, output)
        self.assertEqual(len(self.calls("ssm put-parameter")), 1)
        self.assertEqual(self.shown(output), self.expected())

    def test_what_is_no_key_of_ed25519_is_refused(self):
        self.answers("ssm put-parameter", THERE)
        status, output = self.ensure("parameter", "no key")
        self.assertEqual(status, 1)
        self.assertIn("holds no Ed25519 key", output)
        self.assertNotIn("no key\n", output)
        self.answers("kms get-public-key", {"PublicKey": base64.b64encode(bytes(91)).decode()})
        status, output = self.ensure("kms")
        self.assertEqual(status, 1)
        self.assertIn("%s is not of spec ECC_NIST_EDWARDS25519" % KMS_KEY, output)


if __name__ == "__main__":
    unittest.main()

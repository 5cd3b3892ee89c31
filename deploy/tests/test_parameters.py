"""Parameters: stored encrypted under the right key, secrets by standard input alone."""

import unittest

import stub
from stub import KEY, SECRET, Account, error

CERTIFICATE = ("-----BEGIN CERTIFICATE-----\n%s\n-----END CERTIFICATE-----\n"
               "-----BEGIN PRIVATE KEY-----\n%s\n-----END PRIVATE KEY-----")


class Storing(Account):
    """Storing."""

    def store(self, name, value, key=KEY):
        self.answers("ssm put-parameter", {"Version": 1})
        return self.program("parameters", "--stack", "entratrail", "store", name, "--key", key,
                            stdin=value)

    def test_a_secret_is_given_by_standard_input_and_nowhere_else(self):
        self.answers("ssm describe-parameters", {"Parameters": []})
        status, output = self.store("client-secret", SECRET)
        self.assertEqual(status, 0, output)
        self.assertIn("Stored /entratrail/client-secret, encrypted", output)
        self.assertNotIn(SECRET, output + " ".join(self.calls()))
        self.assertEqual(self.given("ssm put-parameter"), SECRET)
        self.assertIn("--key-id " + KEY, self.calls("ssm put-parameter")[0])
        self.assertNotIn("--tier", self.calls("ssm put-parameter")[0])

    def test_what_is_stored_under_the_key_is_not_stored_again(self):
        self.answers("ssm describe-parameters", stub.stored("client-id"))
        self.answers("ssm get-parameters", {"Parameters": [
            {"Name": "/entratrail/client-id", "Value": "x"}]})
        status, output = self.store("client-id", "x")
        self.assertEqual((status, output), (0, ""))
        self.assertEqual(self.calls("ssm put-parameter"), [])

    def test_what_another_key_encrypts_is_stored_again(self):
        for key_id in ("alias/aws/ssm", "arn:aws:kms:eu-central-1:1:key/other", "other"):
            self.setUp()
            self.answers("ssm describe-parameters", stub.stored("client-id", KeyId=key_id))
            self.answers("ssm get-parameters", {"Parameters": [
                {"Name": "/entratrail/client-id", "Value": "x"}]})
            self.answers("ssm put-parameter", {})
            status, output = self.program("parameters", "--stack", "entratrail", "rekey", "--key",
                                          KEY)
            self.assertEqual(status, 0, output)
            self.assertEqual(self.given("ssm put-parameter"), "x")
            self.assertIn("--key-id " + KEY, self.calls("ssm put-parameter")[0])

    def test_keys_named_by_id_and_by_arn_are_the_same(self):
        self.answers("ssm describe-parameters", stub.stored("client-id", KeyId=KEY.split("/")[1]))
        status, output = self.program("parameters", "--stack", "entratrail", "rekey", "--key", KEY)
        self.assertEqual((status, output), (0, ""))

    def test_a_long_certificate_goes_to_the_tier_that_takes_it_and_the_price_is_said(self):
        self.answers("ssm describe-parameters", {"Parameters": []})
        status, output = self.store("client-certificate", CERTIFICATE % ("x" * 3000, "y" * 1900))
        self.assertEqual(status, 0, output)
        self.assertIn("--tier Intelligent-Tiering", self.calls("ssm put-parameter")[0])
        self.assertIn("0.05 dollars a month", output)

    def test_a_parameter_of_the_advanced_tier_stays_there(self):
        self.answers("ssm describe-parameters", stub.stored("client-certificate", Tier="Advanced"))
        self.answers("ssm get-parameters", {"Parameters": []})
        status, output = self.store("client-certificate", CERTIFICATE % ("x", "y"))
        self.assertEqual(status, 0, output)
        self.assertIn("--tier Intelligent-Tiering", self.calls("ssm put-parameter")[0])

    def test_a_parameter_of_another_program_is_left_alone(self):
        self.answers("ssm describe-parameters", stub.stored("client-id", Type="String"))
        status, output = self.store("client-id", "x")
        self.assertEqual(status, 2, output)
        self.assertIn("EntraTrail never makes", output)
        self.assertEqual(self.calls("ssm put-parameter"), [])

    def test_without_a_stack_nothing_that_is_there_is_overwritten(self):
        self.answers("ssm describe-parameters", stub.stored("client-id"))
        self.answers("ssm get-parameters", {"Parameters": [
            {"Name": "/entratrail/client-id", "Value": "x"}]})
        for value, expected in (("x", 0), ("y", 2), ("", 0)):
            status, output = self.program("parameters", "--stack", "entratrail", "check-new",
                                          "client-id", stdin=value)
            self.assertEqual(status, expected, output)

    def test_a_refusal_of_aws_is_said_without_the_secret(self):
        self.answers("ssm describe-parameters", {"Parameters": []})
        self.answers("ssm put-parameter", stub.DENIED)
        status, output = self.program("parameters", "--stack", "entratrail", "store",
                                      "client-secret", "--key", "aws", stdin=SECRET)
        self.assertEqual(status, 1, output)
        self.assertIn("could not be stored", output)
        self.assertNotIn(SECRET, output)


class Checking(Account):
    """What is refused before anything is built."""

    def check(self, name, value):
        status, output = self.program("parameters", "--stack", "entratrail", "check", name,
                                      stdin=value)
        self.assertNotIn(SECRET, output)
        return status, output

    def test_what_cannot_be_a_secret_is_refused(self):
        for value, words in (("", "missing"),
                             ("0b1a7c2e-1111-4222-8333-444455556666", "secret's id"),
                             (SECRET + " two", "spaces"), ("x" * 5000, "5000 characters")):
            status, output = self.check("client-secret", value)
            self.assertEqual(status, 2, output)
            self.assertIn(words, output)
        self.assertEqual(self.check("client-secret", SECRET + "\n"), (0, ""))

    def test_what_cannot_be_a_certificate_is_refused(self):
        whole = CERTIFICATE % ("x", "y")
        for value, words in (
                (SECRET, "no certificate"),
                (whole.split("-----BEGIN PRIVATE")[0], "no private key"),
                (whole.replace("BEGIN PRIVATE", "BEGIN ENCRYPTED PRIVATE"), "encrypted"),
                (CERTIFICATE % ("x" * 6000, "y" * 3000), "takes 8192")):
            status, output = self.check("client-certificate", value)
            self.assertEqual(status, 2, output)
            self.assertIn(words, output)
        self.assertEqual(self.check("client-certificate", whole), (0, ""))


class Federation(Account):
    """A credential without a secret."""

    def prepare(self):
        return self.program("federation", "--stack", "entratrail", "prepare", "false")

    def test_each_cloud_has_its_audience(self):
        import federation
        for url, audience in (
                ("", "api://AzureADTokenExchange"),
                ("https://login.microsoftonline.com", "api://AzureADTokenExchange"),
                ("https://login.microsoftonline.us", "api://AzureADTokenExchangeUSGov"),
                ("https://login.chinacloudapi.cn", "api://AzureADTokenExchangeChina"),
                ("https://login.partner.microsoftonline.cn/", "api://AzureADTokenExchangeChina")):
            self.assertEqual(federation.audience(url), audience)

    def test_a_command_line_that_is_too_old_is_named_with_the_version_it_takes(self):
        self.answers("--version", "aws-cli/2.9.19 Python/3.11 Linux")
        status, output = self.prepare()
        self.assertEqual(status, 2, output)
        self.assertIn("2.9.19", output)
        self.assertIn("2.32.0", output)
        for version in ("aws-cli/1.43.0 x", "aws-cli/2.32.0 x", "aws-cli/3.0.0 x", "?"):
            self.setUp()
            self.answers("--version", version)
            self.answers("iam get-outbound", {"IssuerIdentifier": "https://x"})
            self.assertEqual(self.prepare(), (0, ""))

    def test_only_an_account_without_tokens_is_told_to_enable_them(self):
        self.answers("--version", "aws-cli/2.40.0")
        for failure, words in ((error("FeatureDisabled"), "--enable-federation"),
                               (stub.DENIED, "may not do that"), (stub.EXPIRED, "expired")):
            self.answers("iam get-outbound", failure)
            status, output = self.prepare()
            self.assertEqual(status, 1, output)
            self.assertIn(words, output)


if __name__ == "__main__":
    unittest.main()

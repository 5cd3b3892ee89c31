"""Options, parameters, and the file of --env-file."""

import os
import unittest

from stub import SECRET, Account

import settings
from program import Refused, describe


class Files(Account):
    """Files as people really have them."""

    def read(self, content):
        path = os.path.join(self.folder, "settings.env")
        with open(path, "wb") as file:
            file.write(content)
        return settings.read_file(path)

    def test_a_file_from_windows_is_read(self):
        pairs = self.read(b"\xef\xbb\xbfEMAIL=me@example.com\r\nHistoryDays=7\r\n")
        self.assertEqual(pairs, [("EMAIL", "me@example.com"), ("HistoryDays", "7")])

    def test_export_quotes_remarks_and_old_line_ends_are_understood(self):
        pairs = self.read(b"export EMAIL=\"me@example.com\"\r  REGION='eu-west-1' # home\r\n"
                          b"# a remark\n\nSTACK=one # two\nTENANT_ID= contoso.com \n")
        self.assertEqual(pairs, [("EMAIL", "me@example.com"), ("REGION", "eu-west-1"),
                                 ("STACK", "one"), ("TENANT_ID", "contoso.com")])

    def test_what_is_no_setting_is_refused_without_being_shown(self):
        for content in (SECRET.encode(), b"EMAIL=\"" + SECRET.encode(), b"A-B=" + SECRET.encode(),
                        b"CLIENT_SECRET=" + SECRET.encode(), b"EMAIL=a\x07" + SECRET.encode()):
            with self.assertRaises(Refused) as refusal:
                self.read(content)
            self.assertNotIn(SECRET, str(refusal.exception))
            self.assertNotIn("\n", str(refusal.exception))

    def test_text_that_is_not_utf_8_is_refused(self):
        with self.assertRaises(Refused) as refusal:
            self.read("EMAIL=me@example.com".encode("utf-16"))
        self.assertIn("UTF-8", str(refusal.exception))


class Scripts(Account):
    """The same through the script: no AWS is asked."""

    def refusal(self, *arguments, **options):
        status, output = self.script(*arguments, **options)
        self.assertEqual(status, 2, output)
        self.assertNotIn(SECRET, output)
        self.assertEqual(self.calls("cloudformation"), [])
        return output.strip().splitlines()[-1]

    def test_a_misplaced_secret_is_described_and_never_shown(self):
        for option in ("--client-id", "--tenant-id", "--email", "--stack", "--credential",
                       "--secret-expires"):
            sentence = self.refusal("--check", option, SECRET)
            self.assertIn("characters", sentence, option)
        for arguments in ((SECRET,), ("--tenant-id=" + SECRET,), ("--set", SECRET),
                          ("--set", "HistoryDays=" + SECRET), ("--set", SECRET + "=7"),
                          ("--run", SECRET, SECRET)):
            self.refusal(*arguments)

    def test_a_secret_in_a_file_is_described(self):
        path = os.path.join(self.folder, "settings.env")
        for name in ("CLIENT_ID", "TENANT_ID", "EMAIL", "HistoryDays", "STACK"):
            with open(path, "w") as file:
                file.write("%s=%s\n" % (name, SECRET))
            self.assertIn("characters", self.refusal("--check", "--env-file", path))

    def test_names_that_the_parameter_store_keeps_are_refused_at_once(self):
        for name in ("aws-logs", "AWSlogs", "ssm-entratrail", "Ssm"):
            self.assertIn("parameter store", self.refusal("--stack", name, "--check"))

    def test_a_span_that_ends_before_it_begins_is_refused(self):
        self.assertIn("FROM must lie before TO",
                      self.refusal("--run", "2026-11-23", "2026-11-20"))
        self.assertIn("must be a day", self.refusal("--run", "2026-02-30", "2026-03-02"))

    def test_an_option_after_the_file_wins(self):
        path = os.path.join(self.folder, "settings.env")
        with open(path, "w") as file:
            file.write("STACK=one\r\nEMAIL=nobody\r\n")
        self.answers("cloudformation describe-stacks", "does not exist")
        status, output = self.script("--env-file", path, "--email", "me@example.com", "--status")
        self.assertEqual(status, 2, output)
        self.assertIn('there is no stack "one"', output)


class Parameters(unittest.TestCase):
    """The parameters of the template."""

    def setUp(self):
        self.parameters = settings.template_parameters()

    def test_all_of_them_are_found_with_their_limits(self):
        self.assertGreater(len(self.parameters), 30)
        self.assertEqual(self.parameters["HistoryDays"].facts["MaxValue"], "30")
        self.assertEqual(self.parameters["Architecture"].facts["Default"], "arm64")
        for name, parameter in self.parameters.items():
            self.assertIn("Type", parameter.facts, name)
            default = parameter.facts.get("Default")
            if default is not None:
                parameter.check(default)

    def test_values_that_cloudformation_would_refuse_are_refused(self):
        for name, value in (("HistoryDays", "31"), ("HistoryDays", "7.5"), ("CreateKey", "yes"),
                            ("WindowMinutes", "7"), ("ExistingBucket", "No_Bucket"),
                            ("ExistingKeyArn", "alias/key"), ("GraphUrl", "graph.microsoft.us")):
            with self.assertRaises(Refused, msg=name):
                settings.check([(name, value)], self.parameters)
        settings.check([("SignInSchedule", "rate(1 hour)"), ("HistoryDays", "30")], self.parameters)

    def test_regions_of_every_partition_are_taken(self):
        for region in ("eu-central-1", "us-gov-west-1", "cn-north-1", "eusc-de-east-1",
                       "us-isob-east-1"):
            settings.check([("REGION", region)], self.parameters)
        for region in ("mars", "eu_central_1", "eu-central", "EU-CENTRAL-1"):
            with self.assertRaises(Refused):
                settings.check([("REGION", region)], self.parameters)

    def test_the_value_in_effect_is_asked_for_or_there_or_the_default(self):
        known = self.parameters
        self.assertEqual(settings.in_effect("MemorySize", {"MemorySize": "512"},
                                            {"MemorySize": "128"}, known), "512")
        self.assertEqual(settings.in_effect("MemorySize", {}, {"MemorySize": "128"}, known), "128")
        self.assertEqual(settings.in_effect("MemorySize", {}, {}, known), "256")

    def test_a_description_gives_nothing_away(self):
        self.assertEqual(describe(SECRET), "39 characters (letters, digits and other signs)")
        self.assertEqual(describe(""), "empty")
        self.assertEqual(describe("x"), "1 character (letters)")


if __name__ == "__main__":
    unittest.main()

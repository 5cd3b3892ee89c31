"""A stub `aws` for the states of an account that no emulator can be brought into.

It stands first in PATH, answers from a table, and keeps what it was asked and given.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

FOLDER = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, FOLDER)
ACCOUNT = "123456789012"
REGION = "eu-central-1"
KEY = "arn:aws:kms:eu-central-1:123456789012:key/11111111-2222-3333-4444-555555555555"
TOPIC = "arn:aws:sns:eu-central-1:123456789012:entratrail-failures"
BUCKET = "entratrail-archive-x"
SECRET = "abc8Q~this.is-the.secret_value.40.chars"

PROGRAM = """#!{python} -IS
import json, os, sys
folder = {folder!r}
words = sys.argv[1:]
stdin = "" if "file:///dev/stdin" not in words else sys.stdin.read()
with open(os.path.join(folder, "calls"), "a") as file:
    file.write(json.dumps([words, stdin, os.environ.get("AWS_SESSION_TOKEN")]) + "\\n")
with open(os.path.join(folder, "table")) as file:
    table = json.load(file)
call = " ".join(words)
for wanted, answers in table:
    if call.startswith(wanted):
        break
else:
    sys.exit("stub: nobody said what aws %s answers" % call)
used = os.path.join(folder, "used-" + wanted.replace(" ", "-").replace("/", "-"))
number = int(open(used).read()) if os.path.exists(used) else 0
open(used, "w").write(str(number + 1))
answer = answers[min(number, len(answers) - 1)]
if isinstance(answer, str):
    sys.stderr.write("\\n" + answer + "\\n")
    sys.exit(254)
if "text" in answer:
    sys.exit(print(answer["text"]))
if "payload" in answer:
    files = [word for word in words[2:] if word.endswith("answer.json")]
    open(files[0], "w").write(json.dumps(answer["payload"]))
    answer = answer["status"]
print(json.dumps(answer))
"""


def error(code, operation="Something", message="no"):
    """What the AWS command line prints for an error of a service."""
    return "An error occurred (%s) when calling the %s operation: %s" % (code, operation, message)


NO_STACK = error("ValidationError", "DescribeStacks", "Stack with id entratrail does not exist")
EXPIRED = error("ExpiredToken", message="The security token included in the request is expired")
DENIED = error("AccessDenied", message="User: x is not authorized to perform: this")
THROTTLED = error("Throttling", message="Rate exceeded")


def stack(status="CREATE_COMPLETE", parameters=None, outputs=None):
    """What describe-stacks answers."""
    known = dict({"AlarmEmail": "ops@example.com", "CreateKey": "true", "ExistingKeyArn": "",
                  "ExistingBucket": "", "ObjectLockDays": "0", "Credential": "secret",
                  "HistoryDays": "30"}, **(parameters or {}))
    shown = dict({"ArchiveBucket": BUCKET, "KeyArn": KEY, "FailureTopicArn": TOPIC,
                  "SignInLogGroup": "sign-in", "AuditLogGroup": "audit"}, **(outputs or {}))
    return {"Stacks": [{
        "StackName": "entratrail", "StackStatus": status,
        "Parameters": [{"ParameterKey": k, "ParameterValue": v} for k, v in known.items()],
        "Outputs": [{"OutputKey": k, "OutputValue": v} for k, v in shown.items()]}]}


def resources(*pairs):
    """What describe-stack-resources answers."""
    return {"StackResources": [
        {"LogicalResourceId": "R%d" % n, "ResourceType": kind, "PhysicalResourceId": physical,
         "ResourceStatus": "CREATE_COMPLETE"} for n, (kind, physical) in enumerate(pairs)]}


def stored(*names, **facts):
    """What describe-parameters answers."""
    described = dict({"Type": "SecureString", "KeyId": KEY, "Tier": "Standard"}, **facts)
    return {"Parameters": [dict(described, Name="/entratrail/%s" % name) for name in names]}


class Account(unittest.TestCase):
    """A test with a stub of its own."""

    def setUp(self):
        self.folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.folder)
        self.table = []
        path = os.path.join(self.folder, "aws")
        with open(path, "w") as file:
            file.write(PROGRAM.format(python=sys.executable, folder=self.folder))
        os.chmod(path, 0o755)
        # Itself, and no script of a manager of versions, which would look for it at every call.
        os.symlink(sys.executable, os.path.join(self.folder, "python3"))

    def answers(self, call, *answers):
        """Says what a call answers: a value, or the text of an error; the last one is repeated."""
        self.table.insert(0, (call, list(answers)))

    def environment(self):
        """Credentials, a region, and the stub first in PATH."""
        return {"PATH": "%s:%s" % (self.folder, os.environ["PATH"]), "HOME": self.folder,
                "AWS_ACCESS_KEY_ID": "stub", "AWS_SECRET_ACCESS_KEY": "stub",
                "AWS_REGION": REGION, "PYTHONDONTWRITEBYTECODE": "1"}

    def start(self, command, stdin):
        """Runs a command to its end; returns status and output."""
        with open(os.path.join(self.folder, "table"), "w") as file:
            json.dump(self.table, file)
        done = subprocess.run(command, input=stdin.encode(), stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, env=self.environment(), cwd=self.folder)
        output = done.stdout.decode()
        self.assertNotIn("Traceback", output)
        return done.returncode, output

    def program(self, name, *arguments, **options):
        """Runs a program of deploy/."""
        path = os.path.join(FOLDER, name + ".py")
        # Without packages, which take longer to find than most programs to run.
        return self.start([sys.executable, "-S", path, *arguments], options.get("stdin", ""))

    def script(self, *arguments, **options):
        """Runs deploy.sh."""
        self.answers("sts get-caller-identity",
                     {"Account": ACCOUNT, "Arn": "arn:aws:iam::%s:user/x" % ACCOUNT})
        path = os.path.join(FOLDER, "..", "deploy.sh")
        return self.start([path, "--yes", "--region", REGION, *arguments],
                          options.get("stdin", ""))

    def calls(self, start=""):
        """The calls that begin like this, as one text each."""
        path = os.path.join(self.folder, "calls")
        if not os.path.exists(path):
            return []
        with open(path) as file:
            asked = [json.loads(line)[0] for line in file]
        return [" ".join(words) for words in asked if " ".join(words).startswith(start)]

    def given(self, start):
        """What the first such call got on its standard input."""
        with open(os.path.join(self.folder, "calls")) as file:
            asked = [json.loads(line) for line in file]
        return next(stdin for words, stdin, _ in asked if " ".join(words).startswith(start))

    def tokens(self, start):
        """The session token in the environment of each such call."""
        with open(os.path.join(self.folder, "calls")) as file:
            asked = [json.loads(line) for line in file]
        return [token for words, _, token in asked if " ".join(words).startswith(start)]

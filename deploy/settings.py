#!/usr/bin/env python3
"""What was asked for: the file of --env-file, and the form of options and parameters."""

import argparse
import datetime
import os
import re
import sys

from program import Refused, describe, run

TEMPLATE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "template.yaml")

GUID = r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
DOMAIN = r"[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63})+"
SAFE = r"[^@\s\"'<>,;]"
DAY = r"20\d\d-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])"
INSTANT = DAY + r"T([01]\d|2[0-3]):[0-5]\d:[0-5]\dZ"
#: A word or number that is shown as it was given: too short to tell anything of a secret.
SHORT = r"-?\d{1,6}|[A-Za-z][A-Za-z0-9_]{0,6}"

#: Names that a file may use beside the parameters of the template.
OPTIONS = ("STACK", "REGION", "EMAIL", "TENANT_ID", "CLIENT_ID", "CREDENTIAL", "SECRET_FILE",
           "SECRET_EXPIRES", "PACKAGE", "BINARIES")


class Parameter:
    """A parameter of the template, as far as its values can be checked before anything is sent."""

    def __init__(self, name):
        self.name = name
        self.facts = {}

    def check(self, value):
        """Refuses a value that CloudFormation would refuse later."""
        facts = self.facts
        if "AllowedValues" in facts and value not in items(facts["AllowedValues"]):
            raise Refused("%s must be one of %s, and it is %s" % (
                self.name, ", ".join(items(facts["AllowedValues"])), quote(value)))
        if "AllowedPattern" in facts and not re.search(facts["AllowedPattern"], value):
            raise Refused("%s %s, and it is %s" % (
                self.name, facts.get("ConstraintDescription", "has another form"), quote(value)))
        if facts.get("Type") == "Number":
            self.check_number(value)

    def check_number(self, value):
        """Refuses what is no number, or out of bounds."""
        low, high = (self.facts.get(bound) for bound in ("MinValue", "MaxValue"))
        if not re.fullmatch(r"-?\d{1,12}", value):
            raise Refused("%s must be a whole number, and it is %s" % (self.name, quote(value)))
        if (low and int(value) < int(low)) or (high and int(value) > int(high)):
            raise Refused("%s must be between %s and %s, and it is %s"
                          % (self.name, low, high, quote(value)))


def quote(value):
    """A value as it can be shown: a short word or number in quotation marks, others described."""
    return '"%s"' % value if re.fullmatch(SHORT, value) else describe(value)


def plain(text):
    """A scalar of the template without its quotes."""
    text = text.strip()
    if len(text) > 1 and text[0] == text[-1] and text[0] in "\"'":
        inner = text[1:-1]
        return inner.replace("\\\\", "\\") if text[0] == '"' else inner.replace("''", "'")
    return text


def items(text):
    """The items of a list on one line."""
    return [plain(item) for item in text.strip()[1:-1].split(",")]


def template_parameters(template=TEMPLATE):
    """The parameters of the template, by name. Their facts stand on one line each."""
    parameters = {}
    current = None
    with open(template, encoding="utf-8") as lines:
        inside = False
        for line in lines:
            if re.match(r"\S", line):
                inside = line.startswith("Parameters:")
            elif inside and re.match(r"  [A-Za-z0-9]+:\s*$", line):
                current = Parameter(line.strip().rstrip(":"))
                parameters[current.name] = current
            elif inside and current:
                fact = re.match(r"    ([A-Za-z]+): (.+)$", line)
                if fact:
                    name, value = fact.groups()
                    current.facts[name] = value if name == "AllowedValues" else plain(value)
    return parameters


def in_effect(name, overrides, stack_parameters, parameters):
    """The value that a parameter will have: the one asked for, the stack's, or the default."""
    if name in overrides:
        return overrides[name]
    if name in stack_parameters:
        return stack_parameters[name]
    known = parameters.get(name)
    return known.facts.get("Default", "") if known else ""


def read_file(path):
    """The settings of a file: pairs of name and value."""
    try:
        with open(path, "rb") as file:
            text = file.read().decode("utf-8-sig")
    except OSError as error:
        raise Refused("the file %s of --env-file cannot be read (%s)" % (path, error.strerror))
    except UnicodeDecodeError:
        raise Refused("the file %s of --env-file is not UTF-8 text: save it as UTF-8" % path)
    pairs = []
    for number, line in enumerate(text.replace("\r\n", "\n").replace("\r", "\n").split("\n"), 1):
        place = "%s, line %d" % (path, number)
        line = line.strip()
        if not line or line.startswith("#"):
            continue
        assignment = re.fullmatch(r"(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)=(.*)", line)
        if not assignment:
            raise Refused("%s is not of the form NAME=value" % place)
        name, value = assignment.group(1), unquote(assignment.group(2).strip(), place)
        if re.search(r"(SECRET|PASSWORD|TOKEN)$", name.upper()):
            raise Refused("%s: %s looks like a secret, which has no place there; name a file in"
                          " SECRET_FILE" % (place, name))
        pairs.append((name, value))
    return pairs


def unquote(value, place):
    """A value without the quotes that a shell would take away, and without a remark behind it."""
    quoted = re.fullmatch(r"(?:\"([^\"]*)\"|'([^']*)')(?:\s+#.*)?", value)
    if quoted:
        inner = quoted.group(1) if quoted.group(1) is not None else quoted.group(2)
    elif value[:1] in ("\"", "'"):
        raise Refused("%s: a value begins with a quotation mark and does not end with it" % place)
    else:
        inner = re.sub(r"\s+#.*$", "", value)
    if any(ord(c) < 32 or ord(c) == 127 for c in inner):
        raise Refused("%s: a value holds a control character" % place)
    return inner


def is_day(text):
    """Whether this is a day of the calendar, not only of its form."""
    try:
        datetime.date(*map(int, text[:10].split("-")))
    except ValueError:
        return False
    return True


def check_option(name, value):
    """Refuses an option that cannot be meant, without quoting what may be a secret."""
    if name == "STACK":
        if not re.fullmatch(r"[A-Za-z][A-Za-z0-9-]{0,50}", value):
            raise Refused("%s cannot be the name of a stack: letters, digits and hyphens, a letter"
                          " first, at most 51" % quote(value))
        if re.match(r"aws|ssm", value, re.IGNORECASE):
            raise Refused('"%s" cannot be the name of a stack: the parameter store keeps names that'
                          " begin with aws or ssm to itself" % value)
    elif name == "REGION" and not re.fullmatch(r"[a-z]+(-[a-z]+)+-\d+", value):
        raise Refused("%s is not an AWS region such as eu-central-1" % quote(value))
    elif name == "EMAIL" and not re.fullmatch(r"{0}+@{0}+\.[^@\s\"'<>,;.]+".format(SAFE), value):
        raise Refused("--email is not an email address: it is %s" % describe(value))
    elif name == "TENANT_ID" and not re.fullmatch("%s|%s" % (GUID, DOMAIN), value):
        raise Refused("--tenant-id is not a tenant: use the directory (tenant) id that Entra shows,"
                      " or a domain of it; it is %s" % describe(value))
    elif name == "CLIENT_ID" and not re.fullmatch(GUID, value):
        raise Refused("--client-id is not a client id: use the application (client) id of the app"
                      " registration, like 1b2c3d4e-...; it is %s" % describe(value))
    elif name == "CREDENTIAL" and value not in ("secret", "certificate", "federated"):
        raise Refused("--credential can be secret, certificate or federated, and it is %s"
                      % quote(value))
    elif name == "SECRET_EXPIRES" and not (re.fullmatch(DAY, value) and is_day(value)):
        raise Refused("--secret-expires must be a day such as 2027-05-31, and it is %s"
                      % describe(value))
    elif name in ("RUN_FROM", "RUN_TO"):
        if not (re.fullmatch("%s|%s" % (DAY, INSTANT), value) and is_day(value)):
            raise Refused("--run: each end must be a day such as 2026-11-20, or an instant such as"
                          " 2026-11-20T06:00:00Z; one is %s" % describe(value))


def check(pairs, parameters):
    """Refuses the first setting that cannot be meant."""
    for name, value in pairs:
        if name in OPTIONS or name in ("RUN_FROM", "RUN_TO"):
            if value:
                check_option(name, value)
        elif name not in parameters:
            raise Refused("%s is no parameter of template.yaml; there are: %s"
                          % (quote(name), " ".join(parameters)))
        elif "\"" in value:
            raise Refused("the value of %s must not hold quotation marks" % name)
        else:
            parameters[name].check(value)
    spans = dict(pairs)
    if spans.get("RUN_FROM") and instant(spans["RUN_FROM"]) >= instant(spans.get("RUN_TO", "")):
        raise Refused("--run: FROM must lie before TO, which is not read itself")


def instant(text):
    """A form that can be compared."""
    return text if "T" in text else text + "T00:00:00Z"


def pairs_from(stream):
    """Settings as lines of NAME=value."""
    lines = [line.rstrip("\n") for line in stream]
    return [tuple(line.split("=", 1)) for line in lines if "=" in line]


def main():
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    actions = parser.add_subparsers(dest="action", required=True)
    file = actions.add_parser("read", help="print the settings of a file as lines of NAME=value")
    file.add_argument("file")
    actions.add_parser("check", help="refuse wrong settings; lines of NAME=value on standard input")
    actions.add_parser("parameters", help="list the parameters of the template")
    values = parser.parse_args()
    parameters = template_parameters()
    if values.action == "read":
        pairs = read_file(values.file)
        check([pair for pair in pairs if pair[0] not in OPTIONS], parameters)
        for pair in pairs:
            print("%s=%s" % pair)
    elif values.action == "check":
        check(pairs_from(sys.stdin), parameters)
    else:
        print("\n".join(parameters))


if __name__ == "__main__":
    run(main)

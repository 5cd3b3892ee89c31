"""Shared by the programs of this folder: how they end, report progress, describe and wait."""

import sys
import time

#: Who speaks: these programs are parts of deploy.sh, and its user never calls them by name.
SPEAKER = "deploy.sh"


class Refused(Exception):
    """Wrong use. Nothing was changed."""

    status = 2


class Failed(Exception):
    """Something went wrong on the way."""

    status = 1


def run(main):
    """Runs `main` and ends the process with its status, or with one sentence on standard error."""
    try:
        status = main() or 0
        sys.stdout.flush()
    except (Refused, Failed) as error:
        PROGRESS.end()
        sys.stdout.flush()
        print("%s: %s" % (SPEAKER, error), file=sys.stderr)
        status = error.status
    except KeyboardInterrupt:
        PROGRESS.end()
        status = 130
    sys.exit(status)


def say(line=""):
    """Prints a line at once, so that it stays in order with what other programs print."""
    PROGRESS.end()
    print(line, flush=True)


def note(line):
    """Prints a remark on standard error; the work continues."""
    PROGRESS.end()
    sys.stdout.flush()
    print("%s: %s" % (SPEAKER, line), file=sys.stderr, flush=True)


def describe(value):
    """A value that may be a misplaced secret, in words that do not give it away."""
    if not value:
        return "empty"
    kinds = []
    if any(c.isalpha() for c in value):
        kinds.append("letters")
    if any(c.isdigit() for c in value):
        kinds.append("digits")
    if any(c.isspace() for c in value):
        kinds.append("white space")
    if any(not c.isalnum() and not c.isspace() for c in value):
        kinds.append("other signs")
    named = " and ".join(filter(None, [", ".join(kinds[:-1]), kinds[-1]]))
    count = "1 character" if len(value) == 1 else "%d characters" % len(value)
    return "%s (%s)" % (count, named)


def count(number, one, many=None):
    """A number with its noun."""
    return "%d %s" % (number, one if number == 1 else many or one + "s")


class Progress:
    """One line that changes on a terminal; elsewhere a line for each change."""

    def __init__(self):
        self.last = ""

    def show(self, line):
        """Shows where the work is."""
        if sys.stdout.isatty():
            print("\r\033[K%s" % line, end="", flush=True)
        elif line != self.last:
            print(line, flush=True)
        self.last = line

    def end(self):
        """Leaves the line."""
        if self.last and sys.stdout.isatty():
            print(flush=True)
        self.last = ""


PROGRESS = Progress()


def pauses(longest):
    """Sleeps between looks: short at first, since most work is short, then `longest` seconds."""
    seconds = 1
    while True:
        yield time.sleep(min(seconds, longest))
        seconds *= 2

"""What the functions answer and print, read: checks, plans, reports."""

import collections
import datetime
import json


def check_lines(answer):
    """One line for each thing that a check tried."""
    return [
        "  %-6s  %s: %s" % ("ok" if one["ok"] else "FAILED", one["name"], one["answer"])
        for one in answer.get("checks") or []
    ]


def is_cut(report):
    """Whether a report lists only some of its windows and does not count them all."""
    return bool(report.get("windows")) and not report.get("windowCounts") \
        and report["remainingWindows"] > len(report["windows"])


def is_plan(report):
    """Whether this is the report of a dry run, which leaves all that it lists."""
    listed = len(report.get("windows") or [])
    return listed > 0 and not report.get("requests") and report["remainingWindows"] >= listed


def printed(event):
    """What a program printed into a log event, as JSON; None where it is none."""
    try:
        line = json.loads(event.get("message", ""))
        # Lambda's JSON log format may wrap what a program prints.
        inner = line.get("message") if isinstance(line, dict) and "message" in line else line
        return json.loads(inner) if isinstance(inner, str) else inner
    except ValueError:
        return None


def reports(events):
    """The reports of runs among log events: pairs of milliseconds and report, oldest first."""
    found = []
    for event in events:
        report = printed(event)
        if isinstance(report, dict) and isinstance(report.get("remainingWindows"), int):
            if not is_plan(report):
                found.append((event.get("timestamp", 0), report))
    return sorted(found, key=lambda pair: pair[0])


def findings_lines(events):
    """A line for each run that looked for findings, oldest first."""
    found = [(event.get("timestamp", 0), printed(event)) for event in events]
    return ["  %s  %d questions, %d not answered, %d findings new, %s, %.0f MB read" % (
        minute(milliseconds), report.get("asked", 0), len(report.get("unanswered") or []),
        report.get("new", 0), "mailed" if report.get("mailed") else "no mail",
        report["scannedBytes"] / 1e6)
        for milliseconds, report in sorted(found, key=lambda pair: pair[0])
        if isinstance(report, dict) and isinstance(report.get("scannedBytes"), int)]


def minute(milliseconds):
    """An instant of a log as people read it."""
    at = datetime.datetime.fromtimestamp(milliseconds / 1000, datetime.timezone.utc)
    return at.strftime("%Y-%m-%d %H:%M")


def unreadable(events):
    """How many lines look like reports and cannot be read, because something cut them."""
    cut = 0
    for event in events:
        text = event.get("message", "")
        if text.startswith('{"log"') and '"windows"' in text:
            try:
                json.loads(text)
            except ValueError:
                cut += 1
    return cut


def failed_windows(report):
    """The windows of a report that could not be read."""
    return [window for window in report.get("windows") or [] if window.get("error")]


def coverage(report):
    """Windows by stream and outcome. Large reports list some windows and count all of them."""
    counts = report.get("windowCounts")
    if counts:
        return counts
    outcomes = {}
    for window in report.get("windows") or []:
        of_stream = outcomes.setdefault(window["stream"], collections.Counter())
        of_stream["failed" if window.get("error") else window["state"]] += 1
    return outcomes


def run_lines(report, milliseconds):
    """A run in one line, with up to three of its failures below."""
    outcomes = coverage(report).values()
    failed = sum(of_stream.get("failed", 0) for of_stream in outcomes)
    read = sum(sum(of_stream.values()) for of_stream in outcomes) - failed
    lines = ["  %s  %6d new, %d changed, %d windows read, %d failed, %d left, %.0f s" % (
        minute(milliseconds), report.get("new", 0), report.get("changed", 0), read, failed,
        report["remainingWindows"], report.get("durationMs", 0) / 1000)]
    lines += ["      %s from %s: %s" % (one["stream"], one["start"], one["error"])
              for one in failed_windows(report)[:3]]
    return lines


def coverage_lines(report):
    """Coverage, a line for each stream."""
    return ["    %-20s %s" % (stream, ", ".join("%d %s" % (n, s) for s, n in sorted(by.items())))
            for stream, by in coverage(report).items()]

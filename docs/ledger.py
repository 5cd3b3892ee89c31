"""Rows of a ledger: their form, and what they prove. Follows docs/format.md; needs nothing else."""
import json
import re
from collections import defaultdict
from datetime import datetime, timedelta, timezone

from identity import instant

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
DAYS_KEPT = 30  # what a reader takes for HISTORY_DAYS
LENGTHS = {timedelta(minutes=minutes) for minutes in (1440, 720, 360, 180, 60, 30, 15, 5)}
PLACE = r"(sign-ins/event_type=[A-Za-z]+|directory-audits)/day=(\d{4}-\d\d-\d\d)"
RAW = re.compile(rf"raw/({PLACE}/\d{{4}}-\d{{4}})\.r([1-9]\d{{0,6}})\.ndjson\.gz", re.ASCII)
LEDGER = re.compile(rf"ledger/{PLACE}\.ndjson", re.ASCII)
ZERO_OR_MORE, SHA_256, TEXT = r"\d{1,20}", '"[0-9a-f]{64}"', '".*"'
SINCE_EVER = {  # the JSON text of each member
    "window_start": TEXT, "window_end": TEXT, "read": r"[1-9]\d{0,6}", "started_at": TEXT,
    "finished_at": TEXT, "status": '"(complete|failed|rebuilt)"', "served": ZERO_OR_MORE,
    "new": ZERO_OR_MORE, "changed": ZERO_OR_MORE, "missing": ZERO_OR_MORE, "key": TEXT,
    "sha256": SHA_256, "bytes": ZERO_OR_MORE, "requests": ZERO_OR_MORE, "retries": ZERO_OR_MORE,
    "error": TEXT}
SINCE_FORMAT_2 = {
    "format": "2", "collector": '"[^ ]+ [^ ]+"', "application": TEXT, "kept_since": TEXT,
    "records_root": SHA_256, "table_sha256": SHA_256, "table_rows": ZERO_OR_MORE,
    "untimed": ZERO_OR_MORE, "outside": ZERO_OR_MORE}
COUNTS = {"served", "new", "changed", "missing", "requests", "retries", "untimed", "outside"}
DERIVED = {"records_root", "table_sha256", "table_rows"}


def expect(is_so, what):
    """Raises ValueError, which says what is wrong."""
    if not is_so:
        raise ValueError(what)


def may_be_null(name, row):
    """Whether the status and the key of a row leave a member out."""
    if name in COUNTS:
        return row["status"] == "rebuilt"
    if name in ("sha256", "bytes"):
        return row["key"] is None
    if name in DERIVED:
        is_old_object = name == "records_root" and row["status"] == "rebuilt"
        return row["key"] is None or row["status"] == "failed" or is_old_object
    if name == "error":
        return row["status"] != "failed"
    return name in ("key", "application", "kept_since")


def row_of(line, stream, day):
    """Row of a line, with its times parsed; ValueError says what is wrong with it."""
    members = json.loads(line, object_pairs_hook=tuple, parse_constant=int)
    expect(isinstance(members, tuple) and len(dict(members)) == len(members), "it is no object")
    row = dict(members)
    is_new = "format" in row
    expect({"status", "key"} <= row.keys(), "it has no status or no key")
    for name, pattern in (SINCE_EVER | SINCE_FORMAT_2 if is_new else SINCE_EVER).items():
        value = json.dumps(row.get(name, {}))
        is_null = value == "null" and may_be_null(name, row)
        expect(is_null or re.fullmatch(pattern, value), f"{name} is missing or wrong")
    expect(not is_new or len(line) <= 60_000, "it is longer than 60,000 bytes")
    check_window(row, stream, day)
    check_facts(row, is_new)
    return row


def check_window(row, stream, day):
    """Checks the times of a row and the name of its object, and adds what was parsed."""
    names = ("window_start", "window_end", "started_at", "finished_at")
    start, end, row["began"], finished = (instant(row[name]) for name in names)
    row["window"], row["kept"] = (start, end), instant(row.get("kept_since"))
    expect(None not in (start, end, row["began"], finished), "a time is none")
    is_utc = all(row[name].endswith("Z") for name in names)
    expect(is_utc or "format" not in row, "a time is not UTC")
    is_aligned = end - start in LENGTHS and not (start - EPOCH) % (end - start)
    expect(is_aligned and f"{start:%Y-%m-%d}" == day, "its window is none of that day")
    if row["key"] is not None:
        until = "2400" if f"{end:%H%M}" == "0000" else f"{end:%H%M}"
        named = RAW.fullmatch(row["key"])
        expect(named and named[1] == f"{stream}/day={day}/{start:%H%M}-{until}",
               "its key is none of that window")
        expect(int(named[4]) <= row["read"], "its key has a later number than the read")


def check_facts(row, is_new):
    """Checks that what a row says of one read does not contradict itself."""
    if row["key"] is None:
        others = ["sha256", "bytes", *(DERIVED if is_new else ())]
        expect(all(row[name] is None for name in others), "it has a hash and no key")
    if row["status"] == "rebuilt":
        expect(row["key"] is not None and row["error"] is None, "it says not what was rebuilt")
        expect(all(row.get(name) is None for name in COUNTS), "it is rebuilt and has counts")
    elif row["status"] == "complete":
        expect(row["served"] >= row["new"] >= row["changed"], "its counts contradict each other")
        expect((row["key"] is None) == (row["new"] == 0), "its key and new contradict each other")
        has_reason = row["key"] is not None and (not is_new or row["error"] is not None)
        expect(row["requests"] or has_reason, "it took no request and does not say why")
        expect(row.get("table_rows") in (None, row["new"]), "table_rows and new differ")


def reads_of(rows):
    """Complete rows of each window, in the order of the file."""
    reads = defaultdict(list)
    for row in rows:
        if row["status"] == "complete":
            reads[row["window"]].append(row)
    return reads


def contradictions_of(rows):
    """Sentences about rows of one file that contradict each other."""
    stored = set()
    for row in rows:
        facts = tuple(row[name] for name in ("window", "read", "key", "sha256", "bytes"))
        if row["status"] == "complete":
            stored.add(facts)
        elif row["status"] == "rebuilt" and facts not in stored:
            yield f"read {row['read']} of {name_of(row)} was rebuilt, and no row before stored it"
    reads = reads_of(rows)
    for before, after in zip(sorted(reads), sorted(reads)[1:]):
        if after[0] < before[1]:
            yield f"minutes from {after[0]} are covered twice"
    for known in reads.values():
        numbers = [row["read"] for row in known]
        is_remade = not all(row["requests"] for row in known)
        if len(set(numbers)) < len(numbers):
            yield f"reads of {name_of(known[0])} are there twice: {numbers}"
        elif not is_remade and numbers != list(range(1, len(numbers) + 1)):
            yield f"reads of {name_of(known[0])} are missing or out of order: {numbers}"


def name_of(row):
    return f"{row['window_start']} to {row['window_end']}"


def is_verified(window, reads):
    """Whether two reads, given in the order of their numbers, agree and could have known better."""
    start, end = window
    proved = False
    earliest = None  # start of the earliest read with which a quiet one would agree
    for row in reads:
        if row["new"] or row["missing"]:
            proved = proved and not row["new"]
            earliest = row["began"]
            continue
        if earliest and row["began"] >= max(end + 24 * HOUR, earliest + 20 * HOUR):
            is_kept = row["kept"] is not None and row["kept"] <= start
            proved = proved or is_kept or start >= earliest - 6 * DAY
        earliest = min(row["began"], earliest or row["began"])
    return proved


def states_of(rows, now):
    """Start, end and state of each window of a stream, and of the gaps between them, in order.

    The span of the stream reaches from the first window that any row names to the last.
    """
    history = now.replace(hour=0, minute=0, second=0, microsecond=0) - DAYS_KEPT * DAY
    proving = defaultdict(list)
    for row in sorted(rows, key=lambda row: row["read"]):
        if row["status"] == "complete":
            proving[row["window"]] += [row] if "format" in row else []
    verified = {window for window, reads in proving.items() if is_verified(window, reads)}
    oldest_verified = min(verified)[0] if verified else now
    first_row = min((row["began"] for row in rows), default=now)
    covered = min((row["window"][0] for row in rows), default=now)
    last = max((row["window"][1] for row in rows), default=now)
    for start, end in [*sorted(proving), (last, last)]:
        if covered < min(start, history):
            yield covered, min(start, history), "expired"
        if max(covered, history) < start:
            yield max(covered, history), start, "missing"
        covered = max(covered, end)
        if start == end:
            return
        finds = sum(1 for row in proving[start, end] if row["new"] or row["missing"])
        if (start, end) in verified:
            yield start, end, "verified"
        elif start < oldest_verified and end < first_row:
            yield start, end, "before"
        elif start < history:
            yield start, end, "expired"
        else:
            yield start, end, "unstable" if finds >= 7 else "open"

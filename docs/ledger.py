#!/usr/bin/env python3
"""Judges what the rows and records of an EntraTrail archive mean, as format.md describes it.

Checks the form of each row, that rows do not contradict each other, that no version of a record is
stored twice or in a wrong window, and says the state of each window. check.py, which this needs
beside it, checks bytes and signatures. Exit status: 0 sound, 1 not sound, 2 usage.
With --identify: hash and canonical form of each record on standard input."""
import argparse, decimal, gzip, hashlib, json, os, re, sys
from collections import Counter, defaultdict
from datetime import datetime, timedelta, timezone

sys.dont_write_bytecode = True  # of the module beside this file
from check import LEDGER, RAW, check_objects, content, expect, files_of, leaf, lines_of, notes
from check import problems, told

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
DAYS_KEPT = 30  # what a reader takes for HISTORY_DAYS
LENGTHS = {timedelta(minutes=minutes) for minutes in (1440, 720, 360, 180, 60, 30, 15, 5)}
MINUTE = "%Y-%m-%dT%H:%MZ"

# Identity of a version.
NUMBER = re.compile(r"(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?", re.ASCII)
TIME = re.compile(r"(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d:)(\d\d)(?:\.(\d+))?"
                  r"([Zz]|[+-]\d\d:[0-5]\d)", re.ASCII)
EXACT = decimal.Context(decimal.MAX_PREC, Emax=decimal.MAX_EMAX, Emin=decimal.MIN_EMIN)
sys.setrecursionlimit(10_000)  # enough for a record nested 3,000 times

def parse(line):
    """Value of a line: its numbers are bytes, its objects tuples of members, so that none is lost.

    Bytes that are no UTF-8 become the lone surrogates U+DC80 to U+DCFF. An escape of one of those
    halves is taken for such a byte where the same line has both."""
    return json.loads(line.decode("utf-8", "surrogateescape"), object_pairs_hook=tuple,
                      parse_int=number, parse_float=number, parse_constant=int)

def number(text):
    """Canonical form of a number. The exponent is never expanded, whatever its length."""
    sign, whole, fraction, exponent = NUMBER.fullmatch(text).groups("")
    digits = (whole + fraction).rstrip("0")
    exponent = EXACT.add(EXACT.create_decimal(exponent or "0"), len(whole) - len(digits))
    return f"{sign}{digits.lstrip('0')}e{exponent:f}".encode() if digits else b"0"

def canonical(value):
    """Canonical form of a value that `parse` returned, with half surrogate pairs as they are."""
    if isinstance(value, bytes):
        return value.decode()
    if isinstance(value, list):
        return "[" + ",".join([canonical(item) for item in value]) + "]"
    if isinstance(value, tuple):
        members = sorted(value, key=lambda member: member[0].encode("utf-16-be", "surrogatepass"))
        members = [f"{canonical(name)}:{canonical(item)}" for name, item in members]
        return "{" + ",".join(members) + "}"
    return json.dumps(value, ensure_ascii=False)

def encoded(form, line):
    """Bytes of the canonical form of something in `line`; those that are no UTF-8 stay."""
    half = "[\ud800-\udfff]"
    if re.search("[\udc80-\udcff]", line.decode("utf-8", "surrogateescape")):
        half = "[\ud800-\udc7f\udd00-\udfff]"
    form = re.sub(half, lambda found: f"\\u{ord(found[0]):04x}", form)
    return form.encode("utf-8", "surrogateescape")

def short_hash(content):
    return hashlib.sha256(content).digest()[:16]

def instant(text):
    """Time in RFC 3339, cut to microseconds; None where it is none of the years 2000 to 2999."""
    try:
        day, clock, second, fraction, zone = TIME.fullmatch(text).groups("")
        second, zone = "59" if second == "60" else second, zone.upper().replace("Z", "+00:00")
        time = f"{day} {clock}{second}.{fraction[:6]:0<6}{zone}"
        time = datetime.fromisoformat(time).astimezone(timezone.utc)
        return time if 2000 <= time.year <= 2999 else None
    except (AttributeError, OverflowError, TypeError, ValueError):
        return None

def identify(line, time_field):
    """Hash of the version in a line, hash of the record's id, and the record's time."""
    value = parse(line)
    members = dict(value) if isinstance(value, tuple) else {}
    record_id = canonical(members["id"]) if "id" in members else ""
    return (short_hash(encoded(canonical(value), line)), short_hash(encoded(record_id, line)),
            instant(members.get(time_field)))

# Rows.
FORMS = {  # the JSON text of each member
    '".*"': "window_start window_end started_at finished_at key error application kept_since",
    r"\d{1,20}": "served new changed missing bytes requests retries table_rows untimed outside",
    '"[0-9a-f]{64}"': "sha256 records_root table_sha256",
    r"[1-9]\d{0,6}": "read", '"(complete|failed|rebuilt)"': "status", "2": "format",
    '"[^ ]+ [^ ]+"': "collector"}
FORM_OF = {name: form for form, names in FORMS.items() for name in names.split()}
SINCE_FORMAT_2 = set("format collector application kept_since records_root table_sha256 table_rows"
                     " untimed outside".split())
COUNTS = {"served", "new", "changed", "missing", "requests", "retries", "untimed", "outside"}
DERIVED = {"records_root", "table_sha256", "table_rows"}

def nulls(row):
    """Members that are null in such a row, and those that may be."""
    always, sometimes = set(), {"key", "application", "kept_since"}
    if row["key"] is None:
        always |= {"sha256", "bytes", *DERIVED}
    if row["status"] == "rebuilt":  # the object may be of before the root
        always, sometimes = always | COUNTS | {"error"}, (sometimes - {"key"}) | {"records_root"}
    return always, sometimes | (DERIVED if row["status"] == "failed" else {"error"})

def row_of(line, stream, day):
    """Row of a line, with its times parsed; ValueError says what is wrong with it."""
    members = json.loads(line, object_pairs_hook=tuple, parse_constant=int)
    expect(isinstance(members, tuple) and len(dict(members)) == len(members), "it is no object")
    row = dict(members)
    is_new = "format" in row
    expect({"status", "key"} <= row.keys(), "it has no status or no key")
    always, sometimes = nulls(row)
    for name in FORM_OF.keys() - (set() if is_new else SINCE_FORMAT_2):
        value = json.dumps(row.get(name, {}))
        is_null = value == "null" and name in always | sometimes
        is_sound = is_null or name not in always and re.fullmatch(FORM_OF[name], value)
        expect(is_sound, f"{name} is missing or wrong")
    expect(not is_new or len(line) <= 60_000, "it is longer than 60,000 bytes")
    check_window(row, stream, day)
    if row["status"] == "complete":
        expect(row["served"] >= row["new"] >= row["changed"], "its counts contradict each other")
        expect((row["key"] is None) == (row["new"] == 0), "its key and new contradict each other")
        has_reason = row["key"] is not None and (not is_new or row["error"] is not None)
        expect(row["requests"] or has_reason, "it took no request and does not say why")
        expect(row.get("table_rows") in (None, row["new"]), "table_rows and new differ")
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

def reads_of(rows):
    """Complete rows of each window, in the order of the file."""
    reads = defaultdict(list)
    for row in rows:
        if row["status"] == "complete":
            reads[row["window"]].append(row)
    return reads

def name_of(row):
    return f"{row['window_start']} to {row['window_end']}"

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

# Records.
def check_records(path, row, stream, versions, ids, lines):
    """Checks the records of an object against its row, and against what its window held before."""
    time_field = "createdDateTime" if stream.startswith("sign-ins/") else "activityDateTime"
    start, end = row["window"]
    known, found = set(ids), Counter()
    with gzip.open(path) as file:
        for line in lines_of(file):
            version, record_id, time = identify(line, time_field)
            if version in versions:
                is_new = "format" in row or leaf(line) in lines
                found["stored twice" if is_new else "old identity"] += 1
            found["changed"] += version not in versions and record_id in known
            found["untimed"] += time is None
            found["outside the window"] += time is not None and not start <= time < end
            versions.add(version)
            ids.add(record_id)
            lines.add(leaf(line))
    notes["lines that only the old identity told apart"] += found["old identity"]
    if "format" in row:
        expect(found["changed"] == row["changed"], f"changed is {found['changed']}")
        expect(found["untimed"] <= row["untimed"], f"{found['untimed']} records have no time")
    for what in ("stored twice", "outside the window"):
        expect(not found[what], f"{found[what]} records are {what}")

def rows_of(root, files, key):
    """Rows of a ledger file. Checks them, and the records of the objects that they name."""
    stream, day = LEDGER.fullmatch(key).groups()
    rows = []
    with told(key):
        lines = content(root, key).splitlines()
        expect(lines, "the file is empty")
        for count, line in enumerate(lines, 1):
            with told(f"{key}, line {count}"):
                rows.append(row_of(line, stream, day))
    problems.extend(f"{key}: {what}" for what in contradictions_of(rows))
    for reads in reads_of(rows).values():
        seen = (set(), set(), set())
        for row in sorted(reads, key=lambda row: row["read"]):
            if row["key"] in files:
                with told(row["key"]):
                    check_records(os.path.join(root, row["key"]), row, stream, *seen)
    return rows

# States of windows.
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

    The span of the stream reaches from the first window that any row names to the last."""
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

def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("archive", nargs="?", default="", help="the archive's folder")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--now", type=instant, default=datetime.now(timezone.utc))
    parser.add_argument("--identify", action="store_true", help="hash records of standard input")
    options = parser.parse_args()
    if options.identify:
        for line in sys.stdin.buffer:
            form = encoded(canonical(parse(line)), line)
            sys.stdout.buffer.write(short_hash(form).hex().encode() + b" " + form + b"\n")
        return
    files = files_of(options.archive)
    if not files or options.now is None:
        parser.error("name a folder that holds an archive, and --now as 2026-12-01T00:00:00Z")
    check_objects(options.archive, files)
    streams = defaultdict(list)
    for key in sorted(filter(LEDGER.fullmatch, files)):
        streams[LEDGER.fullmatch(key)[1]] += rows_of(options.archive, files, key)
    windows = [{"stream": stream, "start": f"{start:{MINUTE}}", "end": f"{end:{MINUTE}}",
                "state": state} for stream, rows in streams.items()
               for start, end, state in states_of(rows, options.now)]
    if options.json:
        print(json.dumps({"problems": problems, "notes": notes, "windows": windows}))
    else:
        lines = ["{stream} {start} {end} {state}".format(**window) for window in windows]
        lines += [f"{name}: {count}" for name, count in notes.items()]
        lines += problems or ["The archive is sound."]
        print("\n".join(line.encode("unicode_escape").decode() for line in lines))
    sys.exit(1 if problems else 0)

if __name__ == "__main__":
    main()

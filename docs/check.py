#!/usr/bin/env python3
"""Checks an EntraTrail archive as docs/format.md describes it. Needs Python 3.10, nothing else.

Exit status: 0 sound, 1 not sound, 2 usage. See ledger.py for rows, identity.py for records, tlog.py
for the signed log."""
import argparse, contextlib, gzip, hashlib, json, os, sys, zlib
from collections import Counter, defaultdict
from datetime import datetime, timezone

sys.dont_write_bytecode = True  # of the modules beside this file
from identity import identify, instant, leaf, root_of
from ledger import LEDGER, RAW, contradictions_of, expect, reads_of, row_of, states_of
from tlog import check_log, check_proof, keys_in

MINUTE = "%Y-%m-%dT%H:%MZ"
LONGEST_ROW, LONGEST_RECORD = 4 << 20, 64 << 20  # bytes; rows from before had no limit
problems, notes = [], Counter()

@contextlib.contextmanager
def told(key):
    """Makes a problem of `key` of whatever goes wrong inside, as it does in hostile files."""
    try:
        yield
    except (ArithmeticError, AttributeError, EOFError, LookupError, OSError, RecursionError,
            TypeError, ValueError, zlib.error) as fault:
        problems.append(f"{key}: {fault or type(fault).__name__}")

def files_of(root):
    """Keys of the objects in the folder; names that begin with a dot are nobody's objects."""
    keys = set()
    for folder, _, names in os.walk(root):
        for path in (os.path.join(folder, name) for name in names if not name.startswith(".")):
            key = os.path.relpath(path, root).replace(os.sep, "/")
            if key.startswith(("raw/", "ledger/", "tables/")):
                with told(key):
                    expect(os.path.isfile(path) and not os.path.islink(path), "is no regular file")
                    keys.add(key)
    return keys

def lines_of(file, longest):
    """Lines without their line feed, one in memory at a time."""
    while line := file.readline(longest + 1):
        expect(line.endswith(b"\n"), "a line is cut or too long")
        yield line[:-1]

def digest_of(path):
    with open(path, "rb") as file:
        digest = hashlib.sha256()
        while chunk := file.read(1 << 20): digest.update(chunk)
        return digest.hexdigest()

def check_object(path, row, stream, versions, ids, lines):
    """Checks an object against its row, and against what its window held before."""
    time_field = "activityDateTime" if stream == "directory-audits" else "createdDateTime"
    is_new = "format" in row
    start, end = row["window"]
    known = set(ids)
    found = Counter()
    leaves = []
    with gzip.open(path) as file:
        for line in lines_of(file, LONGEST_RECORD):
            version, record_id, time = identify(line, time_field)
            leaves.append(leaf(line))
            if version in versions:
                found["stored twice" if is_new or leaves[-1] in lines else "old identity"] += 1
            found["changed"] += version not in versions and record_id in known
            found["untimed"] += time is None
            found["outside the window"] += time is not None and not start <= time < end
            versions.add(version)
            ids.add(record_id)
            lines.add(leaves[-1])
    notes["records"] += len(leaves)
    notes["lines that only the old identity told apart"] += found["old identity"]
    facts = {"sha256": digest_of(path), "bytes": os.path.getsize(path), "new": len(leaves)}
    if is_new:
        facts |= {"changed": found["changed"], "records_root": root_of(leaves)}
        expect(found["untimed"] <= row["untimed"], f"{found['untimed']} records have no time")
    for name, fact in facts.items():
        expect(row[name] == fact, f"{name} is {fact}, and the ledger says {row[name]}")
    for what in ("stored twice", "outside the window"):
        expect(not found[what], f"{found[what]} records are {what}")

def rows_of(root, keys, key, stream, day):
    """Rows of a ledger file. Checks them, and the objects that they name."""
    rows = []
    with told(key), open(os.path.join(root, key), "rb") as file:
        for count, line in enumerate(lines_of(file, LONGEST_ROW), 1):
            with told(f"{key}, line {count}"):
                rows.append(row_of(line, stream, day))
        expect(file.tell(), "the file is empty")
    problems.extend(f"{key}: {what}" for what in contradictions_of(rows))
    for reads in reads_of(rows).values():
        seen = (set(), set(), set())
        for row in sorted(reads, key=lambda row: row["read"]):
            if row["key"] is not None:
                with told(row["key"]):
                    expect(row["key"] in keys, "is not there, and a row names it")
                    check_object(os.path.join(root, row["key"]), row, stream, *seen)
    return rows

def table_of(key):
    log, rest = key.removeprefix("raw/").removesuffix(".ndjson.gz").split("/", 1)
    return f"tables/{log.replace('-', '_')}/{rest}.parquet"

def check_names(root, keys, rows):
    """Checks that rows, objects and tables name each other."""
    complete = {row["key"] for row in rows if row["status"] == "complete"}
    announced = {row["key"] for row in rows if row["status"] == "failed"} - complete
    tables = {table_of(key): None for key in keys | complete if key and RAW.fullmatch(key)}
    tables |= {table_of(row["key"]): row.get("table_sha256") for row in rows
               if row["key"] and row["status"] != "failed"}
    raw = set(filter(RAW.fullmatch, keys))
    problems.extend(f"{key}: no row names it" for key in sorted(raw - complete - announced))
    notes["announced objects"] += len(raw & announced)
    strange = {key for key in keys - raw - tables.keys() if not LEDGER.fullmatch(key)}
    notes["foreign files"] += len(strange)
    problems.extend(f"{key}: it belongs to no read" for key in sorted(strange)
                    if key.startswith("tables/"))
    for key in sorted(key for key in tables if tables[key]):
        with told(key):
            expect(key in keys, "is not there, and a row names it")
            expect(digest_of(os.path.join(root, key)) == tables[key], "its SHA-256 is another")

def check_evidence(archive, keys, earlier):
    """Checks the signed logs of an archive; one without is without, not wrong."""
    for log in ("sign-ins", "directory-audits"):
        with told(f"proof/{log}"):
            if not os.path.isdir(os.path.join(archive, "proof", log)):
                expect(not earlier or not any(f"/{log}\n" in open(name).read() for name in earlier),
                       "the log is gone, and a checkpoint of it was kept")
                notes[f"{log}: without a signed log"] += 1
                continue
            found, pending = check_log(archive, log, keys, earlier)
            problems.extend(found)
            notes[f"{log}: rows not in the log yet"] += pending

def prove(folder, keys):
    with told(folder):
        check_proof(folder, keys)
    print(f"No: {problems[0]}" if problems else "Yes: the record is in the signed log.")
    sys.exit(1 if problems else 0)

def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("archive", nargs="?", default="", help="the archive's folder")
    parser.add_argument("--key", help="file of verifier keys, to check the signed log with")
    parser.add_argument("--since", action="append", default=[], help="checkpoint from earlier")
    parser.add_argument("--proof", help="with --key: check a folder of entratrail prove instead")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--now", type=instant, default=datetime.now(timezone.utc))
    options = parser.parse_args()
    if options.proof and options.key:
        prove(options.proof, keys_in(options.key))
    keys = files_of(options.archive)
    if not keys or options.now is None:
        parser.error("name a folder that holds an archive, and --now as 2026-12-01T00:00:00Z")
    streams = defaultdict(list)
    for key in sorted(filter(LEDGER.fullmatch, keys)):
        stream, day = LEDGER.fullmatch(key).groups()
        streams[stream] += rows_of(options.archive, keys, key, stream, day)
    check_names(options.archive, keys, [row for rows in streams.values() for row in rows])
    if options.key:
        check_evidence(options.archive, keys_in(options.key), options.since)
    pending = sum(count for name, count in notes.items() if name.endswith("not in the log yet"))
    windows = [{"stream": stream, "start": f"{start:{MINUTE}}", "end": f"{end:{MINUTE}}",
                "state": state} for stream, rows in streams.items()
               for start, end, state in states_of(rows, options.now)]
    if options.json:
        print(json.dumps({"sound": not problems, "problems": problems, "notes": notes,
                          "windows": windows}))
    else:
        lines = ["{stream} {start} {end} {state}".format(**window) for window in windows]
        lines += [f"{name}: {count}" for name, count in notes.items()]
        lines += problems + [f"{len(problems)} problems" if problems else "The archive is sound."]
        print("\n".join(line.encode("unicode_escape").decode() for line in lines))
    sys.exit(1 if problems or pending else 0)

if __name__ == "__main__":
    main()

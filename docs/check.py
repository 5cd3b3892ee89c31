#!/usr/bin/env python3
"""Checks an EntraTrail archive against its ledger, and its ledger against the signed log.

Written from format.md and C2SP's signed-note, tlog-checkpoint, tlog-tiles and tlog-proof alone.
Needs Python 3.10, nothing else. ledger.py judges what rows and records mean.
Exit status: 0 sound, 1 not sound or not all in the log yet, 2 usage."""
import argparse, contextlib, gzip, hashlib, json, os, re, sys
from base64 import b64decode
from collections import Counter, defaultdict

LOGS = ("sign-ins", "directory-audits", "provisioning")
PLACE = r"(sign-ins/event_type=[A-Za-z]+|directory-audits|provisioning)/day=(\d{4}-\d\d-\d\d)"
RAW = re.compile(rf"raw/({PLACE}/\d{{4}}-\d{{4}})\.r([1-9]\d{{0,6}})\.ndjson\.gz", re.ASCII)
LEDGER = re.compile(rf"ledger/{PLACE}\.ndjson", re.ASCII)
problems, notes = [], Counter()

def expect(is_so, what):
    """Raises ValueError, which says what is wrong."""
    if not is_so:
        raise ValueError(what)

@contextlib.contextmanager
def told(key):
    """Makes a problem of `key` of whatever goes wrong inside, as it does in hostile files."""
    try:
        yield
    except Exception as fault:
        problems.append(f"{key}: {fault or type(fault).__name__}")

def leaf(line):
    return hashlib.sha256(b"\0" + line).digest()

def node(left, right):
    return hashlib.sha256(b"\1" + left + right).digest()

def root_of(level):
    """Root of RFC 6962 over the hashes of at least one line."""
    while len(level) > 1:
        level = [*map(node, level[::2], level[1::2]), *level[len(level) // 2 * 2:]]
    return level[0]

def root_by(path, index, size, found):
    """Root of a tree of that size to which a proof leads from the hash of line `index`."""
    if size == 1:
        expect(index == 0 and not path, "the proof is of another tree")
        return found
    *path, sibling = path
    left = 1 << (size - 1).bit_length() - 1
    if index < left:
        return node(root_by(path, index, left, found), sibling)
    return node(sibling, root_by(path, index - left, size - left, found))

# Ed25519 of RFC 8032, verification alone, which handles no secret.
P, ORDER = 2**255 - 19, 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P

def plus(one, other):
    (x, y), (u, v) = one, other
    k = D * x * y * u * v
    return (x * v + u * y) * pow(1 + k, -1, P) % P, (y * v + x * u) * pow(1 - k, -1, P) % P

def times(number, point):
    if not number:
        return 0, 1
    rest = times(number >> 1, plus(point, point))
    return plus(rest, point) if number & 1 else rest

def point_of(encoded):
    sign, y = divmod(int.from_bytes(encoded, "little"), 2**255)
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(square, (P + 3) // 8, P)
    x = x if x * x % P == square else x * pow(2, (P - 1) // 4, P) % P
    expect(y < P and x * x % P == square and (x or not sign), "a key is no point of the curve")
    return x if x & 1 == sign else P - x, y

BASE = point_of((4 * pow(5, -1, P) % P).to_bytes(32, "little"))
def is_signature(public, text, signature):
    s = int.from_bytes(signature[32:], "little")
    h = int.from_bytes(hashlib.sha512(signature[:32] + public + text).digest(), "little") % ORDER
    sum_of_both = plus(point_of(signature[:32]), times(h, point_of(public)))
    return len(signature) == 64 and s < ORDER and times(s, BASE) == sum_of_both

def key_of(text):
    """Name, id and public key of a verifier key."""
    name, key_id, encoded = text.split("+", 2)
    key = b64decode(encoded, validate=True)
    expected = hashlib.sha256(name.encode() + b"\n" + key).digest()[:4]
    is_key = key[:1] == b"\1" and len(key) == 33 and expected.hex() == key_id
    expect(is_key, "a verifier key is none of Ed25519, or its id is wrong")
    return name, expected, key[1:]

def tree_of(note):
    """Origin, size and root of a checkpoint, whoever signed it."""
    origin, size, root = note.partition(b"\n\n")[0].decode().split("\n")[:3]
    return origin, int(size), b64decode(root, validate=True)

def is_signed(note, keys):
    """Whether a key that has the log's name has signed the note; a wrong signature is an error."""
    text, lines = note[:note.rindex(b"\n\n") + 1], note[note.rindex(b"\n\n") + 2:]
    signers = set()
    for line in lines.decode().splitlines():
        mark, name, encoded = line.split(" ")
        signature = b64decode(encoded, validate=True)
        for known, key_id, public in keys:
            if mark == "—" and (known, key_id) == (name, signature[:4]):
                expect(is_signature(public, text, signature[4:]), "the signature is wrong")
                signers.add(name)
    return tree_of(note)[0] in signers

def check_note(note, keys, leaves, otherwise):
    """Checks that a signed checkpoint is of the log with these leaves, or of a state before."""
    expect(is_signed(note, keys), "no key that is given has signed the checkpoint")
    _, size, root = tree_of(note)
    expect(size <= len(leaves), f"the log was rolled back from {size} to {len(leaves)} entries")
    expect(size and root_of(leaves[:size]) == root, f"{otherwise} ({size} entries)")

def content(folder, path):
    full = os.path.join(folder, path)
    expect(os.path.isfile(full), f"{path} is gone")
    with open(full, "rb") as file:
        return file.read()

def tile_path(level, index, width):
    """Path of a tile: its number in groups of three digits."""
    digits = f"{index:0{(len(str(index)) + 2) // 3 * 3}d}"
    number = re.sub(r"(\d{3})(?=\d)", r"x\1/", digits)
    return f"tile/{level}/{number}" + (f".p/{width}" if width < 256 else "")

def entries_of(folder, size):
    """Entries of a log of that size, from its bundles."""
    for start in range(0, size, 256):
        width = min(256, size - start)
        path = tile_path("entries", start // 256, width)
        rest, count = content(folder, path), 0
        while rest:
            end = 2 + int.from_bytes(rest[:2], "big")
            yield rest[2:end]
            rest, count = rest[end:], count + 1
        expect(count == width, f"{path} has {count} entries, not {width}")

def check_tiles(folder, hashes):
    """Checks that the tiles of each level hold the hashes of the tiles below."""
    level = 0
    while hashes:
        tiles = [hashes[start:start + 256] for start in range(0, len(hashes), 256)]
        for index, tile in enumerate(tiles):
            path = tile_path(level, index, len(tile))
            expect(content(folder, path) == b"".join(tile), f"{path} holds other hashes")
        hashes, level = [root_of(tile) for tile in tiles if len(tile) == 256], level + 1

def with_new_keys(folder, entries, leaves, keys):
    """Keys that may sign: those that are given, and each new one that one of them has signed."""
    kept = [int(name) for name in os.listdir(f"{folder}/checkpoints") if name.isdigit()]
    expect(max(kept) <= len(leaves), "the log was rolled back: a longer checkpoint was kept")
    for index, entry in enumerate(entries):
        if b"\n" not in entry:
            new = key_of(json.loads(entry)["new_key"])
            note = content(folder, f"checkpoints/{min(size for size in kept if size > index)}")
            if is_signed(note, keys) and is_signed(note, [new]):
                check_note(note, keys, leaves, "the log was forked where its key changed")
                keys = [*keys, new]
    return keys

def check_log(archive, files, log, keys, earlier):
    """Checks a signed log, the checkpoints that were kept of it, and the ledger against it."""
    folder = os.path.join(archive, "proof", log)
    if not os.path.isdir(folder):
        expect(not earlier, "the log is gone, and a checkpoint of it was kept")
        notes[f"{log}: without a signed log"] += 1
        return
    note = content(folder, "checkpoint")
    is_signed(note, keys)  # a wrong signature is told before what it signs is looked at
    expect(tree_of(note)[0].endswith(f"/{log}"), "the checkpoint is of another log")
    entries = list(entries_of(folder, tree_of(note)[1]))
    leaves = [leaf(entry) for entry in entries]
    keys = with_new_keys(folder, entries, leaves, keys)
    check_note(note, keys, leaves, "the entries do not lead to the root in the checkpoint")
    check_tiles(folder, leaves)
    for name, kept in earlier:
        with told(name):
            check_note(kept, keys, leaves, "the log was forked: it does not extend this one")
    logged = defaultdict(list)
    for file, feed, line in (entry.partition(b"\n") for entry in entries):
        logged[file.decode()] += [line] if feed else []
    own = {key for key in files if LEDGER.fullmatch(key) and key.startswith(f"ledger/{log}/")}
    for file in sorted(own | {file for file in logged if logged[file]}):
        with told(file):
            expect(file in own, f"is gone, and the log has {len(logged[file])} rows of it")
            lines = [(line, json.loads(line)) for line in content(archive, file).splitlines()]
            rows = [line for line, row in lines if row["status"] != "failed" or not row["key"]]
            for place, line in enumerate(logged[file]):
                row = json.loads(line)
                expect(rows[place:place + 1] == [line], f"read {row['read']} of "
                       f"{row['window_start']} is not there as the log has it")
            notes[f"{log}: rows not in the log yet"] += len(rows) - len(logged[file])

def proof_in(folder, name):
    """Index, path and checkpoint of a tlog-proof."""
    head, _, note = content(folder, name).partition(b"\n\n")
    lines = head.decode().strip("\n").split("\n")
    first, index, *path = [line for line in lines if not line.startswith("extra ")]
    expect(first == "c2sp.org/tlog-proof@v1" and index[:6] == "index ", f"{name} is no tlog-proof")
    return int(index[6:]), [b64decode(line, validate=True) for line in path], note

def check_entry(folder, name, keys):
    """Entry that is in a log which one of the keys has signed, and the checkpoint of that."""
    entry = content(folder, name)
    index, path, note = proof_in(folder, f"{name}.tlog-proof")
    expect(is_signed(note, keys), f"no key that is given has signed the checkpoint of {name}")
    _, size, root = tree_of(note)
    expect(root_by(path, index, size, leaf(entry)) == root, f"{name} is not in the signed log")
    return entry, note

def check_proof(folder, keys):
    """Checks what shows that a record is in a log; ValueError says which link does not hold."""
    for name in sorted(name for name in os.listdir(folder) if re.fullmatch(r"key-\d+", name)):
        if is_signed(proof_in(folder, f"{name}.tlog-proof")[2], keys):
            entry, note = check_entry(folder, name, keys)
            new = key_of(json.loads(entry)["new_key"])
            keys = [*keys, new] if is_signed(note, [new]) else keys
    row = json.loads(check_entry(folder, "entry", keys)[0].partition(b"\n")[2])
    index, path, _ = proof_in(folder, "record.tlog-proof")
    found = root_by(path, index, row["new"], leaf(content(folder, "record.json")))
    expect(found.hex() == row["records_root"], "the record is not in the object of the entry")

def files_of(root):
    """Keys of the files of an archive; links, and names that begin with a dot, are none."""
    paths = [os.path.join(folder, name) for folder, _, names in os.walk(root) for name in names]
    paths = [path for path in paths if os.path.isfile(path) and not os.path.islink(path)]
    keys = {os.path.relpath(path, root).replace(os.sep, "/") for path in paths}
    return {key for key in keys if re.match("(raw|ledger|tables)/", key) and "/." not in key}

def lines_of(file):
    """Lines without their line feed, one in memory at a time."""
    while line := file.readline(64 << 20):
        expect(line.endswith(b"\n"), "a line is cut or too long")
        yield line[:-1]

def check_object(path, row):
    """Checks the lines of an object against the row of the read that stored it."""
    with gzip.open(path) as file:
        leaves = [leaf(line) for line in lines_of(file)]
    facts = {"bytes": os.path.getsize(path), "new": len(leaves)}
    facts |= {"records_root": root_of(leaves).hex()} if "format" in row else {}
    for name, fact in facts.items():
        expect(row[name] == fact, f"{name} is {fact}, and the ledger says {row[name]}")

def table_of(key):
    name = lambda found: f"tables/{found[1].replace('-', '_')}/{found[2]}.parquet"
    return re.sub(r"raw/([\w-]+)/(.*)\.ndjson\.gz", name, key)

def check_objects(root, files):
    """Checks that rows, objects and tables name each other, and are what the rows say."""
    rows = []
    for file in sorted(filter(LEDGER.fullmatch, files)):
        with told(file), open(os.path.join(root, file), "rb") as lines:
            rows += map(json.loads, lines_of(lines))
    complete = {row["key"]: row for row in rows if row["status"] == "complete" and row["key"]}
    raw = set(filter(RAW.fullmatch, files))
    tables = {table_of(key): None for key in raw | complete.keys()}
    tables |= {table_of(row["key"]): row.get("table_sha256") for row in rows
               if row["key"] and row["status"] != "failed"}
    nobodys = {key for key in files - tables.keys() if key.startswith("tables/")}
    nobodys |= raw - {row["key"] for row in rows if row["status"] != "rebuilt"}
    for key in sorted(nobodys | complete.keys() | {key for key in tables if tables[key]}):
        with told(key):
            expect(key not in nobodys, "no row names it")
            expect(key in files, "is not there, and a row names it")
            digest = hashlib.sha256(content(root, key)).hexdigest()
            wanted = tables[key] if key in tables else complete[key]["sha256"]
            expect(digest == wanted, f"its SHA-256 is {digest}, and the ledger says {wanted}")
            if key in complete:
                check_object(os.path.join(root, key), complete[key])

def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("archive", nargs="?", default="", help="the archive's folder")
    parser.add_argument("--key", help="verifier keys, one a line, to check the signed log with")
    parser.add_argument("--since", action="append", default=[], help="checkpoint from earlier")
    parser.add_argument("--proof", help="with --key: check a folder of entratrail prove instead")
    options = parser.parse_args()
    lines = content(".", options.key).decode().splitlines() if options.key else []
    keys = [key_of(line.strip()) for line in lines if line.strip() and line[0] != "#"]
    earlier = [(name, content(".", name)) for name in options.since]
    if options.proof:
        with told("No"):
            check_proof(options.proof, keys)
        conclusion = "Yes: the record is in the signed log."
    else:
        files = files_of(options.archive) or parser.error("name a folder that holds an archive")
        check_objects(options.archive, files)
        for log in LOGS if keys else ():
            with told(f"proof/{log}"):
                own = [one for one in earlier if tree_of(one[1])[0].endswith(f"/{log}")]
                there = os.path.exists(os.path.join(options.archive, "proof", log))
                if log == LOGS[-1] and not (
                        own or there or any(key.startswith(f"ledger/{log}/") for key in files)):
                    continue  # nobody has to collect it
                check_log(options.archive, files, log, keys, own)
        conclusion = "The archive is as its ledger says."
    lines = [f"{name}: {count}" for name, count in notes.items()] + (problems or [conclusion])
    print("\n".join(line.encode("unicode_escape").decode() for line in lines))
    sys.exit(1 if problems or any(name.endswith("yet") and notes[name] for name in notes) else 0)

if __name__ == "__main__":
    main()

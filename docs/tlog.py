"""Signed log of an archive, and the proof of one record. Follows the texts of C2SP (signed-note,
tlog-checkpoint, tlog-tiles, tlog-proof) and docs/format.md; needs Python 3.10, nothing else."""
import base64
import hashlib
import json
import os
from collections import defaultdict

from identity import leaf, root_of
from ledger import LEDGER, expect

# Ed25519 as RFC 8032, part 6, describes it: verification alone, which handles no secret.
P = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
ROOT_OF_MINUS_1 = pow(2, (P - 1) // 4, P)


def plus(one, other):
    a = (one[1] - one[0]) * (other[1] - other[0]) % P
    b = (one[1] + one[0]) * (other[1] + other[0]) % P
    c, d = 2 * one[3] * other[3] * D % P, 2 * one[2] * other[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return (e * f % P, g * h % P, f * g % P, e * h % P)


def times(number, point):
    product = (0, 1, 1, 0)
    while number:
        product = plus(product, point) if number & 1 else product
        point, number = plus(point, point), number >> 1
    return product


def point_of(encoded):
    y = int.from_bytes(encoded, "little")
    sign, y = y >> 255, y & (1 << 255) - 1
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    x = x if x * x % P == square else x * ROOT_OF_MINUS_1 % P
    expect(y < P and x * x % P == square and (x or not sign), "is no point of the curve")
    x = x if x & 1 == sign else P - x
    return (x, y, 1, x * y % P)


BASE = point_of((4 * pow(5, P - 2, P) % P).to_bytes(32, "little"))


def is_signed(public, text, signature):
    """Whether the 64 bytes are a signature of `text`."""
    if len(signature) != 64 or (s := int.from_bytes(signature[32:], "little")) >= ORDER:
        return False
    challenge = hashlib.sha512(signature[:32] + public + text).digest()
    h = int.from_bytes(challenge, "little") % ORDER
    left, right = times(s, BASE), plus(point_of(signature[:32]), times(h, point_of(public)))
    return all((left[i] * right[2] - right[i] * left[2]) % P == 0 for i in (0, 1))


def decoded(text):
    return base64.b64decode(text, validate=True)


def key_of(text):
    """Name, id and public key of a verifier key."""
    name, key_id, encoded = text.split("+", 2)
    key = decoded(encoded)
    expect(key[:1] == b"\1" and len(key) == 33, "the verifier key is not one of Ed25519")
    expected = hashlib.sha256(name.encode() + b"\n" + key).digest()[:4]
    expect(expected.hex() == key_id, "the id of the verifier key is wrong")
    return name, expected, key[1:]


def keys_in(path):
    with open(path, encoding="utf-8") as file:
        lines = [line.strip() for line in file]
    return [key_of(line) for line in lines if line and not line.startswith("#")]


def checkpoint_of(note, keys):
    """Origin, size and root of a note that one of `keys` has signed."""
    text, lines = note[:note.rindex(b"\n\n") + 1], note[note.rindex(b"\n\n") + 2:]
    signed_by = set()
    for line in lines.decode().splitlines():
        mark, name, encoded = line.split(" ")
        signature = decoded(encoded)
        for known, key_id, public in keys:
            if mark == "—" and (known, key_id) == (name, signature[:4]):
                expect(is_signed(public, text, signature[4:]), "the signature is wrong")
                signed_by.add(name)
    expect(signed_by, "no key that is given has signed the checkpoint")
    origin, size, root = text.decode().split("\n")[:3]
    expect(origin in signed_by, "the checkpoint is of another log than the key")
    return origin, int(size), decoded(root)


def path_of(level, index, width):
    """Path of a tile: its number in groups of three digits."""
    digits = f"{index:0{(len(str(index)) + 2) // 3 * 3}d}"
    groups = [digits[start:start + 3] for start in range(0, len(digits), 3)]
    number = "/".join(["x" + group for group in groups[:-1]] + groups[-1:])
    return f"tile/{level}/{number}" + (f".p/{width}" if width < 256 else "")


def content(folder, path):
    full = os.path.join(folder, *path.split("/"))
    expect(os.path.isfile(full), f"{path} is gone")
    with open(full, "rb") as file:
        return file.read()


def entries_of(folder, size):
    """Entries of a log of that size, from its bundles."""
    for start in range(0, size, 256):
        width = min(256, size - start)
        path = path_of("entries", start // 256, width)
        rest, count = content(folder, path), 0
        while rest:
            length = int.from_bytes(rest[:2], "big")
            expect(len(rest) >= 2 + length, f"{path} is cut")
            yield rest[2:2 + length]
            rest, count = rest[2 + length:], count + 1
        expect(count == width, f"{path} has {count} entries, not {width}")


def check_tiles(folder, hashes):
    """Checks that the tiles of each level hold the hashes of the tiles below."""
    level = 0
    while hashes:
        tiles = [hashes[start:start + 256] for start in range(0, len(hashes), 256)]
        for index, tile in enumerate(tiles):
            path = path_of(level, index, len(tile))
            expect(content(folder, path) == b"".join(tile), f"{path} holds other hashes")
        hashes = [bytes.fromhex(root_of(tile)) for tile in tiles if len(tile) == 256]
        level += 1


def rows_on_record(lines):
    """Lines of a ledger file without its announcements."""
    for line in lines:
        row = json.loads(line)
        if row["status"] != "failed" or row["key"] is None:
            yield line


def check_log(archive, log, keys, earlier):
    """Sentences about what is wrong with the log, and the number of rows that are not in it yet."""
    folder = os.path.join(archive, "proof", log)
    origin, size, root = checkpoint_of(content(folder, "checkpoint"), keys)
    expect(origin.endswith("/" + log), "the checkpoint is of another log")
    entries = list(entries_of(folder, size))
    leaves = [leaf(entry) for entry in entries]
    is_root = lambda count, wanted: count and root_of(leaves[:count]) == wanted.hex()
    expect(is_root(size, root), "the entries do not lead to the root in the checkpoint")
    check_tiles(folder, leaves)
    problems = []
    for name in earlier:
        with open(name, "rb") as file:
            origin_then, size_then, root_then = checkpoint_of(file.read(), keys)
        if origin_then != origin:
            continue
        if size_then > size:
            problems.append(f"{name}: the log was rolled back from {size_then} to {size} entries")
        elif not is_root(size_then, root_then):
            problems.append(f"{name}: the log was forked: it does not extend {size_then} entries")
    logged = defaultdict(list)
    for entry in entries:
        file, _, line = entry.partition(b"\n")
        if line:
            logged[file.decode()].append(line)
    pending = 0
    for file in sorted(logged.keys() | ledgers_of(archive, log)):
        path = os.path.join(archive, *file.split("/"))
        expect(LEDGER.fullmatch(file), "an entry names no ledger file")
        if not os.path.isfile(path):
            problems.append(f"{file}: is gone, and the log has rows of it")
            continue
        with open(path, "rb") as ledger:
            lines = list(rows_on_record(ledger.read().splitlines()))
        pairs = zip(logged[file], lines + [None] * len(logged[file]))
        differing = [known for known, line in pairs if known != line]
        if differing:
            row = json.loads(differing[0])
            problems.append(f"{file}: read {row['read']} of {row['window_start']} is not there "
                            "as the log has it")
        pending += max(0, len(lines) - len(logged[file]))
    return problems, pending


def ledgers_of(archive, log):
    top = os.path.join(archive, "ledger", log)
    paths = [os.path.join(folder, name) for folder, _, names in os.walk(top) for name in names]
    keys = {os.path.relpath(path, archive).replace(os.sep, "/") for path in paths}
    return set(filter(LEDGER.fullmatch, keys))


def root_by(path, index, size, node):
    """Root to which a proof leads; RFC 9162, part 2.1.3.2."""
    expect(index < size, "the proof is of another tree")
    last = size - 1
    for sibling in path:
        expect(last, "the proof is too long")
        if index & 1 or index == last:
            node = hashlib.sha256(b"\1" + sibling + node).digest()
            while not index & 1 and index:
                index, last = index >> 1, last >> 1
        else:
            node = hashlib.sha256(b"\1" + node + sibling).digest()
        index, last = index >> 1, last >> 1
    expect(not last, "the proof is too short")
    return node


def proof_of(text):
    """Index, path and checkpoint of a tlog-proof."""
    head, _, note = text.partition(b"\n\n")
    lines = [line for line in head.decode().strip("\n").split("\n") if not line.startswith("extra ")]
    expect(lines[0] == "c2sp.org/tlog-proof@v1" and lines[1].startswith("index "), "is no tlog-proof")
    return int(lines[1].removeprefix("index ")), [decoded(line) for line in lines[2:]], note


def check_proof(folder, keys):
    """Checks what shows that a record is in a log; ValueError says which link does not hold."""
    entry = content(folder, "entry")
    index, path, note = proof_of(content(folder, "entry.tlog-proof"))
    _, size, root = checkpoint_of(note, keys)
    expect(root_by(path, index, size, leaf(entry)) == root, "the entry is not in the signed log")
    row = json.loads(entry.partition(b"\n")[2])
    index, path, _ = proof_of(content(folder, "record.tlog-proof"))
    found = root_by(path, index, row["new"], leaf(content(folder, "record.json")))
    expect(found.hex() == row["records_root"], "the record is not in the object of the entry")

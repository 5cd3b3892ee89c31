#!/usr/bin/env python3
"""Plays a witness: written from C2SP's tlog-cosignature and RFC 8032, on the curve of check.py.

witness.py key NAME SEED prints its key; witness.py sign NAME SEED SECONDS reads a checkpoint and
prints it with the signature below. A NAME and a SEED make a key that keeps nothing secret."""
import hashlib, pathlib, sys
from base64 import b64encode

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).parents[4] / "docs"))
import check

ALGORITHM = b"\4"

def encoded(point):
    x, y = point
    return (y | (x & 1) << 255).to_bytes(32, "little")

def number(*parts):
    return int.from_bytes(hashlib.sha512(b"".join(parts)).digest(), "little")

def halves_of(seed):
    digest = hashlib.sha512(hashlib.sha256(seed.encode()).digest()).digest()
    secret = int.from_bytes(digest[:32], "little") & (1 << 254) - 8 | 1 << 254
    return secret, digest[32:]

def signed(text, seed):
    secret, prefix = halves_of(seed)
    public = encoded(check.times(secret, check.BASE))
    once = number(prefix, text) % check.ORDER
    point = encoded(check.times(once, check.BASE))
    rest = (once + number(point, public, text) * secret) % check.ORDER
    return point + rest.to_bytes(32, "little")

command, name, seed = sys.argv[1:4]
key = ALGORITHM + encoded(check.times(halves_of(seed)[0], check.BASE))
key_id = hashlib.sha256(name.encode() + b"\n" + key).digest()[:4]
if command == "key":
    print(f"{name}+{key_id.hex()}+{b64encode(key).decode()}")
else:
    note = sys.stdin.buffer.read()
    text = note[:note.rindex(b"\n\n") + 1]
    message = b"cosignature/v1\ntime %d\n" % int(sys.argv[4]) + text
    blob = key_id + int(sys.argv[4]).to_bytes(8, "big") + signed(message, seed)
    sys.stdout.buffer.write(note + f"— {name} {b64encode(blob).decode()}\n".encode())

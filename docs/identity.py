#!/usr/bin/env python3
"""Identity of record versions, as docs/format.md describes it. Needs Python 3.10, nothing else.

Reads records from standard input, one a line, and prints the hash and the canonical form of each.
"""
import decimal
import hashlib
import json
import re
import sys
from datetime import datetime, timezone

NUMBER = re.compile(r"(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?", re.ASCII)
TIME = re.compile(
    r"(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d:)(\d\d)(?:\.(\d+))?([Zz]|[+-]\d\d:[0-5]\d)", re.ASCII)
EXACT = decimal.Context(decimal.MAX_PREC, Emax=decimal.MAX_EMAX, Emin=decimal.MIN_EMIN)
sys.setrecursionlimit(10_000)  # enough for a record nested 3,000 times


def parse(line):
    """Value of a line: its numbers are bytes, its objects tuples of members, so that none is lost.

    Bytes that are no UTF-8 become the lone surrogates U+DC80 to U+DCFF. An escape of one of those
    halves is taken for such a byte where the same line has both.
    """
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
        time = datetime.fromisoformat(f"{day} {clock}{second}.{fraction[:6]:0<6}{zone}").astimezone(timezone.utc)
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


def leaf(line):
    """RFC 6962 hash of one line."""
    return hashlib.sha256(b"\0" + line).digest()


def root_of(level):
    """RFC 6962 root over the hashes of at least one line, in hexadecimal."""
    while len(level) > 1:
        pairs, last = zip(level[::2], level[1::2]), level[len(level) // 2 * 2:]
        level = [hashlib.sha256(b"\1" + left + right).digest() for left, right in pairs] + last
    return level[0].hex()


if __name__ == "__main__":
    for line in sys.stdin.buffer:
        form = encoded(canonical(parse(line)), line)
        sys.stdout.buffer.write(short_hash(form).hex().encode() + b" " + form + b"\n")

#!/usr/bin/env python3
"""Takes built functions from a folder or a zip file, and checks that they are whole and fit.

A package holds SHA256SUMS and, for each function, NAME/bootstrap or a zip with a bootstrap in it.
"""

import argparse
import hashlib
import io
import os
import re
import zipfile

from program import Refused, run, say
from stack import FUNCTIONS

SUMS = "SHA256SUMS"
#: Lambda takes 250 MB unpacked; a function of ours has 20.
MOST_BYTES = 250_000_000
#: e_machine of the ELF header, and what the template calls it.
MACHINES = {0x3E: "x86_64", 0xB7: "arm64"}


class Folder:
    """A package that lies unpacked in a folder."""

    def __init__(self, path):
        self.path = path

    def read(self, name):
        """The bytes of a member, or None."""
        path = os.path.join(self.path, *name.split("/"))
        if not os.path.isfile(path):
            return None
        if os.path.getsize(path) > MOST_BYTES:
            raise Refused("%s is larger than Lambda takes (250 MB)" % path)
        with open(path, "rb") as file:
            return file.read()


class Zip:
    """A package in a zip file, whether or not it has a folder at its top."""

    def __init__(self, file, label):
        try:
            self.archive = zipfile.ZipFile(file)
        except (zipfile.BadZipFile, OSError):
            raise Refused("%s is neither a folder nor a zip file that can be read" % label)
        names = [name for name in self.archive.namelist() if not name.endswith("/")]
        tops = {name.split("/")[0] for name in names if "/" in name}
        is_flat = any("/" not in name for name in names) or tops & set(FUNCTIONS)
        self.top = tops.pop() + "/" if len(tops) == 1 and not is_flat else ""

    def read(self, name):
        """The bytes of a member, or None."""
        try:
            entry = self.archive.getinfo(self.top + name)
            if entry.file_size > MOST_BYTES:
                raise Refused("%s is larger than Lambda takes (250 MB)" % name)
            return self.archive.read(entry)
        except KeyError:
            return None
        except (zipfile.BadZipFile, RuntimeError, NotImplementedError, EOFError, OSError) as error:
            raise Refused("%s of the package cannot be unpacked (%s): fetch it again"
                          % (name, type(error).__name__))


def checksums(package, source):
    """The sums of the package by file name, or None where it has none."""
    text = package.read(SUMS)
    if text is None:
        return None
    sums = {}
    for line in text.decode(errors="replace").splitlines():
        parts = re.fullmatch(r"([0-9a-fA-F]{64})[ \t]+\*?(\S.*?)\s*", line)
        if parts:
            name = parts.group(2)
            sums[name[2:] if name.startswith("./") else name] = parts.group(1).lower()
        elif line.strip():
            raise Refused("%s of %s is damaged: a line is no checksum and file name; fetch the"
                          " package again" % (SUMS, source))
    return sums


def verify(package, source, sums):
    """Refuses a package of which anything is missing or different."""
    for name, expected in sums.items():
        if name.startswith("/") or ".." in name.split("/"):
            raise Refused("%s of %s names a file outside of the package" % (SUMS, source))
        content = package.read(name)
        if content is None:
            raise Refused("the package %s lacks %s, which its %s names: fetch it again"
                          % (source, name, SUMS))
        if hashlib.sha256(content).hexdigest() != expected:
            raise Refused("%s of the package %s is not what its %s says: fetch it again, and do not"
                          " use this one" % (name, source, SUMS))


def find(package, source, function):
    """Name and bytes of a function's program as the package has it."""
    for name in ("%s/bootstrap" % function, function):
        content = package.read(name)
        if content is not None:
            return name, content
    for name in ("%s/bootstrap.zip" % function, "%s.zip" % function):
        content = package.read(name)
        if content is not None:
            return name, Zip(io.BytesIO(content), name).read("bootstrap")
    raise Refused("%s holds no program %s" % (source, function))


def machine(program):
    """The processor that a program was built for; empty for a script, None where it is neither."""
    if program[:2] == b"#!":
        return ""
    if program[:4] != b"\x7fELF" or len(program) < 20:
        return None
    order = "little" if program[5] == 1 else "big"
    return MACHINES.get(int.from_bytes(program[18:20], order), "another processor")


def check_program(function, program, architecture):
    """Refuses what Lambda could not run."""
    built_for = None if program is None else machine(program)
    if built_for is None:
        raise Refused("%s of the package is no program for Linux" % function)
    if built_for not in ("", architecture):
        advice = (
            "add --set Architecture=%s" % built_for if built_for in MACHINES.values()
            else "use a package for %s" % architecture)
        raise Refused("%s of the package was built for %s, and the functions run on %s: %s"
                      % (function, built_for, architecture, advice))


def take(source, destination, architecture, needs_sums):
    """Copies the functions to where the template expects them."""
    if not os.path.exists(source):
        raise Refused("%s holds no program %s: there is no such folder or file"
                      % (source, FUNCTIONS[0]))
    package = Folder(source) if os.path.isdir(source) else Zip(source, source)
    programs = {function: find(package, source, function) for function in FUNCTIONS}
    sums = checksums(package, source)
    if sums is None and needs_sums:
        raise Refused("the package %s has no %s, so nothing says that it is whole: take one of a"
                      " release, or write it yourself (shasum -a 256 */bootstrap > %s)"
                      % (source, SUMS, SUMS))
    for name, _ in programs.values():
        if sums is not None and name not in sums:
            raise Refused("%s of the package %s does not name %s" % (SUMS, source, name))
    verify(package, source, sums or {})
    for function, (_, program) in programs.items():
        check_program(function, program, architecture)
    for function, (_, program) in programs.items():
        folder = os.path.join(destination, "target", "lambda", function)
        os.makedirs(folder)
        path = os.path.join(folder, "bootstrap")
        with open(path, "wb") as file:
            file.write(program)
        os.chmod(path, 0o755)
    if sums is not None:
        say("The package is whole: %d checksums are right" % len(sums))


def main():
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--architecture", required=True, choices=sorted(MACHINES.values()))
    parser.add_argument("--without-sums", action="store_true", help="a build of one's own")
    parser.add_argument("source", help="the folder or zip file")
    parser.add_argument("destination", help="where target/lambda/NAME/bootstrap is written")
    options = parser.parse_args()
    take(options.source, options.destination, options.architecture, not options.without_sums)


if __name__ == "__main__":
    run(main)

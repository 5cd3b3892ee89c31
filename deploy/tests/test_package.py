"""Packages of built functions: whole, for Linux, for the right processor."""

import hashlib
import io
import os
import tempfile
import unittest
import zipfile

import stub

import package
from program import Refused
from stack import FUNCTIONS


def elf(machine):
    """The beginning of a program for Linux."""
    return b"\x7fELF\x02\x01\x01" + bytes(9) + b"\x02\x00" + bytes([machine, 0]) + bytes(44)


ARM64 = elf(0xB7)
X86_64 = elf(0x3E)


def zipped(members):
    """A zip file with these members."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return file.getvalue()


def sums(members):
    """The text of SHA256SUMS."""
    return "".join("%s  %s\n" % (hashlib.sha256(content).hexdigest(), name)
                   for name, content in members.items()).encode()


def functions(program=ARM64):
    """Every function, as cargo lambda lays them out."""
    return {"%s/bootstrap" % name: program for name in FUNCTIONS}


class Packages(unittest.TestCase):
    """Packages."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def folder_of(self, members):
        path = tempfile.mkdtemp(dir=self.folder)
        for name, content in members.items():
            place = os.path.join(path, name)
            os.makedirs(os.path.dirname(place), exist_ok=True)
            with open(place, "wb") as file:
                file.write(content)
        return path

    def zip_of(self, members):
        path = os.path.join(tempfile.mkdtemp(dir=self.folder), "package.zip")
        with open(path, "wb") as file:
            file.write(zipped(members))
        return path

    def take(self, source, architecture="arm64", needs_sums=True):
        destination = tempfile.mkdtemp(dir=self.folder)
        package.take(source, destination, architecture, needs_sums)
        taken = {}
        for function in FUNCTIONS:
            path = os.path.join(destination, "target/lambda", function, "bootstrap")
            with open(path, "rb") as file:
                taken[function] = file.read()
        return taken

    def refusal(self, source, **options):
        with self.assertRaises(Refused) as refusal:
            self.take(source, **options)
        return str(refusal.exception)

    def test_every_layout_of_a_release_is_taken(self):
        inner = {"sign-in-logs/bootstrap.zip": zipped({"bootstrap": ARM64}),
                 "audit-logs.zip": zipped({"bootstrap": ARM64}),
                 "provisioning-logs.zip": zipped({"bootstrap": ARM64}), "findings": ARM64}
        flat = dict.fromkeys(FUNCTIONS, ARM64)
        for members in (functions(), flat, inner):
            whole = dict(members, SHA256SUMS=sums(members))
            top = {"entratrail-0.2.0-arm64/" + name: content for name, content in whole.items()}
            for source in (self.folder_of(whole), self.zip_of(whole), self.zip_of(top)):
                self.assertEqual(self.take(source), flat)

    def test_programs_can_be_run_where_they_are_put(self):
        destination = tempfile.mkdtemp(dir=self.folder)
        source = self.folder_of(dict(functions(), SHA256SUMS=sums(functions())))
        package.take(source, destination, "arm64", True)
        path = os.path.join(destination, "target/lambda/sign-in-logs/bootstrap")
        self.assertTrue(os.access(path, os.X_OK))

    def test_a_package_that_is_changed_short_or_unsigned_is_refused(self):
        whole = sums(functions())
        changed = dict(functions(), SHA256SUMS=whole)
        changed["audit-logs/bootstrap"] = ARM64 + b"x"
        for members, words in (
                (changed, "is not what its SHA256SUMS says"),
                (functions(), "has no SHA256SUMS"),
                (dict(functions(), SHA256SUMS=sums(dict(functions(), other=b"x"))), "lacks other"),
                (dict(functions(), SHA256SUMS=whole.splitlines()[0]), "does not name"),
                (dict(functions(), SHA256SUMS=b"not a sum"), "is damaged"),
                (dict(functions(), SHA256SUMS=whole + sums({"../out": b"x"})), "outside"),
                (dict(functions(), SHA256SUMS=whole + sums({"/etc/passwd": b"x"})), "outside"),
                ({"sign-in-logs/bootstrap": ARM64}, "holds no program audit-logs"),
                ({name: content for name, content in functions().items() if "findings" not in name},
                 "holds no program findings")):
            for source in (self.folder_of(members), self.zip_of(members)):
                self.assertIn(words, self.refusal(source))

    def test_a_build_of_ones_own_needs_no_sums(self):
        self.take(self.folder_of(functions()), needs_sums=False)

    def test_the_wrong_processor_is_named(self):
        members = dict(functions(X86_64), SHA256SUMS=sums(functions(X86_64)))
        self.assertIn("--set Architecture=x86_64", self.refusal(self.folder_of(members)))
        self.take(self.folder_of(members), architecture="x86_64")
        riscv = elf(0xF3)
        members = dict(functions(riscv), SHA256SUMS=sums(functions(riscv)))
        self.assertIn("built for another processor", self.refusal(self.folder_of(members)))

    def test_what_is_no_program_for_linux_is_refused(self):
        for program in (b"", b"MZ\x90\x00", b"\xcf\xfa\xed\xfe", b"\x7fELF", b"text"):
            members = dict(functions(program), SHA256SUMS=sums(functions(program)))
            self.assertIn("is no program for Linux", self.refusal(self.folder_of(members)))

    def test_a_script_runs_on_every_processor(self):
        script = b"#!/bin/sh\n"
        members = dict(functions(script), SHA256SUMS=sums(functions(script)))
        self.take(self.folder_of(members))

    def test_what_is_no_package_is_refused(self):
        path = os.path.join(self.folder, "text")
        with open(path, "w") as file:
            file.write(stub.SECRET)
        self.assertIn("neither a folder nor a zip", self.refusal(path))
        self.assertIn("no such folder or file", self.refusal("/no/such/folder"))
        inner = {"%s.zip" % name: b"x" for name in FUNCTIONS}
        self.assertIn("neither a folder nor a zip", self.refusal(self.folder_of(inner)))


if __name__ == "__main__":
    unittest.main()

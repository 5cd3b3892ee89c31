#!/usr/bin/env python3
"""Removes what the stack made, and nothing else.

`plan` looks first and prints what would go, so that a person can be asked; `run` does it. The
archive goes only where it is named, and its key only where the stack made it.
"""

import argparse
import json
import tempfile

import aws
import parameters
import stack as stacks
from bucket import Bucket
from program import PROGRESS, Failed, Refused, run, say

KEY_DAYS = 30
#: delete-objects takes 1,000 at a time.
BATCH = 500


class Removal:
    """What an uninstallation would do."""

    def __init__(self, name, account, archive, bypass):
        self.name = name
        self.account = account
        self.archive = archive
        self.bypass = bypass
        self.stack = stacks.read(name)
        self.stored = parameters.described(name, parameters.NAMES)
        self.key = ""
        self.lock = ("", "")
        if self.stack is None and not self.stored:
            raise Refused('there is no stack "%s" in this account and region: name another with'
                          " --stack" % name)
        if self.stack is not None:
            self.check_state()
        if archive:
            self.check_archive()

    def check_state(self):
        """Refuses to work beside somebody else."""
        status = self.stack.status
        if status.endswith("_IN_PROGRESS") and status not in (
                "DELETE_IN_PROGRESS", "REVIEW_IN_PROGRESS"):
            raise Refused("the stack %s is being changed by somebody else (%s); try again when that"
                          " is done" % (self.name, status))

    def check_archive(self):
        """Refuses to delete any bucket but the one that this stack made."""
        made = self.stack.outputs.get("ArchiveBucket", "") if self.stack else ""
        if self.archive != made:
            raise Refused('--delete-archive names "%s", and the archive is "%s"; nothing was'
                          " deleted" % (self.archive, made))
        if self.stack.parameters.get("ExistingBucket"):
            raise Refused("the bucket %s was there before the stack; delete it yourself if it is to"
                          " go" % made)
        resources = self.stack.resources()
        if made not in [physical for kind, physical in resources.values()
                        if kind == "AWS::S3::Bucket"]:
            raise Refused("the bucket %s is not among what the stack made; delete it yourself if it"
                          " is to go" % made)
        self.lock = Bucket(self.archive, self.account).lock()
        self.check_lock()
        self.key = self.own_key(resources)

    def check_lock(self):
        """Refuses what S3 would refuse half-way."""
        mode, time = self.lock
        if mode == "COMPLIANCE":
            raise Refused("the bucket %s is locked in compliance mode for %s: nobody can delete it"
                          " before that; uninstall without --delete-archive" % (self.archive, time))
        if mode and not self.bypass:
            raise Refused("the bucket %s has Object Lock (%s, %s): add --bypass-object-lock to"
                          " delete it all the same, or uninstall without --delete-archive"
                          % (self.archive, mode.lower(), time))

    def own_key(self, resources):
        """The key, where this stack made it; a key that was given to it belongs to others."""
        given = self.stack.parameters.get("ExistingKeyArn")
        key = self.stack.outputs.get("KeyArn", "")
        if given or self.stack.parameters.get("CreateKey") != "true" or not key.startswith("arn:"):
            return ""
        made = [physical for kind, physical in resources.values() if kind == "AWS::KMS::Key"]
        return key if parameters.key_id(key) in map(parameters.key_id, made) else ""

    def signs(self):
        """Whether the history of the ledger was signed."""
        return self.stack.parameters.get("Evidence", "none") != "none"

    def question(self):
        """What a person is asked."""
        if self.stack is None:
            return "Remove what an earlier uninstallation left, the parameters below /%s?" % (
                self.name)
        if not self.archive:
            return "Remove the stack %s? The archive and its key stay." % self.name
        key = " AND THE KEY %s" % self.key if self.key else ""
        lock = " (Object Lock is bypassed)" if self.lock[0] else ""
        return "Remove the stack %s, AND EVERY LOG in %s%s%s, for good?" % (
            self.name, self.archive, lock, key)

    def run(self):
        """Removes. As long as the stack is there, the same command can be repeated."""
        if self.archive:
            self.empty_archive()
        if self.stack is not None:
            stacks.remove(self.name)
        parameters.remove(self.name)
        say("Removed the stack %s and the parameters below /%s" % (self.name, self.name))
        if self.archive:
            self.delete_archive()
            if self.signs():
                parameters.remove_evidence(self.name)
        elif self.stack is not None:
            self.say_what_stays()

    def empty_archive(self):
        """Deletes every version of every object."""
        deleted = 0
        while True:
            page = aws.call("s3api", "list-object-versions", "--bucket", self.archive,
                            "--expected-bucket-owner", self.account, "--max-items", BATCH)
            versions = [{"Key": one["Key"], "VersionId": one["VersionId"]}
                        for kind in ("Versions", "DeleteMarkers") for one in page.get(kind) or []]
            if not versions:
                PROGRESS.end()
                return
            bypass = ["--bypass-governance-retention"] if self.lock[0] else []
            errors = self.delete_objects(versions, bypass).get("Errors") or []
            if errors:
                raise Failed("the archive could not be emptied: %s (%s); repeat the same command"
                             " once that is put right"
                             % (errors[0].get("Message", ""), errors[0].get("Code", "")))
            deleted += len(versions)
            PROGRESS.show("  %d versions deleted" % deleted)

    def delete_objects(self, versions, bypass):
        """Deletes these versions. Their names are too many for the arguments of a process."""
        with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
            json.dump({"Objects": versions, "Quiet": True}, file)
            file.flush()
            return aws.call(
                "s3api", "delete-objects", "--bucket", self.archive, "--expected-bucket-owner",
                self.account, *bypass, "--delete", "file://%s" % file.name)

    def delete_archive(self):
        """Deletes the bucket, with what a run wrote since it was emptied, and the key."""
        left = "the stack is gone; what is left is the bucket %s%s" % (
            self.archive, " and the key %s" % self.key if self.key else "")
        try:
            self.empty_archive()
            aws.call("s3api", "delete-bucket", "--bucket", self.archive,
                     "--expected-bucket-owner", self.account)
            say("Deleted the archive s3://%s" % self.archive)
            if not self.key:
                self.say_whose_key()
                return
            aws.call("kms", "schedule-key-deletion", "--key-id", self.key,
                     "--pending-window-in-days", KEY_DAYS)
        except (aws.AwsError, Failed) as error:
            raise Failed("%s: %s" % (left, error))
        say("The key %s goes in %d days; until then aws kms cancel-key-deletion brings it back"
            % (self.key, KEY_DAYS))

    def say_whose_key(self):
        """Says that a key stays, where there is one."""
        key = self.stack.outputs.get("KeyArn", "")
        if key.startswith("arn:"):
            say("The key %s was not made by this stack and stays" % key)

    def say_what_stays(self):
        """Says what was kept, and how a later deployment takes it up."""
        bucket = self.stack.outputs.get("ArchiveBucket", "")
        key = self.stack.outputs.get("KeyArn", "")
        if not bucket:
            return
        with_key = key.startswith("arn:")
        say("Kept the archive s3://%s%s" % (bucket, " and its key %s" % key if with_key else ""))
        if with_key:
            say("The key costs about a dollar a month for as long as it is kept")
        if self.signs():
            say("Kept what signs its history: the parameters /%s/evidence-..., %s" % (
                self.name, self.stack.outputs.get("EvidenceKeyArn", "the private key among them")))
        say("To go on with it later: ./deploy.sh --set ExistingBucket=%s%s%s" % (
            bucket, " --set CreateKey=false --set ExistingKeyArn=%s" % key if with_key else "",
            self.evidence_options()))

    def evidence_options(self):
        """Options of a later deployment that goes on with the signed history."""
        if not self.signs():
            return ""
        key = self.stack.outputs.get("EvidenceKeyArn", "")
        return " --set Evidence=%s%s" % (self.stack.parameters["Evidence"],
                                         " --set EvidenceKeyArn=%s" % key if key else "")


def main():
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--stack", required=True, help="name of the stack")
    parser.add_argument("--account", required=True, help="the account that it is in")
    parser.add_argument("--delete-archive", default="", help="name of the bucket to delete as well")
    parser.add_argument("--bypass-object-lock", action="store_true", help="delete what is locked")
    parser.add_argument("action", choices=["plan", "run"])
    values = parser.parse_args()
    removal = aws.refusing(Removal, values.stack, values.account, values.delete_archive,
                           values.bypass_object_lock)
    if values.action == "plan":
        say(removal.question())
    else:
        aws.failing(removal.run)


if __name__ == "__main__":
    run(main)

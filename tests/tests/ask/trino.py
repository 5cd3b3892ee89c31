"""Puts every table, view, saved question and QuickSight data set of the template to Trino, the engine that Athena is made of.

Usage: trino.py template.yaml TRINO WORK [SETTING=VALUE ...] NAME=ARCHIVE ...
TRINO is what xtask/scripts/install-trino unpacked, WORK an empty folder. Each archive is a database of its own in one catalogue, which
is named as Athena's. Printed is {"archives": {NAME: {"questions": {question: [row]}, "types": ..., "partitions": ...}}, "problems": [text]}.
"""

import json
import os
import re
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

from glue import Catalogue
from template import data_sets, questions, tables

CATALOG = "awsdatacatalog"

# What the engine wants to be told, and what differs where files lie in a folder: an absent partition is an absent folder.
CONFIGURATION = {
    "node.properties": """
node.environment=test
node.id=one
""",
    "config.properties": """
coordinator=true
node-scheduler.include-coordinator=true
http-server.http.port={port}
discovery.uri=http://127.0.0.1:{port}
node.internal-address=127.0.0.1
catalog.management=static
query.max-memory=1GB
query.max-memory-per-node=900MB
memory.heap-headroom-per-node=300MB
""",
    f"catalog/{CATALOG}.properties": """
connector.name=hive
hive.metastore=glue
hive.metastore.glue.region=us-east-1
hive.metastore.glue.endpoint-url={glue}
hive.metastore.glue.aws-access-key=none
hive.metastore.glue.aws-secret-key=none
hive.metastore-cache-ttl=0s
hive.partition-projection-enabled=true
hive.recursive-directories=true
hive.ignore-absent-partitions=true
hive.non-managed-table-writes-enabled=false
fs.native-local.enabled=true
local.location={archives}
""",
}
LONGEST_START = 900
LONGEST_QUERY = 900


class Trino:
    """A server of one process, on loopback."""

    def __init__(self, home, work, catalogue, archives):
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        values = {"port": port, "glue": catalogue.url, "archives": archives}
        for name, text in CONFIGURATION.items():
            path = work / "etc" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text.format(**values), encoding="utf-8")
        (work / "secrets").mkdir()
        self.log = work / "server.log"
        java = (home / "java").read_text(encoding="utf-8").strip()
        settings = {
            "config": work / "etc/config.properties",
            "node.data-dir": work / "data",
            "catalog.config-dir": work / "etc/catalog",
            "plugin.dir": home / "plugin",
            "secrets-plugin.dir": work / "secrets",
            "user.timezone": "UTC",
        }
        node = dict(line.split("=") for line in CONFIGURATION["node.properties"].split())
        command = [
            java, "-Xmx1500m", "--add-modules=jdk.incubator.vector", "--sun-misc-unsafe-memory-access=allow", "-Dfile.encoding=UTF-8",
            *(f"-D{name}={value}" for name, value in {**node, **settings}.items()),
            "-cp", f"{home}/lib/*", "io.trino.server.TrinoServer",
        ]
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(command, cwd=work, stdout=log, stderr=log, env={"PATH": os.environ["PATH"]})

    def __enter__(self):
        until = time.monotonic() + LONGEST_START
        while time.monotonic() < until and self.process.poll() is None:
            try:
                if not self.get("/v1/info")["starting"]:
                    return self
            except OSError:
                pass
            time.sleep(0.5)
        self.process.kill()
        sys.exit("Trino did not start: " + self.log.read_text(encoding="utf-8", errors="replace")[-3000:])

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()

    def get(self, path):
        request = urllib.request.Request(self.url + path if path.startswith("/") else path, headers={"X-Trino-User": "entratrail"})
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)

    def ask(self, database, sql):
        """Columns with their types, rows, and the partitions of each table that were read."""
        headers = {
            "X-Trino-User": "entratrail", "X-Trino-Catalog": CATALOG, "X-Trino-Schema": database, "X-Trino-Time-Zone": "UTC",
        }
        request = urllib.request.Request(self.url + "/v1/statement", sql.encode(), headers)
        with urllib.request.urlopen(request, timeout=60) as answer:
            state = json.load(answer)
        columns, rows, until = [], [], time.monotonic() + LONGEST_QUERY
        while True:
            columns = state.get("columns") or columns
            rows += state.get("data") or []
            if "error" in state:
                raise RuntimeError(state["error"]["message"])
            if "nextUri" not in state:
                break
            if time.monotonic() > until:
                raise RuntimeError(f"no answer within {LONGEST_QUERY} seconds")
            state = self.get(state["nextUri"])
        return [(column["name"], column["type"]) for column in columns], rows, self.partitions(state["id"])

    def partitions(self, query):
        read = {}
        for table in self.get(f"/v1/query/{query}").get("inputs", []):
            ids = (table.get("connectorInfo") or {}).get("partitionIds", [])
            read.setdefault(table["table"], set()).update(ids)
        return read


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def main(template, home, work, *arguments):
    named = dict(argument.split("=", 1) for argument in arguments)
    archives = {name: path for name, path in named.items() if "/" in path}
    settings = {name: value for name, value in named.items() if name not in archives}
    work = Path(work).resolve()
    roof = work / "archives"
    roof.mkdir()
    for name, path in archives.items():
        (roof / name).symlink_to(Path(path).resolve())
    catalogue = Catalogue(template, archives, settings)
    problems, answers = [], {}
    with Trino(Path(home).resolve(), work, catalogue, roof) as trino:
        for name in archives:
            answers[name] = answers_of(trino, template, name, problems)
    problems += [f"the catalogue was asked for {operation}" for operation in catalogue.unknown]
    print(json.dumps({"archives": answers, "problems": problems}))


def answers_of(trino, template, database, problems):
    """Everything that the template holds, asked of one archive."""
    found = {"questions": {}, "types": {}, "partitions": {}, "tables": {}, "data_sets": {}}

    def ask(what, sql):
        begun = time.monotonic()
        try:
            return trino.ask(database, sql)
        except (RuntimeError, urllib.error.URLError) as error:
            problems.append(f"{database}: {what}: {error}")
            print(f"{database}: {what}: {error}", file=sys.stderr)
            return None
        finally:
            print(f"{database}: {what}: {time.monotonic() - begun:.1f} s", file=sys.stderr)

    for name in tables(template):
        bound = "" if name == "ledger" else day_of(template, name)
        if described := ask(name, f"DESCRIBE {name}"):
            found["tables"][name] = [(row[0], row[1]) for row in described[1]]
        ask(name, f"SELECT * FROM {name} {bound} LIMIT 20")
    for name, sql in questions(template).items():
        if answer := ask(name, sql):
            columns, rows, partitions = answer
            names = [column for column, _ in columns]
            found["questions"][name] = [dict(zip(names, map(shown, columns, row))) for row in rows]
            found["types"][name] = columns
            found["partitions"][name] = {table: sorted(ids) for table, ids in partitions.items()}
    for name, (sql, _) in data_sets(template, database).items():
        if answer := ask(name, f"SELECT * FROM ({sql}) LIMIT 5"):
            found["data_sets"][name] = answer[0]
    return found


def day_of(template, table):
    has_day = "day" in dict(tables(template)[table])
    return "WHERE day >= current_date - INTERVAL '30' DAY" if has_day else ""


def shown(column, value):
    """A value as `entratrail query` writes it in JSON."""
    _, of = column
    if isinstance(value, str) and of.startswith("timestamp"):
        return re.sub(r"\.000$", "", value).replace(" ", "T") + "Z"
    return value


if __name__ == "__main__":
    main(*sys.argv[1:])

"""Prints what Athena would bill a month for the findings that are mailed, from the bytes of columns in an archive.

Usage: cost.py template.yaml ARCHIVE
A question reads the columns that its SQL names, of a struct the named members, in the partitions that its WHERE names. Directory
audits are too few to count: their questions are billed the least. docs/cost.md has the result.
"""

import glob
import re
import sys
from pathlib import Path

import duckdb
import sqlglot
from sqlglot import exp
from sqlglot.optimizer.pushdown_projections import pushdown_projections
from sqlglot.optimizer.qualify import qualify

from template import tables, views

QUESTIONS = Path(__file__).parents[3] / "sql" / "questions"
# As in crates/findings/src/agenda.rs and scan.rs.
RECENT_DAYS, WEEK_DAYS, LAST_WORD = 2, 14, ", content_hash"
EVENTS, DAYS, WEEKS = 15, 30.4, 4.35
LEAST, DOLLARS = 10e6, 5 / 1e12


def sizes(archive):
    """Bytes of each leaf for one sign-in, and the share of sign-ins, by event type."""
    files = glob.glob(f"{archive}/tables/sign_ins/**/*.parquet", recursive=True)
    bytes_of, rows_of = {}, {}
    for file in files:
        kind = re.search(r"event_type=(\w+)", file)[1]
        leaves = duckdb.execute("SELECT path_in_schema, total_compressed_size FROM parquet_metadata(?)", [file]).fetchall()
        for path, size in leaves:
            of_kind = bytes_of.setdefault(kind, {})
            of_kind[path] = of_kind.get(path, 0) + size
        rows_of[kind] = rows_of.get(kind, 0) + duckdb.execute("SELECT num_rows FROM parquet_file_metadata(?)", [file]).fetchone()[0]
    every = sum(rows_of.values())
    return {kind: ({path: size / every for path, size in leaves.items()}) for kind, leaves in bytes_of.items()}


def written_out(tree, known):
    """The question with each view in the place of its name."""
    for table in list(tree.find_all(exp.Table)):
        if table.name in known:
            view = written_out(sqlglot.parse_one(known[table.name], dialect="athena"), known)
            name = exp.to_identifier(table.alias or table.name)
            table.replace(exp.Subquery(this=view, alias=exp.TableAlias(this=name)))
    return tree


def columns_of_scans(sql, known, schema):
    """For each scan of the sign-ins the columns that it reads, and the whole SQL."""
    tree = written_out(sqlglot.parse_one(sql, dialect="athena"), known)
    tree = pushdown_projections(qualify(tree, schema=schema, dialect="athena", validate_qualify_columns=False))
    for table in tree.find_all(exp.Table):
        if table.name == "sign_ins":
            select = table.find_ancestor(exp.Select)
            alias = table.alias or table.name
            yield {column.name for column in select.find_all(exp.Column) if column.table == alias}, tree.sql("athena")


def bytes_read(columns, text, leaves):
    total = 0
    for path, size in leaves.items():
        top, *members = [part.strip() for part in re.split(r"[,.]", path)]
        members = [member for member in members if member not in ("list", "element")]
        if top in columns and all(re.search(rf"\b{member}\b", text) for member in members):
            total += size
    return total


def event_types(sql):
    named = re.findall(r"event_type (?:IN \(([^)]*)\)|= ('\w+'))", sql)
    return {kind for pair in named for kind in re.findall(r"'(\w+)'", "".join(pair))}


def main(template, archive):
    schema = {name: dict(columns) for name, columns in tables(template).items()}
    known = views(template)
    known["sign_ins_latest"] = known["sign_ins_latest"].replace(LAST_WORD, "")
    of_kind = sizes(archive)
    asked = []
    for file in sorted(QUESTIONS.glob("*.sql")):
        text = file.read_text(encoding="utf-8")
        if "-- told:" not in text:
            continue
        sql = "\n".join(line for line in text.splitlines() if not line.startswith("--"))
        kinds = event_types(sql) or set(of_kind)
        scans = [sum(bytes_read(columns, whole, of_kind[kind]) for kind in kinds & set(of_kind))
                 for columns, whole in columns_of_scans(sql, known, schema)]
        offices = scans.pop() if "gateways" in sql else 0
        compares = "INTERVAL '7' DAY" in sql
        own = 90 if "INTERVAL '90' DAY" in sql else 30 if "INTERVAL '30' DAY" in sql else 7
        asked.append((file.stem, re.search(r"severity:\s*(\w+)", text)[1], own, compares, sum(scans), offices))

    def month(users, medium_daily):
        total = DAYS * LEAST
        for _, severity, own, compares, scanned, offices in asked:
            def billed(days):
                days = min(own, days) if own == 30 and not compares else own
                return max(EVENTS * users * (scanned * days + offices * 30), LEAST)
            is_daily = (severity == "high" or medium_daily) and not (compares and own == 90)
            total += WEEKS * billed(WEEK_DAYS) + (DAYS - WEEKS) * billed(RECENT_DAYS) * is_daily
        return total * DOLLARS

    for name, severity, own, _, scanned, offices in sorted(asked, key=lambda one: -one[4] - one[5]):
        print(f"{name:40} {severity:7} {own:3} days  {scanned:6.1f} bytes a sign-in and day, {offices:5.1f} for offices")
    for users in (10, 1000, 10000, 100000):
        print(f"{users:7} users: {month(users, False):5.2f} dollars a month, {month(users, True):5.2f} with FindingsDaily=medium")


main(*sys.argv[1:])

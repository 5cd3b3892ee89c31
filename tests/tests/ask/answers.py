"""Asks archives the saved questions of the template, with DuckDB in the place of Athena, and prints the answers as JSON.

Usage: answers.py template.yaml [--without-limits] [--answers-alone] [SETTING=VALUE ...] ARCHIVE ...
The answers are {"archives": [{question: [row]}], "problems": [text]}: what Athena would refuse, and, but for --answers-alone, what a
file shows differently to DuckDB and to PyArrow.
"""

import datetime
import decimal
import json
import sys
from pathlib import Path

import duckdb
import pyarrow
import pyarrow.parquet
import sqlglot
from sqlglot import exp
from sqlglot.optimizer.qualify import qualify

from template import questions, tables, views

VIEWS = Path(__file__).parents[3] / "sql" / "duckdb.sql"


def main(template, *arguments):
    options = {argument for argument in arguments if argument.startswith("--")}
    is_limited = "--without-limits" not in options
    arguments = [argument for argument in arguments if argument not in options]
    settings = dict(argument.split("=", 1) for argument in arguments if "=" in argument)
    archives = [argument for argument in arguments if "=" not in argument]
    schema = {name: dict(columns) for name, columns in tables(template).items()}
    problems = []
    for name, sql in [*views(template).items(), *questions(template).items()]:
        problems += [f"{name}: {problem}" for problem in refusals(sql, schema)]
    answers = []
    for archive in map(Path, archives):
        connection = opened(archive, settings)
        problems += [] if "--answers-alone" in options else differences(connection, archive)
        answers.append({name: rows(connection, sql if is_limited else sql.rsplit("LIMIT ", 1)[0]) for name, sql in questions(template).items()})
    print(json.dumps({"archives": answers, "problems": problems}))


def refusals(sql, schema):
    """What Athena would not take: other grammar, tables, columns, or functions nobody knows."""
    try:
        tree = qualify(sqlglot.parse_one(sql, dialect="athena"), schema=schema, dialect="athena", validate_qualify_columns=True)
    except sqlglot.errors.SqlglotError as error:
        return [str(error)]
    unknown = {function.name.lower() for function in tree.find_all(exp.Anonymous)}
    return [f"unknown functions {sorted(unknown)}"] if unknown else []


def opened(archive, settings):
    """The tables of an archive and the views over them."""
    connection = duckdb.connect()
    connection.execute(f"SET VARIABLE archive = '{archive}'")
    for name, value in settings.items():
        connection.execute(f"SET VARIABLE {name} = '{value}'")
    connection.execute(VIEWS.read_text(encoding="utf-8"))
    return connection


def rows(connection, sql):
    answer = connection.sql(sql).to_arrow_table().to_pylist()
    return [{name: plain(value) for name, value in row.items()} for row in answer]


def plain(value):
    """As `entratrail query` writes it in JSON; instants with as many digits as they need."""
    if isinstance(value, datetime.datetime):
        digits = "seconds" if not value.microsecond else "microseconds" if value.microsecond % 1000 else "milliseconds"
        return value.replace(tzinfo=None).isoformat(timespec=digits) + "Z"
    if isinstance(value, datetime.date):
        return value.isoformat()
    # The sum of integers, which is wider to DuckDB than 64 bits.
    return int(value) if isinstance(value, decimal.Decimal) else value


def differences(connection, archive):
    """Files whose rows or types are others to PyArrow than to DuckDB."""
    for file in sorted((archive / "tables").rglob("*.parquet")):
        table = pyarrow.parquet.ParquetFile(file).read()
        seen = connection.sql(f"SELECT * FROM read_parquet('{file}', hive_partitioning = false)").to_arrow_table()
        for column, other in zip(table.schema, seen.schema):
            if (column.name, kind(column.type)) != (other.name, kind(other.type)):
                yield f"{file.name}: {column} is {other} to DuckDB"
        if table.to_pylist() != seen.to_pylist():
            yield f"{file}: other rows to DuckDB"


def kind(of):
    """A type without the names that Arrow and DuckDB give the elements of lists."""
    if pyarrow.types.is_list(of):
        return ["list", kind(of.value_type)]
    if pyarrow.types.is_struct(of):
        return {member.name: kind(member.type) for member in of}
    if pyarrow.types.is_timestamp(of):  # DuckDB knows an instant with a zone in microseconds alone.
        return f"timestamp, {of.tz}"
    return "string" if pyarrow.types.is_large_string(of) or pyarrow.types.is_string(of) else str(of)


if __name__ == "__main__":
    main(*sys.argv[1:])

"""Athena with DuckDB in its place, for what MiniStack does not have.

Saved questions in a stack, results that Athena keeps itself, views of Glue's catalogue, and columns
of more than one level. Importing this module puts it in force.
"""

import asyncio
import base64
import functools
import json
import os
import re
import tempfile
from urllib.parse import urlparse

import duckdb
import sqlglot
from ministack.core import iam_actions
from ministack.core.responses import get_account_id, get_region
from ministack.services import athena, glue, s3
from ministack.services.cloudformation import provisioners
from sqlglot import exp

MANAGED = "s3://kept-by-athena/"
PRESTO_VIEW = re.compile(r"/\* Presto View: (\S+) \*/")

# Saved questions ----------------------------------------------------------------------------------


def create_question(logical_id, properties, stack_name):
    answer = athena._create_named_query(properties)
    return json.loads(answer[2])["NamedQueryId"], {}


def update_question(physical_id, old_properties, properties, stack_name, logical_id=None):
    """Every change makes another one.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-athena-namedquery.html
    """
    if properties == old_properties:
        return physical_id, {}
    created = create_question(logical_id, properties, stack_name)
    delete_question(physical_id, old_properties)
    return created


def delete_question(physical_id, properties):
    athena._delete_named_query({"NamedQueryId": physical_id})


# Answers ------------------------------------------------------------------------------------------

start = athena._start_query_execution
save_results = athena._save_query_results


def start_managed(data):
    """Such a workgroup needs no place for results.

    https://docs.aws.amazon.com/athena/latest/ug/managed-results.html
    """
    workgroup = athena._workgroups.get(data.get("WorkGroup")) or {}
    results = workgroup.get("Configuration", {}).get("ManagedQueryResultsConfiguration") or {}
    if str(results.get("Enabled")).lower() == "true":
        data = {**data, "ResultConfiguration": {"OutputLocation": MANAGED}}
    return start(data)


async def save_unless_managed(query_id):
    place = athena._executions[query_id]["ResultConfiguration"]["OutputLocation"]
    if not place.startswith(MANAGED):
        await save_results(query_id)


async def run(query, database, catalog=None):
    return await asyncio.to_thread(answer, query, database)


@functools.cache
def translated(query):
    """The query in the words of DuckDB, the names of what it reads, and whether it asks for $path.

    Kept, because the questions of a stack share its views, and reading those takes longest.
    """
    tree = sqlglot.parse_one(query, dialect="athena")
    own = {part.alias for part in tree.find_all(exp.CTE)}
    names = sorted({part.name for part in tree.find_all(exp.Table)} - own)
    hidden = any(column.name == "$path" for column in tree.find_all(exp.Column))
    return tree.sql("duckdb"), names, hidden


def answer(query, database):
    sql, _, _ = translated(query)
    with tempfile.TemporaryDirectory() as folder:
        connection = duckdb.connect()
        connection.execute("SET TimeZone = 'UTC'")
        provide(connection, query, database, folder, set())
        result = connection.sql(sql)
        types = [str(kind).upper().split("(")[0] for kind in result.types]
        types = [athena._DUCKDB_TYPE_MAP.get(kind, "varchar") for kind in types]
        rows = [list(row.values()) for row in result.to_arrow_table().to_pylist()]
        return {"columns": result.columns, "column_types": types, "rows": rows}


def provide(connection, query, database, folder, known):
    """Makes what the query reads, and what the views among it read."""
    _, names, hidden = translated(query)
    for name in names:
        if name in known:  # perhaps made meanwhile, for a view among them
            continue
        table = glue._tables.get(f"{database}/{name}")
        if table is None or not is_found(table):
            known_as = f"awsdatacatalog.{database}.{name}"
            raise ValueError(f"TABLE_NOT_FOUND: Table '{known_as}' does not exist")
        known.add(name)
        if table.get("TableType") == "VIRTUAL_VIEW":
            view = sql_of(table)
            provide(connection, view, database, folder, known)
            connection.execute(f'CREATE VIEW "{name}" AS {translated(view)[0]}')
            refuse_stale(connection, name, table)
        else:
            connection.execute(f'CREATE VIEW "{name}" AS {relation(table, folder, hidden)}')


def is_found(table):
    """Trino knows a view by the comment "Presto View", and takes a description for the comment.

    Seen with Trino 476, which found no view of a template that described its views.
    """
    is_view = table.get("TableType") == "VIRTUAL_VIEW"
    comment = table.get("Description") or (table.get("Parameters") or {}).get("comment")
    return not is_view or comment == "Presto View"


def sql_of(view):
    encoded = PRESTO_VIEW.fullmatch(view.get("ViewOriginalText", ""))
    if not encoded:
        raise ValueError(f"INVALID_VIEW: the view {view['Name']} holds no Presto view")
    return json.loads(base64.b64decode(encoded[1]))["originalSql"]


def refuse_stale(connection, name, view):
    """https://docs.aws.amazon.com/athena/latest/ug/views-managing.html: a view knows its columns."""
    declared = [column["Name"] for column in view["StorageDescriptor"]["Columns"]]
    selected = [column[0] for column in connection.execute(f'DESCRIBE "{name}"').fetchall()]
    if declared != selected:
        raise ValueError(f"VIEW_IS_STALE: View '{view['DatabaseName']}.{name}' is stale")


def relation(table, folder, shows_path):
    """The columns of a table, by name, from every file below its place.

    The path of a file is a column that no * shows.
    """
    place = table["StorageDescriptor"]["Location"]
    columns = table["StorageDescriptor"]["Columns"] + (table.get("PartitionKeys") or [])
    nothing = ", ".join(f'CAST(NULL AS {kind_of(one)}) AS "{one["Name"]}"' for one in columns)
    names = ", ".join(f'"{one["Name"]}"' for one in columns)
    if shows_path:
        names += f", replace(filename, '{folder}/', 's3://') AS \"$path\""
    nothing = f"SELECT {nothing}, CAST(NULL AS VARCHAR) AS filename WHERE false"
    files = copied(place, folder)
    if not files:
        return f"SELECT {names} FROM ({nothing})"
    has_partitions = "true" if table.get("PartitionKeys") else "false"
    options = f"hive_partitioning = {has_partitions}, union_by_name = true, filename = true"
    if "Parquet" in table["StorageDescriptor"]["InputFormat"]:
        source = f"read_parquet({files}, {options})"
    else:
        source = (
            f"read_csv({files}, {options}, columns = {{'record': 'VARCHAR'}}, auto_detect = false,"
            " delim = chr(1), quote = '', escape = '', header = false, max_line_size = 40000000)"
        )
    return f"SELECT {names} FROM ({nothing} UNION ALL BY NAME SELECT * FROM {source})"


def kind_of(column):
    return exp.DataType.build(column["Type"], dialect="hive").sql("duckdb")


def copied(place, folder):
    """Files with the objects below a place."""
    parsed = urlparse(place)
    bucket, prefix = parsed.netloc, parsed.path.lstrip("/")
    files = []
    for key in sorted((s3._buckets.get(bucket) or {"objects": {}})["objects"]):
        body = s3._get_object_data(bucket, key) if key.startswith(prefix) else None
        if body is None:
            continue
        file = os.path.join(folder, bucket, key)
        os.makedirs(os.path.dirname(file), exist_ok=True)
        with open(file, "wb") as out:
            out.write(body)
        files.append(file)
    return files


# Permissions --------------------------------------------------------------------------------------

resource_of = iam_actions.extract_resource_arn


def resource_of_question(service, method, path, headers, body, *rest, **options):
    """Who follows, reads or stops a question needs that for the workgroup in which it was asked.

    https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonathena.html
    """
    found = resource_of(service, method, path, headers, body, *rest, **options)
    if service != "athena" or found != "*":
        return found
    try:
        asked = athena._executions.get(json.loads(body or b"{}").get("QueryExecutionId"))
    except ValueError:
        return found
    workgroup = asked and asked.get("WorkGroup")
    place = f"arn:aws:athena:{get_region()}:{get_account_id()}:workgroup"
    return f"{place}/{workgroup}" if workgroup else found


iam_actions.extract_resource_arn = resource_of_question
provisioners._RESOURCE_HANDLERS["AWS::Athena::NamedQuery"] = {
    "create": create_question,
    "update": update_question,
    "update_with_logical_id": True,
    "delete": delete_question,
}
athena._start_query_execution = start_managed
athena._save_query_results = save_unless_managed
athena._run_duckdb = run

"""What the template says of tables, views and questions; run alone, it prints all of it as JSON."""

import json
import sys

import yaml


class Loader(yaml.CSafeLoader):
    """Takes CloudFormation's short forms for what they hold."""


def _held(loader, _suffix, node):
    if isinstance(node, yaml.ScalarNode):
        return loader.construct_scalar(node)
    if isinstance(node, yaml.SequenceNode):
        return loader.construct_sequence(node, deep=True)
    return loader.construct_mapping(node, deep=True)


Loader.add_multi_constructor("!", _held)


def _resources(template, kind):
    with open(template, encoding="utf-8") as file:
        resources = yaml.load(file, Loader)["Resources"]
    return [resource["Properties"] for resource in resources.values() if resource["Type"] == kind]


def catalogue(template):
    """Each table and view as the stack gives it to the catalogue."""
    return [properties["TableInput"] for properties in _resources(template, "AWS::Glue::Table")]


def _columns(table):
    columns = table["StorageDescriptor"]["Columns"] + table.get("PartitionKeys", [])
    hidden = [("$path", "string")] if table["Name"] == "ledger" else []
    return [(column["Name"], column["Type"]) for column in columns] + hidden


def tables(template):
    """Each table and view with its columns, partition columns last."""
    return {table["Name"]: _columns(table) for table in catalogue(template)}


def _view(table):
    _, (_, encoded, _) = table["ViewOriginalText"]
    return json.loads(encoded["Fn::Base64"])


def views(template):
    """The SQL of each view, those that others need first."""
    return {table["Name"]: _view(table)["originalSql"] for table in catalogue(template) if "ViewOriginalText" in table}


def view_columns(template):
    """Each view's columns as Athena is told them."""
    views = {table["Name"]: _view(table) for table in catalogue(template) if "ViewOriginalText" in table}
    return {name: [(column["name"], column["type"]) for column in view["columns"]] for name, view in views.items()}


def questions(template):
    """The SQL of each saved question by its name."""
    return {query["Name"]: query["QueryString"] for query in _resources(template, "AWS::Athena::NamedQuery")}


def data_sets(template, database):
    """The SQL of each data set of QuickSight in a database, with its columns and their types."""
    sets = {}
    for properties in _resources(template, "AWS::QuickSight::DataSet"):
        asked = properties["PhysicalTableMap"]["answer"]["CustomSql"]
        columns = [(column["Name"], column["Type"]) for column in asked["Columns"]]
        sets[asked["Name"]] = (asked["SqlQuery"].replace("${Database}", database), columns)
    return sets


if __name__ == "__main__":
    path = sys.argv[1]
    print(json.dumps({
        "tables": tables(path),
        "views": views(path),
        "view_columns": view_columns(path),
        "questions": questions(path),
        "data_sets": {name: columns for name, (_, columns) in data_sets(path, "main").items()},
    }))

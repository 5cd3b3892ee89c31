"""A stand-in for the Glue catalogue: the databases, tables and views of the template, over archives in folders.

Every `TableInput` is served as the stack would carry it, once its CloudFormation functions are worked out; `s3://BUCKET/` becomes
the folder of an archive. Only what Trino's client asks is answered.
"""

import base64
import http.server
import json
import threading

from template import catalogue

CATALOGUE_ID = "123456789012"


class Catalogue:
    """Serves one database for each archive, on loopback."""

    def __init__(self, template, databases, settings):
        tables = list(catalogue(template))
        self.tables = {
            database: {table["Name"]: stored(table, database, settings) for table in tables} for database in databases
        }
        self.unknown = []
        handler = type("Handler", (Handler,), {"catalogue": self})
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server.server_port}"

    def answer(self, operation, request):
        """The answer to an operation, or None for what is not there."""
        database = self.tables.get(request.get("DatabaseName", request.get("Name")))
        match operation:
            case "GetDatabases":
                return {"DatabaseList": [{"Name": name, "CatalogId": CATALOGUE_ID} for name in self.tables]}
            case "GetDatabase":
                return database and {"Database": {"Name": request["Name"], "CatalogId": CATALOGUE_ID}}
            case "GetTables":
                return database and {"TableList": list(database.values())}
            case "GetTable":
                table = database and database.get(request["Name"])
                return table and {"Table": table}
            case "GetPartitions":
                return {"Partitions": []}
            case "GetUserDefinedFunctions":
                return {"UserDefinedFunctions": []}
            case "GetColumnStatisticsForTable" | "GetColumnStatisticsForPartition":
                return {"ColumnStatisticsList": [], "Errors": []}
        self.unknown.append(operation)
        return None


class Handler(http.server.BaseHTTPRequestHandler):
    """AWS JSON 1.1: the operation is a header."""

    protocol_version = "HTTP/1.1"

    def do_POST(self):
        operation = self.headers["X-Amz-Target"].split(".")[-1]
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])) or "{}")
        answer = self.catalogue.answer(operation, request)
        found = answer is not None
        body = json.dumps(answer if found else {"__type": "EntityNotFoundException", "Message": operation}).encode()
        self.send_response(200 if found else 400)
        self.send_header("Content-Type", "application/x-amz-json-1.1")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def stored(table, database, settings):
    """A table as the catalogue has it, in a database."""
    stored = {**table, "DatabaseName": database, "CatalogId": CATALOGUE_ID}
    storage = dict(table["StorageDescriptor"])
    if "ViewOriginalText" in table:
        separator, (before, encoded, after) = table["ViewOriginalText"]
        view = encoded["Fn::Base64"].replace("${Database}", database)
        for name in ("BreakGlassAccounts", "TrustedNetworks", "ImportantApplications"):
            view = view.replace(f"${{{name}}}", settings.get(name, ""))
        stored["ViewOriginalText"] = separator.join([before, base64.b64encode(view.encode()).decode(), after])
    else:
        text, _ = storage["Location"]
        storage["Location"] = text.replace("s3://${Bucket}/", f"local:///{database}/")
    stored["StorageDescriptor"] = storage
    return stored

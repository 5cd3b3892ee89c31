"""Reads one day of sign-ins with Microsoft's SDK for Python in its documented form, into a file of one record a line.

Usage: read.py DAY FILE
The environment says where and as whom: GRAPH_URL, LOGIN_URL, TENANT_ID, CLIENT_ID, CLIENT_SECRET.
The exit status is 0 where the SDK reported no error.
"""

import asyncio
import datetime
import os
import sys
import time

import httpx
from azure.core.credentials import AccessToken
from kiota_abstractions.base_request_configuration import RequestConfiguration
from kiota_authentication_azure.azure_identity_authentication_provider import AzureIdentityAuthenticationProvider
from kiota_serialization_json.json_serialization_writer import JsonSerializationWriter
from msgraph import GraphRequestAdapter, GraphServiceClient
from msgraph.generated.audit_logs.sign_ins.sign_ins_request_builder import SignInsRequestBuilder
from msgraph_core.tasks.page_iterator import PageIterator

SCOPE = "https://graph.microsoft.com/.default"
RENEWED_SECONDS_BEFORE_END = 300


class ClientSecret:
    """The client-secret flow of azure-identity, which takes no plain http: a token is kept until five minutes before
    its end, as there."""

    def __init__(self):
        self.token = AccessToken("", 0)

    def get_token(self, *scopes, **_):
        if self.token.expires_on - time.time() < RENEWED_SECONDS_BEFORE_END:
            answer = httpx.post(
                f"{os.environ['LOGIN_URL']}/{os.environ['TENANT_ID']}/oauth2/v2.0/token",
                data={
                    "grant_type": "client_credentials",
                    "client_id": os.environ["CLIENT_ID"],
                    "client_secret": os.environ["CLIENT_SECRET"],
                    "scope": " ".join(scopes),
                },
            )
            token = answer.raise_for_status().json()
            self.token = AccessToken(token["access_token"], int(time.time()) + token["expires_in"])
        return self.token


def client():
    """The SDK's client, pointed at another host as its documentation does for national clouds."""
    adapter = GraphRequestAdapter(AzureIdentityAuthenticationProvider(ClientSecret(), scopes=[SCOPE]))
    adapter.base_url = f"{os.environ['GRAPH_URL']}/v1.0"
    return GraphServiceClient(request_adapter=adapter)


async def read(day, file):
    graph = client()
    query = SignInsRequestBuilder.SignInsRequestBuilderGetQueryParameters(
        filter=f"createdDateTime ge {day}T00:00:00Z and createdDateTime le {day}T23:59:59.9999999Z",
    )
    first = await graph.audit_logs.sign_ins.get(RequestConfiguration(query_parameters=query))

    def keep(sign_in):
        writer = JsonSerializationWriter()
        writer.write_object_value(None, sign_in)
        file.write(writer.get_serialized_content() + b"\n")
        return True

    await PageIterator(first, graph.request_adapter).iterate(keep)


def main():
    day, path = datetime.date.fromisoformat(sys.argv[1]), sys.argv[2]
    with open(path, "wb") as file:
        asyncio.run(read(day, file))


if __name__ == "__main__":
    main()

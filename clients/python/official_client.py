"""The official Python SDK, unmodified: only its base URL is changed."""

import inspect
import os
import re

from highlevel import HighLevel
from highlevel.error import GHLError

HighLevel.BASE_URL = os.environ["KEYSTEAD_URL"]

# What is known of the instance from the beginning, by the names that stories have for it.
ENVIRONMENT = {
    "companyId": os.environ["KEYSTEAD_AGENCY_ID"],
    "locationId": os.environ["KEYSTEAD_LOCATION_ID"],
    "agencyKey": os.environ["KEYSTEAD_AGENCY_KEY"],
    "locationKey": os.environ["KEYSTEAD_LOCATION_KEY"],
}


def snake(name):
    """`get_contact` of `getContact`, as its makers made all names."""
    return re.sub(r"[A-Z]", lambda letter: f"_{letter[0].lower()}", name)


class OfficialClient:
    """The SDK, with the names that stories have for its methods and their arguments."""

    name = "python"
    is_v3 = True

    def __init__(self, services):
        self.services = services
        self.clients = {}

    def with_key(self, key):
        if key not in self.clients:
            # Its log would tell of every failure that a story expects.
            self.clients[key] = HighLevel(private_integration_token=key, log_level="none")
        return self.clients[key]

    def native(self, call):
        service, method = call.split(".")
        return f"{service}.{snake(method)}"

    def methods(self):
        for service in self.services:
            members = inspect.getmembers(getattr(self.with_key("none"), service), inspect.iscoroutinefunction)
            yield from (f"{service}.{name}" for name, _ in members if not name.startswith("_"))

    async def call(self, call, key, given):
        service, method = self.native(call).split(".")
        arguments = {snake(name): value for name, value in given.get("with", {}).items()}
        if "body" in given:
            arguments["request_body"] = given["body"]
        try:
            return None, await getattr(getattr(self.with_key(key), service), method)(**arguments)
        except GHLError as error:
            if error.status_code is None:
                raise
            return error.status_code, error.response

    async def close(self):
        for client in self.clients.values():
            await client.close()

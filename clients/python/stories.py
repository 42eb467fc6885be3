"""Every story of API 2.0 by the official Python SDK, unmodified: only its base URL is changed."""

import inspect
import json
import os
import re
import unittest

from highlevel import HighLevel
from highlevel.error import GHLError

from expectation import check
from story import FOLDER, Teller, stories

HighLevel.BASE_URL = os.environ["KEYSTEAD_URL"]
SERVICES = json.loads((FOLDER / "2.0.json").read_text("utf-8"))["services"]


def snake(name):
    """`get_contact` of `getContact`, as its makers made all names."""
    return re.sub(r"[A-Z]", lambda letter: f"_{letter[0].lower()}", name)


class OfficialClient:
    """The SDK, with the names that stories have for its methods and their arguments."""

    name = "python"
    is_v3 = True

    def __init__(self):
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
        for service in SERVICES:
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


class Expectations(unittest.TestCase):
    def test_mean_in_python_what_they_mean_in_node(self):
        for case in json.loads((FOLDER / "expectations.json").read_text("utf-8")):
            for expected in case["fits"]:
                check(case["value"], expected)
            for expected in case["differs"]:
                with self.assertRaises(AssertionError, msg=f"{expected} fits {case['value']}"):
                    check(case["value"], expected)


class Stories(unittest.IsolatedAsyncioTestCase):
    async def test_every_method_is_driven_by_a_story(self):
        client = OfficialClient()
        self.addAsyncCleanup(client.close)
        names = ("companyId", "AGENCY_ID"), ("locationId", "LOCATION_ID"), ("agencyKey", "AGENCY_KEY"), ("locationKey", "LOCATION_KEY")
        teller = Teller(client, {name: os.environ[f"KEYSTEAD_{variable}"] for name, variable in names})
        for file, told in stories("2.0"):
            kept = {}
            for title, steps in told.items():
                with self.subTest(f"{file}: {title}"):
                    await teller.tell(steps, kept)
        with self.subTest("every method is driven"):
            methods, skipped = teller.check_that_all_are_driven()
            print(f"python: {methods} methods, of which {len(skipped)} are skipped")
            for method, reason in skipped.items():
                print(f"skipped: {method}: {reason}")


if __name__ == "__main__":
    unittest.main()

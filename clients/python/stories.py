"""Every story of API 2.0 by the official Python SDK."""

import json
import unittest

from expectation import check
from official_client import ENVIRONMENT, OfficialClient
from story import FOLDER, Teller, stories


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
        client = OfficialClient(json.loads((FOLDER / "2.0.json").read_text("utf-8"))["services"])
        self.addAsyncCleanup(client.close)
        teller = Teller(client, ENVIRONMENT)
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

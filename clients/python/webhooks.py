"""Deliveries of a real server, checked by what receivers check them with: the official SDK's middleware, the library of Standard
Webhooks, and the programs that the guide shows."""

import http.server
import importlib.util
import json
import os
import pathlib
import threading
import unittest
import urllib.request

from highlevel.logging import Logger
from highlevel.webhook import WebhookManager
from standardwebhooks import Webhook, WebhookVerificationError

from official_client import ENVIRONMENT

APP = "6650e1f0a1b2c3d4e5f60718"
# What anybody may send in a header: no base64, too little or too much of it, no ASCII, and no number that computers count with.
MALFORMED = ["", "A", "AAAA", "v1", "v1,", "v1,A", "v1,AAAA", "====", "!", "é", "v1,é", "\u00b2", "9" * 400, "9" * 5000, "-1", "nan", str(-(2**63))]
SAMPLES = pathlib.Path(__file__).parent / "../../crates/keystead-web/guides/samples"


def sample(name):
    """A program of the guide."""
    spec = importlib.util.spec_from_file_location(name.replace("-", "_"), SAMPLES / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def call(method, at, body=None):
    headers = {"Authorization": f"Bearer {ENVIRONMENT['locationKey']}", "Content-Type": "application/json"}
    request = urllib.request.Request(
        os.environ["KEYSTEAD_URL"] + at, method=method, headers=headers, data=body and json.dumps(body).encode()
    )
    return json.load(urllib.request.urlopen(request))


class Request:
    """What a framework hands to a middleware."""

    method, url = "POST", "/"

    def __init__(self, headers, body):
        self.headers, self.body, self.state = headers, body, type("State", (), {})()


class Deliveries(unittest.IsolatedAsyncioTestCase):
    @classmethod
    def setUpClass(cls):
        arrived, sent = threading.Event(), {}

        class Receiver(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                sent["body"] = self.rfile.read(int(self.headers["content-length"]))
                sent["headers"] = {name.lower(): value for name, value in self.headers.items()}
                self.send_response(204)
                self.end_headers()
                arrived.set()

            def log_message(self, *_):
                pass

        cls.server = http.server.HTTPServer(("127.0.0.1", 0), Receiver)
        threading.Thread(target=cls.server.serve_forever, daemon=True).start()
        at = f"http://127.0.0.1:{cls.server.server_port}/"
        made = call("POST", "/webhooks", {"url": at, "events": ["contact.created"], "appId": APP})
        cls.secret, cls.key = made["secret"], call("GET", "/webhooks/public-key")["publicKey"]
        call("POST", "/contacts/", {"firstName": "Zoë \U0001f600", "email": "zoe@hooks.example", "city": 'a "b" \u2028'})
        if not arrived.wait(20):
            raise AssertionError("nothing arrived")
        cls.headers, cls.body = sent["headers"], sent["body"]
        cls.forged = cls.body.replace(b"zoe@", b"eve@")

    @classmethod
    def tearDownClass(cls):
        cls.server.shutdown()
        cls.server.server_close()

    def test_library_of_standard_webhooks(self):
        self.assertEqual(Webhook(self.secret).verify(self.body, self.headers)["type"], "ContactCreate")
        with self.assertRaises(WebhookVerificationError):
            Webhook(self.secret).verify(self.forged, self.headers)

    async def judged(self, body, public_key):
        os.environ.update(CLIENT_ID=f"{APP}-abc", WEBHOOK_SIGNATURE_PUBLIC_KEY=public_key)
        request = Request(self.headers, body)
        manager = WebhookManager(Logger("none"), None, None)
        await manager.subscribe()(request)
        flags = {**vars(request), **vars(request.state)}
        return flags["skipped_signature_verification"], flags["is_signature_valid"]

    async def test_middleware_of_the_official_sdk(self):
        # It reads a key as PEM alone.
        self.assertEqual(await self.judged(self.body, self.key["pem"]), (False, True))
        self.assertEqual(await self.judged(self.forged, self.key["pem"]), (False, False))

    def test_programs_of_the_guide(self):
        verify = sample("webhook").is_from_keystead
        old = {**self.headers, "webhook-timestamp": str(int(self.headers["webhook-timestamp"]) - 301)}
        self.assertTrue(verify(self.headers, self.body, self.secret))
        for headers, body in [(self.headers, self.forged), (old, self.body), ({}, self.body)]:
            self.assertFalse(verify(headers, body, self.secret))
        for name in ("webhook-id", "webhook-timestamp", "webhook-signature"):
            for value in MALFORMED:
                self.assertFalse(verify({**self.headers, name: value}, self.body, self.secret), (name, value))
            left = {known: value for known, value in self.headers.items() if known != name}
            self.assertFalse(verify(left, self.body, self.secret), name)
        verify = sample("signing-key").is_signed
        self.assertTrue(verify(self.headers, self.body, self.key["pem"]))
        self.assertFalse(verify(self.headers, self.forged, self.key["pem"]))
        for headers in [{}, *({"x-ghl-signature": value} for value in MALFORMED)]:
            self.assertFalse(verify(headers, self.body, self.key["pem"]), headers)


if __name__ == "__main__":
    unittest.main()

"""What is done to each request that is made of a document."""

import os
import zlib

import schemathesis


@schemathesis.hook
def before_call(context, case, kwargs):
    # Without its Version a request is answered in the shapes of another document, so it is never left away.
    if version := os.environ.get("KEYSTEAD_VERSION"):
        case.headers["Version"] = version
    # Rules of words are more than a schema can say, so that few bodies of chance are taken. Two of three have the values of the
    # document's example instead, in the fields that they have: so that things are made, and links lead to them.
    content = case.operation.definition.raw.get("requestBody", {}).get("content", {}).get("application/json", {})
    example = content.get("example")
    if not isinstance(case.body, dict) or not example:
        return
    number = zlib.crc32(repr(case.body).encode())
    if number % 3:
        body = {name: example[name] for name in content["schema"].get("required", [])}
        body |= {name: example[name] for name in case.body if name in example}
        # What another has already is refused.
        body |= {name: value for name, value in (("email", f"{number}@example.com"), ("name", f"{number}")) if name in body}
        for name in ("phone", "additionalEmails", "additionalPhones"):
            body.pop(name, None)
        case.body = body

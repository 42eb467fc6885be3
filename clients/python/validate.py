"""Asks a public validator whether a document of a running server is OpenAPI, and whether it finds a broken one."""

import copy
import json
import sys
import urllib.request

from openapi_spec_validator import OpenAPIV31SpecValidator


def problems(document):
    return [error.message for error in OpenAPIV31SpecValidator(document).iter_errors()]


address = sys.argv[1]
with urllib.request.urlopen(address) as answer:
    document = json.load(answer)
if found := problems(document):
    sys.exit(f"{address} is not OpenAPI 3.1: {found[:5]}")
# A validator that finds nothing anywhere would be no test.
broken = copy.deepcopy(document)
del broken["info"]["title"]
assert problems(broken), "the validator takes a document without a title"
print(f"{address}: {len(document['paths'])} paths, valid")

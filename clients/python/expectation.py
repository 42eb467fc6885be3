"""Whether an answer is what a story expects of it. ../README.md says what an expectation can be."""

import json
import re

MISSING = object()


def _like(pattern):
    return lambda value: isinstance(value, str) and re.fullmatch(pattern, value, re.DOTALL) is not None


def _is_number(value):
    return isinstance(value, (int, float)) and not isinstance(value, bool)


# Values of which only the kind is known beforehand.
KINDS = {
    "<absent>": lambda value: value is MISSING or value is None,
    "<boolean>": lambda value: isinstance(value, bool),
    "<date>": _like(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"),
    "<id>": _like(r"[A-Za-z0-9]{20}"),
    "<integer>": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "<number>": _is_number,
    "<string>": _like(r".+"),
    "<uuid>": _like(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"),
}


def _has(value, part, at):
    if isinstance(value, str):
        _fail(part not in value, at, value, {"<has>": part})
    else:
        found = isinstance(value, list) and any(_is_as_expected(item, part) for item in value)
        _fail(not found, at, value, {"<has>": part})


def _each(value, every, at):
    _fail(not isinstance(value, list) or not value, at, value, {"<each>": every})
    for index, item in enumerate(value):
        check(item, every, f"{at}[{index}]")


def _length(value, length, at):
    _fail(not hasattr(value, "__len__") or len(value) != length, at, value, {"<length>": length})


# What is said of a value by the name of a member that no answer has.
COMPARISONS = {"<has>": _has, "<each>": _each, "<length>": _length}


def check(value, expected, at="answer"):
    """Fails where `value` is not what is expected. Objects may have more members than are expected of them, lists may not."""
    if isinstance(expected, str) and expected in KINDS:
        _fail(not KINDS[expected](value), at, value, expected)
    elif isinstance(expected, list):
        _fail(not isinstance(value, list) or len(value) != len(expected), at, value, expected)
        for index, item in enumerate(expected):
            check(value[index], item, f"{at}[{index}]")
    elif isinstance(expected, dict):
        _fail(value is None or value is MISSING, at, value, expected)
        for name, member in expected.items():
            if name in COMPARISONS:
                COMPARISONS[name](value, member, at)
            else:
                _fail(not isinstance(value, dict), at, value, expected)
                check(value.get(name, MISSING), member, f"{at}.{name}")
    else:
        _fail(value != expected or isinstance(value, bool) != isinstance(expected, bool), at, value, expected)


def _is_as_expected(value, expected):
    try:
        check(value, expected)
        return True
    except AssertionError:
        return False


def _fail(is_wrong, at, value, expected):
    if is_wrong:
        shown = "absent" if value is MISSING else json.dumps(value)
        raise AssertionError(f"{at} is {shown}, where {json.dumps(expected)} is expected")

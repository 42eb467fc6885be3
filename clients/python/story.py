"""Stories: what a user of the API does, step by step, by a client of theirs. ../README.md says what a step can be."""

import json
import os
import pathlib
import re

import httpx

from expectation import check

FOLDER = pathlib.Path(__file__).parent.parent / "stories"


def stories(api):
    """The stories of an API: the name of each file, and its stories by their titles."""
    return [(path.stem, json.loads(path.read_text("utf-8"))) for path in sorted((FOLDER / api).glob("*.json"))]


class Teller:
    """Tells stories by one client, and remembers which of its methods they drove."""

    def __init__(self, client, environment):
        self.client = client
        self.environment = environment
        self.driven = set()
        self.skipped = {}

    async def tell(self, steps, kept):
        """Takes the steps of a story. What they keep comes to `kept`."""
        for number, step in enumerate(steps, 1):
            if self.client.name not in step.get("only", [self.client.name]):
                continue
            try:
                await self.take(step, kept)
            except Exception as error:
                cause = None if isinstance(error, AssertionError) else error
                raise AssertionError(f"step {number}, {step.get('call') or step['raw']}: {error}") from cause

    async def take(self, step, kept):
        values = {**self.environment, **kept}
        given = filled({name: step[name] for name in ("with", "body", "files") if name in step}, values)
        key = filled(step.get("by", "$locationKey"), values)
        call = step.get("call")
        failed = None
        for _ in range(step.get("tries", 1)):
            if not failed:
                failed, answer = await (self.client.call(call, key, given) if call else raw(step["raw"], key, given))
        shown = json.dumps(answer)
        if "skip" in step:
            assert failed == 404, f"it is no 404, so that it need not be skipped: {failed} {shown}"
            self.skipped[call] = step["skip"]
            return
        if "fails" in step:
            expected = filled(step["fails"], values)
            status = expected.pop("status")
            assert failed == status, f"it is {failed or 'no failure'}, where a {status} is expected: {shown}"
            check(answer, expected)
        else:
            assert failed is None, f"it is {failed}: {shown}"
            for name in ("expect", "expectV3" if self.client.is_v3 else "expectOlder"):
                if name in step:
                    check(answer, filled(step[name], values))
            for name, at in step.get("keep", {}).items():
                kept[name] = part_of(answer, at)
        if call and ("fails" not in step or "fault" in step):
            self.driven.add(call)

    def check_that_all_are_driven(self):
        """That every method was driven, or is skipped for a reason that holds."""
        native = self.client.native
        driven, skipped = {native(call) for call in self.driven}, {native(call) for call in self.skipped}
        methods = set(self.client.methods())
        missing = sorted(methods - driven - skipped)
        assert not missing, f"no story drives these methods, and none skips them: {missing}"
        needless = sorted(skipped & driven | skipped - methods)
        assert not needless, f"these are skipped although they are driven, or are no methods: {needless}"
        return len(methods), self.skipped


def filled(value, values):
    """`$name` is a kept value, `${name}` one in the middle of a text."""

    def known(name):
        assert name in values, f"nothing is kept as {name}"
        return values[name]

    if isinstance(value, str):
        whole = re.fullmatch(r"\$(\w+)", value)
        return known(whole[1]) if whole else re.sub(r"\$\{(\w+)\}", lambda found: str(known(found[1])), value)
    if isinstance(value, list):
        return [filled(item, values) for item in value]
    if isinstance(value, dict):
        return {filled(name, values): filled(member, values) for name, member in value.items()}
    return value


def part_of(answer, at):
    """`contacts.0.id` of an answer."""
    part = answer
    for name in at.split("."):
        part = part[int(name)] if isinstance(part, list) else part.get(name)
        assert part is not None, f"there is no {at} to keep: {json.dumps(answer)}"
    return part


async def raw(target, key, given):
    """A request of our own, for what the contract has no operation for. `target` is `POST /workflows/{id}`."""
    method, pattern = target.split(" ")
    params = dict(given.get("with", {}))
    path = re.sub(r"\{(\w+)\}", lambda found: params.pop(found[1]), pattern)
    async with httpx.AsyncClient(base_url=os.environ["KEYSTEAD_URL"]) as client:
        headers = {"Authorization": f"Bearer {key}"}
        answer = await client.request(method, path, params=params, headers=headers, json=given.get("body"))
    return (None if answer.is_success else answer.status_code), answer.json()

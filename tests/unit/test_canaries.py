"""What the search for secrets finds: an end-to-end test that looks for nothing would pass."""

from __future__ import annotations

import base64
import gzip
import json

import httpx
import pytest

from tests.e2e import canaries

CANARY = canaries.made("one")


@pytest.mark.parametrize("before", range(4))
@pytest.mark.parametrize("behind", range(4))
def test_a_canary_is_seen_within_base64_wherever_it_begins(before: int, behind: int) -> None:
    text = base64.b64encode(b"u" * before + CANARY.value.encode() + b"x" * behind).decode()
    assert CANARY.value not in text
    assert canaries.seen([CANARY], [("here", f"auth: {text}")]) == {"one": {"here"}}


def test_a_canary_is_seen_as_it_is_and_in_hexadecimal_and_others_are_not() -> None:
    other = canaries.made("other")
    texts = [("plain", f"a{CANARY.value}b"), ("hex", CANARY.value.encode().hex()), ("nothing", CANARY.value[:-1])]
    assert canaries.seen([CANARY, other], texts) == {"one": {"plain", "hex"}, "other": set()}


def test_a_record_of_helm_is_unpacked() -> None:
    record = json.dumps({"config": {"password": CANARY.value}})
    packed = base64.b64encode(base64.b64encode(gzip.compress(record.encode()))).decode()
    assert canaries.helm_record({"data": {"release": packed}}) == record
    assert canaries.seen([CANARY], [("packed", packed)]) == {"one": set()}


def test_every_page_of_etcd_is_read_to_its_end() -> None:
    kept = {f"/registry/{number:04}".encode(): bytes([number % 256]) + CANARY.value.encode() for number in range(1_203)}

    def answer(request: httpx.Request) -> httpx.Response:
        asked = json.loads(request.content)
        start = base64.b64decode(asked["key"])
        assert base64.b64decode(asked["range_end"]) == b"\0"
        keys = [key for key in sorted(kept) if key >= start]
        page = [
            {"key": base64.b64encode(key).decode(), "value": base64.b64encode(kept[key]).decode()}
            for key in keys[: asked["limit"]]
        ]
        return httpx.Response(200, json={"kvs": page, "more": len(keys) > asked["limit"]})

    with httpx.Client(base_url="http://etcd", transport=httpx.MockTransport(answer)) as client:
        found = list(canaries.etcd_pages(client))
    assert [key for key, _ in found] == [key.decode() for key in sorted(kept)]
    assert canaries.seen([CANARY], found)["one"] == {key.decode() for key in kept}

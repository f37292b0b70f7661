"""Paging and streams; that the client and the real server understand each other is shown in tests/unit/cli."""

from collections.abc import Callable

import httpx
import pytest

from scheduler.client.scheduling import SchedulingClient
from scheduler.errors import UnavailableError


def _client(respond: Callable[[httpx.Request], httpx.Response]) -> SchedulingClient:
    return SchedulingClient("http://10.0.0.1", token=lambda: "t", transport=httpx.MockTransport(respond))


def test_pages_are_asked_for_until_there_is_enough() -> None:
    asked: list[dict[str, str]] = []

    def respond(request: httpx.Request) -> httpx.Response:
        asked.append(dict(request.url.params))
        first = 500 if "cursor" in request.url.params else 0
        jobs = [{"id": str(number)} for number in range(first, first + int(request.url.params["limit"]))]
        return httpx.Response(200, json={"jobs": jobs, "nextCursor": "c"})

    found = _client(respond).jobs({"environment": "staging", "pipeline": None}, limit=700)
    assert [job["id"] for job in found] == [str(number) for number in range(700)]
    assert asked == [
        {"environment": "staging", "limit": "500"},
        {"environment": "staging", "limit": "200", "cursor": "c"},
    ]


def test_pages_end_with_the_last() -> None:
    answer = httpx.Response(200, json={"jobs": [{"id": "1"}], "nextCursor": ""})
    assert len(_client(lambda _: answer).jobs({}, limit=700)) == 1


def test_repeated_fields_are_repeated() -> None:
    asked: list[httpx.URL] = []

    def respond(request: httpx.Request) -> httpx.Response:
        asked.append(request.url)
        return httpx.Response(200, json={"jobs": [], "nextCursor": ""})

    _client(respond).jobs({"state": ["RUNNING", "QUEUED"]}, limit=1)
    assert asked[0].params.get_list("state") == ["RUNNING", "QUEUED"]


def test_names_cannot_lead_elsewhere() -> None:
    asked: list[bytes] = []

    def respond(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.raw_path)
        return httpx.Response(200, json={})

    _client(respond).job("../data-channels?x")
    assert asked == [b"/v1/jobs/..%2Fdata-channels%3Fx"]


def test_a_stream_that_breaks_is_unavailable() -> None:
    class Broken(httpx.SyncByteStream):
        def __iter__(self):  # type: ignore[no-untyped-def]
            yield b"data: one\n\n"
            raise httpx.ReadError("reset")

    events = _client(lambda _: httpx.Response(200, stream=Broken())).events("j")
    assert next(events).data == "one"
    with pytest.raises(UnavailableError):
        next(events)

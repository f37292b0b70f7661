"""A load generator for one HTTP route: few connections, each sending its next request when an answer is whole.

It has as little of its own as there can be, so that the server is what is measured.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import orjson


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """What came of sending a list of bodies."""

    seconds: float
    """From the first request to the last answer."""
    times: list[float]
    """Seconds of each request, rising."""
    answers: list[Any]
    """`data` of the first output, in the order of the bodies."""

    @property
    def per_second(self) -> float:
        return len(self.times) / self.seconds

    def milliseconds(self, part: float) -> float:
        """The quantile `part` of the requests' times."""
        return self.times[min(len(self.times) - 1, int(len(self.times) * part))] * 1000


@dataclass(slots=True)
class _Connection(asyncio.Protocol):
    requests: list[bytes]
    seconds: list[float] = field(default_factory=list)
    answers: list[bytes] = field(default_factory=list)
    finished: asyncio.Future[None] = field(default_factory=lambda: asyncio.get_running_loop().create_future())
    _buffer: bytes = b""
    _began: float = 0.0
    _transport: Any = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self._send()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.finished.done():
            self.finished.set_exception(exc or ConnectionResetError("the server closed the connection"))

    def _send(self) -> None:
        self._began = time.perf_counter()
        self._transport.write(self.requests[len(self.seconds)])

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, _, content = self._buffer.partition(b"\r\n\r\n")
        length = head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]
        if not length or len(content) < int(length):
            return
        self.seconds.append(time.perf_counter() - self._began)
        self.answers.append(content)
        self._buffer = b""
        if len(self.seconds) < len(self.requests):
            self._send()
        else:
            self.finished.set_result(None)
            self._transport.close()


def exchange(
    port: int, bodies: Sequence[bytes], *, connections: int, model: str = "delay", limit_seconds: float = 120
) -> Exchange:
    """Send every body to a model's inference route on the loopback address; AssertionError for a refusal."""
    head = (
        "POST /v2/models/{}/infer HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n"
    )
    requests = [head.format(model, len(content)).encode() + content for content in bodies]
    share = -(-len(requests) // connections)
    parts = [requests[start : start + share] for start in range(0, len(requests), share)]

    async def run() -> tuple[float, list[_Connection]]:
        loop = asyncio.get_running_loop()
        began = time.perf_counter()
        made = [await loop.create_connection(partial(_Connection, part), "127.0.0.1", port) for part in parts]
        connected = [connection for _, connection in made]
        await asyncio.wait_for(asyncio.gather(*(one.finished for one in connected)), timeout=limit_seconds)
        return time.perf_counter() - began, connected

    took, connected = asyncio.run(run())
    documents = [orjson.loads(content) for one in connected for content in one.answers]
    assert all("outputs" in document for document in documents), documents[0]
    times = sorted(value for one in connected for value in one.seconds)
    answers = [document["outputs"][0]["data"] for document in documents]
    return Exchange(seconds=took, times=times, answers=answers)


def quickest(work: Callable[[], object], times: int = 5) -> float:
    """Seconds of the quickest run: the one that the other programs of the machine disturbed least."""
    best = float("inf")
    for _ in range(times):
        began = time.perf_counter()
        work()
        best = min(best, time.perf_counter() - began)
    return best

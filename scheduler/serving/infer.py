"""`POST …/infer` as a bare ASGI application: the one route where microseconds count."""

from __future__ import annotations

import time
from collections.abc import Mapping
from functools import partial
from typing import Final

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from scheduler.errors import TooLargeError
from scheduler.serving import answers, inference
from scheduler.serving.execution import SMALL_BYTES, Lane
from scheduler.serving.faults import RequestRefusedError
from scheduler.serving.gathering import Gathering
from scheduler.serving.inference import Order, Scored
from scheduler.serving.metrics import Metrics
from scheduler.serving.repository import Repository
from scheduler.serving.wire import Answer

_HEADER_LENGTH: Final = b"inference-header-content-length"
_CONTENT_LENGTH: Final = b"content-length"


class ClientGoneError(Exception):
    """The client went away before its request was whole; there is nobody to answer."""


class Infer:
    """Reads the request within its limit, lets the model's lane answer it, counts."""

    def __init__(self, repository: Repository, *, lanes: Mapping[str, Lane], metrics: Metrics, most_bytes: int) -> None:
        self._repository = repository
        self._lanes = lanes
        self._gatherings = {name: Gathering(lane) for name, lane in lanes.items()}
        self._metrics = metrics
        self._most_bytes = most_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """For Starlette's router, which took model and version out of the path."""
        parameters = scope["path_params"]
        await self.answer(scope, receive, send, model=parameters["model"], version=parameters.get("version"))

    async def answer(self, scope: Scope, receive: Receive, send: Send, *, model: str, version: str | None) -> None:
        began = time.perf_counter()
        try:
            answer = await self._answer(scope, receive, model, version, began)
        except ClientGoneError:
            return
        if isinstance(answer, Response):
            await answer(scope, receive, send)
        else:
            await send({"type": "http.response.start", "status": 200, "headers": _headers(answer)})
            await send({"type": "http.response.body", "body": answer.body})

    async def _answer(
        self, scope: Scope, receive: Receive, model: str, version: str | None, began: float
    ) -> Answer | Response:
        known = ""
        try:
            config, runner = self._repository.loaded(model, version)
            known = config.name
            lengths = {name: value for name, value in scope["headers"] if name in {_HEADER_LENGTH, _CONTENT_LENGTH}}
            body = await self._body(receive, lengths.get(_CONTENT_LENGTH))
            header_length = _length(lengths.get(_HEADER_LENGTH), len(body))
            scored = await self._scored(Order(body=body, header_length=header_length, model=config, runner=runner))
        except ClientGoneError:
            raise
        except Exception as fault:  # noqa: BLE001 - every fault gets its answer
            return self._refusal(fault, known)
        self._metrics.answered(known, rows=scored.rows, seconds=time.perf_counter() - began)
        return scored.answer

    async def _scored(self, order: Order) -> Scored:
        name, size = order.model.name, len(order.body)
        if order.runner.rows_alone and size <= SMALL_BYTES:
            return await self._gatherings[name].answer(order)
        return await self._lanes[name].run(partial(inference.answer, order), size=size)

    def _refusal(self, fault: Exception, model: str) -> Response:
        response = answers.failure(fault)
        if model:
            bad_rows = len(fault.rows) if isinstance(fault, RequestRefusedError) else 0
            self._metrics.refused(model, code=response.status_code, bad_rows=bad_rows)
        return response

    async def _body(self, receive: Receive, announced: bytes | None) -> bytes:
        """The whole body; TooLargeError as soon as more is announced or has come than may come."""
        if announced is not None and int(announced) > self._most_bytes:
            raise TooLargeError(f"a request of {int(announced)} bytes; at most {self._most_bytes} are taken")
        parts: list[bytes] = []
        taken = 0
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise ClientGoneError
            parts.append(message.get("body", b""))
            taken += len(parts[-1])
            if taken > self._most_bytes:
                raise TooLargeError(f"a request of more than {self._most_bytes} bytes")
            if not message.get("more_body", False):
                return parts[0] if len(parts) == 1 else b"".join(parts)


def _length(header: bytes | None, size: int) -> int | None:
    if header is None:
        return None
    if not header.isdigit() or int(header) > size:
        shown = header.decode("latin-1")
        raise RequestRefusedError(f"Inference-Header-Content-Length is {shown!r}, the body has {size} bytes")
    return int(header)


def _headers(answer: Answer) -> list[tuple[bytes, bytes]]:
    length = (b"content-length", b"%d" % len(answer.body))
    if answer.header_length is None:
        return [length, (b"content-type", b"application/json")]
    header_length = (_HEADER_LENGTH, b"%d" % answer.header_length)
    return [length, (b"content-type", b"application/octet-stream"), header_length]

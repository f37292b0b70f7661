"""The Open Inference Protocol V2 over HTTP: routes and bodies; nothing is decided here.

Status codes: 400 for a request that must be corrected (with `rows` when only single rows are bad), 404 for an unknown
model or version, 413 for too much, 503 for a model that is not loaded or for which too many requests wait (try again).
Health and readiness answer 200 for yes and 400 for no, as the protocol says.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import orjson
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from scheduler import __version__
from scheduler.errors import SchedulerError, TooLargeError
from scheduler.model import tensors
from scheduler.model.tensors import Tensor
from scheduler.serving import answers
from scheduler.serving.config import ModelConfig
from scheduler.serving.execution import Lane
from scheduler.serving.faults import RequestRefusedError
from scheduler.serving.infer import Infer
from scheduler.serving.metrics import CONTENT_TYPE, Metrics
from scheduler.serving.repository import Entry, Repository, State

NAME: Final = "modelops-scoring-server"
EXTENSIONS: Final = ("binary_tensor_data", "model_repository", tensors.NULLS, tensors.ROWS)
_MOST_CONTROL_BYTES: Final = 65536
"""Largest body of a route other than infer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one server takes at a time."""

    request_bytes: int = 64 << 20
    waiting_requests: int = 64
    """Per model."""
    waiting_bytes: int = 256 << 20
    """Per model."""


class Application:
    """Starlette's application, and past its router and middleware a short way to inference on the models there are."""

    def __init__(self, inner: Starlette, *, infer: Infer, models: Iterable[ModelConfig]) -> None:
        self._inner = inner
        self._infer = infer
        self._models: dict[str, tuple[str, str | None]] = {}
        for model in models:
            self._models[f"/v2/models/{model.name}/infer"] = (model.name, None)
            self._models[f"/v2/models/{model.name}/versions/{model.version}/infer"] = (model.name, model.version)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] == "POST" and scope["path"] in self._models:
            name, version = self._models[scope["path"]]
            await self._infer.answer(scope, receive, send, model=name, version=version)
        else:
            await self._inner(scope, receive, send)


def build(repository: Repository, *, limits: Limits | None = None) -> Application:
    """The server's application; loading the models is the caller's affair, the application answers meanwhile."""
    limits = limits or Limits()
    metrics = Metrics()
    lanes = {
        entry.config.name: Lane(most_waiting=limits.waiting_requests, most_bytes=limits.waiting_bytes)
        for entry in repository.index()
    }
    infer = Infer(repository, lanes=lanes, metrics=metrics, most_bytes=limits.request_bytes)
    routes = _Routes(repository, metrics)
    model = "/v2/models/{model}"
    of_version = model + "/versions/{version}"
    inner = Starlette(
        routes=[
            # of models that there are not, and with methods that are not for it
            *(Route(f"{path}/infer", infer, methods=["POST"]) for path in (model, of_version)),
            Route("/v2/health/live", routes.live),
            Route("/v2/health/ready", routes.ready),
            Route("/v2", routes.server),
            *(Route(f"{path}/ready", routes.model_ready) for path in (model, of_version)),
            *(Route(path, routes.model) for path in (model, of_version)),
            Route("/v2/repository/index", routes.index, methods=["POST"]),
            Route("/v2/repository/models/{model}/load", routes.load, methods=["POST"]),
            Route("/v2/repository/models/{model}/unload", routes.unload, methods=["POST"]),
            Route("/metrics", routes.metrics),
        ],
        exception_handlers={HTTPException: _http_failure, SchedulerError: _failure, Exception: _failure},
    )
    return Application(inner, infer=infer, models=[entry.config for entry in repository.index()])


class _Routes:
    def __init__(self, repository: Repository, metrics: Metrics) -> None:
        self._repository = repository
        self._metrics = metrics

    async def live(self, _: Request) -> Response:
        return answers.plain({"live": True})

    async def ready(self, _: Request) -> Response:
        is_ready = self._repository.is_ready
        # the protocol's schema repeats the word "live" here; both words are given
        return answers.plain({"live": is_ready, "ready": is_ready}, 200 if is_ready else 400)

    async def server(self, _: Request) -> Response:
        return answers.plain({"name": NAME, "version": __version__, "extensions": EXTENSIONS})

    async def model_ready(self, request: Request) -> Response:
        entry = self._entry(request)
        is_ready = entry.state is State.READY
        return answers.plain({"name": entry.config.name, "ready": is_ready}, 200 if is_ready else 400)

    async def model(self, request: Request) -> Response:
        config, runner = self._repository.loaded(request.path_params["model"], request.path_params.get("version"))
        return answers.plain(
            {
                "name": config.name,
                "versions": [config.version],
                "platform": runner.platform,
                "inputs": _metadata(config.signature.inputs),
                "outputs": _metadata(config.signature.outputs),
            }
        )

    async def index(self, request: Request) -> Response:
        only_ready = (await _body(request)).get("ready", False) is True
        listed = [entry for entry in self._repository.index() if entry.state is State.READY or not only_ready]
        return answers.plain(
            [
                {
                    "name": entry.config.name,
                    "version": entry.config.version,
                    "state": entry.state.value,
                    "reason": entry.reason,
                }
                for entry in listed
            ]
        )

    async def load(self, request: Request) -> Response:
        name = request.path_params["model"]
        if (await _body(request)).get("parameters"):
            raise RequestRefusedError("'parameters' are not taken: a model's file and configuration belong to its job")
        await run_in_threadpool(self._repository.load, name)
        return answers.plain({})

    async def unload(self, request: Request) -> Response:
        await run_in_threadpool(self._repository.unload, request.path_params["model"])
        return answers.plain({})

    async def metrics(self, _: Request) -> Response:
        for entry in self._repository.index():
            self._metrics.ready(entry.config.name, is_ready=entry.state is State.READY)
        return Response(self._metrics.text(), headers={"Content-Type": CONTENT_TYPE})

    def _entry(self, request: Request) -> Entry:
        return self._repository.entry(request.path_params["model"], request.path_params.get("version"))


def _metadata(listed: Sequence[Tensor]) -> list[Mapping[str, object]]:
    """Tensors of one value a row; where values may be missing, the companion that says so follows."""
    described: list[Mapping[str, object]] = []
    for tensor in listed:
        described.append({"name": tensor.name, "datatype": tensor.datatype, "shape": [-1]})
        if tensor.nullable:
            described.append({"name": tensors.null_companion(tensor.name), "datatype": "BOOL", "shape": [-1]})
    return described


async def _body(request: Request) -> Mapping[str, Any]:
    """The JSON object of a control route; an empty body is an empty object."""
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > _MOST_CONTROL_BYTES:
            raise TooLargeError(f"a request of more than {_MOST_CONTROL_BYTES} bytes")
    try:
        document = orjson.loads(body) if body.strip() else {}
    except orjson.JSONDecodeError as error:
        raise RequestRefusedError(f"the request is not JSON: {error}") from error
    if not isinstance(document, dict):
        raise RequestRefusedError("the request must be a JSON object")
    return document


async def _failure(_: Request, fault: Exception) -> Response:
    return answers.failure(fault)


async def _http_failure(request: Request, fault: Exception) -> Response:
    """Starlette's own refusals: a path or a method that does not exist."""
    status = fault.status_code if isinstance(fault, HTTPException) else 500
    headers = fault.headers if isinstance(fault, HTTPException) else None
    what = (
        "no such path" if status == 404 else f"{request.method} is not for this path" if status == 405 else str(fault)
    )
    return answers.error(f"{what}: {request.url.path}", status, headers=headers)

"""One scoring server, from its options to its exit code."""

from __future__ import annotations

import argparse
import logging
import os
import signal
import socket
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Final

import uvicorn

from scheduler.errors import InvalidInputError
from scheduler.model.job import Reason
from scheduler.serving import app, config, termination
from scheduler.serving.faults import ModelRefusedError
from scheduler.serving.repository import Repository
from scheduler.serving.runners.port import Load, Runner
from scheduler.serving.signature import Signature

log = logging.getLogger("scheduler.serving")

EXIT_REFUSED: Final = 13
GRACE_SECONDS: Final = 25


class Server(uvicorn.Server):
    """A SIGTERM or SIGINT is an orderly end with code 0, not a death by signal."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        before = {number: signal.signal(number, self._stop) for number in (signal.SIGTERM, signal.SIGINT)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _stop(self, number: int, frame: FrameType | None) -> None:
        del frame
        log.info("%s: requests under way are answered first", signal.Signals(number).name)
        self.should_exit = True


def run(options: argparse.Namespace, *, listener: socket.socket) -> int:
    """Serve what arrives at `listener` until told to end; the exit code."""
    level = os.environ.get("MODELOPS_LOG_LEVEL", "info").upper()
    logging.basicConfig(level=level, format="%(asctime)s %(levelname)s %(name)s: %(message)s", stream=sys.stderr)
    try:
        configs = config.load(options.config, models=options.models, most_rows=options.most_rows)
        repository = Repository(configs, loaders=loaders(options.runner))
    except (InvalidInputError, ModelRefusedError) as error:
        return _refused(error, options.termination_log)
    limits = app.Limits() if options.most_bytes is None else app.Limits(request_bytes=options.most_bytes)
    server = Server(_server_config(repository, limits=limits))
    refusals: list[ModelRefusedError] = []
    loading = threading.Thread(target=_load, args=(repository, server, refusals), name="load", daemon=True)
    loading.start()
    server.run(sockets=[listener])
    return _refused(refusals[0], options.termination_log) if refusals else 0


def loaders(runner: str) -> Mapping[str, Load]:
    """Model type -> loader, of the kind of server that this is; imports the model libraries of that kind only."""
    if runner == "pmml":
        from scheduler.serving.runners import jvm, pmml  # noqa: PLC0415 - the python image has no JPype

        jvm.start()
        return {"pmml": pmml.load}
    return {"python-script": _load_script, "python-binary": _load_binary}


def _load_script(path: Path, *, signature: Signature) -> Runner:
    from scheduler.serving.runners import python_script  # noqa: PLC0415 - the pmml image needs none of it

    return python_script.load(path, signature=signature)


def _load_binary(path: Path, *, signature: Signature) -> Runner:
    from scheduler.serving.runners import python_binary  # noqa: PLC0415 - a second of scikit-learn, which scripts spare

    return python_binary.load(path, signature=signature)


def _load(repository: Repository, server: uvicorn.Server, refusals: list[ModelRefusedError]) -> None:
    try:
        for entry in repository.index():
            repository.load(entry.config.name)
    except ModelRefusedError as refusal:
        refusals.append(refusal)
    except Exception as error:
        log.exception("loading failed")
        refusals.append(ModelRefusedError(f"loading failed: {type(error).__name__}: {error}"))
    if refusals:
        server.should_exit = True


def _refused(error: InvalidInputError | ModelRefusedError, file: Path) -> int:
    reason = error.reason if isinstance(error, ModelRefusedError) else Reason.MODEL_CORRUPT
    log.error("%s: %s", reason.value, error)
    termination.write(reason=reason, message=str(error), file=file)
    return EXIT_REFUSED


def _server_config(repository: Repository, *, limits: app.Limits) -> uvicorn.Config:
    return uvicorn.Config(
        app.build(repository, limits=limits),
        log_config=None,
        access_log=False,
        server_header=False,
        lifespan="off",
        timeout_keep_alive=75,  # longer than the flow keeps an idle connection
        timeout_graceful_shutdown=GRACE_SECONDS,
    )

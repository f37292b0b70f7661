"""`python -m scheduler.serving --runner python|pmml`: one scoring server.

It answers at once, is ready when every model is loaded, and ends with code 13 and its reason as the termination message
when one cannot be. SIGTERM lets requests under way end.
"""

from __future__ import annotations

import argparse
import logging
import os
import signal
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
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


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until told to end; the exit code."""
    options = _options(arguments)
    level = os.environ.get("MODELOPS_LOG_LEVEL", "info").upper()
    logging.basicConfig(level=level, format="%(asctime)s %(levelname)s %(name)s: %(message)s", stream=sys.stderr)
    try:
        configs = config.load(options.config, models=options.models, most_rows=options.most_rows)
        repository = Repository(configs, loaders=loaders(options.runner))
    except (InvalidInputError, ModelRefusedError) as error:
        return _refused(error, options.termination_log)
    server = Server(_server_config(repository, options))
    refusals: list[ModelRefusedError] = []
    loading = threading.Thread(target=_load, args=(repository, server, refusals), name="load", daemon=True)
    loading.start()
    server.run()
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


def _server_config(repository: Repository, options: argparse.Namespace) -> uvicorn.Config:
    return uvicorn.Config(
        app.build(repository, limits=app.Limits(request_bytes=options.most_bytes)),
        host=options.host,
        port=options.port,
        log_config=None,
        access_log=False,
        server_header=False,
        lifespan="off",
        timeout_keep_alive=75,  # longer than the flow keeps an idle connection
        timeout_graceful_shutdown=GRACE_SECONDS,
    )


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m scheduler.serving", description="Serve models over HTTP.")
    parser.add_argument("--runner", choices=["python", "pmml"], required=True, help="which kinds of models")
    parser.add_argument("--config", type=Path, default=Path("/etc/modelops/serving/models.json"))
    parser.add_argument("--models", type=Path, default=Path("/models"), help="folder with files named by sha256")
    parser.add_argument("--host", default="0.0.0.0")
    parser.add_argument("--port", type=int, default=8080)
    parser.add_argument("--most-bytes", type=int, default=app.Limits().request_bytes, help="of one request")
    parser.add_argument("--most-rows", type=int, default=65536, help="in one request")
    parser.add_argument("--termination-log", type=Path, default=termination.FILE)
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())

"""Bento as a child process, and its streams API on the loopback address."""

from __future__ import annotations

import http.client
import json
import os
import subprocess
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Final

from scheduler.flow.failure import FlowFailedError
from scheduler.model import job_json
from scheduler.model.job import Ledger, Reason
from scheduler.preprocess import values_text

STREAM: Final = "flow"
START_SECONDS: Final = 30.0
TIMEOUT: Final = 30.0
_MEMORY_EVENTS: Final = (Path("/sys/fs/cgroup/memory.events"), Path("/sys/fs/cgroup/memory/memory.oom_control"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """The program, and the loopback port that it serves its API on."""

    program: str = "bento"
    port: int = 4195


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What the engine says of its stream."""

    is_active: bool = True
    is_closed: bool = False
    """Whether every line is in its file."""
    ledger: Ledger = field(default_factory=Ledger)
    """As the engine counts; `written` and `dead_lettered` are what it handed to its files."""
    failure: FlowFailedError | None = None
    first_dead_letter: str = ""
    waiting: str = ""
    """What the stream is waiting for."""
    digests: Mapping[str, str] = field(default_factory=dict)
    """`sink`, `deadLetters` -> `sha256:…` of the bytes that were written, once the files are closed."""
    counted: Mapping[str, int] = field(default_factory=dict)
    """`sink`, `deadLetters` -> records that came to it, of those that are checked and written nowhere."""


class Engine:
    """The child process; leaving the context ends it."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._is_loaded = False
        try:
            self._child = subprocess.Popen(
                [place.program, "streams", "--address", f"127.0.0.1:{place.port}", "--with-parent"],
                stdin=subprocess.PIPE,  # kept open: when this process dies, the child sees its end and ends too
                env=_environment(os.environ),
                cwd="/",
            )
        except OSError as error:
            raise FlowFailedError(Reason.FLOW_CRASHED, f"the engine cannot be started: {error}") from error

    def __enter__(self) -> Engine:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._child.terminate()
        try:
            self._child.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.wait(timeout=10)
        if self._child.stdin is not None:
            self._child.stdin.close()

    def load(self, configuration: Mapping[str, Any], *, pause: Callable[[float], None]) -> None:
        """Load and activate the stream. FlowFailedError(FlowRefused) with the engine's words when it will not."""
        self._await_start(pause)
        # not as JSON: the engine reads it as YAML, which knows no surrogate pairs
        status, answer = self._ask("POST", values_text.to_yaml(configuration).encode())
        if status == http.client.OK:
            self._is_loaded = True
            return
        faults = [f"line {item['line']}: {item['message']}" for item in answer.get("lint_errors", [])]
        words = "; ".join(faults) or str(answer.get("error", f"HTTP {status}"))
        raise FlowFailedError(Reason.FLOW_REFUSED, f"the engine refuses the compiled flow: {words}")

    def report(self) -> Report:
        status, answer = self._ask("GET")
        if status != http.client.OK:
            raise FlowFailedError(Reason.FLOW_CRASHED, f"the engine lost its stream: {answer.get('error', status)}")
        return _report(answer)

    def drain(self, size: int) -> int:
        """End the reading of an endless source at `size`, or where it has been read to already: says where.

        All that was read is then processed and written, and the stream ends by itself.
        """
        status, answer = self._ask("POST", json.dumps({"bytes": size}).encode(), path="/drain")
        if status != http.client.OK:
            raise FlowFailedError(Reason.FLOW_CRASHED, f"the engine does not drain: {answer.get('error', status)}")
        return int(answer["end"])

    def stop(self) -> None:
        """End the stream wherever it is; its files are then not complete."""
        if self._is_loaded:
            with suppress(FlowFailedError):
                self._ask("DELETE")

    def _await_start(self, pause: Callable[[float], None]) -> None:
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                connection = http.client.HTTPConnection("127.0.0.1", self._place.port, timeout=1)
                connection.request("GET", "/ping")
                connection.getresponse().read()
                connection.close()
                return
            except (OSError, http.client.HTTPException) as error:
                if self._child.poll() is not None or time.monotonic() > deadline:
                    raise self._crash(error) from error
            pause(0.02)

    def _ask(self, method: str, body: bytes | None = None, *, path: str = "") -> tuple[int, dict[str, Any]]:
        connection = http.client.HTTPConnection("127.0.0.1", self._place.port, timeout=TIMEOUT)
        try:
            connection.request(method, f"/streams/{STREAM}{path}", body=body)
            response = connection.getresponse()
            answer = json.loads(response.read())
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise self._crash(error) from error
        finally:
            connection.close()
        return response.status, answer if isinstance(answer, dict) else {}

    def _crash(self, error: Exception) -> FlowFailedError:
        with suppress(subprocess.TimeoutExpired):
            self._child.wait(timeout=1)
        code = self._child.poll()
        if code == -9 and _was_out_of_memory():
            return FlowFailedError(
                Reason.OUT_OF_MEMORY, "the engine was killed: the container's memory limit is reached"
            )
        what = f"does not answer: {error}" if code is None else f"ended with code {code}"
        return FlowFailedError(Reason.FLOW_CRASHED, f"the engine {what}")


def _environment(environ: Mapping[str, str]) -> Mapping[str, str]:
    """All that the engine gets: where the certificates are that its tracer trusts."""
    return {name: environ[name] for name in ("SSL_CERT_FILE",) if name in environ}


def _was_out_of_memory() -> bool:
    for path in _MEMORY_EVENTS:
        with suppress(OSError):
            for line in path.read_text().splitlines():
                key, _, value = line.partition(" ")
                if key == "oom_kill" and value.strip() != "0":
                    return True
    return False


def _report(answer: Mapping[str, Any]) -> Report:
    return Report(
        is_active=bool(answer.get("active")),
        is_closed=bool(answer.get("closed")),
        ledger=job_json.ledger_from_json(answer.get("ledger")) or Ledger(),
        failure=_failure(answer),
        first_dead_letter=_where(answer.get("firstDeadLetter")),
        waiting=str(answer.get("waiting") or ""),
        digests=answer.get("digests") or {},
        counted=answer.get("counted") or {},
    )


def _failure(answer: Mapping[str, Any]) -> FlowFailedError | None:
    found = answer.get("failure")
    if not isinstance(found, Mapping):
        return FlowFailedError(Reason.FLOW_CRASHED, str(answer["error"])) if answer.get("error") else None
    return FlowFailedError(Reason(found.get("reason", Reason.FLOW_CRASHED.value)), _where(found))


def _where(found: object) -> str:
    """`step 'score.late', record 12 (line 13): …`; only the message where no record is named."""
    if not isinstance(found, Mapping):
        return ""
    message = str(found.get("message", ""))
    if not found.get("position"):
        return message
    return f"step '{found.get('step')}', record {found['position']} (line {found.get('line')}): {message}"

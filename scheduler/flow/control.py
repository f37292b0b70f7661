"""The control port: what the flow is doing, and the wishes that it should end."""

from __future__ import annotations

import json
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from enum import StrEnum
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Final

from scheduler.model import job_json
from scheduler.model.job import Ledger, Progress

PORT: Final = 4196
WINDOW_SECONDS: Final = 5.0
"""Records a second are those of so many seconds."""


class Wish(StrEnum):
    """Why the flow should end before its source does."""

    DRAIN = "drain"
    COMPLETE = "complete"
    TERMINATE = "terminate"
    """The pod is being stopped (SIGTERM)."""


class Board:
    """Progress, written by the runner and read by the port; wishes, the other way round. Safe to share."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._progress = Progress(phase="starting")
        self._seen: deque[tuple[float, int]] = deque()
        self._wish: Wish | None = None
        self._asked = threading.Event()
        self._terminated = threading.Event()

    @property
    def wish(self) -> Wish | None:
        """The first wish that came; the pod's own end before any other."""
        return Wish.TERMINATE if self._terminated.is_set() else self._wish

    def ask(self, wish: Wish) -> None:
        # called by signal handlers too, which may interrupt whoever holds the lock: so it takes none
        if wish is Wish.TERMINATE:
            self._terminated.set()
        self._wish = self._wish or wish
        self._asked.set()

    def pause(self, seconds: float, *, is_ending: bool = False) -> None:
        """Wait so long, or until somebody wishes an end; while one is being fulfilled, until the pod's own comes."""
        (self._terminated if is_ending else self._asked).wait(seconds)

    def progress(self) -> Progress:
        with self._lock:
            return self._progress

    def set_phase(self, phase: str, *, total: int | None = None) -> None:
        with self._lock:
            total = self._progress.total if total is None else total
            self._progress = replace(self._progress, phase=phase, total=total, updated=_now())

    def say(self, message: str) -> None:
        with self._lock:
            self._progress = replace(self._progress, message=message, updated=_now())

    def count(self, ledger: Ledger) -> None:
        done = ledger.written + ledger.dead_lettered + ledger.dropped + ledger.filtered
        now = time.monotonic()
        with self._lock:
            self._seen.append((now, done))
            while now - self._seen[0][0] > WINDOW_SECONDS:
                self._seen.popleft()
            since, before = self._seen[0]
            rate = (done - before) / (now - since) if now > since else 0.0
            self._progress = replace(self._progress, ledger=ledger, records_per_second=rate, updated=_now())


class Server:
    """Serves GET /healthz and /progress, POST /drain and /complete, while its context is open."""

    def __init__(self, board: Board, *, port: int = PORT) -> None:
        self._server = ThreadingHTTPServer(("", port), _handler(board))
        self._server.daemon_threads = True
        self._thread = threading.Thread(
            target=self._server.serve_forever,
            kwargs={"poll_interval": 0.05},  # how long the end of a flow waits for this thread
            name="control",
            daemon=True,
        )

    def __enter__(self) -> Server:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()


def _handler(board: Board) -> type[BaseHTTPRequestHandler]:
    def drain() -> Mapping[str, Any]:
        board.ask(Wish.DRAIN)
        return {"wish": board.wish}

    def complete() -> Mapping[str, Any]:
        board.ask(Wish.COMPLETE)
        return {"wish": board.wish}

    routes: dict[tuple[str, str], Callable[[], Mapping[str, Any]]] = {
        ("GET", "/healthz"): lambda: {"status": "ok"},
        ("GET", "/progress"): lambda: job_json.progress_to_json(board.progress()),
        ("POST", "/drain"): drain,
        ("POST", "/complete"): complete,
    }

    class Handler(BaseHTTPRequestHandler):
        timeout = 10

        def do_GET(self) -> None:
            self._answer()

        def do_POST(self) -> None:
            self._answer()

        def _answer(self) -> None:
            route = routes.get((self.command, self.path))
            status = HTTPStatus.NOT_FOUND if route is None else HTTPStatus.OK
            body = json.dumps({"error": "no such route"} if route is None else route()).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the base's signature)
            """Probes and progress are no news."""

    return Handler


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")

"""Runs an application on uvicorn in a pod: one process, JSON lines as its log, a graceful end on SIGTERM."""

from __future__ import annotations

import gc
import json
import logging
import sys
from datetime import UTC, datetime
from typing import Final

import uvicorn
from fastapi import FastAPI

from scheduler.web import audit

PORT: Final = 8080
DRAIN_SECONDS: Final = 20


class JsonLines(logging.Formatter):
    """One JSON object a line: time, level, logger, message, a change's audit, and where an error was raised."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if hasattr(record, "audit"):
            line["audit"] = record.audit
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str)  # in ASCII: half a surrogate pair cannot be written otherwise


def is_worth_a_line(record: logging.LogRecord) -> bool:
    """Not what the kubelet asks every second or two, as long as the answer is good."""
    # uvicorn's arguments: client, method, path, HTTP version, status
    match record.args:
        case (_, "GET", "/healthz" | "/readyz", _, int(status)):
            return status >= 400
        case _:
            return True


def configure_logging(level: str) -> None:
    """Send everything to standard output as JSON lines. `level`: debug | info | warning | error."""
    output = logging.StreamHandler(sys.stdout)
    output.setFormatter(JsonLines())
    root = logging.getLogger()
    root.handlers = [output]
    root.setLevel(level.upper())
    logging.getLogger(audit.LOGGER).setLevel(logging.INFO)  # whatever the level of the others is
    logging.getLogger("uvicorn.access").addFilter(is_worth_a_line)
    # its lines would hold nothing that the request's own line does not
    logging.getLogger("httpx").setLevel(logging.WARNING)


def calm_collector() -> None:
    """Look for cyclic garbage seldom, and never again in what is there by now.

    A look through ten thousand jobs takes a third of a second, in which no request is answered; by default their coming
    brings about a dozen of them. Garbage of some ten thousand objects may stay for a while, a few MiB.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)


def run(app: FastAPI, *, host: str = "0.0.0.0", port: int = PORT, log_level: str = "info") -> None:
    """Serve until SIGTERM; requests at work then have 20 seconds. Headers, and so tokens, are never logged."""
    configure_logging(log_level)
    calm_collector()
    uvicorn.run(
        app,
        host=host,
        port=port,
        log_config=None,
        log_level=log_level,
        timeout_graceful_shutdown=DRAIN_SECONDS,
        timeout_keep_alive=30,
        server_header=False,
    )

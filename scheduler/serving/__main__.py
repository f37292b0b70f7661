"""`python -m scheduler.serving --runner python|pmml`: one scoring server.

It takes connections before it imports what answers them: whoever asks in between, such as the kubelet with its one
probe a second, is kept waiting for a moment in place of being sent away. It is ready when every model is loaded, and
ends with code 13 and its reason as the termination message when one cannot be. SIGTERM lets requests under way end.
"""

from __future__ import annotations

import argparse
import socket
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from scheduler.serving import termination

_BACKLOG: Final = 2048


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until told to end; the exit code."""
    options = _options(arguments)
    with socket.create_server((options.host, options.port), backlog=_BACKLOG) as listener:
        from scheduler.serving import program  # noqa: PLC0415 - most of a start is spent here

        return program.run(options, listener=listener)


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m scheduler.serving", description="Serve models over HTTP.")
    parser.add_argument("--runner", choices=["python", "pmml"], required=True, help="which kinds of models")
    parser.add_argument("--config", type=Path, default=Path("/etc/modelops/serving/models.json"))
    parser.add_argument("--models", type=Path, default=Path("/models"), help="folder with files named by sha256")
    parser.add_argument("--host", default="0.0.0.0")
    parser.add_argument("--port", type=int, default=8080)
    parser.add_argument("--most-bytes", type=int, help="of one request")
    parser.add_argument("--most-rows", type=int, default=65536, help="in one request")
    parser.add_argument("--termination-log", type=Path, default=termination.FILE)
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())

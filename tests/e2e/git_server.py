"""A git server for tests: `git http-backend` behind a small HTTP server, and a repository that is committed to."""

from __future__ import annotations

import os
import subprocess
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Final

_LIMIT_SECONDS: Final = 30
_AUTHOR: Final = {
    "GIT_AUTHOR_NAME": "Anna",
    "GIT_AUTHOR_EMAIL": "anna@example.org",
    "GIT_COMMITTER_NAME": "Anna",
    "GIT_COMMITTER_EMAIL": "anna@example.org",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Repository:
    folder: Path

    def git(self, *arguments: str) -> str:
        environ = {**os.environ, **_AUTHOR, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
        done = subprocess.run(
            ["git", *arguments], cwd=self.folder, env=environ, check=True, capture_output=True, timeout=_LIMIT_SECONDS
        )
        return done.stdout.decode().strip()

    def commit(self, files: Mapping[str, str]) -> str:
        """Write the files and commit them on `main`; the commit's id."""
        for name, text in files.items():
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        self.git("add", ".")
        self.git("commit", "--quiet", "-m", ", ".join(files))
        return self.git("rev-parse", "HEAD")


def repository(root: Path, path: str) -> Repository:
    """A new repository below `root`, which the server shows as `path`."""
    folder = root / path
    folder.mkdir(parents=True)
    made = Repository(folder=folder)
    made.git("init", "--quiet", "--initial-branch=main", ".")
    return made


@contextmanager
def served(root: Path, address: str) -> Iterator[str]:
    """The URL at which the repositories below `root` can be fetched while the context is open."""
    server = ThreadingHTTPServer((address, 0), _handler(root))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True)
    thread.start()
    try:
        yield f"http://{address}:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join(timeout=10)


def _handler(root: Path) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        timeout = 20

        def do_GET(self) -> None:
            self._run(b"")

        def do_POST(self) -> None:
            self._run(self.rfile.read(int(self.headers.get("Content-Length", "0"))))

        def _run(self, body: bytes) -> None:
            """As a CGI program (RFC 3875): its header lines, an empty one, its body."""
            path, _, query = self.path.partition("?")
            environ = {
                "PATH": os.environ["PATH"],
                "GIT_PROJECT_ROOT": str(root),
                "GIT_HTTP_EXPORT_ALL": "1",
                "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
                "REQUEST_METHOD": self.command,
                "PATH_INFO": path,
                "QUERY_STRING": query,
                "CONTENT_TYPE": self.headers.get("Content-Type", ""),
                "CONTENT_LENGTH": str(len(body)),
                "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
            }
            done = subprocess.run(
                ["git", "http-backend"], input=body, env=environ, capture_output=True, timeout=20, check=False
            )
            head, _, content = done.stdout.partition(b"\r\n\r\n")
            headers = dict(line.split(": ", 1) for line in head.decode().splitlines())
            self.send_response(int(headers.pop("Status", "200").split()[0]))
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the base's signature)
            """Of no interest."""

    return Handler

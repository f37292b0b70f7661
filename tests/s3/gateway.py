"""A real S3 server for tests: versitygw over a folder, built from its pinned Go module on first use."""

from __future__ import annotations

import os
import secrets
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from scheduler.devcluster import go, toolchain
from scheduler.devcluster.home import Home

MODULE: Final = Path(__file__).parent / "versitygw"
PROGRAM: Final = toolchain.Program(
    name="versitygw",
    module=str(MODULE),
    package="github.com/versity/versitygw/cmd/versitygw",
    pinned="github.com/versity/versitygw",
)
BUCKET: Final = "models"
REGION: Final = "eu-test-1"
_START_SECONDS: Final = 20


@dataclass(frozen=True, kw_only=True)
class Gateway:
    endpoint: str
    folder: Path
    """Where it keeps its buckets, an object a file."""
    access_key: str = field(default_factory=lambda: secrets.token_hex(10))
    secret_key: str

    @property
    def environment(self) -> dict[str, str]:
        """The credentials, as a client takes them from its environment."""
        return {"AWS_ACCESS_KEY_ID": self.access_key, "AWS_SECRET_ACCESS_KEY": self.secret_key}


def program() -> Path:
    """The server's program; built when it is not there, which takes a minute or two."""
    # a folder of its own: an `up` at work in the cluster's is not disturbed
    home = Home(root=Home.from_environ(os.environ).root / "tests")
    home.root.mkdir(parents=True, exist_ok=True)
    toolchain.build([PROGRAM], home, go.find(home, print), print)
    return home.bin / PROGRAM.name


@contextmanager
def running(folder: Path, *, host: str = "127.0.0.1", secret_key: str = "") -> Iterator[Gateway]:
    """Serves one bucket on a free port of `host`, until the end of the `with`; to whom has the secret key."""
    (folder / BUCKET).mkdir(parents=True)
    with socket.create_server((host, 0)) as free:
        port = free.getsockname()[1]
    made = Gateway(endpoint=f"http://{host}:{port}", folder=folder, secret_key=secret_key or secrets.token_hex(20))
    command: list[str | Path] = [program(), "--port", f"{host}:{port}", "--region", REGION, "--quiet", "posix", folder]
    secrets_ = {"ROOT_ACCESS_KEY_ID": made.access_key, "ROOT_SECRET_ACCESS_KEY": made.secret_key}
    log = folder.with_name(f"{folder.name}.log")
    with log.open("wb") as output:
        process = subprocess.Popen(command, env={**os.environ, **secrets_}, stdout=output, stderr=output)
    try:
        _wait(process, host, port, log)
        yield made
    finally:
        process.terminate()
        process.wait(10)


def _wait(process: subprocess.Popen[bytes], host: str, port: int, log: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while True:
        try:
            socket.create_connection((host, port), timeout=1).close()
        except OSError:
            assert process.poll() is None, f"versitygw ended: {log.read_text()}"
            assert time.monotonic() < deadline, f"versitygw does not answer: {log.read_text()}"
            time.sleep(0.05)
        else:
            return

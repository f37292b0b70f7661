"""A registry of one's own for a test: Debian's docker-registry, which `make up` unpacks, on a free port."""

from __future__ import annotations

import base64
import json
import os
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from scheduler.devcluster import packages
from scheduler.devcluster.home import Home

_SECONDS = 20
USER, PASSWORD = "builder", "canary"
HTPASSWD = "builder:$2b$04$.UzGvkYM0S5EY6QOfhpuDufkXSts3gvI7CKer2OgP7DY6iAcQvfNy\n"
"""What lets that user in."""


@contextmanager
def running(folder: Path, *, htpasswd: str = "", address: str = "127.0.0.1", disk: str = "") -> Iterator[str]:
    """Its `host:port`, while it runs; with `htpasswd` it asks for a login of that file.

    With `disk` it keeps images on a disk of its own of that size, such as `64k`; that takes root.
    """
    program = packages.registry(Home.from_environ(os.environ))
    if program is None:
        pytest.fail("these tests need docker-registry: run `make up`")
    with socket.socket() as free:
        free.bind((address, 0))
        host = f"{address}:{free.getsockname()[1]}"
    environ = {
        "PATH": os.environ["PATH"],
        "REGISTRY_HTTP_ADDR": host,
        "REGISTRY_STORAGE_FILESYSTEM_ROOTDIRECTORY": str(folder / "data"),
        "REGISTRY_LOG_LEVEL": "error",
        "OTEL_TRACES_EXPORTER": "none",
    }
    if htpasswd:
        (folder / "htpasswd").write_text(htpasswd)
        environ |= {
            "REGISTRY_AUTH": "htpasswd",
            "REGISTRY_AUTH_HTPASSWD_REALM": "tests",
            "REGISTRY_AUTH_HTPASSWD_PATH": str(folder / "htpasswd"),
        }
    (folder / "config.yml").write_text("version: 0.1\nstorage: {filesystem: {}}\nhttp: {}\n")
    (folder / "data").mkdir()
    words = [*_on_disk(disk, folder / "data"), str(program), "serve", str(folder / "config.yml")]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(words, env=environ, stdout=log, stderr=log)
    try:
        _await(host, process, folder)
        yield host
    finally:
        process.terminate()
        process.wait(timeout=10)


def _on_disk(size: str, folder: Path) -> list[str]:
    """What to begin a command with; only that command sees the disk, which goes with it."""
    mount = 'mount -t tmpfs -o "size=$1" disk "$2" && shift 2 && exec "$@"'
    return ["unshare", "--mount", "sh", "-c", mount, "sh", size, str(folder)] if size else []


def _await(host: str, process: subprocess.Popen[bytes], folder: Path) -> None:
    deadline = time.monotonic() + _SECONDS
    while time.monotonic() < deadline:
        try:
            httpx.get(f"http://{host}/v2/", trust_env=False)
        except httpx.HTTPError:
            if process.poll() is not None:
                break
            time.sleep(0.05)
        else:
            return
    pytest.fail(f"the registry does not answer: {(folder / 'log').read_text()[-2000:]}")


def docker_configuration(folder: Path, host: str, *, password: str = PASSWORD) -> Path:
    """A file with the login of that registry."""
    auth = base64.b64encode(f"{USER}:{password}".encode()).decode()
    file = folder / "config.json"
    file.write_text(json.dumps({"auths": {host: {"auth": auth}}}))
    return file

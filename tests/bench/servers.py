"""Scoring servers as processes of this machine: ours, and MLServer as its peer."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import httpx

from scheduler.devcluster.home import Home

MLSERVER: Final = "1.7.1"
_PEER_PACKAGES: Final = (f"mlserver=={MLSERVER}", f"mlserver-sklearn=={MLSERVER}", "scikit-learn==1.7.2")
_INSTALL_SECONDS: Final = 600


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


@contextmanager
def cores_apart() -> Iterator[None]:
    """While it is open, programs that are started have one core, and this process has the others."""
    allowed = os.sched_getaffinity(0)
    first, rest = {min(allowed)}, allowed - {min(allowed)}
    _HELD.append(first)
    os.sched_setaffinity(0, rest or first)
    try:
        yield
    finally:
        _HELD.pop()
        os.sched_setaffinity(0, allowed)


_HELD: Final[list[set[int]]] = []
"""The cores that programs are started on, as long as they are held apart."""


@contextmanager
def modelops(
    folder: Path, *, file: Path, type_: str, inputs: Sequence[Mapping[str, Any]], outputs: Sequence[Mapping[str, Any]]
) -> Iterator[int]:
    """Our server with the model `delay`; its port."""
    model = {
        "name": "delay",
        "type": type_,
        "sha256": hashlib.sha256(file.read_bytes()).hexdigest(),
        "path": str(file),
        "inputs": list(inputs),
        "outputs": list(outputs),
    }
    config = folder / f"{type_}.json"
    config.write_text(json.dumps({"models": [model]}))
    port = free_port()
    command = [sys.executable, "-m", "scheduler.serving", f"--runner={'pmml' if type_ == 'pmml' else 'python'}"]
    command += [f"--config={config}", "--host=127.0.0.1", f"--port={port}"]
    with _started(command, port=port, environ={"MODELOPS_LOG_LEVEL": "warning"}):
        yield port


@contextmanager
def mlserver(folder: Path, *, implementation: str, uri: str = "", code: str = "") -> Iterator[int]:
    """MLServer with the model `delay` in its own process, without worker processes: the quickest way on one core."""
    folder.mkdir()
    port = free_port()
    settings = {"host": "127.0.0.1", "http_port": port, "grpc_port": free_port(), "metrics_port": free_port()}
    (folder / "settings.json").write_text(json.dumps({**settings, "parallel_workers": 0, "debug": False}))
    model: dict[str, Any] = {"name": "delay", "implementation": implementation}
    if uri:
        model["parameters"] = {"uri": uri}
    (folder / "model-settings.json").write_text(json.dumps(model))
    if code:
        (folder / f"{implementation.partition('.')[0]}.py").write_text(code)
    program = _peer_environment() / "bin" / "mlserver"
    with _started([str(program), "start", str(folder)], port=port, environ={"PYTHONPATH": str(folder)}, is_quiet=True):
        yield port


@contextmanager
def _started(
    command: Sequence[str], *, port: int, environ: Mapping[str, str], is_quiet: bool = False
) -> Iterator[None]:
    own = os.sched_getaffinity(0)
    if _HELD:
        os.sched_setaffinity(0, _HELD[-1])  # the child inherits it
    try:
        process = subprocess.Popen(
            command,
            env={**os.environ, **environ},
            stdout=subprocess.DEVNULL if is_quiet else None,
            stderr=subprocess.DEVNULL if is_quiet else None,
        )
    finally:
        os.sched_setaffinity(0, own)
    try:
        _await_ready(port, process)
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _await_ready(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 90
    with httpx.Client(trust_env=False) as client:
        while time.monotonic() < deadline:
            assert process.poll() is None, f"the server ended with {process.returncode}"
            try:
                if client.get(f"http://127.0.0.1:{port}/v2/models/delay/ready").status_code == 200:
                    return
            except httpx.TransportError:
                pass
            time.sleep(0.1)
    raise TimeoutError(f"no server is ready on port {port}")


def _peer_environment() -> Path:
    """MLServer's own Python environment, made once: it runs on Python 3.12 at most."""
    folder = Home.from_environ(os.environ).root / "peers" / f"mlserver-{MLSERVER}"
    ready = folder / "ready"
    if not ready.exists():
        shutil.rmtree(folder, ignore_errors=True)
        folder.parent.mkdir(parents=True, exist_ok=True)
        subprocess.run([_python_312(), "-m", "venv", str(folder)], check=True, timeout=_INSTALL_SECONDS)
        install = [str(folder / "bin" / "pip"), "install", "--quiet", "--disable-pip-version-check", *_PEER_PACKAGES]
        subprocess.run(install, check=True, timeout=_INSTALL_SECONDS)
        ready.touch()
    return folder


def _python_312() -> str:
    """A Python 3.12 of this machine: named in MODELOPS_PYTHON312, on PATH, or one of pyenv's."""
    named = os.environ.get("MODELOPS_PYTHON312", "")
    pyenv = sorted(Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")).glob("versions/3.12*/bin/python3.12"))
    for candidate in (named, shutil.which("python3.12") or "", *map(str, pyenv)):
        asked = [candidate, "-c", "import ensurepip, sys; sys.exit(sys.version_info[:2] != (3, 12))"]
        if candidate and subprocess.run(asked, capture_output=True, check=False).returncode == 0:
            return candidate
    raise FileNotFoundError("MLServer needs Python 3.12: name one in MODELOPS_PYTHON312")

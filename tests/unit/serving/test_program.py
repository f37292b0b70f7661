"""The server as a process: ready when loaded, its end by SIGTERM, and its last words."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from scheduler.serving import __main__ as program
from tests.unit.serving import serve
from tests.unit.serving.documents import TREE

SCRIPT = """
import time
from collections.abc import Iterable
import numpy as np

def score(x: np.ndarray, names: Iterable[str]) -> tuple[np.ndarray, Iterable[str]]:
    time.sleep(float(x[0, 0]))
    return x[:, :1], ["total"]
"""


def configured(folder: Path, *, content: bytes, sha256: str = "") -> list[str]:
    """Arguments of a server with one script."""
    digest = hashlib.sha256(content).hexdigest()
    (folder / (sha256 or digest)).write_bytes(content)
    tensor = {"name": "total", "datatype": "FP64"}
    model = {
        "name": "delay",
        "type": "python-script",
        "sha256": sha256 or digest,
        "inputs": [tensor],
        "outputs": [tensor],
    }
    (folder / "models.json").write_text(json.dumps({"models": [model]}))
    return ["--runner=python", f"--config={folder / 'models.json'}", f"--models={folder}", "--host=127.0.0.1"]


@contextmanager
def running(arguments: list[str]) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "scheduler.serving", *arguments, f"--port={port}"]
    with subprocess.Popen(command, env={**os.environ, "MODELOPS_LOG_LEVEL": "warning"}) as process:
        try:
            yield process, f"http://127.0.0.1:{port}"
        finally:
            process.kill()


def wait_until_ready(url: str, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            if httpx.get(f"{url}/v2/health/ready").status_code == 200:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.1)
    raise TimeoutError(url)


def test_sigterm_lets_the_request_under_way_end(tmp_path: Path) -> None:
    with running(configured(tmp_path, content=SCRIPT.encode())) as (process, url):
        wait_until_ready(url)
        body = {"inputs": [serve.tensor("total", [1.0])]}
        with httpx.Client() as client, client.stream("GET", f"{url}/v2/health/live"):
            pass
        asked = subprocess.Popen(
            [
                sys.executable,
                "-c",
                f"import httpx; print(httpx.post({url!r} + '/v2/models/delay/infer', json={body!r}).text)",
            ],
            stdout=subprocess.PIPE,
        )
        _wait_for_connection(url, process.pid)
        process.send_signal(signal.SIGTERM)
        answer, _ = asked.communicate(timeout=30)

        assert process.wait(timeout=30) == 0
        assert json.loads(answer)["outputs"][0]["data"] == [1.0]


def test_connections_are_taken_before_anything_that_takes_long_is_imported(tmp_path: Path) -> None:
    """A kubelet asks once a second: being sent away costs a second, whenever it is that the server can answer."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    code = f"""
import socket, sys
class Asks:
    def find_spec(self, name, path=None, target=None):
        if name in {{"uvicorn", "numpy", "scheduler.model.job"}}:
            socket.create_connection(("127.0.0.1", {port}), timeout=10).close()
            sys.exit(f"taken before {{name}}")
sys.meta_path.insert(0, Asks())
from scheduler.serving.__main__ import main
main({[*configured(tmp_path, content=SCRIPT.encode()), f"--port={port}"]!r})
"""

    done = subprocess.run([sys.executable, "-c", code], stderr=subprocess.PIPE, text=True, timeout=60, check=False)

    assert done.stderr.splitlines()[-1].startswith("taken before ")


def _wait_for_connection(url: str, pid: int, seconds: float = 30) -> None:
    """Until a client is connected to the server (from Linux' own table) and its request had time to arrive."""
    port = f":{int(url.rpartition(':')[2]):04X}"
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        lines = [line.split() for line in Path(f"/proc/{pid}/net/tcp").read_text().splitlines()[1:]]
        if any(line[1].endswith(port) and line[3] == "01" for line in lines):
            time.sleep(0.3)
            return
        time.sleep(0.02)
    raise TimeoutError(url)


REFUSALS = [
    (b"x = 1\n", "", "ModelCorrupt", "exactly one function"),
    (SCRIPT.encode(), "ab" * 32, "ModelDigestMismatch", "the pipeline says abab"),
]


@pytest.mark.parametrize(("content", "sha256", "reason", "message"), REFUSALS, ids=["corrupt", "other digest"])
def test_a_server_whose_model_is_refused_ends_with_13_and_says_why(
    tmp_path: Path, *, content: bytes, sha256: str, reason: str, message: str
) -> None:
    words = tmp_path / "termination-log"
    words.touch()
    arguments = configured(tmp_path, content=content, sha256=sha256)

    code = program.main([*arguments, "--port=0", f"--termination-log={words}"])

    assert code == 13
    said = json.loads(words.read_text())
    assert said["reason"] == reason
    assert message in said["message"]


def test_a_server_without_a_configuration_ends_with_13(tmp_path: Path) -> None:
    assert program.main(["--runner=python", f"--config={tmp_path / 'absent'}", f"--models={tmp_path}"]) == 13


@pytest.mark.java
def test_a_server_with_a_jvm_ends_on_sigterm(tmp_path: Path) -> None:
    """A JVM that a passing thread had started would wait for that thread for ever."""
    content = TREE.encode()
    sha256 = hashlib.sha256(content).hexdigest()
    (tmp_path / sha256).write_bytes(content)
    inputs = [("dep_delay", "FP64"), ("carrier", "BYTES"), ("weekend", "BOOL")]
    model = {
        "name": "delay",
        "type": "pmml",
        "sha256": sha256,
        "inputs": [{"name": name, "datatype": datatype} for name, datatype in inputs],
        "outputs": [{"name": "minutes", "datatype": "FP64"}],
    }
    (tmp_path / "models.json").write_text(json.dumps({"models": [model]}))
    rows: dict[str, list[Any]] = {"dep_delay": [3.0, 7.0], "carrier": ["UA", "B6"], "weekend": [False, False]}
    body = {"inputs": [serve.tensor(name, rows[name], datatype) for name, datatype in inputs]}
    arguments = [f"--config={tmp_path / 'models.json'}", f"--models={tmp_path}", "--host=127.0.0.1"]

    with running(["--runner=pmml", *arguments]) as (process, url):
        wait_until_ready(url)
        answer = httpx.post(f"{url}/v2/models/delay/infer", json=body)
        process.send_signal(signal.SIGTERM)

        assert answer.json()["outputs"][0]["data"] == [10.0, 30.0]
        assert process.wait(timeout=30) == 0

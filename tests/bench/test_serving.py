"""Scoring servers: single rows a second over a loopback connection, and rows a second against bare loops.

The load is bounded (a few seconds on 127.0.0.1) and every answer is checked. What is asserted holds on a busy machine;
the figures are printed (`pytest -s tests/bench/test_serving.py`).
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import joblib
import numpy as np
import orjson
import pytest

FEATURES = tuple(f"f{place}" for place in range(12))
BATCH = 256
ECHO = """
from collections.abc import Iterable
import numpy as np

def score(x: np.ndarray, names: Iterable[str]) -> tuple[np.ndarray, Iterable[str]]:
    return x * 2, ["probability"]
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trained:
    model: Any
    rows: Any
    expected: Any
    folder: Path


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """100 trees of depth 3 on 12 columns, as joblib and as PMML."""
    from sklearn.ensemble import GradientBoostingClassifier
    from sklearn.pipeline import Pipeline

    random = np.random.default_rng(3)
    rows = random.normal(size=(6000, 12)).astype(np.float32).astype(np.float64)
    late = (rows[:, 1] + rows[:, 2] * rows[:, 3] > 0.5).astype(int)
    model = GradientBoostingClassifier(n_estimators=100, max_depth=3, random_state=1).fit(rows[:2000], late[:2000])
    folder = tmp_path_factory.mktemp("models")
    joblib.dump(model, folder / "model.joblib")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # nyoka leaves its file to the collector
        from nyoka import skl_to_pmml

        skl_to_pmml(Pipeline([("model", model)]), list(FEATURES), "late", str(folder / "model.pmml"))
        import gc

        gc.collect()
    (folder / "echo.py").write_text(ECHO)
    return Trained(model=model, rows=rows, expected=model.predict_proba(rows)[:, 1], folder=folder)


@contextmanager
def served(folder: Path, file: str, type_: str, features: Sequence[str] = FEATURES) -> Iterator[int]:
    """A server process with one model; its port."""
    sha256 = hashlib.sha256((folder / file).read_bytes()).hexdigest()
    model = {
        "name": "delay",
        "type": type_,
        "sha256": sha256,
        "path": str(folder / file),
        "inputs": [{"name": name, "datatype": "FP64"} for name in features],
        "outputs": [{"name": "probability", "datatype": "FP64"}],
    }
    config = folder / f"{type_}.json"
    config.write_text(json.dumps({"models": [model]}))
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    command = [sys.executable, "-m", "scheduler.serving", f"--runner={'pmml' if type_ == 'pmml' else 'python'}"]
    environ = {**os.environ, "MODELOPS_LOG_LEVEL": "warning"}
    with subprocess.Popen(
        [*command, f"--config={config}", "--host=127.0.0.1", f"--port={port}"], env=environ
    ) as process:
        try:
            _wait_until_ready(port)
            yield port
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(timeout=30)


def _wait_until_ready(port: int) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            if httpx.get(f"http://127.0.0.1:{port}/v2/health/ready").status_code == 200:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.1)
    raise TimeoutError


def body(rows: Any, features: Sequence[str] = FEATURES) -> bytes:
    count = len(rows)
    return orjson.dumps(
        {
            "inputs": [
                {"name": name, "shape": [count], "datatype": "FP64", "data": np.ascontiguousarray(rows[:, place])}
                for place, name in enumerate(features)
            ]
        },
        option=orjson.OPT_SERIALIZE_NUMPY,
    )


@dataclass(slots=True)
class Client(asyncio.Protocol):
    """Sends the next request when an answer is whole; as little of its own as there can be, to measure the server."""

    requests: list[bytes]
    seconds: list[float] = field(default_factory=list)
    answers: list[Any] = field(default_factory=list)
    finished: asyncio.Future[None] = field(default_factory=lambda: asyncio.get_running_loop().create_future())
    _buffer: bytes = b""
    _began: float = 0.0
    _transport: Any = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self._send()

    def _send(self) -> None:
        self._began = time.perf_counter()
        self._transport.write(self.requests[len(self.seconds)])

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, _, content = self._buffer.partition(b"\r\n\r\n")
        length = head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]
        if not length or len(content) < int(length):
            return
        self.seconds.append(time.perf_counter() - self._began)
        self.answers.append(orjson.loads(content)["outputs"][0]["data"])
        self._buffer = b""
        if len(self.seconds) < len(self.requests):
            self._send()
        else:
            self._transport.close()
            self.finished.set_result(None)


def exchange(port: int, bodies: Sequence[bytes], *, connections: int) -> tuple[float, list[float], list[Any]]:
    """Seconds in all, seconds of each request, answers in the order of `bodies`."""
    head = "POST /v2/models/delay/infer HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n"
    requests = [head.format(len(content)).encode() + content for content in bodies]
    share = len(requests) // connections

    async def run() -> tuple[float, list[Client]]:
        loop = asyncio.get_running_loop()
        began = time.perf_counter()
        clients: list[Client] = []
        for part in range(connections):
            given = requests[part * share : (part + 1) * share]
            _, client = await loop.create_connection(partial(Client, given), "127.0.0.1", port)
            clients.append(client)
        await asyncio.wait_for(asyncio.gather(*(client.finished for client in clients)), timeout=60)
        return time.perf_counter() - began, clients

    took, clients = asyncio.run(run())
    times = [value for client in clients for value in client.seconds]
    return took, times, [answer for client in clients for answer in client.answers]


def quickest(work: Callable[[], object], times: int = 5) -> float:
    """Seconds of the quickest run: the one that the other programs of the machine disturbed least."""
    best = float("inf")
    for _ in range(times):
        began = time.perf_counter()
        work()
        best = min(best, time.perf_counter() - began)
    return best


def report(what: str, **figures: float) -> None:
    print(
        f"\n{what}: "
        + ", ".join(
            f"{name} {value:,.3g}" if value < 100 else f"{name} {value:,.0f}" for name, value in figures.items()
        )
    )


def test_single_rows(trained: Trained) -> None:
    values = np.arange(3000.0).reshape(-1, 1)
    bodies = [body(row.reshape(1, 1), ("x",)) for row in values]
    with served(trained.folder, "echo.py", "python-script", ("x",)) as port:
        exchange(port, bodies[:500], connections=1)
        for connections in (1, 8):
            took, times, answers = exchange(port, bodies, connections=connections)
            assert answers == (values * 2).tolist()
            report(
                f"single rows, {connections} connections",
                per_second=len(times) / took,
                p50_ms=sorted(times)[len(times) // 2] * 1000,
                p99_ms=sorted(times)[len(times) * 99 // 100] * 1000,
            )
            assert len(times) / took > 1000


@pytest.mark.parametrize(
    ("type_", "file"),
    [("python-binary", "model.joblib"), pytest.param("pmml", "model.pmml", marks=pytest.mark.java)],
)
def test_batches(trained: Trained, type_: str, file: str) -> None:
    batches = [trained.rows[start : start + BATCH] for start in range(0, len(trained.rows) - BATCH, BATCH)]
    bodies = [body(batch) for batch in batches]
    count = BATCH * len(batches)
    bare = _bare_pmml(trained) if type_ == "pmml" else lambda: [trained.model.predict_proba(batch) for batch in batches]
    with served(trained.folder, file, type_) as port:
        for _ in range(3):  # the JVM compiles what is hot
            exchange(port, bodies, connections=1)
        took, _, answers = exchange(port, bodies, connections=1)
        np.testing.assert_allclose(np.ravel(answers), trained.expected[:count], rtol=0, atol=1e-12)
        served_seconds = min(took, quickest(lambda: exchange(port, bodies, connections=1)))
    bare_seconds = quickest(bare) * (count / len(trained.rows) if type_ == "pmml" else 1)
    report(type_, served_rows_per_second=count / served_seconds, bare_rows_per_second=count / bare_seconds)
    if type_ == "pmml":
        assert bare_seconds / served_seconds >= 0.8


def _bare_pmml(trained: Trained) -> Callable[[], object]:
    """PMML4S called row by row through JPype, as one would do it first."""
    import jpype

    from scheduler.serving.runners import jvm

    jvm.start()
    model = jpype.JClass("org.pmml4s.model.Model").fromFile(str(trained.folder / "model.pmml"))
    index = [str(name) for name in model.outputNames()].index("probability_1")
    objects = jpype.JArray(jpype.JClass("java.lang.Object"))
    double = jpype.JClass("java.lang.Double")

    def loop() -> list[float]:
        return [float(model.predict(objects([double(value) for value in row]))[index]) for row in trained.rows.tolist()]

    np.testing.assert_allclose(loop(), trained.expected, rtol=0, atol=1e-12)
    return loop

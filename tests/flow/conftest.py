"""Flows compiled by the product and run by its runner, with the real engine and a small scoring service beside it."""

from __future__ import annotations

import csv
import gzip
import io
import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from scheduler.flow import config, control, engine, runner
from scheduler.flow.completion import Completion
from scheduler.model import following
from scheduler.model.pipeline import (
    ChannelRef,
    DataChannel,
    DeadLetters,
    Field,
    FieldType,
    Model,
    RecordSchema,
    Scalar,
    ScoringFlow,
    ScoringPipeline,
    Step,
)
from scheduler.preprocess import flow
from scheduler.preprocess.channels import Channels
from scheduler.preprocess.parameters import Parameters
from scheduler.preprocess.services import Candidate
from scheduler.settings import Globals
from tests import programs
from tests.flow import broken


@pytest.fixture(scope="session")
def bento() -> str:
    """The engine's program."""
    return programs.bento()


@pytest.fixture(scope="session")
def broken_bento(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The engine that is broken on purpose, and that lists what its language offers."""
    return str(broken.build(tmp_path_factory.mktemp("broken")))


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


class ScoringService:
    """Open Inference Protocol V2 for one model `m`: `p` is `x` doubled, null where `x` is.

    `refuses` names the rows that make a request a 400, by their x; `names_rows` whether the answer says which they are.
    """

    def __init__(self) -> None:
        self.refuses: Callable[[float | None], bool] = lambda x: False
        self.names_rows = False
        self.statuses: list[int] = []
        """Answers to give, in this order, before scoring begins."""
        self.answer: Callable[[list[Any]], list[Any]] = lambda xs: [None if x is None else x * 2 for x in xs]
        self.requests: list[int] = []
        """Rows of each scored or refused request."""
        self.bodies: list[bytes] = []
        self.is_ready = True
        self._server: ThreadingHTTPServer | None = None
        self._connections: list[socket.socket] = []
        self.port = free_port()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        handler = type("Handler", (_Handler,), {"service": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", self.port), handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def stop(self) -> None:
        """Refuse connections and cut the open ones."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None
        while self._connections:
            connection = self._connections.pop()
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def infer(self, body: bytes) -> tuple[int, dict[str, Any]]:
        self.bodies.append(body)
        if self.statuses:
            status = self.statuses.pop(0)
            return status, {"error": f"told to answer {status}"}
        tensors = {tensor["name"]: tensor["data"] for tensor in json.loads(body)["inputs"]}
        nulls = tensors.get("x.null", [False] * len(tensors["x"]))
        xs = [None if is_null else x for x, is_null in zip(tensors["x"], nulls, strict=True)]
        self.requests.append(len(xs))
        bad = [index for index, x in enumerate(xs) if self.refuses(x)]
        if bad:
            rows = [{"index": index, "message": f"row {index}: x is poison"} for index in bad]
            return 400, {"error": "bad rows", **({"rows": rows} if self.names_rows else {})}
        data = self.answer(xs)
        output = {"name": "p", "shape": [len(data)], "datatype": "FP64", "data": [0 if p is None else p for p in data]}
        blank = {"name": "p.null", "shape": [len(data)], "datatype": "BOOL", "data": [p is None for p in data]}
        return 200, {"model_name": "m", "outputs": [output, blank]}


class _Handler(BaseHTTPRequestHandler):
    service: ScoringService
    protocol_version = "HTTP/1.1"

    def setup(self) -> None:
        super().setup()
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.service._connections.append(self.connection)

    def do_GET(self) -> None:
        self._send(200 if self.service.is_ready else 503, {"name": "m", "ready": self.service.is_ready})

    def do_POST(self) -> None:
        self._send(*self.service.infer(self.rfile.read(int(self.headers["Content-Length"]))))

    def _send(self, status: int, body: Mapping[str, Any]) -> None:
        text = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the base's signature)
        pass


@pytest.fixture
def service() -> Iterator[ScoringService]:
    running = ScoringService()
    running.start()
    yield running
    running.stop()


def schema(name: str, /, **fields: str) -> RecordSchema:
    """`schema("flight", id="int64 required", x="double null")`."""
    return RecordSchema(
        name=name,
        fields=tuple(
            Field(
                name=key,
                type=FieldType(words.split()[0]),
                nullable="null" in words.split(),
                required="required" in words.split(),
            )
            for key, words in fields.items()
        ),
    )


INPUT = schema("input", id="int64 required", x="double null", name="string null")
OUTPUT = schema("output", id="int64 required", x="double null", name="string null", p="double null")
MODEL = Model(
    name="m", type="python-script", artifact="m.py", sha256="0" * 64,
    inputs=schema("m-in", x="double null"), outputs=schema("m-out", p="double null"),
)  # fmt: skip


@dataclass(kw_only=True)
class Flow:
    """One compiled flow in a folder of its own; `run` gives how it ended."""

    folder: Path
    bento: str
    steps: Sequence[Step]
    input: RecordSchema = INPUT
    output: RecordSchema = OUTPUT
    url: str = "http://127.0.0.1:9"
    source: Mapping[str, object] = field(default_factory=lambda: {"path": "in.csv", "format": "csv"})
    sink: Mapping[str, str] = field(default_factory=lambda: {"path": "out.jsonl", "format": "json-lines"})
    dead_letters: Mapping[str, str] | None = field(
        default_factory=lambda: {"path": "dead.jsonl", "format": "json-lines"}
    )
    tests: frozenset[str] = frozenset()
    """Which of `source`, `sink` and `dead` are channels of type `test`."""
    parameters: Mapping[str, Scalar] = field(default_factory=dict)
    max_ratio: float = 1.0
    ready_seconds: float = 20
    run_seconds: float = 60
    globals_: Globals = field(default_factory=lambda: Globals(log_level="warning"))
    board: control.Board = field(default_factory=control.Board)

    def compile(self) -> flow.CompiledFlow:
        names = {"source": self.source, "sink": self.sink, "dead": self.dead_letters}
        channels = {
            name: DataChannel(
                name=name,
                direction="source" if name == "source" else "sink",
                type="test" if name in self.tests else "file",
                schema=self.input if name == "source" else self.output,
                data_version="v1" if name == "source" else "",
                config={**({"volume": "v"} if name not in self.tests else {}), **config_},
            )
            for name, config_ in names.items()
            if config_ is not None
        }
        one = ScoringFlow(name="f", input=self.input, output=self.output, steps=tuple(self.steps))
        pipeline = ScoringPipeline(
            name="p",
            description="",
            mode="streaming" if following.is_followed(channels["source"]) else "batch",
            source=ChannelRef(channel="source"),
            sink=ChannelRef(channel="sink"),
            flows=(one,),
            models=(MODEL,),
            dead_letters=DeadLetters(channel="dead", max_ratio=self.max_ratio) if "dead" in channels else None,
        )
        return flow.compile_(
            pipeline,
            ends=Channels(source=channels["source"], sink=channels["sink"], dead_letters=channels.get("dead")),
            routes={"m": (Candidate(model=MODEL, url=self.url),)},
            parameters=Parameters(pipeline={}, flows={"f": self.parameters}),
            globals_=self.globals_,
            release="jtest",
            ir_digest="sha256:ir",
        )

    def deploy(self) -> Path:
        """The folder that is mounted into the flow's pod, with this folder in place of `/data/v`."""
        compiled = self.compile()
        mounted = self.folder / "config"
        mounted.mkdir(exist_ok=True)
        document = {**compiled.runner, "readySeconds": self.ready_seconds, "runSeconds": self.run_seconds}
        here = f"{self.folder}/"
        (mounted / "engine.yaml").write_text(compiled.engine.replace("/data/v/", here))
        (mounted / "runner.json").write_text(json.dumps(document).replace("/data/v/", here))
        return mounted

    def run(self, attempt: str = "uid-1") -> Completion:
        mounted = self.deploy()
        return runner.run(
            config.load(mounted),
            (mounted / "engine.yaml").read_text(),
            board=self.board,
            attempt=attempt,
            place=engine.Place(program=self.bento, port=free_port()),
        )

    def start(self, attempt: str, *, control_port: int = 0) -> subprocess.Popen[bytes]:
        """The runner as a program of its own, as in its pod."""
        return subprocess.Popen(
            [
                *(sys.executable, "-m", "scheduler.flow", "--config", str(self.deploy())),
                *("--engine-port", str(free_port()), "--control-port", str(control_port or free_port())),
                *("--termination-log", str(self.folder / f"{attempt}.json")),
            ],
            env={"POD_UID": attempt, "MODELOPS_BENTO": self.bento, "PATH": os.environ["PATH"], "SECRET": "canary-1"},
        )

    def path(self, name: str) -> Path:
        return self.folder / name

    def write(self, text: str | bytes, name: str = "in.csv") -> None:
        self.path(name).write_bytes(text.encode() if isinstance(text, str) else text)

    def records(self, name: str = "out.jsonl") -> list[dict[str, Any]]:
        """The sink's (or dead letters') records, read by nothing of the product."""
        raw = self.path(name).read_bytes()
        text = (gzip.decompress(raw) if name.endswith(".gz") else raw).decode()
        if ".csv" in name:
            return list(csv.DictReader(io.StringIO(text, newline="")))
        return [json.loads(line) for line in text.splitlines()]

    def published(self) -> set[str]:
        """What is in the folder beside the input: nothing, unless the flow was a success."""
        inputs = {"config", str(self.source.get("path"))}
        return {path.name for path in self.folder.iterdir() if path.name not in inputs and path.suffix != ".json"}


@pytest.fixture
def make(tmp_path: Path, bento: str) -> Callable[..., Flow]:
    def made(*steps: Step, **more: Any) -> Flow:
        return Flow(folder=tmp_path, bento=bento, steps=steps, **more)

    return made


@pytest.fixture
def data() -> Callable[..., str]:
    def rows(count: int, *, x: Callable[[int], object] = lambda i: i / 7) -> str:
        """A CSV of `count` records; id from 0."""
        return "\n".join(["id,x,name", *(f"{i},{x(i)},n{i}" for i in range(count))]) + "\n"

    return rows

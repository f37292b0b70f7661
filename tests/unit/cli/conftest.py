"""The command line against both real servers, on loopback, over an imaginary cluster."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import uvicorn
from fastapi import FastAPI

from scheduler.api import app as scheduling_app
from scheduler.cli import app
from scheduler.client.scheduling import SchedulingClient
from scheduler.cluster.fake import Rule
from scheduler.modelops_server import app as modelops_app
from scheduler.modelops_server.configuration import Configuration
from tests.unit import world
from tests.unit.world import ENVIRONMENT, World


@dataclass(frozen=True)
class Result:
    code: int
    out: str
    err: str


Run = Callable[..., Result]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    """Run the command as a program would be: arguments in, exit code and output out. Nobody is logged in."""
    for name in ("URL", "SERVER_URL", "TOKEN", "TOKEN_FILE", "ENVIRONMENT"):
        monkeypatch.delenv(f"MODELOPS_{name}", raising=False)
    monkeypatch.setenv("MODELOPS_CONFIG", str(tmp_path / "config" / "config.json"))

    def run_(*words: str) -> Result:
        code = app.main(list(words))
        seen = capsys.readouterr()
        return Result(code, seen.out, seen.err)

    return run_


@dataclass
class Platform:
    """Both servers, and the world behind them."""

    world: World
    url: str
    server_url: str


@pytest.fixture
def platform(run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Platform]:
    """Served on loopback; the environment's variables carry the token of an operator."""
    here = world.build()
    token = world.allow(
        here.cluster, "operator", Rule("operator", namespace=ENVIRONMENT), Rule("operator", namespace="platform")
    )
    configuration = Configuration(
        data=tmp_path / "store", platform_namespace="platform", environments=(ENVIRONMENT,), log_level="warning"
    )
    with (
        _served(scheduling_app.create(here.ports).app) as url,
        contextlib.closing(SchedulingClient(url, token=lambda: token)) as scheduling,
        _served(modelops_app.create(configuration, cluster=here.cluster, scheduling=scheduling)) as server_url,
    ):
        here.settle(lambda: here.board.mirror.is_healthy)
        monkeypatch.setenv("MODELOPS_URL", url)
        monkeypatch.setenv("MODELOPS_SERVER_URL", server_url)
        monkeypatch.setenv("MODELOPS_TOKEN", token)
        monkeypatch.setenv("MODELOPS_ENVIRONMENT", ENVIRONMENT)
        yield Platform(world=here, url=url, server_url=server_url)


@contextlib.contextmanager
def _served(application: FastAPI) -> Iterator[str]:
    server = uvicorn.Server(
        uvicorn.Config(application, host="127.0.0.1", port=0, log_config=None, ws="none", timeout_graceful_shutdown=1)
    )
    thread = threading.Thread(target=server.run)
    thread.start()
    deadline = time.monotonic() + 10
    while not server.started and thread.is_alive() and time.monotonic() < deadline:
        time.sleep(0.01)
    assert server.started
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(10)
    assert not thread.is_alive()

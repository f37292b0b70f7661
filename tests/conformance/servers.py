"""Both servers on fakes, behind a real HTTP server, with somebody who may do everything."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import uvicorn

from scheduler.api import app as scheduling_app
from scheduler.client.scheduling import SchedulingClient
from scheduler.cluster.fake import FakeCluster, Rule
from scheduler.cluster.port import Caller
from scheduler.modelops_server import app as modelops_app
from scheduler.modelops_server.configuration import Configuration
from tests.unit import world

TOKEN: Final = "operator-token"
_START_SECONDS: Final = 20


@dataclass(frozen=True, kw_only=True)
class Served:
    url: str
    token: str


@contextmanager
def scheduling() -> Iterator[Served]:
    here = world.build()
    world.allow(
        here.cluster,
        "operator",
        *(Rule("operator", namespace=environment) for environment in world.SETTINGS.environments),
        Rule("operator", namespace=world.SETTINGS.platform_namespace),
        token=TOKEN,
    )
    with _serving(scheduling_app.create(here.ports).app) as url:
        yield Served(url=url, token=TOKEN)


@contextmanager
def modelops(folder: Path) -> Iterator[Served]:
    """With a scheduling server behind it, which knows the same caller."""
    namespace, environments = world.SETTINGS.platform_namespace, world.SETTINGS.environments
    cluster = FakeCluster(
        tokens={TOKEN: (Caller(name="operator", groups=("operators",)), ("modelops",))},
        rules={Rule("operators", namespace=place) for place in (namespace, *environments)},
    )
    configuration = Configuration(
        data=folder, platform_namespace=namespace, environments=environments, artifact_most_bytes=3_000_000
    )
    with (
        scheduling() as behind,
        closing(SchedulingClient(behind.url, token=lambda: TOKEN)) as client,
        _serving(modelops_app.create(configuration, cluster=cluster, scheduling=client)) as url,
    ):
        yield Served(url=url, token=TOKEN)


@contextmanager
def _serving(application: Any) -> Iterator[str]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
    config = uvicorn.Config(application, host="127.0.0.1", port=port, log_level="error", lifespan="on")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    deadline = time.monotonic() + _START_SECONDS
    while not server.started:
        assert time.monotonic() < deadline, "the server does not start"
        time.sleep(0.02)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        server.force_exit = True
        thread.join(_START_SECONDS)

"""Asks the cluster's processes whether they are ready."""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import httpx

from scheduler.devcluster import ports, processes
from scheduler.devcluster.home import Home
from scheduler.devcluster.plan import Process
from scheduler.devcluster.processes import Running
from scheduler.errors import ProgramError, UnavailableError

Asking = Callable[[Process], bool]


@contextmanager
def asking(home: Home) -> Iterator[Asking]:
    """A function that says whether a process is ready now; it shows the administrator's certificate where asked."""
    context = ssl.create_default_context(cafile=str(home.pki / "ca.crt"))
    context.load_cert_chain(home.pki / "admin.crt", home.pki / "admin.key")
    # Loopback and the bridge are never reached through a proxy, whatever the environment says.
    with httpx.Client(verify=context, timeout=5, trust_env=False) as client:
        yield lambda process: _is_ready(process, client)


def wait(process: Process, running: Running, home: Home, ask: Asking) -> None:
    """Wait until it is ready. One that ends meanwhile, or is too slow, is an error with the end of its log."""
    end = time.monotonic() + process.limit_seconds
    while not ask(process):
        if not processes.is_alive(running):
            words = processes.last_words(process.name, home)
            raise ProgramError(f"{process.name} ended right after its start:\n{words}", output=words)
        if time.monotonic() > end:
            words = processes.last_words(process.name, home)
            message = f"{process.name} is not ready after {process.limit_seconds:.0f} seconds:\n{words}"
            raise UnavailableError(message)
        time.sleep(0.1)


def _is_ready(process: Process, client: httpx.Client) -> bool:
    asked = process.readiness
    if asked.socket is not None:
        return ports.accepts(asked.socket)
    if not asked.url:
        return True
    try:
        return client.get(asked.url).status_code == 200
    except httpx.HTTPError:
        return False

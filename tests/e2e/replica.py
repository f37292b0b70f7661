"""`python -m tests.e2e.replica`: scheduling servers that may be killed, on this machine, each in a process of its own.

They are the servers of `python -m scheduler.api` with the account, the settings and the programs of the installed one.
One process with everything imported forks them, so that a server is there at once. It reads one JSON object a line and
answers each with one:

    {"start": "<MODELOPS_FAULT or empty>"}   →  {"pid": 1, "port": 2}
    {"wait": 1}                              →  {"status": 70}, as soon as that process has ended; negative: by a signal
    {"warm": <body of POST /v1/jobs>}        →  {}, its flow linted and its chart rendered for all later servers
"""

from __future__ import annotations

import ctypes
import json
import logging
import os
import signal
import socket
import sys
from dataclasses import replace
from typing import Any, Final

import uvicorn

from scheduler.api import __main__ as program
from scheduler.api import app
from scheduler.api.wire import JobBody
from scheduler.cluster import faults
from scheduler.cluster.kubernetes import KubernetesCluster
from scheduler.jobs import prepare
from scheduler.jobs.ports import Ports
from scheduler.settings import Settings
from scheduler.web import own_token, serve

_PARENT_DEATH_SIGNAL: Final = 1  # linux/prctl.h


def main() -> None:
    settings = Settings.from_environ(os.environ)
    serve.configure_logging(settings.globals_.log_level)
    logging.getLogger().handlers[0].setStream(sys.stderr)  # type: ignore[attr-defined]
    ports = _ports(settings, "")
    for line in sys.stdin:
        print(json.dumps(_answer(json.loads(line), ports)), flush=True)


def _answer(asked: dict[str, Any], ports: Ports) -> dict[str, int]:
    if "start" in asked:
        return _fork(str(asked["start"]), ports)
    if "wait" in asked:
        _, status = os.waitpid(int(asked["wait"]), 0)
        return {"status": os.waitstatus_to_exitcode(status)}
    order = JobBody.model_validate(asked["warm"]).order()
    # with a connection of its own, which no later server inherits
    once = _ports(ports.settings, "")
    prepare.prepare(order, job_id="j" + "a" * 20, ports=replace(once, linter=ports.linter, totals=ports.totals))
    return {}


def _fork(fault: str, warm: Ports) -> dict[str, int]:
    """The socket listens before the process is there, so that nobody needs to ask whether it is up."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        pid = os.fork()
        if pid == 0:
            _serve(listening, fault, warm)
        return {"pid": pid, "port": listening.getsockname()[1]}


def _serve(listening: socket.socket, fault: str, warm: Ports) -> None:
    status = 1
    ctypes.CDLL(None).prctl(_PARENT_DEATH_SIGNAL, signal.SIGKILL)
    try:
        ports = replace(_ports(warm.settings, fault), linter=warm.linter, totals=warm.totals)
        server = uvicorn.Server(uvicorn.Config(app.create(ports).app, log_config=None, server_header=False))
        server.run(sockets=[listening])
        status = 0
    finally:
        os._exit(status)


def _ports(settings: Settings, fault: str) -> Ports:
    cluster = faults.switched(KubernetesCluster.from_kubeconfig(), fault)
    return program.ports_of(settings, cluster, token=own_token.read)


if __name__ == "__main__":
    main()

"""Further replicas of the installed scheduling server that tests may kill."""

from __future__ import annotations

import json
import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from scheduler import names
from scheduler.cli.configuration import Login
from scheduler.client.scheduling import SchedulingClient
from scheduler.cluster import faults
from scheduler.demo.installation import NAMESPACE, RELEASE, Platform
from scheduler.web import own_token

ACCOUNT: Final = f"{RELEASE}-scheduling-server"
"""ServiceAccount and Deployment of the installed server."""
_LIMIT_SECONDS: Final = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Replica:
    pid: int
    url: str


class Replicas:
    """Starts replicas one after the other; not for several threads at once."""

    def __init__(self, process: subprocess.Popen[str], login: Login) -> None:
        self._process = process
        self._login = login
        self._answers: queue.Queue[str] = queue.Queue()
        threading.Thread(target=self._listen, daemon=True).start()

    def warm(self, order: Mapping[str, object]) -> None:
        """Let all later ones know the order's flow and chart, as a server does that has seen them before."""
        self._ask({"warm": order})

    def start(self, fault: str = "") -> Replica:
        """One more, which fails as `fault` says; it answers requests from now on."""
        found = self._ask({"start": fault})
        return Replica(pid=found["pid"], url=f"http://127.0.0.1:{found['port']}")

    def status(self, replica: Replica) -> int:
        """What it ended with, as soon as it has; the number of a signal is negative."""
        status: int = self._ask({"wait": replica.pid})["status"]
        return status

    def kill(self, replica: Replica) -> int:
        os.kill(replica.pid, signal.SIGKILL)
        return self.status(replica)

    @contextmanager
    def client(self, replica: Replica) -> Iterator[SchedulingClient]:
        with closing(SchedulingClient(replica.url, token=lambda: self._login.token)) as client:
            yield client

    def _ask(self, question: Mapping[str, object]) -> dict[str, Any]:
        assert self._process.stdin
        self._process.stdin.write(json.dumps(question) + "\n")
        self._process.stdin.flush()
        answer: dict[str, Any] = json.loads(self._answers.get(timeout=_LIMIT_SECONDS))
        return answer

    def _listen(self) -> None:
        assert self._process.stdout
        for line in self._process.stdout:
            self._answers.put(line)
        self._answers.put('{"error": "the process that starts replicas has ended"}')


@contextmanager
def started(platform: Platform, login: Login, folder: Path) -> Iterator[Replicas]:
    """The account and the settings are the installed server's own; an administrator's are nowhere in it."""
    command = [sys.executable, "-m", "tests.e2e.replica"]
    with (
        (folder / "replicas.log").open("w") as log,
        subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            env=_environ(platform, login, folder),
            cwd=Path(__file__).parents[2],
        ) as process,
    ):
        try:
            yield Replicas(process, login)
        finally:
            process.kill()


def _environ(platform: Platform, login: Login, folder: Path) -> dict[str, str]:
    line = ("-n", NAMESPACE, "get", "deployment", ACCOUNT, "-o", "json")
    pod = json.loads(platform.kubectl(*line))["spec"]["template"]["spec"]
    assert pod["serviceAccountName"] == ACCOUNT
    settings = {entry["name"]: entry.get("value", "") for entry in pod["containers"][0]["env"]}
    assert faults.VARIABLE not in settings
    own = folder / "token"
    own.write_text(_token(platform, f"--audience={names.AUDIENCE}"))
    return {
        **platform.environ,
        **settings,
        # names of Services mean nothing on this machine
        "MODELOPS_SERVER_URL": login.server_url,
        "KUBECONFIG": str(_kubeconfig(platform, folder)),
        own_token.VARIABLE: str(own),
    }


def _kubeconfig(platform: Platform, folder: Path) -> Path:
    """The administrator's without the administrator."""
    given = json.loads(platform.kubectl("config", "view", "--minify", "--flatten", "-o", "json"))
    given["users"] = [{"name": given["users"][0]["name"], "user": {"token": _token(platform)}}]
    file = folder / "kubeconfig.yaml"
    file.write_text(yaml.safe_dump(given))
    return file


def _token(platform: Platform, *more: str) -> str:
    return platform.kubectl("-n", NAMESPACE, "create", "token", ACCOUNT, "--duration=4h", *more).decode().strip()

"""Tries what no API tells: whether a registry answers here and on a node, whether NetworkPolicies hold.

The last two start pods, as restricted as any job's, and remove them whatever comes of them.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any, Final, TypeVar

import httpx

from scheduler.errors import SchedulerError, UnavailableError
from scheduler.inspection.api import Api
from scheduler.inspection.facts import Registry
from scheduler.model.types import Manifest
from scheduler.rest import is_private

POD_SECONDS: Final = 25.0
_T = TypeVar("_T")
_REACH_SECONDS: Final = 5.0
_PAUSE_SECONDS: Final = 0.3
_LABEL: Final = "modelops.dev/check"
_ABSENT: Final = "modelops/nothing-of-that-name:absent"
_ANSWERED: Final = ("not found", "manifest unknown", "unauthorized", "authorization failed", "denied", "name unknown")
"""What a node says of an image that a registry, which answered, does not give it."""
_BLOCKED: Final = 3
_CONNECT: Final = f"""\
import os, socket, sys, time
end, failures = time.monotonic() + float(sys.argv[1]), 0
where = os.environ["KUBERNETES_SERVICE_HOST"], os.environ["KUBERNETES_SERVICE_PORT"]
while True:
    try:
        socket.create_connection(where, 1).close()
        failures = 0
    except OSError:
        failures += 1
    if failures == 3:
        sys.exit({_BLOCKED})
    if not failures and time.monotonic() > end:
        sys.exit(0)
    time.sleep(0.3)
"""
_WATCHED_SECONDS: Final = 6.0
"""How long a policy may take to hold after its pod has started."""


def reached(registry: str, transport: httpx.BaseTransport | None = None) -> Registry:
    """Whether the registry, or the host of one with a path, answers here, over HTTPS or, where spoken, plain HTTP."""
    host = registry.partition("/")[0]
    failures = []
    with httpx.Client(
        timeout=_REACH_SECONDS, transport=transport, trust_env=not is_private(host.partition(":")[0])
    ) as client:
        for scheme in ("https", "http"):
            try:
                answer = client.get(f"{scheme}://{host}/v2/")
            except (httpx.HTTPError, httpx.InvalidURL) as error:
                failures.append(f"{scheme}: {str(error) or type(error).__name__}")
            else:
                # 401 is how a registry with accounts says that it is one
                if answer.status_code in {200, 401}:
                    return Registry(host=registry, failure="")
                failures.append(f"{scheme}: answered {answer.status_code} to /v2/, which no registry does")
    return Registry(host=registry, failure="; ".join(failures))


def pulled(api: Api, host: str, *, namespace: str) -> Registry:
    """Whether a node reaches the registry: it is asked for an image that there is not, and what it says is read."""
    with _pod(api, f"{host}/{_ABSENT}", ["nothing"], namespace=namespace) as path:
        words = _until(api, path, _pull_failure, what=f"no node has said anything about {host}")
    last = words.rpartition("failed to resolve")[2] or words
    return Registry(host=host, failure="" if any(word in last for word in _ANSWERED) else words)


def holds_network_policies(api: Api, image: str, *, namespace: str) -> bool:
    """Whether a pod to which a policy allows nothing reaches nothing, while another pod reaches the API server.

    UnavailableError when the image cannot be started, or when nobody reaches anything: then nothing is known.
    """
    label = secrets.token_hex(4)
    policies = f"/apis/networking.k8s.io/v1/namespaces/{namespace}/networkpolicies"
    with (
        _made(api, policies, _denial(label)),
        _pod(api, image, _command(0), namespace=namespace) as free,
        _pod(api, image, _command(_WATCHED_SECONDS), namespace=namespace, label=label) as bound,
    ):
        codes = [_until(api, path, _exit_code, what=f"the image {image} has not run") for path in (free, bound)]
    if codes[0] != 0:
        raise UnavailableError(f"a pod of {image} without any policy ended with {codes[0]}: nothing can be told")
    if codes[1] not in {0, _BLOCKED}:
        raise UnavailableError(f"a pod of {image} ended with {codes[1]}: nothing can be told")
    return codes[1] == _BLOCKED


def _command(seconds: float) -> list[str]:
    return ["python3", "-c", _CONNECT, str(seconds)]


def _denial(label: str) -> Manifest:
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": f"modelops-check-{label}", "labels": {_LABEL: label}},
        "spec": {"podSelector": {"matchLabels": {_LABEL: label}}, "policyTypes": ["Egress"], "egress": []},
    }


@contextmanager
def _pod(api: Api, image: str, command: Sequence[str], *, namespace: str, label: str = "free") -> Iterator[str]:
    """The path of a pod that runs this and nothing else."""
    container = {
        "name": "check",
        "image": image,
        "command": list(command),
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "resources": {"requests": {"cpu": "10m", "memory": "32Mi"}, "limits": {"cpu": "500m", "memory": "64Mi"}},
    }
    spec = {
        "restartPolicy": "Never",
        "automountServiceAccountToken": False,
        "terminationGracePeriodSeconds": 1,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": 10001,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [container],
    }
    metadata = {"name": f"modelops-check-{secrets.token_hex(4)}", "labels": {_LABEL: label}}
    body = {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}
    with _made(api, f"/api/v1/namespaces/{namespace}/pods", body) as path:
        yield path


@contextmanager
def _made(api: Api, collection: str, body: Manifest) -> Iterator[str]:
    path = f"{collection}/{body['metadata']['name']}"
    api.ask("POST", collection, body=body)
    try:
        yield path
    finally:
        with suppress(SchedulerError):  # whoever deleted it before us did right
            api.ask("DELETE", path)


def _until(api: Api, path: str, told: Callable[[Mapping[str, Any]], _T | None], *, what: str) -> _T:
    """What `told` reads from the pod's status as soon as it is more than None."""
    deadline = time.monotonic() + POD_SECONDS
    while time.monotonic() < deadline:
        found = told(api.ask("GET", path).get("status") or {})
        if found is not None:
            return found
        time.sleep(_PAUSE_SECONDS)
    raise UnavailableError(f"{what} within {POD_SECONDS:g} seconds")


def _pull_failure(status: Mapping[str, Any]) -> str | None:
    for one in status.get("containerStatuses") or ():
        waiting = (one.get("state") or {}).get("waiting") or {}
        if waiting.get("reason") in {"ErrImagePull", "ImagePullBackOff", "InvalidImageName"} and waiting.get("message"):
            return str(waiting["message"])
    return None


def _exit_code(status: Mapping[str, Any]) -> int | None:
    failure = _pull_failure(status)
    if failure:
        raise UnavailableError(f"the image cannot be pulled: {failure}")
    for one in status.get("containerStatuses") or ():
        ended = (one.get("state") or {}).get("terminated")
        if ended:
            return int(ended["exitCode"])
    return None

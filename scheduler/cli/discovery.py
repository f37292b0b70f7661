"""Finds the platform in a cluster and asks for a token: what a login is made of."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from scheduler import names
from scheduler.cli.configuration import Login
from scheduler.cluster.port import Cluster
from scheduler.errors import ConflictError, NotFoundError
from scheduler.model.types import Manifest

_SCHEDULING = "scheduling-server"
_MODELOPS = "modelops-server"


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}"


def login(cluster: Cluster, *, account: Account, namespace: str, seconds: int, given: Login) -> Login:
    """A login for the platform in `namespace`; addresses in `given` are taken as they are.

    NotFoundError without the account or the platform; ForbiddenError when the caller may not create the token.
    """
    found = servers(cluster, namespace=namespace, given=given)
    token = cluster.request_token(account.name, account.namespace, audience=names.AUDIENCE, seconds=seconds)
    return replace(found, account=str(account), token=token.value, expires=token.expires)


def servers(cluster: Cluster, *, namespace: str, given: Login) -> Login:
    """What is given, with the addresses that it lacks."""
    return replace(
        given,
        url=given.url or address(cluster, _SCHEDULING, namespace),
        server_url=given.server_url or address(cluster, _MODELOPS, namespace),
    )


def address(cluster: Cluster, program: str, namespace: str) -> str:
    """URL of the program's one Service in the namespace, by its cluster address, which the local machine reaches."""
    labels = {"app.kubernetes.io/name": program, "app.kubernetes.io/part-of": "modelops"}
    found = cluster.list("Service", namespace, labels=labels).items
    if not found:
        raise NotFoundError(f"there is no {program} in namespace '{namespace}': is the platform installed there?")
    if len(found) > 1:
        listed = ", ".join(str(service["metadata"]["name"]) for service in found)
        raise ConflictError(f"namespace '{namespace}' has several of {program} ({listed}): give its URL")
    return _url(found[0])


def _url(service: Manifest) -> str:
    spec: dict[str, Any] = service["spec"]
    port = next((item["port"] for item in spec["ports"] if item.get("name") == "http"), spec["ports"][0]["port"])
    host = spec.get("clusterIP") or ""
    if host in {"", "None"}:
        host = f"{service['metadata']['name']}.{service['metadata']['namespace']}.svc"
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"

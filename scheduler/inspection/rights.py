"""What `helm install charts/modelops` may do must be allowed to whoever runs it. Tests compare this with the charts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Right:
    """One verb on one resource, in a namespace or, without one, in the whole cluster."""

    namespace: str = ""
    group: str
    resource: str
    """With its subresource: `pods/log`."""
    verb: str

    @property
    def kind(self) -> str:
        return f"{self.resource}.{self.group}".removesuffix(".")


OBJECT_VERBS: Final = ("create", "get", "patch", "delete")
"""What helm does with an object of a release during its life."""
_RBAC: Final = "rbac.authorization.k8s.io"
CLUSTER: Final[Mapping[str, tuple[str, ...]]] = {
    "": ("namespaces",),
    _RBAC: ("clusterroles", "clusterrolebindings"),
    "scheduling.k8s.io": ("priorityclasses",),
}
"""API group -> resources, as in the two tables below."""
PLATFORM: Final[Mapping[str, tuple[str, ...]]] = {
    "": ("configmaps", "serviceaccounts"),
    "batch": ("jobs",),
    "networking.k8s.io": ("networkpolicies",),
    _RBAC: ("roles", "rolebindings"),
}
"""Applications are not among them: the installation makes those, as the account that the chart makes for it."""
ENVIRONMENT: Final[Mapping[str, tuple[str, ...]]] = {
    "": ("configmaps", "limitranges", "resourcequotas", "serviceaccounts"),
    "networking.k8s.io": ("networkpolicies",),
    _RBAC: ("roles", "rolebindings"),
    "tekton.dev": ("pipelines", "tasks"),
}
"""The namespace of the builds takes the same."""
STORAGE_VERBS: Final = ("create", "get", "list", "update", "delete")
"""On Secrets of the platform's namespace, where helm keeps what it knows of a release."""

GIVING_VERBS: Final = ("escalate", "bind")
"""On roles: the charts make some for the platform's programs, and others may not give what they do not hold themselves.

In the virtual group `modelops.dev` nobody holds anything beforehand, but administrators.
"""
_ROLES: Final = frozenset({"roles", "clusterroles"})


def needed(*, platform: str, environments: Iterable[str]) -> tuple[Right, ...]:
    """All that `helm install` of the platform in these namespaces takes; images are built in the chart's own choice."""
    return tuple(dict.fromkeys(_needed(platform, (*environments, f"{platform}-builds"))))


def _needed(platform: str, environments: tuple[str, ...]) -> Iterator[Right]:
    yield from (Right(namespace=platform, group="", resource="secrets", verb=verb) for verb in STORAGE_VERBS)
    yield from _objects(CLUSTER, "")
    # an upgrade that takes an environment out looks for jobs in it
    yield Right(group="", resource="namespaces", verb="list")
    yield from _objects(PLATFORM, platform)
    for environment in environments:
        yield from _objects(ENVIRONMENT, environment)
        yield Right(namespace=environment, group="tekton.dev", resource="pipelineruns", verb="list")


def _objects(kinds: Mapping[str, tuple[str, ...]], namespace: str) -> Iterator[Right]:
    for group, resources in kinds.items():
        for resource in resources:
            for verb in (*OBJECT_VERBS, *(GIVING_VERBS if resource in _ROLES else ())):
                # an environment's namespace stays when the release goes
                if (resource, verb) != ("namespaces", "delete"):
                    yield Right(namespace=namespace, group=group, resource=resource, verb=verb)

"""Accounts with other rights than the operator's, their tokens, and plain HTTP under their names."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

import httpx

from scheduler import names
from scheduler.demo.installation import ENVIRONMENT, NAMESPACE, RELEASE, Platform

STRANGER: Final = "e2e-stranger"
VIEWER: Final = "e2e-viewer"
VIEW: Final = "e2e-view"
EDIT: Final = "e2e-edit"
OF_KUBERNETES: Final[Mapping[str, str]] = {VIEW: "view", EDIT: "edit"}
"""Account -> ClusterRole of Kubernetes' own that it is bound to, of which the platform's are a part."""
_LIMIT_SECONDS: Final = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Callers:
    """A stranger, who may do nothing, a viewer, and holders of Kubernetes' roles, in the platform's namespace."""

    platform: Platform
    stranger: str
    """Token of audience `modelops`, as are the others."""
    viewer: str

    def token(self, account: str, namespace: str = NAMESPACE, *, audience: str = names.AUDIENCE) -> str:
        line = ("create", "token", account, "-n", namespace, "--duration=1h")
        return self.platform.kubectl(*line, *([f"--audience={audience}"] if audience else ())).decode().strip()

    def token_of_pod(self, pod: Mapping[str, Any]) -> str:
        """As the kubelet would make it for this pod: of its ServiceAccount, good as long as the pod is there."""
        metadata = pod["metadata"]
        line = ("create", "token", pod["spec"]["serviceAccountName"], "-n", metadata["namespace"], "--duration=1h")
        bound = ("--bound-object-kind=Pod", f"--bound-object-name={metadata['name']}")
        more = (f"--bound-object-uid={metadata['uid']}", f"--audience={names.AUDIENCE}")
        return self.platform.kubectl(*line, *bound, *more).decode().strip()

    def rights(self, account: str, account_namespace: str, *, namespace: str) -> set[str]:
        """`verb resource.group` for all that the account may do in `namespace` and any other account may not."""
        own = self._rules(account, account_namespace, namespace)
        return own - self._rules(STRANGER, NAMESPACE, namespace)

    def _rules(self, account: str, account_namespace: str, namespace: str) -> set[str]:
        review = {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectRulesReview",
            "spec": {"namespace": namespace},
        }
        who = f"--as=system:serviceaccount:{account_namespace}:{account}"
        # to validate on this side it would have to read the cluster's schemas
        line = ("create", who, "--validate=false", "-o", "json", "-f", "-")
        said = self.platform.kubectl(*line, stdin=json.dumps(review).encode())
        status = json.loads(said)["status"]
        assert not status["incomplete"], status
        return {
            f"{verb} {resource}.{group}".removesuffix(".")
            for rule in status["resourceRules"]
            for verb in rule["verbs"]
            for group in rule["apiGroups"]
            for resource in rule["resources"]
        }


def role(name: str) -> str:
    """The platform's ClusterRole for `viewer` or `operator`."""
    return f"{NAMESPACE}-{RELEASE}-{name}"


@contextmanager
def present(platform: Platform) -> Iterator[Callers]:
    """The accounts, until the context ends."""
    made = list(_manifests())
    platform.apply(*made)
    try:
        callers = Callers(platform=platform, stranger="", viewer="")
        yield Callers(platform=platform, stranger=callers.token(STRANGER), viewer=callers.token(VIEWER))
    finally:
        for manifest in made:
            where = ("-n", manifest["metadata"]["namespace"])
            platform.kubectl("delete", manifest["kind"], manifest["metadata"]["name"], *where, "--ignore-not-found")


@contextmanager
def http(url: str, token: str = "") -> Iterator[httpx.Client]:
    """Requests to one server, with the token if there is one."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    with httpx.Client(base_url=url, headers=headers, timeout=_LIMIT_SECONDS, trust_env=False) as client:
        yield client


def account(name: str) -> Mapping[str, Any]:
    return {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": name, "namespace": NAMESPACE}}


def binding(name: str, cluster_role: str, namespace: str) -> Mapping[str, Any]:
    """Of that account to the role, in one namespace."""
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "RoleBinding",
        "metadata": {"name": name, "namespace": namespace},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": cluster_role},
        "subjects": [{"kind": "ServiceAccount", "name": name, "namespace": NAMESPACE}],
    }


def _manifests() -> Iterator[Mapping[str, Any]]:
    bound = {VIEWER: role("viewer"), **OF_KUBERNETES}
    for name in (STRANGER, *bound):
        yield account(name)
    for name, cluster_role in bound.items():
        for namespace in (NAMESPACE, ENVIRONMENT):
            yield binding(name, cluster_role, namespace)

"""Looks at a cluster through its API; makes nothing there: what is tried is tried as a dry run."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeout
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from scheduler.cluster.port import OwnAccessError
from scheduler.errors import InvalidInputError, NotFoundError, SchedulerError, UnavailableError
from scheduler.inspection import rights
from scheduler.inspection.api import Api
from scheduler.inspection.facts import Facts, Known, Registry, Tekton, Unknown
from scheduler.inspection.rights import Right
from scheduler.model.types import Manifest
from scheduler.tekton import prerequisite

LIMIT_SECONDS: Final = 30.0
"""For each of the checks."""
_THREADS: Final = 12
_UNREADABLE: Final = "you may not look at it; an administrator may"
_DRY_RUN: Final = {"dryRun": "All"}
_DEFAULT_CLASS: Final = "storageclass.kubernetes.io/is-default-class"
_MAY: Final = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Where the platform is to be."""

    namespace: str = "modelops"
    environments: tuple[str, ...] = ("staging",)
    tekton_namespace: str = prerequisite.NAMESPACE


@dataclass(frozen=True, slots=True, kw_only=True)
class Trials:
    """What is found out otherwise than by asking the API server; None: nobody asked for it."""

    registry: Callable[[], Registry] | None = None
    pull_registry: Callable[[], Registry] | None = None
    network: Callable[[], bool] | None = None


def look(api: Api, wanted: Wanted, trials: Trials = Trials()) -> Facts:
    """All facts, side by side; one that cannot be had within its limit is unknown.

    UnavailableError when no cluster answers, OwnAccessError when it does not accept the kubeconfig's credentials.
    """
    version, user = _version(api), _user(api)
    threads = ThreadPoolExecutor(_THREADS)
    try:
        asked: dict[str, Future[Any]] = {
            "tekton": threads.submit(_tekton, api, wanted),
            "enforces_pod_security": threads.submit(_enforces_pod_security, api),
            "seccomp_defaults": threads.submit(_seccomp_defaults, api),
            "storage_classes": threads.submit(_storage_classes, api),
            "missing_rights": threads.submit(_missing_rights, api, wanted),
        }
        tried = {
            "registry": trials.registry,
            "pull_registry": trials.pull_registry,
            "enforces_network_policies": trials.network,
        }
        asked |= {name: threads.submit(trial) for name, trial in tried.items() if trial is not None}
        found: dict[str, Any] = {name: _known(future.result) for name, future in asked.items()}
    finally:
        threads.shutdown(wait=False, cancel_futures=True)
    return Facts(cluster=api.url, version=version, user=user, **found)


def _known(result: Callable[[float], _T]) -> Known[_T]:
    try:
        return result(LIMIT_SECONDS)
    except FutureTimeout:
        return Unknown(reason=f"not answered within {LIMIT_SECONDS:g} seconds")
    except SchedulerError as error:
        return _unknown(error)


def _unknown(error: SchedulerError) -> Unknown:
    return Unknown(reason=_UNREADABLE if isinstance(error, OwnAccessError) else str(error))


def _version(api: Api) -> str:
    try:
        return str(api.ask("GET", "/version")["gitVersion"])
    except OwnAccessError as error:
        raise _unaccepted(api, error) from error


def _user(api: Api) -> str:
    body = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}
    try:
        answer = api.ask("POST", "/apis/authentication.k8s.io/v1/selfsubjectreviews", body=body)
    except OwnAccessError as error:
        raise _unaccepted(api, error) from error
    return str(answer["status"]["userInfo"]["username"])


def _unaccepted(api: Api, error: OwnAccessError) -> OwnAccessError:
    return OwnAccessError(f"{api.url} does not accept the credentials of your kubeconfig: {error}")


def _tekton(api: Api, wanted: Wanted) -> Tekton | None:
    try:
        api.ask("GET", prerequisite.API)
    except NotFoundError:
        return None
    place = f"/api/v1/namespaces/{wanted.tekton_namespace}/configmaps"
    configs = dict.fromkeys(setting.config for setting in prerequisite.SETTINGS)
    info = _data(api, f"{place}/pipelines-info")
    return Tekton(
        version=info if isinstance(info, Unknown) else info.get("version", ""),
        settings={name: _data(api, f"{place}/{name}") for name in configs},
        arguments=_arguments(api, wanted.tekton_namespace),
        refusal=_refusal(api),
    )


def _data(api: Api, path: str) -> Known[Mapping[str, str]]:
    try:
        return api.ask("GET", path).get("data") or {}
    except NotFoundError as error:
        return Unknown(reason=f"{error}; --tekton-namespace names another place")
    except SchedulerError as error:
        return _unknown(error)


def _arguments(api: Api, namespace: str) -> Known[tuple[str, ...]]:
    path = f"/apis/apps/v1/namespaces/{namespace}/deployments/{prerequisite.CONTROLLER}"
    try:
        containers = api.ask("GET", path)["spec"]["template"]["spec"]["containers"]
    except SchedulerError as error:
        return _unknown(error)
    return tuple(word for one in containers for word in (*one.get("command", ()), *one.get("args", ())))


def _refusal(api: Api) -> Known[str]:
    path = f"{prerequisite.API}/namespaces/default/pipelineruns"
    try:
        api.ask("POST", path, query=_DRY_RUN, body=prerequisite.probe("default"))
    except OwnAccessError as error:
        return _unknown(error)
    except SchedulerError as error:
        return str(error)
    return ""


def _enforces_pod_security(api: Api) -> bool:
    """Its plug-in alone refuses a namespace whose label asks for a level that does not exist."""
    name = f"modelops-check-{secrets.token_hex(4)}"
    labels = {"pod-security.kubernetes.io/enforce": "no-such-level"}
    body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}
    try:
        api.ask("POST", "/api/v1/namespaces", query=_DRY_RUN, body=body)
    except InvalidInputError:
        return True
    return False


def _seccomp_defaults(api: Api) -> Mapping[str, bool]:
    """By each kubelet's own configuration (`/configz`), of the nodes that answer."""
    nodes = [str(one["metadata"]["name"]) for one in api.ask("GET", "/api/v1/nodes").get("items") or []]
    with ThreadPoolExecutor(_THREADS) as threads:
        found = dict(zip(nodes, threads.map(lambda name: _has_seccomp_default(api, name), nodes), strict=True))
    answered = {name: one for name, one in found.items() if not isinstance(one, Unknown)}
    if not answered:
        raise UnavailableError(next((one.reason for one in found.values() if isinstance(one, Unknown)), "no nodes"))
    return answered


def _has_seccomp_default(api: Api, node: str) -> Known[bool]:
    try:
        configuration = api.ask("GET", f"/api/v1/nodes/{node}/proxy/configz")["kubeletconfig"]
    except SchedulerError as error:
        return _unknown(error)
    return configuration.get("seccompDefault") is True


def _storage_classes(api: Api) -> Mapping[str, bool]:
    items: list[Manifest] = api.ask("GET", "/apis/storage.k8s.io/v1/storageclasses").get("items") or []
    return {
        one["metadata"]["name"]: (one["metadata"].get("annotations") or {}).get(_DEFAULT_CLASS) == "true"
        for one in items
    }


def _missing_rights(api: Api, wanted: Wanted) -> frozenset[Right]:
    needed = rights.needed(platform=wanted.namespace, environments=wanted.environments)
    with ThreadPoolExecutor(_THREADS) as threads:
        allowed = threads.map(lambda right: _may(api, right), needed)
        return frozenset(right for right, is_allowed in zip(needed, allowed, strict=True) if not is_allowed)


def _may(api: Api, right: Right) -> bool:
    attributes = {"group": right.group, "resource": right.resource, "verb": right.verb, "namespace": right.namespace}
    body = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "spec": {"resourceAttributes": {key: value for key, value in attributes.items() if value}},
    }
    status = api.ask("POST", _MAY, body=body).get("status") or {}
    if not isinstance(status, Mapping):
        raise UnavailableError("the API server's answer about a right is none")
    return status.get("allowed") is True

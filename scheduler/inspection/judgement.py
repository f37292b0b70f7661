"""From facts to findings: every one at once, in one order. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import groupby
from typing import Final

from scheduler.inspection import tekton
from scheduler.inspection.facts import Facts, Known, Registry, Unknown
from scheduler.inspection.findings import Area, Finding, Report, State
from scheduler.inspection.rights import Right

OLDEST: Final = (1, 33)
"""Kubernetes: the pods' lifecycle and the indexed jobs of the charts need it."""

_SHOWN: Final = 3
"""Nodes that are named."""


def judge(facts: Facts) -> Report:
    """What is there, what costs, what is missing, and what nobody knows."""
    user = f"unknown: {facts.user.reason}" if isinstance(facts.user, Unknown) else facts.user
    return Report(cluster=facts.cluster, user=user, findings=tuple(_findings(facts)))


def _findings(facts: Facts) -> Iterator[Finding]:
    yield _kubernetes(facts.version)
    yield from tekton.judge(facts.tekton)
    yield _pod_security(facts.enforces_pod_security)
    yield _seccomp(facts.seccomp_defaults)
    yield _storage(facts.storage_classes)
    yield _network(facts.enforces_network_policies)
    yield from _registry("from here", facts.registry, option="--registry")
    yield from _registry("from a node", facts.pull_registry, option="--pull-registry")
    yield from _rights(facts.missing_rights)


def _kubernetes(version: str) -> Finding:
    numbers = tekton.numbers_of(version)
    wanted = "{}.{}".format(*OLDEST)
    if numbers is None:
        return Finding(area=Area.KUBERNETES, what="version", state=State.UNKNOWN, found=f"it calls itself '{version}'")
    if numbers < OLDEST:
        remedy = f"use a cluster of Kubernetes {wanted} or later"
        return Finding(area=Area.KUBERNETES, what="version", state=State.MISSING, found=version, remedy=remedy)
    return Finding(area=Area.KUBERNETES, what="version", state=State.OK, found=version)


def _pod_security(found: Known[bool], /) -> Finding:
    what = "admission"
    if isinstance(found, Unknown):
        return Finding(area=Area.POD_SECURITY, what=what, state=State.UNKNOWN, found=found.reason)
    if found:
        return Finding(area=Area.POD_SECURITY, what=what, state=State.OK, found="labels of namespaces are enforced")
    return Finding(
        area=Area.POD_SECURITY,
        what=what,
        state=State.COSTS,
        found="labels of namespaces do nothing",
        cost="jobs' own pods meet `restricted`, but nothing keeps other pods of an environment from more",
        remedy="switch on the admission plug-in PodSecurity of the API server",
    )


def _seccomp(found: Mapping[str, bool] | Unknown) -> Finding:
    what = "seccompDefault of kubelets"
    if isinstance(found, Unknown):
        return Finding(area=Area.POD_SECURITY, what=what, state=State.UNKNOWN, found=found.reason)
    nodes = sorted(name for name, is_set in found.items() if is_set)
    if not nodes:
        return Finding(area=Area.POD_SECURITY, what=what, state=State.OK, found="false: builds may unshare namespaces")
    return Finding(
        area=Area.POD_SECURITY,
        what=what,
        state=State.COSTS,
        found=f"true on {', '.join(nodes[:_SHOWN])}" + (f" and {len(nodes) - _SHOWN} more" if nodes[_SHOWN:] else ""),
        cost="images cannot be built there: buildah needs unshare(2), which the runtime's profile refuses",
        remedy="load the images by `modelops bundle load` and set global.build.enabled=false",
    )


def _storage(found: Mapping[str, bool] | Unknown) -> Finding:
    what = "default StorageClass"
    if isinstance(found, Unknown):
        return Finding(area=Area.STORAGE, what=what, state=State.UNKNOWN, found=found.reason)
    defaults = sorted(name for name, is_default in found.items() if is_default)
    if defaults:
        return Finding(area=Area.STORAGE, what=what, state=State.OK, found=", ".join(defaults))
    others = ", ".join(sorted(found)) or "none at all"
    return Finding(
        area=Area.STORAGE,
        what=what,
        state=State.MISSING,
        found=f"none (there is: {others})",
        cost="the modelops server waits for its volume for ever",
        remedy="mark a class as default, or name one by modelops-server.persistence.storageClass",
    )


def _network(found: Known[bool], /) -> Finding:
    what = "enforcement"
    if isinstance(found, Unknown):
        return Finding(area=Area.NETWORK, what=what, state=State.UNKNOWN, found=found.reason)
    if found:
        return Finding(
            area=Area.NETWORK, what=what, state=State.OK, found="a pod that may reach nothing reaches nothing"
        )
    return Finding(
        area=Area.NETWORK,
        what=what,
        state=State.COSTS,
        found="a pod that may reach nothing reaches the API server",
        cost="code of models can reach whatever the cluster's network reaches",
        remedy="use a network plug-in that enforces NetworkPolicies (Calico, Cilium, Antrea, kube-router …)",
    )


def _registry(what: str, found: Registry | None, *, option: str) -> Iterator[Finding]:
    if found is None:
        reason = f"not tried; name it with {option}"
        yield Finding(area=Area.REGISTRY, what=what, state=State.UNKNOWN, found=reason)
    elif isinstance(found.failure, Unknown):
        yield Finding(area=Area.REGISTRY, what=what, state=State.UNKNOWN, found=f"{found.host}: {found.failure.reason}")
    elif found.failure:
        remedy = "images are built into it and pulled from it: start it, or name another"
        yield Finding(
            area=Area.REGISTRY, what=what, state=State.MISSING, found=f"{found.host}: {found.failure}", remedy=remedy
        )
    else:
        yield Finding(area=Area.REGISTRY, what=what, state=State.OK, found=f"{found.host} answers")


def _rights(missing: frozenset[Right] | Unknown) -> Iterator[Finding]:
    """One finding for each kind and place in which something is missing."""
    if isinstance(missing, Unknown):
        yield Finding(area=Area.RIGHTS, what="helm install", state=State.UNKNOWN, found=missing.reason)
        return
    if not missing:
        found = "everything that `helm install charts/modelops` does is allowed"
        yield Finding(area=Area.RIGHTS, what="helm install", state=State.OK, found=found)
    ordered = sorted(missing)
    for (namespace, kind), group in groupby(ordered, key=lambda right: (right.namespace, right.kind)):
        verbs = ", ".join(right.verb for right in group)
        where = f"in namespace {namespace}" if namespace else "in the whole cluster"
        yield Finding(
            area=Area.RIGHTS,
            what=kind,
            state=State.MISSING,
            found=f"you may not {verbs} {where}",
            remedy="install as an administrator, or have these rights given to you",
        )

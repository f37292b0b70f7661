"""An environment as people see it: a projection of what is in its namespace. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from scheduler import names
from scheduler.environments import claims
from scheduler.environments.claims import State
from scheduler.model.types import Manifest
from scheduler.tekton import view
from scheduler.tekton.task_facts import condition_of

_OF_JOBS: Final = "modelops-jobs"
"""The ResourceQuota of the pods of jobs; chart: `modelops.quota`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Amount:
    """Of one resource of a quota, as Kubernetes writes quantities."""

    used: str
    hard: str

    def __str__(self) -> str:
        return f"{self.used}/{self.hard}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What is in a namespace. None: whoever looked may not see objects of that kind."""

    namespace: Manifest
    runs: Iterable[Manifest] | None
    quotas: Iterable[Manifest] | None
    accounts: Iterable[Manifest] | None
    pipelines: Iterable[Manifest] | None = None
    channels: Iterable[Manifest] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """None stands for what may not be seen."""

    name: str
    platform: str
    state: State | None
    pod_security: str
    """What Kubernetes enforces; empty: nothing."""
    labels: Mapping[str, str]
    jobs: tuple[str, ...] | None
    """Those that are not finished."""
    quotas: Mapping[str, Mapping[str, Amount]] | None
    """Quota -> resource -> amount."""
    accounts: tuple[str, ...] | None
    pipelines: tuple[str, ...] | None
    """Versions of the Pipeline of jobs."""
    channels: tuple[str, ...] | None

    @property
    def pods(self) -> Amount | None:
        """Pods of jobs against their quota."""
        return (self.quotas or {}).get(_OF_JOBS, {}).get("pods")

    def summary(self) -> dict[str, object]:
        """For programs, a line of a list."""
        return {
            "namespace": self.name,
            "platform": self.platform,
            "state": self.state.value if self.state else None,
            "jobs": None if self.jobs is None else len(self.jobs),
            "pods": _amount(self.pods) if self.pods else None,
            "podSecurity": self.pod_security,
        }

    def document(self) -> dict[str, object]:
        """For programs, all of it."""
        quotas = None
        if self.quotas is not None:
            quotas = {
                name: {resource: _amount(amount) for resource, amount in of_quota.items()}
                for name, of_quota in self.quotas.items()
            }
        return {
            "namespace": self.name,
            "platform": self.platform,
            "state": self.state.value if self.state else None,
            "podSecurity": self.pod_security,
            "labels": self.labels,
            "jobs": self.jobs,
            "quotas": quotas,
            "accounts": self.accounts,
            "pipelines": self.pipelines,
            "channels": self.channels,
        }


def project(facts: Facts) -> Environment:
    """Lists are in the order of names; of a quota that has no status yet nothing is used."""
    accounts = _named(facts.accounts)
    labels = claims.labels_of(facts.namespace)
    return Environment(
        name=facts.namespace["metadata"]["name"],
        platform=claims.owner_of(facts.namespace),
        state=None if accounts is None else claims.state(facts.namespace, accounts=accounts),
        pod_security=labels.get(claims.POD_SECURITY, ""),
        labels=labels,
        jobs=None if facts.runs is None else unfinished(facts.runs),
        quotas=None if facts.quotas is None else {_name(one): _amounts(one) for one in facts.quotas},
        accounts=accounts,
        pipelines=_named(facts.pipelines),
        channels=None if facts.channels is None else tuple(sorted(map(_channel, facts.channels))),
    )


def unfinished(runs: Iterable[Manifest]) -> tuple[str, ...]:
    """The jobs whose runs have not ended."""
    return tuple(sorted(_name(run) for run in runs if not condition_of(run).is_final))


def _amounts(quota: Manifest) -> dict[str, Amount]:
    hard = view.mapping(quota, "status", "hard") or view.mapping(quota, "spec", "hard")
    used = view.mapping(quota, "status", "used")
    return {name: Amount(used=str(used.get(name, "0")), hard=str(most)) for name, most in hard.items()}


def _amount(amount: Amount) -> dict[str, str]:
    return {"used": amount.used, "hard": amount.hard}


def _named(manifests: Iterable[Manifest] | None) -> tuple[str, ...] | None:
    return None if manifests is None else tuple(sorted(_name(manifest) for manifest in manifests))


def _name(manifest: Manifest) -> str:
    return str(manifest["metadata"]["name"])


def _channel(manifest: Manifest) -> str:
    return view.text(manifest, "metadata", "labels", names.DATA_CHANNEL)

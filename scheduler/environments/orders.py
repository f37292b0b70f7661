"""What is wrong with an order to add or remove an environment. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from scheduler import names
from scheduler.environments import claims
from scheduler.environments.claims import Claim
from scheduler.environments.platform import Platform
from scheduler.errors import ConflictError, InvalidInputError, NotFoundError
from scheduler.model.problem import Problem
from scheduler.model.types import Manifest
from scheduler.tekton import prerequisite

CLUSTERS_OWN: Final = frozenset({"default", "kube-system", "kube-public", "kube-node-lease", prerequisite.NAMESPACE})
"""Namespaces that never become environments; chart: `modelops.complaints.clustersOwn`."""
_SHOWN_JOBS: Final = 10


def check_name(platform: Platform, environment: str) -> None:
    """InvalidInputError when no environment of the platform may ever have that name."""
    problems = [Problem(pointer=environment, message=message) for message in _faults(platform, environment)]
    if problems:
        raise InvalidInputError(problems, summary="this cannot become an environment")


def check_chart(platform: Platform, at_hand: str) -> None:
    """ConflictError unless the chart at hand is the installed one: an environment is no occasion to upgrade."""
    if platform.chart != at_hand:
        raise ConflictError(
            f"the release '{platform.release}' is installed from {platform.chart}, and the chart at hand is {at_hand}: "
            f"name the installed one by --chart, or upgrade the platform first (helm -n {platform.namespace} upgrade "
            f"{platform.release} …)"
        )


def check_namespace(
    platform: Platform, environment: str, found: Manifest | None, *, residents: Sequence[str], is_adopted: bool
) -> None:
    """ConflictError unless the namespace, None where there is none, may become an environment of the platform.

    `residents` are the other platforms that have accounts in it.
    """
    claim = claims.claim(found, platform=platform.label)
    if claim is Claim.GOING:
        raise ConflictError(f"the namespace '{environment}' is being deleted; try again when it is gone")
    if claim is Claim.OTHERS and found is not None:
        owner = claims.owner_of(found)
        raise ConflictError(
            f"{_belongs(platform, environment, owner)}; where {owner} is gone for good: kubectl label namespace "
            f"{environment} {names.PLATFORM}-"
        )
    if residents:
        raise ConflictError(f"{_belongs(platform, environment, residents[0])}, whose ServiceAccounts are there")
    if not platform.makes_namespaces:
        _check_prepared(platform, environment, found)
    elif claim is Claim.FREE:
        _check_adoption(platform, environment, is_adopted=is_adopted)


def _belongs(platform: Platform, environment: str, owner: str) -> str:
    return (
        f"the namespace '{environment}' belongs to the platform {owner}; a namespace belongs to one platform (this "
        f"one is {platform.label})"
    )


def check_removal(platform: Platform, environment: str) -> None:
    """NotFoundError when it is no environment of the platform, ConflictError when it is its only one."""
    if environment not in platform.environments:
        there = ", ".join(platform.environments)
        raise NotFoundError(f"'{environment}' is no environment of {platform.label} (there are {there})")
    if len(platform.environments) == 1:
        raise ConflictError(
            f"'{environment}' is the only environment of {platform.label}, and a platform needs one; add another "
            "first, or uninstall the platform"
        )


def check_jobs(environment: str, unfinished: Sequence[str], *, leaked: Sequence[str]) -> None:
    """ConflictError when there are any: they could not go on without what the environment gives them.

    `leaked` are jobs that have left something; nobody could remove it any more.
    """
    if unfinished:
        raise ConflictError(
            f"'{environment}' has {_jobs('unfinished', unfinished)}; wait for them or cancel them, or give --force: "
            "without the environment's accounts they fail, and nobody removes what they have started"
        )
    if leaked:
        raise ConflictError(
            f"'{environment}' has what is left of {_jobs('ended', leaked)}; wait for the janitor, or run `modelops job "
            f"cleanup --environment {environment}`, or give --force: without the environment's accounts it stays for "
            "good"
        )


def _jobs(what: str, jobs: Sequence[str]) -> str:
    more = len(jobs) - _SHOWN_JOBS
    listed = ", ".join(jobs[:_SHOWN_JOBS]) + (f" and {more} more" if more > 0 else "")
    return f"{len(jobs)} {what} job{'' if len(jobs) == 1 else 's'}: {listed}"


def _faults(platform: Platform, environment: str) -> Iterator[str]:
    if not names.is_namespace(environment):
        yield f"a namespace has {names.NAMESPACE_FORM}"
    if environment == platform.namespace:
        yield "it is the platform's own namespace; jobs run in namespaces of their own"
    if environment == platform.builds:
        yield "it is the namespace of the platform's builds; jobs run in namespaces of their own"
    if environment in CLUSTERS_OWN:
        yield "it is the cluster's own namespace; jobs run in namespaces of their own"


def _check_prepared(platform: Platform, environment: str, found: Manifest | None) -> None:
    wanted = claims.needed(environment, platform=platform.label)
    have = claims.labels_of(found) if found is not None else {}
    lacking = {key: value for key, value in wanted.items() if have.get(key) != value}
    if lacking and platform.is_prepared:
        raise ConflictError(
            f"'{environment}' is not prepared for {platform.label}; a cluster administrator adds it to the release of "
            f"prerequisites first: modelops environment add {environment} --namespace {platform.namespace} --release "
            "PREREQUISITES"
        )
    if lacking:
        created = "" if found is not None else f"kubectl create namespace {environment} && "
        marks = " ".join(f"{key}={value}" for key, value in lacking.items())
        raise ConflictError(
            f"namespaces of {platform.label} are made by somebody else (its values say environment.create: false), and "
            f"'{environment}' is not prepared: {created}kubectl label --overwrite namespace {environment} {marks}"
        )


def _check_adoption(platform: Platform, environment: str, *, is_adopted: bool) -> None:
    if not is_adopted:
        marks = " ".join(f"{key}={value}" for key, value in claims.needed(environment, platform=platform.label).items())
        raise ConflictError(
            f"the namespace '{environment}' is there and belongs to no platform; with --adopt it becomes an "
            f"environment, with the labels {marks}, quotas, and a NetworkPolicy for all its pods"
        )
    if not platform.keeps_namespaces:
        raise ConflictError(
            f"the namespace '{environment}' cannot be adopted while the platform's values say environment.keep: false: "
            "it would be deleted, with all that is in it, with the environment; set environment.keep: true first"
        )

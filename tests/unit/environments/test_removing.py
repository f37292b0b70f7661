"""Removing an environment: what is done, what stays, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest

from scheduler.cluster.fake import FakeCluster
from scheduler.environments import changing
from scheduler.environments.changing import Done, Ports
from scheduler.errors import ConflictError, ForbiddenError, NotFoundError, SchedulerError
from scheduler.helm.fake import FakeHelm
from scheduler.model.types import Values
from tests.unit.environments import objects
from tests.unit.environments.objects import JOB, NAMESPACE, RELEASE

TWO: Values = {"global": {"size": "small", "environments": ["staging", "production"]}}


def remove(ports: Ports, environment: str = "production", *, is_forced: bool = False) -> Done:
    platform = changing.read(RELEASE, namespace=NAMESPACE, ports=ports)
    return changing.remove(platform, environment, is_forced=is_forced, ports=ports)


def helm_of(ports: Ports) -> FakeHelm:
    assert isinstance(ports.helm, FakeHelm)
    return ports.helm


def refused(ports: Ports, error: type[SchedulerError], **given: Any) -> str:
    """What it says; nothing has been changed."""
    with pytest.raises(error) as refusal:
        remove(ports, **given)
    assert ("upgrade", RELEASE) not in helm_of(ports).calls
    return str(refusal.value)


def test_the_values_have_one_name_less_and_what_stays_is_told() -> None:
    ports = objects.ports(TWO)
    ports.cluster.create(objects.job(JOB, "staging"))

    done = remove(ports)

    assert helm_of(ports).releases[NAMESPACE, RELEASE].values == {
        "global": {"size": "small", "environments": ["staging"]}
    }
    assert done.is_changed
    assert "its namespace stays with jobs, channels and data" in done.words
    assert "kubectl delete namespace production" in done.words


def test_a_namespace_that_is_not_kept_goes() -> None:
    done = remove(objects.ports({**TWO, "environment": {"keep": False}}))

    assert "is being deleted with all that is in it" in done.words


def test_a_namespace_that_others_made_stays_whatever_is_kept() -> None:
    done = remove(objects.ports({**TWO, "environment": {"keep": False, "create": False}}))

    assert "its namespace stays" in done.words


def test_what_is_no_environment_is_told_with_those_that_are() -> None:
    said = refused(objects.ports(TWO), NotFoundError, environment="other")

    assert said == "'other' is no environment of scoring.one (there are staging, production)"


@pytest.mark.parametrize("is_forced", [False, True])
def test_the_last_one_stays(*, is_forced: bool) -> None:
    said = refused(objects.ports(), ConflictError, environment="staging", is_forced=is_forced)

    assert "the only environment of scoring.one" in said


def test_unfinished_jobs_are_listed() -> None:
    ports = objects.ports(TWO)
    ports.cluster.create(objects.job("jcccccccccccccccccccc", "production"))
    objects.furnish(_cluster(ports), "production")

    said = refused(ports, ConflictError)

    assert f"has 2 unfinished jobs: {JOB}, jcccccccccccccccccccc; wait for them" in said


def test_of_very_many_jobs_some_are_listed_and_all_counted() -> None:
    ports = objects.ports(TWO)
    for number in range(12):
        ports.cluster.create(objects.job(f"j{number:020d}", "production"))

    said = refused(ports, ConflictError)

    assert "has 12 unfinished jobs: j" in said
    assert "j00000000000000000009 and 2 more;" in said


def test_finished_jobs_hold_nothing_up() -> None:
    ports = objects.ports(TWO)
    for status in ("True", "False"):
        _cluster(ports).put(objects.job(f"j{status.lower()}", "production", status=status))

    assert remove(ports).is_changed


@pytest.mark.parametrize("kind", ["Deployment", "Job"])
def test_what_jobs_have_left_is_removed_first(kind: str) -> None:
    ports = objects.ports(TWO)
    _cluster(ports).put(objects.job(JOB, "production", status="False"))
    _cluster(ports).put(objects.of_release(kind, JOB, "production"))

    said = refused(ports, ConflictError)

    assert said.startswith(
        f"'production' has what is left of 1 ended job: {JOB}; wait for the janitor, or run `modelops"
    )
    assert "job cleanup --environment production`, or give --force" in said
    assert remove(ports, is_forced=True).is_changed


def test_unfinished_jobs_hold_nothing_up_by_force_and_the_chart_is_told() -> None:
    ports = objects.ports(TWO)
    ports.cluster.create(objects.job(JOB, "production"))

    assert remove(ports, is_forced=True).is_changed
    assert helm_of(ports).releases[NAMESPACE, RELEASE].values == {
        "global": {"size": "small", "environments": ["staging"]},
        "environment": {"abandoned": ["production"]},
    }


def test_what_was_prepared_stays_until_an_administrator_takes_it_back() -> None:
    done = remove(objects.ports({"global": {"environments": ["staging", "production"], "prerequisites": "exclude"}}))

    assert done.words.endswith("modelops environment remove production --namespace scoring --release PREREQUISITES")


def test_jobs_that_may_not_be_seen_may_be_unfinished() -> None:
    cluster = objects.Shy()
    cluster.hidden = frozenset({"PipelineRun"})

    refused(objects.ports(TWO, cluster=cluster), ForbiddenError)


def test_the_installed_version_is_kept() -> None:
    assert "installed from modelops-9.9.9" in refused(objects.ports(TWO, of="modelops-9.9.9"), ConflictError)


def _cluster(ports: Ports) -> FakeCluster:
    assert isinstance(ports.cluster, FakeCluster)
    return ports.cluster

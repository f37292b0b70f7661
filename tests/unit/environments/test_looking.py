"""What is seen of environments, by whoever may see it."""

from __future__ import annotations

import pytest

from scheduler import names
from scheduler.cluster.fake import FakeCluster
from scheduler.environments import looking
from scheduler.environments.claims import POD_SECURITY, State
from scheduler.environments.view import Amount
from scheduler.errors import NotFoundError
from tests.unit.environments import objects
from tests.unit.environments.objects import JOB, PLATFORM


def test_environments_of_all_platforms_are_listed_and_nothing_else() -> None:
    cluster = FakeCluster()
    for name, platform in (("z", "a.one"), ("staging", "b.two"), ("production", "b.two")):
        objects.furnish(cluster, name, platform=platform)
    cluster.put(objects.namespace("other"))

    found = looking.listed(cluster=cluster)

    assert [(one.platform, one.name) for one in found] == [
        ("a.one", "z"),
        ("b.two", "production"),
        ("b.two", "staging"),
    ]
    assert [(one.state, one.jobs, one.pods, one.pod_security) for one in found] == [
        (State.READY, (JOB,), Amount(used="3", hard="20"), "restricted")
    ] * 3


def test_without_its_accounts_it_is_kept() -> None:
    cluster = FakeCluster()
    cluster.put(objects.namespace("staging", platform=PLATFORM))
    cluster.put(objects.account(names.RUNNER_ACCOUNT, "staging"))

    [found] = looking.listed(cluster=cluster)

    assert (found.state, found.jobs, found.pods) == (State.KEPT, (), None)


def test_a_namespace_that_is_being_deleted_is_going() -> None:
    cluster = FakeCluster()
    objects.furnish(cluster, "staging")
    cluster.set_status("Namespace", "staging", "", {"phase": "Terminating"})

    assert looking.shown("staging", cluster=cluster).state is State.GOING


def test_all_of_one_is_shown() -> None:
    cluster = FakeCluster()
    objects.furnish(cluster, "staging")

    found = looking.shown("staging", cluster=cluster)

    assert found.document() == {
        "namespace": "staging",
        "platform": PLATFORM,
        "state": "ready",
        "podSecurity": "restricted",
        "labels": {names.ENVIRONMENT: "staging", names.PLATFORM: PLATFORM, POD_SECURITY: "restricted"},
        "jobs": (JOB,),
        "quotas": {
            "modelops-jobs": {
                "pods": {"used": "3", "hard": "20"},
                "requests.cpu": {"used": "1500m", "hard": "2"},
            },
            "modelops-tasks": {"pods": {"used": "0", "hard": "7"}},
        },
        "accounts": ("default", names.RUNNER_ACCOUNT, names.SCORING_ACCOUNT),
        "pipelines": (names.PIPELINE_NAME,),
        "channels": ("flights", "results"),
    }


def test_what_may_not_be_seen_hides_nothing_else() -> None:
    cluster = objects.Shy()
    objects.furnish(cluster, "staging")
    cluster.hidden = frozenset({"PipelineRun", "ServiceAccount", "ResourceQuota", "ConfigMap", "Pipeline"})

    found = looking.shown("staging", cluster=cluster)

    assert (found.state, found.jobs, found.quotas, found.pods) == (None, None, None, None)
    assert (found.accounts, found.pipelines, found.channels) == (None, None, None)
    assert found.platform == PLATFORM


def test_what_is_no_environment_is_told() -> None:
    cluster = FakeCluster()
    cluster.put(objects.namespace("other"))

    with pytest.raises(NotFoundError, match="there is no namespace 'none'"):
        looking.shown("none", cluster=cluster)
    with pytest.raises(NotFoundError, match=f"'other' is no environment: it lacks the label {names.ENVIRONMENT}"):
        looking.shown("other", cluster=cluster)

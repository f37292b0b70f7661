"""A submit whose server is killed: in each gap beside a call to the API server, one job is made and none is lost."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Final

import pytest

from scheduler import names
from scheduler.cli.configuration import Login
from scheduler.cluster.faults import Gap
from scheduler.cluster.kubernetes import KubernetesCluster
from scheduler.demo.installation import ENVIRONMENT, Platform
from scheduler.errors import UnavailableError
from scheduler.model.job import JobState, Reason
from tests import gaps
from tests.e2e import cuts, recipes, replicas, support, throttle
from tests.e2e.cuts import Cut
from tests.e2e.recipes import Recipe
from tests.e2e.replicas import Replicas
from tests.e2e.support import Jobs

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]

IDLE: Final = Recipe(name="idle")
"""Its jobs are made and never started."""
LIVE: Final = {gap: Recipe(name=f"cut-{number}") for number, gap in enumerate(gaps.that_differ(gaps.after_commit()))}
KEYS: Final = 100
SUBMITS: Final = 1_000
AT_ONCE: Final = 50
THROTTLED_KEYS: Final = 10
THROTTLED_AT_ONCE: Final = 12


@pytest.fixture(scope="module")
def mortal(
    platform: Platform, login: Login, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Replicas, ...]]:
    """Two processes that start replicas, so that two kills go on at once."""
    with ExitStack() as stack:
        folders = [tmp_path_factory.mktemp("replicas") for _ in range(2)]
        yield tuple(stack.enter_context(replicas.started(platform, login, folder)) for folder in folders)


@pytest.fixture(scope="module")
def idle(jobs: Jobs, mortal: tuple[Replicas, ...]) -> Mapping[str, object]:
    """An order whose flow and chart every replica knows."""
    jobs.upload(IDLE.artifact, sha256=IDLE.sha256)
    order = support.order(IDLE)
    for one in mortal:
        one.warm(order)
    return order


def test_a_retry_after_a_kill_in_any_gap_makes_exactly_one_job(
    jobs: Jobs,
    idle: Mapping[str, object],
    mortal: tuple[Replicas, ...],
    cluster: KubernetesCluster,
    platform: Platform,
) -> None:
    """The retry goes to another server. Where the run was made already, it finds that one."""
    keys = {gap: uuid.uuid4().hex for gap in gaps.of_submit()}
    ids = {gap: names.job_id(namespace=ENVIRONMENT, key=key) for gap, key in keys.items()}

    def act(number: int) -> dict[Gap, Cut]:
        mine = list(keys.items())[number :: len(mortal)]
        one = mortal[number]
        return {gap: cuts.cut(gap, key=key, order=idle, replicas=one, cluster=cluster) for gap, key in mine}

    try:
        with cuts.held(platform), ThreadPoolExecutor(len(mortal)) as threads:
            cut = {gap: found for part in threads.map(act, range(len(mortal))) for gap, found in part.items()}
            answers = {gap: cuts.start(jobs.client, idle, key=key) for gap, key in keys.items()}
            wrong = cuts.complaints({ids[gap]: cut[gap].uid for gap in keys}, cluster=cluster)
    finally:
        cuts.remove(ids.values(), platform=platform)
    assert {found.status for found in cut.values()} == {cuts.EXIT}
    made = {gap for gap, found in cut.items() if found.uid}
    assert made == set(gaps.after_commit()) == {gap for gap, (_, is_new) in answers.items() if not is_new}
    assert {gap: job["id"] for gap, (job, _) in answers.items()} == ids
    assert wrong == []


def test_a_thousand_submits_of_a_hundred_keys_make_a_hundred_jobs(
    jobs: Jobs,
    idle: Mapping[str, object],
    mortal: tuple[Replicas, ...],
    cluster: KubernetesCluster,
    platform: Platform,
) -> None:
    """Over two replicas at once, in no order."""
    keys = [uuid.uuid4().hex for _ in range(KEYS)]
    ids = {names.job_id(namespace=ENVIRONMENT, key=key) for key in keys}
    second = mortal[0].start()
    try:
        with cuts.held(platform), mortal[0].client(second) as other, ThreadPoolExecutor(AT_ONCE) as threads:
            servers = (jobs.client, other)
            answers = list(
                threads.map(
                    lambda number: cuts.start(servers[number // KEYS % 2], idle, key=keys[number % KEYS]),
                    range(SUBMITS),
                )
            )
            wrong = cuts.complaints(dict.fromkeys(ids, ""), cluster=cluster)
    finally:
        mortal[0].kill(second)
        cuts.remove(ids, platform=platform)
    assert Counter(job["id"] for job, _ in answers) == dict.fromkeys(ids, SUBMITS // KEYS)
    assert Counter(job["id"] for job, is_new in answers if is_new) == dict.fromkeys(ids, 1), "one answer each is 201"
    assert wrong == []


def test_throttled_submits_are_told_when_to_come_again_and_make_one_job_each(
    jobs: Jobs,
    idle: Mapping[str, object],
    mortal: tuple[Replicas, ...],
    cluster: KubernetesCluster,
    platform: Platform,
) -> None:
    """The API server itself refuses most calls of both replicas with 429."""
    keys = [uuid.uuid4().hex for _ in range(THROTTLED_KEYS)]
    ids = {names.job_id(namespace=ENVIRONMENT, key=key) for key in keys}
    refused: list[UnavailableError] = []
    second = mortal[0].start()
    try:
        with (
            cuts.held(platform),
            throttle.throttled(platform, account=replicas.ACCOUNT),
            mortal[0].client(second) as other,
            ThreadPoolExecutor(THROTTLED_AT_ONCE) as threads,
        ):
            sent = [(client, key) for key in keys for client in (jobs.client, other) * 2]
            answers = list(threads.map(lambda item: cuts.start(item[0], idle, key=item[1], told=refused.append), sent))
            wrong = cuts.complaints(dict.fromkeys(ids, ""), cluster=cluster)
    finally:
        mortal[0].kill(second)
        cuts.remove(ids, platform=platform)
    assert any("too many requests" in str(error).lower() for error in refused), refused[:3]
    assert {job["id"] for job, _ in answers} == ids
    # an answer can be lost after its run was made; then every answer says that the job was there
    assert max(Counter(job["id"] for job, is_new in answers if is_new).values()) == 1
    assert wrong == []


def test_a_job_succeeds_without_a_retry_once_its_run_was_made(
    jobs: Jobs, mortal: tuple[Replicas, ...], cluster: KubernetesCluster
) -> None:
    """Another replica's sweep lets it go."""
    for recipe in LIVE.values():
        jobs.give(recipe, recipe.source_of(recipes.rows(10)))
        jobs.upload(recipe.artifact, sha256=recipe.sha256)
    cut = {
        gap: cuts.cut(gap, key=uuid.uuid4().hex, order=support.order(recipe), replicas=mortal[0], cluster=cluster)
        for gap, recipe in LIVE.items()
    }
    assert all(found.uid for found in cut.values())
    assert cuts.settled([found.job_id for found in cut.values()], cluster=cluster) == {
        found.job_id: found.uid for found in cut.values()
    }
    for gap, found in cut.items():
        job = jobs.finish(found.job_id)
        jobs.assert_ended(job, state=JobState.SUCCEEDED, reason=Reason.COMPLETED)
        assert support.ledger(job) == {"read": 10, "written": 10}
        assert len(jobs.lines(LIVE[gap].sink)) == 10

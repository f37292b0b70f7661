"""Submits under kill -9: none is lost and none doubled, however many there are."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Final

import pytest

from scheduler.cli.configuration import Login
from scheduler.cluster.kubernetes import KubernetesCluster
from scheduler.demo.installation import Platform
from tests import gaps
from tests.e2e import cuts, replicas, support
from tests.e2e.recipes import Recipe
from tests.e2e.replicas import Replicas
from tests.e2e.support import Jobs
from tests.prove import massacre, record

pytestmark = pytest.mark.timeout(2 * 3600)

ORDERS: Final = int(os.environ.get("MODELOPS_PROVE_ORDERS", "3000"))
SECONDS: Final = float(os.environ.get("MODELOPS_PROVE_SECONDS", "5400"))
"""No round begins later."""
SEED: Final = int(os.environ.get("MODELOPS_PROVE_SEED", "20261121"))
IDLE: Final = Recipe(name="idle")


@pytest.fixture(scope="module")
def mortal(
    platform: Platform, login: Login, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Replicas, ...]]:
    with ExitStack() as stack:
        folders = [tmp_path_factory.mktemp("replicas") for _ in range(2)]
        yield tuple(stack.enter_context(replicas.started(platform, login, folder)) for folder in folders)


def test_no_job_is_lost_or_doubled_when_its_server_is_killed(
    jobs: Jobs, mortal: tuple[Replicas, ...], cluster: KubernetesCluster, platform: Platform
) -> None:
    jobs.upload(IDLE.artifact, sha256=IDLE.sha256)
    order = support.order(IDLE)
    for one in mortal:
        one.warm(order)
    world = massacre.World(order=order, mortal=mortal, survivor=jobs.client, cluster=cluster, platform=platform)
    toll, chance, began = massacre.Toll(), random.Random(SEED), time.monotonic()
    with cuts.held(platform):
        while toll.orders < ORDERS and time.monotonic() - began < SECONDS and not toll.wrong:
            massacre.played(world, toll, chance=chance)
            print(f"{time.monotonic() - began:.0f} s: {toll}", flush=True)
    seconds = time.monotonic() - began
    figure = f"{toll}; {len(toll.by_gap)} of {len(gaps.of_submit())} gaps, {seconds:.0f} s"
    record.write("Submits whose server is killed (in a chosen gap, or by SIGKILL at any moment)", figure, seeds=[SEED])
    assert toll.wrong == []
    assert toll.orders > 0

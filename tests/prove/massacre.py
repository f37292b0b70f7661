"""Thousands of submits whose server is killed, by seed: in a chosen gap, or by SIGKILL with others at work.

A round sends a handful of orders to one replica that does not survive them. Half of the runs that it left get no retry;
every other order is sent again with its key to the installed server. A round's jobs are then looked at together.
"""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Final

from scheduler import names
from scheduler.client.scheduling import SchedulingClient
from scheduler.cluster.faults import Gap
from scheduler.cluster.port import Cluster
from scheduler.demo.installation import ENVIRONMENT, Platform
from scheduler.errors import UnavailableError
from tests import gaps
from tests.e2e import cuts
from tests.e2e.replicas import Replica, Replicas

AT_ONCE: Final = 6
"""Orders at work on a replica that is killed by a signal."""
_LONGEST_SECONDS: Final = 2.5
"""About what that many submits take on a replica that has just begun, on a busy machine."""
ROUND: Final = 180
"""Orders of one round."""


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """What a round needs."""

    order: Mapping[str, object]
    mortal: tuple[Replicas, ...]
    survivor: SchedulingClient
    cluster: Cluster
    platform: Platform


@dataclass(kw_only=True)
class Toll:
    """What became of all orders so far."""

    orders: int = 0
    kills: int = 0
    answered: int = 0
    """Before the kill came."""
    with_run: int = 0
    """Unanswered, and their run was there."""
    unretried: int = 0
    """Of those: finished by another replica's sweep."""
    wrong: list[str] = field(default_factory=list)
    """Each lost, doubled or half-made job."""
    by_gap: Counter[str] = field(default_factory=Counter)

    lock: threading.Lock = field(default_factory=threading.Lock)

    def count(self, *, kills: int, gap: Gap | None = None, wrong: str = "") -> None:
        """For several threads."""
        with self.lock:
            self.kills += kills
            self.by_gap.update([str(gap)] if gap else [])
            self.wrong += [wrong] if wrong else []

    def __str__(self) -> str:
        return (
            f"{self.orders} orders under {self.kills} kills ({self.answered} answered before, {self.with_run} with a "
            f"run and no answer, {self.unretried} of these not sent again): {len(self.wrong)} lost, doubled, half made"
        )


def played(world: World, toll: Toll, *, chance: random.Random) -> None:
    """One round more."""
    groups = [[f"{chance.getrandbits(128):032x}" for _ in range(AT_ONCE)] for _ in range(ROUND // AT_ONCE)]
    seeded = [(keys, chance.getrandbits(32)) for keys in groups]
    keys = [key for group in groups for key in group]
    try:
        with ThreadPoolExecutor(len(world.mortal)) as threads:
            count = len(world.mortal)
            parts = [
                threads.submit(_killed, world, toll, one, seeded[at::count]) for at, one in enumerate(world.mortal)
            ]
            answered = {key for part in parts for key in part.result()}
        _finished(world, toll, keys, answered, chance=chance)
    finally:
        cuts.remove([names.job_id(namespace=ENVIRONMENT, key=key) for key in keys], platform=world.platform)


def _killed(world: World, toll: Toll, replicas: Replicas, part: Sequence[tuple[list[str], int]]) -> set[str]:
    """Send each group to replicas that die of it; the keys that were answered before."""
    answered: set[str] = set()
    for keys, seed in part:
        chance = random.Random(seed)
        if chance.random() < 0.5:
            answered |= _by_signal(world, replicas, keys, chance)
            toll.count(kills=1)
        else:
            for key in keys:
                # there are more gaps before the run is made than after it
                side = chance.choice((gaps.before_commit(), gaps.after_commit()))
                _in_gap(world, toll, replicas, key, chance.choice(side))
    return answered


def _in_gap(world: World, toll: Toll, replicas: Replicas, key: str, gap: Gap) -> None:
    cut = cuts.cut(gap, key=key, order=world.order, replicas=replicas, cluster=world.cluster)
    is_right = cut.status == cuts.EXIT and bool(cut.uid) == (gap in gaps.after_commit())
    toll.count(kills=1, gap=gap, wrong="" if is_right else f"{cut} in {gap}")


def _by_signal(world: World, replicas: Replicas, keys: list[str], chance: random.Random) -> set[str]:
    replica = replicas.start()
    with ThreadPoolExecutor(len(keys)) as threads:
        sent = {key: threads.submit(_is_answered, replicas, replica, world.order, key) for key in keys}
        time.sleep(chance.uniform(0, _LONGEST_SECONDS))
        replicas.kill(replica)
        return {key for key, answer in sent.items() if answer.result()}


def _is_answered(replicas: Replicas, replica: Replica, order: Mapping[str, object], key: str) -> bool:
    with replicas.client(replica) as client:
        try:
            client.start(order, key=key)
        except UnavailableError:
            return False
        return True


def _finished(world: World, toll: Toll, keys: Sequence[str], answered: set[str], *, chance: random.Random) -> None:
    """Retry what must be retried, wait for the sweep, and look at every job."""
    runs = {run["metadata"]["name"]: run["metadata"]["uid"] for run in world.cluster.list("PipelineRun", ENVIRONMENT)}
    ids = {key: names.job_id(namespace=ENVIRONMENT, key=key) for key in keys}
    with_run = [key for key in keys if ids[key] in runs]
    left_alone = {key for key in with_run if chance.random() < 0.5}
    again = [key for key in keys if key not in left_alone]
    lost = [key for key in answered if ids[key] not in runs]
    toll.wrong += [f"{ids[key]}: answered, and no run" for key in lost]
    with ThreadPoolExecutor(4) as threads:
        made = dict(
            zip(again, threads.map(lambda key: cuts.start(world.survivor, world.order, key=key), again), strict=True)
        )
    toll.wrong += [f"{ids[key]}: made again" for key, (_, is_new) in made.items() if is_new and ids[key] in runs]
    toll.wrong += [f"{ids[key]}: answered as {job['id']}" for key, (job, _) in made.items() if job["id"] != ids[key]]
    cuts.settled(ids.values(), cluster=world.cluster)
    toll.wrong += cuts.complaints({ids[key]: runs.get(ids[key], "") for key in keys}, cluster=world.cluster)
    toll.orders += len(keys)
    toll.answered += len(answered)
    toll.with_run += len(set(with_run) - answered)
    toll.unretried += len(left_alone - answered)

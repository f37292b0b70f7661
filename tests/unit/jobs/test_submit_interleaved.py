"""Several replicas and retries submit with one key, call by call in any order, and any of them is killed anywhere."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

from hypothesis import given, settings
from hypothesis import strategies as st

from scheduler import names
from scheduler.cluster import faults
from scheduler.cluster.faults import Gap
from scheduler.errors import ConflictError
from scheduler.jobs import submit, sweep
from scheduler.jobs.order import Order
from scheduler.jobs.submit import Submitted
from tests.unit import world
from tests.unit.faulty import Killed
from tests.unit.jobs import snapshot
from tests.unit.world import ENVIRONMENT, World

KEY: Final = "k"
BODIES: Final = (world.order(), world.order(labels={"other": "body"}))
SUBMITS: Final = 4
LIMIT_SECONDS: Final = 30

_ACTS: Final = st.one_of(
    st.tuples(st.just("step"), st.integers(0, SUBMITS - 1), st.integers(1, 14)),
    st.tuples(st.sampled_from(["step", "kill", "sweep"]), st.integers(0, SUBMITS - 1), st.just(1)),
)
"""What is done, to which submit, and how often; a whole submit is about fourteen steps."""
_PLAN: Final = st.lists(_ACTS, min_size=2, max_size=20)


@dataclass
class Turn:
    """One submit in a thread of its own, which goes no further than from one gap to the next."""

    here: World
    order: Order
    made: Submitted | None = None
    is_refused: bool = False
    fault: BaseException | None = None
    is_killed: bool = False
    _go: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    _arrived: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))

    def __post_init__(self) -> None:
        self._thread = threading.Thread(target=self._submit, daemon=True)
        self._thread.start()
        assert self._arrived.acquire(timeout=LIMIT_SECONDS)

    @property
    def is_over(self) -> bool:
        return not self._thread.is_alive()

    def step(self) -> None:
        """Let it go on to its next gap, or to its end."""
        if not self.is_over:
            self._go.release()
            assert self._arrived.acquire(timeout=LIMIT_SECONDS)
        if self.made or self.is_refused or self.is_killed or self.fault:
            self._thread.join(LIMIT_SECONDS)

    def kill(self) -> None:
        if not self.is_over:
            self.is_killed = True
            self.step()

    def _submit(self) -> None:
        cluster = faults.tapped(self.here.cluster, self._wait)
        try:
            self.made = submit.submit(self.order, key=KEY, by="ada", ports=self.here.on(cluster))
        except ConflictError:
            self.is_refused = True
        except Killed:
            self.is_killed = True
        except BaseException as error:  # noqa: BLE001 - told by the test
            self.fault = error
        finally:
            self._arrived.release()

    def _wait(self, gap: Gap) -> None:
        del gap
        self._arrived.release()
        self._go.acquire()
        if self.is_killed:
            raise Killed


def swept(here: World, *, seconds: float) -> None:
    now = datetime.now(UTC) + timedelta(seconds=seconds)
    sweep.runs([ENVIRONMENT], board=snapshot.board(here.cluster), cluster=here.cluster, now=now)


def played(here: World, turns: list[Turn], plan: list[tuple[str, int, int]]) -> set[str]:
    """Play the plan; the uids of every run that was ever seen."""
    seen: set[str] = set()
    for act, number, times in plan:
        if act == "step":
            for _ in range(times):
                turns[number].step()
        elif act == "kill":
            turns[number].kill()
        else:
            swept(here, seconds=20)
        seen |= {run["metadata"]["uid"] for run in here.runs()}
    return seen


@settings(max_examples=100, deadline=None, derandomize=True)
@given(plan=_PLAN, bodies=st.sampled_from([(0, 0, 0, 0), (0, 1, 0, 1)]), is_survived=st.booleans())
def test_one_key_makes_one_job_in_any_order_of_calls_and_kills(
    plan: list[tuple[str, int, int]], bodies: tuple[int, ...], is_survived: bool
) -> None:
    here = world.build()
    turns = [Turn(here=here, order=BODIES[body]) for body in bodies]
    seen = played(here, turns, plan)
    for turn in turns:
        while not turn.is_over:
            turn.step() if is_survived else turn.kill()
    assert [turn.fault for turn in turns if turn.fault] == []
    made = [turn.made for turn in turns if turn.made]
    if not made and not here.runs():
        submit.submit(BODIES[0], key=KEY, by="ada", ports=here.ports)
    swept(here, seconds=20)

    (run,) = here.runs()
    assert seen <= {run["metadata"]["uid"]}, "what was made once is not made again"
    assert run["metadata"]["name"] == names.job_id(namespace=ENVIRONMENT, key=KEY)
    assert "status" not in run["spec"]
    given_ = here.cluster.get("ConfigMap", run["metadata"]["annotations"][names.INPUT], ENVIRONMENT)
    assert [owner["uid"] for owner in given_["metadata"]["ownerReferences"]] == [run["metadata"]["uid"]]
    assert {one.job.id for one in made} <= {run["metadata"]["name"]}
    assert [one.is_new for one in made].count(True) <= 1
    digest = run["metadata"]["annotations"][names.BODY_DIGEST]
    assert all((turn.order.digest == digest) for turn in turns if turn.made)
    assert all((turn.order.digest != digest) for turn in turns if turn.is_refused)

    sweep.inputs([ENVIRONMENT], cluster=here.cluster, now=datetime.now(UTC) + timedelta(seconds=700))
    inputs = here.cluster.list("ConfigMap", ENVIRONMENT, labels={names.JOB_ID: None}).items
    assert [item["metadata"]["name"] for item in inputs] == [given_["metadata"]["name"]]

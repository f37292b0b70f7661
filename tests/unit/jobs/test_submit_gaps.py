"""A submit that is cut off in any gap beside an API server call, and what other replicas and retries make of it."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest

from scheduler import names
from scheduler.cluster.faults import Gap, When
from scheduler.errors import ConflictError, UnavailableError
from scheduler.jobs import submit, sweep
from tests import gaps
from tests.unit import world
from tests.unit.faulty import Killed, dying
from tests.unit.jobs import snapshot
from tests.unit.world import ENVIRONMENT, World

KEY = "k"
ORDER = world.order(pipeline="", ir=world.DOCUMENTS)
ASKED = tuple(gap for gap in gaps.of_submit() if gap.kind not in {"TokenReview", "SubjectAccessReview"})
"""The gaps of the use case itself; before them its caller is reviewed."""
RETRIED = (
    Gap(when=When.BEFORE, verb="list", kind="TaskRun"),
    Gap(when=When.BEFORE, verb="list", kind="Pod"),
)
"""What a retry does that finds the job."""


def cut_off(here: World, gap: Gap, *, error: type[BaseException] = Killed) -> None:
    """Submit once, and end there."""
    with pytest.raises(error):
        submit.submit(ORDER, key=KEY, by="ada", ports=here.on(dying(here.cluster, gap, error=error)))


def swept(here: World, *, seconds: float) -> None:
    """Another replica's timers go off, that long from now."""
    now, environments = datetime.now(UTC) + timedelta(seconds=seconds), [ENVIRONMENT]
    sweep.runs(environments, board=snapshot.board(here.cluster), cluster=here.cluster, now=now)
    sweep.inputs(environments, cluster=here.cluster, now=now)


def complaints(here: World) -> list[str]:
    """Every way in which this is not exactly one job that was let go."""
    runs = here.runs()
    inputs = here.cluster.list("ConfigMap", ENVIRONMENT, labels={names.JOB_ID: None}).items
    if (len(runs), len(inputs)) != (1, 1):
        return [f"{len(runs)} runs, {len(inputs)} inputs"]
    (run,), (given,) = runs, inputs
    faults_ = {
        "not let go": "status" in run["spec"],
        "of another name": run["metadata"]["name"] != names.job_id(namespace=ENVIRONMENT, key=KEY),
        "not its input's owner": [owner["uid"] for owner in given["metadata"].get("ownerReferences", ())]
        != [run["metadata"]["uid"]],
        "its input uncommitted": names.UNCOMMITTED in given["metadata"]["labels"],
        "started from another input": run["spec"]["workspaces"][0]["configMap"]["name"] != given["metadata"]["name"],
    }
    return [what for what, is_so in faults_.items() if is_so]


def test_the_gaps_are_those_of_a_submit() -> None:
    """As read in `jobs.submit`: what is looked at, then the four changes, of which the second commits."""
    told = [(gap.verb, gap.kind) for gap in ASKED if gap.verb in {"create", "patch"} and gap.when is When.AFTER]
    assert told == [(verb, kind) for verb in ("create", "patch") for kind in ("ConfigMap", "PipelineRun")]
    assert gaps.of_submit()[0] == Gap(when=When.BEFORE, verb="create", kind="TokenReview")
    assert set(gaps.before_commit()) | set(gaps.after_commit()) == set(gaps.of_submit())


@pytest.mark.parametrize("gap", ASKED, ids=str)
@pytest.mark.parametrize("error", [Killed, UnavailableError], ids=["killed", "lost"])
def test_a_retry_makes_exactly_one_job(gap: Gap, error: type[BaseException]) -> None:
    here = world.build()
    cut_off(here, gap, error=error)
    before = [run["metadata"]["uid"] for run in here.runs()]
    assert bool(before) == (gap in gaps.after_commit())

    made = submit.submit(ORDER, key=KEY, by="ada", ports=here.ports)

    assert complaints(here) == []
    assert made.is_new == (not before)
    assert not before or before == [run["metadata"]["uid"] for run in here.runs()]


@pytest.mark.parametrize("gap", gaps.after_commit(), ids=str)
def test_without_a_retry_another_replica_lets_the_job_go(gap: Gap) -> None:
    here = world.build()
    cut_off(here, gap)

    swept(here, seconds=5)
    is_early = complaints(here) == []
    swept(here, seconds=20)

    assert complaints(here) == []
    assert is_early == (gap == gaps.after_commit()[-1]), "the server that made it has time to do it itself"


@pytest.mark.parametrize("gap", [gap for gap in gaps.before_commit() if gap in ASKED], ids=str)
def test_without_a_run_nothing_stays(gap: Gap) -> None:
    here = world.build()
    cut_off(here, gap)

    swept(here, seconds=700)

    assert here.runs() == []
    assert here.cluster.list("ConfigMap", ENVIRONMENT, labels={names.JOB_ID: None}).items == ()


@pytest.mark.parametrize("first", ASKED, ids=str)
@pytest.mark.parametrize("second", [*ASKED[::3], *RETRIED], ids=str)
def test_a_retry_that_is_cut_off_too_changes_nothing(first: Gap, second: Gap) -> None:
    here = world.build()
    cut_off(here, first)
    with suppress(Killed):
        submit.submit(ORDER, key=KEY, by="ada", ports=here.on(dying(here.cluster, second)))
    submit.submit(ORDER, key=KEY, by="ada", ports=here.ports)

    assert complaints(here) == []


@pytest.mark.parametrize("gap", ASKED, ids=str)
def test_another_body_after_a_cut_is_refused_or_the_only_job(gap: Gap) -> None:
    """Before the run exists a key belongs to nobody; then to the body that made it."""
    here = world.build()
    cut_off(here, gap)
    other = world.order(pipeline="", ir=world.DOCUMENTS, labels={"other": "body"})

    if gap in gaps.after_commit():
        with pytest.raises(ConflictError, match="another body"):
            submit.submit(other, key=KEY, by="ada", ports=here.ports)
        swept(here, seconds=20)
    else:
        submit.submit(other, key=KEY, by="ada", ports=here.ports)
        swept(here, seconds=700)

    assert complaints(here) == []

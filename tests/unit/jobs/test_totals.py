"""Sums of what a job asks for: one rendering for each shape."""

from __future__ import annotations

from scheduler import assets
from scheduler.helm.fake import FakeHelm
from scheduler.jobs import scoring_servers
from scheduler.jobs.totals import JobTotals
from tests.unit import world

CHART = assets.subchart("scoring-pipeline")


def values(job: str, models: int, *, memory: str = "") -> dict[str, object]:
    return {
        "global": {"job": {"id": job}},
        "scoring-flow": {"enabled": True, "flow": {"name": "f", "engine": f"url: http://{job}-x", "replicas": 1}},
        "scoring-server-python": {
            "models": [{"name": f"m{number}", **({"memory": memory} if memory else {})} for number in range(models)]
        },
    }


def test_jobs_of_one_shape_are_rendered_once() -> None:
    helm = FakeHelm(render=world.rendered)
    totals = JobTotals(helm, chart=CHART)

    sums = [totals.of(values(job, 2), namespace="staging") for job in ("a", "b", "c")]
    larger = totals.of(values("a", 3), namespace="staging")

    assert len(helm.calls) == 2
    assert {item.pods for item in sums} == {3}
    assert larger.pods == 4


def test_a_model_with_memory_of_its_own_is_another_shape() -> None:
    helm = FakeHelm(render=world.rendered)
    totals = JobTotals(helm, chart=CHART)

    for memory in ("", "4Gi", "8Gi", "4Gi"):
        totals.of(values("a", 1, memory=memory), namespace="staging")

    assert len(helm.calls) == 3


def test_the_charts_say_which_servers_there_are() -> None:
    servers = {server.chart: server.types for server in scoring_servers.installed()}

    assert servers == {"scoring-server-pmml": ("pmml",), "scoring-server-python": ("python-script", "python-binary")}

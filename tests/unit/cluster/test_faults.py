"""The switch that lets a program fail on purpose."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Final

import pytest

from scheduler import settings
from scheduler.cluster import faults
from scheduler.cluster.fake import FakeCluster
from scheduler.cluster.faults import Gap, When
from scheduler.errors import InvalidInputError, NotFoundError, UnavailableError

CONFIG_MAP: Final = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "one", "namespace": "a"}}


def test_without_a_setting_the_cluster_is_the_cluster() -> None:
    cluster = FakeCluster()
    assert faults.switched(cluster, "") is cluster


@pytest.mark.parametrize(("when", "is_there"), [("before", False), ("after", True)])
def test_a_call_fails_before_or_after_its_effect(when: str, is_there: bool) -> None:
    inner = FakeCluster()
    cluster = faults.switched(inner, f"raise:{when}:create:ConfigMap")

    with pytest.raises(UnavailableError) as caught:
        cluster.create(CONFIG_MAP)

    assert caught.value.retry_after_seconds == 1
    assert bool(inner.list("ConfigMap", "a").items) == is_there


def test_only_the_chosen_call_fails() -> None:
    cluster = faults.switched(FakeCluster(), "raise:before:get:ConfigMap:2")
    cluster.create(CONFIG_MAP)

    assert cluster.get("ConfigMap", "one", "a")["metadata"]["name"] == "one"
    with pytest.raises(UnavailableError):
        cluster.get(kind="ConfigMap", name="one", namespace="a")
    assert cluster.get("ConfigMap", "one", "a")["metadata"]["name"] == "one"
    assert cluster.list("Pod", "a").items == ()


def test_every_gap_is_told_in_its_order() -> None:
    told: list[Gap] = []
    cluster = faults.tapped(FakeCluster(), told.append)

    cluster.create(CONFIG_MAP)
    cluster.review_token("t", audiences=["a"])
    with pytest.raises(NotFoundError):
        cluster.get("Pod", "none", "a")

    assert [str(gap) for gap in told] == [
        "before:create:ConfigMap:1",
        "after:create:ConfigMap:1",
        "before:create:TokenReview:1",
        "after:create:TokenReview:1",
        "before:get:Pod:1",
    ]


@pytest.mark.parametrize(
    "setting",
    ["x", "exit:before:create", "leave:before:create:Pod", "exit:while:create:Pod", "exit:before:make:Pod",
     "exit:before:create:Pot", "exit:before:create:Pod:0", "exit:before:create:Pod:1:1", "exit:before:create:Pod:n"],
)  # fmt: skip
def test_a_setting_that_would_fail_nothing_is_refused(setting: str) -> None:
    with pytest.raises(InvalidInputError, match=r"is not exit\|raise\|hang:before\|after:verb:Kind"):
        faults.switched(FakeCluster(), setting)


def test_a_gap_is_written_as_it_is_read() -> None:
    gap = Gap(when=When.AFTER, verb="patch", kind="PipelineRun", number=3)
    assert faults.parse(f"exit:{gap}")[1] == gap


def test_the_process_ends_at_once_and_runs_nothing_more() -> None:
    program = (
        "import atexit, sys\n"
        "from scheduler.cluster import faults\n"
        "from scheduler.cluster.fake import FakeCluster\n"
        "atexit.register(print, 'end')\n"
        "try:\n"
        "    faults.switched(FakeCluster(), 'exit:before:list:Pod').list('Pod')\n"
        "finally:\n"
        "    print('finally')\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=False, timeout=60)
    assert (done.returncode, done.stdout) == (faults.EXIT_CODE, b"")


def test_no_setting_of_the_platform_and_no_request_can_set_it() -> None:
    """It is read from one variable, which no chart and no settings know."""
    assert "FAULT" not in str(settings.Settings.from_environ({faults.VARIABLE: "exit:before:create:Pod"}))
    assert not os.environ.get(faults.VARIABLE)

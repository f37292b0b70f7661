"""What `modelops cleanup` tells and does, and a janitor that only tells."""

from __future__ import annotations

from pathlib import Path

from scheduler.api.metrics import Metrics
from scheduler.jobs.leftovers import Action, leftovers
from scheduler.settings import JanitorSettings
from tests.unit.jobs.scenes import Scene, made
from tests.unit.tasks.releases import JOB
from tests.unit.world import ENVIRONMENT, OTHER


def test_in_a_dry_run_nothing_changes(tmp_path: Path) -> None:
    scene = made(tmp_path, settings=JanitorSettings(is_enabled=True, is_dry_run=True))
    scene.world.board.mirror.start()
    before = scene.left()

    (planned,) = scene.round()
    told = leftovers([ENVIRONMENT], is_dry_run=True, ports=scene.ports)
    scene.world.board.mirror.stop()

    metrics = Metrics(scene.world.board, (ENVIRONMENT,), is_dry_run=True)
    metrics.cleaned(planned)
    labels = {"environment": ENVIRONMENT, "outcome": "planned"}
    assert metrics.registry.get_sample_value("modelops_janitor_releases_total", labels) == 1
    assert [(item.orphan.release, item.action) for item in told] == [(JOB, Action.WOULD_REMOVE)]
    assert (planned.is_gone, scene.left()) == (False, before)


def test_what_is_asked_for_is_done_at_once(scene: Scene) -> None:
    (item,) = leftovers([ENVIRONMENT, OTHER], is_dry_run=False, ports=scene.ports)

    assert (item.action, item.orphan.environment) == (Action.REMOVED, ENVIRONMENT)
    assert scene.left() == []
    assert leftovers([ENVIRONMENT], is_dry_run=False, ports=scene.ports) == ()

"""Every gap of a submit, found by doing one: a call that is added to it makes a gap of its own."""

from __future__ import annotations

from functools import cache
from typing import Final

from fastapi.testclient import TestClient

from scheduler.api import app
from scheduler.cluster import faults
from scheduler.cluster.fake import Rule
from scheduler.cluster.faults import Gap, When
from tests.unit import world

COMMIT: Final = Gap(when=When.AFTER, verb="create", kind="PipelineRun")
"""From here on the job is made, whatever happens to the server."""
_CHANGES: Final = frozenset({"create", "patch", "delete"})


@cache
def of_submit() -> tuple[Gap, ...]:
    """All of them in their order, from the review of the caller's token to the run that was let go."""
    seen: list[Gap] = []
    here = world.build()
    token = world.allow(here.cluster, "operator", Rule("operator"))
    server = app.create(here.on(faults.tapped(here.cluster, seen.append)))
    body = {"environment": world.ENVIRONMENT, "ir": list(world.DOCUMENTS), "parameters": {"day": "2026-01-31"}}
    headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": "k"}
    # without its lifespan: what the server does beside requests is no part of a submit
    answer = TestClient(server.app).post("/v1/jobs", json=body, headers=headers)
    assert answer.status_code == 201, answer.text
    return tuple(seen)


def before_commit() -> tuple[Gap, ...]:
    gaps = of_submit()
    return gaps[: gaps.index(COMMIT)]


def after_commit() -> tuple[Gap, ...]:
    gaps = of_submit()
    return gaps[gaps.index(COMMIT) :]


def that_differ(gaps: tuple[Gap, ...]) -> tuple[Gap, ...]:
    """One of each that leave the same in the cluster: only calls that change something make a difference."""
    objects = {"ConfigMap", "PipelineRun"}
    kept = [gap for gap in gaps if gap.verb in _CHANGES and gap.kind in objects and gap.when is When.AFTER]
    return tuple(dict.fromkeys([gaps[0], *kept]))

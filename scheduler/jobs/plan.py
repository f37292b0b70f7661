"""What a job would be: its Values, objects and needs. Nothing is made or changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from scheduler import names
from scheduler.jobs import prepare
from scheduler.jobs.order import Order
from scheduler.jobs.ports import Ports
from scheduler.model.types import Manifest
from scheduler.preprocess.resolve import Resolved
from scheduler.preprocess.resources import Totals


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    pipeline: str
    revision: int | None
    resolved: Resolved
    objects: tuple[Manifest, ...]
    totals: Totals
    deadlines: Mapping[str, int]
    digests: Mapping[str, object]
    notes: tuple[str, ...]
    """What the plan could not look at."""


def plan(wanted: Order, *, ports: Ports) -> Plan:
    """The plan of an order that could be submitted; InvalidInputError like `submit` for one that could not.

    Its job id is made from the order, so that the same order gives the same plan; `submit` gives another one.
    """
    job_id = names.job_id(namespace=wanted.environment, key=wanted.digest)
    prepared = prepare.prepare(wanted, job_id=job_id, ports=ports)
    noted = prepare.input_of(prepared, wanted=wanted, job_id=job_id, by="", at="").submission
    objects = ports.totals.render(prepared.resolved.values, release=job_id, namespace=wanted.environment)
    return Plan(
        pipeline=noted.pipeline,
        revision=noted.revision,
        resolved=prepared.resolved,
        objects=tuple(objects),
        totals=prepared.totals,
        deadlines=noted.deadlines,
        digests=noted.digests,
        notes=("whether the artifact store has the models was not asked",) if prepared.resolved.models else (),
    )

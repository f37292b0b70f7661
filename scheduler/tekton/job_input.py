"""The ConfigMap of a job: its IR and its Values, written once, and all that its run is made from.

Whoever finds it can make the run, and makes the same one: its annotations hold what was asked and every digest.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from scheduler import names
from scheduler.model import job_json, job_size
from scheduler.model.job import Submission
from scheduler.model.types import Manifest
from scheduler.tekton import view

IR_KEY: Final = "ir.json"
VALUES_KEY: Final = "values.yaml"


@dataclass(frozen=True, slots=True, kw_only=True)
class JobInput:
    """A job's identity, wishes and digests."""

    job_id: str
    namespace: str
    submission: Submission
    body_digest: str
    ir_digest: str
    values_digest: str

    @property
    def name(self) -> str:
        """Of the ConfigMap."""
        return names.job_input(self.job_id, self.body_digest)

    @property
    def annotations(self) -> Mapping[str, str]:
        """What ConfigMap and run both carry."""
        return {
            names.BODY_DIGEST: self.body_digest,
            names.IR_DIGEST: self.ir_digest,
            names.VALUES_DIGEST: self.values_digest,
            names.JOB: _json(job_json.submission_to_json(self.submission)),
        }


def build(given: JobInput, *, ir: str, values: str) -> Manifest:
    """The ConfigMap, labelled uncommitted until a run owns it; TooLargeError when it is too large for one."""
    job_size.check(ir_bytes=len(ir.encode()), values_bytes=len(values.encode()))
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {
            "name": given.name,
            "namespace": given.namespace,
            "labels": {**names.record_labels(given.job_id), names.UNCOMMITTED: "true"},
            "annotations": given.annotations,
        },
        "immutable": True,
        "data": {IR_KEY: ir, VALUES_KEY: values},
    }


def read(manifest: Manifest) -> JobInput:
    """What `build` was given."""
    annotations = view.mapping(manifest, "metadata", "annotations")
    return JobInput(
        job_id=view.text(manifest, "metadata", "labels", names.JOB_ID),
        namespace=view.text(manifest, "metadata", "namespace"),
        submission=job_json.submission_from_json(job_json.parse(annotations.get(names.JOB))),
        body_digest=view.text(annotations, names.BODY_DIGEST),
        ir_digest=view.text(annotations, names.IR_DIGEST),
        values_digest=view.text(annotations, names.VALUES_DIGEST),
    )


def owned_by(run: Manifest) -> Manifest:
    """The merge patch that commits the ConfigMap: it goes when the run goes."""
    owner = {
        "apiVersion": "tekton.dev/v1",
        "kind": "PipelineRun",
        "name": run["metadata"]["name"],
        "uid": run["metadata"]["uid"],
        "controller": False,
        "blockOwnerDeletion": False,
    }
    return {"metadata": {"ownerReferences": [owner], "labels": {names.UNCOMMITTED: None}}}


def _json(value: object) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"))

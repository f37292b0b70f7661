"""The ConfigMap of a job: its IR and its Values, written once."""

from __future__ import annotations

from typing import Final

from scheduler import names
from scheduler.errors import TooLargeError
from scheduler.model.types import Manifest

LIMIT_BYTES: Final = 900 * 1024
"""IR and Values together; an object in etcd may not be much larger than 1 MiB."""
IR_KEY: Final = "ir.json"
VALUES_KEY: Final = "values.yaml"


def build(job: str, *, namespace: str, name: str, ir: str, values: str) -> Manifest:
    """The ConfigMap, labelled uncommitted until a run owns it; TooLargeError above 900 KiB."""
    sizes = {IR_KEY: len(ir.encode()), VALUES_KEY: len(values.encode())}
    if sum(sizes.values()) > LIMIT_BYTES:
        raise TooLargeError(
            f"the job's IR ({sizes[IR_KEY]:,} bytes) and Values ({sizes[VALUES_KEY]:,} bytes) are larger together "
            f"than the {LIMIT_BYTES:,} bytes that fit into one ConfigMap"
        )
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {
            "name": name,
            "namespace": namespace,
            "labels": {**names.record_labels(job), names.UNCOMMITTED: "true"},
        },
        "immutable": True,
        "data": {IR_KEY: ir, VALUES_KEY: values},
    }


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

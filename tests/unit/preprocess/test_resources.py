"""What rendered objects ask for."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from scheduler.preprocess import resources
from scheduler.preprocess.resources import Totals

MANIFESTS = """
- kind: Deployment
  spec:
    replicas: 2
    template:
      spec:
        initContainers:
          - {name: download, resources: {requests: {cpu: 1, memory: 32Mi}, limits: {cpu: 2, memory: 64Mi}}}
        containers:
          - {name: server, resources: {requests: {cpu: 250m, memory: 128Mi}, limits: {cpu: 1, memory: 256Mi}}}
          - {name: other, resources: {limits: {cpu: 100m, memory: 16Mi}}}
- kind: Job
  spec:
    parallelism: 4
    completions: 1
    template: {spec: {containers: [{name: flow, resources: {requests: {cpu: 0.5, memory: 1Gi}}}]}}
- {kind: ConfigMap, data: {}}
- {kind: Pod, spec: {containers: [{name: bare}]}}
"""


def test_totals_count_as_a_quota_does() -> None:
    manifests: list[dict[str, Any]] = yaml.safe_load(MANIFESTS)
    mebi = 2**20

    assert resources.totals(manifests) == Totals(
        pods=2 + 1 + 1,
        request_cpu_millicores=2 * 1000 + 500,
        request_memory_bytes=2 * 144 * mebi + 1024 * mebi,
        limit_cpu_millicores=2 * 2000,
        limit_memory_bytes=2 * 272 * mebi,
    )


def test_a_sidecar_goes_on_beside_the_others() -> None:
    pod = {
        "kind": "Pod",
        "spec": {
            "initContainers": [
                {"name": "side", "restartPolicy": "Always", "resources": {"requests": {"cpu": "100m"}}},
                {"name": "init", "resources": {"requests": {"cpu": "300m"}}},
            ],
            "containers": [{"name": "main", "resources": {"requests": {"cpu": "200m"}}}],
        },
    }

    assert resources.totals([pod]).request_cpu_millicores == 400


@pytest.mark.parametrize("text", ["", "1 Gi", "Mi", "1mi", "--1"])
def test_what_is_no_quantity_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="no quantity"):
        resources.quantity(text)

"""What the pods of a job's release ask of an environment, from the chart itself."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from scheduler.helm.port import Helm
from scheduler.model import canonical
from scheduler.model.types import Manifest, Values
from scheduler.preprocess import resources
from scheduler.preprocess.resources import Totals

_ENTRIES: Final = 256


class JobTotals:
    """Sums by the shape of Values; Helm renders each shape once. Safe for many threads."""

    def __init__(self, helm: Helm, *, chart: Path) -> None:
        self._helm = helm
        self._chart = chart
        self._lock = threading.Lock()
        self._known: dict[str, Totals] = {}

    def render(self, values: Values, *, release: str, namespace: str) -> list[Manifest]:
        """The objects that the job's chart makes of these Values; ProgramError when it refuses them."""
        with self._lock:
            return self._helm.template(release, chart=self._chart, values=values, namespace=namespace)

    def of(self, values: Values, *, namespace: str) -> Totals:
        """The release's total. Jobs that differ in texts and names only have the same, so they share one rendering."""
        shape = canonical.digest(_shape(values))
        known = self._known.get(shape)
        if known is None:
            # the chart refuses a release that is not named like the job
            job_id = str(values["global"]["job"]["id"])
            known = resources.totals(self.render(values, release=job_id, namespace=namespace))
            if len(self._known) >= _ENTRIES:
                self._known.clear()
            self._known[shape] = known
        return known


def _shape(values: Values) -> Mapping[str, object]:
    """What pods there are and what they ask for: of models only their memory, of the flow only its replicas."""
    return {chart: _shape_of_chart(part) for chart, part in values.items() if chart != "global"}


def _shape_of_chart(part: Mapping[str, Any]) -> Mapping[str, object]:
    models, flow = part.get("models") or (), part.get("flow") or {}
    rest = {key: value for key, value in part.items() if key not in {"models", "flow", "channels"}}
    memory = sorted(str(model.get("memory", "")) for model in models)
    return {**rest, "models": memory, "replicas": flow.get("replicas")}

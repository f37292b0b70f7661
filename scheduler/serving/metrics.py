"""What the server counts, in Prometheus' text format.

Requests are counted in plain numbers, by the event loop's thread alone, and become samples when somebody asks: the
client library's own counters cost a fifth of what a small request costs in all.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from prometheus_client import CollectorRegistry, Gauge, generate_latest
from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.registry import Collector

CONTENT_TYPE: Final = CONTENT_TYPE_LATEST
_BUCKETS: Final = (0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0)


@dataclass(slots=True)
class _Tally:
    """What became of the requests for one model."""

    rows: int = 0
    bad_rows: int = 0
    seconds: float = 0.0
    """Of the requests that were answered."""
    answered: list[int] = field(default_factory=lambda: [0] * (len(_BUCKETS) + 1))
    """How many, by the first of `_BUCKETS` that holds their seconds; the last place is for slower ones."""
    refused: dict[int, int] = field(default_factory=dict)
    """How many, by status code."""


class Metrics(Collector):
    """Counters of one server; each server has a registry of its own."""

    def __init__(self) -> None:
        self._tallies: dict[str, _Tally] = {}
        self._registry = CollectorRegistry()
        self._registry.register(self)
        self._ready = Gauge("modelops_model_ready", "Whether the model is loaded", ["model"], registry=self._registry)

    def answered(self, model: str, *, rows: int, seconds: float) -> None:
        tally = self._of(model)
        tally.rows += rows
        tally.seconds += seconds
        tally.answered[bisect_left(_BUCKETS, seconds)] += 1

    def refused(self, model: str, *, code: int, bad_rows: int = 0) -> None:
        """Count a request without an answer; only for models that exist, so that no client makes up label values."""
        tally = self._of(model)
        tally.refused[code] = tally.refused.get(code, 0) + 1
        tally.bad_rows += bad_rows

    def ready(self, model: str, *, is_ready: bool) -> None:
        self._ready.labels(model).set(is_ready)

    def text(self) -> bytes:
        return generate_latest(self._registry)

    def collect(self) -> Iterator[Metric]:
        requests = CounterMetricFamily("modelops_inference_requests", "Inference requests", labels=["model", "code"])
        rows = CounterMetricFamily("modelops_inference_rows", "Rows scored", labels=["model"])
        bad_rows = CounterMetricFamily("modelops_inference_bad_rows", "Rows that could not be scored", labels=["model"])
        seconds = HistogramMetricFamily(
            "modelops_inference_seconds", "Seconds from the whole request to its answer", labels=["model"]
        )
        for model, tally in self._tallies.items():
            for code, count in ({200: sum(tally.answered)} | tally.refused).items():
                requests.add_metric([model, str(code)], count)
            rows.add_metric([model], tally.rows)
            bad_rows.add_metric([model], tally.bad_rows)
            seconds.add_metric([model], _cumulative(tally.answered), tally.seconds)
        yield from (requests, rows, bad_rows, seconds)

    def _of(self, model: str) -> _Tally:
        tally = self._tallies.get(model)
        if tally is None:
            tally = self._tallies[model] = _Tally()
        return tally


def _cumulative(by_bucket: list[int]) -> list[tuple[str, float]]:
    bounds = [*map(str, _BUCKETS), "+Inf"]
    return [(bound, sum(by_bucket[: place + 1])) for place, bound in enumerate(bounds)]

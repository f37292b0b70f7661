"""What the server counts, in Prometheus' text format."""

from __future__ import annotations

from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

CONTENT_TYPE: Final = CONTENT_TYPE_LATEST
_BUCKETS: Final = (0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0)


class Metrics:
    """Counters of one server; each server has a registry of its own."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._answered: dict[str, tuple[Counter, Counter, Histogram]] = {}
        self._requests = Counter(
            "modelops_inference_requests", "Inference requests", ["model", "code"], registry=self._registry
        )
        self._rows = Counter("modelops_inference_rows", "Rows scored", ["model"], registry=self._registry)
        self._bad_rows = Counter(
            "modelops_inference_bad_rows", "Rows that could not be scored", ["model"], registry=self._registry
        )
        self._seconds = Histogram(
            "modelops_inference_seconds",
            "Seconds from the whole request to its answer",
            ["model"],
            buckets=_BUCKETS,
            registry=self._registry,
        )
        self._ready = Gauge("modelops_model_ready", "Whether the model is loaded", ["model"], registry=self._registry)

    def answered(self, model: str, *, rows: int, seconds: float) -> None:
        # children are kept: looking them up costs more than counting
        if model not in self._answered:
            self._answered[model] = (
                self._requests.labels(model, "200"),
                self._rows.labels(model),
                self._seconds.labels(model),
            )
        requests, scored, took = self._answered[model]
        requests.inc()
        scored.inc(rows)
        took.observe(seconds)

    def refused(self, model: str, *, code: int, bad_rows: int = 0) -> None:
        """Count a request without an answer; only for models that exist, so that no client makes up label values."""
        self._requests.labels(model, str(code)).inc()
        if bad_rows:
            self._bad_rows.labels(model).inc(bad_rows)

    def ready(self, model: str, *, is_ready: bool) -> None:
        self._ready.labels(model).set(is_ready)

    def text(self) -> bytes:
        return generate_latest(self._registry)

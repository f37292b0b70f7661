"""Figures of the server in Prometheus' format, computed from what is in memory when they are asked for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from prometheus_client import CollectorRegistry, Gauge
from prometheus_client import Counter as RequestCounter
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Histogram, Metric
from prometheus_client.registry import Collector

from scheduler.jobs.board import Board
from scheduler.jobs.clean import Cleaned
from scheduler.jobs.janitor import Janitor
from scheduler.jobs.sweep import Swept
from scheduler.model.job import Cleanup, JobState


class Metrics:
    """One registry per application, so that two in one process do not meet."""

    def __init__(self, board: Board, environments: tuple[str, ...], *, is_dry_run: bool = False) -> None:
        self._is_dry_run = is_dry_run
        self.registry = CollectorRegistry(auto_describe=False)
        self._seconds = Histogram(
            "modelops_http_request_seconds",
            "Time from a request to the end of its answer.",
            ["method", "route", "status"],
            registry=self.registry,
        )
        self._swept = RequestCounter(
            "modelops_swept", "What the server did by itself.", ["what"], registry=self.registry
        )
        self._cleaned = RequestCounter(
            "modelops_janitor_releases",
            "Releases that the janitor looked at, by what became of them.",
            ["environment", "outcome"],
            registry=self.registry,
        )
        self.registry.register(_Jobs(board, environments))

    def observe(self, method: str, route: str, status: int, seconds: float) -> None:
        self._seconds.labels(method, route, str(status)).observe(seconds)

    def swept(self, done: Swept) -> None:
        for what in ("finished", "expired", "deleted", "failed"):
            self._swept.labels(what).inc(len(getattr(done, what)))

    def cleaned(self, done: Cleaned) -> None:
        outcome = "removed" if done.is_gone else "planned" if self._is_dry_run else "failed"
        self._cleaned.labels(done.orphan.environment, outcome).inc()

    def show_holder(self, janitor: Janitor) -> None:
        holds = Gauge(
            "modelops_janitor_holds_lease", "1 where the janitor works, of several replicas.", registry=self.registry
        )
        holds.set_function(lambda: float(janitor.is_holder))


class _Jobs(Collector):
    def __init__(self, board: Board, environments: tuple[str, ...]) -> None:
        self._board = board
        self._environments = environments

    def collect(self) -> Iterator[Metric]:
        yield from self._jobs()
        yield from self._watches()

    def _jobs(self) -> Iterator[Metric]:
        states = GaugeMetricFamily("modelops_jobs", "Jobs by state.", labels=["environment", "state"])
        leaks = GaugeMetricFamily("modelops_jobs_leaked", "Jobs whose release may be left.", labels=["environment"])
        for environment in self._environments:
            jobs = self._board.all(environment)
            counts = Counter(job.state for job in jobs)
            for state in JobState:
                states.add_metric([environment, state.value], counts[state])
            leaks.add_metric([environment], sum(job.cleanup == Cleanup.LEAKED for job in jobs))
        yield states
        yield leaks

    def _watches(self) -> Iterator[Metric]:
        labels = ["kind", "environment"]
        age = GaugeMetricFamily("modelops_watch_age_seconds", "Since the API server was last heard of.", labels=labels)
        lists = CounterMetricFamily("modelops_watch_lists", "Lists made to start or restart a watch.", labels=labels)
        refused = GaugeMetricFamily("modelops_watch_refused", "1 where the API server refuses us.", labels=labels)
        bad = CounterMetricFamily("modelops_watch_quarantined", "Objects that made no sense.", labels=labels)
        for watch in self._board.mirror.watched():
            place = [watch.kind, watch.namespace]
            age.add_metric(place, watch.age_seconds)
            lists.add_metric(place, watch.relists)
            refused.add_metric(place, watch.is_refused)
            bad.add_metric(place, watch.quarantined)
        yield age
        yield lists
        yield refused
        yield bad

"""Which scoring server runs each model, and where a flow finds it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from scheduler import names
from scheduler.model.pipeline import Model, ScoringPipeline
from scheduler.model.problem import Problem


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoringServer:
    """A scoring server's sub-chart, as its values.yaml describes it."""

    chart: str
    types: tuple[str, ...]
    """`supportedModels`"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """One model that a score step's route may lead to."""

    model: Model
    url: str
    """Where its scoring service answers, without a path."""
    weight: int = 100

    @property
    def service(self) -> str:
        """Name of the Kubernetes Service."""
        return urlsplit(self.url).hostname or ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """Scoring services of a job."""

    charts: Mapping[str, tuple[Model, ...]]
    """Scoring server's chart -> the models it serves, sorted by name; charts without a model are not listed."""
    routes: Mapping[str, tuple[Candidate, ...]]
    """What a score step names -> candidates. Each route leads to one model so far."""


def match(
    pipeline: ScoringPipeline, servers: Sequence[ScoringServer], *, release: str
) -> tuple[Services, tuple[Problem, ...]]:
    """The server of each model by its type, and a problem for each model that has none, or has no digest yet."""
    charts: dict[str, list[Model]] = {}
    routes: dict[str, tuple[Candidate, ...]] = {}
    problems: list[Problem] = []
    for model in sorted(pipeline.models, key=lambda model: model.name):
        fitting = sorted(server.chart for server in servers if model.type in server.types)
        if not model.sha256:
            message = f"model '{model.name}' has no digest: its artifact '{model.artifact}' has not been deployed"
            problems.append(_problem(model, "/spec/sha256", message))
        if len(fitting) == 1:
            charts.setdefault(fitting[0], []).append(model)
            service = names.scoring_service(release, chart=fitting[0], model=model.name)
            routes[model.name] = (Candidate(model=model, url=f"http://{service}:8080"),)
        elif fitting:
            message = f"more than one scoring server supports models of type '{model.type}'"
            problems.append(_problem(model, "/spec/type", message, tuple(fitting)))
        else:
            known = tuple(sorted(f"{server.chart} ({', '.join(server.types)})" for server in servers))
            message = f"no scoring server supports models of type '{model.type}'"
            problems.append(_problem(model, "/spec/type", message, known))
    by_chart = {chart: tuple(models) for chart, models in sorted(charts.items())}
    return Services(charts=by_chart, routes=routes), tuple(problems)


def _problem(model: Model, pointer: str, message: str, candidates: tuple[str, ...] = ()) -> Problem:
    return Problem(message=message, document=f"Model/{model.name}", pointer=pointer, candidates=candidates)

"""The jobs that run in the background for the tests of this folder, by the ids of their rows; long ones first."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Final

import joblib
from sklearn.linear_model import LinearRegression

from scheduler.demo.installation import ENVIRONMENT, NAMESPACE
from tests.e2e import recipes
from tests.e2e.ends import control_cases, drain_cases, kills, small_volume
from tests.e2e.ends.interruptions import SOME
from tests.e2e.ends.records import MANY
from tests.e2e.ends.running import ROWS, Case
from tests.e2e.recipes import Recipe
from tests.e2e.support import Jobs

MIDDLE: Final = recipes.BATCH + recipes.BATCH // 2
"""The record in the middle of the second batch."""
STORED: Final = "/var/lib/modelops/artifacts"


def _estimator() -> bytes:
    file = io.BytesIO()
    joblib.dump(LinearRegression().fit([[0.0], [1.0]], [0.0, 2.0]), file)
    return file.getvalue()


def _two_empty(recipe: Recipe) -> bytes:
    return recipe.source_of(recipes.without_values(recipes.rows(ROWS + 2), ROWS + 1, ROWS + 2))


def _cut(recipe: Recipe) -> bytes:
    return recipe.source_of(recipes.rows(20_000))[:-5000]


def _some(recipe: Recipe) -> bytes:
    return recipe.source_of(recipes.rows(SOME))


def _damage(jobs: Jobs, recipe: Recipe) -> None:
    """Change the model's bytes behind the back of the artifact store."""
    jobs.upload(recipe.artifact, sha256=recipe.sha256)
    path = f"{STORED}/{recipe.sha256[:2]}/{recipe.sha256}"
    server = jobs.platform.objects("pods", "-n", NAMESPACE, "-l", "app.kubernetes.io/name=modelops-server")[0]
    change = f"chmod u+w {path} && printf 'import os' >> {path} && chmod u-w {path}"
    jobs.platform.kubectl("-n", NAMESPACE, "exec", server["metadata"]["name"], "--", "sh", "-c", change)


def _misfits(recipe: Recipe) -> bytes:
    """The same number of records, the middle one with a field too many, the one behind it with one too few."""
    lines = recipe.source_of(recipes.rows(ROWS)).splitlines(keepends=True)
    lines[MIDDLE] = lines[MIDDLE].replace(b"\n", b",7\n")
    lines[MIDDLE + 1] = lines[MIDDLE + 1].partition(b",")[0] + b"\n"
    return b"".join(lines)


def _lock(jobs: Jobs, recipe: Recipe) -> None:
    folder = f"/data/{recipe.folder}"
    make = f"mkdir -p {folder} && chmod 555 {folder}"
    jobs.platform.kubectl("-n", ENVIRONMENT, "exec", jobs.files.pod, "--", "sh", "-c", make)


def _dict() -> bytes:
    file = io.BytesIO()
    joblib.dump({"predict": 2.0}, file)
    return file.getvalue()


_SLOW: Final[Mapping[str, Case]] = {
    "service-away-for-a-minute": Case(
        recipe=recipes.slow("away"),
        source=_some,
        meanwhile=lambda jobs, job: kills.service_for(jobs, job, seconds=60),
    ),
    "flow-out-of-memory": Case(recipe=Recipe(name="flow-memory", steps=(recipes.WASTE, recipes.SCORE))),
    "service-out-of-memory": Case(recipe=Recipe(name="service-memory", artifact=recipes.NEEDS_2_GIB)),
    "flow-crashes-again-and-again": Case(
        recipe=recipes.slow("crashing"),
        source=_some,
        meanwhile=lambda jobs, job: kills.engines(jobs, job, times=100),
    ),
    "service-crashes": Case(recipe=Recipe(name="service-crashes", artifact=recipes.ENDS_ITSELF)),
    "disk-full": Case(recipe=Recipe(name="disk-full", sink_volume=small_volume.CLAIM)),
    "flow-pod-killed": Case(
        recipe=recipes.slow("flow-killed"),
        source=_some,
        meanwhile=lambda jobs, job: kills.pod(jobs, job, kills.FLOW),
    ),
    "engine-killed-once": Case(
        recipe=recipes.slow("engine-killed"),
        source=_some,
        meanwhile=lambda jobs, job: kills.engines(jobs, job, times=1),
    ),
    "scoring-pod-killed": Case(
        recipe=recipes.slow("service-killed"),
        source=_some,
        meanwhile=lambda jobs, job: kills.pod(jobs, job, kills.SERVICE),
    ),
}
_SUCCESSES: Final[Mapping[str, Case]] = {
    "python-binary-json-lines-gzip": Case(
        recipe=Recipe(
            name="binary",
            model_type="python-binary",
            artifact=_estimator(),
            format="json-lines",
            is_gzip=True,
            is_sink_gzip=True,
        )
    ),
    "pmml-csv-gzip": Case(
        recipe=Recipe(name="pmml", model_type="pmml", artifact=recipes.PMML, is_gzip=True, sink_format="csv")
    ),
    "service-with-more-memory": Case(recipe=Recipe(name="more-memory", artifact=recipes.NEEDS_2_GIB, memory="4Gi")),
}
_RECORDS: Final[Mapping[str, Case]] = {
    "record-fails-in-a-map": Case(
        recipe=Recipe(
            name="mapped", steps=(recipes.DROP_EMPTY, recipes.failing(MIDDLE), recipes.SCORE), max_ratio=0.01
        ),
        source=_two_empty,
    ),
    "record-the-model-refuses": Case(
        recipe=Recipe(name="poison", artifact=recipes.REFUSES_13, max_ratio=0.01),
        source=lambda recipe: recipe.source_of(recipes.rows(MANY)),
    ),
    "rows-that-do-not-fit-the-header": Case(recipe=Recipe(name="misfits", max_ratio=0.01), source=_misfits),
    "records-dropped": Case(
        recipe=Recipe(name="dropped", steps=({**recipes.failing(1, MIDDLE, ROWS), "onError": "drop"}, recipes.SCORE))
    ),
    "too-many-dead-letters": Case(
        recipe=Recipe(name="too-many", steps=(recipes.failing(*range(300, 311)), recipes.SCORE), max_ratio=0.01)
    ),
    "dead-letter-without-a-channel": Case(
        recipe=Recipe(name="no-letters", steps=(recipes.failing(MIDDLE), recipes.SCORE))
    ),
    "record-that-may-not-fail": Case(
        recipe=Recipe(name="fail", steps=({**recipes.failing(MIDDLE), "onError": "fail"}, recipes.SCORE), max_ratio=1.0)
    ),
}
_SOURCES_AND_SINKS: Final[Mapping[str, Case]] = {
    "source-missing": Case(recipe=Recipe(name="no-source"), source=lambda recipe: None),
    "gzip-truncated": Case(recipe=Recipe(name="cut", format="json-lines", is_gzip=True), source=_cut),
    "volume-missing": Case(recipe=Recipe(name="no-volume", volume="e2e-nothing")),
    "sink-not-writable": Case(recipe=Recipe(name="locked", folder="e2e-locked"), before=_lock),
}
_MODELS: Final[Mapping[str, Case]] = {
    "model-corrupt": Case(recipe=Recipe(name="corrupt", model_type="python-binary", artifact=b"this is no pickle")),
    "model-of-another-kind": Case(recipe=Recipe(name="dict", model_type="python-binary", artifact=_dict())),
    "model-digest-mismatch": Case(
        recipe=Recipe(name="damaged", artifact=b"# of this job alone\n" + recipes.DOUBLE, is_uploaded=False),
        before=_damage,
    ),
}
CASES: Final[Mapping[str, Case]] = {
    **_SLOW,
    **control_cases.CASES,
    **drain_cases.CASES,
    **_SUCCESSES,
    **_RECORDS,
    **_SOURCES_AND_SINKS,
    **_MODELS,
}

"""The jobs that run in the background for the tests of this folder, by the ids of their rows; long ones first."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Final

import joblib
from sklearn.linear_model import LinearRegression

from scheduler.demo.installation import NAMESPACE
from tests.e2e import recipes
from tests.e2e.ends import control_cases, kills
from tests.e2e.ends.interruptions import SOME
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


_SLOW: Final[Mapping[str, Case]] = {
    "engine-killed-once": Case(
        recipe=Recipe(name="killed", artifact=recipes.SLEEP),
        source=_some,
        meanwhile=lambda jobs, job: kills.engines(jobs, job, times=1),
    ),
    "flow-crashes-again-and-again": Case(
        recipe=Recipe(name="crashing", artifact=recipes.SLEEP),
        source=_some,
        meanwhile=lambda jobs, job: kills.engines(jobs, job, times=100),
    ),
}
_SUCCESSES: Final[Mapping[str, Case]] = {
    "python-binary-json-lines-gzip": Case(
        recipe=Recipe(
            name="binary", model_type="python-binary", artifact=_estimator(), format="json-lines", is_gzip=True
        )
    ),
    "pmml-csv": Case(recipe=Recipe(name="pmml", model_type="pmml", artifact=recipes.PMML)),
}
_RECORDS: Final[Mapping[str, Case]] = {
    "record-fails-in-a-map": Case(
        recipe=Recipe(
            name="mapped", steps=(recipes.DROP_EMPTY, recipes.failing(MIDDLE), recipes.SCORE), max_ratio=0.01
        ),
        source=_two_empty,
    ),
    "record-the-model-refuses": Case(recipe=Recipe(name="poison", artifact=recipes.REFUSES_13, max_ratio=0.01)),
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
}
_MODELS: Final[Mapping[str, Case]] = {
    "model-corrupt": Case(recipe=Recipe(name="corrupt", model_type="python-binary", artifact=b"this is no pickle")),
    "model-digest-mismatch": Case(
        recipe=Recipe(name="damaged", artifact=b"# of this job alone\n" + recipes.DOUBLE, is_uploaded=False),
        before=_damage,
    ),
}
CASES: Final[Mapping[str, Case]] = {
    **_SLOW,
    **_SUCCESSES,
    **_RECORDS,
    **_SOURCES_AND_SINKS,
    **_MODELS,
    **control_cases.CASES,
}

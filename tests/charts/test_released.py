"""What was released stays what it was, and the charts of today can take its place in a running cluster."""

from __future__ import annotations

import hashlib
import io
import tarfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final, TypeAlias

import pytest
import yaml

import scheduler
from scheduler import assets
from scheduler.model.types import Manifest
from tests.charts import render, schemas

ARCHIVE: Final = Path(__file__).with_name("modelops-0.1.0.tgz")
"""charts/modelops at version 0.1.0, by `helm package`."""
SHA256: Final = "3600e8e314512791158dd23a59704ea8c4927f8caadcea9979e2d5c66e814e8f"
FIXED: Final[Mapping[str, tuple[str, ...]]] = {
    "Deployment": ("spec", "selector"),
    "PersistentVolumeClaim": ("spec",),
    "PriorityClass": ("value",),
    "RoleBinding": ("roleRef",),
    "ClusterRoleBinding": ("roleRef",),
}
"""Kind -> what of it the API server lets nobody change: where it differs, helm cannot upgrade."""
LATER: Final[Mapping[str, tuple[str, ...]]] = {"environment": ("abandoned",)}
"""Values that the archive does not know."""
_VERSIONED: Final = "files/tekton/"

Key: TypeAlias = tuple[str, str, str]


def files() -> Mapping[str, bytes]:
    """Path below the chart -> content, of every file in the archive."""
    with tarfile.open(fileobj=io.BytesIO(ARCHIVE.read_bytes())) as archive:
        return {
            member.name.removeprefix("modelops/"): content.read()
            for member in archive.getmembers()
            if (content := archive.extractfile(member)) is not None
        }


def values(released: Mapping[str, bytes]) -> dict[str, Any]:
    """The archive's defaults, as `helm upgrade --reuse-values` hands them on: those of its sub-charts among them."""
    own: dict[str, Any] = yaml.safe_load(released["values.yaml"])
    charts = {path.split("/")[1] for path in released if path.startswith("charts/")}
    for name in sorted(charts):
        given = yaml.safe_load(released.get(f"charts/{name}/values.yaml", b"")) or {}
        own[name] = {**given, **own.get(name, {})}
    return own


def by_name(objects: Iterable[Manifest]) -> Mapping[Key, Manifest]:
    """(kind, namespace, name) -> object."""
    return {(one["kind"], one["metadata"].get("namespace", ""), one["metadata"]["name"]): one for one in objects}


def test_the_archive_is_the_one_that_was_released() -> None:
    assert hashlib.sha256(ARCHIVE.read_bytes()).hexdigest() == SHA256
    released = yaml.safe_load(files()["Chart.yaml"])["version"]
    assert released == "0.1.0" != scheduler.__version__


def test_every_version_of_pipeline_and_tasks_that_was_released_is_there_unchanged() -> None:
    """A job that goes on through an upgrade meets the objects that it began with."""
    released = {path: content for path, content in files().items() if path.startswith(_VERSIONED)}
    assert len(released) == 4
    assert {path: (render.PLATFORM / path).read_bytes() for path in released} == released
    for path, content in released.items():
        assert (assets.tekton() / path.removeprefix(_VERSIONED)).read_bytes() == content, path


def test_values_that_were_released_are_still_taken() -> None:
    given = values(files())
    assert given["scoring-server-python"]["supportedModels"]
    assert schemas.problems(render.PLATFORM, given) == ()


@pytest.mark.helm
@pytest.mark.parametrize("ci", ["minimal", "everything"])
def test_an_upgrade_takes_no_object_away_and_changes_nothing_that_stays_as_it_is(ci: str) -> None:
    given = render.ci_values(render.PLATFORM, ci)
    older = {key: _without(LATER.get(key, ()), value) for key, value in given.items()}
    before = by_name(render.both(older, path=ARCHIVE))
    after = by_name(render.both(given, path=render.PLATFORM))
    assert before.keys() - after.keys() == set()
    compared = [(key, FIXED[key[0]]) for key in before if key[0] in FIXED]
    assert {key[0] for key, _ in compared} == FIXED.keys()
    for key, place in compared:
        assert _at(after[key], place) == _at(before[key], place), key


def _without(keys: Iterable[str], value: Mapping[str, Any]) -> Mapping[str, Any]:
    return {key: one for key, one in value.items() if key not in keys}


def _at(manifest: Manifest, place: tuple[str, ...]) -> Any:
    found: Any = manifest
    for step in place:
        found = found[step]
    return found

"""What `pip install` of a wheel brings: a program that needs no checkout."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Final

import pytest

from scheduler import assets
from tests import programs, third_party

pytestmark = [pytest.mark.helm, pytest.mark.timeout(300)]

EXAMPLE: Final = assets.root() / "ir-schemas" / "examples" / "valid" / "own-channels"
_PIP: Final = (sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input", "--quiet")


def run(*words: str | Path, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    environ = {"PATH": os.environ["PATH"], "HOME": str(folder), "COLUMNS": "200", **environment}
    return subprocess.run(words, cwd=folder, env=environ, capture_output=True, text=True, timeout=240, check=False)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Made of a copy, because setuptools leaves its own files beside the sources."""
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    source.mkdir()
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(assets.CHECKOUT / name, source)
    for name in ("scheduler", "charts", "ir-schemas", "tekton"):
        shutil.copytree(assets.CHECKOUT / name, source / name, symlinks=True)
    built = run(*_PIP, "wheel", source, "--no-deps", "--no-build-isolation", "--no-index", "-w", folder, folder=folder)
    assert built.returncode == 0, built.stderr
    (made,) = folder.glob("*.whl")
    return made


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the wheel in it, far from the checkout; what it depends on is this interpreter's."""
    folder = tmp_path_factory.mktemp("installed")
    done = run(*_PIP, "install", wheel, "--no-deps", "--no-index", "--target", folder / "site", folder=folder)
    assert done.returncode == 0, done.stderr
    return folder


def modelops(installed: Path, *words: str | Path, **more: str) -> subprocess.CompletedProcess[str]:
    environ = {"MODELOPS_HELM": programs.helm(), "PYTHONPATH": str(installed / "site"), **more}
    return run(sys.executable, "-m", "scheduler", *words, folder=installed, **environ)


def test_it_is_the_wheel_that_runs(installed: Path) -> None:
    words = "import scheduler, scheduler.assets as a; print(scheduler.__file__, a.root(), a.CARRIED.is_dir())"
    said = run(sys.executable, "-c", words, folder=installed, PYTHONPATH=str(installed / "site")).stdout.split()

    assert said == [
        str(installed / "site" / "scheduler" / "__init__.py"),
        str(installed / "site" / "scheduler" / "_assets"),
        "True",
    ]


def test_it_finds_its_schemas(installed: Path) -> None:
    right = modelops(installed, "validate", EXAMPLE)
    wrong = modelops(installed, "validate", EXAMPLE.parents[1] / "invalid" / "bad-digest")

    assert right.returncode == 0, right.stderr
    assert (wrong.returncode, "/spec/sha256" in wrong.stderr) == (3, True)


def test_it_finds_its_charts(installed: Path) -> None:
    """Rendering a job needs the sub-charts, which are links in a checkout."""
    planned = modelops(installed, "plan", EXAMPLE, "-e", "staging", "--set", "day=2026-01-31", "-o", "json")

    assert "NOT RENDERED" not in planned.stdout + planned.stderr
    assert '"kind": "Deployment"' in planned.stdout, planned.stderr


def test_the_guide_of_sub_charts_leads_to_the_checkout_that_has_one(installed: Path, tmp_path: Path) -> None:
    """Without the guide's environment it is the wheel's own charts that images would be made of."""
    checkout = third_party.tree(tmp_path)
    listing = third_party.command("modelops", "images", "list", given={})[1:]

    without = modelops(installed, *listing)
    guided = modelops(installed, *listing, **third_party.environment(checkout))

    assert (without.returncode, guided.returncode) == (0, 0), without.stderr + guided.stderr
    assert {image for image in third_party.IMAGES if image in without.stdout} == set()
    assert {image for image in third_party.IMAGES if image in guided.stdout} == set(third_party.IMAGES)


def test_it_carries_every_chart_schema_and_tekton_object(wheel: Path) -> None:
    carried = {name.removeprefix("scheduler/_assets/") for name in zipfile.ZipFile(wheel).namelist()}
    wanted = {
        str(path.relative_to(assets.CHECKOUT))
        for name in ("charts", "ir-schemas", "tekton")
        for path in (assets.CHECKOUT / name).rglob("*")
        if path.is_file() and "examples" not in path.parts and path.suffix != ".tgz" and path.name != "Chart.lock"
    }

    assert len(wanted) > 100
    assert wanted <= carried

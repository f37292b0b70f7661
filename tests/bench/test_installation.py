"""How long a platform takes to install itself: every image built, and nothing to build."""

from __future__ import annotations

import json
import sys
import time
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from scheduler import assets
from scheduler.demo import installation
from scheduler.demo.installation import NAMESPACE, Platform
from tests.bench.record import Bench
from tests.e2e.deployed import Deployed

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(2400), pytest.mark.runs_last]

_FROM_NOTHING_SECONDS: Final = 15 * 60
_NOTHING_SECONDS: Final = 60


def test_installation(bench: Bench, deployed: Deployed, tmp_path: Path) -> None:
    bench.of(
        "Installation",
        "`helm upgrade` until `modelops install wait` says that it is over. All images: each is given an argument that "
        "no image was built with before, so that the registry holds none of them; two are built at a time, in the "
        "cluster. Nothing to build: the registry holds all of them, and the deployment is made again. Nothing changed: "
        "the same values once more.",
    )
    platform = deployed.platform
    try:
        if bench.is_full:
            took, status = _timed(platform, deployed.values, _as_never_before(tmp_path))
            for step in status["steps"]:
                bench.figure(f"{step['name']}", step["seconds"], "s")
            assert {step["state"] for step in status["steps"]} == {"built", "deployed"}
            bench.figure("all images built, and deployed", took, "s", at_most=_FROM_NOTHING_SECONDS)
        took, status = _timed(platform, deployed.values, ())
        assert {step["state"] for step in status["steps"]} <= {"skipped", "built", "deployed"}
        bench.figure("nothing to build, deployed", took, "s")
        run = status["run"]
        took, status = _timed(platform, deployed.values, ())
        assert status["run"] == run
        bench.figure("nothing changed", took, "s", at_most=_NOTHING_SECONDS)
    finally:
        deployed.install()


def _timed(platform: Platform, values: Path, extra: Sequence[str]) -> tuple[float, Mapping[str, Any]]:
    began = time.monotonic()
    installation.install(platform, values, extra=extra)
    took = time.monotonic() - began
    told = platform.run(sys.executable, "-m", "scheduler", "install", "status", "-n", NAMESPACE, "-o", "json")
    return took, json.loads(told)


def _as_never_before(folder: Path) -> Sequence[str]:
    """Values that give every build an argument of its own."""
    changed: dict[str, Any] = {}
    for file in sorted((assets.charts() / "subcharts").glob("*/values.yaml")):
        builds = yaml.safe_load(file.read_text()).get("builds") or []
        if any("bootstrap" not in build for build in builds):
            given = [{**build, "args": {**build.get("args", {}), "BUILT_FOR": uuid.uuid4().hex}} for build in builds]
            changed[file.parent.name] = {"builds": given}
    values = folder / "never-before.yaml"
    values.write_text(yaml.safe_dump(changed))
    return ("--values", str(values))
